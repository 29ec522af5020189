//! Filters of the report-definition API: nested *and* and *or*, several values per predicate, case-sensitive words.

use super::{
    filter::{Atom, Filter, Join, Term},
    genesys::{HIDDEN, ReadError},
    json::{Value, write_text},
};
use crate::model::body::{Access, Dialect, Dimension, FilterModel};

/// Reads a filter. `resolve` turns a placeholder into its values.
pub fn read(model: &FilterModel, value: &Value, lifted: &dyn Fn(&str) -> bool) -> Result<Filter, ReadError> {
    Ok(read_group(model, value, "$", 1, lifted)?.canonical())
}

fn read_group(
    model: &FilterModel,
    value: &Value,
    at: &str,
    depth: usize,
    lifted: &dyn Fn(&str) -> bool,
) -> Result<Filter, ReadError> {
    if depth > model.max_depth {
        return Err((at.to_owned(), format!("clauses nest deeper than {} levels", model.max_depth)));
    }
    let Value::Object(members) = value else {
        return Err((at.to_owned(), "must be an object".to_owned()));
    };
    let mut join = None;
    let mut items = Vec::new();
    for (name, value) in members {
        let here = format!("{at}.{name}");
        match (&**name, value) {
            ("type", Value::Text(text)) => {
                join = Some(match &**text {
                    "AND" => Join::And,
                    "OR" => Join::Or,
                    other => return Err((here, format!("`{other}` is neither `AND` nor `OR`"))),
                });
            }
            ("predicates", Value::Array(predicates)) => {
                for (index, predicate) in predicates.iter().enumerate() {
                    items.push(Filter::Atom(read_predicate(model, predicate, &format!("{here}[{index}]"), lifted)?));
                }
            }
            ("clauses", Value::Array(clauses)) => {
                for (index, clause) in clauses.iter().enumerate() {
                    items.push(read_group(model, clause, &format!("{here}[{index}]"), depth + 1, lifted)?);
                }
            }
            ("type" | "predicates" | "clauses", _) => {
                return Err((here, "has the wrong type".to_owned()));
            }
            (other, _) => {
                return Err((
                    here,
                    format!("`{other}` is not known here; known are `type`, `predicates` and `clauses`"),
                ));
            }
        }
    }
    let join = join.ok_or_else(|| (at.to_owned(), "a filter needs `type`: `AND` or `OR`".to_owned()))?;
    if items.is_empty() {
        return Err((at.to_owned(), "an empty filter says nothing; leave the key out instead".to_owned()));
    }
    Ok(Filter::Group(join, items))
}

fn read_predicate(
    model: &FilterModel,
    value: &Value,
    at: &str,
    lifted: &dyn Fn(&str) -> bool,
) -> Result<Atom, ReadError> {
    let Value::Object(members) = value else {
        return Err((at.to_owned(), "must be an object".to_owned()));
    };
    let (mut dimension, mut operator, mut values) = (None, None, Vec::new());
    for (name, value) in members {
        let here = format!("{at}.{name}");
        match (&**name, value) {
            ("dimension", Value::Text(text)) => dimension = Some(&**text),
            ("operator", Value::Text(text)) => operator = Some(&**text),
            ("values", Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::Text(text) => values.push(text.clone()),
                        _ => {
                            return Err((format!("{here}[{index}]"), "must be a string".to_owned()));
                        }
                    }
                }
            }
            ("dimension" | "operator" | "values", _) => {
                return Err((here, "has the wrong type".to_owned()));
            }
            (other, _) => {
                return Err((
                    here,
                    format!("`{other}` is not known here; known are `dimension`, `operator` and `values`"),
                ));
            }
        }
    }
    let asked = dimension.ok_or_else(|| (at.to_owned(), "a predicate needs `dimension`".to_owned()))?;
    let (name, kind) = model
        .dimension(Dialect::Platform, asked)
        .ok_or_else(|| (format!("{at}.dimension"), format!("`{asked}` is not a dimension of this filter")))?;
    if kind == Dimension::Hidden || (kind == Dimension::Masked && !lifted(name)) {
        return Err((format!("{at}.dimension"), format!("{HIDDEN}`{name}` may not be used in a filter by you")));
    }
    let access = if let Dimension::Access(access) = kind { Some(access) } else { None };
    let operator = operator.ok_or_else(|| (at.to_owned(), "a predicate needs `operator`".to_owned()))?;
    check_count(operator, values.len(), access, at)?;
    values.sort();
    values.dedup();
    let name = access.and_then(|access| model.carrying(access)).unwrap_or(name);
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
                return Err((format!("{at}.operator"), "an id has no order; use `EQUALS` or `IN`".to_owned()));
            }
            count == 1
        }
        other => {
            return Err((format!("{at}.operator"), format!("`{other}` is not an operator of this dialect")));
        }
    };
    if fits { Ok(()) } else { Err((format!("{at}.values"), format!("`{operator}` does not take {count} values"))) }
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
