//! Where masks are lifted. Trusted base.
//!
//! A mask is lifted for the legs that the lifting permission itself covers. In filters, sorts and groupings a masked
//! field speaks of every visible leg, so there it is open only to those whose whole scope is covered.

use crate::model::{
    body::Dimension,
    contract::Contract,
    entitlement::{Entitlement, Lift, Scope},
    org::Org,
    set::Dim,
};

/// Whether a mask keeps this asker from filtering, sorting or grouping by a field.
pub fn hides(org: &Org, scope: &Scope, contract: &Contract, field: &str, kind: Dimension) -> bool {
    match contract.masks.get(field) {
        Some(class) => !scope.lifts.iter().any(|lift| lift.class == *class && covers_all(org, scope, lift)),
        None => kind == Dimension::Masked,
    }
}

fn covers_all(org: &Org, scope: &Scope, lift: &Lift) -> bool {
    let mut whole = scope.entitlements.iter().filter(|entitlement| entitlement.conversations.is_any()).peekable();
    whole.peek().is_some()
        && whole.all(|entitlement| lift.entitlements.iter().any(|lifting| is_within(org, entitlement, lifting)))
}

/// As written: `Any` does not cover a restricted queue that a list names.
fn is_within(org: &Org, part: &Entitlement, whole: &Entitlement) -> bool {
    let divisions = match (&part.divisions, &part.queues) {
        (Dim::Any, Dim::Only(queues)) => queues.iter().all(|ix| whole.divisions.covers(&org.queue(*ix).division)),
        _ => part.divisions.is_within(&whole.divisions),
    };
    let restricted = |queue| whole.queues.is_any() && org.queue(queue).restricted;
    let queues = part.queues.is_within(&whole.queues)
        && !matches!(&part.queues, Dim::Only(queues) if queues.iter().any(|ix| restricted(*ix)));
    divisions && queues && part.users.is_within(&whole.users)
}
