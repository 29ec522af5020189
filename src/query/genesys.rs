//! Filters of the Genesys Cloud Platform API: two levels, no *not*, one value per predicate.
//!
//! What the API takes for granted (`type: dimension`, `operator: matches`) is not written: a scope of thousands of
//! queues is half as long without it.

use super::{
    filter::{Atom, Filter, Join, Term},
    json::{Value, write_text},
    reading::{ReadError, Reading},
};
use crate::model::{
    body::{Access, FilterModel},
    refusal::Echo,
};

pub(super) fn read(reading: &Reading<'_>, value: &Value) -> Result<Filter, ReadError> {
    let members = object(value, "$")?;
    let mut join = None;
    let mut items = Vec::new();
    for (name, value) in members {
        match &**name {
            "type" => join = Some(read_join(value, "$.type")?),
            "clauses" => {
                for (at, clause) in array(value, "$.clauses")?.iter().enumerate() {
                    items.push(read_clause(reading, clause, &format!("$.clauses[{at}]"))?);
                }
            }
            "predicates" => read_predicates(reading, value, "$.predicates", &mut items)?,
            other => return Err(ReadError::unknown("$", other, "`type`, `clauses` and `predicates`")),
        }
    }
    let join = join.ok_or_else(|| ReadError::new("$", "a filter needs `type`: `and` or `or`"))?;
    if items.is_empty() {
        return Err(ReadError::new("$", "an empty filter is an error upstream; leave the key out instead"));
    }
    Ok(Filter::Group(join, items).canonical())
}

fn read_clause(reading: &Reading<'_>, value: &Value, at: &str) -> Result<Filter, ReadError> {
    let mut join = None;
    let mut items = Vec::new();
    for (name, value) in object(value, at)? {
        match &**name {
            "type" => join = Some(read_join(value, &format!("{at}.type"))?),
            "predicates" => read_predicates(reading, value, &format!("{at}.predicates"), &mut items)?,
            other => {
                return Err(ReadError::unknown(at, other, "`type` and `predicates`; clauses do not nest"));
            }
        }
    }
    let join = join.ok_or_else(|| ReadError::new(at, "a clause needs `type`: `and` or `or`"))?;
    if items.is_empty() {
        return Err(ReadError::new(at, "a clause without predicates matches nothing and is an error upstream"));
    }
    Ok(Filter::Group(join, items))
}

fn read_predicates(reading: &Reading<'_>, value: &Value, at: &str, items: &mut Vec<Filter>) -> Result<(), ReadError> {
    for (index, predicate) in array(value, at)?.iter().enumerate() {
        items.push(Filter::Atom(read_predicate(reading, predicate, &format!("{at}[{index}]"))?));
    }
    Ok(())
}

/// The members of a predicate as they were sent.
#[derive(Default)]
struct Parts<'v> {
    kind: Option<&'v str>,
    dimension: Option<&'v str>,
    metric: Option<&'v str>,
    operator: Option<&'v str>,
    value: Option<&'v str>,
    range: Option<&'v Value>,
}

fn read_predicate(reading: &Reading<'_>, value: &Value, at: &str) -> Result<Atom, ReadError> {
    let mut parts = Parts::default();
    for (name, value) in object(value, at)? {
        if **name == *"range" {
            parts.range = Some(value);
            continue;
        }
        let text = value.as_str().ok_or_else(|| ReadError::new(format!("{at}.{}", Echo(name)), "must be a string"))?;
        match &**name {
            "type" => parts.kind = Some(text),
            "dimension" => parts.dimension = Some(text),
            "metric" => parts.metric = Some(text),
            "operator" => parts.operator = Some(text),
            "value" => parts.value = Some(text),
            "property" | "propertyType" => {
                let why = "a property belongs to the whole interaction and would speak of legs that you may not see";
                return Err(ReadError::hidden(format!("{at}.{name}"), why));
            }
            other => {
                return Err(ReadError::unknown(
                    at,
                    other,
                    "`type`, `dimension`, `metric`, `operator`, `value` and `range`",
                ));
            }
        }
    }
    let kind =
        parts.kind.unwrap_or(if parts.metric.is_some() && parts.dimension.is_none() { "metric" } else { "dimension" });
    if kind.eq_ignore_ascii_case("dimension") {
        dimension_predicate(reading, &parts, at)
    } else if kind.eq_ignore_ascii_case("metric") {
        metric_predicate(reading.model, &parts, at)
    } else {
        Err(ReadError::new(
            format!("{at}.type"),
            format!("`{}` is not governed here; use `dimension` or `metric`", Echo(kind)),
        ))
    }
}

