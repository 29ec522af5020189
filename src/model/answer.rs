//! How an answer is shaped, which of its parts show whose row it is, and which of its fields may pass.

use super::{
    body::{Access, Path},
    entitlement::Action,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the guard knows of one operation's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub shape: Shape,
    /// Path of the array of rows; empty when the answer is itself the one row.
    pub rows: Path,
    /// Fields of a row that say whose it is (`groups`: keys of the group object).
    pub keys: Vec<Key>,
    /// `conversations`, `conversation`: where the legs are.
    pub leg: Option<LegPath>,
    /// The same: what stays of a leg that is not visible, level by level as in `keep`; nothing is listed: it is cut.
    pub foreign: Keep,
    /// `documents`: the field of the body that lists which fields come back, and the object of a row that holds them.
    pub source: Option<Path>,
    /// `plain`: the field that repeats the last id of the path.
    pub named_by: Option<Path>,
    pub totals: Vec<Total>,
    /// Paths of the root that are dropped (facets, links, cursors of others).
    pub keep: Keep,
    /// Field name -> mask class.
    pub mask: BTreeMap<Box<str>, Box<str>>,
    /// Parts: fields that hold links to files elsewhere, by level and name, and the action that lets each pass.
    pub links: BTreeMap<Box<str>, Action>,
    /// Parts: what is answered while the upstream says that what was asked for is still being made (202).
    pub pending: Option<Box<str>>,
    /// The upstream's own answer for "nothing", as JSON text with holes.
    pub empty: Vec<Piece>,
    /// Group keys or row keys that name interactions: refused in group-by unless allowed with a limit.
    pub max_bytes: usize,
}

impl Answer {
    /// Actions that let links pass, each once.
    pub fn beside(&self) -> Vec<Action> {
        let actions: BTreeSet<Action> = self.links.values().copied().collect();
        actions.into_iter().collect()
    }
}

/// A piece of an empty answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(Box<str>),
    /// A number of the page that was asked for.
    Page(PageNumber),
    /// What stands in the asked body at this path, as it would be sent; `null` where nothing does.
    Asked(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageNumber {
    Number,
    Size,
    /// Visible entries.
    Total,
    /// Pages of them.
    Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `results[].group{dimension: value}`.
    Groups,
    /// `rows[].group{dimension: value}` of the platform dialect.
    Rows,
    /// A list of objects, each of one person or one queue, whom a field of it names.
    Owned,
    /// A list of objects with an id each.
    Entities,
    /// One object, read by its id.
    Entity,
    /// A list of interactions with their legs.
    Conversations,
    /// One interaction, read by id.
    Conversation,
    /// A list of objects of many people, of which each has an id that is bound to one of them here.
    Bound,
    /// A list of documents, of which each is one leg, and buckets over them.
    Documents,
    /// One answer that belongs whole to what the path names, or to nobody: there are no rows to judge, so every level
    /// of it is listed, and nothing below a level that is not.
    Plain,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub access: Access,
    /// Path inside the row (inside the group object for `groups` and `rows`).
    pub at: Path,
}

/// `$.participants[*].sessions[*].segments[*]` with fields that may stand some levels up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegPath {
    /// Array names from the row down.
    pub arrays: Vec<Box<str>>,
    pub queue: Option<Up>,
    pub user: Option<Up>,
    pub start: Up,
    pub end: Up,
}

/// A field of the leg object, or of the object that holds its array, `up` levels above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    pub up: usize,
    /// Keys below the object: one, or `queue.id`.
    pub at: Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub at: Path,
    pub treatment: TotalTreatment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TotalTreatment {
    /// Taken out: it would count hidden rows.
    Remove,
    /// Number of entries that the asker may see in all.
    Visible,
    /// Pages that these make.
    Pages,
}

/// Allow-list of fields, level by level: key `""` is the answer's root, `conversations` the rows,
/// `conversations.participants` the objects in that array, and so on. A field that is listed and has no level
/// of its own passes whole; everything else is dropped. A level that lists `*` alone is a map: its names are short keys of
/// the upstream's own, and what they hold has the level `name.*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    pub levels: BTreeMap<Box<str>, Vec<Box<str>>>,
}

impl Keep {
    /// Whether the field at this path passes.
    pub fn passes(&self, path: &[Box<str>]) -> bool {
        let mut level = String::new();
        path.iter().all(|name| {
            let listed = self.levels.get(level.as_str()).is_none_or(|fields| fields.contains(name));
            if !level.is_empty() {
                level.push('.');
            }
            level.push_str(name);
            listed
        })
    }
}
