//! What a body asks for beside rows: how rows are sorted, and aggregations, of which each makes buckets or a number.

use super::only;
use crate::{
    model::{
        aggregation::{Aggregation, AggregationModel, Gives},
        refusal::Echo,
    },
    query::{json::Value, reading::ReadError},
};

/// How deep aggregations may stand: buckets, and what is inside them.
const DEEPEST: usize = 2;
const MAX_NAME: usize = 64;
/// What stands in a bucket beside what is inside it.
const TAKEN: [&str; 3] = ["doc_count", "key", "key_as_string"];
const MAX_BUCKETS: i64 = 10_000;
const CALENDAR: [&str; 14] =
    ["minute", "1m", "hour", "1h", "day", "1d", "week", "1w", "month", "1M", "quarter", "1q", "year", "1y"];

/// The canonical form of `sort`: one object for each field, with its order.
pub(in crate::query) fn sort(words: &[Box<str>], max: usize, value: &Value) -> Result<Value, ReadError> {
    let asked = match value {
        Value::Array(asked) => asked.as_slice(),
        one => std::slice::from_ref(one),
    };
    if asked.is_empty() || asked.len() > max {
        return Err(ReadError::new("$", format!("needs 1 to {max} fields")));
    }
    let one = |asked: &Value| {
        let (field, order) = match asked {
            Value::Text(field) => (&**field, "asc"),
            asked => {
                let (field, order) = only(asked, "$")?;
                let order = match order {
                    Value::Text(order) => Some(&**order),
                    Value::Object(_) => match only(order, "$")? {
                        ("order", Value::Text(order)) => Some(&**order),
                        _ => None,
                    },
                    _ => None,
                };
                let order = order.filter(|order| matches!(*order, "asc" | "desc"));
                (field, order.ok_or_else(|| ReadError::new("$", "an order is `asc` or `desc`, and nothing else"))?)
            }
        };
        listed(words, field, "$", "sorted by")?;
        Ok(Value::object([(field, Value::object([("order", Value::text(order))]))]))
    };
    Ok(Value::Array(asked.iter().map(one).collect::<Result<_, _>>()?))
}

/// The aggregations of a body, and their canonical form: names sorted, members in one order.
pub(in crate::query) fn aggregations(
    model: &AggregationModel,
    value: &Value,
) -> Result<(Vec<Aggregation>, Value), ReadError> {
    level(model, value, "$", DEEPEST)
}

fn level(
    model: &AggregationModel,
    value: &Value,
    at: &str,
    deeper: usize,
) -> Result<(Vec<Aggregation>, Value), ReadError> {
    let Value::Object(members) = value else {
        return Err(ReadError::new(at, "must be an object"));
    };
    if members.is_empty() || members.len() > model.max {
        return Err(ReadError::new(at, format!("needs 1 to {} aggregations", model.max)));
    }
    let mut read = Vec::with_capacity(members.len());
    for (name, value) in members {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) || TAKEN.contains(&&**name) {
            let why = format!(
                "a name has 1 to {MAX_NAME} letters, digits, `_` and `-`, and is none that a bucket has itself"
            );
            return Err(ReadError::new(format!("{at}.{}", Echo(name)), why));
        }
        let (gives, written) = one(model, value, &format!("{at}.{name}"), deeper)?;
        read.push((Aggregation { name: name.clone(), gives }, written));
    }
    read.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    let (asked, written): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let written = Value::object(asked.iter().map(|one| one.name.clone()).zip(written));
    Ok((asked, written))
}

fn one(model: &AggregationModel, value: &Value, at: &str, deeper: usize) -> Result<(Gives, Value), ReadError> {
    let Value::Object(members) = value else {
        return Err(ReadError::new(at, "must be an object"));
    };
    let (inner, kinds): (Vec<_>, Vec<_>) =
        members.iter().partition(|(name, _)| matches!(&**name, "aggs" | "aggregations"));
    let [(kind, spec)] = kinds.as_slice() else {
        return Err(ReadError::new(at, "needs exactly one kind of aggregation"));
    };
    let here = format!("{at}.{}", Echo(kind));
    let inside = match inner.as_slice() {
        [] => None,
        [(_, inner)] => {
            let deeper = deeper.checked_sub(1).filter(|deeper| *deeper > 0);
            let deeper = deeper.ok_or_else(|| ReadError::new(at, format!("nests deeper than {DEEPEST} levels")))?;
            Some(level(model, inner, &format!("{at}.aggs"), deeper)?)
        }
        _ => return Err(ReadError::new(at, "has `aggs` and `aggregations`: leave one")),
    };
    let (written, field, spans) = match &**kind {
        "terms" => {
            let (written, field) = terms(model, spec, &here)?;
            (written, field, false)
        }
        "date_histogram" => {
            let (written, field) = histogram(model, spec, &here)?;
            (written, field, true)
        }
        "avg" | "sum" | "min" | "max" | "value_count" => {
            if inside.is_some() {
                return Err(ReadError::new(at, "a number has nothing inside it: leave `aggs` out"));
            }
            members_of(spec, &["field"], &here)?;
            let field = field(spec, &model.measures, &here, "measured")?;
            let written = Value::object([("field", Value::text(field.clone()))]);
            let zero = matches!(&**kind, "sum" | "value_count");
            return Ok((Gives::Number { field, zero }, Value::object([(kind.clone(), written)])));
        }
        other => {
            let known = "`terms`, `date_histogram`, `avg`, `sum`, `min`, `max` and `value_count`";
            return Err(ReadError::unknown(at, other, known));
        }
    };
    let (inner, written_inner) = inside.unzip();
    let inside = written_inner.map(|inner| ("aggs".into(), inner));
    let all = inside.into_iter().chain([(kind.clone(), written)]).collect();
    Ok((Gives::Buckets { field, spans, inner: inner.unwrap_or_default() }, Value::Object(all)))
}

