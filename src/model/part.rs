//! Parts of an interaction: what is read of one without its legs, such as a recording or a wrap-up. Whose such an answer is
//! only the interaction itself can say, so it is looked at first.

use super::operation::Operation;
use jiff::Timestamp;
use std::sync::Arc;

/// How an operation whose answer is a part of an interaction is tied to its legs.
#[derive(Debug, Clone)]
pub struct Part {
    /// The read that shows the interaction's legs. It is asked in the asker's scope for the part, not for itself.
    pub look: Arc<Operation>,
    /// Which element of the interaction the part is of, outermost first; none: it is of the whole interaction.
    pub named: Vec<Element>,
}

/// An element of the interaction that a path parameter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub param: Box<str>,
    /// Which array of the look's leg path holds it, from 0.
    pub array: usize,
    /// The element's own field with its id.
    pub field: Box<str>,
}

/// How the beginning of a recording is shown to who may not have it.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The read that names the recording's file. It is asked in the asker's scope for the preview, not for itself.
    pub of: Arc<Operation>,
    pub seconds: u32,
    /// Parameters that it is asked with.
    pub asks: Vec<(Box<str>, Vec<String>)>,
}

/// What was seen of an interaction before a part of it was asked for, or something of it changed. Only the guard makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub interaction: Box<str>,
    /// The ids of the elements that the part is of; for a change, all those by which a part of it may be named.
    pub named: Vec<Box<str>>,
    /// Every leg that the part speaks of; for a change, every leg.
    pub legs: Vec<SeenLeg>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLeg {
    pub queue: Option<Box<str>>,
    pub user: Option<Box<str>>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}
