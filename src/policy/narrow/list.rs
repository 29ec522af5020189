//! Lists: a page is cut from the visible ids of the snapshot and fetched by id, so that each visible entry is
//! reached once and totals speak of visible entries only.

use super::{Asking, Narrowed, Outcome, scan};
use crate::{
    model::{
        body::Access,
        contract::ParamKind,
        operation::Page,
        org::{DivisionIx, QueueState},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Refusal},
        set::Set,
    },
    policy::{
        extent::Extent,
        guard::{GuardPlan, PageInfo},
        judge::Judge,
        local,
    },
};

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    if let Some(scan) = &asking.operation.scan {
        return scan::first(asking, scan);
    }
    let Some(page) = &asking.operation.page else {
        return Err(Refusal::new(Code::Internal, "this list has no way to be paged").because("rule without page"));
    };
    let Some(proof) = &asking.operation.contract.ids else {
        return Err(Refusal::new(Code::Internal, "this list has no way to be narrowed").because("rule without ids"));
    };
    let extent = asking.whole_extent();
    let mut judge = asking.judge(&extent);
    let wanted = named(asking, &proof.param, proof.access, &mut judge)?;
    if wanted.is_none() && page.paged.is_none() {
        let message =
            format!("say which, by the parameter `{}`: this operation gives those that are named", proof.param);
        return Err(Refusal::new(Code::QueryMalformed, message));
    }
    let divisions = match &page.division {
        Some(param) => named(asking, param, Access::Division, &mut judge)?,
        None => None,
    };
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Ok(Outcome::Local(local::empty_page(asking.operation, page_info(asking, page, 0)?, judge.notices())));
    }
    let counted = asking.count(None, false)?;
    let mut rows = visible(asking, page.access, &counted.extent, divisions.as_deref());
    if let Some(wanted) = &wanted {
        rows.retain(|(_, id)| wanted.contains(id));
    }
    if let Some(pattern) = page.name.as_ref().and_then(|name| value(asking, name)) {
        rows.retain(|(name, _)| matches_name(pattern, name));
    }
    rows.sort();
    if page
        .order
        .as_ref()
        .and_then(|order| value(asking, order))
        .is_some_and(|order| order.eq_ignore_ascii_case("desc"))
    {
        rows.reverse();
    }
    let info = page_info(asking, page, rows.len())?;
    let ids: Vec<String> = rows.into_iter().skip(info.skip()).take(info.take()).map(|(_, id)| id.to_string()).collect();
    let mut notices = judge.notices();
    notices.extend(counted.notices);
    if ids.is_empty() {
        return Ok(Outcome::Local(local::empty_page(asking.operation, info, notices)));
    }
    let mut query: Vec<(Box<str>, String)> = vec![(proof.param.clone(), ids.join(","))];
    if let Some(paged) = &page.paged {
        query.extend([(paged.size.clone(), ids.len().to_string()), (paged.number.clone(), "1".to_owned())]);
    }
    // The page was cut in this order, and the upstream answers it in one of its own.
    query.extend(page.order.iter().filter_map(|order| Some((order.clone(), value(asking, order)?.to_owned()))));
    query.extend(passed_on(asking, page, &proof.param));
    let outgoing = Outgoing { method: asking.operation.contract.method, path: asking.path(), query, body: None };
    let plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, counted.extent, asking.now)
        .with_page(info, ids);
    Ok(Outcome::Send(Box::new(Narrowed {
        outgoing,
        residual: Residual { legs: false, keys: true, windows: false, links: Vec::new() },
        plan,
        notices,
    })))
}

/// The ids that the asker listed in a parameter, judged; `None` when he sent none.
fn named(
    asking: &Asking<'_>,
    param: &str,
    access: Access,
    judge: &mut Judge<'_>,
) -> Result<Option<Vec<Box<str>>>, Refusal> {
    let mut found = None;
    for (_, values) in asking.question.params.iter().filter(|(name, _)| **name == *param) {
        for value in values {
            let kept = judge.id(access, value)?;
            let list: &mut Vec<Box<str>> = found.get_or_insert_default();
            if kept {
                list.push(value.as_str().into());
            }
        }
    }
    Ok(found)
}

