//! Who may see a definition, and who may change it. Trusted base: what is not shown here is not there.
//!
//! A definition is an object of the division that owns it. Its owner sees it; when it is shared, whoever may view there
//! sees it too. Rights to queues, people or single interactions open none; an outsourcer's open what is shared in the leaf
//! in which he holds one, and nothing above it.

use crate::model::{
    definition::Definition,
    entitlement::{Entitlement, Scope, Source},
    operation::Operation,
    org::{DivisionIx, Org, Permission, PermissionScope, Principal},
    world::Held,
};
use std::collections::BTreeSet;

/// What one asker may do with definitions.
#[derive(Debug)]
pub struct Sight<'a> {
    pub org: &'a Org,
    pub holder: Principal,
    /// His roles.
    pub held: Held<'a>,
    /// Where he may view; `None`: nowhere.
    pub view: Option<&'a Scope>,
    /// Where he may edit; `None`: nowhere.
    pub edit: Option<&'a Scope>,
    /// What opens editing.
    pub edits: &'a Operation,
    /// Parent divisions may hold what is shared.
    pub parents: bool,
}

impl Sight<'_> {
    pub fn owns(&self, definition: &Definition) -> bool {
        let kind = match self.holder {
            Principal::User(_) => "user",
            Principal::Service(_) => "service",
        };
        *definition.owner.0 == *kind && *definition.owner.1 == *self.org.principal_id(self.holder)
    }

    pub fn sees(&self, definition: &Definition) -> bool {
        let here = *definition.region == *self.org.region(self.org.region_of(self.holder)).id;
        here && (self.owns(definition)
            || definition.shared
                && self.org.index.divisions.get(&definition.division).is_some_and(|division| self.views(*division)))
    }

    /// Whether what is shared in a division is shown.
    pub fn views(&self, division: DivisionIx) -> bool {
        self.opens(&self.viewed_leaves(), division)
    }

    /// Every division of which this is so.
    pub fn viewed(&self) -> impl Iterator<Item = DivisionIx> {
        let leaves = self.viewed_leaves();
        self.org.division_ixs().filter(move |division| self.opens(&leaves, *division))
    }

    fn opens(&self, leaves: &BTreeSet<DivisionIx>, division: DivisionIx) -> bool {
        if self.org.division(division).leaf {
            return leaves.contains(&division);
        }
        self.parents && !self.org.is_bpo(self.holder) && leaves.iter().any(|leaf| self.org.is_under(*leaf, division))
    }

    fn viewed_leaves(&self) -> BTreeSet<DivisionIx> {
        let mut all = BTreeSet::new();
        let found = self.view.into_iter().flat_map(|view| &view.entitlements);
        for one in found.filter(|one| is_of_divisions(one)) {
            all.extend(one.leaves(self.org).iter().filter(|leaf| self.is_own(one, **leaf)));
        }
        all
    }

    /// Of an outsourcer's rights, those count that a role gives in the very division. By `all` none does.
    fn is_own(&self, one: &Entitlement, leaf: DivisionIx) -> bool {
        !self.org.is_bpo(self.holder) || matches!(one.source, Source::Role { division, .. } if division == leaf)
    }

    /// Whether definitions of a division may be made and changed. A right that is bound to less than all of the division
    /// is one to one's own.
    pub fn edits_in(&self, division: DivisionIx, own: bool) -> bool {
        let Some(edit) = self.edit else { return false };
        let counts = |permission: &Permission| own || permission.scope == PermissionScope::All;
        if !self.org.division(division).leaf {
            let held = edit.inert.contains(&division) && self.parents && !self.org.is_bpo(self.holder);
            let gives = |permission: &&Permission| permission.gives(&self.edits.opened_by);
            return held
                && self
                    .held
                    .assignments()
                    .filter(|held| held.division == division)
                    .any(|held| self.org.role(held.role).permissions.iter().filter(gives).any(counts));
        }
        edit.entitlements.iter().filter(|one| is_of_divisions(one) && one.leaves(self.org).contains(&division)).any(
            |one| match &one.source {
                Source::Grant { .. } => true,
                Source::Role { role, permission, .. } => {
                    let permissions = &self.org.role(*role).permissions;
                    permissions.iter().filter(|held| held.name == *permission).any(counts)
                }
            },
        )
    }

    /// Whether one that is there may be taken away: by whoever may change it, and by its owner, for its division may be gone.
    pub fn removes(&self, definition: &Definition) -> bool {
        self.owns(definition) && self.sees(definition) || self.edits(definition)
    }

    /// Whether one that is there may be changed.
    pub fn edits(&self, definition: &Definition) -> bool {
        let division = self.org.index.divisions.get(&definition.division);
        self.sees(definition) && division.is_some_and(|division| self.edits_in(*division, self.owns(definition)))
    }
}

/// Not one of queues, people, interactions or a time of data.
fn is_of_divisions(entitlement: &Entitlement) -> bool {
    entitlement.queues.is_any()
        && entitlement.users.is_any()
        && entitlement.conversations.is_any()
        && entitlement.data.is_none()
}
