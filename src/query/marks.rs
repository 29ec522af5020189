//! Criteria of a search of evaluations: a flat list of what has to hold together, each of one field.
//!
//! `[{type, field, value | values | startValue, endValue, operator}]`. Only what is joined by *and* is read. A field that
//! carries access is compared with ids; marks and times have ranges.

use super::{
    criteria::{MOST, texts},
    filter::{Atom, Filter, Term},
    json::{Value, write_text},
    reading::{ReadError, Reading},
};
use crate::model::{body::Access, refusal::Echo};

/// How a value is compared.
const WITH_VALUES: [&str; 5] = ["EXACT", "GREATER_THAN", "GREATER_THAN_EQUAL_TO", "LESS_THAN", "LESS_THAN_EQUAL_TO"];
const WITH_ENDS: [&str; 2] = ["DATE_RANGE", "RANGE"];

pub(super) fn read(reading: &Reading<'_>, value: &Value) -> Result<Filter, ReadError> {
    let Value::Array(criteria) = value else {
        return Err(ReadError::new("$", "must be a list of criteria"));
    };
    if criteria.len() > MOST {
        return Err(ReadError::new("$", format!("has more than {MOST} criteria")));
    }
    let read = criteria.iter().enumerate().map(|(place, one)| criterion(reading, one, &format!("$[{place}]")));
    Ok(Filter::and(read.collect::<Result<_, _>>()?).canonical())
}

fn criterion(reading: &Reading<'_>, value: &Value, at: &str) -> Result<Filter, ReadError> {
    let Value::Object(members) = value else {
        return Err(ReadError::new(at, "must be an object"));
    };
    let (mut kind, mut field, mut compared) = (None, None, Vec::new());
    for (name, value) in members {
        let here = format!("{at}.{}", Echo(name));
        match (&**name, value) {
            ("type", Value::Text(text)) => kind = Some(&**text),
            ("field", Value::Text(text)) => field = Some(&**text),
            ("operator", Value::Text(text)) if **text == *"AND" => {}
            ("operator", Value::Text(_)) => {
                return Err(ReadError::new(here, "must be `AND`: leave out in what comes back what you do not want"));
            }
            ("value" | "startValue" | "endValue", Value::Text(_)) | ("values", Value::Array(_)) => {
                compared.push((&**name, texts(value, &here)?));
            }
            ("type" | "field" | "operator" | "value" | "values" | "startValue" | "endValue", _) => {
                return Err(ReadError::new(here, "has the wrong type"));
            }
            (other, _) => {
                let known = "`type`, `field`, `value`, `values`, `startValue`, `endValue` and `operator`";
                return Err(ReadError::unknown(at, other, known));
            }
        }
    }
    let (Some(kind), Some(field)) = (kind, field) else {
        return Err(ReadError::new(at, "a criterion needs `type` and `field`"));
    };
    let (field, access) =
        reading.dimension(field, at).map_err(|error| ReadError { at: format!("{at}.field"), ..error })?;
    compared.sort_unstable_by_key(|(name, _)| *name);
    let names: Vec<&str> = compared.iter().map(|(name, _)| *name).collect();
    let fits = match names.as_slice() {
        ["value"] => WITH_VALUES.contains(&kind),
        ["values"] => kind == "EXACT",
        ["endValue" | "startValue"] | ["endValue", "startValue"] => WITH_ENDS.contains(&kind),
        _ => false,
    };
    if !fits || compared.iter().any(|(_, values)| values.is_empty()) {
        let why = "write `EXACT` with `value` or `values`, an order such as `LESS_THAN` with `value`, or `RANGE` or `DATE_RANGE` with \
                   `startValue` and `endValue`";
        return Err(ReadError::new(at, why));
    }
    match access {
        None => Ok(Filter::Atom(Atom { text: text_of(field, kind, &compared), term: Term::Other })),
        Some(access) if kind == "EXACT" => Ok(atom_in(access, field, compared.remove(0).1)),
        Some(_) => Err(ReadError::new(at, format!("`{field}` is compared by `EXACT`"))),
    }
}

/// One spelling for one meaning.
fn text_of(field: &str, kind: &str, compared: &[(&str, Vec<Box<str>>)]) -> Box<str> {
    let mut out = br#"{"field":"#.to_vec();
    write_text(field, &mut out);
    out.extend_from_slice(br#","operator":"AND","type":"#);
    write_text(kind, &mut out);
    for (name, values) in compared {
        match values.as_slice() {
            [only] => {
                let name = if *name == "values" { "value" } else { name };
                out.extend_from_slice(format!(r#","{name}":"#).as_bytes());
                write_text(only, &mut out);
            }
            several => {
                out.extend_from_slice(br#","values":"#);
                for (place, value) in several.iter().enumerate() {
                    out.push(if place == 0 { b'[' } else { b',' });
                    write_text(value, &mut out);
                }
                out.push(b']');
            }
        }
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default().into()
}

/// The criterion that says "this field is one of these".
pub(super) fn atom_in(access: Access, dimension: &str, mut values: Vec<Box<str>>) -> Filter {
    values.sort();
    values.dedup();
    let text = text_of(dimension, "EXACT", &[("values", values.clone())]);
    Filter::Atom(Atom { text, term: Term::In(access, values) })
}

pub(super) fn dimension_of(atom: &Atom) -> Option<String> {
    let rest = atom.text.strip_prefix(r#"{"field":""#)?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}
