//! Another region, for who audits metadata: the one exception to its wall, by a permission that the organisation itself marks.
//! It shows that something is there and no more, so it opens no operation but those made for it.

use crate::{
    model::{
        entitlement::{Entitlement, Scope, Source, Validity},
        operation::Operation,
        org::{PermissionScope, Principal, RegionIx},
        refusal::Refusal,
        set::{Dim, Set},
        world::Held,
    },
    policy::judge::cross_region,
};

/// What an auditor sees of `region`: its leaves, by the queues that are open to him. No grant, no group's, no service's.
pub fn derive_abroad(held: Held<'_>, operation: &Operation, region: RegionIx) -> Result<Scope, Refusal> {
    let Held { org, holder, .. } = held;
    let home = org.region_of(holder);
    let human = matches!(holder, Principal::User(user) if org.user(user).active) && !org.is_bpo(holder);
    let made_for_it = operation.contract.abroad && region != home;
    let rights = held.assignments().filter(|_| human && made_for_it).filter(|assignment| {
        let division = org.division(assignment.division);
        division.region == home && division.leaf
    });
    let entitlements: Vec<Entitlement> = rights
        .flat_map(|assignment| {
            let crossing = org.role(assignment.role).permissions.iter().filter(|permission| {
                permission.cross_region
                    && permission.scope == PermissionScope::All
                    && permission.gives(&operation.opened_by)
            });
            crossing.map(move |permission| Entitlement {
                holder,
                region,
                divisions: Dim::Any,
                queues: Dim::Any,
                users: Dim::Any,
                conversations: Dim::Any,
                data: None,
                actions: vec![operation.contract.action],
                valid: Validity::ALWAYS,
                source: Source::Role {
                    role: assignment.role,
                    division: assignment.division,
                    permission: permission.name.clone(),
                    via: assignment.via,
                },
            })
        })
        .collect();
    if entitlements.is_empty() {
        return Err(cross_region(format!("no permission of an audit crosses to `{}`", org.region(region).id)));
    }
    Ok(Scope {
        holder,
        region,
        action: operation.contract.action,
        entitlements,
        inert: Set::new(),
        lifts: Vec::new(),
        openings: Vec::new(),
        good_until: None,
    })
}
