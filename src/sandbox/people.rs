//! What can be read of one person: `GET /api/v2/users/{userId}/...`.

use super::{interval::show, problem::Problem, sql::Sql, store::Store};
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
