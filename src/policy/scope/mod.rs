//! Scope derivation: which entitlements a principal has for one operation at one instant, each with its source.
//!
//! Trusted base. Nothing here widens: an unknown, an empty and a missing thing give no entitlement.

mod abroad;
mod acting;
mod grants;
mod lesser;
mod openings;

pub use abroad::derive_abroad;
pub use acting::{Acting, acting};
pub use lesser::{lesser, says_more, spelt};

use super::{extent::covers_whole, outsourcers};
use crate::model::{
    contract::Data,
    entitlement::{Action, Entitlement, Scope, Source, Validity},
    operation::{Audience, BpoExports, Class, Operation, Rules},
    org::{Assignment, DivisionIx, GroupIx, Org, Permission, PermissionScope, Principal, QueueIx, QueueState, UserIx},
    refusal::{Code, Refusal},
    set::{Dim, Set},
    world::{Held, RoleConflict},
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Derives the scope. An empty one is not an error here: what was asked decides which refusal fits.
pub fn derive(held: Held<'_>, rules: &Rules, operation: &Operation, now: Timestamp) -> Result<Scope, Refusal> {
    let Held { org, holder, .. } = held;
    let bpo = org.is_bpo(holder);
    if bpo && operation.audience == Audience::Internal {
        return Err(Refusal::new(
            Code::BpoInternalOnly,
            "this report is for people of the organisation itself, not for outsourcers",
        ));
    }
    if bpo && operation.class == Class::Export && operation.bpo == BpoExports::Refuse {
        return Err(Refusal::new(
            Code::BpoExport,
            "files of reports are for people of the organisation itself, not for outsourcers; ask for the report instead",
        ));
    }
    refuse_conflicting_roles(org, rules, holder, operation)?;
    let mut scope = Scope {
        holder,
        region: org.region_of(holder),
        action: operation.contract.action,
        entitlements: Vec::new(),
        inert: Set::new(),
        lifts: Vec::new(),
        openings: Vec::new(),
        good_until: None,
    };
    if !is_active(org, holder) {
        return Ok(scope);
    }
    let mut found = from_roles(held, operation, &operation.opened_by, &rules.harmless);
    for permissions in &operation.also {
        found = found.and(&from_roles(held, operation, permissions, &rules.harmless), org);
    }
    let FromRoles { entitlements, inert, mut permitted } = found;
    scope.entitlements = entitlements;
    scope.inert = inert.into_iter().collect();
    // a grant is for things of somebody: it opens nothing of what is nobody's
    if let Principal::User(user) = holder
        && operation.class != Class::NoData
    {
        permitted |= grants::add(org, operation, user, now, &mut scope);
    }
    if !permitted {
        return Err(Refusal::new(
            Code::PermissionMissing,
            format!(
                "you need the permission `{}` for this; ask the administrator of your division",
                operation.permission
            ),
        )
        .with("permission", operation.demanded.join(",")));
    }
    settle(org, operation, &mut scope.entitlements);
    scope.lifts = openings::lifts(held, rules, operation);
    scope.openings = openings::openings(held, rules, operation, now);
    Ok(scope)
}

/// Takes out what no right to this operation may cover, whatever its source.
fn settle(org: &Org, operation: &Operation, entitlements: &mut Vec<Entitlement>) {
    if operation.contract.action != Action::View {
        leave_out_copies(org, entitlements);
    }
    outsourcers::leave_out(org, operation, entitlements);
    if matches!(operation.contract.data, Data::Flow | Data::Case) {
        leave_out_closed(org, entitlements);
    }
    entitlements.retain(covers_something);
}

/// A shared reporting division holds copies to be viewed: nothing else is opened there, by a grant neither.
fn leave_out_copies(org: &Org, entitlements: &mut [Entitlement]) {
    for entitlement in entitlements {
        let divisions = entitlement.leaves(org).filter(|ix| !org.division(*ix).shared);
        entitlement.divisions = Dim::Only(divisions);
    }
}

/// Every queue is every queue open to the asker, or no queue: a division with queues, of which none is open to him, is not seen
/// whole by any right to all of it.
fn leave_out_closed(org: &Org, entitlements: &mut [Entitlement]) {
    for entitlement in entitlements.iter_mut().filter(|one| covers_whole(one)) {
        let holder = entitlement.holder;
        let open = |queue: &QueueIx| !org.queue(*queue).restricted && org.open_to(*queue, holder);
        let seen = entitlement.leaves(org).filter(|division| {
            let queues = &org.division(*division).queues;
            queues.is_empty() || queues.iter().any(open)
        });
        entitlement.divisions = Dim::Only(seen);
    }
}

fn covers_something(entitlement: &Entitlement) -> bool {
    !(entitlement.queues.is_nothing() || entitlement.users.is_nothing() || entitlement.divisions.is_nothing())
}

#[derive(Default)]
struct FromRoles {
    entitlements: Vec<Entitlement>,
    /// Parent divisions of such permissions.
    inert: BTreeSet<DivisionIx>,
    permitted: bool,
}

impl FromRoles {
    /// What both give. Parent divisions of either are told.
    fn and(&self, other: &Self, org: &Org) -> Self {
        let pairs = self.entitlements.iter().flat_map(|one| other.entitlements.iter().map(move |two| (one, two)));
        let entitlements = pairs.map(|(one, two)| Entitlement {
            divisions: one.divisions.and(&two.divisions),
            queues: match (&one.queues, &two.queues) {
                // everything is every open queue
                (Dim::Any, Dim::Only(list)) | (Dim::Only(list), Dim::Any) => {
                    Dim::Only(list.filter(|queue| !org.queue(*queue).restricted))
                }
                (one, two) => one.and(two),
            },
            users: one.users.and(&two.users),
            ..one.clone()
        });
        Self {
            entitlements: entitlements.filter(covers_something).collect(),
            inert: &self.inert | &other.inert,
            permitted: self.permitted && other.permitted,
        }
    }
}

/// What the holder's roles give through these permissions. An outsourcer keeps `all` on `harmless` ones only.
fn from_roles(
    held: Held<'_>,
    operation: &Operation,
    permissions: &BTreeSet<Box<str>>,
    harmless: &BTreeSet<Box<str>>,
) -> FromRoles {
    let Held { org, holder, .. } = held;
    let (region, bpo) = (org.region_of(holder), org.is_bpo(holder));
    let mut found = FromRoles::default();
    for assignment in held.assignments() {
        for permission in &org.role(assignment.role).permissions {
            if !permission.gives(permissions) {
                continue;
            }
            found.permitted = true;
            let division = org.division(assignment.division);
            if division.region != region {
                continue;
            }
            // what is nobody's stands in no division: the permission alone decides
            if !division.leaf && operation.class != Class::NoData {
                found.inert.insert(assignment.division);
                continue;
            }
            if division.shared && operation.contract.action != Action::View {
                continue;
            }
            if bpo && permission.scope == PermissionScope::All && !harmless.contains(&permission.name) {
                continue;
            }
            Derivation { org, operation, holder, assignment, permission }.add_to(&mut found.entitlements);
        }
    }
    found
}

fn is_active(org: &Org, holder: Principal) -> bool {
    match holder {
        Principal::User(user) => org.user(user).active,
        Principal::Service(_) => true,
    }
}

/// One permission of one role in one leaf division, about to become entitlements. Pairs are never merged.
struct Derivation<'a> {
    org: &'a Org,
    operation: &'a Operation,
    holder: Principal,
    assignment: &'a Assignment,
    permission: &'a Permission,
}

