//! Exports: the lists of ids by which a file is narrowed, and the list of the asker's own.

use super::{Asking, Narrowed, Outcome, fields, list};
use crate::{
    model::{
        body::{Access, Proof},
        export::{IdLists, OwnExports},
        org::{QueueIx, UserIx},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Notice, Refusal},
        set::Set,
    },
    policy::{
        extent::{Asked, Extent},
        guard::{GuardPlan, PageInfo},
        judge::Judge,
        local, time,
    },
    query::{
        body::{self, Body, malformed, spell},
        json::Value,
    },
};

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    match &asking.operation.own {
        Some(own) => listed(asking, own),
        None => submit(asking),
    }
}

/// Everybody's exports are asked for, for the upstream knows only the credential of this proxy; the guard keeps the
/// asker's own.
fn listed(asking: &Asking<'_>, own: &OwnExports) -> Result<Outcome, Refusal> {
    let extent = asking.whole_extent();
    let mut judge = asking.judge(&extent);
    super::params::listed(asking, &mut judge)?;
    let number = |param: &str, default| usize::try_from(list::int(asking, param, default)?).map_err(|_| page_of(param));
    let page = PageInfo { number: number(&own.number, 1)?, size: number(&own.size, own.default_size)?, total: 0 };
    if page.number == 0 || page.size == 0 {
        return Err(page_of(&own.size));
    }
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
    }
    if asking.question.own_exports().is_empty() {
        return Ok(Outcome::Local(local::empty_page(asking.operation, page, Vec::new())));
    }
    let query = vec![(own.number.clone(), "1".to_owned()), (own.size.clone(), own.at_once.to_string())];
    let outgoing = Outgoing { method: asking.operation.contract.method, path: asking.path(), query, body: None };
    let plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, extent, asking.now)
        .with_page(page, Vec::new());
    let residual = Residual { keys: true, ..Residual::default() };
    Ok(Outcome::Send(Box::new(Narrowed { outgoing, residual, plan, notices: Vec::new() })))
}

fn page_of(param: &str) -> Refusal {
    Refusal::new(Code::QueryMalformed, format!("page numbers and sizes start at 1: correct `{param}`"))
}

fn submit(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    let operation = asking.operation;
    let (Some(model), Some(raw)) = (operation.body(), &asking.question.body) else {
        return Err(Refusal::new(Code::QueryMalformed, "this operation needs a JSON body"));
    };
    let Proof::Lists(lists) = &model.proof else {
        return Err(
            Refusal::new(Code::Internal, "this export has no way to be narrowed").because("a body without lists")
        );
    };
    let mut body = body::read(model, raw, &|field, kind| asking.hides(field, kind))?;
    fields::refuse_when(asking, &body, model)?;
    let interval = match &operation.contract.time {
        Some(rule) => Some(time::read(rule, &mut body, asking.now)?),
        None => None,
    };
    let whole = asking.whole_extent();
    let mut judge = asking.judge(&whole);
    let asked = judged(asking, &body, lists, &mut judge)?;
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Err(nothing());
    }
    let by_agent = body
        .get(&lists.view)
        .and_then(Value::as_str)
        .is_some_and(|view| lists.by_agent.iter().any(|one| **one == *view));
    if asked.users.is_some() && !by_agent {
        return Err(malformed(
            &lists.users,
            "is not read by this view, which does not tell agents apart; leave it out",
        ));
    }
    if body.get(&lists.no_empty).and_then(Value::as_bool) == Some(false) {
        let why = "must be true: rows without any interaction would name who is not in your scope";
        return Err(malformed(&lists.no_empty, why));
    }
    let mut notices = judge.notices();
    let mut counted = asking.count(interval, false)?;
    notices.append(&mut counted.notices);
    let named = asked.queues.is_some();
    let mut extent = counted.extent.restrict(asking.org, &Asked { users: None, ..asked.clone() });
    if !extent.lone.is_empty() && !named {
        let text = "a file is narrowed by queue: what has no queue is left out of it";
        notices.push(Notice::new("scope.agent-parts", text));
    }
    if !by_agent && !extent.boxes.is_empty() {
        extent = extent.without_users();
        if extent.is_empty() {
            return Err(Refusal::new(
                Code::OperationUnscopable,
                "your rights are bound to agents, and this view tells none apart; ask for a view by agent",
            ));
        }
        let text = "rights that are bound to agents do not count for this view";
        notices.push(Notice::new("scope.agent-parts", text));
    }
    let (queues, users) = rectangle(asking, &extent, asked.users.as_ref())?;
    write(asking, &mut body, lists, &queues, users.as_ref())?;
    let outgoing = Outgoing {
        method: operation.contract.method,
        path: asking.path(),
        query: Vec::new(),
        body: Some(body.write(model).into()),
    };
    let plan = GuardPlan::new(operation, &asking.world.org, asking.scope, extent, asking.now);
    let residual = Residual { keys: true, ..Residual::default() };
    Ok(Outcome::Send(Box::new(Narrowed { outgoing, residual, plan, notices })))
}

