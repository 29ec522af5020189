//! Reads by id: nothing in the bytes narrows them. The guard decides by the legs of what comes back.

use super::{Asking, Narrowed, Outcome, params};
use crate::{
    model::{
        answer::Shape,
        body::Access,
        contract::{ParamKind, Segment},
        entitlement::Entitlement,
        outgoing::{Outgoing, Residual},
        refusal::{Code, Echo, Refusal},
    },
    policy::{extent::Extent, guard::GuardPlan},
};

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    let extent = asking.whole_extent();
    let mut judge = asking.judge(&extent);
    for segment in &asking.operation.contract.template.segments {
        let Segment::Param { name, access } = segment else {
            continue;
        };
        let Some((_, id)) = asking.question.ids.iter().find(|(known, _)| known == name) else {
            continue;
        };
        if *access == Access::Unowned && !is_plain(id) {
            return Err(Refusal::outside(format!("`{}` is no id", Echo(id))).in_path());
        }
        // Kinds that the directory holds completely are decided here; all others always go upstream.
        if !matches!(access, Access::Conversation | Access::Unowned) {
            // one object cannot be narrowed to a part of itself
            if !judge.id(*access, id).map_err(Refusal::in_path)? {
                return Err(Refusal::outside("the one thing that is named is left out").in_path());
            }
        }
    }
    let query = params::listed(asking, &mut judge)?;
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Ok(asking.empty(None, judge.notices()));
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
    // Only legs carry a time by which the guard can judge a data window; those of a part were seen.
    let part = asking.operation.part.is_some();
    let shows_legs = part || matches!(asking.operation.answer.shape, Shape::Conversation | Shape::Conversations);
    let counted = asking.count_of(&showing(asking)?, None, shows_legs)?;
    let mut notices = judge.notices();
    notices.extend(counted.notices);
    let outgoing = Outgoing { method: asking.operation.contract.method, path: asking.path(), query, body: None };
    let mut plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, counted.extent, asking.now)
        .with_window(counted.windows);
    if part && let Some((_, id)) = asking.question.interaction() {
        plan = plan.with_interaction(id);
    }
    let mut links = Vec::new();
    if let Some(seen @ [_]) = asking.question.seen.as_deref().filter(|_| part) {
        plan = plan.with_sightings(seen, asking.media());
        links = plan.links().to_vec();
    }
    if let Some((_, id)) = ids_of(asking).next() {
        plan = plan.with_ids([id.to_owned()]);
    } else if !named.is_empty() {
        plan = plan.with_ids(named);
    }
    Ok(Outcome::Send(Box::new(Narrowed {
        outgoing,
        residual: Residual { legs: true, keys: true, windows: counted.windows, links },
        plan,
        notices,
    })))
}

/// The entitlements that show the one object of the path; all of them where only the answer tells.
fn showing(asking: &Asking<'_>) -> Result<Vec<Entitlement>, Refusal> {
    let owner = ids_of(asking).find(|(access, _)| *access != Access::Unowned);
    let Some((access, id)) = owner else { return Ok(asking.scope.entitlements.clone()) };
    let index = &asking.org.index;
    let holds = |extent: &Extent| match access {
        Access::Queue => index.queues.get(id).is_some_and(|queue| extent.all.contains(queue)),
        Access::User => index.users.get(id).is_some_and(|user| extent.lone.contains(user)),
        Access::Division => index.divisions.get(id).is_some_and(|division| extent.divisions.contains(division)),
        Access::Group => index.groups.get(id).is_some_and(|group| extent.shows_group(asking.org, *group)),
        Access::Region
        | Access::Conversation
        | Access::Object(_)
        | Access::Attribute
        | Access::Job
        | Access::Unowned => true,
    };
    let (windowed, plain): (Vec<_>, Vec<_>) =
        asking.scope.entitlements.iter().cloned().partition(|one| one.data.is_some());
    if holds(&asking.extent_of(&plain)) {
        return Ok(plain);
    }
    // these do not count where nothing has a time, and say so
    let windowed: Vec<_> =
        windowed.into_iter().filter(|one| holds(&asking.extent_of(std::slice::from_ref(one)))).collect();
    if windowed.is_empty() { Err(Refusal::outside("no right shows what is named").in_path()) } else { Ok(windowed) }
}

/// The ids of the path with their kinds, the last one first.
fn ids_of<'a>(asking: &Asking<'a>) -> impl Iterator<Item = (Access, &'a str)> + use<'a> {
    let ids = &asking.question.ids;
    asking.operation.contract.template.segments.iter().rev().filter_map(|segment| match segment {
        Segment::Param { name, access } => {
            ids.iter().find(|(known, _)| known == name).map(|(_, id)| (*access, id.as_str()))
        }
        Segment::Literal(_) => None,
    })
}

/// What an id of something that is nobody's may be spelt with: less than a path can say.
pub(super) fn is_plain(id: &str) -> bool {
    id.len() <= 128
        && id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'~'))
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
