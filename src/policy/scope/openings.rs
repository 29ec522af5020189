//! What stands beside a scope: where masks are lifted, and what the answer's links may be followed to.

use super::{covers_something, from_roles, grants, settle};
use crate::model::{
    contract::Contract,
    entitlement::{Action, Lift, Opening, Scope},
    operation::{Operation, Rules},
    org::Principal,
    set::Set,
    world::Held,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A permission that lifts a mask lifts it where it would open the operation, by its own scope word and division.
/// Grants lift nothing.
pub(super) fn lifts(held: Held<'_>, rules: &Rules, operation: &Operation) -> Vec<Lift> {
    let mut lifts = Vec::new();
    for (class, lifting) in &rules.masks {
        let mut entitlements = from_roles(held, operation, lifting, &BTreeSet::new()).entitlements;
        entitlements.retain(covers_something);
        if !entitlements.is_empty() {
            lifts.push(Lift { class: class.clone(), entitlements });
        }
    }
    lifts
}

/// What the answer's links lead to, by action: the permissions of that action, by their own scope word and division, and
/// grants of it. No export leaves with an outsourcer.
pub(super) fn openings(held: Held<'_>, rules: &Rules, operation: &Operation, now: Timestamp) -> Vec<Opening> {
    let Held { org, holder, .. } = held;
    let actions = operation.contract.links.iter().copied();
    let allowed = actions.filter(|action| *action != Action::Export || !org.is_bpo(holder));
    let opening = |action: Action| {
        let contract = Contract { action, ..Contract::clone(&operation.contract) };
        let doing = Operation { contract: contract.into(), ..operation.clone() };
        let none = BTreeSet::new();
        let permissions = rules.actions.get(&action).unwrap_or(&none);
        let mut own = Scope {
            holder,
            region: org.region_of(holder),
            action,
            entitlements: from_roles(held, &doing, permissions, &none).entitlements,
            inert: Set::new(),
            lifts: Vec::new(),
            openings: Vec::new(),
            good_until: None,
        };
        if let Principal::User(user) = holder {
            grants::add(org, &doing, user, now, &mut own);
        }
        settle(org, &doing, &mut own.entitlements);
        Opening { action, entitlements: own.entitlements }
    };
    allowed.map(opening).filter(|opening| !opening.entitlements.is_empty()).collect()
}
