//! What grants give: entitlements for a time, with nobody's role behind them.

use crate::model::{
    contract::Data,
    entitlement::{Entitlement, Scope, Source, Validity},
    operation::{Class, Operation},
    org::{DivisionIx, Grant, GrantResource, Org, Principal, QueueState, RegionIx, UserIx},
    set::{Dim, Set},
};
use jiff::Timestamp;

/// Grants open an operation by themselves. Returns whether one does now.
pub(super) fn add(org: &Org, operation: &Operation, user: UserIx, now: Timestamp, scope: &mut Scope) -> bool {
    let mut any = false;
    for slot in org.index.grants.get(&user).into_iter().flatten() {
        let Some(grant) = org.grants.get(*slot as usize) else {
            continue;
        };
        let valid = Validity { from: Some(grant.from), until: Some(grant.until) };
        if let Some(next) = valid.next_change(now) {
            scope.good_until = Some(scope.good_until.map_or(next, |known| known.min(next)));
        }
        // what is changed has no data time, so no window could hold it
        if operation.class == Class::Write && grant.data.is_some() {
            continue;
        }
        if !valid.acts_at(now) || !grant.actions.iter().any(|action| action.includes(operation.contract.action)) {
            continue;
        }
        for resource in &grant.resources {
            let granted = of_resource(org, operation, grant, resource, valid, scope.region);
            any |= granted.is_some();
            scope.entitlements.extend(granted);
        }
    }
    any
}

fn of_resource(
    org: &Org,
    operation: &Operation,
    grant: &Grant,
    resource: &GrantResource,
    valid: Validity,
    region: RegionIx,
) -> Option<Entitlement> {
    let data = operation.contract.data;
    let mut entitlement = Entitlement {
        holder: Principal::User(grant.beneficiary),
        region,
        divisions: Dim::Any,
        queues: Dim::Any,
        users: Dim::Any,
        conversations: Dim::Any,
        data: grant.data,
        actions: grant.actions.clone(),
        valid,
        source: Source::Grant { id: grant.id.clone() },
    };
    let in_region = |division: DivisionIx| org.division(division).region == region;
    match resource {
        GrantResource::Queue(queue) if data == Data::Interaction || data == Data::Queue => {
            let held = org.queue(*queue);
            if held.region != region || !(held.state == QueueState::Active || operation.archived) {
                return None;
            }
            entitlement.queues = Dim::Only(Set::one(*queue));
        }
        GrantResource::Division(division) => {
            if !in_region(*division) || !org.division(*division).leaf {
                return None;
            }
            entitlement.divisions = Dim::Only(Set::one(*division));
        }
        GrantResource::User(user) if matches!(data, Data::Interaction | Data::User | Data::Team) => {
            if org.user(*user).region != region {
                return None;
            }
            entitlement.users = Dim::Only(Set::one(*user));
        }
        GrantResource::Group(group) if matches!(data, Data::Interaction | Data::User | Data::Team) => {
            entitlement.users = Dim::Only(org.group(*group).members.filter(|user| org.user(*user).region == region));
        }
        GrantResource::Conversation(id) if data == Data::Interaction => {
            entitlement.conversations = Dim::Only(Set::one(id.clone()));
        }
        GrantResource::Conversations { conversations, .. } if data == Data::Interaction => {
            entitlement.conversations = Dim::Only(conversations.iter().cloned().collect());
        }
        _ => return None,
    }
    Some(entitlement)
}
