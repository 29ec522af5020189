//! Reads by id: nothing in the bytes narrows them. The guard decides by the legs of what comes back.

use super::{Asking, Narrowed, Outcome, params};
use crate::{
    model::{
        answer::Shape,
        body::Access,
        contract::{ParamKind, Segment},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Refusal},
    },
    policy::guard::GuardPlan,
};

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    let extent = asking.whole_extent();
    let mut judge = asking.judge(&extent);
    for segment in &asking.operation.contract.template.segments {
        let Segment::Param { name, access } = segment else {
            continue;
        };
        // Kinds that the directory holds completely are decided here; all others always go upstream.
        if *access != Access::Conversation
            && let Some((_, id)) = asking.question.ids.iter().find(|(known, _)| known == name)
        {
            // one object cannot be narrowed to a part of itself
            if !judge.id(*access, id).map_err(Refusal::in_path)? {
                return Err(Refusal::outside("the one thing that is named is left out").in_path());
            }
        }
    }
    let query = params::listed(asking, &mut judge)?;
    if asking.scope.entitlements.is_empty() {
        return asking.nothing_visible(None, &judge);
    }
    let Some(query) = query else {
        return Ok(asking.empty(None, judge.notices()));
    };
    let named = interactions(asking);
    if asking.operation.answer.shape == Shape::Conversations && named.is_empty() {
        return Err(Refusal::new(
            Code::QueryMalformed,
            "say which interactions: this operation reads them by their ids",
        ));
    }
    // Only legs carry a time by which the guard can judge a data window.
    let shows_legs = matches!(asking.operation.answer.shape, Shape::Conversation | Shape::Conversations);
    let counted = asking.count(None, shows_legs)?;
    let mut notices = judge.notices();
    notices.extend(counted.notices);
    let outgoing = Outgoing { method: asking.operation.contract.method, path: asking.path(), query, body: None };
    let mut plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, counted.extent, asking.now);
    if let Some((_, id)) = asking.question.ids.last() {
        plan = plan.with_ids([id.clone()]);
    } else if !named.is_empty() {
        plan = plan.with_ids(named);
    }
    Ok(Outcome::Send(Box::new(Narrowed {
        outgoing,
        residual: Residual { legs: true, keys: true, windows: counted.windows },
        plan,
        notices,
    })))
}

/// The interactions that parameters list.
fn interactions(asking: &Asking<'_>) -> Vec<String> {
    let lists = |name: &str| {
        let kinds =
            asking.operation.contract.params.iter().filter(|param| *param.name == *name).map(|param| &param.kind);
        kinds.into_iter().any(|kind| matches!(kind, ParamKind::Ids { access: Access::Conversation, .. }))
    };
    let named = asking.question.params.iter().filter(|(name, _)| lists(name));
    named.flat_map(|(_, values)| values.iter().cloned()).collect()
}
