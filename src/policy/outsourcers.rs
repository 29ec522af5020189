//! Internal workforce reports speak of the organisation's own people: outsourcers are kept out of the scope, of the
//! rows and of the totals. What cannot be told apart is refused, never counted.
//!
//! The part that takes away from a scope is trusted base; nothing here adds to one.

use super::conjoin;
use crate::{
    model::{
        body::Access,
        contract::Data,
        entitlement::Entitlement,
        operation::{Operation, Outsourcers, Rules},
        org::{DivisionIx, Org, QueueIx, UserIx},
        refusal::{Code, Notice, Refusal},
        set::{Dim, Set},
    },
    query::{
        body::Body,
        filter::{Filter, Join, Term},
    },
};

/// At most so many names stand in one sentence.
const SHOWN: usize = 5;

/// Why these rules cannot govern this organisation: reports that leave outsourcers out by division, and leaves in
/// which they sit beside own people. Empty: they fit.
pub fn misfits(rules: &Rules, org: &Org) -> Vec<String> {
    let mixed: Vec<DivisionIx> = org.division_ixs().filter(|ix| people(org, *ix) == People::Both).collect();
    let by_division = |operation: &&std::sync::Arc<Operation>| operation.outsourcers == Outsourcers::ByDivision;
    let told = |operation: &std::sync::Arc<Operation>| {
        let names = some(mixed.iter().map(|ix| &*org.division(*ix).id));
        format!(
            "rule `{}` leaves outsourcers out by division, and they share {names} with own people; give them leaf divisions of their own",
            operation.id
        )
    };
    if mixed.is_empty() { Vec::new() } else { rules.operations.iter().filter(by_division).map(told).collect() }
}

/// Takes outsourcers out of what an internal report may show.
pub(super) fn leave_out(org: &Org, operation: &Operation, entitlements: &mut [Entitlement]) {
    match operation.outsourcers {
        Outsourcers::Count => {}
        Outsourcers::ByDivision => {
            for entitlement in entitlements {
                entitlement.divisions = Dim::Only(own_divisions(org, entitlement));
            }
        }
        // Legs are told apart on the answer, one without an agent is nobody's work; queues not at all.
        Outsourcers::ByRow if !matches!(operation.contract.data, Data::User | Data::Team) => {}
        Outsourcers::ByRow => {
            for entitlement in entitlements {
                let own = |user: &UserIx| !org.user(*user).bpo;
                let users = match &entitlement.users {
                    Dim::Only(list) => list.filter(own),
                    Dim::Any => {
                        let here = entitlement.leaves(org);
                        here.iter()
                            .flat_map(|ix| org.division(*ix).users.iter().copied())
                            .filter(|ix| own(ix))
                            .collect()
                    }
                };
                entitlement.users = Dim::Only(users);
            }
        }
    }
}

/// Whether a row of the answer is an outsourcer's, and is left out of this report.
pub(super) fn leaves_out(org: &Org, operation: &Operation, user: &str) -> bool {
    operation.outsourcers == Outsourcers::ByRow && org.index.users.get(user).is_some_and(|user| org.user(*user).bpo)
}

/// Refuses totals in which outsourcers would count, and says otherwise that they do not.
pub(super) fn refuse_mixed_totals(
    org: &Org,
    operation: &Operation,
    grouped: &[Access],
    body: &Body,
) -> Result<Option<Notice>, Refusal> {
    let filters = || body.filters.iter().flat_map(|slot| &slot.filters);
    match (operation.outsourcers, operation.contract.data) {
        (Outsourcers::Count, _) => return Ok(None),
        (Outsourcers::ByDivision | Outsourcers::ByRow, Data::Queue) => {
            let asked: Set<QueueIx> = filters().flat_map(|filter| queues(org, filter)).collect();
            let mixed = asked.filter(|queue| org.queue(*queue).members.iter().any(|user| org.user(*user).bpo));
            if !mixed.is_empty() {
                let names = some(mixed.iter().map(|queue| &*org.queue(*queue).id));
                return Err(Refusal::new(
                    Code::BpoMixedTotals,
                    format!("outsourcers work in {names}, and its totals cannot be told apart; name other queues in the filter"),
                )
                .with("queues", mixed.iter().map(|queue| &*org.queue(*queue).id).collect::<Vec<_>>().join(",")));
            }
        }
        (Outsourcers::ByRow, Data::Interaction) => {
            let apart = grouped.contains(&Access::User) || filters().any(|filter| is_bound_to_own_people(org, filter));
            if !apart && org.users.iter().any(|user| user.bpo) {
                return Err(Refusal::new(
                    Code::BpoMixedTotals,
                    "this report leaves outsourcers out, and such totals would count them; group by the agent, or name agents in the filter",
                ));
            }
        }
        _ => {}
    }
    Ok(Some(Notice::new("bpo.left-out", "people of outsourcers are left out of this report")))
}

/// Who sits in a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum People {
    Own,
    Outsourcers,
    Both,
}

fn people(org: &Org, division: DivisionIx) -> People {
    let users = &org.division(division).users;
    let outsourcers = users.iter().filter(|user| org.user(**user).bpo).count();
    match outsourcers {
        0 => People::Own,
        all if all == users.len() => People::Outsourcers,
        _ => People::Both,
    }
}

/// A mixed leaf keeps these rules from being loaded; should one be met all the same, it is closed.
fn own_divisions(org: &Org, entitlement: &Entitlement) -> Set<DivisionIx> {
    entitlement.leaves(org).filter(|ix| people(org, *ix) == People::Own)
}

/// Every queue that a filter names, wherever it does.
fn queues(org: &Org, filter: &Filter) -> Vec<QueueIx> {
    let named = filter.atoms().into_iter().filter_map(|atom| match &atom.term {
        Term::In(Access::Queue, values) => Some(values),
        _ => None,
    });
    named.flatten().filter_map(|id| org.index.queues.get(id).copied()).collect()
}

/// Whether whatever satisfies the filter was done by one of these own people.
fn is_bound_to_own_people(org: &Org, filter: &Filter) -> bool {
    let own = |id: &str| org.index.users.get(id).is_some_and(|user| !org.user(*user).bpo);
    let binds = |item: &Filter| {
        conjoin::pure_access(item) == Some(Access::User)
            && item
                .atoms()
                .into_iter()
                .filter_map(|atom| atom.values())
                .all(|(_, values)| values.iter().all(|id| own(id)))
    };
    match filter {
        Filter::Group(Join::And, items) => items.iter().any(binds),
        other => binds(other),
    }
}

fn some<'o>(names: impl ExactSizeIterator<Item = &'o str>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<_> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", shown.join(", "))
}