/// Name and id of every entry that is visible and alive.
fn visible(
    asking: &Asking<'_>,
    access: Access,
    extent: &Extent,
    divisions: Option<&[Box<str>]>,
) -> Vec<(Box<str>, Box<str>)> {
    let org = asking.org;
    let wanted: Option<Set<DivisionIx>> =
        divisions.map(|ids| ids.iter().filter_map(|id| org.index.divisions.get(id).copied()).collect());
    let here = |division: DivisionIx| wanted.as_ref().is_none_or(|wanted| wanted.contains(&division));
    match access {
        Access::Queue => extent
            .queues()
            .iter()
            .map(|ix| org.queue(*ix))
            .filter(|queue| queue.state == QueueState::Active && here(queue.division))
            .map(|queue| (queue.name.clone(), queue.id.clone()))
            .collect(),
        Access::User => extent
            .lone
            .iter()
            .map(|ix| org.user(*ix))
            .filter(|user| user.active && here(user.division))
            .map(|user| (user.name.clone(), user.id.clone()))
            .collect(),
        Access::Division => extent
            .divisions
            .iter()
            .filter(|ix| here(**ix))
            .map(|ix| org.division(*ix))
            .map(|division| (division.name.clone(), division.id.clone()))
            .collect(),
        Access::Group => {
            let known = org.index.groups.values().filter(|ix| extent.shows_group(org, **ix)).map(|ix| org.group(*ix));
            known.map(|group| (group.name.clone(), group.id.clone())).collect()
        }
        Access::Region
        | Access::Conversation
        | Access::Object(_)
        | Access::Attribute
        | Access::Job
        | Access::Unowned => Vec::new(),
    }
}

/// The id of everybody or of every group that is visible, whether at work or not.
pub(super) fn all(asking: &Asking<'_>, access: Access, extent: &Extent) -> Vec<Box<str>> {
    match access {
        Access::User => extent.lone.iter().map(|ix| asking.org.user(*ix).id.clone()).collect(),
        _ => visible(asking, access, extent, None).into_iter().map(|(_, id)| id).collect(),
    }
}

fn page_info(asking: &Asking<'_>, page: &Page, total: usize) -> Result<PageInfo, Refusal> {
    let Some(paged) = &page.paged else { return Ok(PageInfo { number: 1, size: total.max(1), total }) };
    let number = int(asking, &paged.number, 1)?;
    let size = int(asking, &paged.size, paged.default_size)?;
    let (Ok(number), Ok(size)) = (usize::try_from(number), usize::try_from(size)) else {
        return Err(Refusal::new(Code::QueryMalformed, "page number and size must be positive"));
    };
    if number == 0 || size == 0 {
        return Err(Refusal::new(Code::QueryMalformed, "page number and size start at 1"));
    }
    Ok(PageInfo { number, size, total })
}

pub(super) fn int(asking: &Asking<'_>, param: &str, default: i64) -> Result<i64, Refusal> {
    match value(asking, param) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::new(Code::QueryMalformed, format!("parameter `{param}` must be a whole number"))),
    }
}

pub(super) fn value<'a>(asking: &Asking<'a>, param: &str) -> Option<&'a str> {
    asking
        .question
        .params
        .iter()
        .find(|(name, _)| **name == *param)
        .and_then(|(_, values)| values.first())
        .map(String::as_str)
}

/// Parameters that only say how an entry is shown.
fn passed_on(asking: &Asking<'_>, page: &Page, ids: &str) -> Vec<(Box<str>, String)> {
    let own = [
        Some(ids),
        page.paged.as_ref().map(|paged| &*paged.number),
        page.paged.as_ref().map(|paged| &*paged.size),
        page.name.as_deref(),
        page.order.as_deref(),
        page.division.as_deref(),
    ];
    asking
        .operation
        .contract
        .params
        .iter()
        .filter(|param| !own.contains(&Some(&*param.name)) && !matches!(param.kind, ParamKind::Ids { .. }))
        .filter_map(|param| value(asking, &param.name).map(|text| (param.name.clone(), text.to_owned())))
        .collect()
}

/// The upstream's own name search: whole, with `*` at either end, without case. Decides nothing about access.
fn matches_name(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let open_start = pattern.starts_with('*');
    let open_end = pattern.len() > 1 && pattern.ends_with('*');
    let core = pattern.trim_matches('*');
    match (open_start, open_end) {
        (true, true) => name.contains(core),
        (true, false) => name.ends_with(core),
        (false, true) => name.starts_with(core),
        (false, false) => name == core,
    }
}
