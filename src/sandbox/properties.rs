//! Properties that mark conversations: kept as they come. The upstream believes whoever holds its token, whatever the property,
//! and whichever interaction the session is of.

use super::{
    interval::instant,
    problem::Problem,
    running::Sandbox,
    sql::Sql,
    store::Store,
    truth::{TruthError, tell},
};
use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};

/// One mark as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub conversation: String,
    pub session: String,
    pub property: String,
    pub value: String,
}

impl Sandbox {
    /// Every mark of a region, in the order in which they were made.
    pub fn marks(&self, region: &str) -> Result<Vec<Mark>, TruthError> {
        let sql = Sql::text(
            "SELECT c.id, p.session, p.property, p.value FROM properties p JOIN conversations c ON c.n = p.conversation
             ORDER BY p.rowid",
        );
        tell(self.store(region)?.rows(&sql, |row| {
            Ok(Mark { conversation: row.get(0)?, session: row.get(1)?, property: row.get(2)?, value: row.get(3)? })
        }))
    }
}

/// The id of the conversation that a path marks.
pub(super) fn named(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/api/v2/analytics/conversations/")?.strip_suffix("/details/properties")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

pub(super) fn index(store: &Store, id: &str, body: &Value) -> Result<Value, Problem> {
    let text = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Problem::bad(format!("`{name}` is missing")))
    };
    let (session, date) = (text(body, "sessionId")?, text(body, "targetDate")?);
    let at = instant(&date).ok_or_else(|| Problem::date(&date))?;
    let connection = store.connection();
    let sql = "SELECT n FROM conversations WHERE id = ?";
    let found = connection.query_row(sql, params![id], |row| row.get::<_, i64>(0)).optional()?;
    let n = found.ok_or_else(Problem::not_found)?;
    let listed = body.get("properties").and_then(Value::as_array).filter(|list| !list.is_empty());
    for one in listed.ok_or_else(|| Problem::bad("`properties` has to list something"))? {
        let (property, kind, value) = (text(one, "property")?, text(one, "propertyType")?, text(one, "value")?);
        connection.execute(
            "INSERT INTO properties VALUES (?, ?, ?, ?, ?, ?)",
            params![n, session, at, property, kind, value],
        )?;
    }
    let mut shown = body.clone();
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("conversation".into(), json!({ "id": id, "name": "+15550199" }));
    }
    Ok(shown)
}
