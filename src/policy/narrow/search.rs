//! Searches by criteria: the visible people, or groups, are named by their ids in one more criterion, and what is found of
//! them is read to its end, so that totals and pages are ours. What has no criterion on its id is found as it is, and judged row
//! by row.

use super::{Asking, Narrowed, Outcome, fields, list, params, scan};
use crate::{
    model::{
        body::{Access, BodyModel, FieldKind, Proof},
        operation::{Scan, Site, Walk},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Notice, Refusal},
    },
    policy::{
        extent::Extent,
        guard::{Cut, GuardPlan, PageInfo, Place},
        local,
    },
    query::{
        body::{self, Body},
        dialect,
        filter::{Filter, Term},
        json::Value,
        linked,
    },
};
use std::collections::BTreeSet;

pub(super) fn page(asking: &Asking<'_>, scan: &Scan, place: &Place) -> Result<Outcome, Refusal> {
    let operation = asking.operation;
    let fault = || Refusal::new(Code::Internal, "this search cannot be narrowed").because("a search without its rule");
    let (Some(model), Some(walk)) = (operation.body(), &scan.walk) else { return Err(fault()) };
    let (at, site) = match (&model.proof, operation.sites.as_slice()) {
        (Proof::Rows { at }, []) => (at, None),
        (_, [site]) => (&site.at, Some(site)),
        _ => return Err(fault()),
    };
    let Some(raw) = &asking.question.body else {
        return Err(Refusal::new(Code::QueryMalformed, "this operation needs a JSON body"));
    };
    let mut body = body::read(model, raw, &|field, kind| asking.hides(field, kind))?;
    fields::refuse_when(asking, &body, model)?;
    fields::sort(asking, &body, asking.org.is_bpo(asking.scope.holder))?;
    let whole = asking.whole_extent();
    let mut judge = asking.judge(&whole);
    let asked = body.slot(at).and_then(|slot| slot.filters.first().cloned());
    let judged = asked.map_or(Ok(Some(Filter::and(Vec::new()))), |filter| judge.filter(filter))?;
    // refuses what the operation does not list; a search lists none
    params::listed(asking, &mut judge)?;
    let cut = cut(&body, walk)?;
    let nothing = PageInfo { number: cut.number, size: cut.size, total: 0 };
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Ok(Outcome::Local(local::empty_page(operation, nothing, judge.notices())));
    }
    let looks = operation.look.is_some();
    if looks && !judged.as_ref().is_none_or(names_somebody) {
        let message = "say of whom: a search that looks at interactions names an agent or an interaction";
        return Err(Refusal::new(Code::QueryMalformed, message));
    }
    let counted = if looks { scan::of_legs(asking)? } else { asking.count(None, false)? };
    let mut notices = judge.notices();
    notices.extend(counted.notices);
    notices.extend(looks.then(scan::left_out));
    let named = match (judged, site) {
        (Some(judged), Some(site)) => name_visible(asking, (model, site), &judged, &counted.extent, scan.most)?,
        // its fields are nobody's, and every row is judged
        (Some(judged), None) => Some(judged),
        (None, _) => None,
    };
    let Some(filter) = named else {
        return Ok(Outcome::Local(local::empty_page(operation, nothing, notices)));
    };
    body.put_filters(at, false, vec![filter]);
    put_in_order(model, &mut body);
    let next = next(asking, raw, walk, &cut);
    let number = match place {
        Place::Page(number) => *number,
        Place::Named(_) => return Err(fault()),
    };
    for (field, number) in [(&walk.at, number), (&walk.size, walk.step)] {
        body.set(std::slice::from_ref(field), Value::int(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    let outgoing = Outgoing {
        method: operation.contract.method,
        path: asking.path(),
        query: Vec::new(),
        body: Some(body.write(model).into()),
    };
    let plan = GuardPlan::new(operation, &asking.world.org, asking.scope, counted.extent, asking.now)
        .with_cut(Cut { next, ..cut });
    let residual = Residual { keys: true, legs: looks, ..Residual::default() };
    Ok(Outcome::Send(Box::new(Narrowed { outgoing, residual, plan, notices })))
}

fn names_somebody(asked: &Filter) -> bool {
    asked.atoms().iter().any(|atom| matches!(atom.term, Term::In(Access::User | Access::Conversation, _)))
}

/// What was asked, of visible ids alone: those that the asker named, or all. `None`: of nobody.
fn name_visible(
    asking: &Asking<'_>,
    (model, site): (&BodyModel, &Site),
    asked: &Filter,
    extent: &Extent,
    most: usize,
) -> Result<Option<Filter>, Refusal> {
    let Some((access, field)) = site.carry.first() else {
        return Err(
            Refusal::new(Code::Internal, "this search cannot be narrowed").because("a site that carries nothing")
        );
    };
    let items = match asked {
        Filter::Group(_, items) => items.as_slice(),
        one @ Filter::Atom(_) => std::slice::from_ref(one),
    };
    let mut ids: BTreeSet<Box<str>> = list::all(asking, *access, extent).into_iter().collect();
    let mut others = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Filter::Atom(atom) => match &atom.term {
                Term::In(of, values) if of == access => ids.retain(|id| values.contains(id)),
                Term::In(Access::Division, values) => {
                    ids.retain(|id| {
                        division_of(asking, *access, id).is_none_or(|of| values.iter().any(|value| **value == *of))
                    });
                    others.push(item.clone());
                }
                _ => others.push(item.clone()),
            },
            Filter::Group(..) => others.push(item.clone()),
        }
    }
    if ids.is_empty() {
        return Ok(None);
    }
    if ids.len() > most {
        let (needed, limit) = (ids.len(), most);
        let message = format!(
            "you may see {needed} of those that this searches, and one search names at most {limit}; name fewer by a criterion on `{field}`"
        );
        let refusal = Refusal::new(Code::QueryTooWide, message);
        return Err(refusal.with("needed", needed.to_string()).with("limit", limit.to_string()));
    }
    others.push(dialect::one_of(model.dialect, *access, field, ids.into_iter().collect()));
    Ok(Some(Filter::and(others).canonical()))
}

