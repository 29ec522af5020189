//! Whether one leg is visible: the law itself, entitlement by entitlement.

use super::GuardPlan;
use crate::model::{
    entitlement::{Action, Entitlement},
    org::{DivisionIx, Org, QueueIx, QueueState, UserIx},
    set::Dim,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// One leg as an answer shows it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Leg<'a> {
    pub conversation: Option<&'a str>,
    pub queue: Option<&'a str>,
    pub user: Option<&'a str>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

/// An id of the answer, looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known<T> {
    None,
    Is(T),
    /// Stands there, and the directory does not know it.
    Stranger,
}

impl Leg<'_> {
    /// Parts without queue and agent belong to nobody and follow the interaction.
    pub(super) fn is_unowned(&self) -> bool {
        self.queue.is_none() && self.user.is_none()
    }
}

/// A leg that is visible.
#[derive(Debug)]
pub(super) struct Seen<'p> {
    pub division: DivisionIx,
    /// Mask classes that are lifted for it.
    pub lifted: BTreeSet<&'p str>,
}

/// Looks at one leg; `None` when it is not visible.
pub(super) fn look<'p>(plan: &'p GuardPlan, leg: &Leg<'_>) -> Option<Seen<'p>> {
    let org = &plan.org;
    let queue = known(leg.queue, |id| org.index.queues.get(id).copied());
    let user = known(leg.user, |id| org.index.users.get(id).copied());
    let division = place(org, queue, user)?;
    let covered = |entitlements: &[Entitlement]| {
        entitlements.iter().any(|one| covers(plan, (one, plan.scope.action), leg, queue, user, division))
    };
    covered(&plan.scope.entitlements).then(|| Seen {
        division,
        lifted: plan.scope.lifts.iter().filter(|lift| covered(&lift.entitlements)).map(|lift| &*lift.class).collect(),
    })
}

/// Whether a second action may be done with one leg.
pub(super) fn opens(plan: &GuardPlan, action: Action, entitlements: &[Entitlement], leg: &Leg<'_>) -> bool {
    let org = &plan.org;
    let queue = known(leg.queue, |id| org.index.queues.get(id).copied());
    let user = known(leg.user, |id| org.index.users.get(id).copied());
    place(org, queue, user)
        .is_some_and(|division| entitlements.iter().any(|one| covers(plan, (one, action), leg, queue, user, division)))
}

/// The division of a leg; `None` where nobody knows it.
fn place(org: &Org, queue: Known<QueueIx>, user: Known<UserIx>) -> Option<DivisionIx> {
    match (queue, user) {
        (Known::Is(queue), _) => Some(org.queue(queue).division),
        (Known::None, Known::Is(user)) => Some(org.user(user).division),
        _ => None,
    }
}

fn known<T>(id: Option<&str>, find: impl Fn(&str) -> Option<T>) -> Known<T> {
    match id {
        None => Known::None,
        Some(id) => find(id).map_or(Known::Stranger, Known::Is),
    }
}

fn covers(
    plan: &GuardPlan,
    (entitlement, wanted): (&Entitlement, Action),
    leg: &Leg<'_>,
    queue: Known<QueueIx>,
    user: Known<UserIx>,
    division: DivisionIx,
) -> bool {
    let org = &plan.org;
    let held = org.division(division);
    held.leaf
        && held.region == entitlement.region
        && entitlement.holder == plan.scope.holder
        && entitlement.valid.acts_at(plan.decided_at)
        && entitlement.actions.iter().any(|action| action.includes(wanted))
        && entitlement.divisions.covers(&division)
        && covers_conversation(entitlement, leg.conversation)
        && match queue {
            Known::None => entitlement.queues.is_any(),
            Known::Is(queue) => covers_queue(plan, org, entitlement, queue),
            Known::Stranger => false,
        }
        && match (&entitlement.users, user) {
            // outside any queue it is the agent who places the leg; placed in another region than his own, nowhere
            (Dim::Any, Known::Is(user)) => queue != Known::None || org.user(user).region == entitlement.region,
            (Dim::Any, _) => true,
            (Dim::Only(users), Known::Is(user)) => users.contains(&user) && org.user(user).region == entitlement.region,
            (Dim::Only(_), Known::None | Known::Stranger) => false,
        }
        && entitlement.data.is_none_or(|window| match (leg.start, leg.end) {
            (Some(start), Some(end)) => window.contains(start, end),
            _ => false,
        })
}

fn covers_conversation(entitlement: &Entitlement, conversation: Option<&str>) -> bool {
    match (&entitlement.conversations, conversation) {
        (Dim::Any, _) => true,
        (Dim::Only(ids), Some(id)) => ids.iter().any(|known| **known == *id),
        (Dim::Only(_), None) => false,
    }
}

fn covers_queue(plan: &GuardPlan, org: &Org, entitlement: &Entitlement, queue: QueueIx) -> bool {
    let held = org.queue(queue);
    org.open_to(queue, entitlement.holder)
        && match &entitlement.queues {
            Dim::Any => !held.restricted,
            Dim::Only(list) => list.contains(&queue) && (held.state == QueueState::Active || plan.operation.archived),
        }
}
