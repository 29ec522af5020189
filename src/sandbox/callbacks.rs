//! Scheduled callbacks: made, moved, ended and read. Each is an interaction of its queue like any other.
//!
//! The upstream does what it is told by whoever holds its token: any queue of the region, any callback by its id.

use super::{
    interval::{instant, show},
    problem::Problem,
    running::Sandbox,
    sql::Sql,
    store::Store,
    truth::{TruthError, tell},
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params, types::Value as Cell};
use serde_json::{Map, Value, json};

/// What is done with callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Create,
    Reschedule,
    Update,
    Disconnect,
    Read,
}

const ROOT: &str = "/api/v2/conversations/callbacks";

impl Part {
    /// What a request does, and the id that ends its path.
    pub(super) fn of<'p>(method: &str, path: &'p str) -> Option<(Self, &'p str)> {
        let rest = path.strip_prefix(ROOT)?;
        let part = match (method, rest) {
            ("POST", "") => Self::Create,
            ("PATCH", "") => Self::Reschedule,
            ("POST", "/bulk/update") => Self::Update,
            ("POST", "/bulk/disconnect") => Self::Disconnect,
            ("GET", rest) => {
                let id = rest.strip_prefix('/').filter(|id| !id.is_empty() && !id.contains('/'))?;
                return Some((Self::Read, id));
            }
            _ => return None,
        };
        Some((part, ""))
    }

    pub(super) fn status(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Disconnect => 204,
            Self::Reschedule | Self::Update | Self::Read => 200,
        }
    }
}

/// One scheduled callback as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub conversation: String,
    pub queue: String,
    pub agent: Option<String>,
    pub scheduled: Option<Timestamp>,
    pub numbers: String,
    pub ended: bool,
}

impl Sandbox {
    /// Every scheduled callback of a region, in the order in which they were made.
    pub fn callbacks(&self, region: &str) -> Result<Vec<Callback>, TruthError> {
        let sql = Sql::text(
            "SELECT c.id, l.queue, b.agent, b.scheduled, b.numbers, b.ended FROM callbacks b JOIN conversations c ON c.n = b.conversation
             JOIN legs l ON l.conversation = c.n AND l.queue IS NOT NULL AND l.agent IS NULL ORDER BY c.n",
        );
        let time = |millis: Option<i64>| millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        tell(self.store(region)?.rows(&sql, |row| {
            Ok(Callback {
                conversation: row.get(0)?,
                queue: row.get(1)?,
                agent: row.get(2)?,
                scheduled: time(row.get(3)?),
                numbers: row.get(4)?,
                ended: row.get(5)?,
            })
        }))
    }

    /// Schedules a callback behind everybody's back; gives the id of its interaction. With `worker` somebody has already worked
    /// on it, for a queue or for none.
    pub fn schedule(
        &self,
        region: &str,
        queue: &str,
        worker: Option<(Option<&str>, &str)>,
    ) -> Result<String, TruthError> {
        let store = self.store(region)?;
        let body = json!({ "queueId": queue, "callbackNumbers": ["+15550199"] });
        let made = tell(create(store, &body))?;
        let id = made.pointer("/conversation/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some((queue, agent)) = worker {
            tell(work(store, &id, queue, agent))?;
        }
        Ok(id)
    }
}

pub(super) fn answer(store: &Store, part: Part, id: &str, body: &Value) -> Result<Value, Problem> {
    let list = |name: &str| {
        let items = body.get(name).and_then(Value::as_array).filter(|items| !items.is_empty());
        items.ok_or_else(|| Problem::bad(format!("`{name}` has to list something")))
    };
    match part {
        Part::Create => create(store, body),
        Part::Reschedule => change(store, body),
        Part::Update => {
            let results: Vec<_> = list("patchCallbackRequests")?.iter().map(|one| change(store, one)).collect();
            let failed: Vec<_> = results.iter().enumerate().filter(|(_, one)| one.is_err()).map(|(at, _)| at).collect();
            let shown = results.into_iter().map(|one| match one {
                Ok(entity) => json!({ "entity": entity }),
                Err(problem) => json!({ "error": { "code": "bad.request", "message": problem.to_string() } }),
            });
            Ok(json!({ "results": shown.collect::<Vec<_>>(), "errorCount": failed.len(), "errorIndexes": failed }))
        }
        Part::Disconnect => {
            for one in list("callbackDisconnectIdentifiers")? {
                end(store, one)?;
            }
            Ok(Value::Null)
        }
        Part::Read => read(store, id),
    }
}

