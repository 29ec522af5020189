//! Reads the criteria of a search again.
//!
//! `[{fields, operator, type, value | values}]`, all joined by *and*. A criterion on several fields holds when one of them
//! fits, so ids prove something only where their field stands alone.

use super::{
    Unproved,
    filter::{Node, Places, Reading, Test, items, members},
    json::Json,
};

pub(super) fn read(reading: &Reading<'_>, value: &Json<'_>, at: &str) -> Result<(Node, Places), Unproved> {
    let Json::Array(criteria) = value else { return Err(Unproved::at(at, "not a list of criteria")) };
    let read = criteria.iter().enumerate().map(|(place, one)| criterion(reading, one, &format!("{at}[{place}]")));
    Ok((Node::And(read.collect::<Result<_, _>>()?), Places::default()))
}

fn criterion(reading: &Reading<'_>, value: &Json<'_>, at: &str) -> Result<Node, Unproved> {
    members(value, &["fields", "operator", "type", "value", "values"], at)?;
    let word = |key: &str| value.get(key).and_then(Json::text);
    let texts = |key: &str| -> Result<Vec<&str>, Unproved> {
        let all = items(value, key, at)?.iter().map(Json::text).collect::<Option<_>>();
        all.ok_or_else(|| Unproved::at(at, format!("an item of `{key}` is not a string")))
    };
    if word("operator") != Some("AND") {
        return Err(Unproved::at(at, "`operator` is not `AND`"));
    }
    if value.get("value").is_some() && (word("value").is_none() || value.get("values").is_some()) {
        return Err(Unproved::at(at, "`value` is not a string, or stands beside `values`"));
    }
    let (kind, fields) = (word("type"), texts("fields")?);
    let values: Vec<&str> = texts("values")?.into_iter().chain(word("value")).collect();
    if fields.is_empty() || values.is_empty() {
        return Err(Unproved::at(at, "`fields`, or a value, is missing"));
    }
    let (test, compared) = match kind {
        Some("TERMS") => (Test::OneOf, values.as_slice()),
        // how a text is like another says nothing of ids
        Some("CONTAINS" | "EXACT" | "STARTS_WITH" | "TERM") => (Test::Range, &[][..]),
        _ => return Err(Unproved::at(at, "an unknown `type`")),
    };
    match fields.as_slice() {
        [only] => reading.dimension(only, test, compared, at),
        several => {
            for name in several {
                if reading.is_access(name) {
                    return Err(Unproved::at(at, "an id beside other fields"));
                }
                reading.dimension(name, test, compared, at)?;
            }
            Ok(Node::Opaque)
        }
    }
}
