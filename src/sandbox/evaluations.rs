//! `GET /api/v2/quality/evaluations/query`: evaluations of interactions, by agent, interaction, queue and time.

use super::{
    condition::Lens,
    interval::{instant, show},
    lists::Params,
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

pub(super) const PATH: &str = "/api/v2/quality/evaluations/query";

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
    let sql = format!(
        "SELECT e.id, c.id, e.queue, e.agent, e.evaluator, e.score, c.start, c.end
         FROM evaluations e JOIN conversations c ON c.n = e.conversation WHERE {text} ORDER BY e.leg {order}"
    );
    let rows = store.rows(&Sql::with(sql, cells), |row| {
        let id = |place: usize| {
            let id: Option<String> = row.get(place)?;
            Ok::<_, rusqlite::Error>(id.map(|id| json!({ "id": id, "selfUri": "/unlisted" })))
        };
        let score: Option<i64> = row.get(5)?;
        Ok(json!({
            "id": row.get::<_, String>(0)?, "name": "Call quality", "conversation": id(1)?, "queue": id(2)?, "agent": id(3)?,
            "evaluator": id(4)?, "assignee": id(4)?, "divisionIds": ["d-claims-us"],
            "status": if score.is_some() { "FINISHED" } else { "PENDING" },
            "evaluationForm": { "id": "f-1", "name": "Calls", "contextId": "fc-1", "questionGroups": [] },
            "answers": { "totalScore": score, "comments": "well done", "privateComments": "for the evaluator alone" },
            "conversationDate": show(row.get(6)?), "conversationEndDate": show(row.get(7)?),
            "releaseDate": show(row.get(7)?), "agentHasRead": true, "selfUri": "/api/v2/unlisted",
        }))
    })?;
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
