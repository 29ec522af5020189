//! `POST /api/v2/analytics/query`: the report-definition API of the guides.
//!
//! Its words are case-sensitive, its filters nest and negate. A negated test holds where the value is missing.

use super::{
    aggregates::within,
    attribute,
    condition::Lens,
    dimension::{Column, Level},
    interval::{Interval, relative, show},
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};

pub(super) fn query(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let query =
        body.get("query").filter(|query| query.is_object()).ok_or_else(|| Problem::bad("`query` is missing"))?;
    let bound = |key: &str| {
        let text = query.get(key).and_then(Value::as_str).ok_or_else(|| Problem::bad(format!("`{key}` is missing")))?;
        relative(text, store.now).ok_or_else(|| Problem::date(text))
    };
    let interval = Interval { from: bound("dateFrom")?, until: bound("dateTo")? };
    if interval.from >= interval.until {
        return Err(Problem::constraint("`dateFrom` is not before `dateTo`"));
    }
    let mut conditions = vec![within(lens, interval)];
    if let Some(filter) = query.get("filter").filter(|filter| !filter.is_null()) {
        conditions.push(read(store, lens, filter, 0)?);
    }
    match body.get("divisionId") {
        None | Some(Value::Null) => {}
        Some(Value::String(division)) => {
            conditions.push(lens.one_of(Level::Aggregate, Column::Division, std::slice::from_ref(division))?);
        }
        Some(_) => return Err(Problem::bad("`divisionId` must be a text")),
    }
    if lens.blind {
        conditions.truncate(1);
    }
    let groups = groups(store, lens, query)?;
    let sums = sums(query)?;
    let mut sql = Sql::text("SELECT ");
    for (_, expression) in &groups {
        sql.push(expression);
        sql.push_text(", ");
    }
    sql.push_text(&sums.iter().map(|(_, expression)| expression.as_str()).collect::<Vec<_>>().join(", "));
    sql.push_text(&format!(" FROM {} l JOIN conversations c ON c.n = l.conversation", lens.legs));
    if groups.iter().any(|(_, expression)| expression.text == "t.division") {
        sql.push_text(" LEFT JOIN tags t ON t.conversation = l.conversation");
    }
    sql.push_text(" WHERE ");
    sql.push(&Sql::all(conditions));
    if groups.is_empty() {
        sql.push_text(" HAVING count(*) > 0");
    } else {
        let keys = (1..=groups.len()).map(|place| place.to_string()).collect::<Vec<_>>().join(",");
        sql.push_text(&format!(" GROUP BY {keys} ORDER BY {keys}"));
    }
    let rows = store.rows(&sql, |row| {
        let mut group = Map::new();
        for (place, (name, _)) in groups.iter().enumerate() {
            if let Some(value) = row.get::<_, Option<String>>(place)? {
                group.insert((*name).to_owned(), value.into());
            }
        }
        let mut values = Map::new();
        for (place, (name, _)) in sums.iter().enumerate() {
            let value = match row.get::<_, Cell>(groups.len() + place)? {
                Cell::Integer(number) => number.into(),
                Cell::Real(number) => number.into(),
                _ => continue,
            };
            values.insert(name.clone(), value);
        }
        Ok(json!({ "group": group, "values": values }))
    })?;
    Ok(
        json!({ "name": body.get("name"), "rows": rows, "dateFrom": show(interval.from), "dateTo": show(interval.until) }),
    )
}

/// Where the value of a dimension stands.
enum Place {
    /// An expression on `l` and `c`.
    Plain(String),
    /// Divisions, which may be tags.
    Division,
    /// An attribute of the leg's queue.
    Attribute(String),
}

fn place(store: &Store, name: &str) -> Result<Place, Problem> {
    Ok(Place::Plain(match name {
        "divisionId" => return Ok(Place::Division),
        "queueId" => "l.queue".to_owned(),
        "agentId" | "userId" => "l.agent".to_owned(),
        "mediaType" => "l.media".to_owned(),
        "direction" => "l.direction".to_owned(),
        "wrapUpCode" => "l.wrapup".to_owned(),
        "interactionId" => "c.id".to_owned(),
        "hour" => "strftime('%Y-%m-%dT%H', l.start / 1000, 'unixepoch')".to_owned(),
        "day" => "strftime('%Y-%m-%d', l.start / 1000, 'unixepoch')".to_owned(),
        // the id comes from the directory, and is quoted all the same
        "region" => format!("'{}'", store.region.replace('\'', "''")),
        other => {
            let known = store.organisation.attribute(other, |known, asked| known == asked);
            let known = known.ok_or_else(|| Problem::value(format!("`{other}` is no dimension here")))?;
            return Ok(Place::Attribute(known.to_owned()));
        }
    }))
}

fn groups<'a>(store: &Store, lens: Lens, query: &'a Value) -> Result<Vec<(&'a str, Sql)>, Problem> {
    super::aggregates::texts(query, "groupBy")?
        .into_iter()
        .map(|name| {
            let value = match place(store, name)? {
                Place::Plain(expression) => Sql::text(expression),
                Place::Division if lens.traits.division_of_leg => Sql::text("l.division"),
                Place::Division => Sql::text("t.division"),
                Place::Attribute(name) => attribute::value(&name),
            };
            Ok((name, value))
        })
        .collect()
}

