//! Reads the nested filters of the report-definition API again.
//!
//! `{type: AND|OR, predicates: [{dimension, operator, values}], clauses: [filter]}`; negated operators never
//! prove anything, placeholders must be gone.

use super::{
    Unproved,
    filter::{Node, Places, Reading, Test, items, members},
    json::Json,
};

/// How deep groups may nest: what was asked, and the scope around it.
pub(super) const DEEPEST: usize = 16;

pub(super) fn read(
    reading: &Reading<'_>,
    value: &Json<'_>,
    at: &str,
    deeper: usize,
) -> Result<(Node, Places), Unproved> {
    members(value, &["type", "predicates", "clauses"], at)?;
    let mut nodes = Vec::new();
    for (place, clause) in items(value, "clauses", at)?.iter().enumerate() {
        let at = format!("{at}.clauses[{place}]");
        let deeper = deeper.checked_sub(1).ok_or_else(|| Unproved::at(&at, "nested too deep"))?;
        nodes.push(read(reading, clause, &at, deeper)?.0);
    }
    let clauses = nodes.len();
    for predicate in items(value, "predicates", at)? {
        nodes.push(read_predicate(reading, predicate, at)?);
    }
    if nodes.is_empty() {
        return Err(Unproved::at(at, "an empty filter or clause"));
    }
    let places = Places::default().then("clauses", clauses).then("predicates", nodes.len() - clauses);
    match value.get("type").and_then(Json::text) {
        Some("AND") => Ok((Node::And(nodes), places)),
        Some("OR") => Ok((Node::Or(nodes), places)),
        _ => Err(Unproved::at(at, "`type` is neither `AND` nor `OR`")),
    }
}

fn read_predicate(reading: &Reading<'_>, predicate: &Json<'_>, at: &str) -> Result<Node, Unproved> {
    members(predicate, &["dimension", "operator", "values"], at)?;
    let name = predicate.get("dimension").and_then(Json::text);
    let name = name.ok_or_else(|| Unproved::at(at, "`dimension` is not a string"))?;
    let operator = predicate.get("operator").and_then(Json::text).unwrap_or_default();
    let values = items(predicate, "values", at)?;
    let test = match (operator, values.len()) {
        ("EQUALS", 1) | ("IN", 1..) => Test::OneOf,
        ("NOT_EQUALS", 1) | ("NOT_IN", 1..) => Test::NoneOf,
        ("EXISTS", 0) => Test::Present,
        ("NOT_EXISTS", 0) => Test::Absent,
        ("GT" | "GTE" | "LT" | "LTE", 1) => Test::Range,
        _ => return Err(Unproved::at(at, "operator and values do not fit together")),
    };
    let mut known = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Json::Text(word) if word.contains("${") => {
                return Err(Unproved::at(at, "a placeholder is left"));
            }
            Json::Text(word) => known.push(&**word),
            Json::Number(number) if test == Test::Range => known.push(*number),
            _ => return Err(Unproved::at(at, "a value of the wrong type")),
        }
    }
    reading.dimension(name, test, &known, at)
}
