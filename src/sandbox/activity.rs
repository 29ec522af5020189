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
    queue_observations::{PRESENT, counted},
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};

/// Metric, and whether single details are asked for.
type Asked = Vec<(&'static str, bool)>;

const OF_LEGS: [&str; 5] = ["oAlerting", "oInteracting", "oLongestInteracting", "oLongestWaiting", "oWaiting"];
const OF_QUEUES: [&str; 6] =
    ["oActiveUsers", "oMemberUsers", "oOffQueueUsers", "oOnQueueUsers", "oUserPresences", "oUserRoutingStatuses"];
const OF_USERS: [&str; 2] = ["oActiveQueues", "oMemberQueues"];

pub(super) fn conversations(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let asked = metrics(body, &OF_LEGS)?;
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
            Some((last, legs)) if *last == group => legs.push(leg),
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

pub(super) fn queues(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let asked = metrics(body, &OF_QUEUES)?;
    one_group(body, "queueId")?;
    let rows = members(store, lens, body)?;
    let mut results: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (queue, _, system, routing) in rows {
        match results.last_mut() {
            Some((last, people)) if *last == queue => people.push((system, routing)),
            _ => results.push((queue, vec![(system, routing)])),
        }
    }
    let result = |(queue, people): &(String, Vec<(String, String)>)| {
        let mut data = Vec::new();
        for (metric, _) in &asked {
            for (qualifier, count) in counted(metric, people) {
                let mut entry = json!({ "metric": metric, "count": count });
                if let (Some(entry), Some(qualifier)) = (entry.as_object_mut(), qualifier) {
                    entry.insert("qualifier".into(), qualifier.into());
                }
                data.push(entry);
            }
        }
        json!({ "group": { "queueId": queue }, "data": data, "truncated": false, "entities": [] })
    };
    Ok(json!({ "results": results.iter().map(result).collect::<Vec<_>>(), "entityIdDimension": "userId" }))
}

pub(super) fn users(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let asked = metrics(body, &OF_USERS)?;
    one_group(body, "userId")?;
    let mut rows: Vec<(String, bool)> =
        members(store, lens, body)?.into_iter().map(|(_, user, _, routing)| (user, routing != "OFF_QUEUE")).collect();
    rows.sort();
    let mut results: Vec<(String, u32, u32)> = Vec::new();
    for (user, on) in rows {
        match results.last_mut() {
            Some((last, member, active)) if *last == user => {
                *member += 1;
                *active += u32::from(on);
            }
            _ => results.push((user, 1, u32::from(on))),
        }
    }
    let result = |(user, member, active): &(String, u32, u32)| {
        let count = |metric: &str| if metric == "oMemberQueues" { member } else { active };
        let data: Vec<Value> =
            asked.iter().map(|(metric, _)| json!({ "metric": metric, "count": count(metric) })).collect();
        json!({ "group": { "userId": user }, "data": data, "truncated": false, "entities": [] })
    };
    Ok(json!({ "results": results.iter().map(result).collect::<Vec<_>>(), "entityIdDimension": "queueId" }))
}

/// Queue, user, presence and routing status of every membership that the filter finds, by queue.
fn members(store: &Store, lens: Lens, body: &Value) -> Result<Vec<(String, String, String, String)>, Problem> {
    let filter = filter::optional(body, "filter")?;
    let mut sql = Sql::with(
        "SELECT q.id, u.id, coalesce(p.system, 'OFFLINE'), coalesce(p.routing, 'OFF_QUEUE') FROM members m
         JOIN queues q ON q.id = m.queue JOIN users u ON u.id = m.user
         LEFT JOIN presence p ON p.user = u.id AND p.start <= ? AND p.end > ? WHERE q.state <> 'deleted' AND ",
        vec![Cell::Integer(store.now), Cell::Integer(store.now)],
    );
    sql.push(&lens.condition(Level::Member, filter.as_ref())?);
    sql.push_text(" ORDER BY q.id, u.id");
    store.rows(&sql, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
}

fn metrics(body: &Value, known: &[&'static str]) -> Result<Asked, Problem> {
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

fn one_group(body: &Value, due: &str) -> Result<(), Problem> {
    match texts(body, "groupBy")?.as_slice() {
        [name] if name.eq_ignore_ascii_case(due) => Ok(()),
        _ => Err(Problem::value(format!("these are grouped by `{due}` only"))),
    }
}
