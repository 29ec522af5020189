//! Searches through the whole program, against the sandbox's index of legs: asked, over the visible legs by SQL.

use super::{
    house::{House, Plan, US, now},
    truth::Truth,
};
use crate::{
    laws::{case::Case, opensearch::facts},
    oracle::{
        generate::{self, Dice},
        questions::Kind,
        semantics::Dim,
    },
};
use bailiwick::sandbox::Disobedience;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

type Change = fn(&mut Disobedience);

const INDEX: &str = "/contacts-legs/_search";
const CAST: [&str; 12] =
    ["sofia", "carl", "ana", "bea", "dana", "ines", "olga", "rita", "viola", "greg", "max", "dana-eu"];

/// Whoever may view a report, a dashboard or a query, or data as an outsourcer.
const OPENED_BY: [&str; 4] =
    ["analytics:report:view", "analytics:dashboard:view", "analytics:query:view", "reporting:data:view"];

/// The drawn times are those of another house: they are moved into what this sandbox makes up.
fn moved(value: &mut Value) {
    match value {
        Value::String(text) if text.ends_with(":00Z") => *text = text.replace("2026-11-1", "2026-11-0"),
        Value::Array(items) => items.iter_mut().for_each(moved),
        Value::Object(members) => {
            for bound in members.get_mut("handleTime").and_then(Value::as_object_mut).into_iter().flatten() {
                if let Some(seconds) = bound.1.as_i64() {
                    *bound.1 = json!(seconds * 400);
                }
            }
            members.values_mut().for_each(moved);
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_answered_over_the_visible_legs() {
    let house = House::of(Plan { seed: 5, interactions: 3_000, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (cases, mut answered, mut rows, mut over_hidden) = (120, 0, 0, 0);
    for nth in 0..cases {
        let mut dice = Dice::new(8_000 + nth);
        let person = *dice.pick(&CAST);
        let case = Case { person: person.to_owned(), kind: Kind::Details, body: String::new(), now: now().as_second() };
        let mut asked = generate::search(&mut dice, &case.names(&truth.directory));
        moved(&mut asked);
        let heard = house.post(person, INDEX, &asked).await;
        if heard.status != 200 {
            let code = heard.code();
            assert!(heard.status < 500 && code != "query.malformed", "{person} {asked}: {}", heard.body);
            *refused.entry(code).or_default() += 1;
            continue;
        }
        let mut scope = truth.scope_of_list(person, Kind::Details, &OPENED_BY);
        scope.retain(|one| one.window.is_none() && one.conversations == Dim::Any);
        let seen = truth.rows(person).iter().filter(|row| truth.sees(person, &scope, row)).map(|row| row.id);
        let (region, sandbox) = (truth.region(person), &house.sandbox);
        sandbox.mark_visible(region, &seen.collect::<Vec<_>>()).unwrap();
        let due = sandbox.evaluate_visible(region, INDEX, &asked).unwrap();
        let mut got = facts(&heard.json());
        if asked["track_total_hits"] == json!(false) {
            got["total"] = Value::Null;
        }
        assert_eq!(got, facts(&due), "{person}: {asked}");
        answered += 1;
        rows += usize::from(due["hits"]["hits"] != json!([]));
        over_hidden += usize::from(facts(&sandbox.evaluate(region, INDEX, &asked).unwrap()) != facts(&due));
    }
    println!(
        "searches: {cases} cases, {answered} answered ({rows} with rows, {over_hidden} over something hidden), refused {refused:?}"
    );
    assert!(answered >= 60 && rows >= 30 && over_hidden >= 30, "the cases are too easy");
    house.running.stop().await;
}

/// Texts of an answer, wherever they stand.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::String(text) => {
            found.insert(text.clone());
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_stranger_passes_from_an_index_that_does_not_obey() {
    let house = House::of(Plan { seed: 5, ..Plan::default() }).await;
    let terms = |field: &str| json!({ "terms": { "field": field, "min_doc_count": 1, "size": 100 } });
    let mut by_queue = terms("queueId");
    by_queue["aggs"] = json!({ "by_user": terms("userId"), "handled": { "sum": { "field": "handleTime" } } });
    let asked = json!({
        "size": 200, "_source": ["queueId", "mediaType"], "sort": ["startTime"],
        "aggs": { "by_queue": by_queue, "by_medium": terms("mediaType"), "handled": { "avg": { "field": "handleTime" } } },
    });
    let honest = house.post("sofia", INDEX, &asked).await.json();
    let own = honest["hits"]["hits"].as_array().unwrap().len();
    assert!(own > 20, "{honest}");
    let ids = |list: &str| -> BTreeSet<String> {
        let all = house.directory[list].as_array().unwrap().iter();
        all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let queues = ids("queues");
    let mut may = BTreeSet::new();
    texts(&honest, &mut may);
    let modes: [(&str, bool, Change); 5] = [
        ("filters are forgotten", true, |faults| faults.ignore_filters = true),
        ("foreign rows", true, |faults| faults.foreign_rows = true),
        ("rows of another region", true, |faults| faults.other_region = true),
        ("unknown members", false, |faults| faults.extra_fields = true),
        ("everything at once", true, |faults| {
            faults.foreign_rows = true;
            faults.other_region = true;
            faults.extra_fields = true;
            faults.false_totals = true;
        }),
    ];
    for (mode, strangers, change) in modes {
        house.sandbox.disobey(change);
        let heard = house.post("sofia", INDEX, &asked).await;
        house.sandbox.obey();
        assert_eq!(heard.status, 200, "{mode}: {}", heard.body);
        let answer = heard.json();
        let mut said = BTreeSet::new();
        texts(&answer, &mut said);
        let foreign: Vec<_> = said.intersection(&queues).filter(|id| !may.contains(*id)).collect();
        assert!(foreign.is_empty(), "{mode}: {foreign:?}");
        assert!(!heard.body.contains("unlisted"), "{mode}: {}", heard.body);
        let notices = heard.notices();
        assert_eq!(
            notices.iter().any(|notice| notice.contains("answer.foreign-rows")),
            strangers,
            "{mode}: {notices:?}"
        );
        if strangers {
            // what shows no owner is not believed
            assert!(answer["hits"].get("total").is_none(), "{mode}");
            assert_eq!(answer["aggregations"]["by_medium"]["buckets"], json!([]), "{mode}");
            assert!(answer["aggregations"].get("handled").is_none(), "{mode}");
        } else {
            assert_eq!(facts(&answer), facts(&honest), "{mode}");
        }
        let (_, outcome) = house.lines(heard.decision()).await;
        assert_eq!(outcome.decision, heard.decision());
    }
    house.assert_no_connection_to(super::house::EU);
    assert!(!house.received(US).is_empty());
    house.running.stop().await;
}

/// Whoever does not vouch for the index has no index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_for_which_nobody_vouches_is_closed() {
    let house = House::of(Plan { assume: vec!["ids-only"], ..Plan::default() }).await;
    let heard = house.post("sofia", INDEX, &json!({})).await;
    assert_eq!(heard.code(), "operation.unproved", "{}", heard.body);
    for (line, body) in [
        ("POST /contacts-legs/_search?scroll=1m", "{}"),
        ("POST /contacts-legs,other/_search", "{}"),
        ("POST /_search", "{}"),
        ("POST /contacts-legs/_msearch", "{}"),
        ("GET /contacts-legs/_search", ""),
        ("GET /contacts-legs/_doc/leg-1", ""),
        ("POST /Contacts-Legs/_search", "{}"),
        ("POST /contacts-legs/_search/scroll", "{}"),
        ("POST /*/_search", "{}"),
    ] {
        let heard = house.ask("sofia", line, body).await;
        assert!((400..500).contains(&heard.status), "{line}: {} {}", heard.status, heard.body);
    }
    assert_eq!(house.received(US), []);
    house.running.stop().await;
}
