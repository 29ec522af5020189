//! Queries as SQL. A clause holds or it does not: what is unknown does not, and so its negation holds.

use super::field;
use crate::sandbox::{
    interval::{instant, relative},
    problem::Problem,
    sql::Sql,
};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value};

pub(super) fn clause(query: &Value, now: i64) -> Result<Sql, Problem> {
    let (kind, inner) = only(query)?;
    let known = match kind {
        "match_all" => Sql::always(),
        "bool" => bool(inner, now)?,
        "exists" => {
            let name = inner["field"].as_str().ok_or_else(|| Problem::bad("[exists] needs a field"))?;
            // a field that no document has is no mistake here
            field(name).map_or_else(Sql::never, |(expression, _)| Sql::text(format!("{expression} IS NOT NULL")))
        }
        "term" => {
            let (name, value) = only(inner)?;
            equal(name, std::slice::from_ref(value.get("value").unwrap_or(value)))?
        }
        "terms" => {
            let (name, values) = only(inner)?;
            equal(name, values.as_array().ok_or_else(|| Problem::bad("[terms] needs a list"))?)?
        }
        "range" => range(inner, now)?,
        other => return Err(Problem::bad(format!("unknown query [{other}]"))),
    };
    Ok(known.around("coalesce(", ", 0)"))
}

const KNOWN: [&str; 5] = ["must", "filter", "should", "must_not", "minimum_should_match"];

fn bool(inner: &Value, now: i64) -> Result<Sql, Problem> {
    let members = inner.as_object().ok_or_else(|| Problem::bad("[bool] is no object"))?;
    let group = |key: &str| -> Result<Vec<Sql>, Problem> {
        match members.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(clauses)) => clauses.iter().map(|one| clause(one, now)).collect(),
            Some(one) => Ok(vec![clause(one, now)?]),
        }
    };
    if let Some((name, _)) = members.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(Problem::bad(format!("[bool] does not support [{name}]")));
    }
    let mut all = group("must")?;
    all.extend(group("filter")?);
    let should = group("should")?;
    let least = match members.get("minimum_should_match") {
        None => usize::from(all.is_empty() && !should.is_empty()),
        Some(Value::Number(number)) => number.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0),
        Some(Value::String(text)) => text.parse().map_err(|_| Problem::bad("bad [minimum_should_match]"))?,
        Some(_) => return Err(Problem::bad("bad [minimum_should_match]")),
    };
    match least {
        0 => {}
        1 => all.push(Sql::any(should)),
        least => {
            let mut sum = Sql::text("(0");
            for one in &should {
                sum.push_text(" + ");
                sum.push(one);
            }
            all.push(sum.around("", &format!(" >= {least})")));
        }
    }
    all.extend(group("must_not")?.into_iter().map(|one| one.around("NOT ", "")));
    Ok(Sql::all(all))
}

fn equal(name: &str, values: &[Value]) -> Result<Sql, Problem> {
    let Some((expression, time)) = field(name) else { return Ok(Sql::never()) };
    let mut parts = Vec::new();
    let mut texts = Vec::new();
    for value in values {
        match value {
            Value::String(text) if time => {
                let at = instant(text).ok_or_else(|| Problem::date(text))?;
                parts.push(Sql::with(format!("{expression} = ?"), vec![Cell::Integer(at)]));
            }
            Value::String(text) => texts.push(text.clone()),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                parts.push(Sql::with(format!("{expression} = ?"), vec![Cell::Real(number)]));
            }
            _ => return Err(Problem::bad(format!("bad value for [{name}]"))),
        }
    }
    parts.push(Sql::one_of(expression, &texts));
    Ok(Sql::any(parts))
}

fn range(inner: &Value, now: i64) -> Result<Sql, Problem> {
    let (name, bounds) = only(inner)?;
    let Some((expression, time)) = field(name) else { return Ok(Sql::never()) };
    let none = Map::new();
    let mut parts = Vec::new();
    for (key, value) in bounds.as_object().unwrap_or(&none) {
        let sign = match key.as_str() {
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            other => return Err(Problem::bad(format!("[range] does not support [{other}]"))),
        };
        let cell = match value {
            Value::String(text) if time => Cell::Integer(relative(text, now).ok_or_else(|| Problem::date(text))?),
            Value::String(text) => Cell::Text(text.clone()),
            Value::Number(number) => Cell::Real(number.as_f64().unwrap_or_default()),
            _ => return Err(Problem::bad(format!("bad bound for [{name}]"))),
        };
        parts.push(Sql::with(format!("{expression} {sign} ?"), vec![cell]));
    }
    parts.push(Sql::text(format!("{expression} IS NOT NULL")));
    Ok(Sql::all(parts))
}

/// The one member of an object.
pub(super) fn only(value: &Value) -> Result<(&str, &Value), Problem> {
    let members = value.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.iter().next());
    member.map(|(name, value)| (name.as_str(), value)).ok_or_else(|| Problem::bad("one member was due"))
}
