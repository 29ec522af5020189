//! Everything that one request is decided by, pinned as one version.

use super::{
    assumption::Assumption,
    operation::Rules,
    org::{Assignment, Org, Principal, RoleIx},
    set::Set,
};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone)]
pub struct World {
    pub version: Versions,
    pub org: Arc<Org>,
    pub rules: Arc<Rules>,
    /// What the asker's token says of his roles; `None`: it is not asked.
    pub claimed: Option<Claimed>,
}

/// The roles that a token names. Whatever the directory says, its holder has no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claimed {
    pub holder: Principal,
    pub roles: Set<RoleIx>,
}

/// Who holds roles: what the directory assigns him, and of it what his token names where that counts. It only ever takes away.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    pub org: &'a Org,
    pub holder: Principal,
    pub claimed: Option<&'a Claimed>,
}

impl<'a> Held<'a> {
    /// By the directory alone.
    pub fn by_directory(org: &'a Org, holder: Principal) -> Self {
        Self { org, holder, claimed: None }
    }

    /// The assignments that count.
    pub fn assignments(self) -> impl Iterator<Item = &'a Assignment> {
        let named = self.claimed.filter(|claimed| claimed.holder == self.holder).map(|claimed| &claimed.roles);
        self.org
            .assignments(self.holder)
            .iter()
            .filter(move |held| named.is_none_or(|roles| roles.contains(&held.role)))
    }
}

impl World {
    /// What `holder` holds. A claim is of the asker alone: of others the directory says it.
    pub fn held(&self, holder: Principal) -> Held<'_> {
        Held { org: &self.org, holder, claimed: self.claimed.as_ref() }
    }
}

/// The triple that stands in every decision record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Versions {
    pub rules: Box<str>,
    pub directory: Box<str>,
    pub grants: Box<str>,
}

/// How roles combine, from the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RoleConflict {
    /// Pairs of role and division stand alone; a union masks nothing.
    #[default]
    Separate,
    /// Two roles with analytics permissions conflict, whatever their divisions.
    Refuse,
}

/// Settings of the configuration that decisions depend on. Part of the rules' version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub role_conflict: RoleConflict,
    pub accepted: Vec<Assumption>,
    /// A rule without a query test is a load error.
    pub require_tests: bool,
    /// Region -> where its upstream keeps files, as scheme and host: `https://files.example`.
    pub media: Arc<BTreeMap<Box<str>, Vec<Box<str>>>>,
}
