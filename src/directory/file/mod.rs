//! The wire form of `directory.json`, exactly as people write it.
//!
//! These structs only say what may stand in the file. Whether it makes sense (references, cycles,
//! roots, regions) is decided by `compile`, which turns them into [`crate::model::org::Org`].
//! Absent lists mean *nothing*; the word `"any"` is the only way to say everything.

mod given;
mod people;

pub use given::*;
pub use people::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One organisation: every thing that access decisions may depend on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct DirectoryFile {
    /// Where the schema lies, for editors; it says nothing about the organisation.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Free text that names this version for people; decision records carry the digest of the whole text.
    pub version: String,
    /// What an object in a region's root means: `leaf` or `parent`. Needed when the directory comes from a platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
    /// What a queue that no read list reaches means once any folder or read list exists.
    pub default_read: DefaultRead,
    /// Dangerous forms that this file is allowed to contain: `inherits:<role>`, `wildcard:<role>`, `system:<role>`,
    /// `impersonate:<role>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsafe_allow: Vec<String>,
    /// Marks by which an outsourcer's account is recognised even without the flag.
    #[serde(skip_serializing_if = "BpoMarks::is_empty")]
    pub bpo_marks: BpoMarks,
    pub regions: Vec<Region>,
    pub divisions: Vec<Division>,
    pub folders: Vec<Folder>,
    pub groups: Vec<Group>,
    pub roles: Vec<Role>,
    pub views: Vec<View>,
    pub users: Vec<User>,
    pub queues: Vec<Queue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permission_objects: Vec<PermissionObject>,
    pub service_accounts: Vec<ServiceAccount>,
    pub flows: Vec<Owned>,
    pub teams: Vec<Team>,
    pub cases: Vec<Case>,
    pub labels: Vec<Label>,
    /// Separation-of-duties sets: nobody may hold two roles of one set.
    pub conflicts: Vec<ConflictSet>,
    /// Temporary rights, read only. Later they come from the journal of access requests.
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Home {
    Leaf,
    Parent,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DefaultRead {
    #[default]
    Closed,
    Open,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct BpoMarks {
    pub licences: Vec<String>,
    pub groups: Vec<String>,
    pub mail_domains: Vec<String>,
}

impl BpoMarks {
    pub fn is_empty(&self) -> bool {
        self.licences.is_empty() && self.groups.is_empty() && self.mail_domains.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Region {
    pub id: String,
    /// Base URL of this region's upstream.
    pub upstream: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Division {
    #[serde(alias = "divisionId")]
    #[schemars(extend("x-alias" = ["divisionId"]))]
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// Absent for the one root of a region only.
    #[serde(default, alias = "parentDivisionId", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-alias" = ["parentDivisionId"]))]
    pub parent: Option<String>,
    /// Absent: the region of the parent. A root states it.
    #[serde(default)]
    pub region: String,
    /// A reporting division that the upstream fills with read-only copies; only `view` counts on it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// The upstream's default division.
    #[serde(default, skip_serializing_if = "is_false")]
    pub home: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Folder {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Access groups that may read. Absent: this folder has no list of its own. Empty: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_list: Option<Vec<String>>,
    /// Whether the list reaches below this folder's own queues.
    #[serde(default, skip_serializing_if = "is_false")]
    pub propagate: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum QueueState {
    #[default]
    Active,
    Archived,
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Queue {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub division: String,
    #[serde(default)]
    pub state: QueueState,
    #[serde(default, skip_serializing_if = "is_false")]
    pub moved: bool,
    /// Visible by name only: named membership, a view that lists it, a live grant.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restricted: bool,
    /// Users named one by one.
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The queue's own read list decides alone when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_list: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A read list that names its queue as older systems do: `ges_Cards` is the list of the queue `Cards`.
///
/// It is bound to one queue when the file is loaded. Where that is not clear, the queues in question are closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PermissionObject {
    /// A prefix, `_`, and the queue's id or whole name.
    pub name: String,
    /// The queue's id, where the name alone is not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Access groups that may read. Empty: nobody.
    pub read_list: Vec<String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}