/// `FUNCTION(dimension)` and its expression.
fn sums(query: &Value) -> Result<Vec<(String, String)>, Problem> {
    let asked = query.get("aggregations").and_then(Value::as_array).filter(|asked| !asked.is_empty());
    let asked = asked.ok_or_else(|| Problem::bad("`aggregations` is missing"))?;
    let one = |entry: &Value| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let (dimension, function) = (text("dimension"), text("function"));
        if !["AVG", "COUNT", "SUM", "MIN", "MAX"].contains(&function) {
            return Err(Problem::value(format!("`{function}` is no function: use AVG, COUNT, SUM, MIN or MAX")));
        }
        let column = match dimension {
            "handleTime" => "l.handle",
            "talkTime" => "l.talk",
            "holdTime" => "l.hold",
            "waitTime" => "l.wait",
            "abandoned" => "l.abandoned",
            "serviceLevel" => "CASE WHEN l.offered = 1 THEN l.abandoned = 0 AND l.wait <= 20000 END",
            // whatever the function: how many there are
            "interactions" => {
                return Ok((format!("{function}({dimension})"), "count(DISTINCT l.conversation)".to_owned()));
            }
            other => return Err(Problem::value(format!("`{other}` cannot be aggregated"))),
        };
        Ok((format!("{function}({dimension})"), format!("{function}({column})")))
    };
    asked.iter().map(one).collect()
}

fn read(store: &Store, lens: Lens, filter: &Value, depth: usize) -> Result<Sql, Problem> {
    if depth > 32 {
        return Err(Problem::constraint("the filter nests too deep"));
    }
    let list = |key: &str| match filter.get(key) {
        None | Some(Value::Null) => Ok([].as_slice()),
        Some(Value::Array(items)) => Ok(items.as_slice()),
        Some(_) => Err(Problem::bad(format!("`{key}` must be an array"))),
    };
    let mut parts = Vec::new();
    for item in list("predicates")? {
        parts.push(predicate(store, lens, item)?);
    }
    for item in list("clauses")? {
        parts.push(read(store, lens, item, depth + 1)?);
    }
    if parts.is_empty() {
        return Err(Problem::constraint("a filter is empty"));
    }
    match filter.get("type").and_then(Value::as_str) {
        Some("AND") => Ok(Sql::all(parts)),
        Some("OR") => Ok(Sql::any(parts)),
        _ => Err(Problem::value("the `type` of a filter is `AND` or `OR`")),
    }
}

fn predicate(store: &Store, lens: Lens, predicate: &Value) -> Result<Sql, Problem> {
    let text = |key: &str| predicate.get(key).and_then(Value::as_str).unwrap_or_default();
    let (dimension, operator) = (text("dimension"), text("operator"));
    let place = place(store, dimension)?;
    let values: Vec<String> = super::aggregates::texts(predicate, "values")?.into_iter().map(str::to_owned).collect();
    let wanted = match operator {
        "EXISTS" | "NOT_EXISTS" => values.is_empty(),
        "IN" | "NOT_IN" => !values.is_empty(),
        "EQUALS" | "NOT_EQUALS" | "GT" | "GTE" | "LT" | "LTE" => values.len() == 1,
        other => return Err(Problem::value(format!("`{other}` is no operator"))),
    };
    if !wanted {
        return Err(Problem::constraint(format!("`{operator}` has the wrong number of values")));
    }
    let equal = || match &place {
        Place::Plain(expression) => Ok(Sql::one_of(expression, &values)),
        Place::Division => lens.one_of(Level::Aggregate, Column::Division, &values),
        Place::Attribute(name) => Ok(attribute::has(name, &Sql::one_of("a.value", &values))),
    };
    // what is unknown is not equal
    let not = |sql: Sql| sql.around("NOT coalesce(", ", 0)");
    let exists = match &place {
        Place::Plain(expression) => Sql::text(format!("{expression} IS NOT NULL")),
        Place::Division => lens.exists(Level::Aggregate, Column::Division),
        Place::Attribute(name) => attribute::has(name, &Sql::always()),
    };
    let compare = |sign: &str| {
        let than = |expression: &str| {
            Sql::with(format!("{expression} {sign} ?"), values.iter().cloned().map(Cell::Text).collect())
        };
        match &place {
            Place::Plain(expression) => Ok(than(expression)),
            Place::Division => Err(Problem::constraint("divisions have no order")),
            Place::Attribute(name) => Ok(attribute::has(name, &than("a.value"))),
        }
    };
    match operator {
        "EXISTS" => Ok(exists),
        "NOT_EXISTS" => Ok(not(exists)),
        "EQUALS" | "IN" => equal(),
        "NOT_EQUALS" | "NOT_IN" => equal().map(not),
        "GT" => compare(">"),
        "GTE" => compare(">="),
        "LT" => compare("<"),
        _ => compare("<="),
    }
}