impl Derivation<'_> {
    fn add_to(&self, out: &mut Vec<Entitlement>) {
        let here = self.assignment.division;
        match self.operation.contract.data {
            Data::Queue => self.on_queues(here, out),
            Data::User | Data::Team => self.on_users(here, out),
            // of the parts of a division that these words open, none is a flow or a case: what is bound to queues or people
            // is told, and does not count
            Data::Interaction | Data::Flow | Data::Case => self.on_interactions(here, out),
            Data::Division | Data::Metadata => out.push(self.entitlement(Dim::Any, Dim::Any)),
        }
    }

    fn on_interactions(&self, here: DivisionIx, out: &mut Vec<Entitlement>) {
        match (&self.permission.scope, self.holder) {
            (PermissionScope::All, _) => out.push(self.entitlement(Dim::Any, Dim::Any)),
            (PermissionScope::Own, Principal::User(me)) => {
                out.push(self.entitlement(Dim::Any, Dim::Only(Set::one(me))));
            }
            (PermissionScope::Assigned { team }, Principal::User(me)) => {
                let users = if *team { Dim::Any } else { Dim::Only(Set::one(me)) };
                out.push(self.entitlement(Dim::Only(self.my_queues(me, here)), users));
            }
            (PermissionScope::View(view), _) => {
                let view = self.org.view(*view);
                out.push(self.entitlement(self.queues_here(&view.queues, here), self.users_here(&view.users, here)));
            }
            (PermissionScope::Groups(groups), _) => {
                let members = self.members(groups);
                out.push(
                    self.entitlement(Dim::Any, Dim::Only(members.filter(|user| self.org.user(*user).division == here))),
                );
                out.push(self.entitlement(Dim::Only(self.closed_queues(&members, here)), Dim::Any));
            }
            (PermissionScope::Own | PermissionScope::Assigned { .. }, Principal::Service(_)) => {}
        }
    }

    fn on_queues(&self, here: DivisionIx, out: &mut Vec<Entitlement>) {
        match (&self.permission.scope, self.holder) {
            (PermissionScope::All, _) => out.push(self.entitlement(Dim::Any, Dim::Any)),
            (PermissionScope::Assigned { .. }, Principal::User(me)) => {
                out.push(self.entitlement(Dim::Only(self.my_queues(me, here)), Dim::Any));
            }
            (PermissionScope::View(view), _) => {
                out.push(self.entitlement(self.queues_here(&self.org.view(*view).queues, here), Dim::Any));
            }
            (PermissionScope::Groups(groups), _) => {
                out.push(self.entitlement(Dim::Only(self.closed_queues(&self.members(groups), here)), Dim::Any));
            }
            (PermissionScope::Own, _) | (PermissionScope::Assigned { .. }, Principal::Service(_)) => {}
        }
    }

    fn on_users(&self, here: DivisionIx, out: &mut Vec<Entitlement>) {
        match (&self.permission.scope, self.holder) {
            (PermissionScope::All, _) => out.push(self.entitlement(Dim::Any, Dim::Any)),
            (PermissionScope::Own, Principal::User(me)) => {
                // One's own row is one's own wherever the role was given.
                let mut own = self.entitlement(Dim::Any, Dim::Only(Set::one(me)));
                own.divisions = Dim::Any;
                out.push(own);
            }
            (PermissionScope::Assigned { team }, Principal::User(me)) => {
                let mut users = Set::one(me);
                if *team {
                    let queues = self.my_queues(me, here);
                    users = queues
                        .iter()
                        .flat_map(|queue| self.org.queue(*queue).members.iter().copied())
                        .chain([me])
                        .collect();
                }
                out.push(
                    self.entitlement(Dim::Any, Dim::Only(users.filter(|user| self.org.user(*user).division == here))),
                );
            }
            (PermissionScope::View(view), _) => {
                out.push(self.entitlement(Dim::Any, self.users_here(&self.org.view(*view).users, here)));
            }
            (PermissionScope::Groups(groups), _) => {
                let members = self.members(groups).filter(|user| self.org.user(*user).division == here);
                out.push(self.entitlement(Dim::Any, Dim::Only(members)));
            }
            (PermissionScope::Own | PermissionScope::Assigned { .. }, Principal::Service(_)) => {}
        }
    }

    fn entitlement(&self, queues: Dim<QueueIx>, users: Dim<UserIx>) -> Entitlement {
        let Assignment { role, division, via } = *self.assignment;
        Entitlement {
            holder: self.holder,
            region: self.org.division(division).region,
            divisions: Dim::Only(Set::one(division)),
            queues,
            users,
            conversations: Dim::Any,
            data: None,
            actions: vec![self.operation.contract.action],
            valid: Validity::ALWAYS,
            source: Source::Role { role, division, permission: self.permission.name.clone(), via },
        }
    }

    /// The asker's own queues here; restricted ones only where they name him, dead ones only by rule.
    fn my_queues(&self, me: UserIx, here: DivisionIx) -> Set<QueueIx> {
        let user = self.org.user(me);
        user.queues.filter(|ix| {
            let queue = self.org.queue(*ix);
            queue.division == here && (!queue.restricted || user.named_queues.contains(ix)) && self.counts(queue.state)
        })
    }

    /// Objects of a view outside the assignment's division do not count.
    fn queues_here(&self, queues: &Dim<QueueIx>, here: DivisionIx) -> Dim<QueueIx> {
        match queues {
            Dim::Any => Dim::Any,
            Dim::Only(list) => Dim::Only(list.filter(|ix| {
                let queue = self.org.queue(*ix);
                queue.division == here && self.counts(queue.state)
            })),
        }
    }

    fn users_here(&self, users: &Dim<UserIx>, here: DivisionIx) -> Dim<UserIx> {
        match users {
            Dim::Any => Dim::Any,
            Dim::Only(list) => Dim::Only(list.filter(|user| self.org.user(*user).division == here)),
        }
    }

    fn members(&self, groups: &Set<GroupIx>) -> Set<UserIx> {
        groups.iter().flat_map(|group| self.org.group(*group).members.iter().copied()).collect()
    }

    /// Queues here that have members and only members of the groups. An empty queue is in no group.
    fn closed_queues(&self, members: &Set<UserIx>, here: DivisionIx) -> Set<QueueIx> {
        self.org.division(here).queues.filter(|ix| {
            let queue = self.org.queue(*ix);
            !queue.restricted
                && self.counts(queue.state)
                && !queue.members.is_empty()
                && queue.members.is_subset(members)
        })
    }

    fn counts(&self, state: QueueState) -> bool {
        state == QueueState::Active || self.operation.archived
    }
}

