//! Evaluates queries row by row. No SQL, nothing clever.

use super::cells;
use crate::sandbox::{Traits, store::Store};
use rusqlite::types::Value as Cell;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Conversation {
    pub(super) n: i64,
    pub(super) facts: BTreeMap<&'static str, String>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) tags: BTreeSet<String>,
    pub(super) legs: Vec<Leg>,
    pub(super) evaluations: Vec<BTreeMap<&'static str, String>>,
    pub(super) surveys: Vec<BTreeMap<&'static str, String>>,
}

pub(super) struct Leg {
    pub(super) facts: BTreeMap<&'static str, String>,
    pub(super) division: Option<String>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) measures: BTreeMap<&'static str, i64>,
}

const FACTS: [&str; 8] = ["queueid", "userid", "purpose", "mediatype", "direction", "wrapupcode", "ani", "dnis"];
const MEASURES: [&str; 10] =
    ["nOffered", "nConnected", "nTransferred", "tHandle", "tTalk", "tHeld", "tAcw", "tWait", "tAbandon", "tAnswered"];

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Integer(number) => Some(*number),
        _ => None,
    }
}

fn facts(names: &[&'static str], row: &[Cell]) -> BTreeMap<&'static str, String> {
    names.iter().zip(row).filter_map(|(name, cell)| Some((*name, text(cell)?))).collect()
}

pub(super) fn load(store: &Store) -> Vec<Conversation> {
    let mut all: Vec<Conversation> =
        cells(store, "SELECT n, start, end, id, originating FROM conversations ORDER BY n")
            .iter()
            .map(|row| Conversation {
                n: number(&row[0]).unwrap(),
                start: number(&row[1]).unwrap(),
                end: number(&row[2]).unwrap(),
                facts: facts(&["conversationid", "originatingdirection"], &row[3..]),
                tags: BTreeSet::new(),
                legs: Vec::new(),
                evaluations: Vec::new(),
                surveys: Vec::new(),
            })
            .collect();
    let at = |row: &[Cell]| usize::try_from(number(&row[0]).unwrap()).unwrap() - 1;
    for row in cells(store, "SELECT conversation, division FROM tags") {
        all[at(&row)].tags.extend(text(&row[1]));
    }
    for row in cells(store, "SELECT conversation, id, evaluator, queue, agent FROM evaluations") {
        all[at(&row)].evaluations.push(facts(&["evaluationid", "evaluatorid", "queueid", "userid"], &row[1..]));
    }
    for row in cells(store, "SELECT conversation, id, status, queue, agent FROM surveys") {
        all[at(&row)].surveys.push(facts(&["surveyid", "surveystatus", "queueid", "userid"], &row[1..]));
    }
    let legs = "SELECT conversation, id, start, end, division, queue, agent, purpose, media, direction, wrapup, ani, dnis,
                offered, connected, transferred, handle, talk, hold, acw, wait, abandon, answered FROM legs ORDER BY id";
    for row in cells(store, legs) {
        let conversation = &mut all[at(&row)];
        let mut known = facts(&FACTS, &row[5..13]);
        known.extend(conversation.facts.clone());
        conversation.legs.push(Leg {
            start: number(&row[2]).unwrap(),
            end: number(&row[3]).unwrap(),
            division: text(&row[4]),
            facts: known,
            measures: MEASURES.iter().zip(&row[13..]).filter_map(|(name, cell)| Some((*name, number(cell)?))).collect(),
        });
    }
    all
}

/// Whether a filter holds where each predicate is judged by `atom`.
pub(super) fn holds(filter: &Value, atom: &dyn Fn(&Value) -> bool) -> bool {
    let mut parts: Vec<bool> = Vec::new();
    for predicate in filter["predicates"].as_array().into_iter().flatten() {
        parts.push(atom(predicate));
    }
    for clause in filter["clauses"].as_array().into_iter().flatten() {
        parts.push(holds(clause, atom));
    }
    if filter["type"].as_str().unwrap().eq_ignore_ascii_case("or") {
        parts.contains(&true)
    } else {
        !parts.contains(&false)
    }
}

/// A predicate on the values that a thing has in its dimension.
pub(super) fn predicate(predicate: &Value, values: &dyn Fn(&str) -> Vec<String>) -> bool {
    let values = values(&predicate["dimension"].as_str().unwrap().to_lowercase());
    match predicate["operator"].as_str() {
        Some("exists") => !values.is_empty(),
        Some("notExists") => values.is_empty(),
        _ => values.iter().any(|value| value == predicate["value"].as_str().unwrap()),
    }
}

pub(super) fn leg_values(conversation: &Conversation, leg: &Leg, traits: Traits, dimension: &str) -> Vec<String> {
    match dimension {
        "divisionid" if traits.division_of_leg => leg.division.iter().cloned().collect(),
        "divisionid" => conversation.tags.iter().cloned().collect(),
        other => leg.facts.get(other).iter().map(|value| (*value).clone()).collect(),
    }
}

type Sums = BTreeMap<String, (i64, i64, i64, i64)>;

/// Group and number of the sub-interval -> metric -> count, sum, min, max. Counts stand in `sum` alone.
pub(super) fn aggregate(
    world: &[Conversation],
    traits: Traits,
    (from, until, step): (i64, i64, i64),
    body: &Value,
) -> BTreeMap<(String, i64), Sums> {
    let names = |member: &str| -> Vec<String> {
        body[member].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let (groups, mut metrics) = (names("groupBy"), names("metrics"));
    if groups.contains(&"userId".to_owned()) || body["filter"].to_string().contains("userId") {
        metrics.retain(|metric| !["nOffered", "tWait", "tAbandon"].contains(&metric.as_str()));
    }
    let mut all: BTreeMap<(String, i64), Sums> = BTreeMap::new();
    let mut conversations: BTreeMap<(String, i64), BTreeSet<i64>> = BTreeMap::new();
    for conversation in world {
        let judge = |leg: &Leg| {
            let values = |dimension: &str| leg_values(conversation, leg, traits, dimension);
            body["filter"].is_null() || holds(&body["filter"], &|atom| predicate(atom, &values))
        };
        for leg in &conversation.legs {
            let inside = leg.start >= from && if traits.legs_contained { leg.end <= until } else { leg.start < until };
            let counts = if traits.leg_filter { judge(leg) } else { conversation.legs.iter().any(judge) };
            if !inside || !counts {
                continue;
            }
            // a dimension with several values puts the leg into several groups
            let mut keys: Vec<Vec<String>> = vec![Vec::new()];
            for group in &groups {
                let values = leg_values(conversation, leg, traits, &group.to_lowercase());
                let values = if values.is_empty() { vec!["-".to_owned()] } else { values };
                keys = keys
                    .iter()
                    .flat_map(|key| values.iter().map(|value| [key.clone(), vec![value.clone()]].concat()))
                    .collect();
            }
            for key in keys {
                let key = (key.join("|"), (leg.start - from) / step);
                let sums = all.entry(key.clone()).or_default();
                for metric in &metrics {
                    if metric == "nConversations" {
                        conversations.entry(key.clone()).or_default().insert(conversation.n);
                    }
                    let Some(value) = leg.measures.get(metric.as_str()).copied() else {
                        continue;
                    };
                    if metric.starts_with('n') {
                        sums.entry(metric.clone()).or_insert((0, 0, 0, 0)).1 += value;
                        continue;
                    }
                    let sum = sums.entry(metric.clone()).or_insert((0, 0, i64::MAX, i64::MIN));
                    *sum = (sum.0 + 1, sum.1 + value, sum.2.min(value), sum.3.max(value));
                }
            }
        }
    }
    for (key, found) in conversations {
        let count = i64::try_from(found.len()).unwrap();
        all.entry(key).or_default().insert("nConversations".to_owned(), (0, count, 0, 0));
    }
    for sums in all.values_mut() {
        sums.retain(|metric, sum| !metric.starts_with('n') || sum.1 > 0);
    }
    all.retain(|_, sums| !sums.is_empty());
    all
}

/// The same form of what the sandbox answered.
pub(super) fn answered(answer: &Value, body: &Value, (from, step): (i64, i64)) -> BTreeMap<(String, i64), Sums> {
    let mut all: BTreeMap<(String, i64), Sums> = BTreeMap::new();
    for result in answer["results"].as_array().unwrap() {
        let key: Vec<String> = body["groupBy"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| result["group"][name.as_str().unwrap()].as_str().unwrap_or("-").to_owned())
            .collect();
        for data in result["data"].as_array().unwrap() {
            let start = data["interval"].as_str().unwrap().split('/').next().unwrap();
            let at = start.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            for metric in data["metrics"].as_array().unwrap() {
                let stats = &metric["stats"];
                let get = |key: &str| stats[key].as_i64().unwrap_or_default();
                let value = if stats["sum"].is_null() {
                    (0, get("count"), 0, 0)
                } else {
                    (get("count"), get("sum"), get("min"), get("max"))
                };
                let sums = all.entry((key.join("|"), (at - from) / step)).or_default();
                assert_eq!(sums.insert(metric["metric"].as_str().unwrap().to_owned(), value), None, "twice: {key:?}");
            }
        }
    }
    all
}

/// Numbers of the conversations that a details query finds, by start.
pub(super) fn details(world: &[Conversation], traits: Traits, (from, until): (i64, i64), body: &Value) -> Vec<String> {
    let mut found: Vec<&Conversation> = world
        .iter()
        .filter(|conversation| {
            let mut entries = Vec::new();
            for entry in body["conversationFilters"].as_array().into_iter().flatten() {
                let values = |dimension: &str| match dimension {
                    "divisionid" => conversation.tags.iter().cloned().collect(),
                    other => conversation.facts.get(other).cloned().into_iter().collect(),
                };
                entries.push(holds(entry, &|atom| predicate(atom, &values)));
            }
            for entry in body["segmentFilters"].as_array().into_iter().flatten() {
                let on = |leg: &Leg, atom: &Value| {
                    predicate(atom, &|dimension: &str| leg.facts.get(dimension).cloned().into_iter().collect())
                };
                entries.push(if traits.same_segment {
                    conversation.legs.iter().any(|leg| holds(entry, &|atom| on(leg, atom)))
                } else {
                    holds(entry, &|atom| conversation.legs.iter().any(|leg| on(leg, atom)))
                });
            }
            for (member, parts) in
                [("evaluationFilters", &conversation.evaluations), ("surveyFilters", &conversation.surveys)]
            {
                for entry in body[member].as_array().into_iter().flatten() {
                    let on = |part: &BTreeMap<&str, String>, atom: &Value| {
                        predicate(atom, &|dimension: &str| part.get(dimension).cloned().into_iter().collect())
                    };
                    entries.push(parts.iter().any(|part| holds(entry, &|atom| on(part, atom))));
                }
            }
            let matches = if traits.entries_and || entries.is_empty() {
                !entries.contains(&false)
            } else {
                entries.contains(&true)
            };
            conversation.start >= from && conversation.start < until && matches
        })
        .collect();
    found.sort_by_key(|conversation| (conversation.start, conversation.n));
    found.iter().map(|conversation| conversation.facts["conversationid"].clone()).collect()
}
