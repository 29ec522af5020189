//! `POST /api/v2/analytics/queues/observations/query`: how it stands at `now`.
//!
//! All interactions have ended by `now`; those of the last eight hours stand for the present ones.

use super::{
    aggregates::texts, condition::Lens, dimension::Level, filter, interval::show, problem::Problem, sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

pub(super) const PRESENT: i64 = 8 * 3_600_000;

/// Metrics of interactions come per queue and medium, metrics of users per queue.
const OF_USERS: [&str; 6] =
    ["oMemberUsers", "oActiveUsers", "oOnQueueUsers", "oOffQueueUsers", "oUserPresences", "oUserRoutingStatuses"];
const OF_LEGS: [&str; 5] = ["oInteracting", "oWaiting", "oAlerting", "oLongestInteracting", "oLongestWaiting"];

pub(super) fn query(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let filter = filter::optional(body, "filter")?.ok_or_else(|| Problem::bad("`filter` is missing"))?;
    let condition = lens.condition(Level::Observation, Some(&filter))?;
    let (of_users, of_legs) = metrics(&texts(body, "metrics")?)?;
    let (_, detailed) = metrics(&texts(body, "detailMetrics")?)?;
    let pairs = condition.around(
        "SELECT q.id, m.name FROM queues q CROSS JOIN media m WHERE q.state <> 'deleted' AND ",
        " ORDER BY q.id, m.name",
    );
    let pairs = store.rows(&pairs, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut results = Vec::new();
    for (queue, media) in &pairs {
        let data = legs(store, queue, media, &of_legs, &detailed)?;
        if !data.is_empty() {
            results.push(json!({ "group": { "queueId": queue, "mediaType": media }, "data": data }));
        }
    }
    let mut queues: Vec<&String> = pairs.iter().map(|(queue, _)| queue).collect();
    queues.dedup();
    for queue in queues {
        let data = users(store, queue, &of_users)?;
        if !data.is_empty() {
            results.push(json!({ "group": { "queueId": queue }, "data": data }));
        }
    }
    Ok(json!({ "results": results }))
}

type Split = (Vec<&'static str>, Vec<&'static str>);

fn metrics(asked: &[&str]) -> Result<Split, Problem> {
    let (mut users, mut legs) = (Vec::new(), Vec::new());
    for name in asked {
        let known = |list: &[&'static str]| list.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
        match (known(&OF_USERS), known(&OF_LEGS)) {
            (Some(known), _) => users.push(known),
            (None, Some(known)) => legs.push(known),
            (None, None) => {
                return Err(Problem::value(format!("`{name}` is no metric of an observation")));
            }
        }
    }
    Ok((users, legs))
}

fn legs(store: &Store, queue: &str, media: &str, metrics: &[&str], detailed: &[&str]) -> Result<Vec<Value>, Problem> {
    if metrics.is_empty() && detailed.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::with(
        "SELECT c.id, l.agent, l.start, l.end, l.direction FROM legs l JOIN conversations c ON c.n = l.conversation
         WHERE l.start >= ? AND l.queue = ? AND l.media = ? ORDER BY l.id",
        vec![Cell::Integer(store.now - PRESENT), Cell::Text(queue.to_owned()), Cell::Text(media.to_owned())],
    );
    let rows = store.rows(&sql, |row| {
        let agent = row.get::<_, Option<String>>(1)?;
        let length = row.get::<_, i64>(3)? - row.get::<_, i64>(2)?;
        let mut shown = json!({
            "conversationId": row.get::<_, String>(0)?, "observationDate": show(row.get(2)?), "direction": row.get::<_, String>(4)?,
        });
        if let (Some(shown), Some(agent)) = (shown.as_object_mut(), &agent) {
            shown.insert("userId".into(), agent.as_str().into());
        }
        Ok((agent.is_some(), length, shown))
    })?;
    let mut data = Vec::new();
    let mut names = metrics.to_vec();
    names.extend(detailed.iter().filter(|name| !metrics.contains(name)));
    for name in names {
        let talking = matches!(name, "oInteracting" | "oLongestInteracting");
        let counted: Vec<_> = rows.iter().filter(|(agent, ..)| *agent == talking && name != "oAlerting").collect();
        let stats = if name.starts_with("oLongest") {
            match counted.iter().map(|(_, length, _)| *length).max() {
                Some(longest) => json!({ "calculatedMetricValue": longest }),
                None => continue,
            }
        } else {
            json!({ "count": counted.len() })
        };
        let mut entry = json!({ "metric": name, "stats": stats });
        if let Some(entry) = entry.as_object_mut().filter(|_| detailed.contains(&name)) {
            entry.insert("truncated".into(), false.into());
            entry.insert("observations".into(), counted.iter().map(|(.., shown)| shown.clone()).collect());
        }
        data.push(entry);
    }
    Ok(data)
}

/// The metrics that count users, by their canonical names.
pub(super) fn of_users(asked: &[&str]) -> Result<Vec<&'static str>, Problem> {
    let (of_users, of_legs) = metrics(asked)?;
    match of_legs.first() {
        None => Ok(of_users),
        Some(name) => Err(Problem::value(format!("`{name}` counts no users"))),
    }
}

pub(super) fn users(store: &Store, queue: &str, metrics: &[&str]) -> Result<Vec<Value>, Problem> {
    let sql = Sql::with(
        "SELECT p.system, p.routing FROM members m LEFT JOIN presence p ON p.user = m.user AND p.start <= ? AND p.end > ? WHERE m.queue = ?",
        vec![Cell::Integer(store.now), Cell::Integer(store.now), Cell::Text(queue.to_owned())],
    );
    let rows = if metrics.is_empty() {
        Vec::new()
    } else {
        store.rows(&sql, |row| {
            let text = |place, default: &str| {
                Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(place)?.unwrap_or_else(|| default.to_owned()))
            };
            Ok((text(0, "OFFLINE")?, text(1, "OFF_QUEUE")?))
        })?
    };
    let mut data = Vec::new();
    for metric in metrics {
        let mut counts: Vec<(Option<&str>, u32)> = Vec::new();
        for (system, routing) in &rows {
            let on = routing != "OFF_QUEUE";
            let qualifier = match *metric {
                "oMemberUsers" => None,
                "oActiveUsers" if on => None,
                "oOnQueueUsers" if on => Some(routing.as_str()),
                "oOffQueueUsers" if !on => Some(system.as_str()),
                "oUserPresences" => Some(system.as_str()),
                "oUserRoutingStatuses" => Some(routing.as_str()),
                _ => continue,
            };
            match counts.iter_mut().find(|(known, _)| *known == qualifier) {
                Some((_, count)) => *count += 1,
                None => counts.push((qualifier, 1)),
            }
        }
        counts.sort_unstable();
        for (qualifier, count) in counts {
            let mut entry = json!({ "metric": metric, "stats": { "count": count } });
            if let (Some(entry), Some(qualifier)) = (entry.as_object_mut(), qualifier) {
                entry.insert("qualifier".into(), qualifier.into());
            }
            data.push(entry);
        }
    }
    Ok(data)
}
