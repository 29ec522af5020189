//! `POST /api/v2/analytics/{conversations,routing,users}/activity/query`: what goes on at `now`, in groups.
//!
//! All interactions have ended by `now`; those of the last eight hours stand for the present ones.

use super::{
    aggregates::texts,
    condition::Lens,
    dimension::{Column, Level, dimension},
    filter,
    interval::show,
    problem::Problem,
    queue_observations::{self, PRESENT},
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

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

const OF_TEAMS: [&str; 4] = ["oTeamOffQueueUsers", "oTeamOnQueueUsers", "oTeamPresences", "oTeamRoutingStatuses"];

pub(super) fn teams(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    grouped_by(body, "teamId")?;
    let asked = detailed(body, &OF_TEAMS)?;
    let filter = filter::optional(body, "filter")?;
    let condition = lens.condition(Level::TeamActivity, filter.as_ref())?;
    let people = format!(
        " FROM teams m JOIN users u ON u.id = m.user LEFT JOIN presence p ON p.user = u.id AND p.start <= {0} AND p.end > {0} WHERE ",
        store.now
    );
    let condition = if lens.traits.person_filter {
        condition
    } else {
        condition.around(&format!("m.team IN (SELECT m.team{people}"), ")")
    };
    let sql = condition.around(
        &format!("SELECT m.team, coalesce(p.system, 'OFFLINE'), coalesce(p.routing, 'OFF_QUEUE'){people}"),
        " ORDER BY 1, u.id",
    );
    let rows = store.rows(&sql, |row| Ok([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?]))?;
    let mut teams: BTreeMap<String, BTreeMap<(&str, String), u32>> = BTreeMap::new();
    for [team, system, routing] in rows {
        let counts = teams.entry(team).or_default();
        for (metric, _) in &asked {
            let on = routing != "OFF_QUEUE";
            let qualifier = match *metric {
                "oTeamOffQueueUsers" if !on => &system,
                "oTeamOnQueueUsers" if on => &routing,
                "oTeamPresences" => &system,
                "oTeamRoutingStatuses" => &routing,
                _ => continue,
            };
            *counts.entry((metric, qualifier.clone())).or_default() += 1;
        }
    }
    let shown = |(team, counts): (String, BTreeMap<(&str, String), u32>)| {
        let data = counts
            .into_iter()
            .map(|((metric, qualifier), count)| json!({ "metric": metric, "qualifier": qualifier, "count": count }));
        json!({ "group": { "teamId": team }, "data": data.collect::<Vec<_>>() })
    };
    Ok(json!({ "results": ordered(body, teams.into_iter().map(shown).collect()) }))
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

pub(super) fn ordered(body: &Value, mut results: Vec<Value>) -> Vec<Value> {
    if body.get("order").and_then(Value::as_str).is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        results.reverse();
    }
    results
}

/// Metric, and whether single details are asked for.
type Asked = Vec<(&'static str, bool)>;

const OF_LEGS: [&str; 5] = ["oAlerting", "oInteracting", "oLongestInteracting", "oLongestWaiting", "oWaiting"];

pub(super) fn conversations(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let asked = detailed(body, &OF_LEGS)?;
    let groups = groups(body)?;
    let filter = filter::optional(body, "filter")?;
    let condition = lens.condition(Level::Aggregate, filter.as_ref())?;
    let mut sql = Sql::text("SELECT ");
    for (name, column) in &groups {
        let (Column::Text(expression) | Column::Enum(expression)) = column else {
            return Err(Problem::value(format!("`{name}` is no dimension to group by")));
        };
        sql.push_text(&format!("{expression}, "));
    }
    sql.push_text("c.id, l.agent, l.queue, l.start, l.end");
    sql.push_text(&format!(" FROM {} l JOIN conversations c ON c.n = l.conversation WHERE ", lens.legs));
    sql.push(&Sql::with(
        "l.start >= ? AND (l.queue IS NOT NULL OR l.agent IS NOT NULL) AND ",
        vec![Cell::Integer(store.now - PRESENT)],
    ));
    sql.push(&condition);
    sql.push_text(" ORDER BY ");
    sql.push_text(&(1..=groups.len() + 1).map(|place| place.to_string()).collect::<Vec<_>>().join(","));
    let rows = store.rows(&sql, |row| {
        let mut group = Map::new();
        for (place, (name, _)) in groups.iter().enumerate() {
            if let Some(value) = row.get::<_, Option<String>>(place)? {
                group.insert((*name).to_owned(), value.into());
            }
        }
        let at = groups.len();
        let agent = row.get::<_, Option<String>>(at + 1)?;
        let (start, end) = (row.get::<_, i64>(at + 3)?, row.get::<_, i64>(at + 4)?);
        let mut entity = json!({ "conversationId": row.get::<_, String>(at)?, "activityDate": show(start) });
        for (name, value) in [("userId", agent.clone()), ("queueId", row.get(at + 2)?)] {
            if let (Some(entity), Some(value)) = (entity.as_object_mut(), value) {
                entity.insert(name.to_owned(), value.into());
            }
        }
        Ok((group, Leg { answered: agent.is_some(), length: end - start, entity }))
    })?;
    let mut results: Vec<(Map<String, Value>, Vec<Leg>)> = Vec::new();
    for (group, leg) in rows {
        match results.last_mut() {
            Some((last, all)) if *last == group => all.push(leg),
            _ => results.push((group, vec![leg])),
        }
    }
    let results: Vec<Value> = results.iter().map(|(group, legs)| result(group, legs, &asked)).collect();
    Ok(json!({ "results": results, "entityIdDimension": "conversationId" }))
}

struct Leg {
    answered: bool,
    length: i64,
    entity: Value,
}

fn result(group: &Map<String, Value>, legs: &[Leg], asked: &Asked) -> Value {
    let mut entities = Vec::new();
    let mut data = Vec::new();
    for (metric, details) in asked {
        let talking = matches!(*metric, "oInteracting" | "oLongestInteracting");
        let counted: Vec<&Leg> = legs.iter().filter(|leg| leg.answered == talking && *metric != "oAlerting").collect();
        data.push(if metric.starts_with("oLongest") {
            json!({ "metric": metric, "calculatedMetricValue": counted.iter().map(|leg| leg.length).max() })
        } else {
            json!({ "metric": metric, "count": counted.len() })
        });
        if *details {
            entities.extend(counted.iter().map(|leg| leg.entity.clone()));
        }
    }
    json!({ "group": group, "data": data, "truncated": false, "entities": entities })
}

pub(super) fn detailed(body: &Value, known: &[&'static str]) -> Result<Asked, Problem> {
    let asked = body.get("metrics").and_then(Value::as_array).filter(|asked| !asked.is_empty());
    let asked = asked.ok_or_else(|| Problem::bad("`metrics` is missing"))?;
    let one = |entry: &Value| {
        let name = entry.get("metric").and_then(Value::as_str).ok_or_else(|| Problem::bad("a metric has no name"))?;
        let found = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        let found = found.ok_or_else(|| Problem::value(format!("`{name}` is no metric here")))?;
        Ok((*found, entry.get("details") == Some(&Value::Bool(true))))
    };
    asked.iter().map(one).collect()
}

fn groups(body: &Value) -> Result<Vec<(&'static str, Column)>, Problem> {
    let names = texts(body, "groupBy")?;
    if names.is_empty() {
        return Err(Problem::bad("`groupBy` is missing"));
    }
    let known = |name: &str| {
        dimension(Level::Aggregate, name).ok_or_else(|| Problem::value(format!("`{name}` is no dimension to group by")))
    };
    let found: Vec<_> = names.into_iter().map(known).collect::<Result<_, _>>()?;
    // What nothing has makes no group.
    Ok(found.into_iter().filter(|(_, column)| *column != Column::Empty).collect())
}
