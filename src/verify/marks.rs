//! Reads the criteria of a search of evaluations again.
//!
//! `[{field, operator, type, value | values | startValue, endValue}]`, all joined by *and*. What is found is judged by the legs of
//! each row, so nothing of it proves anything; but every id in it is judged.

use super::{
    Unproved,
    filter::{Node, Places, Reading, Test, items, members},
    json::Json,
};

const MEMBERS: [&str; 7] = ["endValue", "field", "operator", "startValue", "type", "value", "values"];

pub(super) fn read(reading: &Reading<'_>, value: &Json<'_>, at: &str) -> Result<(Node, Places), Unproved> {
    let Json::Array(criteria) = value else { return Err(Unproved::at(at, "not a list of criteria")) };
    let read = criteria.iter().enumerate().map(|(place, one)| criterion(reading, one, &format!("{at}[{place}]")));
    Ok((Node::And(read.collect::<Result<_, _>>()?), Places::default()))
}

fn criterion(reading: &Reading<'_>, value: &Json<'_>, at: &str) -> Result<Node, Unproved> {
    members(value, &MEMBERS, at)?;
    let mut texts = Vec::new();
    for key in ["value", "startValue", "endValue"] {
        match value.get(key) {
            None => {}
            Some(Json::Text(text)) => texts.push(&**text),
            Some(_) => return Err(Unproved::at(at, format!("`{key}` is not a string"))),
        }
    }
    for item in items(value, "values", at)? {
        texts.push(item.text().ok_or_else(|| Unproved::at(at, "an item of `values` is not a string"))?);
    }
    let word = |key: &str| value.get(key).and_then(Json::text);
    let (Some("AND"), Some(field), false) = (word("operator"), word("field"), texts.is_empty()) else {
        return Err(Unproved::at(at, "`operator` is not `AND`, or `field` or a value is missing"));
    };
    let test = match word("type") {
        Some("EXACT") => Test::OneOf,
        Some(
            "GREATER_THAN" | "GREATER_THAN_EQUAL_TO" | "LESS_THAN" | "LESS_THAN_EQUAL_TO" | "RANGE" | "DATE_RANGE",
        ) => Test::Range,
        _ => return Err(Unproved::at(at, "an unknown `type`")),
    };
    reading.dimension(field, test, &texts, at)
}
