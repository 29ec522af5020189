//! Conversations as rows of answers, whole: every participant, evaluation and survey.

use super::{condition::Lens, interval::show, problem::Problem, sql::Sql, store::Store};
use rusqlite::{Row, types::Value as Cell};
use serde_json::{Map, Value, json};

/// The rows of a details query, in the order given.
pub(super) fn details(store: &Store, lens: Lens, numbers: &[i64]) -> Result<Vec<Value>, Problem> {
    numbers.iter().filter_map(|number| one(store, lens, *number).transpose()).collect()
}

/// The conversation of this id with all of its legs.
pub(super) fn whole(store: &Store, id: &str) -> Result<Option<Value>, Problem> {
    let number = Sql::with("SELECT n FROM conversations WHERE id = ?", vec![Cell::Text(id.to_owned())]);
    let number = store.rows(&number, |row| row.get::<_, i64>(0))?.into_iter().next();
    let lens = Lens::whole(super::traits::Traits::default());
    number.map_or(Ok(None), |number| one(store, lens, number))
}

fn one(store: &Store, lens: Lens, number: i64) -> Result<Option<Value>, Problem> {
    let head = Sql::with(
        "SELECT id, start, end, originating, mos FROM conversations WHERE n = ?",
        vec![Cell::Integer(number)],
    );
    let head = store.rows(&head, |row| {
        Ok(json!({
            "conversationId": row.get::<_, String>(0)?, "conversationStart": show(row.get(1)?), "conversationEnd": show(row.get(2)?),
            "originatingDirection": row.get::<_, String>(3)?, "mediaStatsMinConversationMos": row.get::<_, f64>(4)?,
        }))
    })?;
    let Some(Value::Object(mut shown)) = head.into_iter().next() else {
        return Ok(None);
    };
    shown.insert("divisionIds".into(), divisions(store, lens, number)?.into());
    shown.insert("participants".into(), participants(store, lens, number)?.into());
    let seen = if lens.is_visible_world() { " AND leg IN (SELECT id FROM seen)" } else { "" };
    let of = |columns: &str, table: &str| {
        Sql::with(
            format!("SELECT {columns} FROM {table} WHERE conversation = ?{seen} ORDER BY leg"),
            vec![Cell::Integer(number)],
        )
    };
    let evaluations = store.rows(&of("id, evaluator, queue, agent, score", "evaluations"), |row| {
        let ids = [("evaluationId", 0), ("evaluatorId", 1), ("queueId", 2), ("userId", 3)];
        object(row, &ids, json!({ "oTotalScore": row.get::<_, i64>(4)? }))
    })?;
    let surveys = store.rows(&of("id, status, queue, agent, score", "surveys"), |row| {
        let ids = [("surveyId", 0), ("surveyStatus", 1), ("queueId", 2), ("userId", 3)];
        object(row, &ids, json!({ "oSurveyTotalScore": row.get::<_, i64>(4)? }))
    })?;
    for (member, list) in [("evaluations", evaluations), ("surveys", surveys)] {
        if !list.is_empty() {
            shown.insert(member.into(), list.into());
        }
    }
    Ok(Some(Value::Object(shown)))
}

/// Tags of the conversation, or of what is seen of it.
pub(super) fn divisions(store: &Store, lens: Lens, number: i64) -> Result<Vec<String>, Problem> {
    let table = if lens.is_visible_world() { "seen" } else { "tags" };
    let sql = Sql::with(
        format!("SELECT DISTINCT division FROM {table} WHERE conversation = ? AND division IS NOT NULL ORDER BY 1"),
        vec![Cell::Integer(number)],
    );
    store.rows(&sql, |row| row.get(0))
}

/// Members that have a value, then those of `rest`.
fn object(row: &Row<'_>, ids: &[(&str, usize)], rest: Value) -> rusqlite::Result<Value> {
    let mut shown = Map::new();
    for (name, place) in ids {
        if let Some(value) = row.get::<_, Option<String>>(*place)? {
            shown.insert((*name).to_owned(), value.into());
        }
    }
    if let Value::Object(rest) = rest {
        shown.extend(rest);
    }
    Ok(Value::Object(shown))
}

const METRICS: [(&str, usize); 10] = [
    ("nOffered", 13),
    ("nConnected", 14),
    ("nTransferred", 15),
    ("tHandle", 16),
    ("tTalk", 17),
    ("tHeld", 18),
    ("tAcw", 19),
    ("tWait", 20),
    ("tAbandon", 21),
    ("tAnswered", 22),
];

/// Sessions of one participant by their numbers.
type Sessions = Vec<(i64, Value)>;

