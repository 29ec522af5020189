//! What is read of an interaction without its legs: it was looked at, and every leg that the part speaks of is inside the scope.

use super::{Certificate, Step, Unproved, Verified, request, scope::Scope};
use crate::model::{
    answer::Shape,
    body::Access,
    contract::{Contract, Data, Effect, Method, ParamKind},
    entitlement,
    org::Org,
    outgoing::{Outgoing, Residual},
    part::Sighting,
};
use jiff::Timestamp;

/// As [`check`](super::check), for a part of the interaction that was `seen`.
pub fn check_part(
    contract: &Contract,
    outgoing: Outgoing,
    residual: Residual,
    seen: &Sighting,
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<Verified, Unproved> {
    let fits = contract.part
        && contract.effect == Effect::Reads
        && contract.job.is_none()
        && contract.body.is_none()
        && contract.ids.is_none();
    if !fits || (contract.method, contract.data, contract.shape) != (Method::Get, Data::Interaction, Shape::Plain) {
        return Err(Unproved::at("contract", "is not one of a part of an interaction"));
    }
    if contract.params.iter().any(|param| matches!(param.kind, ParamKind::Ids { .. } | ParamKind::Cursor)) {
        return Err(Unproved::at("contract", "ids or places in parameters of an answer that nobody judges"));
    }
    let scope = Scope::of(contract, given, org, now)?;
    request::hold_query(&scope, contract, &outgoing)?;
    if outgoing.body.is_some() {
        return Err(Unproved::at("body", "a part of an interaction is asked for without one"));
    }
    let ids = request::hold_path(&scope, contract, &outgoing)?;
    match ids.split_first() {
        Some(((Access::Conversation, id), rest)) if **id == *seen.interaction => {
            let named = |wanted: &str| rest.iter().any(|(_, id)| **id == *wanted);
            if rest.iter().any(|(access, _)| *access != Access::Unowned) || !seen.named.iter().all(|id| named(id)) {
                return Err(Unproved::at("path", "names another part than the one that was looked at"));
            }
        }
        _ => return Err(Unproved::at("path", "does not name the interaction that was looked at")),
    }
    if seen.legs.is_empty() {
        return Err(Unproved::at("legs", "nothing of the interaction is anybody's"));
    }
    if let Some(at) = seen.legs.iter().position(|leg| !scope.shows_leg(&given.entitlements, &seen.interaction, leg)) {
        return Err(Unproved::at(format!("legs, number {}", at + 1), "is outside the scope"));
    }
    drop(ids);
    let mut steps = vec![Step { clause: format!("{} legs of the scope", seen.legs.len()), by: "path".into() }];
    steps.extend(links(&scope, contract, &residual, std::slice::from_ref(seen), given)?);
    Ok(Verified { outgoing, residual, certificate: Certificate { steps } })
}

/// Every leg that was seen is inside the scope for each action whose links would pass.
pub(super) fn links(
    scope: &Scope<'_>,
    contract: &Contract,
    residual: &Residual,
    seen: &[Sighting],
    given: &entitlement::Scope,
) -> Result<Vec<Step>, Unproved> {
    let mut steps = Vec::new();
    for action in &residual.links {
        let doing = scope.doing(*action);
        let opening = given.openings.iter().find(|opening| opening.action == *action);
        let open = opening.filter(|_| contract.links.contains(action) && !seen.is_empty()).is_some_and(|opening| {
            let shown = |seen: &Sighting| {
                !seen.legs.is_empty()
                    && seen.legs.iter().all(|leg| doing.shows_leg(&opening.entitlements, &seen.interaction, leg))
            };
            seen.iter().all(shown)
        });
        if !open {
            return Err(Unproved::at("residual", "links would pass that lead to something outside the scope"));
        }
        let legs: usize = seen.iter().map(|seen| seen.legs.len()).sum();
        let clause = format!("{legs} legs for {}", action.as_str());
        steps.push(Step { clause, by: "answer: links".into() });
    }
    Ok(steps)
}