/// What the asker's own lists name, each id judged.
fn judged(asking: &Asking<'_>, body: &Body, lists: &IdLists, judge: &mut Judge<'_>) -> Result<Asked, Refusal> {
    let index = &asking.org.index;
    let queues = kept(body, &lists.queues, Access::Queue, judge)?;
    let users = kept(body, &lists.users, Access::User, judge)?;
    let divisions = match &lists.divisions {
        Some(at) => kept(body, at, Access::Division, judge)?,
        None => None,
    };
    let known = |ids: Vec<Box<str>>| ids.iter().filter_map(|id| index.queues.get(id).copied()).collect();
    Ok(Asked {
        queues: queues.map(known),
        users: users.map(|ids| ids.iter().filter_map(|id| index.users.get(id).copied()).collect()),
        divisions: divisions.map(|ids| ids.iter().filter_map(|id| index.divisions.get(id).copied()).collect()),
        ..Asked::default()
    })
}

/// The ids of one list that stay; `None` where the asker sent none.
fn kept(body: &Body, at: &[Box<str>], access: Access, judge: &mut Judge<'_>) -> Result<Option<Vec<Box<str>>>, Refusal> {
    let Some(Value::Array(items)) = body.get(at) else { return Ok(None) };
    let ids: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    judge.ids(access, &ids).map(Some)
}

/// Lists of queues and of agents say a rectangle: every agent of the one on every queue of the other. What is visible of
/// the question has to be one.
fn rectangle(
    asking: &Asking<'_>,
    extent: &Extent,
    asked: Option<&Set<UserIx>>,
) -> Result<(Set<QueueIx>, Option<Set<UserIx>>), Refusal> {
    let mut sides: Vec<(Option<Set<UserIx>>, Vec<QueueIx>)> = Vec::new();
    for queue in extent.queues().iter().copied() {
        let side = match (agents(extent, queue), asked) {
            (None, asked) => asked.cloned(),
            (Some(agents), None) => Some(agents),
            (Some(agents), Some(asked)) => Some(agents.intersection(asked)),
        };
        if side.as_ref().is_some_and(Set::is_empty) {
            continue;
        }
        match sides.iter_mut().find(|(known, _)| *known == side) {
            Some((_, queues)) => queues.push(queue),
            None => sides.push((side, vec![queue])),
        }
    }
    if sides.len() > 1 {
        let parts = sides.iter().map(|(_, queues)| shown(asking, queues)).collect::<Vec<_>>().join(" and ");
        let message = format!(
            "of these queues you may see the work of different agents, and one file cannot say that; ask apart for {parts}"
        );
        return Err(Refusal::new(Code::QueryTooComplex, message));
    }
    let (users, queues) = sides.pop().ok_or_else(nothing)?;
    Ok((queues.into_iter().collect(), users))
}

/// The agents whose work on a queue is visible; `None`: everybody's.
fn agents(extent: &Extent, queue: QueueIx) -> Option<Set<UserIx>> {
    if extent.all.contains(&queue) {
        return None;
    }
    let boxes = extent.boxes.iter().filter(|(queues, _)| queues.contains(&queue));
    Some(boxes.flat_map(|(_, users)| users.iter().copied()).collect())
}

/// Queues of the asker's own scope, by their ids.
fn shown(asking: &Asking<'_>, queues: &[QueueIx]) -> String {
    const MOST: usize = 5;
    let ids: Vec<_> = queues.iter().take(MOST).map(|queue| format!("`{}`", asking.org.queue(*queue).id)).collect();
    let more = queues.len().saturating_sub(MOST);
    if more > 0 { format!("{} and {more} more", ids.join(", ")) } else { ids.join(", ") }
}

fn write(
    asking: &Asking<'_>,
    body: &mut Body,
    lists: &IdLists,
    queues: &Set<QueueIx>,
    users: Option<&Set<UserIx>>,
) -> Result<(), Refusal> {
    let org = asking.org;
    body.set(&lists.no_empty, Value::Bool(true));
    let mut put = |at: &[Box<str>], mut ids: Vec<&str>| {
        let most = asking.operation.contract.max_values;
        if ids.len() > most {
            let message =
                format!("`{}` would need {} ids and takes {most}; ask for fewer at a time", spell(at), ids.len());
            return Err(Refusal::new(Code::QueryTooWide, message).with("limit", most.to_string()));
        }
        ids.sort_unstable();
        body.set(at, Value::array(ids.into_iter().map(Value::text)));
        Ok(())
    };
    put(&lists.queues, queues.iter().map(|queue| &*org.queue(*queue).id).collect())?;
    if let Some(users) = users {
        put(&lists.users, users.iter().map(|user| &*org.user(*user).id).collect())?;
    }
    // resolved into queues: tags of whole conversations would say something else
    if let Some((last, above)) = lists.divisions.as_ref().and_then(|at| at.split_last())
        && let Some(holder) = body.value.at_mut(above)
    {
        holder.remove(last);
    }
    Ok(())
}

fn nothing() -> Refusal {
    Refusal::new(Code::ScopeEmpty, "nothing that you may see is left of this export; name other queues or agents")
}
