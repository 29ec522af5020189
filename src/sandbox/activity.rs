//! `POST /api/v2/analytics/users/activity/query` and `POST /api/v2/analytics/routing/activity/query`: what people do at
//! `now`, one by one or on each queue.

use super::{
    aggregates::texts, condition::Lens, dimension::Level, filter, problem::Problem, queue_observations, store::Store,
};
use serde_json::{Value, json};

pub(super) fn users(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    grouped_by(body, "userId")?;
    let metrics = metrics(body)?;
    let known = ["oMemberQueues", "oActiveQueues"];
    if let Some(name) = metrics.iter().find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name))) {
        return Err(Problem::value(format!("`{name}` is no metric of the activity of users")));
    }
    let filter = filter::optional(body, "filter")?;
    let sql = lens.condition(Level::UserActivity, filter.as_ref())?.around(
        "SELECT u.id, count(q.id), coalesce(sum(q.state = 'active'), 0) FROM users u LEFT JOIN members m ON m.user = u.id
         LEFT JOIN queues q ON q.id = m.queue AND q.state <> 'deleted' WHERE ",
        " GROUP BY u.id ORDER BY u.id",
    );
    let results = store.rows(&sql, |row| {
        let counts = [row.get::<_, i64>(1)?, row.get::<_, i64>(2)?];
        let asked = |name: &str| metrics.iter().any(|metric| metric.eq_ignore_ascii_case(name));
        let data: Vec<Value> = known
            .iter()
            .zip(counts)
            .filter(|(name, _)| asked(name))
            .map(|(name, count)| json!({ "metric": name, "count": count }))
            .collect();
        Ok(json!({ "group": { "userId": row.get::<_, String>(0)? }, "data": data }))
    })?;
    Ok(json!({ "results": ordered(body, results) }))
}

pub(super) fn routing(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    grouped_by(body, "queueId")?;
    let metrics = queue_observations::of_users(&metrics(body)?)?;
    let filter = filter::optional(body, "filter")?;
    let sql = lens
        .condition(Level::RoutingActivity, filter.as_ref())?
        .around("SELECT q.id FROM queues q WHERE q.state <> 'deleted' AND ", " ORDER BY q.id");
    let mut results = Vec::new();
    for queue in store.rows(&sql, |row| row.get::<_, String>(0))? {
        let mut data = queue_observations::users(store, &queue, &metrics)?;
        for entry in data.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(count) = entry.remove("stats").and_then(|stats| stats.get("count").cloned()) {
                entry.insert("count".into(), count);
            }
        }
        if !data.is_empty() {
            results.push(json!({ "group": { "queueId": queue }, "data": data }));
        }
    }
    Ok(json!({ "results": ordered(body, results) }))
}

fn grouped_by(body: &Value, only: &str) -> Result<(), Problem> {
    match texts(body, "groupBy")?.as_slice() {
        [name] if name.eq_ignore_ascii_case(only) => Ok(()),
        _ => Err(Problem::bad(format!("`groupBy` must be `{only}`"))),
    }
}

fn metrics<'b>(body: &'b Value) -> Result<Vec<&'b str>, Problem> {
    let list = body.get("metrics").and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Problem::bad("`metrics` is missing"))?;
    let name = |metric: &'b Value| metric.get("metric").and_then(Value::as_str);
    list.iter().map(|metric| name(metric).ok_or_else(|| Problem::bad("each of `metrics` needs `metric`"))).collect()
}

fn ordered(body: &Value, mut results: Vec<Value>) -> Vec<Value> {
    if body.get("order").and_then(Value::as_str).is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        results.reverse();
    }
    results
}
