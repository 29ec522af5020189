//! `POST /api/v2/analytics/conversations/aggregates/query`, and the families whose rows hang on legs.
//!
//! A leg counts in the interval that holds it whole, and in the sub-interval in which it starts. Unowned
//! parts count as legs without queue, user and division: a predicate on one of these excludes them.

use super::{
    attribute,
    condition::Lens,
    dimension::{Column, Level, dimension},
    families::Family,
    filter,
    interval::{Interval, granularity},
    metric::{Measure, Metric, metric},
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::{Row, types::Value as Cell};
use serde_json::{Map, Value, json};

/// Which rows are counted: legs, or what hangs on them.
#[derive(Debug, Clone, Copy)]
struct Rows {
    level: Level,
    join: &'static str,
    only: &'static str,
    metric: fn(Level, &str) -> Option<Metric>,
}

const LEGS: Rows = Rows { level: Level::Aggregate, join: "", only: "1", metric: |_, name| metric(name) };

pub(super) fn query(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    count(store, lens, LEGS, body)
}

pub(super) fn family(store: &Store, lens: Lens, family: &'static Family, body: &Value) -> Result<Value, Problem> {
    let metric = |level: Level, name: &str| match level {
        Level::Family(family) => family.metric(name),
        _ => None,
    };
    let rows = Rows { level: Level::Family(family), join: family.join, only: family.only, metric };
    count(store, lens, rows, body)
}

fn count(store: &Store, lens: Lens, rows: Rows, body: &Value) -> Result<Value, Problem> {
    let interval = Interval::of(body)?;
    let step = granularity(body, interval)?;
    let asked = filter::optional(body, "filter")?;
    let asked = asked.map(|filter| attribute::recognise(store, rows.level, filter));
    let flat = body.get("flattenMultivaluedDimensions") == Some(&Value::Bool(true));
    let groups = groups(store, lens, rows, body, flat)?;
    let metrics = metrics(rows, body)?;
    let by_user =
        groups.iter().any(|(name, _)| *name == "userId") || asked.as_ref().is_some_and(|filter| filter.names("userid"));
    // a metric without users cannot be split by them: it vanishes from the answer
    let metrics: Vec<Metric> = metrics.into_iter().filter(|metric| metric.user || !by_user).collect();
    if metrics.is_empty() {
        return Ok(json!({ "results": [] }));
    }
    let condition = lens.condition(rows.level, asked.as_ref())?;
    let sql = select(lens, rows, (interval, step), &groups, &metrics, &legwise(lens, rows, condition));
    let names: Vec<&str> = groups.iter().map(|(name, _)| *name).collect();
    let rows = store.rows(&sql, |row| line(row, &names, interval, step, &metrics))?;
    Ok(json!({ "results": gather(rows) }))
}

/// The filter judges each leg, or (in the other world) the conversation through any of its legs.
fn legwise(lens: Lens, rows: Rows, condition: Sql) -> Sql {
    if lens.traits.leg_filter {
        return condition;
    }
    let (table, join) = (lens.legs, rows.join);
    condition.around(
        &format!("l.conversation IN (SELECT l.conversation FROM {table} l JOIN conversations c ON c.n = l.conversation{join} WHERE "),
        ")",
    )
}

/// Each dimension of the grouping by its canonical name, and its value.
fn groups<'s>(
    store: &'s Store,
    lens: Lens,
    rows: Rows,
    body: &Value,
    flat: bool,
) -> Result<Vec<(&'s str, Sql)>, Problem> {
    let one = |name: &str| {
        if let Some((name, column)) = dimension(rows.level, name) {
            return Ok((name, Sql::text(expression(lens, column, flat))));
        }
        let known = store.organisation.attribute(name, str::eq_ignore_ascii_case);
        let known = known.ok_or_else(|| Problem::value(format!("`{name}` is no dimension to group by")))?;
        Ok((known, attribute::value(known)))
    };
    texts(body, "groupBy")?.into_iter().map(one).collect()
}

fn expression(lens: Lens, column: Column, flat: bool) -> &'static str {
    match column {
        Column::Text(expression)
        | Column::Enum(expression)
        | Column::Instant(expression)
        | Column::Number(expression) => expression,
        Column::Division if lens.traits.division_of_leg => "l.division",
        Column::Division if flat => {
            "(SELECT group_concat(g.division) FROM (SELECT division FROM tags WHERE conversation = l.conversation ORDER BY division) g)"
        }
        Column::CaseDivision if lens.traits.division_of_case => "k.division",
        Column::Division | Column::CaseDivision => "t.division",
        Column::Empty => "NULL",
    }
}

