//! What one query of this upstream cannot say of the scope: left out with a notice, chosen, or refused with the reason.

use super::{Asking, Counted, fields};
use crate::{
    model::{
        body::{Access, ObjectOrd},
        contract::Data,
        entitlement::Entitlement,
        operation::Strength,
        refusal::{Code, Notice, Refusal},
        set::Set,
    },
    policy::extent::{Asked, Extent, covered_divisions, covers_own_people, covers_whole},
    query::{body::Body, json::Value},
};
use std::collections::BTreeSet;

/// Asked by agent, the upstream gives no metric that has none, and says nothing. We take it out and say so; false
/// when nothing is left to ask for.
pub(super) fn leave_out_metrics(asking: &Asking<'_>, body: &mut Body, notices: &mut Vec<Notice>) -> bool {
    let Some(rule) = &asking.operation.metrics else {
        return true;
    };
    let lacking = fields::metrics_without_user(asking, body);
    let Some(Value::Array(asked)) = body.get(&rule.at).cloned() else {
        return true;
    };
    if lacking.is_empty() {
        return true;
    }
    let kept: Vec<Value> = asked
        .into_iter()
        .filter(|metric| !metric.as_str().is_some_and(|name| lacking.iter().any(|l| **l == *name)))
        .collect();
    let names: Vec<String> = lacking.iter().map(|name| format!("`{name}`")).collect();
    notices.push(Notice::new(
        "metric.left-out",
        format!("{} has no agent and is left out of a question by agent", names.join(", ")),
    ));
    let any = !kept.is_empty();
    body.set(&rule.at, Value::Array(kept));
    any
}

/// Leaves out what only a user predicate could say, where that predicate would remove a metric or be too long.
pub(super) fn settle_user_parts(
    asking: &Asking<'_>,
    body: &Body,
    counted: &Counted,
    notices: &mut Vec<Notice>,
) -> Result<Extent, Refusal> {
    let extent = counted.extent.clone();
    let lacking = fields::metrics_without_user(asking, body).into_iter().next();
    if asking.operation.contract.data != Data::Interaction || !extent.needs_users() {
        return Ok(extent);
    }
    let carries_user =
        asking.operation.sites.iter().any(|site| {
            site.strength == Strength::Exact && site.carry.iter().any(|(access, _)| *access == Access::User)
        });
    if let Some(metric) = lacking {
        let part = extent.without_users();
        if part.is_empty() {
            return Err(Refusal::new(
                Code::MetricUnscopable,
                format!("metric `{metric}` has no agent, and your rights are bound to agents; ask without it"),
            )
            .with("metric", &*metric));
        }
        notices.push(Notice::new(
            "scope.agent-parts",
            format!("metric `{metric}` has no agent: legs that only an agent makes yours, such as those without a queue, are left out"),
        ));
        return Ok(part);
    }
    if !carries_user {
        let part = extent.without_users();
        if part.is_empty() {
            return Err(Refusal::new(
                Code::OperationUnscopable,
                "your rights are bound to agents, and this operation cannot be narrowed by agent",
            ));
        }
        notices
            .push(Notice::new("scope.agent-parts", "rights that are bound to agents do not count for this operation"));
        return Ok(part);
    }
    if extent.lone.len() > asking.operation.contract.max_values {
        let part = Extent { lone: Set::new(), ..extent };
        if part.is_empty() {
            return Err(Refusal::new(
                Code::QueryTooWide,
                format!("your scope has more than {} agents and no queue", asking.operation.contract.max_values),
            ));
        }
        notices.push(Notice::new(
            "scope.agent-parts",
            "legs without a queue are left out: your divisions have too many agents to name",
        ));
        return Ok(part);
    }
    Ok(extent)
}

/// Flows, cases and teams are seen by who sees all of the division that owns them. Rights that are bound to queues or
/// people do not count there, and it is said so.
pub(super) fn settle_bound_rights(
    asking: &Asking<'_>,
    counted: &Counted,
    notices: &mut Vec<Notice>,
) -> Result<(), Refusal> {
    let what = match asking.operation.contract.data {
        Data::Flow => "flows",
        Data::Case => "cases",
        Data::Team => "teams",
        Data::Interaction | Data::Queue | Data::User | Data::Division | Data::Metadata => return Ok(()),
    };
    let whole = |one: &Entitlement| match asking.operation.contract.data {
        Data::Team => {
            let mut leaves = covered_divisions(asking.org, one).into_iter();
            leaves.any(|division| covers_own_people(asking.org, one, division))
        }
        _ => covers_whole(one),
    };
    let bound = counted.entitlements.iter().filter(|one| !whole(one)).count();
    if bound == counted.entitlements.len() {
        let message = format!(
            "{what} are shown to those who see a whole division, and your rights are bound to queues or people"
        );
        return Err(Refusal::new(Code::OperationUnscopable, message));
    }
    if asking.operation.contract.data == Data::Team {
        let text = "people are counted in the teams of divisions that you see whole, and nowhere else";
        notices.push(Notice::new("scope.teams", text));
    } else if bound > 0 {
        let text = format!("rights of yours that are bound to queues or people show no {what} and do not count");
        notices.push(Notice::new("scope.bound", text));
    }
    Ok(())
}

/// Fills the one compulsory division slot, or refuses when the scope has several and the asker named none.
pub(super) fn choose_division(
    asking: &Asking<'_>,
    at: &[Box<str>],
    asked: Option<&str>,
    extent: &Extent,
    body: &mut Body,
    notices: &mut Vec<Notice>,
) -> Result<Extent, Refusal> {
    let org = asking.org;
    let held = extent.leg_divisions(org);
    let chosen = match asked.and_then(|id| org.index.divisions.get(id).copied()) {
        Some(division) => division,
        None => match held.as_slice() {
            [only] => *only,
            several => {
                let mut names: Vec<_> = several.iter().map(|division| org.division(*division).id.to_string()).collect();
                names.sort();
                return Err(Refusal::new(
                    Code::DivisionChoose,
                    format!("name one `divisionId`; you may ask for {}", names.join(", ")),
                )
                .with("divisions", names.join(",")));
            }
        },
    };
    body.set(at, Value::Text(org.division(chosen).id.clone()));
    let part = extent.restrict(org, &Asked { divisions: Some(Set::one(chosen)), ..Asked::default() });
    if asking.moved(&part) {
        notices.push(Notice::new(
            "division.moved",
            "a queue or agent of this division moved here: rows from before the move carry the old division and are missing",
        ));
    }
    Ok(part)
}

/// More values of one dimension in one filter than the upstream takes.
pub(super) fn refuse_too_wide(body: &Body, limit: usize) -> Result<(), Refusal> {
    for filter in body.filters.iter().flat_map(|slot| &slot.filters) {
        let owners = [ObjectOrd::Flow, ObjectOrd::Team].map(Access::Object);
        for wanted in [Access::Queue, Access::User, Access::Division].into_iter().chain(owners) {
            let named: BTreeSet<&str> = filter
                .atoms()
                .into_iter()
                .filter_map(|atom| atom.values())
                .filter(|(access, _)| *access == wanted)
                .flat_map(|(_, values)| values.iter().map(|value| &**value))
                .collect();
            let needed = named.len();
            if needed > limit {
                return Err(Refusal::new(
                    Code::QueryTooWide,
                    format!("this needs {needed} values and the upstream takes {limit} in one query; name at most {limit} yourself"),
                )
                .with("needed", needed.to_string())
                .with("limit", limit.to_string()));
            }
        }
    }
    Ok(())
}
