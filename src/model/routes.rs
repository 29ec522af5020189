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

/// A route that fits a path.
#[derive(Debug, Clone, Copy)]
struct Found {
    slot: Slot,
    /// A bit for each segment of which the route says the very word.
    literals: u64,
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

    /// What a path of a request leads to: the route with a literal wherever another that fits has one. Where two routes cross,
    /// such as `/a/{id}/c` and `/a/b/{id}` at `/a/b/c`, the upstream may take it for either, so it leads nowhere.
    pub(super) fn find(&self, method: Method, segments: &[&str]) -> Option<Slot> {
        let mut best: Option<Found> = None;
        let mut all = 0;
        self.each(method, segments, 1, 0, &mut |found| {
            all |= found.literals;
            if best.as_ref().is_none_or(|best| best.literals | found.literals == found.literals) {
                best = Some(found);
            }
        });
        best.filter(|best| best.literals == all).map(|best| best.slot)
    }

    fn each(&self, method: Method, segments: &[&str], bit: u64, literals: u64, found: &mut impl FnMut(Found)) {
        let Some((first, rest)) = segments.split_first() else {
            if let Some(slot) = self.ends(method) {
                found(Found { slot, literals });
            }
            return;
        };
        if let Some(next) = self.param.as_ref() {
            next.each(method, rest, bit << 1, literals, found);
        }
        if let Some(next) = self.literals.get(*first) {
            next.each(method, rest, bit << 1, literals | bit, found);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn index(routes: &[&str]) -> RouteIndex {
        let mut index = RouteIndex::default();
        for (at, route) in routes.iter().enumerate() {
            let steps = route.split('/').map(|step| if step == "*" { Step::Id } else { Step::Literal(step) });
            index.insert(Method::Get, steps, Slot::Governed(at));
        }
        index
    }

    fn found(routes: &[&str], path: &str) -> Option<usize> {
        let segments: Vec<&str> = path.split('/').collect();
        match index(routes).find(Method::Get, &segments) {
            Some(Slot::Governed(at)) => Some(at),
            _ => None,
        }
    }

    #[test]
    fn the_more_exact_route_wins_in_any_order() {
        for routes in [["a/*/c", "a/b/c", "*/b/c", "a/b/*"], ["*/b/c", "a/b/*", "a/b/c", "a/*/c"]] {
            let exact = routes.iter().position(|route| *route == "a/b/c");
            assert_eq!(found(&routes, "a/b/c"), exact);
            assert_eq!(found(&routes, "a/x/c"), routes.iter().position(|route| *route == "a/*/c"));
            assert_eq!(found(&routes, "a/b/x"), routes.iter().position(|route| *route == "a/b/*"));
            assert_eq!(found(&routes, "x/x/c"), None);
        }
    }

    #[test]
    fn where_routes_cross_a_path_leads_nowhere() {
        let routes = ["a/*/c", "a/b/*", "x/*/*", "*/y/*", "*/*/z", "x/y/*", "*/y/z"];
        for doubtful in ["a/b/c", "x/y/z"] {
            assert_eq!(found(&routes, doubtful), None, "{doubtful}");
        }
        for (clear, at) in [("a/b/d", 1), ("a/d/c", 0), ("x/y/c", 5), ("q/y/z", 6), ("q/q/z", 4)] {
            assert_eq!(found(&routes, clear), Some(at), "{clear}");
        }
    }

    #[test]
    fn a_path_of_any_length_is_looked_up() {
        let (long, path) = (vec!["*"; 200].join("/"), vec!["x"; 200].join("/"));
        assert_eq!(found(&[&long], &path), Some(0));
        assert_eq!(found(&[&long], &format!("{path}/x")), None);
    }
}
