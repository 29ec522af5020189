//! The filter algebra: *and*, *or*, atoms. Dialects read into it and write from it.
//!
//! A filter is kept in one canonical form (flat, sorted, without repetitions), so that the order and spelling
//! of what was asked never shows in what is sent.

use crate::model::body::Access;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Join {
    And,
    Or,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    Atom(Atom),
    Group(Join, Vec<Filter>),
}

/// One predicate: its meaning for access, and the canonical parts it is written from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Atom {
    pub term: Term,
    /// Canonical JSON text of the predicate as its dialect writes it.
    pub text: Box<str>,
}

/// What a predicate says about whose leg it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The dimension has one of these values. Sorted, without repetitions, never empty.
    In(Access, Vec<Box<str>>),
    /// The leg lacks the dimension.
    Missing(Access),
    /// The leg has the dimension.
    Present(Access),
    /// A negated predicate that names values of an access dimension: judged, never counted as narrowing.
    NotIn(Access, Vec<Box<str>>),
    /// Says nothing about access.
    Other,
}

impl Filter {
    pub fn and(items: Vec<Filter>) -> Self {
        Self::Group(Join::And, items)
    }
    pub fn or(items: Vec<Filter>) -> Self {
        Self::Group(Join::Or, items)
    }

    /// Flat, sorted, without repetitions; a group of one is that one. An empty group stays what it is.
    #[must_use]
    pub fn canonical(self) -> Self {
        let Self::Group(join, items) = self else {
            return self;
        };
        let mut flat = Vec::with_capacity(items.len());
        for item in items {
            match item.canonical() {
                Self::Group(inner, items) if inner == join && !items.is_empty() => flat.extend(items),
                other => flat.push(other),
            }
        }
        flat.sort();
        flat.dedup();
        match <[Filter; 1]>::try_from(flat) {
            Ok([only]) => only,
            Err(flat) => Self::Group(join, flat),
        }
    }

    /// Every atom, depth first.
    pub fn atoms(&self) -> Vec<&Atom> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(next) = open.pop() {
            match next {
                Self::Atom(atom) => found.push(atom),
                Self::Group(_, items) => open.extend(items.iter().rev()),
            }
        }
        found
    }

    /// How many levels of groups stand above the deepest atom.
    pub fn depth(&self) -> usize {
        match self {
            Self::Atom(_) => 0,
            Self::Group(_, items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
        }
    }

    /// How much it says: predicates, of which one with a list of ids counts as one for each.
    pub fn predicates(&self) -> usize {
        match self {
            Self::Atom(atom) => atom.values().map_or(1, |(_, values)| values.len().max(1)),
            Self::Group(_, items) => items.iter().map(Self::predicates).sum(),
        }
    }
}

impl Atom {
    pub fn values(&self) -> Option<(Access, &[Box<str>])> {
        match &self.term {
            Term::In(access, values) | Term::NotIn(access, values) => Some((*access, values)),
            Term::Missing(_) | Term::Present(_) | Term::Other => None,
        }
    }
}
