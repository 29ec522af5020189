//! Lists and reads by id: which entries are due, by plain code from the directory file, and what an obedient upstream
//! answers. Shares nothing with the program.

use super::{
    data::{Directory, Interaction, instant},
    semantics::{Data, Dim, Entitlement},
};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    Queues,
    Users,
    Divisions,
}

/// One thing of the directory, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) division: String,
}

/// What an asker can ask of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Asked {
    pub(crate) ids: Vec<String>,
    pub(crate) divisions: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) descending: bool,
}

impl Asked {
    fn takes(&self, entry: &Entry) -> bool {
        (self.ids.is_empty() || self.ids.contains(&entry.id))
            && (self.divisions.is_empty() || self.divisions.contains(&entry.division))
            && self.name.as_ref().is_none_or(|pattern| like(pattern, &entry.name))
    }
}

/// Without case; a star at either end stands for anything.
fn like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let bare = pattern.trim_start_matches('*').trim_end_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (false, false) => name == bare,
        (true, false) => name.ends_with(bare),
        (false, true) => name.starts_with(bare),
        (true, true) => name.contains(bare),
    }
}

pub(crate) fn data_of(list: List) -> Data {
    match list {
        List::Queues => Data::Queue,
        List::Users => Data::User,
        List::Divisions => Data::Division,
    }
}

/// Everything of the kind that the upstream has, alive.
fn everything(list: List, directory: &Directory) -> Vec<Entry> {
    let entry = |id: &String, name: &Option<String>, division: &String| Entry {
        id: id.clone(),
        name: name.clone().unwrap_or_default(),
        division: division.clone(),
    };
    match list {
        List::Queues => {
            let alive = directory.queues.iter().filter(|one| matches!(one.state.as_deref(), None | Some("active")));
            alive.map(|one| entry(&one.id, &one.name, &one.division)).collect()
        }
        List::Users => {
            let active = directory.users.iter().filter(|one| one.active != Some(false));
            active.map(|one| entry(&one.id, &one.name, &one.division)).collect()
        }
        List::Divisions => directory.divisions.iter().map(|one| entry(&one.id, &one.name, &one.id)).collect(),
    }
}

/// Whether one source shows an entry of a list. A list has no time, so a source with a data window shows none.
fn shows(directory: &Directory, person: &str, one: &Entitlement, list: List, entry: &Entry) -> bool {
    let here = directory
        .division(&entry.division)
        .is_some_and(|division| division.region == directory.region_of_person(person) && directory.leaf(&division.id));
    let alone = one.window.is_none() && one.conversations == Dim::Any;
    let fits = match list {
        List::Queues => one.users == Dim::Any && directory.queue_covered(person, one, &entry.id),
        List::Users => {
            one.queues == Dim::Any && one.users.covers(&entry.id) && directory.same_region(person, &entry.id)
        }
        List::Divisions => one.queues == Dim::Any && one.users == Dim::Any,
    };
    here && alone && fits && one.divisions.covers(&entry.division)
}

/// Whether somebody may be seen, active or not.
pub(crate) fn shows_user(directory: &Directory, person: &str, scope: &[Entitlement], id: &str) -> bool {
    let found = directory.users.iter().find(|user| user.id == id);
    found.is_some_and(|user| {
        let entry = Entry { id: id.to_owned(), name: String::new(), division: user.division.clone() };
        scope.iter().any(|one| shows(directory, person, one, List::Users, &entry))
    })
}

/// Every entry that is due, in the order of the upstream.
pub(crate) fn due(list: List, directory: &Directory, person: &str, scope: &[Entitlement], asked: &Asked) -> Vec<Entry> {
    let mut due = everything(list, directory);
    due.retain(|entry| asked.takes(entry) && scope.iter().any(|one| shows(directory, person, one, list, entry)));
    due.sort();
    if asked.descending {
        due.reverse();
    }
    due
}

/// An obedient upstream: everything it was asked for, whosever it is, with totals and links.
pub(crate) fn listed(list: List, directory: &Directory, asked: &Asked, size: usize, number: usize) -> Value {
    let mut all = everything(list, directory);
    all.retain(|entry| asked.takes(entry));
    all.sort();
    if asked.descending {
        all.reverse();
    }
    let total = all.len();
    let page: Vec<Value> = all.iter().skip(size * (number - 1)).take(size).map(|one| written(list, one)).collect();
    json!({
        "entities": page, "pageSize": size, "pageNumber": number, "total": total, "pageCount": total.div_ceil(size),
        "firstUri": "/first", "selfUri": "/self", "lastUri": "/last", "nextUri": "/next",
    })
}

pub(crate) fn written(list: List, entry: &Entry) -> Value {
    let mut row = json!({ "id": entry.id, "name": entry.name, "selfUri": format!("/{}", entry.id) });
    if list != List::Divisions {
        row["division"] = json!({ "id": entry.division, "name": "a division", "selfUri": "/division" });
        row["memberCount"] = json!(7);
    }
    row
}

/// One interaction as the upstream writes it when it is read by its id.
pub(crate) fn read_by_id(one: &Interaction) -> Value {
    let participants: Vec<Value> = one
        .legs
        .iter()
        .enumerate()
        .map(|(at, leg)| {
            let mut participant = json!({
                "id": format!("p-{at}"), "startTime": instant(leg.start), "endTime": instant(leg.end),
                "purpose": if leg.agent.is_some() { "agent" } else { "acd" }, "ani": "tel:+1555",
            });
            if let Some(queue) = &leg.queue {
                participant["queueId"] = json!(queue);
            }
            if let Some(agent) = &leg.agent {
                participant["userId"] = json!(agent);
            }
            participant
        })
        .collect();
    let tags: Vec<Value> = super::questions::tags(one).into_iter().map(|id| json!({ "id": id })).collect();
    json!({
        "id": one.id, "startTime": instant(one.start), "endTime": instant(one.end), "divisions": tags,
        "participants": participants, "selfUri": format!("/api/v2/conversations/{}", one.id),
    })
}
