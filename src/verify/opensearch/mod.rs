//! Reads the queries of OpenSearch again, in the one spelling that leaves this program.
//!
//! `bool` has exactly one of `filter`, `should` with `minimum_should_match: 1`, and `must_not` with one plain predicate:
//! what is optional, what only scores, and a negated group are never taken for anything. Negated predicates prove
//! nothing but that a queue is missing.

mod aggregations;

pub(super) use aggregations::{hold_aggregations, hold_sort};

use super::{
    Unproved,
    filter::{Node, Places, Reading, Test, items, members},
    json::Json,
};

/// How deep groups may nest: what was asked, and the scope around it.
pub(super) const DEEPEST: usize = 13;

pub(super) fn read(
    reading: &Reading<'_>,
    value: &Json<'_>,
    at: &str,
    deeper: usize,
) -> Result<(Node, Places), Unproved> {
    let (kind, inner) = only(value, at)?;
    if kind != "bool" {
        return Ok((leaf(reading, kind, inner, false, at)?, Places::default()));
    }
    let deeper = deeper.checked_sub(1).ok_or_else(|| Unproved::at(at, "nested too deep"))?;
    let Json::Object(parts) = inner else {
        return Err(Unproved::at(at, "`bool` is not an object"));
    };
    let group = |key: &str| -> Result<Vec<Node>, Unproved> {
        let clauses = items(inner, key, at)?.iter().enumerate();
        clauses
            .map(|(place, clause)| Ok(read(reading, clause, &format!("{at}.bool.{key}[{place}]"), deeper)?.0))
            .collect()
    };
    let keys: Vec<&str> = parts.iter().map(|(key, _)| &**key).collect();
    let (node, key) = match keys.as_slice() {
        ["filter"] => (Node::And(group("filter")?), "bool.filter"),
        ["minimum_should_match", "should"] => match inner.get("minimum_should_match") {
            Some(Json::Number("1")) => (Node::Or(group("should")?), "bool.should"),
            _ => return Err(Unproved::at(at, "`minimum_should_match` is not 1")),
        },
        ["must_not"] => match items(inner, "must_not", at)? {
            [one] => {
                let (kind, inner) = only(one, at)?;
                return Ok((leaf(reading, kind, inner, true, at)?, Places::default()));
            }
            _ => return Err(Unproved::at(at, "`must_not` does not hold one predicate")),
        },
        _ => return Err(Unproved::at(at, "`bool` is neither a filter, a choice nor a negation alone")),
    };
    match &node {
        Node::And(nodes) | Node::Or(nodes) if nodes.is_empty() => Err(Unproved::at(at, "an empty filter or clause")),
        Node::And(nodes) | Node::Or(nodes) => {
            let places = Places::default().then(key, nodes.len());
            Ok((node, places))
        }
        _ => Ok((node, Places::default())),
    }
}

fn leaf(reading: &Reading<'_>, kind: &str, inner: &Json<'_>, negated: bool, at: &str) -> Result<Node, Unproved> {
    let either = |plain: Test, opposite: Test| if negated { opposite } else { plain };
    match kind {
        "match_all" => match inner {
            Json::Object(none) if none.is_empty() && !negated => Ok(Node::Opaque),
            _ => Err(Unproved::at(at, "`match_all` that is negated or takes something")),
        },
        "exists" => match only(inner, at)? {
            ("field", Json::Text(field)) => reading.dimension(field, either(Test::Present, Test::Absent), &[], at),
            _ => Err(Unproved::at(at, "`exists` of no field")),
        },
        "term" | "terms" => {
            let (field, given) = only(inner, at)?;
            let values = match (kind, given) {
                ("terms", Json::Array(values)) if values.len() > 1 => values.as_slice(),
                ("term", one @ (Json::Text(_) | Json::Number(_))) => std::slice::from_ref(one),
                _ => return Err(Unproved::at(at, "values in another form than one or a list of several")),
            };
            let mut known = Vec::with_capacity(values.len());
            for value in values {
                match value {
                    Json::Text(text) => known.push(&**text),
                    Json::Number(_) if !reading.is_access(field) => {}
                    _ => return Err(Unproved::at(at, "a value of the wrong type")),
                }
            }
            reading.dimension(field, either(Test::OneOf, Test::NoneOf), &known, at)
        }
        "range" => {
            let (field, bounds) = only(inner, at)?;
            let bounds = members(bounds, &["gt", "gte", "lt", "lte"], at)?;
            let fits = |bound: &Json<'_>| matches!(bound, Json::Text(_) | Json::Number(_));
            if bounds.is_empty() || !bounds.iter().all(|(_, bound)| fits(bound)) {
                return Err(Unproved::at(at, "a range without bounds"));
            }
            reading.dimension(field, Test::Range, &[], at)
        }
        _ => Err(Unproved::at(at, "a query of a kind that is never sent")),
    }
}

/// The one member of an object.
fn only<'v>(value: &'v Json<'_>, at: &str) -> Result<(&'v str, &'v Json<'v>), Unproved> {
    match value {
        Json::Object(members) => match members.as_slice() {
            [(name, value)] => Ok((&**name, value)),
            _ => Err(Unproved::at(at, "not exactly one member")),
        },
        _ => Err(Unproved::at(at, "not an object")),
    }
}
