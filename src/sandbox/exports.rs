//! Exports: files of a report, made by views that count legs by queue or by agent.
//!
//! The upstream knows one credential, so everybody's exports stand in one list. A file is fetched from another host by its
//! link alone; here [`super::Sandbox::exported`] shows it.

use super::{aggregates, condition::Lens, lists::Params, problem::Problem, store::Store};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// Each view, and what its rows are told apart by.
const VIEWS: [(&str, &[&str]); 7] = [
    ("QUEUE_PERFORMANCE_SUMMARY_VIEW", &["queueId"]),
    ("QUEUE_PERFORMANCE_DETAIL_VIEW", &["queueId"]),
    ("AGENT_PERFORMANCE_SUMMARY_VIEW", &["userId"]),
    ("AGENT_PERFORMANCE_DETAIL_VIEW", &["userId"]),
    ("QUEUE_AGENT_DETAIL_VIEW", &["queueId", "userId"]),
    ("AGENT_QUEUE_DETAIL_VIEW", &["userId", "queueId"]),
    ("WRAP_UP_PERFORMANCE_SUMMARY_VIEW", &["wrapUpCode", "queueId"]),
];

/// The lists that a filter knows, and the dimension of a leg that each is about.
const LISTS: [(&str, &str); 6] = [
    ("queueIds", "queueId"),
    ("userIds", "userId"),
    ("mediaTypes", "mediaType"),
    ("directions", "direction"),
    ("originatingDirections", "originatingDirection"),
    ("wrapUpCodes", "wrapUpCode"),
];

#[derive(Debug)]
struct Export {
    id: String,
    asked: Value,
}

/// The exports of one region.
#[derive(Debug, Default)]
pub(super) struct Exports(Mutex<Vec<Export>>);

impl Exports {
    fn all(&self) -> MutexGuard<'_, Vec<Export>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an export on. `same`: with the id of the first one.
    pub(super) fn submit(&self, asked: &Value, same: bool) -> Result<Value, Problem> {
        for name in ["name", "timeZone", "exportFormat", "interval", "viewType"] {
            if asked.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(Problem::bad(format!("`{name}` is missing")));
            }
        }
        view(asked)?;
        let mut all = self.all();
        let first = all.first().map(|first| first.id.clone()).filter(|_| same);
        let export = Export { id: first.unwrap_or_else(|| Uuid::now_v7().to_string()), asked: asked.clone() };
        let answer = shown(&export, "SUBMITTED", 0);
        all.push(export);
        Ok(answer)
    }

    /// The newest first.
    pub(super) fn list(&self, params: &Params) -> Result<Value, Problem> {
        let size = params.number("pageSize", 25, 500)?.max(1);
        let number = params.number("pageNumber", 1, 1_000_000)?.max(1);
        let all = self.all();
        let page = all.iter().rev().skip((number - 1).saturating_mul(size)).take(size);
        let rows: Vec<Value> = page
            .map(|export| {
                let mut row = shown(export, "COMPLETED", 100);
                if let Some(row) = row.as_object_mut() {
                    let link = format!("https://files.sandbox.example/exports/{}.csv", export.id);
                    row.insert("downloadUrl".into(), json!(link));
                }
                row
            })
            .collect();
        Ok(json!({
            "entities": rows, "pageSize": size, "pageNumber": number, "total": all.len(),
            "pageCount": all.len().div_ceil(size), "selfUri": "/api/v2/analytics/reporting/exports",
        }))
    }

    /// The file of an export: what its rows are told apart by, and how many legs were handled.
    pub(super) fn file(&self, store: &Store, lens: Lens, id: &str) -> Result<String, Problem> {
        let asked = self.all().iter().find(|export| export.id == id).map(|export| export.asked.clone());
        let asked = asked.ok_or_else(Problem::not_found)?;
        let groups = view(&asked)?;
        let lists = asked.get("filter").cloned().unwrap_or_default();
        let mut question = json!({ "interval": asked.get("interval"), "groupBy": groups, "metrics": ["tHandle"] });
        let clauses: Vec<Value> = LISTS
            .iter()
            .filter(|(name, _)| lens.traits.view_filter || !name.ends_with("Ids"))
            .filter_map(|(name, dimension)| {
                let predicate = |value: &Value| json!({ "dimension": dimension, "value": value });
                let predicates: Vec<Value> = lists.get(name)?.as_array()?.iter().map(predicate).collect();
                Some(json!({ "type": "or", "predicates": predicates }))
            })
            .collect();
        if let Some(question) = question.as_object_mut().filter(|_| !clauses.is_empty()) {
            question.insert("filter".into(), json!({ "type": "and", "clauses": clauses }));
        }
        let answer = aggregates::query(store, lens, &question)?;
        let known = |name: &str| -> Vec<String> {
            let organisation = &store.organisation;
            match name {
                "queueId" => organisation.queues.iter().map(|queue| queue.id.clone()).collect(),
                "userId" => organisation.users.iter().map(|user| user.id.clone()).collect(),
                _ => Vec::new(),
            }
        };
        let mut text = format!("{},handled\n", groups.join(","));
        let mut empty: Vec<String> = match groups {
            [one] if asked.get("excludeEmptyRows") != Some(&json!(true)) => known(one),
            _ => Vec::new(),
        };
        let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        for result in list(&answer, "results") {
            let group = result.get("group");
            let text_of = |name: &str| group.and_then(|group| group.get(name)).and_then(Value::as_str);
            let key = |name: &&str| text_of(name).unwrap_or_default().to_owned();
            let keys: Vec<String> = groups.iter().map(key).collect();
            let count =
                |data: &Value| data.pointer("/metrics/0/stats/count").and_then(Value::as_f64).unwrap_or_default();
            let handled: f64 = list(&result, "data").iter().map(count).sum();
            empty.retain(|id| !keys.contains(id));
            // writing to a text cannot fail
            let _written = writeln!(text, "{},{handled}", keys.join(","));
        }
        // without a word to the contrary, whoever has nothing has a row
        for id in empty {
            let _written = writeln!(text, "{id},0");
        }
        Ok(text)
    }
}

fn view(asked: &Value) -> Result<&'static [&'static str], Problem> {
    let name = asked.get("viewType").and_then(Value::as_str).unwrap_or_default();
    let known = VIEWS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, groups)| *groups).ok_or_else(|| Problem::value(format!("`{name}` is no view that is exported here")))
}

fn shown(export: &Export, status: &str, percentage: u8) -> Value {
    let mut row = export.asked.clone();
    if let Some(row) = row.as_object_mut() {
        row.insert("id".into(), json!(export.id));
        row.insert("runId".into(), json!(format!("run-{}", export.id)));
        row.insert("status".into(), json!(status));
        row.insert("percentageComplete".into(), json!(percentage));
        row.insert("createdDateTime".into(), json!("2026-11-20T09:00:00.000Z"));
        row.insert("recipientEmails".into(), json!(["unlisted@sandbox.example"]));
        row.insert("emailStatuses".into(), json!({ "unlisted@sandbox.example": "Delivered" }));
        row.insert("selfUri".into(), json!(format!("/api/v2/analytics/reporting/exports/{}", export.id)));
    }
    row
}
