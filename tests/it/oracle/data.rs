//! What the oracle reads: the directory file in structs of its own, and interactions made of legs.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Seconds since the epoch.
pub type Time = i64;

/// The unit of data. A leg without queue and agent is unowned: nobody's, and so visible to nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub start: Time,
    pub end: Time,
    /// Properties that say nothing about whose leg it is, by dimension name.
    pub plain: BTreeMap<&'static str, String>,
    pub handle: i64,
    /// The division that the upstream wrote down when the leg happened.
    pub tag: Option<String>,
}

/// What is the interaction's own (start, end, facts) belongs to whoever sees a leg of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    pub id: String,
    pub start: Time,
    pub end: Time,
    /// Interaction-level properties, by dimension name.
    pub facts: BTreeMap<&'static str, String>,
    pub legs: Vec<Leg>,
    /// Quality forms, each about the work of one leg.
    pub evaluations: Vec<Leg>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Directory {
    pub default_read: String,
    pub bpo_marks: Marks,
    pub divisions: Vec<Division>,
    pub folders: Vec<Folder>,
    pub groups: Vec<Group>,
    pub roles: Vec<Role>,
    pub views: Vec<View>,
    pub users: Vec<User>,
    pub queues: Vec<Queue>,
    pub service_accounts: Vec<Service>,
    pub cases: Vec<Case>,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Marks {
    pub licences: Vec<String>,
    pub groups: Vec<String>,
    pub mail_domains: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Division {
    pub id: String,
    pub parent: Option<String>,
    pub region: String,
    #[serde(default)]
    pub shared: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    pub id: String,
    pub parent: Option<String>,
    pub read_list: Option<Vec<String>>,
    #[serde(default)]
    pub propagate: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    pub id: String,
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub roles: Vec<Assignment>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Assignment {
    pub role: String,
    pub division: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Role {
    pub id: String,
    #[serde(default)]
    pub permissions: Vec<Permission>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Permission {
    pub permission: String,
    pub scope: String,
    pub view: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub team: bool,
}

/// Each side is a list of ids or the word `any`.
#[derive(Debug, Clone, Deserialize)]
pub struct View {
    pub id: String,
    pub queues: Value,
    pub users: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    pub id: String,
    pub email: Option<String>,
    pub division: String,
    pub region: String,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub bpo: bool,
    pub licence: Option<String>,
    #[serde(default)]
    pub roles: Vec<Assignment>,
    #[serde(default)]
    pub legacy: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    pub id: String,
    pub division: String,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub moved: bool,
    #[serde(default)]
    pub restricted: bool,
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub member_groups: Vec<String>,
    pub folder: Option<String>,
    pub read_list: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    pub id: String,
    pub region: String,
    #[serde(default)]
    pub roles: Vec<Assignment>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    pub id: String,
    pub division: String,
    #[serde(default)]
    pub conversations: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Grant {
    pub id: String,
    pub beneficiary: String,
    pub resources: Vec<Resource>,
    pub actions: Vec<String>,
    pub data: Option<Window>,
    pub from: String,
    pub until: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Resource {
    pub kind: String,
    pub id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Window {
    pub from: String,
    pub until: String,
}

pub fn seconds(text: &str) -> Time {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

pub fn instant(at: Time) -> String {
    jiff::Timestamp::from_second(at).unwrap().to_string()
}
