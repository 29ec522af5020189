//! Everything that one request is decided by, pinned as one version.

use super::{assumption::Assumption, operation::Rules, org::Org};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone)]
pub struct World {
    pub version: Versions,
    pub org: Arc<Org>,
    pub rules: Arc<Rules>,
}

/// The triple that stands in every decision record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Versions {
    pub rules: Box<str>,
    pub directory: Box<str>,
    pub grants: Box<str>,
}

/// How roles combine, from the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RoleConflict {
    /// Pairs of role and division stand alone; a union masks nothing.
    #[default]
    Separate,
    /// Two roles with analytics permissions conflict, whatever their divisions.
    Refuse,
}

/// Settings of the configuration that decisions depend on. Part of the rules' version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub role_conflict: RoleConflict,
    pub accepted: Vec<Assumption>,
    /// A rule without a query test is a load error.
    pub require_tests: bool,
    /// Region -> where its upstream keeps files, as scheme and host: `https://files.example`.
    pub media: Arc<BTreeMap<Box<str>, Vec<Box<str>>>>,
}
