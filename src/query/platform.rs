//! Filters of the report-definition API: nested *and* and *or*, several values per predicate, case-sensitive words.

use super::{
    filter::{Atom, Filter, Join, Term},
    json::{Value, write_text},
    reading::{ReadError, Reading},
};
use crate::model::{body::Access, refusal::Echo};

/// Reads a filter. Placeholders are values by now.
pub(super) fn read(reading: &Reading<'_>, value: &Value) -> Result<Filter, ReadError> {
    Ok(read_group(reading, value, "$", 1)?.canonical())
}

fn read_group(reading: &Reading<'_>, value: &Value, at: &str, depth: usize) -> Result<Filter, ReadError> {
    if depth > reading.model.max_depth {
        return Err(ReadError::new(at, format!("clauses nest deeper than {} levels", reading.model.max_depth)));
    }
    let Value::Object(members) = value else {
        return Err(ReadError::new(at, "must be an object"));
    };
    let mut join = None;
    let mut items = Vec::new();
    for (name, value) in members {
        let here = format!("{at}.{}", Echo(name));
        match (&**name, value) {
            ("type", Value::Text(text)) => {
                join = Some(match &**text {
                    "AND" => Join::And,
                    "OR" => Join::Or,
                    other => return Err(ReadError::new(here, format!("`{}` is neither `AND` nor `OR`", Echo(other)))),
                });
            }
            ("predicates", Value::Array(predicates)) => {
                for (index, predicate) in predicates.iter().enumerate() {
                    items.push(Filter::Atom(read_predicate(reading, predicate, &format!("{here}[{index}]"))?));
                }
            }
            ("clauses", Value::Array(clauses)) => {
                for (index, clause) in clauses.iter().enumerate() {
                    items.push(read_group(reading, clause, &format!("{here}[{index}]"), depth + 1)?);
                }
            }
            ("type" | "predicates" | "clauses", _) => {
                return Err(ReadError::new(here, "has the wrong type"));
            }
            (other, _) => {
                return Err(ReadError::unknown(at, other, "`type`, `predicates` and `clauses`"));
            }
        }
    }
    let join = join.ok_or_else(|| ReadError::new(at, "a filter needs `type`: `AND` or `OR`"))?;
    if items.is_empty() {
        return Err(ReadError::new(at, "an empty filter says nothing; leave the key out instead"));
    }
    Ok(Filter::Group(join, items))
}

fn read_predicate(reading: &Reading<'_>, value: &Value, at: &str) -> Result<Atom, ReadError> {
    let Value::Object(members) = value else {
        return Err(ReadError::new(at, "must be an object"));
    };
    let (mut dimension, mut operator, mut values) = (None, None, Vec::new());
    for (name, value) in members {
        let here = format!("{at}.{}", Echo(name));
        match (&**name, value) {
            ("dimension", Value::Text(text)) => dimension = Some(&**text),
            ("operator", Value::Text(text)) => operator = Some(&**text),
            ("values", Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::Text(text) => values.push(text.clone()),
                        _ => {
                            return Err(ReadError::new(format!("{here}[{index}]"), "must be a string"));
                        }
                    }
                }
            }
            ("dimension" | "operator" | "values", _) => {
                return Err(ReadError::new(here, "has the wrong type"));
            }
            (other, _) => {
                return Err(ReadError::unknown(at, other, "`dimension`, `operator` and `values`"));
            }
        }
    }
    let asked = dimension.ok_or_else(|| ReadError::new(at, "a predicate needs `dimension`"))?;
    let (name, access) = reading.dimension(asked, at)?;
    let operator = operator.ok_or_else(|| ReadError::new(at, "a predicate needs `operator`"))?;
    check_count(operator, values.len(), access, at)?;
    values.sort();
    values.dedup();
    // Two attributes are two dimensions; two names of one kind of id are one.
    let carried = access.filter(|access| *access != Access::Attribute);
    let name = carried.and_then(|access| reading.model.carrying(access)).unwrap_or(name);
    let term = match (access, operator) {
        (None, _) => Term::Other,
        (Some(access), "EQUALS" | "IN") => Term::In(access, values.clone()),
        (Some(access), "NOT_EQUALS" | "NOT_IN") => Term::NotIn(access, values.clone()),
        (Some(access), "EXISTS") => Term::Present(access),
        (Some(access), _) => Term::Missing(access),
    };
    Ok(Atom { text: text_of(name, operator, &values), term })
}

