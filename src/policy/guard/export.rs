//! Exports: the answer to a new one, and the list of the asker's own among everybody's.

use super::{GuardPlan, Guarded, PageInfo, Unguarded, fields, is_answer, job, unreadable};
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

/// The page that was asked for of the asker's own exports. Nobody knows yet which of their files he may fetch.
#[derive(Debug)]
pub struct Exports {
    answer: Value,
    rows: Vec<Value>,
    /// Of the rows, in their order.
    ids: Vec<Box<str>>,
    page: PageInfo,
    read: usize,
}

impl Exports {
    /// Those of the page that name a file: there are no more of them than the page has rows.
    pub fn with_files(&self, plan: &GuardPlan) -> Vec<Box<str>> {
        let Some(rule) = &plan.operation.own else { return Vec::new() };
        let named = self.ids.iter().zip(&self.rows).filter(|(_, row)| row.get(&rule.link).is_some_and(is_link));
        named.map(|(id, _)| id.clone()).collect()
    }
}

fn is_link(link: &Value) -> bool {
    link.as_str().is_some_and(|link| link.starts_with("https://"))
}

impl GuardPlan {
    /// The page that was asked for of the asker's own exports, out of everybody's.
    pub fn export_page(&self, unguarded: &Unguarded) -> Result<Exports, Refusal> {
        is_answer(unguarded.status)?;
        let limits = Limits::answer(self.operation.answer.max_bytes);
        let answer = json::parse_object(&unguarded.body, &limits)
            .map_err(|error| unreadable(format!("not the JSON of a list: {error}")))?;
        page(self, answer)
    }

    /// The page as it is shown: links to those files alone that are open to the asker.
    pub fn exports(&self, page: Exports) -> Guarded {
        let Exports { mut answer, mut rows, ids, page, read } = page;
        let Some(rule) = &self.operation.own else { return Guarded::plain(200, b"{}".to_vec(), Vec::new()) };
        let mut withheld = 0_usize;
        for (id, row) in ids.iter().zip(&mut rows) {
            match row.get(&rule.link) {
                Some(Value::Null) | None => {}
                Some(link) if self.own.is_open(id) && is_link(link) => {}
                Some(_) => {
                    withheld += usize::from(!self.own.is_open(id));
                    row.remove(&rule.link);
                }
            }
        }
        let rows_out = rows.len() as u64;
        answer.set_at(&self.operation.answer.rows, Value::array(rows));
        settle(self, rule, page, &mut answer);
        let notices = if withheld > 0 {
            let text = format!(
                "{withheld} of the exports on this page come without their file: your rights have changed since, ask anew"
            );
            vec![Notice::new("export.withheld", text)]
        } else {
            Vec::new()
        };
        let body = fields::keep(&self.operation.answer.keep, answer).to_bytes();
        Guarded { rows_in: read as u64, rows_out, ..Guarded::plain(200, body, notices) }
    }
}

/// Everybody's stand in the answer, for one credential asks for all: what is somebody else's is dropped quietly.
pub(super) fn page(plan: &GuardPlan, mut answer: Value) -> Result<Exports, Refusal> {
    let (Some(rule), Some(page)) = (&plan.operation.own, plan.page) else {
        return Err(unreadable("a list of nobody's exports".to_owned()));
    };
    let rows = match answer.at_mut(&plan.operation.answer.rows) {
        None => Vec::new(),
        Some(Value::Array(rows)) => std::mem::take(rows),
        Some(_) => return Err(unreadable("the exports are no list".to_owned())),
    };
    let read = rows.len();
    let mut seen = BTreeSet::new();
    let own = |row: Value| {
        let id: Box<str> = row.get(&rule.id)?.as_str()?.into();
        (plan.own.is_own(&id) && seen.insert(id.clone())).then_some((id, row))
    };
    let mine: Vec<(Box<str>, Value)> = rows.into_iter().filter_map(own).collect();
    // behind what was read may stand more of his own
    let counts = plan.operation.answer.totals.iter().filter(|total| total.treatment == TotalTreatment::Visible);
    let claimed = counts.filter_map(|total| answer.at(&total.at)?.as_i64()).max();
    let whole =
        i64::try_from(read).is_ok_and(|read| read < rule.at_once && claimed.is_none_or(|claimed| claimed <= read));
    if !whole && mine.len() < plan.own.len() {
        return Err(Refusal::new(
            Code::QueryTooWide,
            "the upstream holds more exports than are read at once, so yours cannot be listed completely; ask the \
             administrator of the proxy",
        )
        .because(format!("{} of {} own exports among the first {read}", mine.len(), plan.own.len())));
    }
    let page = PageInfo { total: mine.len(), ..page };
    let (ids, rows) = mine.into_iter().skip(page.skip()).take(page.take()).unzip();
    Ok(Exports { answer, rows, ids, page, read })
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
