//! Exports: files that the upstream makes of a report. Each is bound to who asked for it, as a job is.

use super::{body::Path, operation::Operation};
use std::sync::Arc;

/// How a list shows the exports of its asker: those that are bound to him, of all that the upstream has.
#[derive(Debug, Clone)]
pub struct OwnExports {
    /// The operation that asks for an export.
    pub submit: Arc<Operation>,
    /// The field of a row that holds the export's id.
    pub id: Box<str>,
    /// The field with the link to the file: it passes while what was sent is inside the asker's scope of now.
    pub link: Box<str>,
    /// Parameters, and fields of the answer, with the number and the size of the page.
    pub number: Box<str>,
    pub size: Box<str>,
    pub default_size: i64,
    /// The upstream's exports that are read at once, whosever they are.
    pub at_once: i64,
}

/// Where the lists of ids stand by which a body is narrowed. A leg is asked for when it fits all that are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdLists {
    pub queues: Path,
    pub users: Path,
    /// Judged and resolved into queues; never sent.
    pub divisions: Option<Path>,
    /// The field that says what is exported.
    pub view: Path,
    /// The field that leaves rows without any leg out: they would name who is not visible. Always sent as `true`.
    pub no_empty: Path,
    /// The views that tell agents apart: in all others the list of users means nothing.
    pub by_agent: Vec<Box<str>>,
}