fn metrics(rows: Rows, body: &Value) -> Result<Vec<Metric>, Problem> {
    let asked = texts(body, "metrics")?;
    if asked.is_empty() {
        return Err(Problem::bad("`metrics` is missing"));
    }
    let known = |name| (rows.metric)(rows.level, name).ok_or_else(|| Problem::value(format!("`{name}` is no metric")));
    asked.into_iter().map(known).collect()
}

/// An optional list of texts.
pub(super) fn texts<'a>(body: &'a Value, member: &str) -> Result<Vec<&'a str>, Problem> {
    let wrong = || Problem::bad(format!("`{member}` must be a list of texts"));
    match body.get(member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect(),
        Some(_) => Err(wrong()),
    }
}

fn select(
    lens: Lens,
    rows: Rows,
    (interval, step): (Interval, i64),
    groups: &[(&str, Sql)],
    metrics: &[Metric],
    condition: &Sql,
) -> Sql {
    let mut sql = Sql::text("SELECT ");
    for (_, value) in groups {
        sql.push(value);
        sql.push_text(", ");
    }
    sql.push_text("(l.start - ");
    sql.push_number(interval.from);
    sql.push_text(") / ");
    sql.push_number(step);
    for metric in metrics {
        sql.push_text(&match metric.measure {
            Measure::Count(column) => format!(", sum({column})"),
            Measure::Time(column) => {
                format!(", count({column}), sum({column}), min({column}), max({column})")
            }
            Measure::Conversations => ", count(DISTINCT l.conversation)".to_owned(),
            Measure::Empty => ", NULL".to_owned(),
        });
    }
    sql.push_text(&format!(" FROM {} l JOIN conversations c ON c.n = l.conversation{}", lens.legs, rows.join));
    if groups.iter().any(|(_, value)| value.text == "t.division") {
        sql.push_text(" LEFT JOIN tags t ON t.conversation = l.conversation");
    }
    sql.push_text(" WHERE ");
    sql.push(&within(lens, interval));
    sql.push_text(&format!(" AND ({})", rows.only));
    sql.push_text(" AND ");
    sql.push(condition);
    let keys: Vec<String> = (1..=groups.len() + 1).map(|place| place.to_string()).collect();
    let keys = keys.join(",");
    sql.push_text(&format!(" GROUP BY {keys} ORDER BY {keys}"));
    sql
}

/// Legs `l` that count in an interval.
pub(super) fn within(lens: Lens, interval: Interval) -> Sql {
    let last = if lens.traits.legs_contained { "l.end <= ?" } else { "l.start < ?" };
    Sql::with(format!("l.start >= ? AND {last}"), vec![Cell::Integer(interval.from), Cell::Integer(interval.until)])
}

type Line = (Map<String, Value>, Value);

/// One group in one sub-interval.
fn line(row: &Row<'_>, groups: &[&str], interval: Interval, step: i64, metrics: &[Metric]) -> rusqlite::Result<Line> {
    let mut group = Map::new();
    for (place, name) in groups.iter().enumerate() {
        // a row without the dimension comes without the key
        if let Some(value) = row.get::<_, Option<String>>(place)? {
            group.insert((*name).to_owned(), Value::from(value));
        }
    }
    let mut at = groups.len();
    let bucket = interval.bucket(step, row.get(at)?);
    let mut next = || {
        at += 1;
        row.get::<_, Option<i64>>(at)
    };
    let mut shown = Vec::new();
    for metric in metrics {
        let stats = match metric.measure {
            Measure::Count(_) | Measure::Conversations | Measure::Empty => {
                next()?.filter(|count| *count > 0).map(|count| json!({ "count": count }))
            }
            Measure::Time(_) => {
                let (count, sum, min, max) = (next()?, next()?, next()?, next()?);
                count
                    .filter(|count| *count > 0)
                    .map(|count| json!({ "max": max, "min": min, "count": count, "sum": sum }))
            }
        };
        shown.extend(stats.map(|stats| json!({ "metric": metric.name, "stats": stats })));
    }
    Ok((group, json!({ "interval": bucket.text(), "metrics": shown })))
}

/// Lines of one group stand together; a line without metrics says nothing.
fn gather(lines: Vec<Line>) -> Vec<Value> {
    let mut results: Vec<(Map<String, Value>, Vec<Value>)> = Vec::new();
    for (group, data) in lines {
        if data.pointer("/metrics/0").is_none() {
            continue;
        }
        match results.last_mut() {
            Some((last, all)) if *last == group => all.push(data),
            _ => results.push((group, vec![data])),
        }
    }
    results.into_iter().map(|(group, data)| json!({ "group": group, "data": data })).collect()
}
