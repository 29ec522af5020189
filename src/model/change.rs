//! Changes: what is made, moved or ended upstream. Nothing can be taken back afterwards, so whose it is has to be known first.
//! A list whose rows are of interactions looks at these in the same way.

use super::operation::Operation;
use std::sync::Arc;

/// A read that shows the legs of every interaction that a change, or a row of a list, names. It is asked in the asker's scope
/// for the change or the list.
#[derive(Debug, Clone)]
pub struct Look {
    pub operation: Arc<Operation>,
    /// The parameter that lists the ids.
    pub param: Box<str>,
    /// The element of an interaction that fields of kind `part` name; `None`: no field does.
    pub part: Option<PartId>,
}

/// Where the ids of one kind of element stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartId {
    /// Which array of the look's leg path holds the elements, from 0.
    pub array: usize,
    /// The element's own field with its id.
    pub field: Box<str>,
}
