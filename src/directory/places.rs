//! Where the objects of a file stand. Looked up only when something is wrong.

use super::{
    problem::{Problem, Source},
    tree::{Node, Walk},
};
use std::{collections::HashMap, ops::Range};

/// Lists whose items have places.
pub(super) const LISTS: &[&str] = &[
    "regions",
    "divisions",
    "folders",
    "groups",
    "roles",
    "views",
    "users",
    "queues",
    "permissionObjects",
    "serviceAccounts",
    "flows",
    "teams",
    "cases",
    "labels",
    "conflicts",
    "grants",
    "unsafeAllow",
];

/// How many problems of one file are worked out to their line; the rest is counted.
const SHOWN: usize = 200;

/// Names that keys have in the guides' payloads.
const ALIASES: &[(&str, &[&str])] = &[
    ("id", &["divisionId"]),
    ("parent", &["parentDivisionId"]),
    ("division", &["divisionId"]),
    ("role", &["roleId"]),
    ("roles", &["userRoles"]),
    ("permissions", &["rolePermissions", "allowedPermissions"]),
    ("system", &["isSystem"]),
    ("bpo", &["bpoUser"]),
];

/// A place in the file, by structure: a list, an item of it, and steps inside the item.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    list: &'static str,
    item: usize,
    steps: [Step; 4],
    len: usize,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Key(&'static str),
    Nth(usize),
}

impl At {
    pub(super) const fn item(list: &'static str, item: usize) -> Self {
        Self { list, item, steps: [Step::Nth(0); 4], len: 0 }
    }

    /// A key of the file that is no list, such as `bpoMarks`.
    pub(super) const fn file(key: &'static str) -> Self {
        Self::item(key, 0)
    }

    pub(super) fn key(self, key: &'static str) -> Self {
        self.step(Step::Key(key))
    }

    pub(super) fn nth(self, nth: usize) -> Self {
        self.step(Step::Nth(nth))
    }

    fn step(mut self, step: Step) -> Self {
        if let Some(slot) = self.steps.get_mut(self.len) {
            *slot = step;
            self.len += 1;
        }
        self
    }
}

/// A problem of meaning, before its line is known.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) at: At,
    pub(super) what: String,
    pub(super) repair: String,
}

/// The text and the offsets of its list items.
#[derive(Debug)]
pub struct Places<'a> {
    source: Source<'a>,
    items: HashMap<&'static str, Vec<usize>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(source: Source<'a>, items: HashMap<&'static str, Vec<usize>>) -> Self {
        Self { source, items }
    }

    /// Places of a file that was built in memory: problems name the objects but no line.
    pub fn nowhere(name: &'a str) -> Self {
        Self { source: Source::new(name, ""), items: HashMap::new() }
    }

    pub(super) fn problems(&self, found: Vec<Found>) -> Vec<Problem> {
        let more = found.len().saturating_sub(SHOWN);
        let mut problems: Vec<Problem> = found.into_iter().take(SHOWN).map(|found| self.problem(found)).collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if more > 0 {
            problems.push(Problem::whole(
                self.source.name,
                format!("there are {more} more problems of this kind"),
                "repair these first",
            ));
        }
        problems
    }

    fn problem(&self, Found { at, what, repair }: Found) -> Problem {
        match self.locate(at) {
            Some((span, id)) => Problem::at(&self.source, span, id.as_deref(), what, repair),
            None => Problem::whole(self.source.name, what, repair),
        }
    }

    fn locate(&self, at: At) -> Option<(Range<usize>, Option<String>)> {
        let Some(offset) = self.items.get(at.list).and_then(|list| list.get(at.item)) else {
            let root = Walk::from(self.source.text, 0).node()?;
            return root.member(&[at.list]).map(|node| (node.span.clone(), None));
        };
        let root = Walk::from(self.source.text, *offset).node()?;
        let mut node = &root;
        for step in at.steps.get(..at.len)? {
            match next(node, *step) {
                Some(deeper) => node = deeper,
                None => break,
            }
        }
        // A whole object would be a long mark: its first brace is enough.
        let span = if node.members().is_empty() { node.span.clone() } else { node.span.start..node.span.start + 1 };
        Some((span, super::read::id_of(at.list, &root).map(ToOwned::to_owned)))
    }
}

fn next<'n, 'a>(node: &'n Node<'a>, step: Step) -> Option<&'n Node<'a>> {
    match step {
        Step::Nth(nth) => node.items().get(nth),
        Step::Key(key) => {
            let aliases =
                ALIASES.iter().filter(|(own, _)| *own == key).flat_map(|(_, aliases)| aliases.iter().copied());
            let keys: Vec<&str> = std::iter::once(key).chain(aliases).collect();
            keys.iter().find_map(|key| node.member(&[key]))
        }
    }
}
