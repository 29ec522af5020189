//! Ids: one canonical form, no duplicates, and the look-ups.

use super::{At, Draft, Found, ix};
use crate::model::set::Ix;
use std::collections::HashMap;

const LONGEST: usize = 256;

pub(super) fn fill(draft: &mut Draft<'_>) {
    let file = draft.file;
    let problems = &mut draft.problems;
    let index = &mut draft.org.index;
    index.regions = ids(problems, "regions", "region", file.regions.iter().map(|one| one.id.as_str()));
    index.divisions = ids(problems, "divisions", "division", file.divisions.iter().map(|one| one.id.as_str()));
    index.groups = ids(problems, "groups", "group", file.groups.iter().map(|one| one.id.as_str()));
    index.roles = ids(problems, "roles", "role", file.roles.iter().map(|one| one.id.as_str()));
    index.users = ids(problems, "users", "user", file.users.iter().map(|one| one.id.as_str()));
    index.queues = ids(problems, "queues", "queue", file.queues.iter().map(|one| one.id.as_str()));
    index.services =
        ids(problems, "serviceAccounts", "service account", file.service_accounts.iter().map(|one| one.id.as_str()));
    draft.views = ids(problems, "views", "view", file.views.iter().map(|one| one.id.as_str()));
    draft.folders = ids(problems, "folders", "folder", file.folders.iter().map(|one| one.id.as_str()));
    let _grants: HashMap<Box<str>, Ix<()>> =
        ids(problems, "grants", "grant", file.grants.iter().map(|one| one.id.as_str()));
    let _conflicts: HashMap<Box<str>, Ix<()>> =
        ids(problems, "conflicts", "conflict set", file.conflicts.iter().map(|one| one.id.as_str()));
}

pub(super) fn ids<'f, T>(
    problems: &mut Vec<Found>,
    list: &'static str,
    kind: &str,
    ids: impl Iterator<Item = &'f str>,
) -> HashMap<Box<str>, Ix<T>> {
    let mut index = HashMap::with_capacity(ids.size_hint().0);
    for (nth, id) in ids.enumerate() {
        let at = At::item(list, nth).key("id");
        if let Some(fault) = fault(id) {
            problems.push(Found {
                at,
                what: format!("the {kind} {fault}"),
                repair: "ids are compared byte for byte: write the upstream's id as it is".to_owned(),
            });
        }
        if index.insert(id.into(), ix(nth)).is_some() && !id.is_empty() {
            problems.push(Found {
                at,
                what: format!("the {kind} `{id}` is defined twice"),
                repair: "remove or rename one of the two".to_owned(),
            });
        }
    }
    index
}

pub(super) fn fault(id: &str) -> Option<String> {
    if id.is_empty() {
        Some("has an empty id".to_owned())
    } else if id.trim() != id || id.chars().any(is_unseen) {
        Some(format!("id `{}` begins or ends with white space or holds an invisible character", id.escape_debug()))
    } else if id.contains(',') || id.contains("${") {
        Some(format!("id `{id}` holds `,` or `${{`, which part lists of ids and begin placeholders"))
    } else if id.len() > LONGEST {
        Some(format!("id is longer than {LONGEST} bytes"))
    } else {
        None
    }
}

/// Characters that make two ids look alike: controls, zero-width ones, marks of direction.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
