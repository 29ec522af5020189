//! Facets of a details query: how many of the conversations found have each value, in any of their legs.

use super::{
    condition::Lens,
    dimension::{Column, Level, dimension},
    problem::Problem,
    sql::Sql,
    store::Store,
};
use serde_json::{Value, json};

/// `matching` is `FROM conversations c WHERE ...`.
pub(super) fn count(store: &Store, lens: Lens, body: &Value, matching: &Sql) -> Result<Option<Value>, Problem> {
    let asked = match body.get("aggregations") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(asked)) => asked,
        Some(_) => return Err(Problem::bad("`aggregations` must be an array")),
    };
    asked
        .iter()
        .map(|facet| one(store, lens, facet, matching))
        .collect::<Result<Vec<_>, _>>()
        .map(|all| Some(all.into()))
}

fn one(store: &Store, lens: Lens, facet: &Value, matching: &Sql) -> Result<Value, Problem> {
    let text = |key: &str| facet.get(key).and_then(Value::as_str).unwrap_or_default();
    if !text("type").eq_ignore_ascii_case("termFrequency") {
        return Err(Problem::value(format!("`{}` is no facet that is supported here", text("type"))));
    }
    let unknown = || Problem::value(format!("`{}` is no dimension of a facet", text("dimension")));
    let found =
        dimension(Level::Segment, text("dimension")).or_else(|| dimension(Level::Conversation, text("dimension")));
    let (name, column) = found.ok_or_else(unknown)?;
    let size = facet.get("size").and_then(Value::as_i64).unwrap_or(10).clamp(1, 1_000);
    let table = lens.legs;
    let parts = match column {
        Column::Division if lens.is_visible_world() => "d.division FROM seen d WHERE d.conversation".to_owned(),
        Column::Division => "d.division FROM tags d WHERE d.conversation".to_owned(),
        Column::Text(expression) | Column::Enum(expression) if expression.starts_with("l.") => {
            format!("{expression} FROM {table} l WHERE l.conversation")
        }
        Column::Text(expression) | Column::Enum(expression) => {
            format!("{expression} FROM conversations c WHERE c.n")
        }
        Column::Instant(_) | Column::Number(_) | Column::CaseDivision => return Err(unknown()),
        Column::Empty => "NULL FROM conversations c WHERE c.n".to_owned(),
    };
    let (value, from) = parts.split_once(" FROM ").unwrap_or((&parts, ""));
    let key = from.rsplit(' ').next().unwrap_or_default();
    let sql = matching.clone().around(
        &format!("SELECT {value} AS value, count(DISTINCT {key}) AS hits FROM {from} IN (SELECT c.n "),
        &format!(") AND {value} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {size}"),
    );
    let rows =
        store.rows(&sql, |row| Ok(json!({ "value": row.get::<_, String>(0)?, "count": row.get::<_, i64>(1)? })))?;
    Ok(json!({ "type": "termFrequency", "dimension": name, "results": rows }))
}
