//! The visible world, counted without any filter of a request: evidence beside the answers of a proxy.
//!
//! Somebody else decides which legs are visible and marks them; what is counted and evaluated here sees only
//! those. The division of a visible leg is that of its queue, else of its agent, as the directory has it now.

use super::{
    aggregates::within,
    condition::Lens,
    interval::Interval,
    jobs::Part,
    lists::Params,
    running::Sandbox,
    service::{Operation, Question, evaluate},
    sql::Sql,
    store::Store,
};
use jiff::Timestamp;
use rusqlite::{params, types::Value as Cell};
use serde_json::Value;
use std::sync::Arc;

/// Names a leg within its region.
pub type LegId = i64;

/// One leg as the store has it. Neither queue nor agent: an unowned part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegRow {
    pub id: LegId,
    pub conversation: String,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub purpose: String,
    pub media: String,
    pub direction: String,
    /// The division that the upstream tagged the leg with at its time.
    pub tagged: Option<String>,
}

/// What there is in a part of the visible world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub legs: i64,
    pub conversations: i64,
    pub offered: i64,
    pub connected: i64,
    pub handle_ms: i64,
    pub wait_ms: i64,
}

/// A side of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    Any,
    Only(Vec<String>),
    Except(Vec<String>),
}

/// Legs on one of `queues` with one of `agents` (`Any`: or with nobody), and legs without a queue of one of
/// `queueless` (`Only` of nothing: none of them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    pub queues: Pick,
    pub agents: Pick,
    pub queueless: Pick,
}

/// A question to the visible world that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox cannot tell: {0}")]
pub struct TruthError(String);

impl Sandbox {
    /// Every leg of a region, in the order of the store.
    pub fn legs(&self, region: &str) -> Result<Vec<LegRow>, TruthError> {
        let sql = Sql::text(
            "SELECT l.id, c.id, l.queue, l.agent, l.start, l.end, l.purpose, l.media, l.direction, l.division
             FROM legs l JOIN conversations c ON c.n = l.conversation ORDER BY l.id",
        );
        let time = |millis| Timestamp::from_millisecond(millis).unwrap_or_default();
        tell(self.store(region)?.rows(&sql, |row| {
            Ok(LegRow {
                id: row.get(0)?,
                conversation: row.get(1)?,
                queue: row.get(2)?,
                agent: row.get(3)?,
                start: time(row.get(4)?),
                end: time(row.get(5)?),
                purpose: row.get(6)?,
                media: row.get(7)?,
                direction: row.get(8)?,
                tagged: row.get(9)?,
            })
        }))
    }

    /// Divisions that the upstream tags a conversation with.
    pub fn tags(&self, region: &str, conversation: &str) -> Result<Vec<String>, TruthError> {
        let sql = Sql::with(
            "SELECT t.division FROM tags t JOIN conversations c ON c.n = t.conversation WHERE c.id = ? ORDER BY 1",
            vec![Cell::Text(conversation.to_owned())],
        );
        tell(self.store(region)?.rows(&sql, |row| row.get(0)))
    }

    /// From now on exactly these legs of the region are the visible world. Unowned parts never are.
    pub fn mark_visible(&self, region: &str, legs: &[LegId]) -> Result<(), TruthError> {
        let list = Value::from(legs.to_vec()).to_string();
        let condition = Sql::with("l.id IN (SELECT value FROM json_each(?))", vec![Cell::Text(list)]);
        self.mark(region, &condition)
    }

    /// The same for the legs within any of these bounds.
    pub fn mark_bounds(&self, region: &str, bounds: &[Bounds]) -> Result<(), TruthError> {
        let one = |bounds: &Bounds| {
            let mut agents = pick("l.agent", &bounds.agents);
            if bounds.agents == Pick::Any {
                agents = Sql::always();
            }
            let queueless = Sql::all(vec![Sql::text("l.queue IS NULL"), pick("l.agent", &bounds.queueless)]);
            Sql::any(vec![Sql::all(vec![pick("l.queue", &bounds.queues), agents]), queueless])
        };
        self.mark(region, &Sql::any(bounds.iter().map(one).collect()))
    }

    /// From now on the legs on which these flows ran are the visible world, of the flow's own division.
    pub fn mark_flows(&self, region: &str, flows: &[String]) -> Result<(), TruthError> {
        self.mark_owned(region, "runs", &Sql::one_of("o.flow", flows))
    }

    /// The same for what cases of these divisions hang on.
    pub fn mark_cases(&self, region: &str, divisions: &[String]) -> Result<(), TruthError> {
        self.mark_owned(region, "cases", &Sql::one_of("o.division", divisions))
    }

