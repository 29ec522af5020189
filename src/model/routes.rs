//! Methods and paths to what was decided about them.

use super::contract::{Method, Segment, Template};
use std::collections::HashMap;

/// A trie over path segments: thousands of rules cost as ten. A literal segment wins over an id.
#[derive(Debug, Clone, Default)]
pub struct RouteIndex {
    literals: HashMap<Box<str>, RouteIndex>,
    param: Option<Box<RouteIndex>>,
    here: Vec<(Method, Slot)>,
}

/// What stands at the end of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Place in [`Rules::operations`](super::operation::Rules::operations).
    Governed(usize),
    /// Place in [`Rules::denials`](super::operation::Rules::denials).
    Denied(usize),
}

/// One step of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'s> {
    Literal(&'s str),
    /// Some id, whatever its name.
    Id,
}

impl Template {
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => Step::Literal(text),
            Segment::Param { .. } => Step::Id,
        })
    }
}

impl RouteIndex {
    pub fn insert<'s>(&mut self, method: Method, steps: impl IntoIterator<Item = Step<'s>>, slot: Slot) {
        let mut at = self;
        for step in steps {
            at = match step {
                Step::Literal(text) => at.literals.entry(text.into()).or_default(),
                Step::Id => at.param.get_or_insert_default(),
            };
        }
        at.here.push((method, slot));
    }

    /// What a path of a request leads to.
    pub(super) fn find(&self, method: Method, segments: &[&str]) -> Option<Slot> {
        let Some((first, rest)) = segments.split_first() else { return self.ends(method) };
        let literal = self.literals.get(*first).and_then(|next| next.find(method, rest));
        literal.or_else(|| self.param.as_ref().and_then(|next| next.find(method, rest)))
    }

    /// What stands at this very route: an id does not stand for a literal.
    pub fn exact<'s>(&self, method: Method, steps: impl IntoIterator<Item = Step<'s>>) -> Option<Slot> {
        let mut at = self;
        for step in steps {
            at = match step {
                Step::Literal(text) => at.literals.get(text)?,
                Step::Id => at.param.as_deref()?,
            };
        }
        at.ends(method)
    }

    fn ends(&self, method: Method) -> Option<Slot> {
        self.here.iter().find(|(here, _)| *here == method).map(|(_, slot)| *slot)
    }
}
