//! Reads the two-level filters of the Genesys Cloud Platform API again.
//!
//! `{type: and|or, clauses: [{type, predicates}], predicates: []}`; one value per predicate; there is no *not*.

use super::{
    Unproved,
    filter::{Node, Places, Reading, Test, items, members},
    json::Json,
};

pub(super) fn read(reading: &Reading<'_>, value: &Json<'_>, at: &str) -> Result<(Node, Places), Unproved> {
    members(value, &["type", "clauses", "predicates"], at)?;
    let mut nodes = Vec::new();
    for (place, clause) in items(value, "clauses", at)?.iter().enumerate() {
        let at = format!("{at}.clauses[{place}]");
        members(clause, &["type", "predicates"], &at)?;
        nodes.push(join(clause, predicates(reading, clause, &at)?, &at)?);
    }
    let clauses = nodes.len();
    nodes.extend(predicates(reading, value, at)?);
    let places = Places::default().then("clauses", clauses).then("predicates", nodes.len() - clauses);
    Ok((join(value, nodes, at)?, places))
}

fn predicates(reading: &Reading<'_>, value: &Json<'_>, at: &str) -> Result<Vec<Node>, Unproved> {
    items(value, "predicates", at)?.iter().map(|predicate| read_predicate(reading, predicate, at)).collect()
}

fn join(value: &Json<'_>, nodes: Vec<Node>, at: &str) -> Result<Node, Unproved> {
    if nodes.is_empty() {
        return Err(Unproved::at(at, "an empty filter or clause"));
    }
    match value.get("type").and_then(Json::text) {
        Some("and") => Ok(Node::And(nodes)),
        Some("or") => Ok(Node::Or(nodes)),
        _ => Err(Unproved::at(at, "`type` is neither `and` nor `or`")),
    }
}

fn read_predicate(reading: &Reading<'_>, predicate: &Json<'_>, at: &str) -> Result<Node, Unproved> {
    members(predicate, &["type", "dimension", "metric", "operator", "value", "range"], at)?;
    let word = |key: &str| match predicate.get(key) {
        None => Ok(None),
        Some(value) => value.text().map(Some).ok_or_else(|| Unproved::at(at, format!("`{key}` is not a string"))),
    };
    let range = predicate.get("range");
    let (test, values) = match (word("operator")?, word("value")?, range) {
        (None | Some("matches"), Some(value), None) => (Test::OneOf, vec![value]),
        (None | Some("matches"), None, Some(range)) => {
            check_range(range, at)?;
            (Test::Range, Vec::new())
        }
        (Some("exists"), None, None) => (Test::Present, Vec::new()),
        (Some("notExists"), None, None) => (Test::Absent, Vec::new()),
        _ => {
            return Err(Unproved::at(at, "operator, value and range do not fit together"));
        }
    };
    match (word("type")?, word("dimension")?, word("metric")?) {
        (None | Some("dimension"), Some(name), None) => reading.dimension(name, test, &values, at),
        (Some("metric"), None, Some(name)) if reading.model.metrics.iter().any(|known| &**known == name) => {
            Ok(Node::Opaque)
        }
        _ => Err(Unproved::at(at, "not a known dimension or metric")),
    }
}

fn check_range(range: &Json<'_>, at: &str) -> Result<(), Unproved> {
    let ends = members(range, &["gt", "gte", "lt", "lte"], at)?;
    if !ends.is_empty() && ends.iter().all(|(_, end)| matches!(end, Json::Number(_) | Json::Text(_))) {
        Ok(())
    } else {
        Err(Unproved::at(at, "a range without ends"))
    }
}
