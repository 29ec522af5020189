//! `POST /api/v2/analytics/users/aggregates/query` and `POST /api/v2/analytics/users/observations/query`.
//!
//! Their only dimension is the user; an aggregate takes at most a hundred of them.

use super::{
    aggregates::texts,
    condition::Lens,
    dimension::Level,
    filter,
    interval::{Interval, granularity},
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};

/// Metric, its qualifier in a span of presence.
const METRICS: [(&str, &str); 3] = [
    ("tSystemPresence", "p.system"),
    ("tOrganizationPresence", "'presence-' || lower(p.system)"),
    ("tAgentRoutingStatus", "p.routing"),
];

/// Metrics of one user by the number of the sub-interval.
type Buckets = Vec<(i64, Vec<Value>)>;

pub(super) fn aggregates(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let interval = Interval::of(body)?;
    let step = granularity(body, interval)?;
    let asked = filter::optional(body, "filter")?;
    if asked.as_ref().is_some_and(|filter| filter.atoms().len() > 100) {
        return Err(Problem::constraint("at most 100 predicates on `userId`: break it up into multiple queries"));
    }
    let by_user = match texts(body, "groupBy")?.as_slice() {
        [] => false,
        [name] if name.eq_ignore_ascii_case("userId") => true,
        _ => return Err(Problem::value("users can be grouped by `userId` only")),
    };
    let condition = lens.condition(Level::User, asked.as_ref())?;
    let mut lines = Vec::new();
    for name in texts(body, "metrics")? {
        let unknown = || Problem::value(format!("`{name}` is no metric of users"));
        let (metric, qualifier) =
            METRICS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).ok_or_else(unknown)?;
        let user = if by_user { "u.id" } else { "NULL" };
        let mut sql = Sql::with(
            format!(
                "WITH RECURSIVE b(n, a, z) AS (SELECT 0, ?1, min(?1 + ?2, ?3) UNION ALL SELECT n + 1, z, min(z + ?2, ?3) FROM b WHERE z < ?3)
                 SELECT {user}, b.n, {qualifier}, sum(min(p.end, b.z) - max(p.start, b.a))
                 FROM users u JOIN presence p ON p.user = u.id AND p.start < ?3 AND p.end > ?1 JOIN b ON p.start < b.z AND p.end > b.a WHERE "
            ),
            vec![Cell::Integer(interval.from), Cell::Integer(step), Cell::Integer(interval.until)],
        );
        sql.push(&condition);
        sql.push_text(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
        lines.extend(store.rows(&sql, |row| {
            let shown = json!({ "metric": metric, "qualifier": row.get::<_, String>(2)?, "stats": { "sum": row.get::<_, i64>(3)? } });
            Ok((row.get::<_, Option<String>>(0)?, row.get::<_, i64>(1)?, shown))
        })?);
    }
    if lines.is_empty() && texts(body, "metrics")?.is_empty() {
        return Err(Problem::bad("`metrics` is missing"));
    }
    lines.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let mut results: Vec<(Option<String>, Buckets)> = Vec::new();
    for (user, bucket, metric) in lines {
        if results.last().is_none_or(|(last, _)| *last != user) {
            results.push((user, Vec::new()));
        }
        let Some((_, data)) = results.last_mut() else {
            continue;
        };
        match data.last_mut() {
            Some((last, metrics)) if *last == bucket => metrics.push(metric),
            _ => data.push((bucket, vec![metric])),
        }
    }
    let shown = |(user, data): (Option<String>, Buckets)| {
        let group: Map<String, Value> = user.map(|user| ("userId".to_owned(), Value::from(user))).into_iter().collect();
        let part = |(bucket, metrics)| json!({ "interval": interval.bucket(step, bucket).text(), "metrics": Value::Array(metrics) });
        json!({ "group": group, "data": data.into_iter().map(part).collect::<Vec<_>>() })
    };
    Ok(json!({ "results": results.into_iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) fn observations(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let filter = filter::optional(body, "filter")?.ok_or_else(|| Problem::bad("`filter` is missing"))?;
    let condition = lens.condition(Level::User, Some(&filter))?;
    let metrics = texts(body, "metrics")?;
    for name in &metrics {
        if !["oMemberQueues", "oActiveQueues"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Problem::value(format!("`{name}` is no metric of an observation of users")));
        }
    }
    let sql = condition.around(
        "SELECT u.id, count(q.id), coalesce(sum(q.state = 'active'), 0) FROM users u LEFT JOIN members m ON m.user = u.id
         LEFT JOIN queues q ON q.id = m.queue AND q.state <> 'deleted' WHERE ",
        " GROUP BY u.id ORDER BY u.id",
    );
    let results = store.rows(&sql, |row| {
        let counts = [("oMemberQueues", row.get::<_, i64>(1)?), ("oActiveQueues", row.get::<_, i64>(2)?)];
        let asked = |name: &str| metrics.iter().any(|metric| metric.eq_ignore_ascii_case(name));
        let data: Vec<Value> = counts
            .into_iter()
            .filter(|(name, _)| asked(name))
            .map(|(name, count)| json!({ "metric": name, "stats": { "count": count } }))
            .collect();
        Ok(json!({ "group": { "userId": row.get::<_, String>(0)? }, "data": data }))
    })?;
    Ok(json!({ "results": results }))
}
