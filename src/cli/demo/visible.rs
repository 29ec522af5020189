//! Who sees what, worked out from the directory file with plain searches: the second opinion of the tour.
//!
//! It knows the sample's shapes, not the whole model, and shares no line with the code that serves.

use crate::sandbox::{Bounds, Pick};
use serde_json::Value;

/// A directory file as it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain<'a>(pub(super) &'a Value);

impl<'a> Plain<'a> {
    fn all(self, list: &str) -> impl Iterator<Item = &'a Value> {
        self.0.get(list).and_then(Value::as_array).into_iter().flatten()
    }

    fn one(self, list: &str, wanted: &str) -> Option<&'a Value> {
        self.all(list).find(|one| id(one) == wanted)
    }

    pub(super) fn users_of(self, division: &str) -> Vec<String> {
        self.all("users").filter(|user| text(user, "division") == division).map(|user| id(user).to_owned()).collect()
    }

    pub(super) fn members(self, group: &str) -> Vec<String> {
        self.one("groups", group).map(|group| words(group, "members").map(str::to_owned).collect()).unwrap_or_default()
    }

    /// Queues of a division that whoever may see all of it sees: open to the reader, not restricted. Dead ones too.
    pub(super) fn open_queues(self, division: &str, reader: &str) -> Vec<String> {
        let here =
            |queue: &&Value| text(queue, "division") == division && !restricted(queue) && self.open(queue, reader);
        self.all("queues").filter(here).map(|queue| id(queue).to_owned()).collect()
    }

    /// Live queues of a division whose member somebody is; a restricted one only when it names the member.
    pub(super) fn queues_of_member(self, division: &str, user: &str) -> Vec<String> {
        let member = |queue: &&Value| {
            let named = words(queue, "members").any(|member| member == user);
            let grouped =
                words(queue, "memberGroups").any(|group| self.members(group).iter().any(|member| member == user));
            text(queue, "division") == division
                && alive(queue)
                && self.open(queue, user)
                && (named || (grouped && !restricted(queue)))
        };
        self.all("queues").filter(member).map(|queue| id(queue).to_owned()).collect()
    }

    /// Live queues that a view lists, of one division.
    pub(super) fn queues_of_view(self, division: &str, view: &str, reader: &str) -> Vec<String> {
        let listed: Vec<&str> = self.one("views", view).map(|view| words(view, "queues").collect()).unwrap_or_default();
        let seen = |queue: &&Value| {
            text(queue, "division") == division
                && listed.contains(&id(queue))
                && alive(queue)
                && self.open(queue, reader)
        };
        self.all("queues").filter(seen).map(|queue| id(queue).to_owned()).collect()
    }

    /// Live queues of a division with members, all of whom are in a group.
    pub(super) fn queues_of_group(self, division: &str, group: &str, reader: &str) -> Vec<String> {
        let group = self.members(group);
        let own = |queue: &&Value| {
            let mut members: Vec<String> = words(queue, "members").map(str::to_owned).collect();
            members.extend(words(queue, "memberGroups").flat_map(|group| self.members(group)));
            let whole = !members.is_empty() && members.iter().all(|member| group.contains(member));
            text(queue, "division") == division
                && alive(queue)
                && !restricted(queue)
                && self.open(queue, reader)
                && whole
        };
        self.all("queues").filter(own).map(|queue| id(queue).to_owned()).collect()
    }

    /// A group lists its people; a service account says itself where it belongs, and a user may.
    fn is_in(self, reader: &str, group: &str) -> bool {
        let own = self.one("serviceAccounts", reader).or_else(|| self.one("users", reader));
        self.members(group).iter().any(|member| member == reader)
            || own.is_some_and(|own| words(own, "groups").any(|own| own == group))
    }

    /// The queue's own read list decides; else the nearest folder above with a list that reaches the queue; else the
    /// default of the file.
    fn open(self, queue: &Value, reader: &str) -> bool {
        let reads = |list: &Value| {
            let groups = list.as_array().into_iter().flatten().filter_map(Value::as_str);
            groups.into_iter().any(|group| self.is_in(reader, group))
        };
        if let Some(list) = queue.get("readList") {
            return reads(list);
        }
        let mut folder = self.one("folders", text(queue, "folder"));
        let mut direct = true;
        while let Some(here) = folder {
            let reaches = direct || here.get("propagate").and_then(Value::as_bool) == Some(true);
            if let Some(list) = here.get("readList").filter(|_| reaches) {
                return reads(list);
            }
            direct = false;
            folder = self.one("folders", text(here, "parent"));
        }
        self.0.get("defaultRead").and_then(Value::as_str) == Some("open")
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn id(value: &Value) -> &str {
    text(value, "id")
}

fn words<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    value.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn alive(queue: &Value) -> bool {
    queue.get("state").and_then(Value::as_str).is_none_or(|state| state == "active")
}

fn restricted(queue: &Value) -> bool {
    queue.get("restricted").and_then(Value::as_bool) == Some(true)
}

/// Everything on these queues, and nothing that has no queue.
pub(super) fn on_queues(queues: Vec<String>) -> Bounds {
    Bounds { queues: Pick::Only(queues), agents: Pick::Any, queueless: Pick::Only(Vec::new()) }
}

/// What these people did on these queues.
pub(super) fn of_people(queues: Vec<String>, people: Vec<String>) -> Bounds {
    Bounds { queues: Pick::Only(queues), agents: Pick::Only(people), queueless: Pick::Only(Vec::new()) }
}

/// What has no queue, of these people.
pub(super) fn without_queue(people: Vec<String>) -> Bounds {
    Bounds { queues: Pick::Only(Vec::new()), agents: Pick::Any, queueless: Pick::Only(people) }
}
