//! Dense ids and sorted sets of them. Requests only ever look things up in these.

use std::{fmt, marker::PhantomData};

/// A dense index into one table of the compiled organisation.
pub struct Ix<T> {
    raw: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Ix<T> {
    pub const fn new(raw: u32) -> Self {
        Self { raw, kind: PhantomData }
    }
    pub const fn raw(self) -> u32 {
        self.raw
    }
    pub const fn index(self) -> usize {
        self.raw as usize
    }
}

impl<T> Clone for Ix<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ix<T> {}
impl<T> PartialEq for Ix<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<T> Eq for Ix<T> {}
impl<T> PartialOrd for Ix<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Ix<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<T> std::hash::Hash for Ix<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<T> fmt::Debug for Ix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.raw)
    }
}

/// A sorted set without duplicates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set<T> {
    items: Box<[T]>,
}

impl<T: Ord + Clone> Set<T> {
    pub fn new() -> Self {
        Self { items: Box::default() }
    }
    pub fn one(item: T) -> Self {
        Self { items: Box::new([item]) }
    }
    pub fn len(&self) -> usize {
        self.items.len()
    }
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    pub fn contains(&self, item: &T) -> bool {
        self.items.binary_search(item).is_ok()
    }
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
    pub fn as_slice(&self) -> &[T] {
        &self.items
    }
    pub fn first(&self) -> Option<&T> {
        self.items.first()
    }
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        self.iter().chain(other.iter()).cloned().collect()
    }
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (small, large) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        Self { items: small.iter().filter(|item| large.contains(item)).cloned().collect() }
    }
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self { items: self.iter().filter(|item| !other.contains(item)).cloned().collect() }
    }
    pub fn is_subset(&self, other: &Self) -> bool {
        self.len() <= other.len() && self.iter().all(|item| other.contains(item))
    }
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&T) -> bool) -> Self {
        Self { items: self.iter().filter(|item| keep(item)).cloned().collect() }
    }
}

impl<T: Ord + Clone> Default for Set<T> {
    fn default() -> Self {
        Self::new()
    }
}
impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut items: Vec<T> = iter.into_iter().collect();
        items.sort_unstable();
        items.dedup();
        Self { items: items.into_boxed_slice() }
    }
}
impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
impl<T: fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.items.iter()).finish()
    }
}

/// One dimension of an entitlement: everything, or exactly these.
///
/// `Only` of an empty set is nothing. There is no way to say "everything" by leaving something out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dim<T> {
    Any,
    Only(Set<T>),
}

impl<T: Ord + Clone> Dim<T> {
    pub fn covers(&self, item: &T) -> bool {
        match self {
            Self::Any => true,
            Self::Only(set) => set.contains(item),
        }
    }
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }
    /// Whether this says no more than `whole`, as written.
    pub fn is_within(&self, whole: &Self) -> bool {
        match (self, whole) {
            (_, Self::Any) => true,
            (Self::Any, Self::Only(_)) => false,
            (Self::Only(part), Self::Only(whole)) => part.is_subset(whole),
        }
    }
    /// What both cover.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, dim) | (dim, Self::Any) => dim.clone(),
            (Self::Only(one), Self::Only(two)) => Self::Only(one.intersection(two)),
        }
    }
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Only(set) if set.is_empty())
    }
}
