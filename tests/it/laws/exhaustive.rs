//! The small world, complete: every two-level filter of up to two clauses of up to two atoms over queue and agent with
//! two values each, every scope of at most two boxes, every interaction of at most two legs.

use super::program;
use crate::oracle::{
    data::{Directory, Interaction, Leg},
    questions::{Kind, Meaning, answer, details_matching, facts_of},
    semantics::{Dim, Entitlement},
};
use bailiwick::{
    decision::{self, Decided},
    model::{
        entitlement::{self, Action, Scope, Source, Validity},
        org::{Org, Principal},
        refusal::Code,
        set::{self, Set},
        world::World,
    },
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// In a release build every combination is tried; otherwise every thirty-first, starting elsewhere for each scope.
const STRIDE: usize = if cfg!(debug_assertions) { 31 } else { 1 };

fn directory() -> Value {
    json!({
        "version": "small", "regions": [{ "id": "r", "upstream": "http://127.0.0.1:1" }],
        "divisions": [{ "id": "root", "region": "r" }, { "id": "a", "parent": "root", "region": "r" }, { "id": "b", "parent": "root", "region": "r" }],
        "users": [
            { "id": "a1", "division": "a", "region": "r" }, { "id": "a2", "division": "b", "region": "r" },
            { "id": "me", "division": "a", "region": "r" },
        ],
        "queues": [{ "id": "q1", "division": "a", "members": ["a1"] }, { "id": "q2", "division": "b", "members": ["a2"] }],
    })
}

/// Boxes: queues any, one, the other, both; users likewise; and the two divisions.
fn boxes() -> Vec<Entitlement> {
    let side = |one: &str, other: &str| {
        vec![
            Dim::Any,
            Dim::Only(vec![one.to_owned()]),
            Dim::Only(vec![other.to_owned()]),
            Dim::Only(vec![one.to_owned(), other.to_owned()]),
        ]
    };
    let mut all = Vec::new();
    for queues in side("q1", "q2") {
        for users in side("a1", "a2") {
            let divisions = Dim::Any;
            all.push(Entitlement { divisions, queues: queues.clone(), users, conversations: Dim::Any, window: None });
        }
    }
    for division in ["a", "b"] {
        let divisions = Dim::Only(vec![division.to_owned()]);
        all.push(Entitlement { divisions, queues: Dim::Any, users: Dim::Any, conversations: Dim::Any, window: None });
    }
    all
}

fn scopes() -> Vec<Vec<Entitlement>> {
    let boxes = boxes();
    let mut all: Vec<Vec<Entitlement>> = boxes.iter().map(|one| vec![one.clone()]).collect();
    for first in 0..boxes.len() {
        for second in first + 1..boxes.len() {
            all.push(vec![boxes[first].clone(), boxes[second].clone()]);
        }
    }
    all
}

fn compiled(org: &Org, boxes: &[Entitlement]) -> Scope {
    fn dim<T: Copy + Ord>(dim: &Dim, index: &std::collections::HashMap<Box<str>, T>) -> set::Dim<T> {
        match dim {
            Dim::Any => set::Dim::Any,
            Dim::Only(ids) => set::Dim::Only(ids.iter().map(|id| index[id.as_str()]).collect()),
        }
    }
    let holder = Principal::User(org.index.users["me"]);
    let region = org.index.regions["r"];
    let entitlements = boxes.iter().map(|one| entitlement::Entitlement {
        holder,
        region,
        divisions: dim(&one.divisions, &org.index.divisions),
        queues: dim(&one.queues, &org.index.queues),
        users: dim(&one.users, &org.index.users),
        conversations: set::Dim::Any,
        data: None,
        actions: vec![Action::View],
        valid: Validity::ALWAYS,
        source: Source::Grant { id: "box".into() },
    });
    Scope {
        holder,
        region,
        action: Action::View,
        entitlements: entitlements.collect(),
        inert: Set::new(),
        lifts: vec![],
        openings: Vec::new(),
        good_until: None,
    }
}

fn atoms() -> Vec<Value> {
    let of =
        |dimension: &str, operator: &str| json!({ "type": "dimension", "dimension": dimension, "operator": operator });
    let is = |dimension: &str, value: &str| json!({ "type": "dimension", "dimension": dimension, "operator": "matches", "value": value });
    vec![
        is("queueId", "q1"),
        is("queueId", "q2"),
        is("userId", "a1"),
        is("userId", "a2"),
        of("queueId", "exists"),
        of("queueId", "notExists"),
        of("userId", "exists"),
        of("userId", "notExists"),
    ]
}

fn filters() -> Vec<Value> {
    let atoms = atoms();
    let mut clauses: Vec<Value> = atoms.iter().map(|atom| json!({ "type": "and", "predicates": [atom] })).collect();
    for word in ["and", "or"] {
        for first in 0..atoms.len() {
            for second in first + 1..atoms.len() {
                clauses.push(json!({ "type": word, "predicates": [atoms[first], atoms[second]] }));
            }
        }
    }
    let mut all = Vec::new();
    for word in ["and", "or"] {
        for first in 0..clauses.len() {
            all.push(json!({ "type": word, "clauses": [clauses[first]] }));
            for second in first + 1..clauses.len() {
                all.push(json!({ "type": word, "clauses": [clauses[first], clauses[second]] }));
            }
        }
    }
    // The same clauses without their brackets.
    all.extend(clauses);
    all
}

/// Queue or none, agent or none: nine kinds of legs.
fn legs(directory: &Directory) -> Vec<Leg> {
    let mut all = Vec::new();
    for queue in [None, Some("q1"), Some("q2")] {
        for agent in [None, Some("a1"), Some("a2")] {
            let mut leg = Leg {
                queue: queue.map(str::to_owned),
                agent: agent.map(str::to_owned),
                start: crate::oracle::generate::MONDAY,
                end: crate::oracle::generate::MONDAY + 60,
                plain: BTreeMap::new(),
                handle: 1,
                tag: None,
                region: None,
            };
            leg.tag = directory.division_of(&leg).map(str::to_owned);
            all.push(leg);
        }
    }
    all
}

fn alone(leg: &Leg) -> Interaction {
    Interaction {
        id: "c".to_owned(),
        start: leg.start,
        end: leg.end,
        facts: BTreeMap::new(),
        legs: vec![leg.clone()],
        evaluations: vec![],
    }
}

const INTERVAL: &str = "2026-11-16T00:00:00Z/2026-11-17T00:00:00Z";

fn body(kind: Kind, filter: &Value) -> Value {
    match kind {
        Kind::Details => json!({ "interval": INTERVAL, "segmentFilters": [filter] }),
        _ => json!({ "interval": INTERVAL, "metrics": ["tHandle"], "filter": filter }),
    }
}

/// What a details query asks of the tags of the whole interaction: one bit for each pair of legs.
fn tagged(body: &Value, legs: &[Leg]) -> Vec<Vec<bool>> {
    let asked = json!({ "interval": body["interval"], "conversationFilters": body["conversationFilters"] });
    let pair = |first: &Leg, second: &Leg| {
        let mut one = alone(first);
        one.legs.push(second.clone());
        body["conversationFilters"].is_null() || !details_matching(&asked, &[one], Meaning::Tags).is_empty()
    };
    legs.iter().map(|first| legs.iter().map(|second| pair(first, second)).collect()).collect()
}

/// Which kinds of legs the filters on legs let through, one bit for each.
fn mask(kind: Kind, body: &Value, legs: &[Leg]) -> u16 {
    let passes = |leg: &Leg| {
        if kind == Kind::Details {
            let mut asked = body.clone();
            asked["conversationFilters"] = json!([]);
            !details_matching(&asked, &[alone(leg)], Meaning::Tags).is_empty()
        } else {
            let mut counted = body.clone();
            counted["metrics"] = json!(["any"]);
            !facts_of(kind, &answer(kind, &counted, &[alone(leg)], Meaning::Tags, 0)).is_empty()
        }
    };
    legs.iter().enumerate().filter(|(_, leg)| passes(leg)).map(|(at, _)| 1 << at).sum()
}

#[derive(Debug, Default)]
struct Counts {
    decided: usize,
    evaluated: usize,
    refused: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

fn try_scope(
    world: &World,
    directory: &Directory,
    boxes: &[Entitlement],
    filters: &[(usize, Value)],
    asked: &BTreeMap<(Kind, usize), u16>,
    counts: &mut Counts,
) {
    let legs = legs(directory);
    let scope = Arc::new(compiled(&world.org, boxes));
    let visible: u16 = legs
        .iter()
        .enumerate()
        .filter(|(_, leg)| directory.visible("me", boxes, "c", leg))
        .map(|(at, _)| 1 << at)
        .sum();
    for (number, filter) in filters {
        for kind in [Kind::Aggregates, Kind::Details] {
            let question = program::question(kind, body(kind, filter).to_string().as_bytes());
            counts.decided += 1;
            let (sent, notices, text, pairs) = match decision::decide(world, &scope, &question, program::at(0)) {
                Err(refusal) => {
                    *counts.refused.entry(refusal.code.as_str()).or_default() += 1;
                    let named = filter.to_string();
                    // A user may be named who is listed, or who is a member of a covered queue or placed in a covered
                    // division where everybody is meant.
                    let inside = |one: &Entitlement, id: &str| {
                        let home = if id == "a1" { "q1" } else { "q2" };
                        match id {
                            "a1" | "a2" => {
                                one.users.covers(id)
                                    && (one.users != Dim::Any
                                        || directory.queue_covered("me", one, home)
                                            && one.divisions.covers(&directory.queue(home).unwrap().division))
                            }
                            queue => {
                                one.divisions.covers(&directory.queue(queue).unwrap().division)
                                    && directory.queue_covered("me", one, queue)
                            }
                        }
                    };
                    let outside = ["q1", "q2", "a1", "a2"]
                        .iter()
                        .any(|id| named.contains(&format!("\"{id}\"")) && !boxes.iter().any(|one| inside(one, id)));
                    if !(refusal.code == Code::ScopeOutside && outside) && refusal.code != Code::QueryTooComplex {
                        counts
                            .wrong
                            .push(format!("refused with {refusal} ({:?}): {boxes:?} asked {filter}", refusal.cause));
                    }
                    continue;
                }
                Ok(Decided::Split(_) | Decided::Kept(_)) => panic!("nothing here is asked in parts"),
                Ok(Decided::Local(answer)) => (0, !answer.notices().is_empty(), "nothing".to_owned(), None),
                Ok(Decided::Forward(forward)) => {
                    let text = program::sent(&forward.verified);
                    let body: Value = serde_json::from_str(&text).unwrap();
                    let pairs = (kind == Kind::Details).then(|| tagged(&body, &legs));
                    (mask(kind, &body, &legs), !forward.notices.is_empty(), text, pairs)
                }
            };
            let asked = asked[&(kind, *number)];
            // Interactions of one leg and of two. An aggregate counts legs; details ask whether one exists, and the guard
            // drops what has no visible leg.
            for first in 0..legs.len() {
                for second in first..legs.len() {
                    let pair: u16 = 1 << first | 1 << second;
                    counts.evaluated += 1;
                    let (got, due) = match kind {
                        Kind::Details => (
                            sent & pair != 0
                                && visible & pair != 0
                                && pairs.as_ref().is_none_or(|pairs| pairs[first][second]),
                            asked & visible & pair != 0,
                        ),
                        _ => (sent & pair == asked & visible & pair, true),
                    };
                    let lost = notices
                        && u8::from(got) <= u8::from(due)
                        && (kind == Kind::Details || sent & pair & !(asked & visible) == 0);
                    if got != due && !lost {
                        counts.wrong.push(format!("{kind:?}: got {got}, due {due}: {boxes:?}\nasked {filter}\nsent {text}\nlegs {:?} and {:?}", legs[first], legs[second]));
                        break;
                    }
                }
            }
        }
        if counts.wrong.len() > 5 {
            return;
        }
    }
}

#[test]
fn the_small_world_is_right() {
    let text = directory().to_string();
    let world = program::world(&program::org(&text).unwrap());
    let directory = Directory::read(&text);
    let legs = legs(&directory);
    let filters: Vec<(usize, Value)> = filters().into_iter().enumerate().collect();
    let scopes = scopes();
    let mut asked = BTreeMap::new();
    for (number, filter) in &filters {
        for kind in [Kind::Aggregates, Kind::Details] {
            asked.insert((kind, *number), mask(kind, &body(kind, filter), &legs));
        }
    }
    let half = |start: usize| {
        let mut counts = Counts::default();
        for (number, boxes) in scopes.iter().enumerate().skip(start).step_by(2) {
            // Not `%`: where nothing is left out, clippy takes the remainder by one for a mistake.
            let first = number.checked_rem(STRIDE).unwrap();
            let chosen: Vec<(usize, Value)> = filters.iter().skip(first).step_by(STRIDE).cloned().collect();
            try_scope(&world, &directory, boxes, &chosen, &asked, &mut counts);
        }
        counts
    };
    let halves = std::thread::scope(|threads| {
        let other = threads.spawn(|| half(1));
        [half(0), other.join().unwrap()]
    });
    for counts in &halves {
        println!(
            "small world: {} scopes, {} filters, {} decided, {} evaluated, refused {:?}",
            scopes.len(),
            filters.len(),
            counts.decided,
            counts.evaluated,
            counts.refused
        );
        assert!(counts.wrong.is_empty(), "{} wrong:\n{}", counts.wrong.len(), counts.wrong.join("\n\n"));
    }
}
