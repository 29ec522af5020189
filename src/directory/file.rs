//! The wire form of `directory.json`, exactly as people write it.
//!
//! These structs only say what may stand in the file. Whether it makes sense (references, cycles,
//! roots, regions) is decided by `compile`, which turns them into [`crate::model::org::Org`].
//! Absent lists mean *nothing*; the word `"any"` is the only way to say everything.

use jiff::Timestamp;
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Group {
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// Absent: the group spans regions (a finding when it holds outsourcers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<String>,
    /// Every present member holds these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Assignment>,
}

/// A role held in a division. The guides also write the role's id alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", from = "AssignmentForm")]
#[schemars(!from, with = "AssignmentForm")]
pub struct Assignment {
    pub role: String,
    /// Empty only where the role itself names its division.
    pub division: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", untagged)]
#[schemars(rename = "Assignment")]
enum AssignmentForm {
    /// The role's id; the division is the one that the role names.
    Role(String),
    Pair(AssignmentPair),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AssignmentPair {
    #[serde(alias = "roleId")]
    #[schemars(extend("x-alias" = ["roleId"]))]
    role: String,
    /// Absent: the division that the role itself names.
    #[serde(default, alias = "divisionId")]
    #[schemars(extend("x-alias" = ["divisionId"]))]
    division: String,
}

impl From<AssignmentForm> for Assignment {
    fn from(form: AssignmentForm) -> Self {
        match form {
            AssignmentForm::Role(role) => Self { role, division: String::new() },
            AssignmentForm::Pair(AssignmentPair { role, division }) => Self { role, division },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Role {
    /// Absent: the name is the id, as in the guides' payloads.
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The only division in which this role may be held; absent: each assignment names its own.
    #[serde(default, alias = "divisionId", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-alias" = ["divisionId"]))]
    pub division: Option<String>,
    #[serde(default, alias = "rolePermissions", alias = "allowedPermissions")]
    #[schemars(extend("x-alias" = ["rolePermissions", "allowedPermissions"]))]
    pub permissions: Vec<Permission>,
    /// Must be empty unless `unsafeAllow` names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<String>,
    #[serde(default, alias = "isSystem", skip_serializing_if = "is_false")]
    #[schemars(extend("x-alias" = ["isSystem"]))]
    pub system: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Permission {
    /// The upstream's own id of this line; carried for people, never judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `domain:entity:action`.
    pub permission: String,
    /// Compulsory: there is no default width of a right.
    pub scope: PermissionScope,
    /// With scope `view`: the view's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// With scope `group`: the groups' ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// With scope `assigned`: every agent of the asker's queues, not the asker alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub team: bool,
    /// `metadata` lets an audit permission reach other regions' metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_region: Option<CrossRegion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PermissionScope {
    #[serde(rename = "self")]
    Own,
    Assigned,
    View,
    Group,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CrossRegion {
    Metadata,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct View {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub queues: ListOrAny,
    pub users: ListOrAny,
}

/// Either a list of ids or the word `any`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ListOrAny {
    Any(AnyWord),
    List(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AnyWord {
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct User {
    /// Absent: the e-mail address is the id, as in the guides' payloads.
    #[serde(default)]
    pub id: String,
    /// One human with two accounts has one person id; absent: the user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    #[serde(default, deserialize_with = "person_name")]
    #[schemars(with = "PersonName")]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Compulsory: a user in no division is refused when the file is loaded.
    #[serde(default, alias = "divisionId")]
    #[schemars(extend("x-alias" = ["divisionId"]))]
    pub division: String,
    pub region: String,
    #[serde(default = "yes")]
    pub active: bool,
    /// Changed division while data may carry the old tag.
    #[serde(default, skip_serializing_if = "is_false")]
    pub moved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Groups, beside those that list the user as a member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, alias = "bpoUser", skip_serializing_if = "is_false")]
    #[schemars(extend("x-alias" = ["bpoUser"]))]
    pub bpo: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    #[serde(default, alias = "userRoles", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-alias" = ["userRoles"]))]
    pub roles: Vec<Assignment>,
    /// Sections of a legacy per-user option: queue ids the section opens. Judged by intersection with the roles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub legacy: BTreeMap<String, Vec<String>>,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceAccount {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub region: String,
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// Access groups whose read lists reach this account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default)]
    pub roles: Vec<Assignment>,
    /// Users and groups it may act for; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<ActsFor>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ActsFor {
    pub users: Vec<String>,
    pub groups: Vec<String>,
}

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
    /// `view`, `playback` (includes view), `transcript`, `export`, `addRemove`, `preview`.
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

/// One text, or the guides' pair of names.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum PersonName {
    Text(String),
    Parts(NameParts),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[derive(Default)]
struct NameParts {
    first_name: String,
    last_name: String,
}

fn person_name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match PersonName::deserialize(from)? {
        PersonName::Text(text) => text,
        PersonName::Parts(NameParts { first_name, last_name }) => format!("{first_name} {last_name}").trim().to_owned(),
    })
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}
