//! Outgoing searches changed behind the rewriter's back: the second reader alone refuses each that would find a leg which is
//! not the asker's, and each that asks for something else than documents and buckets.

use super::{Documents, counting, decide, draw, holds, operation, organisations, program, sent};
use crate::oracle::generate::Dice;
use bailiwick::{
    decision::{Decided, Forward},
    model::outgoing::Outgoing,
    verify,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Faults that are tried of one search.
const MOST: usize = 60;

/// Members of a body that no search sends.
const STRANGE: [&str; 22] = [
    "post_filter",
    "script_fields",
    "runtime_mappings",
    "suggest",
    "profile",
    "highlight",
    "rescore",
    "collapse",
    "fields",
    "docvalue_fields",
    "stored_fields",
    "explain",
    "knn",
    "pit",
    "search_after",
    "scroll",
    "indices_boost",
    "min_score",
    "aggregations",
    "ext",
    "slice",
    "derived",
];

/// Every body that differs by one small fault in its query.
fn faulty(query: &Value, ids: &[String]) -> Vec<(&'static str, Value)> {
    let mut all = vec![("everything", json!({ "match_all": {} }))];
    walk(query, ids, &mut |what, changed| all.push((what, changed)));
    all
}

fn walk(value: &Value, ids: &[String], out: &mut dyn FnMut(&'static str, Value)) {
    match value {
        Value::Array(items) => {
            for at in 0..items.len() {
                if items.len() > 1 {
                    let mut fewer = items.clone();
                    fewer.remove(at);
                    out("a part is left out", json!(fewer));
                }
                walk(&items[at], ids, &mut |what, changed| {
                    let mut items = items.clone();
                    items[at] = changed;
                    out(what, json!(items));
                });
            }
            if items.iter().all(Value::is_string) {
                for id in ids {
                    let mut more = items.clone();
                    more.push(json!(id));
                    out("one value more", json!(more));
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                renamed(value, key, out);
                if let (true, Value::String(_)) = (key != "field", member) {
                    for id in ids {
                        out("another value", json!({ key.as_str(): id }));
                    }
                }
                walk(member, ids, &mut |what, changed| {
                    let mut members = members.clone();
                    members.insert(key.clone(), changed);
                    out(what, Value::Object(members));
                });
            }
        }
        _ => {}
    }
}

fn renamed(value: &Value, key: &str, out: &mut dyn FnMut(&'static str, Value)) {
    let mut put = |what, twin: &str| {
        let of = |(name, member): (&String, &Value)| {
            (if name == key { twin.to_owned() } else { name.clone() }, member.clone())
        };
        out(what, Value::Object(value.as_object().unwrap().iter().map(of).collect()));
    };
    match key {
        "filter" => {
            put("a filter becomes a choice", "should");
            put("a filter becomes a negation", "must_not");
        }
        "must_not" => put("a negation becomes a filter", "filter"),
        "should" => put("a choice becomes a filter", "filter"),
        "queueId" | "userId" => {
            for twin in ["mediaType", "queueId", "userId", "queueId.keyword", "queueid", "_id"] {
                put("another field", twin);
            }
        }
        "minimum_should_match" => {
            for least in [json!(0), json!(2), json!("1"), json!(1.0)] {
                let mut changed = value.clone();
                changed[key] = least;
                out("another number of matches", changed);
            }
            let mut changed = value.clone();
            changed.as_object_mut().unwrap().shift_remove(key);
            changed["filter"] = json!([{ "match_all": {} }]);
            out("a choice becomes optional", changed);
        }
        _ => {}
    }
}

/// What the evaluator of these tests understands.
fn is_read(query: &Value) -> bool {
    let whole = |least: &Value| least.as_u64().is_some();
    match query {
        Value::Object(members) => members.iter().all(|(name, value)| match (name.as_str(), value) {
            ("minimum_should_match", least) => whole(least),
            (_, value) => is_read(value),
        }),
        Value::Array(items) => items.iter().all(is_read),
        _ => true,
    }
}

fn check(
    forward: &Forward,
    body: &Value,
    given: &bailiwick::model::entitlement::Scope,
    at: (&bailiwick::model::org::Org, i64),
) -> bool {
    let verified = &forward.verified;
    let outgoing = Outgoing {
        method: verified.method(),
        path: verified.path().to_owned(),
        query: verified.query().to_vec(),
        body: Some(body.to_string().into_bytes().into()),
    };
    verify::check(&operation().contract, outgoing, verified.residual().clone(), given, at.0, program::at(at.1)).is_ok()
}

#[test]
fn bytes_that_would_find_a_hidden_leg_are_refused_by_the_second_reader() {
    let mut leaking: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut harmless, mut strange, mut cases) = (0, 0, 0);
    for (mut dice, organisation) in organisations(52_000..52_030) {
        let ids: Vec<String> = organisation.directory.queues.iter().map(|one| one.id.clone()).collect();
        for _ in 0..10 {
            let Some((case, scope, body)) = draw(&mut dice, &organisation) else { continue };
            let Ok(Decided::Forward(forward)) = decide(&organisation, &case, &scope, &body.to_string()) else {
                continue;
            };
            cases += 1;
            let documents = Documents::of(&organisation, &case.person, &counting(case.scope(&organisation.directory)));
            let outgoing = sent(&forward);
            let at = (&*organisation.world.org, case.now);
            assert!(check(&forward, &outgoing, &scope, at), "what is sent is proved: {outgoing}");
            let mut all = faulty(&outgoing["query"], &dice.some(&ids, 1, 3));
            dice.shuffle(&mut all);
            for (what, query) in all.into_iter().take(MOST) {
                if query == outgoing["query"] {
                    continue;
                }
                let mut changed = outgoing.clone();
                changed["query"] = query;
                let leaks =
                    is_read(&changed["query"]) && documents.hidden.iter().any(|one| holds(&changed["query"], one));
                let passes = check(&forward, &changed, &scope, at);
                assert!(!(leaks && passes), "{what}: {changed}\n{}: {}", case.person, organisation.file);
                if leaks {
                    *leaking.entry(what).or_default() += 1;
                } else {
                    harmless += 1;
                }
            }
            strange += refuses_strangers(&mut dice, &forward, &outgoing, |body| check(&forward, body, &scope, at));
        }
    }
    println!("{cases} searches, leaking {leaking:?}, harmless {harmless}, strange {strange}");
    assert!(cases > 100 && leaking.values().sum::<usize>() > 1_000 && leaking.len() >= 6 && strange > 2_000);
}

/// Bodies with a member or an aggregation that is never sent.
fn refuses_strangers(dice: &mut Dice, forward: &Forward, outgoing: &Value, passes: impl Fn(&Value) -> bool) -> usize {
    let put = |at: &str, key: &str, value: Value| {
        let mut changed = outgoing.clone();
        if at.is_empty() {
            changed[key] = value;
        } else {
            changed[at][key] = value;
        }
        changed
    };
    let mut wrong: Vec<Value> = STRANGE.iter().map(|key| put("", key, json!({ "match_all": {} }))).collect();
    let mut without = outgoing.clone();
    without.as_object_mut().unwrap().shift_remove("query");
    wrong.push(without);
    let terms = |spec: Value| {
        let mut one = json!({ "field": "queueId", "min_doc_count": 1 });
        one.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        json!({ "terms": one })
    };
    let aggregations = [
        terms(json!({ "min_doc_count": 0 })),
        terms(json!({ "min_doc_count": -1 })),
        terms(json!({ "missing": "none" })),
        terms(json!({ "include": "q.*" })),
        terms(json!({ "exclude": "q.*" })),
        terms(json!({ "script": "doc" })),
        terms(json!({ "order": { "a": "asc" } })),
        terms(json!({ "field": "conversationId" })),
        terms(json!({ "field": "divisionId" })),
        terms(json!({ "field": "queueId.keyword" })),
        terms(json!({ "field": "startTime" })),
        json!({ "terms": { "field": "queueId" } }),
        json!({ "global": {} }),
        json!({ "global": {}, "terms": { "field": "queueId", "min_doc_count": 1 } }),
        json!({ "filter": { "match_all": {} } }),
        json!({ "significant_terms": { "field": "queueId" } }),
        json!({ "top_hits": {} }),
        json!({ "cardinality": { "field": "queueId" } }),
        json!({ "avg": { "field": "queueId" } }),
        json!({ "avg": { "field": "handleTime", "missing": 0 } }),
        json!({ "date_histogram": { "field": "startTime", "calendar_interval": "day" } }),
        json!({ "date_histogram": { "field": "mediaType", "calendar_interval": "day", "min_doc_count": 1 } }),
    ];
    wrong.extend(aggregations.into_iter().map(|one| put("", "aggs", json!({ "a": one }))));
    let named = |name: &str| put("", "aggs", json!({ name: { "avg": { "field": "handleTime" } } }));
    wrong.extend(["key", "doc_count", "key_as_string", "a>b", ""].map(named));
    let deep = json!({ "aggs": { "b": { "aggs": { "c": terms(json!({}))}, "terms": { "field": "userId", "min_doc_count": 1 } } },
        "terms": { "field": "mediaType", "min_doc_count": 1 } });
    wrong.push(put("", "aggs", json!({ "a": deep })));
    wrong.push(put("", "sort", json!([{ "queueId": { "order": "asc" } }])));
    wrong.push(put("", "sort", json!([{ "_script": { "order": "asc" } }])));
    wrong.push(put("", "_source", json!(["secret"])));
    wrong.push(put("", "_source", json!(true)));
    // one good one among them, so that not everything is refused
    assert!(passes(&put("", "aggs", json!({ "a": terms(json!({})) }))), "{}", forward.verified.path());
    dice.shuffle(&mut wrong);
    for body in &wrong {
        assert!(!passes(body), "{body}");
    }
    wrong.len()
}