fn terms(model: &AggregationModel, spec: &Value, at: &str) -> Result<(Value, Box<str>), ReadError> {
    members_of(spec, &["field", "size", "order", "min_doc_count"], at)?;
    let field = field(spec, &model.groups, at, "grouped by")?;
    if model.times.contains(&field) {
        return Err(ReadError::new(at, format!("`{field}` is grouped by `date_histogram`")));
    }
    let mut written = vec![("field", Value::text(field.clone())), ("min_doc_count", least(spec, at)?)];
    if let Some(order) = spec.get("order") {
        match only(order, at)? {
            ("_count" | "_key", Value::Text(way)) if matches!(&**way, "asc" | "desc") => {}
            _ => return Err(ReadError::new(format!("{at}.order"), "must be `_count` or `_key` with `asc` or `desc`")),
        }
        written.push(("order", order.clone()));
    }
    match spec.get("size") {
        None => {}
        Some(size) if size.as_i64().is_some_and(|size| (1..=MAX_BUCKETS).contains(&size)) => {
            written.push(("size", size.clone()));
        }
        Some(_) => {
            return Err(ReadError::new(
                format!("{at}.size"),
                format!("must be a whole number from 1 to {MAX_BUCKETS}"),
            ));
        }
    }
    Ok((Value::object(written), field))
}

fn histogram(model: &AggregationModel, spec: &Value, at: &str) -> Result<(Value, Box<str>), ReadError> {
    members_of(spec, &["field", "calendar_interval", "fixed_interval", "min_doc_count"], at)?;
    let field = field(spec, &model.times, at, "grouped by time of")?;
    let span = match (spec.get("calendar_interval"), spec.get("fixed_interval")) {
        (Some(Value::Text(span)), None) if CALENDAR.contains(&&**span) => ("calendar_interval", span),
        (None, Some(Value::Text(span))) if is_fixed(span) => ("fixed_interval", span),
        _ => {
            let why = "needs a `calendar_interval` such as `day`, or a `fixed_interval` such as `30m`";
            return Err(ReadError::new(at, why));
        }
    };
    let mut written = vec![
        ("field", Value::text(field.clone())),
        (span.0, Value::text(span.1.clone())),
        ("min_doc_count", least(spec, at)?),
    ];
    written.sort_by_key(|(name, _)| *name);
    Ok((Value::object(written), field))
}

fn is_fixed(span: &str) -> bool {
    let count = span.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or_default();
    (1..=6).contains(&count.len()) && !count.starts_with('0') && count.bytes().all(|byte| byte.is_ascii_digit())
}

/// A bucket of no document would name a value that no visible leg has.
fn least(spec: &Value, at: &str) -> Result<Value, ReadError> {
    match spec.get("min_doc_count") {
        Some(least) if least.as_i64().is_some_and(|least| least >= 1) => Ok(least.clone()),
        _ => {
            Err(ReadError::new(format!("{at}.min_doc_count"), "must be said, and 1 or more: empty buckets name others"))
        }
    }
}

fn field(spec: &Value, words: &[Box<str>], at: &str, what: &str) -> Result<Box<str>, ReadError> {
    let Some(Value::Text(field)) = spec.get("field") else {
        return Err(ReadError::new(at, "needs `field`"));
    };
    listed(words, field, at, what)?;
    Ok(field.clone())
}

fn listed(words: &[Box<str>], field: &str, at: &str, what: &str) -> Result<(), ReadError> {
    if words.iter().any(|word| **word == *field) {
        return Ok(());
    }
    let known: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    Err(ReadError::new(at, format!("`{}` cannot be {what}; known are {}", Echo(field), known.join(", "))))
}

fn members_of(spec: &Value, known: &[&str], at: &str) -> Result<(), ReadError> {
    let Value::Object(members) = spec else {
        return Err(ReadError::new(at, "must be an object"));
    };
    match members.iter().find(|(name, _)| !known.contains(&&**name)) {
        Some((name, _)) => {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            Err(ReadError::unknown(at, name, &known.join(", ")))
        }
        None => Ok(()),
    }
}

/// What the upstream answers to aggregations over no document at all.
pub(super) fn empty(asked: &[Aggregation]) -> Value {
    Value::object(asked.iter().map(|one| {
        let of_nothing = match &one.gives {
            Gives::Buckets { .. } => ("buckets", Value::Array(Vec::new())),
            Gives::Number { zero, .. } => ("value", if *zero { Value::int(0) } else { Value::Null }),
        };
        (one.name.clone(), Value::object([of_nothing]))
    }))
}
