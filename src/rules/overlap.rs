//! Finds templates that match the same path without one being the more exact: nobody could say which rule governs.

use crate::model::contract::{Method, Segment, Template};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Taken {
    literals: BTreeMap<Box<str>, Taken>,
    param: Option<Box<Taken>>,
    /// Rules that end here.
    here: Vec<(Method, usize)>,
}

impl Taken {
    /// Adds a template; gives the rule that it collides with.
    pub(super) fn add(&mut self, method: Method, template: &Template, rule: usize) -> Option<usize> {
        let clash = self.clash(method, &template.segments, Exact::Same);
        let mut at = self;
        for segment in &template.segments {
            at = match segment {
                Segment::Literal(text) => at.literals.entry(text.clone()).or_default(),
                Segment::Param { .. } => at.param.get_or_insert_default(),
            };
        }
        at.here.push((method, rule));
        clash
    }

    fn clash(&self, method: Method, segments: &[Segment], exact: Exact) -> Option<usize> {
        let Some((first, rest)) = segments.split_first() else {
            let other = self.here.iter().find(|(here, _)| *here == method)?;
            return matches!(exact, Exact::Same | Exact::Neither).then_some(other.1);
        };
        match first {
            Segment::Literal(text) => {
                let literal = self.literals.get(text).and_then(|next| next.clash(method, rest, exact));
                literal.or_else(|| self.param.as_ref()?.clash(method, rest, exact.and(Exact::New)))
            }
            Segment::Param { .. } => {
                let param = self.param.as_ref().and_then(|next| next.clash(method, rest, exact));
                param
                    .or_else(|| self.literals.values().find_map(|next| next.clash(method, rest, exact.and(Exact::Old))))
            }
        }
    }
}

/// Which of two templates names more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exact {
    Same,
    New,
    Old,
    Neither,
}

impl Exact {
    fn and(self, next: Self) -> Self {
        match self {
            Self::Same => next,
            same if same == next => next,
            _ => Self::Neither,
        }
    }
}
