//! Criteria of a search: a flat list of what has to hold together, each of one or more fields.
//!
//! `[{type, fields, value | values, operator}]`. Only what is joined by *and* is read: what an *or* or a *not* is joined with
//! no document says, and neither do nested groups. A field that carries access stands alone, with the ids that are meant.

use super::{
    filter::{Atom, Filter, Join, Term},
    json::{Value, write_text},
    reading::{ReadError, Reading},
};
use crate::model::{body::Access, refusal::Echo};

/// Ways to compare. Expressions are none of them: they could speak of fields that no list of fields names.
const TYPES: [&str; 5] = ["CONTAINS", "EXACT", "STARTS_WITH", "TERM", "TERMS"];
/// Ways to name one of several ids.
const BY_ID: [&str; 3] = ["EXACT", "TERM", "TERMS"];
/// Most criteria that are asked for, values of one of them, and the longest of these.
pub(super) const MOST: usize = 20;
const VALUES: usize = 500;
const LONGEST: usize = 256;

/// Reads a list of criteria. An empty one, and a criterion of which everything is a match, hold of everything.
pub(super) fn read(reading: &Reading<'_>, value: &Value) -> Result<Filter, ReadError> {
    let Value::Array(criteria) = value else {
        return Err(ReadError::new("$", "must be a list of criteria"));
    };
    if criteria.len() > MOST {
        return Err(ReadError::new("$", format!("has more than {MOST} criteria")));
    }
    let read = criteria.iter().enumerate().map(|(place, one)| criterion(reading, one, &format!("$[{place}]")));
    let items: Vec<_> = read.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(Filter::and(items).canonical())
}

fn criterion(reading: &Reading<'_>, value: &Value, at: &str) -> Result<Option<Filter>, ReadError> {
    let Value::Object(members) = value else {
        return Err(ReadError::new(at, "must be an object"));
    };
    let (mut kind, mut fields, mut values) = (None, Vec::new(), None);
    for (name, value) in members {
        let here = format!("{at}.{}", Echo(name));
        match (&**name, value) {
            ("type", Value::Text(text)) => kind = Some(&**text),
            ("operator", Value::Text(text)) if **text == *"AND" => {}
            ("operator", Value::Text(_)) => {
                let why = "must be `AND`: ask for alternatives by several `values` or `fields` of one criterion, or search twice";
                return Err(ReadError::new(here, why));
            }
            ("fields", Value::Array(_)) => fields = texts(value, &here)?,
            ("value", Value::Text(_)) | ("values", Value::Array(_)) => {
                if values.replace(texts(value, &here)?).is_some() {
                    return Err(ReadError::new(at, "has `value` and `values`; send one of them"));
                }
            }
            ("type" | "operator" | "fields" | "value" | "values", _) => {
                return Err(ReadError::new(here, "has the wrong type"));
            }
            (other, _) => {
                return Err(ReadError::unknown(at, other, "`type`, `fields`, `value`, `values` and `operator`"));
            }
        }
    }
    let kind = kind.ok_or_else(|| ReadError::new(at, "a criterion needs `type`"))?;
    if kind == "MATCH_ALL" && fields.is_empty() && values.is_none() {
        return Ok(None);
    }
    if !TYPES.contains(&kind) {
        let why = format!("`{}` is not accepted here; accepted are {}", Echo(kind), TYPES.join(", "));
        return Err(ReadError::new(format!("{at}.type"), why));
    }
    let values = values.filter(|values| !values.is_empty());
    let values =
        values.ok_or_else(|| ReadError::new(at, "a criterion needs `value`, or `values` that are not empty"))?;
    about(reading, kind, &fields, values, at).map(Some)
}

/// What a criterion says of these fields.
fn about(
    reading: &Reading<'_>,
    kind: &str,
    fields: &[Box<str>],
    values: Vec<Box<str>>,
    at: &str,
) -> Result<Filter, ReadError> {
    let mut names = Vec::with_capacity(fields.len());
    let mut carried = None;
    for field in fields {
        let (name, access) =
            reading.dimension(field, at).map_err(|error| ReadError { at: format!("{at}.fields"), ..error })?;
        names.push(name);
        carried = carried.or(access.map(|access| (access, name)));
    }
    names.sort_unstable();
    names.dedup();
    match (carried, names.as_slice()) {
        (_, []) => Err(ReadError::new(at, "a criterion needs `fields`")),
        (None, names) => Ok(Filter::Atom(Atom { text: text_of(names, kind, &values), term: Term::Other })),
        (Some((access, name)), [_]) if BY_ID.contains(&kind) => Ok(atom_in(access, name, values)),
        (Some((_, name)), _) => {
            let why = format!("`{name}` stands alone in `fields`, with the type `EXACT`, `TERM` or `TERMS`");
            Err(ReadError::new(at, why))
        }
    }
}

/// One text or several, sorted, each once.
pub(super) fn texts(value: &Value, at: &str) -> Result<Vec<Box<str>>, ReadError> {
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    if items.len() > VALUES {
        return Err(ReadError::new(at, format!("has more than {VALUES} items")));
    }
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::Text(text) if !text.is_empty() && text.len() <= LONGEST => texts.push(text.clone()),
            _ => return Err(ReadError::new(at, format!("takes texts of 1 to {LONGEST} bytes"))),
        }
    }
    texts.sort();
    texts.dedup();
    Ok(texts)
}

/// One spelling for one meaning.
fn text_of(fields: &[&str], kind: &str, values: &[Box<str>]) -> Box<str> {
    let list = |out: &mut Vec<u8>, items: &mut dyn Iterator<Item = &str>| {
        for (place, item) in items.enumerate() {
            out.push(if place == 0 { b'[' } else { b',' });
            write_text(item, out);
        }
        out.push(b']');
    };
    let mut out = br#"{"fields":"#.to_vec();
    list(&mut out, &mut fields.iter().copied());
    out.extend_from_slice(br#","operator":"AND","type":"#);
    write_text(kind, &mut out);
    match values {
        [only] if kind != "TERMS" => {
            out.extend_from_slice(br#","value":"#);
            write_text(only, &mut out);
        }
        several => {
            out.extend_from_slice(br#","values":"#);
            list(&mut out, &mut several.iter().map(|value| &**value));
        }
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default().into()
}

/// The criterion that says "this field is one of these".
pub(super) fn atom_in(access: Access, dimension: &str, mut values: Vec<Box<str>>) -> Filter {
    values.sort();
    values.dedup();
    Filter::Atom(Atom { text: text_of(&[dimension], "TERMS", &values), term: Term::In(access, values) })
}

pub(super) fn dimension_of(atom: &Atom) -> Option<String> {
    let rest = atom.text.strip_prefix(r#"{"fields":[""#)?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

/// Whether it is one list of criteria.
pub(super) fn fits(filter: &Filter) -> bool {
    match filter {
        Filter::Atom(_) => true,
        Filter::Group(join, items) => *join == Join::And && items.iter().all(|item| matches!(item, Filter::Atom(_))),
    }
}

/// Writes a canonical filter that [`fits`].
pub(super) fn write(filter: &Filter, out: &mut Vec<u8>) {
    out.push(b'[');
    for (place, atom) in filter.atoms().into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(atom.text.as_bytes());
    }
    out.push(b']');
}
