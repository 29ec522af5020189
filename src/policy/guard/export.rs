//! Exports: the answer to a new one, and the list of the asker's own among everybody's.

use super::{GuardPlan, Guarded, PageInfo, fields, job, unreadable};
use crate::{
    model::{
        answer::{Keep, TotalTreatment},
        export::OwnExports,
        refusal::{Code, Notice, Refusal},
    },
    query::json::{self, Limits, Value},
};
use std::collections::BTreeSet;

/// A new export: its id, and what is listed of how it will be made. There is no file yet, so no link passes.
pub(super) fn submitted(keep: &Keep, status: u16, body: &[u8]) -> Result<Guarded, Refusal> {
    if !matches!(status, 200..=202) {
        return Err(unreadable(format!("status {status} is no answer to an export")));
    }
    let limits = Limits::answer(1024 * 1024);
    let answer =
        json::parse_object(body, &limits).map_err(|error| unreadable(format!("not the JSON of an answer: {error}")))?;
    let id: Box<str> = answer
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| job::is_id(id))
        .ok_or_else(|| unreadable("`id` is not the id of an export".to_owned()))?
        .into();
    let body = fields::keep_listed(keep, &fields::Links::none(), answer).to_bytes();
    Ok(Guarded { job: Some(id), ..Guarded::plain(200, body, Vec::new()) })
}

/// The page that was asked for of the asker's own exports. Everybody's stand in the answer, for one credential asks for
/// all: what is somebody else's is dropped quietly.
pub(super) fn own(plan: &GuardPlan, mut answer: Value) -> Result<Guarded, Refusal> {
    let (Some(rule), Some(page)) = (&plan.operation.own, plan.page) else {
        return Err(unreadable("a list of nobody's exports".to_owned()));
    };
    let path = &plan.operation.answer.rows;
    let rows = match answer.at_mut(path) {
        None => Vec::new(),
        Some(Value::Array(rows)) => std::mem::take(rows),
        Some(_) => return Err(unreadable("the exports are no list".to_owned())),
    };
    let read = rows.len();
    let (mut seen, mut withheld) = (BTreeSet::new(), 0_usize);
    let mine: Vec<Value> =
        rows.into_iter().filter_map(|row| bound(plan, rule, row, &mut seen, &mut withheld)).collect();
    // behind what was read may stand more of his own
    let counts = plan.operation.answer.totals.iter().filter(|total| total.treatment == TotalTreatment::Visible);
    let claimed = counts.filter_map(|total| answer.at(&total.at)?.as_i64()).max();
    let whole =
        i64::try_from(read).is_ok_and(|read| read < rule.at_once && claimed.is_none_or(|claimed| claimed <= read));
    if !whole && seen.len() < plan.own.len() {
        return Err(Refusal::new(
            Code::QueryTooWide,
            "the upstream holds more exports than are read at once, so yours cannot be listed completely; ask the \
             administrator of the proxy",
        )
        .because(format!("{} of {} own exports among the first {read}", seen.len(), plan.own.len())));
    }
    let total = mine.len();
    let shown: Vec<Value> = mine.into_iter().skip(page.skip()).take(page.take()).collect();
    let rows_out = shown.len() as u64;
    answer.set_at(path, Value::array(shown));
    settle(plan, rule, PageInfo { total, ..page }, &mut answer);
    let notices = if withheld > 0 {
        let text =
            format!("{withheld} of your exports come without their file: your rights have changed since, ask anew");
        vec![Notice::new("export.withheld", text)]
    } else {
        Vec::new()
    };
    let body = fields::keep(&plan.operation.answer.keep, answer).to_bytes();
    Ok(Guarded { rows_in: read as u64, rows_out, ..Guarded::plain(200, body, notices) })
}

/// A row of the asker's own, once; its link where the file is inside his scope.
fn bound(
    plan: &GuardPlan,
    rule: &OwnExports,
    mut row: Value,
    seen: &mut BTreeSet<Box<str>>,
    withheld: &mut usize,
) -> Option<Value> {
    let id: Box<str> = row.get(&rule.id)?.as_str()?.into();
    if !plan.own.is_own(&id) || !seen.insert(id.clone()) {
        return None;
    }
    let is_link = |link: &Value| link.as_str().is_some_and(|link| link.starts_with("https://"));
    match row.get(&rule.link) {
        Some(link) if plan.own.is_open(&id) && is_link(link) => {}
        Some(Value::Null) | None => {}
        Some(_) => {
            *withheld += usize::from(!plan.own.is_open(&id));
            row.remove(&rule.link);
        }
    }
    Some(row)
}

/// Counts speak of the asker's own exports, or are taken out.
fn settle(plan: &GuardPlan, rule: &OwnExports, page: PageInfo, answer: &mut Value) {
    let mut put = |at: &[Box<str>], number: Option<usize>| match number.map(i64::try_from) {
        Some(Ok(number)) if answer.at(at).is_some() => {
            answer.set_at(at, Value::int(number));
        }
        _ => fields::remove(answer, at),
    };
    for total in &plan.operation.answer.totals {
        match total.treatment {
            TotalTreatment::Visible => put(&total.at, Some(page.total)),
            TotalTreatment::Pages => put(&total.at, Some(page.pages())),
            TotalTreatment::Remove => put(&total.at, None),
        }
    }
    put(std::slice::from_ref(&rule.number), Some(page.number));
    put(std::slice::from_ref(&rule.size), Some(page.size));
}