fn check_count(operator: &str, count: usize, access: Option<Access>, at: &str) -> Result<(), ReadError> {
    let fits = match operator {
        "EQUALS" | "NOT_EQUALS" => count == 1,
        "IN" | "NOT_IN" => count > 0,
        "EXISTS" | "NOT_EXISTS" => count == 0,
        "GT" | "GTE" | "LT" | "LTE" => {
            if access.is_some() {
                return Err(ReadError::new(format!("{at}.operator"), "an id has no order; use `EQUALS` or `IN`"));
            }
            count == 1
        }
        other => {
            return Err(ReadError::new(
                format!("{at}.operator"),
                format!("`{}` is not an operator of this dialect", Echo(other)),
            ));
        }
    };
    if fits {
        Ok(())
    } else {
        Err(ReadError::new(format!("{at}.values"), format!("`{operator}` does not take {count} values")))
    }
}

/// One spelling for one meaning: a single value is `EQUALS`, several are `IN`.
fn text_of(name: &str, operator: &str, values: &[Box<str>]) -> Box<str> {
    let operator = match (operator, values.len()) {
        ("IN", 1) => "EQUALS",
        ("NOT_IN", 1) => "NOT_EQUALS",
        (other, _) => other,
    };
    let mut out = br#"{"dimension":"#.to_vec();
    write_text(name, &mut out);
    out.extend_from_slice(br#","operator":"#);
    write_text(operator, &mut out);
    if !values.is_empty() {
        out.extend_from_slice(br#","values":["#);
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_text(value, &mut out);
        }
        out.push(b']');
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default().into()
}

/// The atom that says "this dimension is one of these".
pub fn atom_in(access: Access, dimension: &str, mut values: Vec<Box<str>>) -> Filter {
    values.sort();
    values.dedup();
    Filter::Atom(Atom { text: text_of(dimension, "IN", &values), term: Term::In(access, values) })
}

/// The atom that says "the queue is one of these", by the values that stand for them.
pub fn atom_bound(dimension: &str, bound: Vec<(Box<str>, Box<str>)>) -> Filter {
    let (mut queues, mut values): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
    queues.sort();
    values.sort();
    Filter::Atom(Atom { text: text_of(dimension, "IN", &values), term: Term::In(Access::Queue, queues) })
}

pub fn atom_missing(access: Access, dimension: &str) -> Filter {
    Filter::Atom(Atom { text: text_of(dimension, "NOT_EXISTS", &[]), term: Term::Missing(access) })
}

/// Writes a canonical filter.
pub fn write(filter: &Filter, out: &mut Vec<u8>) {
    let (join, items): (Join, &[Filter]) = match filter {
        Filter::Atom(_) => (Join::And, std::slice::from_ref(filter)),
        Filter::Group(join, items) => (*join, items),
    };
    out.extend_from_slice(match join {
        Join::And => br#"{"type":"AND","predicates":["#,
        Join::Or => br#"{"type":"OR","predicates":["#,
    });
    let mut first = true;
    for item in items {
        if let Filter::Atom(atom) = item {
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(atom.text.as_bytes());
        }
    }
    out.push(b']');
    let mut first = true;
    for item in items {
        if let Filter::Group(..) = item {
            out.extend_from_slice(if first { br#","clauses":["# } else { b"," });
            first = false;
            write(item, out);
        }
    }
    if !first {
        out.push(b']');
    }
    out.push(b'}');
}