/// `role-conflict = "refuse"`: two roles conflict when both hold analytics permissions, whatever their divisions. What
/// lists divisions shows no analytics, though a permission to view reports opens it too. A token that names one of the two
/// takes no conflict away: the directory's roles count.
fn refuse_conflicting_roles(org: &Org, rules: &Rules, holder: Principal, operation: &Operation) -> Result<(), Refusal> {
    let analytics = std::iter::once(&operation.opened_by)
        .chain(&operation.also)
        .any(|permissions| !permissions.is_disjoint(&rules.analytics))
        && !matches!(operation.contract.data, Data::Division | Data::Metadata);
    if rules.policy.role_conflict != RoleConflict::Refuse || !analytics {
        return Ok(());
    }
    let held: BTreeSet<&str> = org
        .assignments(holder)
        .iter()
        .map(|assignment| org.role(assignment.role))
        .filter(|role| role.permissions.iter().any(|permission| permission.gives(&rules.analytics)))
        .map(|role| &*role.id)
        .collect();
    if held.len() < 2 {
        return Ok(());
    }
    let names: Vec<_> = held.iter().map(|role| format!("`{role}`")).collect();
    Err(Refusal::new(
        Code::RoleConflict,
        format!("your roles {} conflict: one of them must be taken away by the administrator", names.join(" and ")),
    )
    .with("roles", held.into_iter().collect::<Vec<_>>().join(",")))
}
