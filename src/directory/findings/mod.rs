//! Dangerous set-ups that the organisation alone shows. A finding warns; it never changes what is visible.

use super::file::DirectoryFile;
use crate::model::{finding::Finding, org::Org};

pub(super) fn all(_file: &DirectoryFile, _org: &Org) -> Vec<Finding> {
    Vec::new()
}
