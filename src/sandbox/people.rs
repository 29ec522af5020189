//! What can be read of one person: `GET /api/v2/users/{userId}/...`.

use super::queue_observations::PRESENT;
use super::{condition::Lens, dimension::Level, filter, interval::show, problem::Problem, sql::Sql, store::Store};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    RoutingStatus,
    Presence,
    State,
    Profile,
    OutOfOffice,
}

pub(super) const PARTS: [(Part, &str); 5] = [
    (Part::RoutingStatus, "/routingstatus"),
    (Part::Presence, "/presences/purecloud"),
    (Part::State, "/state"),
    (Part::Profile, "/profile"),
    (Part::OutOfOffice, "/outofoffice"),
];

/// `POST /api/v2/analytics/agents/status/query`: everybody as he stands now, with the sessions of his last eight hours.
pub(super) fn states(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let filter = filter::optional(body, "userFilter")?;
    let order = body.get("userOrderBy").and_then(Value::as_str).unwrap_or("userName");
    let column = match order.to_ascii_lowercase().as_str() {
        "username" => "u.name",
        "presencedate" | "routingstatusdate" => "p.start",
        "systempresence" => "p.system",
        "routingstatus" => "p.routing",
        _ => "u.id",
    };
    let down = body.get("userOrder").and_then(Value::as_str).is_some_and(|order| order.eq_ignore_ascii_case("desc"));
    let sql = lens.condition(Level::AgentState, filter.as_ref())?.around(
        &format!(
            "SELECT u.id, u.name, u.division, p.system, p.routing, p.start FROM users u LEFT JOIN presence p ON p.user = u.id AND p.start <= {0} AND p.end > {0} WHERE u.active AND ",
            store.now
        ),
        &format!(" ORDER BY {column} {}, u.id", if down { "DESC" } else { "ASC" }),
    );
    let mut rows = store.rows(&sql, |row| {
        let since = row.get::<_, Option<i64>>(5)?.map(show);
        let system = row.get::<_, Option<String>>(3)?.unwrap_or_else(|| "OFFLINE".to_owned());
        let routing = row.get::<_, Option<String>>(4)?.unwrap_or_else(|| "OFF_QUEUE".to_owned());
        Ok(json!({
            "userId": row.get::<_, String>(0)?, "userName": row.get::<_, String>(1)?, "divisionId": row.get::<_, String>(2)?,
            "systemPresence": system, "presenceDate": since, "routingStatus": routing, "routingStatusDate": since,
            "isOutOfOffice": false,
        }))
    })?;
    for row in &mut rows {
        let sessions = Sql::with(
            "SELECT c.id, l.queue FROM legs l JOIN conversations c ON c.n = l.conversation WHERE l.agent = ? AND l.start >= ? ORDER BY l.id",
            vec![Cell::Text(row["userId"].as_str().unwrap_or_default().to_owned()), Cell::Integer(store.now - PRESENT)],
        );
        let sessions = store.rows(&sessions, |row| {
            Ok(json!({ "conversationId": row.get::<_, String>(0)?, "routedQueueId": row.get::<_, Option<String>>(1)? }))
        })?;
        row["sessionCount"] = json!(sessions.len());
        row["sessions"] = json!(sessions);
    }
    Ok(json!({ "entities": rows }))
}

pub(super) fn read(store: &Store, part: Part, id: &str) -> Result<Value, Problem> {
    let user = store.organisation.users.iter().find(|user| user.id == id).ok_or_else(Problem::not_found)?;
    let latest = Sql::with(
        "SELECT start, system, routing FROM presence WHERE user = ? AND start <= ? ORDER BY start DESC LIMIT 1",
        vec![Cell::Text(id.to_owned()), Cell::Integer(store.now)],
    );
    let latest =
        store.rows(&latest, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
    let (since, system, routing) =
        latest.into_iter().next().unwrap_or_else(|| (0, "OFFLINE".to_owned(), "OFF_QUEUE".to_owned()));
    let state = if user.active { "active" } else { "inactive" };
    let own = format!("/api/v2/users/{id}");
    Ok(match part {
        Part::RoutingStatus => json!({ "userId": id, "status": routing, "startTime": show(since) }),
        Part::Presence => json!({
            "id": id, "source": "PURECLOUD", "primary": true, "message": "", "modifiedDate": show(since),
            "presenceDefinition": {
                "id": format!("presence-{}", system.to_ascii_lowercase()), "systemPresence": system,
                "selfUri": "/api/v2/presencedefinitions",
            },
            "selfUri": format!("{own}/presences/PURECLOUD"),
        }),
        Part::State => json!({ "id": id, "state": state, "version": 1 }),
        Part::Profile => json!({
            "id": id, "name": user.shown(), "state": state, "dateModified": show(since), "version": 1,
            "addresses": [], "selfUri": format!("{own}/profile"),
        }),
        Part::OutOfOffice => json!({
            "id": format!("ooo-{id}"), "user": { "id": id, "name": user.shown(), "selfUri": own }, "active": false,
            "indefinite": false, "selfUri": format!("{own}/outofoffice"),
        }),
    })
}
