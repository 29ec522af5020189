//! `GET /api/v2/quality/evaluations/query` and `POST /api/v2/quality/evaluations/search`: evaluations of interactions, by agent,
//! interaction, queue, mark and time.

use super::{
    aggregates::texts,
    condition::Lens,
    interval::{instant, show},
    lists::Params,
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use std::cmp::Ordering;

pub(super) const PATH: &str = "/api/v2/quality/evaluations/query";
pub(super) const SEARCH: &str = "/api/v2/quality/evaluations/search";

/// One of these has to be named, as the upstream demands.
const NARROWED_BY: [&str; 4] = ["conversationId", "agentUserId", "evaluatorUserId", "assigneeUserId"];

pub(super) fn query(store: &Store, lens: Lens, params: &Params) -> Result<Value, Problem> {
    if !NARROWED_BY.iter().any(|name| params.first(name).is_some()) {
        return Err(Problem::bad("name a conversation, an agent, an evaluator or an assignee"));
    }
    let (mut text, mut cells) = (String::from("1"), Vec::new());
    let mut ask = |condition: &str, cell: Option<Cell>| {
        if let Some(cell) = cell.filter(|_| !lens.blind) {
            text.push_str(" AND ");
            text.push_str(condition);
            cells.push(cell);
        }
    };
    let word = |name: &str| params.first(name).map(|value| Cell::Text(value.to_owned()));
    let time = |name: &str| match params.first(name) {
        None => Ok(None),
        Some(value) => instant(value).map(|at| Some(Cell::Integer(at))).ok_or_else(|| Problem::date(value)),
    };
    ask("c.id = ?", word("conversationId"));
    ask("e.agent = ?", word("agentUserId"));
    ask("e.evaluator = ?", word("evaluatorUserId"));
    ask("e.queue = ?", word("queueId"));
    ask("iif(e.score IS NULL, 'PENDING', 'FINISHED') = upper(?)", word("evaluationState"));
    ask("c.end >= ?", time("startTime")?);
    ask("c.end < ?", time("endTime")?);
    let order = match params.first("sortOrder").unwrap_or("asc").to_ascii_lowercase().as_str() {
        "asc" => "ASC",
        "desc" => "DESC",
        _ => return Err(Problem::value("`sortOrder` is asc or desc")),
    };
    let rows = rows(store, &text, cells, order)?;
    let (size, number) = (params.number("pageSize", 25, 100)?, params.number("pageNumber", 1, 1_000_000)?);
    let (total, skip) = (rows.len(), (number - 1).saturating_mul(size));
    let shown: Vec<Value> = rows.into_iter().skip(skip).take(size).collect();
    let mut answer = json!({
        "entities": shown, "pageSize": size, "pageNumber": number, "total": total, "pageCount": total.div_ceil(size),
        "selfUri": format!("{PATH}?pageNumber={number}"),
    });
    if let Some(answer) = answer.as_object_mut().filter(|_| skip + size < total) {
        answer.insert("nextUri".into(), format!("{PATH}?pageNumber={}", number + 1).into());
    }
    Ok(answer)
}

fn rows(store: &Store, condition: &str, cells: Vec<Cell>, order: &str) -> Result<Vec<Value>, Problem> {
    let sql = format!(
        "SELECT e.id, c.id, e.queue, e.agent, e.evaluator, e.score, c.start, c.end
         FROM evaluations e JOIN conversations c ON c.n = e.conversation WHERE {condition} ORDER BY e.leg {order}"
    );
    store.rows(&Sql::with(sql, cells), |row| {
        let id = |place: usize| {
            let id: Option<String> = row.get(place)?;
            Ok::<_, rusqlite::Error>(id.map(|id| json!({ "id": id, "selfUri": "/unlisted" })))
        };
        let mark: Option<i64> = row.get(5)?;
        Ok(json!({
            "id": row.get::<_, String>(0)?, "name": "Call quality", "conversation": id(1)?, "queue": id(2)?, "agent": id(3)?,
            "evaluator": id(4)?, "assignee": id(4)?, "divisionIds": ["d-claims-us"],
            "status": if mark.is_some() { "FINISHED" } else { "PENDING" },
            "evaluationForm": { "id": "f-1", "name": "Calls", "contextId": "fc-1", "questionGroups": [] },
            "answers": { "totalScore": mark, "comments": "well done", "privateComments": "for the evaluator alone" },
            "conversationDate": show(row.get(6)?), "conversationEndDate": show(row.get(7)?),
            "releaseDate": show(row.get(7)?), "agentHasRead": true, "selfUri": "/api/v2/unlisted",
        }))
    })
}

/// What is found by criteria, all of which have to fit.
pub(super) fn search(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let number = |name: &str, default: u64| {
        body.get(name).map_or(Ok(default), |value| {
            value
                .as_u64()
                .filter(|number| (1..=1_000_000).contains(number))
                .ok_or_else(|| Problem::value(format!("`{name}`")))
        })
    };
    let (size, at) = (number("pageSize", 25)?, number("pageNumber", 1)?);
    if size > 100 {
        return Err(Problem::value("`pageSize` is at most 100"));
    }
    let criteria = match body.get("query") {
        None => &[][..],
        Some(query) => query.as_array().ok_or_else(|| Problem::bad("`query` is no list"))?,
    };
    let order = if body.get("sortOrder").and_then(Value::as_str) == Some("DESC") { "DESC" } else { "ASC" };
    let mut found = Vec::new();
    for row in rows(store, "1", Vec::new(), order)? {
        let mut fits = true;
        for criterion in criteria {
            fits &= fits_one(&row, criterion)?;
        }
        if fits || lens.blind {
            found.push(row);
        }
    }
    let size = lens.short_pages.map_or(size, |most| size.min(most));
    let before = (at - 1).saturating_mul(size).saturating_sub(u64::from(lens.shifted_pages && at > 1));
    let skip = usize::try_from(before).unwrap_or(usize::MAX);
    let shown: Vec<Value> = found.into_iter().skip(skip).take(usize::try_from(size).unwrap_or(usize::MAX)).collect();
    Ok(json!({ "results": shown, "pageSize": size, "pageNumber": at }))
}

fn fits_one(row: &Value, criterion: &Value) -> Result<bool, Problem> {
    let word = |name: &str| criterion.get(name).and_then(Value::as_str);
    let place = match word("field").unwrap_or_default() {
        "agentId" => "/agent/id",
        "conversationDate" => "/conversationDate",
        "conversationId" => "/conversation/id",
        "evaluationId" => "/id",
        "evaluationStatus" => "/status",
        "evaluatorId" => "/evaluator/id",
        "queueId" => "/queue/id",
        "totalScore" => "/answers/totalScore",
        other => return Err(Problem::value(format!("`{other}` is no field that is searched by"))),
    };
    if !matches!(word("operator"), None | Some("AND")) {
        return Err(Problem::value("`operator`"));
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some(held) = row.pointer(place).filter(|value| !value.is_null()).map(text) else { return Ok(false) };
    let compared = |wanted: &str| match (held.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(held), Ok(wanted)) => held.total_cmp(&wanted),
        _ => held.as_str().cmp(wanted),
    };
    let value = word("value").map(compared);
    let ends = (word("startValue").map(compared), word("endValue").map(compared));
    Ok(match word("type").unwrap_or_default() {
        "EXACT" => texts(criterion, "values")?.iter().map(|wanted| compared(wanted)).chain(value).any(Ordering::is_eq),
        "GREATER_THAN" => value.is_some_and(Ordering::is_gt),
        "GREATER_THAN_EQUAL_TO" => value.is_some_and(Ordering::is_ge),
        "LESS_THAN" => value.is_some_and(Ordering::is_lt),
        "LESS_THAN_EQUAL_TO" => value.is_some_and(Ordering::is_le),
        "RANGE" | "DATE_RANGE" => ends.0.is_none_or(Ordering::is_ge) && ends.1.is_none_or(Ordering::is_le),
        other => return Err(Problem::value(format!("a criterion `{other}`"))),
    })
}
