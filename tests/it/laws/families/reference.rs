//! An upstream for any family, leg by leg: every dimension that a model calls plain has values, every metric counts legs,
//! and one that lacks a dimension vanishes when a filter or a grouping speaks of it. Over the visible legs it is the law.

use super::{Family, ask::plain_values};
use crate::oracle::{
    data::{Interaction, Leg, instant},
    generate::Dice,
    questions::{Facts, Kind, Meaning, Row, contained, facts, facts_of, genesys, keyed, list, mentions, span, values},
};
use bailiwick::model::{
    answer::Shape,
    body::{Access, Dimension, FilterModel, Level},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Names of dimensions outlive every case.
fn named(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn fill(
    dice: &mut Dice,
    into: &mut BTreeMap<&'static str, String>,
    filter: &FilterModel,
    known: &[(&'static str, Vec<String>)],
) {
    for (name, values) in known {
        if dice.percent(75) {
            into.insert(name, dice.pick(values).clone());
        } else {
            into.remove(name);
        }
    }
    for metric in &filter.metrics {
        into.insert(named(metric), dice.below(4).to_string());
    }
}

/// Gives drawn data everything that the filters of a family may ask about.
pub(super) fn furnish(dice: &mut Dice, family: &Family, data: &mut [Interaction]) {
    let model = family.model();
    for at in model.filters() {
        let filter = model.filter(&at).unwrap();
        let plain = filter.dimensions.iter().filter(|(_, kind)| **kind == Dimension::Plain);
        let known: Vec<(&'static str, Vec<String>)> = plain
            .map(|(name, _)| (named(name), plain_values(filter, name).into_iter().map(str::to_owned).collect()))
            .collect();
        for one in data.iter_mut() {
            match filter.level {
                Level::Leg => one.legs.iter_mut().for_each(|leg| fill(dice, &mut leg.plain, filter, &known)),
                Level::Attached => {
                    one.evaluations.iter_mut().for_each(|leg| fill(dice, &mut leg.plain, filter, &known));
                }
                Level::Interaction => fill(dice, &mut one.facts, filter, &known),
            }
        }
    }
}

pub(super) fn answer(family: &Family, body: &Value, data: &[Interaction], meaning: Meaning<'_>) -> Value {
    match family.operation.answer.shape {
        Shape::Groups => groups(family, body, data, meaning),
        Shape::Owned => people(body, data, meaning),
        other => panic!("{}: no upstream answers {other:?} here", family.operation.id),
    }
}

fn rows_of<'a>(body: &Value, data: &'a [Interaction], meaning: Meaning<'_>) -> Vec<Row<'a>> {
    let interval = body["interval"].as_str().map(span);
    let all = data.iter().flat_map(|one| one.legs.iter().map(move |leg| (one, leg)));
    all.filter(|(_, leg)| interval.is_none_or(|interval| contained(leg, interval)))
        .filter(|row| body["filter"].is_null() || genesys(&body["filter"], &|name| values(name, *row, meaning)))
        .collect()
}

fn groups(family: &Family, body: &Value, data: &[Interaction], meaning: Meaning<'_>) -> Value {
    let dimensions = match family.kind {
        _ if !body["groupBy"].is_null() => list(&body["groupBy"]),
        Kind::QueueObservations => vec!["queueId".to_owned(), "mediaType".to_owned()],
        Kind::UserObservations if body["interval"].is_null() => vec!["userId".to_owned()],
        _ => vec![],
    };
    let speaks_of = |names: &[&str]| {
        mentions(&body["filter"], names)
            || dimensions.iter().any(|name| names.iter().any(|one| one.eq_ignore_ascii_case(name)))
    };
    let (of_users, of_queues) = (speaks_of(&["userId"]), speaks_of(&["queueId"]));
    let asked: Vec<String> = body["metrics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one.as_str().or(one["metric"].as_str()).unwrap().to_owned())
        .collect();
    let mut results = Vec::new();
    for (key, rows) in keyed(&dimensions, &rows_of(body, data, meaning), meaning) {
        let metrics: Vec<Value> = asked
            .iter()
            .filter_map(|name| {
                let lacks = |access| family.lacks(name, access);
                let (no_user, no_queue) = (lacks(Access::User), lacks(Access::Queue));
                if no_user && of_users || no_queue && of_queues {
                    return None;
                }
                let counts = |leg: &Leg| {
                    (!no_user || no_queue || leg.queue.is_some()) && (no_user || !no_queue || leg.agent.is_some())
                };
                let legs: Vec<&Leg> = rows.iter().map(|(_, leg)| *leg).filter(|leg| counts(leg)).collect();
                let sum: i64 = legs.iter().map(|leg| leg.handle).sum();
                // What goes on now is counted, and has no sums.
                let said = if body["metrics"][0].is_object() {
                    json!({ "metric": name, "count": legs.len() })
                } else {
                    json!({ "metric": name, "stats": { "count": legs.len(), "sum": sum } })
                };
                (!legs.is_empty()).then_some(said)
            })
            .collect();
        if metrics.is_empty() {
            continue;
        }
        let key: Value = serde_json::from_str(&key).unwrap();
        let data = match body["interval"].as_str() {
            None => json!(metrics),
            Some(interval) => json!([{ "interval": interval, "metrics": metrics }]),
        };
        results.push(json!({ "group": key, "data": data }));
    }
    json!({ "results": results })
}

/// One row for each person, in the order of their ids.
fn people(body: &Value, data: &[Interaction], meaning: Meaning<'_>) -> Value {
    let entries = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    let (from, until) = span(body["interval"].as_str().unwrap());
    let mut spans: BTreeMap<&str, Vec<&Interaction>> = BTreeMap::new();
    for one in data.iter().filter(|one| one.start < until && from < one.end) {
        let leg = &one.legs[0];
        let of_person =
            entries("userFilters").iter().all(|entry| genesys(entry, &|name| values(name, (one, leg), meaning)));
        let states = entries("presenceFilters").into_iter().chain(entries("routingStatusFilters"));
        let in_state = states.into_iter().all(|entry| genesys(&entry, &|name| facts(name, one, meaning)));
        if of_person && in_state {
            spans.entry(leg.agent.as_deref().unwrap()).or_default().push(one);
        }
    }
    let number = |name: &str, otherwise| body["paging"][name].as_u64().unwrap_or(otherwise) as usize;
    let (size, page) = (number("pageSize", 25), number("pageNumber", 1));
    let mut all: Vec<_> = spans.into_iter().collect();
    if body["order"].as_str().is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        all.reverse();
    }
    let rows = all.into_iter().skip(size * (page - 1)).take(size).map(|(user, spans)| {
        let spans = spans.iter().map(|one| {
            json!({ "startTime": instant(one.start), "endTime": instant(one.end), "systemPresence": one.facts.get("systemPresence") })
        });
        json!({ "userId": user, "primaryPresence": spans.collect::<Vec<_>>() })
    });
    json!({ "userDetails": rows.collect::<Vec<_>>() })
}

pub(super) fn said(family: &Family, answer: &Value) -> Facts {
    if family.operation.answer.shape != Shape::Owned {
        return facts_of(Kind::Aggregates, answer);
    }
    let mut all = Facts::new();
    for person in answer["userDetails"].as_array().into_iter().flatten() {
        let spans = all.entry(person["userId"].as_str().unwrap().to_owned()).or_default();
        for one in person["primaryPresence"].as_array().into_iter().flatten() {
            spans.insert(one["startTime"].to_string(), format!("{} {}", one["endTime"], one["systemPresence"]));
        }
    }
    all
}
