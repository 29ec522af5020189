//! What the upstream knows of the organisation, read leniently from a directory file.
//!
//! It never judges who may see what: that is the business of whoever stands in front.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Organisation {
    pub(super) regions: Vec<Named>,
    pub(super) divisions: Vec<Division>,
    pub(super) queues: Vec<Queue>,
    pub(super) users: Vec<User>,
    pub(super) flows: Vec<Flow>,
    pub(super) teams: Vec<Team>,
    pub(super) groups: Vec<Group>,
    pub(super) roles: Vec<Role>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Flow {
    pub(super) id: String,
    pub(super) division: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Team {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) division: String,
    #[serde(default)]
    pub(super) members: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Division {
    #[serde(alias = "divisionId")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, alias = "parentDivisionId")]
    pub(super) parent: Option<String>,
    pub(super) region: String,
    #[serde(default)]
    pub(super) home: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queue {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) division: String,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) moved: bool,
    #[serde(default)]
    pub(super) members: Vec<String>,
    #[serde(default)]
    pub(super) member_groups: Vec<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

impl Queue {
    pub(super) fn state(&self) -> &str {
        self.state.as_deref().unwrap_or("active")
    }

    /// Attributes that have a value: an empty one is none.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(_, value)| !value.is_empty())
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Value,
    #[serde(default)]
    pub(super) email: Option<String>,
    pub(super) division: String,
    pub(super) region: String,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) moved: bool,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) manager: Option<String>,
    /// Role and division of each assignment.
    #[serde(default, deserialize_with = "assignments")]
    pub(super) roles: Vec<(String, String)>,
}

fn assignments<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    let all = Vec::<Value>::deserialize(from)?;
    let pair = |one: &Value| Some((one.get("role")?.as_str()?.to_owned(), one.get("division")?.as_str()?.to_owned()));
    Ok(all.iter().filter_map(pair).collect())
}

impl User {
    /// The shown name: a text, or `{firstName, lastName}`.
    pub(super) fn shown(&self) -> String {
        match &self.name {
            Value::String(name) => name.clone(),
            Value::Object(parts) => {
                let part = |key: &str| parts.get(key).and_then(Value::as_str).unwrap_or_default();
                format!("{} {}", part("firstName"), part("lastName")).trim().to_owned()
            }
            _ => self.id.clone(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) members: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Role {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
}

impl Organisation {
    pub(super) fn read(directory: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(directory)
    }

    /// The part that lives in one region.
    pub(super) fn region(&self, region: &str) -> Self {
        let divisions: Vec<_> = self.divisions.iter().filter(|division| division.region == region).cloned().collect();
        let here = |id: &str| divisions.iter().any(|division| division.id == id);
        Self {
            regions: self.regions.iter().filter(|named| named.id == region).cloned().collect(),
            queues: self.queues.iter().filter(|queue| here(&queue.division)).cloned().collect(),
            users: self.users.iter().filter(|user| user.region == region).cloned().collect(),
            flows: self.flows.iter().filter(|flow| here(&flow.division)).cloned().collect(),
            teams: self.teams.iter().filter(|team| here(&team.division)).cloned().collect(),
            groups: self.groups.clone(),
            roles: self.roles.clone(),
            divisions,
        }
    }

    /// Divisions without children, in the order of the file.
    pub(super) fn leaves(&self) -> Vec<&Division> {
        let parents: Vec<_> = self.divisions.iter().filter_map(|division| division.parent.as_deref()).collect();
        self.divisions.iter().filter(|division| !parents.contains(&division.id.as_str())).collect()
    }

    /// An attribute that some queue has a value of, as the organisation spells it.
    pub(super) fn attribute(&self, name: &str, same: impl Fn(&str, &str) -> bool) -> Option<&str> {
        let known = self.queues.iter().flat_map(Queue::values).map(|(known, _)| known);
        known.min_by_key(|known| (!same(known, name), *known)).filter(|known| same(known, name))
    }

    /// Members of each queue by name or through a group, each once, known users only.
    pub(super) fn members(&self) -> HashMap<&str, Vec<&str>> {
        let users: HashMap<&str, &User> = self.users.iter().map(|user| (user.id.as_str(), user)).collect();
        let mut by_group: HashMap<&str, Vec<&str>> = HashMap::new();
        for group in &self.groups {
            by_group.entry(&group.id).or_default().extend(group.members.iter().map(String::as_str));
        }
        for user in &self.users {
            for group in &user.groups {
                by_group.entry(group).or_default().push(&user.id);
            }
        }
        let members = |queue: &'_ Queue| {
            let mut all: Vec<&str> = queue
                .member_groups
                .iter()
                .filter_map(|group| by_group.get(group.as_str()))
                .flatten()
                .copied()
                .collect();
            all.extend(queue.members.iter().filter_map(|id| users.get(id.as_str())).map(|user| user.id.as_str()));
            all.retain(|id| users.contains_key(id));
            all.sort_unstable();
            all.dedup();
            all
        };
        self.queues.iter().map(|queue| (queue.id.as_str(), members(queue))).collect()
    }
}

fn yes() -> bool {
    true
}
