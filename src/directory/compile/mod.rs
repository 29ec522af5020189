//! [`DirectoryFile`] to [`Org`]: dense ids in file order, sorted sets, indexes.
//!
//! Everything that does not add up is a problem and there is no snapshot; what is only dangerous becomes a
//! finding. Each pass is linear in the file (set sorting aside), so that a million people load.

mod divisions;
mod folders;
mod grants;
mod index;
mod objects;
pub(super) mod people;
mod queues;
pub(super) mod roles;
mod services;

use super::{
    file::{self, DirectoryFile},
    findings,
    places::{At, Found, Places},
    problem::{Problem, closest},
};
use crate::model::{
    org::{DivisionIx, Org, RoleIx, ViewIx},
    set::Ix,
};
use jiff::Timestamp;
use std::collections::HashMap;

/// A near miss is looked for among at most so many ids, and for the first problems only: a file that is wrong
/// throughout must be refused as quickly as any other.
const NEAR: usize = 20_000;
const HELPED: usize = 50;

/// The only way to make an [`Org`]. `version` is the digest of the source text.
pub fn compile(
    file: &DirectoryFile,
    places: &Places<'_>,
    version: &str,
    taken_at: Timestamp,
) -> Result<Org, Vec<Problem>> {
    let mut draft = Draft {
        file,
        org: Org { version: version.into(), taken_at, ..Org::default() },
        views: HashMap::new(),
        folders: HashMap::new(),
        problems: Vec::new(),
    };
    index::fill(&mut draft);
    divisions::fill(&mut draft);
    roles::fill(&mut draft);
    people::fill(&mut draft);
    queues::fill(&mut draft);
    services::fill(&mut draft);
    objects::fill(&mut draft);
    grants::fill(&mut draft);
    refuse_empty(&mut draft);
    if !draft.problems.is_empty() {
        return Err(places.problems(draft.problems));
    }
    let mut org = draft.org;
    org.findings = findings::all(file, &org);
    Ok(org)
}

/// A file without regions or divisions describes nothing: more likely a broken export than a wish.
fn refuse_empty(draft: &mut Draft<'_>) {
    let file = draft.file;
    for (list, empty, what) in
        [("regions", file.regions.is_empty(), "region"), ("divisions", file.divisions.is_empty(), "division")]
    {
        if empty {
            let repair = format!("write the organisation whole: `{list}` must not be empty");
            draft.problem(At::file(list), format!("the directory has no {what}"), repair);
        }
    }
}

/// An organisation in the making. While problems stand, placeholders may stand in its tables.
struct Draft<'f> {
    file: &'f DirectoryFile,
    org: Org,
    views: HashMap<Box<str>, ViewIx>,
    folders: HashMap<Box<str>, Ix<file::Folder>>,
    problems: Vec<Found>,
}

impl Draft<'_> {
    fn problem(&mut self, at: At, what: impl Into<String>, repair: impl Into<String>) {
        self.problems.push(Found { at, what: what.into(), repair: repair.into() });
    }

    /// Whether `unsafeAllow` names this dangerous form of this object.
    fn allows(&self, form: &str, id: &str) -> bool {
        self.file.unsafe_allow.iter().any(|entry| entry.split_once(':') == Some((form, id)))
    }
}

/// Looks an id up; an unknown one is a problem at its place.
fn refer<T>(
    problems: &mut Vec<Found>,
    index: &HashMap<Box<str>, Ix<T>>,
    kind: &str,
    id: &str,
    at: At,
) -> Option<Ix<T>> {
    let found = index.get(id).copied();
    if found.is_none() {
        let near = if index.len() <= NEAR && problems.len() < HELPED {
            closest(id, index.keys().map(AsRef::as_ref))
        } else {
            None
        };
        let repair = match near {
            Some(near) => format!("did you mean `{near}`? otherwise define the {kind} or remove the reference"),
            None => format!("define the {kind} or remove the reference"),
        };
        problems.push(Found { at, what: format!("there is no {kind} `{id}`"), repair });
    }
    found
}

/// Looks a list of ids up, item by item.
fn refer_all<T>(
    problems: &mut Vec<Found>,
    index: &HashMap<Box<str>, Ix<T>>,
    kind: &str,
    ids: &[String],
    at: At,
) -> Vec<Ix<T>> {
    ids.iter().enumerate().filter_map(|(nth, id)| refer(problems, index, kind, id, at.nth(nth))).collect()
}

/// An assignment: its role, and the division that it or the role names.
fn assignment(draft: &mut Draft<'_>, held: &file::Assignment, at: At) -> Option<(RoleIx, DivisionIx)> {
    let org = &draft.org.index;
    let role = refer(&mut draft.problems, &org.roles, "role", &held.role, at.key("role"))?;
    let own = draft.file.roles.get(role.index()).and_then(|role| role.division.as_deref());
    let named = (!held.division.is_empty()).then_some(held.division.as_str());
    match (named, own) {
        (None, None) => {
            draft.problem(
                at,
                format!("the assignment of role `{}` names no division", held.role),
                "add `division`: a role counts only in the division of its assignment",
            );
            None
        }
        (Some(named), Some(own)) if named != own => {
            let what = format!("role `{}` may only be held in division `{own}`, not in `{named}`", held.role);
            draft.problem(
                at.key("division"),
                what,
                format!("assign it in `{own}`, or remove `division` from the role"),
            );
            None
        }
        (Some(id), _) | (None, Some(id)) => {
            let division = refer(&mut draft.problems, &org.divisions, "division", id, at.key("division"))?;
            Some((role, division))
        }
    }
}

/// Nodes that close a cycle, one for each cycle. `next` leads from a node to its parent.
fn cycles(count: usize, next: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    // 0: not seen; otherwise the number of the walk that saw it first.
    let mut seen = vec![0_usize; count];
    let mut closing = Vec::new();
    for start in 0..count {
        let mut at = Some(start);
        while let Some(here) = at {
            match seen.get_mut(here) {
                Some(mark) if *mark == 0 => *mark = start + 1,
                Some(mark) if *mark == start + 1 => {
                    closing.push(here);
                    break;
                }
                _ => break,
            }
            at = next(here);
        }
    }
    closing
}

/// A table index from a position. Tables of more than 2^32 rows do not exist.
fn ix<T>(position: usize) -> Ix<T> {
    Ix::new(u32::try_from(position).unwrap_or(u32::MAX))
}