fn text<'b>(body: &'b Value, name: &str) -> Option<&'b str> {
    body.get(name).and_then(Value::as_str)
}

fn scheduled(body: &Value) -> Result<Option<i64>, Problem> {
    text(body, "callbackScheduledTime").map(|text| instant(text).ok_or_else(|| Problem::date(text))).transpose()
}

/// The division of a queue of this region.
fn division(store: &Store, queue: &str) -> Result<String, Problem> {
    let known = store.organisation.queues.iter().find(|one| one.id == queue && one.state() != "deleted");
    known.map(|one| one.division.clone()).ok_or_else(|| Problem::value("`queueId` is no queue"))
}

fn numbers(body: &Value) -> Option<String> {
    body.get("callbackNumbers").filter(|list| list.is_array()).map(Value::to_string)
}

fn create(store: &Store, body: &Value) -> Result<Value, Problem> {
    let queue = text(body, "queueId").ok_or_else(|| Problem::bad("`queueId` is missing"))?;
    let (division, time) = (division(store, queue)?, scheduled(body)?);
    let called = numbers(body).ok_or_else(|| Problem::bad("`callbackNumbers` is missing"))?;
    let connection = store.connection();
    let next = |table: &str, column: &str| {
        connection
            .query_row(&format!("SELECT coalesce(max({column}), 0) + 1 FROM {table}"), [], |row| row.get::<_, i64>(0))
    };
    let (n, leg) = (next("conversations", "n")?, next("legs", "id")?);
    let id = format!("cb-{}-{n}", store.region);
    connection.execute(
        "INSERT INTO conversations VALUES (?, ?, ?, ?, 'outbound', 4.0)",
        params![n, id, store.now, store.now],
    )?;
    let insert = "INSERT INTO legs (id, conversation, no, participant, session, queue, division, start, end, purpose, media, direction, ani, dnis)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'callback', 'outbound', '+15550199', '+18000000000')";
    let none = None::<&str>;
    connection.execute(insert, params![leg, n, 0, 1, 1, none, none, store.now, store.now, "customer"])?;
    connection.execute(insert, params![leg + 1, n, 1, 2, 2, queue, division, store.now, store.now, "acd"])?;
    connection.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", params![n, division])?;
    let name = text(body, "callbackUserName");
    connection.execute("INSERT INTO callbacks VALUES (?, ?, ?, ?, NULL, 0)", params![n, time, called, name])?;
    Ok(named(&id, n))
}

/// What an answer says of a callback; everything that an upstream says beside.
fn named(id: &str, n: i64) -> Value {
    json!({
        "conversation": { "id": id, "name": "+15550199", "selfUri": format!("/api/v2/conversations/{id}") },
        "callbackIdentifiers": [{ "type": "ACD", "id": format!("s-{n}-2") }],
    })
}

/// The number of a callback that was not ended.
fn open(store: &Store, body: &Value) -> Result<(String, i64), Problem> {
    let id = text(body, "conversationId").ok_or_else(|| Problem::bad("`conversationId` is missing"))?;
    let sql = "SELECT c.n FROM conversations c JOIN callbacks b ON b.conversation = c.n WHERE c.id = ? AND NOT b.ended";
    let found = store.connection().query_row(sql, params![id], |row| row.get(0)).optional()?;
    found.map(|n| (id.to_owned(), n)).ok_or_else(Problem::not_found)
}

fn change(store: &Store, body: &Value) -> Result<Value, Problem> {
    let (id, n) = open(store, body)?;
    let (time, called) = (scheduled(body)?, numbers(body));
    let moved = text(body, "queueId").map(|queue| division(store, queue).map(|place| (queue, place))).transpose()?;
    let agent = text(body, "agentId");
    if agent.is_some_and(|agent| store.organisation.users.iter().all(|user| user.id != agent)) {
        return Err(Problem::value("`agentId` is no user"));
    }
    let connection = store.connection();
    connection.execute(
        "UPDATE callbacks SET scheduled = coalesce(?, scheduled), numbers = coalesce(?, numbers), agent = coalesce(?, agent)
         WHERE conversation = ?",
        params![time, called, agent, n],
    )?;
    if let Some((queue, division)) = moved {
        let sql =
            "UPDATE legs SET queue = ?, division = ? WHERE conversation = ? AND queue IS NOT NULL AND agent IS NULL";
        connection.execute(sql, params![queue, division, n])?;
        connection.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", params![n, division])?;
    }
    Ok(named(&id, n))
}