/// Unowned parts follow the interaction even where only some of its legs are seen.
fn participants(store: &Store, lens: Lens, number: i64) -> Result<Vec<Value>, Problem> {
    let seen = if lens.is_visible_world() {
        " AND (l.id IN (SELECT id FROM seen) OR (l.queue IS NULL AND l.agent IS NULL))"
    } else {
        ""
    };
    let sql = Sql::with(
        format!(
            "SELECT l.participant, l.session, l.queue, l.agent, l.start, l.end, l.purpose, l.media, l.direction, l.wrapup, l.ani, l.dnis, u.name,
             l.offered, l.connected, l.transferred, l.handle, l.talk, l.hold, l.acw, l.wait, l.abandon, l.answered
             FROM legs l LEFT JOIN users u ON u.id = l.agent WHERE l.conversation = ?{seen} ORDER BY l.participant, l.session, l.no"
        ),
        vec![Cell::Integer(number)],
    );
    let rows = store.rows(&sql, |row| {
        let parts = (participant(row, number)?, session(row, number)?, segment(row)?, metrics(row)?);
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, parts))
    })?;
    let mut people: Vec<(i64, Map<String, Value>, Sessions)> = Vec::new();
    for (person, session_number, (head, session, segment, metrics)) in rows {
        if people.last().is_none_or(|(last, ..)| *last != person) {
            people.push((person, head, Vec::new()));
        }
        let Some((_, _, sessions)) = people.last_mut() else {
            continue;
        };
        if sessions.last().is_none_or(|(last, _)| *last != session_number) {
            sessions.push((session_number, session));
        }
        let Some((_, session)) = sessions.last_mut() else {
            continue;
        };
        for (member, values) in [("segments", vec![segment]), ("metrics", metrics)] {
            if let Some(list) = session.get_mut(member).and_then(Value::as_array_mut) {
                list.extend(values);
            }
        }
    }
    let whole = |(_, mut head, sessions): (i64, Map<String, Value>, Sessions)| {
        head.insert("sessions".into(), sessions.into_iter().map(|(_, session)| session).collect());
        Value::Object(head)
    };
    Ok(people.into_iter().map(whole).collect())
}

fn participant(row: &Row<'_>, conversation: i64) -> rusqlite::Result<Map<String, Value>> {
    let mut head = Map::new();
    head.insert("participantId".into(), format!("p-{conversation}-{}", row.get::<_, i64>(0)?).into());
    head.insert("purpose".into(), row.get::<_, String>(6)?.into());
    if let Some(agent) = row.get::<_, Option<String>>(3)? {
        head.insert("userId".into(), agent.into());
    }
    if let Some(name) = row.get::<_, Option<String>>(12)? {
        head.insert("participantName".into(), name.into());
    }
    Ok(head)
}

fn session(row: &Row<'_>, conversation: i64) -> rusqlite::Result<Value> {
    Ok(json!({
        "sessionId": format!("s-{conversation}-{}", row.get::<_, i64>(1)?), "mediaType": row.get::<_, String>(7)?,
        "direction": row.get::<_, String>(8)?, "ani": row.get::<_, String>(10)?, "dnis": row.get::<_, String>(11)?,
        "segments": [], "metrics": [],
    }))
}

fn segment(row: &Row<'_>) -> rusqlite::Result<Value> {
    let kind = if row.get::<_, String>(6)? == "ivr" { "ivr" } else { "interact" };
    let times = json!({ "segmentStart": show(row.get(4)?), "segmentEnd": show(row.get(5)?), "segmentType": kind, "conference": false });
    object(row, &[("queueId", 2), ("wrapUpCode", 9)], times)
}

fn metrics(row: &Row<'_>) -> rusqlite::Result<Vec<Value>> {
    let emitted = show(row.get(5)?);
    let mut all = Vec::new();
    for (name, place) in METRICS {
        let value = row.get::<_, Option<i64>>(place)?.filter(|value| *value > 0 || name.starts_with('t'));
        all.extend(value.map(|value| json!({ "name": name, "value": value, "emitDate": emitted })));
    }
    Ok(all)
}

/// The conversation of this id, each leg as one participant; `None`: no such conversation.
pub(super) fn by_id(store: &Store, id: &str) -> Result<Option<Value>, Problem> {
    let head = Sql::with("SELECT n, start, end FROM conversations WHERE id = ?", vec![Cell::Text(id.to_owned())]);
    let head = store.rows(&head, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
    let Some((number, start, end)) = head.into_iter().next() else {
        return Ok(None);
    };
    let lens = Lens::whole(super::traits::Traits::default());
    let division = |id: String| json!({ "division": { "id": id, "selfUri": format!("/api/v2/authorization/divisions/{id}") }, "entities": [] });
    let parts = Sql::with(
        "SELECT l.no, l.purpose, l.agent, u.name, l.queue, l.start, l.end, l.ani, l.dnis, l.wrapup
         FROM legs l LEFT JOIN users u ON u.id = l.agent WHERE l.conversation = ? ORDER BY l.no",
        vec![Cell::Integer(number)],
    );
    let participants = store.rows(&parts, |row| {
        let times = json!({ "id": format!("p-{number}-leg-{}", row.get::<_, i64>(0)?), "startTime": show(row.get(5)?), "endTime": show(row.get(6)?) });
        object(row, &[("purpose", 1), ("userId", 2), ("name", 3), ("queueId", 4), ("ani", 7), ("dnis", 8)], times)
    })?;
    Ok(Some(json!({
        "id": id, "startTime": show(start), "endTime": show(end), "participants": participants,
        "divisions": divisions(store, lens, number)?.into_iter().map(division).collect::<Vec<_>>(),
        "selfUri": format!("/api/v2/conversations/{id}"),
    })))
}

/// The same, with the queue and the person of a participant as objects.
pub(super) fn of_medium(store: &Store, id: &str) -> Result<Option<Value>, Problem> {
    let mut whole = by_id(store, id)?;
    let participants = whole.as_mut().and_then(|whole| whole.get_mut("participants")?.as_array_mut());
    for participant in participants.into_iter().flatten().filter_map(Value::as_object_mut) {
        for (flat, nested) in [("userId", "user"), ("queueId", "queue")] {
            if let Some(id) = participant.remove(flat) {
                participant.insert(nested.to_owned(), json!({ "id": id, "selfUri": "/api/v2/unlisted" }));
            }
        }
        participant.insert("attributes".to_owned(), json!({ "account": "of the customer" }));
    }
    if let Some(whole) = whole.as_mut().and_then(Value::as_object_mut) {
        whole.insert("otherMediaUris".to_owned(), json!([format!("https://elsewhere.example/{id}")]));
    }
    Ok(whole)
}
