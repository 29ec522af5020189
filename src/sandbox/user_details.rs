//! `POST /api/v2/analytics/users/details/query`.
//!
//! Finds people with a span of presence that the interval touches. An entry of a filter array asks whether the person
//! *has* such a span; what comes back is every span of his that the interval touches.

use super::{
    condition::Lens,
    details,
    dimension::Level,
    filter,
    interval::{Interval, show},
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

const SPANS: [(&str, Level); 2] =
    [("presenceFilters", Level::Presence), ("routingStatusFilters", Level::RoutingStatus)];

pub(super) fn query(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let interval = Interval::of(body)?;
    let touching = |before: &str| {
        let bounds = vec![Cell::Integer(interval.until), Cell::Integer(interval.from)];
        Sql::with(format!("{before}p.start < ? AND p.end > ?"), bounds)
    };
    let has = |asked: &Sql| {
        let mut sql = touching("u.id IN (SELECT p.user FROM presence p WHERE ");
        sql.push_text(" AND ");
        sql.push(asked);
        sql.push_text(")");
        sql
    };
    let mut entries = Vec::new();
    for node in filter::array(body, "userFilters")? {
        entries.push(lens.condition(Level::User, Some(&node))?);
    }
    for (member, level) in SPANS {
        for node in filter::array(body, member)? {
            entries.push(has(&lens.condition(level, Some(&node))?));
        }
    }
    for member in ["presenceAggregations", "routingStatusAggregations"] {
        if body.get(member).is_some_and(|facets| facets.as_array().is_none_or(|facets| !facets.is_empty())) {
            return Err(Problem::bad(format!("`{member}` is not supported here")));
        }
    }
    if !lens.job {
        details::within_limit(interval, !entries.is_empty())?;
    }
    let (size, number) = if lens.job { (i64::MAX, 1) } else { details::paging(body)? };
    let mut matching = Sql::with("FROM users u WHERE ", Vec::new());
    matching.push(&has(&Sql::always()));
    if !entries.is_empty() && !lens.blind {
        matching.push_text(" AND ");
        matching.push(&if lens.traits.entries_and { Sql::all(entries) } else { Sql::any(entries) });
    }
    let total = store.number(&matching.clone().around("SELECT count(*) ", ""))?;
    let direction = match body.get("order").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc" | "unordered") => "ASC",
        Some("desc") => "DESC",
        Some(other) => return Err(Problem::value(format!("`{other}` is no order"))),
    };
    let offset = size * (number - 1);
    let page = matching.around("SELECT u.id ", &format!(" ORDER BY u.id {direction} LIMIT {size} OFFSET {offset}"));
    let found = store.rows(&page, |row| row.get::<_, String>(0))?;
    if found.is_empty() {
        return Ok(json!({ "totalHits": total }));
    }
    let people = found.into_iter().map(|user| {
        let mut spans = touching("SELECT p.start, p.end, p.system, p.routing FROM presence p WHERE ");
        spans.push(&Sql::with(" AND p.user = ? ORDER BY p.start", vec![Cell::Text(user.clone())]));
        let spans = store.rows(&spans, |row| {
            let (start, end): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (system, routing): (String, String) = (row.get(2)?, row.get(3)?);
            let presence = json!({
                "startTime": show(start), "endTime": show(end), "systemPresence": system,
                "organizationPresenceId": format!("presence-{}", system.to_ascii_lowercase()),
            });
            Ok((presence, json!({ "startTime": show(start), "endTime": show(end), "routingStatus": routing })))
        })?;
        let (presence, routing): (Vec<Value>, Vec<Value>) = spans.into_iter().unzip();
        Ok(json!({ "userId": user, "primaryPresence": presence, "routingStatus": routing }))
    });
    let people = people.collect::<Result<Vec<Value>, Problem>>()?;
    Ok(json!({ "totalHits": total, "userDetails": people }))
}