/// Which of its sessions is named is believed: the one that belongs to another callback ends that one.
fn end(store: &Store, body: &Value) -> Result<(), Problem> {
    let (_, n) = open(store, body)?;
    let session = text(body, "callbackId").and_then(|id| id.strip_prefix("s-")?.split('-').next()?.parse::<i64>().ok());
    let sql = "UPDATE callbacks SET ended = 1 WHERE conversation = ?";
    store.connection().execute(sql, params![session.unwrap_or(n)])?;
    Ok(())
}

fn work(store: &Store, id: &str, queue: Option<&str>, agent: &str) -> Result<(), Problem> {
    let place = queue.map(|queue| division(store, queue)).transpose()?;
    let own = store.organisation.users.iter().find(|user| user.id == agent).map(|user| user.division.clone());
    store.connection().execute(
        "INSERT INTO legs (id, conversation, no, participant, session, queue, agent, division, start, end, purpose, media, direction, ani, dnis)
         SELECT (SELECT max(id) + 1 FROM legs), n, 2, 3, 3, ?, ?, ?, ?, ?, 'agent', 'callback', 'outbound', '+15550199', '+18000000000'
         FROM conversations WHERE id = ?",
        params![queue, agent, place.or(own), store.now, store.now, id],
    )?;
    Ok(())
}

/// `GET /api/v2/conversations/callbacks/{conversationId}`: people and queues are objects of their own.
fn read(store: &Store, id: &str) -> Result<Value, Problem> {
    let sql = Sql::with(
        "SELECT l.participant, l.purpose, l.queue, q.name, l.agent, u.name, l.start, l.end, l.ani, b.numbers, b.name, b.scheduled
         FROM conversations c JOIN legs l ON l.conversation = c.n LEFT JOIN queues q ON q.id = l.queue
         LEFT JOIN users u ON u.id = l.agent LEFT JOIN callbacks b ON b.conversation = c.n
         WHERE c.id = ? ORDER BY l.no",
        vec![Cell::Text(id.to_owned())],
    );
    let participants = store.rows(&sql, |row| {
        let mut shown = Map::new();
        shown.insert("id".into(), format!("p-{}", row.get::<_, i64>(0)?).into());
        shown.insert("purpose".into(), row.get::<_, String>(1)?.into());
        for (name, list, at) in [("queue", "routing/queues", 2), ("user", "users", 4)] {
            if let Some(id) = row.get::<_, Option<String>>(at)? {
                let uri = format!("/api/v2/{list}/{id}");
                shown.insert(
                    name.into(),
                    json!({ "id": id, "name": row.get::<_, Option<String>>(at + 1)?, "selfUri": uri }),
                );
            }
        }
        shown.insert("startTime".into(), show(row.get(6)?).into());
        shown.insert("endTime".into(), show(row.get(7)?).into());
        shown.insert("address".into(), row.get::<_, Option<String>>(8)?.into());
        let numbers = row.get::<_, Option<String>>(9)?.and_then(|text| text.parse::<Value>().ok());
        shown.insert("callbackNumbers".into(), numbers.unwrap_or_default());
        shown.insert("callbackUserName".into(), row.get::<_, Option<String>>(10)?.into());
        shown.insert("callbackScheduledTime".into(), row.get::<_, Option<i64>>(11)?.map(show).into());
        shown.insert("attributes".into(), json!({ "account": "of the customer" }));
        Ok(Value::Object(shown))
    })?;
    if participants.is_empty() {
        return Err(Problem::not_found());
    }
    Ok(
        json!({ "id": id, "participants": participants, "selfUri": format!("{ROOT}/{id}"), "otherMediaUris": [format!("https://elsewhere.example/{id}")] }),
    )
}
