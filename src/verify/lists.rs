//! Lists of ids in the place of filters: every leg that fits all of them is inside the scope.

use super::{Step, Unproved, body::Found, json::Json, scope::Scope, written};
use crate::model::{
    body::{BodyModel, Path},
    contract::{Contract, Data},
    export::IdLists,
};

/// Each queue that is named is shown whole, or to every user that is named beside, where the view reads these.
pub(super) fn prove(
    contract: &Contract,
    model: &BodyModel,
    lists: &IdLists,
    body: &Json<'_>,
    found: &[Found<'_>],
    scope: &Scope<'_>,
) -> Result<Vec<Step>, Unproved> {
    if (model.data, contract.data) != (Data::Interaction, Data::Interaction) || !found.is_empty() {
        return Err(Unproved::at("body", "lists of ids prove what is asked of legs, where no filter stands beside"));
    }
    if scope.live.is_empty() {
        return Err(Unproved::at("scope", "no entitlement counts for the asked time"));
    }
    let (at, index) = (written(&lists.queues), &scope.org.index);
    let queues = ids(body, &lists.queues)?.ok_or_else(|| Unproved::at(&at, "is missing: every queue would count"))?;
    let users = ids(body, &lists.users)?;
    let view = body.at(&lists.view).and_then(Json::text).unwrap_or_default();
    if users.is_some() && !lists.by_agent.iter().any(|known| **known == *view) {
        return Err(Unproved::at(written(&lists.users), "this view does not tell agents apart"));
    }
    if !matches!(body.at(&lists.no_empty), Some(Json::Bool(true))) {
        return Err(Unproved::at(written(&lists.no_empty), "rows without any leg would name who is not visible"));
    }
    for id in &queues {
        let queue = *index.queues.get(*id).ok_or_else(|| Unproved::at(&at, "no queue of this organisation"))?;
        if scope.shows_queue(queue) {
            continue;
        }
        let users = users.as_ref().ok_or_else(|| Unproved::at(&at, "a queue that is not shown for every agent"))?;
        let covered = |id: &&str| index.users.get(*id).is_some_and(|user| scope.covers_pair(queue, *user));
        if !users.iter().all(covered) {
            return Err(Unproved::at(&at, "a queue that is not shown for every agent of the list"));
        }
    }
    let clause = format!("queue in {} values, each shown for whoever is asked for", queues.len());
    Ok(vec![Step { clause, by: at }])
}

/// The ids of a list; one that is empty would mean everybody.
fn ids<'j>(body: &'j Json<'_>, path: &Path) -> Result<Option<Vec<&'j str>>, Unproved> {
    let wrong = || Unproved::at(written(path), "no list of ids, or an empty one");
    let Some(value) = body.at(path) else { return Ok(None) };
    let Json::Array(items) = value else { return Err(wrong()) };
    let ids: Option<Vec<&str>> = items.iter().map(Json::text).collect();
    ids.filter(|ids| !ids.is_empty()).map(Some).ok_or_else(wrong)
}
