//! What the oracle reads: the directory file in structs of its own, and interactions made of legs.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Seconds since the epoch.
pub(crate) type Time = i64;

/// The unit of data. A leg without queue and agent is unowned: nobody's, and so visible to nobody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leg {
    pub(crate) queue: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) start: Time,
    pub(crate) end: Time,
    /// Properties that say nothing about whose leg it is, by dimension name.
    pub(crate) plain: BTreeMap<&'static str, String>,
    pub(crate) handle: i64,
    /// The division that the upstream wrote down when the leg happened.
    pub(crate) tag: Option<String>,
    /// The region whose upstream holds it: that of its division.
    pub(crate) region: Option<String>,
}

/// What is the interaction's own (start, end, facts) belongs to whoever sees a leg of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Interaction {
    pub(crate) id: String,
    pub(crate) start: Time,
    pub(crate) end: Time,
    /// Interaction-level properties, by dimension name.
    pub(crate) facts: BTreeMap<&'static str, String>,
    pub(crate) legs: Vec<Leg>,
    /// Quality forms, each about the work of one leg.
    pub(crate) evaluations: Vec<Leg>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Directory {
    pub(crate) default_read: String,
    pub(crate) bpo_marks: Marks,
    pub(crate) divisions: Vec<Division>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) groups: Vec<Group>,
    pub(crate) roles: Vec<Role>,
    pub(crate) views: Vec<View>,
    pub(crate) users: Vec<User>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) service_accounts: Vec<Service>,
    pub(crate) cases: Vec<Case>,
    pub(crate) grants: Vec<Grant>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Marks {
    pub(crate) licences: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) mail_domains: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Division {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) region: String,
    #[serde(default)]
    pub(crate) shared: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Folder {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) read_list: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) propagate: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) members: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Vec<Assignment>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) role: String,
    pub(crate) division: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Role {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) permissions: Vec<Permission>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Permission {
    pub(crate) permission: String,
    pub(crate) scope: String,
    pub(crate) view: Option<String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default)]
    pub(crate) team: bool,
    #[serde(rename = "crossRegion")]
    pub(crate) cross_region: Option<String>,
}

/// Each side is a list of ids or the word `any`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) queues: Value,
    pub(crate) users: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) active: Option<bool>,
    pub(crate) email: Option<String>,
    pub(crate) division: String,
    pub(crate) region: String,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default)]
    pub(crate) bpo: bool,
    pub(crate) licence: Option<String>,
    #[serde(default)]
    pub(crate) roles: Vec<Assignment>,
    #[serde(default)]
    pub(crate) legacy: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queue {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) division: String,
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) moved: bool,
    #[serde(default)]
    pub(crate) restricted: bool,
    #[serde(default)]
    pub(crate) members: Vec<String>,
    #[serde(default)]
    pub(crate) member_groups: Vec<String>,
    pub(crate) folder: Option<String>,
    pub(crate) read_list: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) region: String,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Vec<Assignment>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) conversations: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Grant {
    pub(crate) beneficiary: String,
    pub(crate) resources: Vec<Resource>,
    pub(crate) actions: Vec<String>,
    pub(crate) data: Option<Window>,
    pub(crate) from: String,
    pub(crate) until: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Window {
    pub(crate) from: String,
    pub(crate) until: String,
}

pub(crate) fn seconds(text: &str) -> Time {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

pub(crate) fn instant(at: Time) -> String {
    jiff::Timestamp::from_second(at).unwrap().to_string()
}
