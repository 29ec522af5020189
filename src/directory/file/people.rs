//! Who there is and what they may do: groups, roles, views, people, service accounts.

use super::{is_false, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