/// Where a person is placed; a group is in no division.
fn division_of<'a>(asking: &Asking<'a>, access: Access, id: &str) -> Option<&'a str> {
    let org = asking.org;
    let user = org.index.users.get(id).filter(|_| access == Access::User)?;
    Some(&org.division(org.user(*user).division).id)
}

/// Those that are found come in the order of their names, or of when they were, unless another was asked for: how well somebody fits is a number
/// that counts everybody, and the pages of an order of nobody's could miss one.
fn put_in_order(model: &BodyModel, body: &mut Body) {
    let by = [Box::from("sortBy")];
    let words = model.field(&by).and_then(FieldKind::words).unwrap_or_default();
    let order = ["name", "conversationDate"].into_iter().find(|known| words.iter().any(|word| **word == **known));
    if let Some(order) = order
        && body.get(&by).is_none()
        && body.get(&["sort".into()]).is_none()
    {
        body.set(&by, Value::text(order));
    }
}

/// Which of those that are found are asked for.
fn cut(body: &Body, walk: &Walk) -> Result<Cut, Refusal> {
    let number = |field: &str, default: usize| match body.get(&[field.into()]) {
        None => Ok(default),
        Some(value) => {
            let number = value.as_i64().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
            number.ok_or_else(|| Refusal::new(Code::QueryMalformed, "page number and size start at 1"))
        }
    };
    let (number, size) = (number(&walk.at, 1)?, number(&walk.size, walk.default_size)?);
    Ok(Cut { number, size, skip: number.saturating_sub(1).saturating_mul(size), next: Ok(None) })
}

/// A longer link is one that servers on the way refuse; how many pages there are stands beside it.
const LINK: usize = 4_096;

/// Where the next page of the asker's is found: his own question in a link, if there is an operation that reads it.
fn next(asking: &Asking<'_>, raw: &Value, walk: &Walk, cut: &Cut) -> Result<Option<String>, Notice> {
    let Some(link) = asking.operation.linked.as_deref() else { return Ok(None) };
    let mut asked = raw.clone();
    for (field, number) in [(&walk.at, cut.number.saturating_add(1)), (&walk.size, cut.size)] {
        asked.set(field, Value::int(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    let link = linked::write(link, &asked);
    if link.len() <= LINK {
        return Ok(Some(link));
    }
    let text = format!(
        "the link to the next page would be longer than {LINK} letters and is left out; post the same search with `{}` {}",
        walk.at,
        cut.number.saturating_add(1)
    );
    Err(Notice::new("page.no-link", text))
}