    fn mark_owned(&self, region: &str, table: &str, condition: &Sql) -> Result<(), TruthError> {
        let store = self.store(region)?;
        let connection = store.connection();
        let insert =
            format!("INSERT INTO seen SELECT l.* FROM legs l JOIN {table} o ON o.leg = l.id WHERE {}", condition.text);
        let owner = format!("UPDATE seen SET division = (SELECT o.division FROM {table} o WHERE o.leg = seen.id)");
        let marked = connection
            .execute("DELETE FROM seen", params![])
            .and_then(|_| connection.execute(&insert, rusqlite::params_from_iter(&condition.values)))
            .and_then(|_| connection.execute(&owner, params![]));
        marked.map(|_| ()).map_err(|error| TruthError(error.to_string()))
    }

    fn mark(&self, region: &str, condition: &Sql) -> Result<(), TruthError> {
        let store = self.store(region)?;
        let connection = store.connection();
        let insert = format!(
            "INSERT INTO seen SELECT * FROM legs l WHERE (l.queue IS NOT NULL OR l.agent IS NOT NULL) AND ({})",
            condition.text
        );
        let marked = connection
            .execute("DELETE FROM seen", params![])
            .and_then(|_| connection.execute(&insert, rusqlite::params_from_iter(&condition.values)))
            .and_then(|_| {
                connection.execute(
                    "UPDATE seen SET division = coalesce((SELECT q.division FROM queues q WHERE q.id = seen.queue),
                     (SELECT u.division FROM users u WHERE u.id = seen.agent))",
                    params![],
                )
            });
        marked.map(|_| ()).map_err(|error| TruthError(error.to_string()))
    }

    /// Counts the visible legs that an interval holds whole.
    pub fn count(&self, region: &str, from: Timestamp, until: Timestamp) -> Result<Counts, TruthError> {
        let interval = Interval { from: from.as_millisecond(), until: until.as_millisecond() };
        let sql = within(Lens::visible(), interval).around(
            "SELECT count(*), count(DISTINCT l.conversation), coalesce(sum(l.offered), 0), coalesce(sum(l.connected), 0),
             coalesce(sum(l.handle), 0), coalesce(sum(l.wait), 0) FROM seen l WHERE ",
            "",
        );
        let rows = tell(self.store(region)?.rows(&sql, |row| {
            Ok(Counts {
                legs: row.get(0)?,
                conversations: row.get(1)?,
                offered: row.get(2)?,
                connected: row.get(3)?,
                handle_ms: row.get(4)?,
                wait_ms: row.get(5)?,
            })
        }))?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// The asked query over the visible world, as if the rest did not exist. For the analytics queries about
    /// interactions; divisions mean those of the legs.
    pub fn evaluate_visible(&self, region: &str, path: &str, body: &Value) -> Result<Value, TruthError> {
        self.evaluate_through(region, path, body, Lens::visible())
    }

    /// The asked query over everything, as the upstream answers it, without HTTP and disobedience.
    pub fn evaluate(&self, region: &str, path: &str, body: &Value) -> Result<Value, TruthError> {
        self.evaluate_through(region, path, body, Lens::whole(self.traits()))
    }

    fn evaluate_through(&self, region: &str, path: &str, body: &Value, lens: Lens) -> Result<Value, TruthError> {
        let (operation, id) = Operation::of("POST", path).ok_or_else(|| TruthError(format!("`{path}` is no query")))?;
        let (operation, lens) = match operation {
            Operation::Job(Part::Submit(asked)) => {
                let asked = asked.operation().ok_or_else(|| TruthError(format!("`{path}` is no query")))?;
                (asked, Lens { job: true, ..lens })
            }
            operation => (operation, lens),
        };
        let question = Question {
            operation,
            id: id.to_owned(),
            params: Params::default(),
            body: body.clone(),
            client: String::new(),
            address: String::new(),
        };
        tell(evaluate(self.store(region)?, lens, &question))
    }

    pub(super) fn store(&self, region: &str) -> Result<&Arc<Store>, TruthError> {
        let found = self.service.stores.iter().find(|store| store.region == region);
        found.ok_or_else(|| TruthError(format!("there is no region `{region}`")))
    }
}

pub(super) fn tell<T>(answer: Result<T, super::problem::Problem>) -> Result<T, TruthError> {
    answer.map_err(|problem| TruthError(problem.to_string()))
}

fn pick(expression: &str, pick: &Pick) -> Sql {
    match pick {
        Pick::Any => Sql::text(format!("{expression} IS NOT NULL")),
        Pick::Only(ids) => Sql::one_of(expression, ids),
        Pick::Except(ids) => Sql::one_of(expression, ids).around(&format!("({expression} IS NOT NULL AND NOT "), ")"),
    }
}