fn dimension_predicate(reading: &Reading<'_>, parts: &Parts<'_>, at: &str) -> Result<Atom, ReadError> {
    let asked = parts.dimension.ok_or_else(|| ReadError::new(at, "a predicate needs `dimension`"))?;
    if parts.metric.is_some() {
        return Err(ReadError::new(at, "`dimension` and `metric` in one predicate could be read in two ways"));
    }
    let (name, access) = reading.dimension(asked, at)?;
    let operator = parts.operator.unwrap_or("matches");
    let mut text = format!(r#"{{"dimension":{}"#, quoted(name));
    let term = if operator.eq_ignore_ascii_case("matches") {
        let condition = match (parts.value, parts.range) {
            (Some(value), None) => format!(r#","value":{}"#, quoted(reading.value(name, value, at)?)),
            (None, Some(_)) if reading.model.words.contains_key(name) => {
                let why = format!("`{name}` has words and no numbers; name one with `value`");
                return Err(ReadError::new(format!("{at}.range"), why));
            }
            (None, Some(range)) if access.is_none() => {
                format!(r#","range":{}"#, read_range(range, &format!("{at}.range"))?)
            }
            (None, Some(_)) => {
                return Err(ReadError::new(format!("{at}.range"), format!("`{name}` is an id; name it with `value`")));
            }
            (None, None) => return Err(ReadError::new(at, "`matches` needs a `value`")),
            (Some(_), Some(_)) => {
                return Err(ReadError::new(at, "`value` and `range` exclude each other"));
            }
        };
        text.push_str(&condition);
        match (access, parts.value) {
            (Some(access), Some(value)) => Term::In(access, vec![value.into()]),
            _ => Term::Other,
        }
    } else {
        let (operator, term) = if operator.eq_ignore_ascii_case("exists") {
            ("exists", access.map(Term::Present))
        } else if operator.eq_ignore_ascii_case("notExists") {
            ("notExists", access.map(Term::Missing))
        } else {
            return Err(ReadError::new(
                format!("{at}.operator"),
                format!("`{}` is none of `matches`, `exists`, `notExists`", Echo(operator)),
            ));
        };
        if parts.value.is_some() || parts.range.is_some() {
            return Err(ReadError::new(at, format!("`{operator}` takes neither `value` nor `range`")));
        }
        text.push_str(r#","operator":""#);
        text.push_str(operator);
        text.push('"');
        term.unwrap_or(Term::Other)
    };
    text.push('}');
    Ok(Atom { term, text: text.into() })
}

fn metric_predicate(model: &FilterModel, parts: &Parts<'_>, at: &str) -> Result<Atom, ReadError> {
    let asked = parts.metric.ok_or_else(|| ReadError::new(at, "a metric predicate needs `metric`"))?;
    if parts.dimension.is_some() {
        return Err(ReadError::new(at, "`dimension` and `metric` in one predicate could be read in two ways"));
    }
    let name = model.metrics.iter().find(|known| known.eq_ignore_ascii_case(asked)).ok_or_else(|| {
        let why = format!("a condition on `{}` would speak of legs that you may not see", Echo(asked));
        ReadError::hidden(format!("{at}.metric"), why)
    })?;
    if parts.operator.is_some_and(|operator| !operator.eq_ignore_ascii_case("matches")) || parts.value.is_some() {
        return Err(ReadError::new(at, "a metric is compared by `range` only"));
    }
    let range = parts.range.ok_or_else(|| ReadError::new(at, "a metric predicate needs `range`"))?;
    let range = read_range(range, &format!("{at}.range"))?;
    let text = format!(r#"{{"type":"metric","metric":{},"range":{range}}}"#, quoted(name));
    Ok(Atom { term: Term::Other, text: text.into() })
}

fn read_range(value: &Value, at: &str) -> Result<String, ReadError> {
    let members = object(value, at)?;
    let mut bounds = Vec::new();
    for (name, value) in members {
        let Value::Number(number) = value else {
            return Err(ReadError::new(format!("{at}.{}", Echo(name)), "must be a number"));
        };
        if !["gt", "gte", "lt", "lte"].contains(&&**name) {
            return Err(ReadError::unknown(at, name, "`gt`, `gte`, `lt` and `lte`"));
        }
        bounds.push(format!(r#""{name}":{number}"#));
    }
    if bounds.is_empty() {
        return Err(ReadError::new(at, "a range needs at least one bound"));
    }
    bounds.sort();
    Ok(format!("{{{}}}", bounds.join(",")))
}

fn read_join(value: &Value, at: &str) -> Result<Join, ReadError> {
    let text = value.as_str().ok_or_else(|| ReadError::new(at, "must be `and` or `or`"))?;
    if text.eq_ignore_ascii_case("and") {
        Ok(Join::And)
    } else if text.eq_ignore_ascii_case("or") {
        Ok(Join::Or)
    } else {
        Err(ReadError::new(at, format!("`{}` is neither `and` nor `or`", Echo(text))))
    }
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v [(Box<str>, Value)], ReadError> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(ReadError::new(at, "must be an object")),
    }
}

fn array<'v>(value: &'v Value, at: &str) -> Result<&'v [Value], ReadError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(ReadError::new(at, "must be an array")),
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_text(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// The atoms that say "this dimension is one of these": one predicate per value.
pub fn atoms_in(access: Access, dimension: &str, values: impl Iterator<Item = Box<str>>) -> Vec<Filter> {
    let name = quoted(dimension);
    values
        .map(|value| {
            let text = format!(r#"{{"dimension":{name},"value":{}}}"#, quoted(&value));
            Filter::Atom(Atom { term: Term::In(access, vec![value]), text: text.into() })
        })
        .collect()
}

/// The atoms that say "the queue is one of these", by the values that stand for them.
pub fn atoms_bound(dimension: &str, bound: Vec<(Box<str>, Box<str>)>) -> Vec<Filter> {
    let name = quoted(dimension);
    bound
        .into_iter()
        .map(|(queue, value)| {
            let text = format!(r#"{{"dimension":{name},"value":{}}}"#, quoted(&value));
            Filter::Atom(Atom { term: Term::In(Access::Queue, vec![queue]), text: text.into() })
        })
        .collect()
}

pub fn atom_missing(access: Access, dimension: &str) -> Filter {
    let text = format!(r#"{{"dimension":{},"operator":"notExists"}}"#, quoted(dimension));
    Filter::Atom(Atom { term: Term::Missing(access), text: text.into() })
}

/// Whether a canonical filter can be said in two levels.
pub fn fits(filter: &Filter) -> bool {
    filter.depth() <= 2
}

/// Writes a canonical filter that [`fits`].
pub fn write(filter: &Filter, out: &mut Vec<u8>) {
    let (join, items): (Join, &[Filter]) = match filter {
        Filter::Atom(_) => (Join::And, std::slice::from_ref(filter)),
        Filter::Group(join, items) => (*join, items),
    };
    out.extend_from_slice(br#"{"type":"#);
    out.extend_from_slice(join_word(join));
    let groups: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Filter::Group(join, items) => Some((*join, items)),
            Filter::Atom(_) => None,
        })
        .collect();
    if !groups.is_empty() {
        out.extend_from_slice(br#","clauses":["#);
        for (at, (join, items)) in groups.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"type":"#);
            out.extend_from_slice(join_word(*join));
            write_predicates(items, out);
            out.push(b'}');
        }
        out.push(b']');
    }
    if items.iter().any(|item| matches!(item, Filter::Atom(_))) {
        write_predicates(items, out);
    }
    out.push(b'}');
}

fn write_predicates(items: &[Filter], out: &mut Vec<u8>) {
    out.extend_from_slice(br#","predicates":["#);
    let mut first = true;
    for item in items {
        let Filter::Atom(atom) = item else { continue };
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(atom.text.as_bytes());
    }
    out.push(b']');
}

fn join_word(join: Join) -> &'static [u8] {
    match join {
        Join::And => br#""and""#,
        Join::Or => br#""or""#,
    }
}
