//! What else has a division, and what is given for a time: flows, labels, cases, conflicts, grants.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Owned {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub division: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Team {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub division: String,
    #[serde(default)]
    pub members: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub division: String,
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub conversations: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Label {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub division: String,
    /// Names of the properties that mark a conversation with the label; each marks one label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Conversations that carry the label, where the source knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConflictSet {
    pub id: String,
    pub roles: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Grant {
    pub id: String,
    /// The user who gains.
    pub beneficiary: String,
    pub resources: Vec<Resource>,
    /// `view`, `playback` (includes view), `transcript`, `export`, `addRemove`, `preview`, `edit`.
    pub actions: Vec<String>,
    /// Half-open window of the data that may be seen; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataWindow>,
    /// The grant acts from this instant ...
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub from: Timestamp,
    /// ... until just before this one.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DataWindow {
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub from: Timestamp,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Resource {
    pub kind: ResourceKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResourceKind {
    Queue,
    Division,
    User,
    Group,
    Case,
    Label,
    Conversation,
}
