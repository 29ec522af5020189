//! An upstream that breaks its contract: what is not the asker's never passes, what cannot be read is not passed on.

use super::{
    house::{
        AGGREGATES, DETAILS, DIVISIONS, EU, Heard, House, PLATFORM, Plan, QUEUE_OBSERVATIONS, QUEUES, US,
        USER_AGGREGATES, USER_DETAILS, USER_OBSERVATIONS, USERS, WEEK, until,
    },
    truth::Truth,
};
use crate::oracle::questions::{Kind, facts_of};
use bailiwick::sandbox::{Disobedience, LegRow};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

type Change = fn(&mut Disobedience);

fn aggregates() -> Value {
    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] })
}

fn details() -> Value {
    json!({ "interval": WEEK, "paging": { "pageSize": 100, "pageNumber": 1 } })
}

fn definition() -> Value {
    json!({ "name": "d", "query": {
        "dateFrom": "2026-11-08T00:00:00Z", "dateTo": "2026-11-15T00:00:00Z", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    } })
}

/// Every governed operation that answers rows, asked as somebody who sees whole queues or people.
fn questions() -> Vec<(&'static str, String, Value)> {
    let post = |person, path: &str, body| (person, format!("POST {path}"), body);
    let get = |person, path: &str| (person, format!("GET {path}"), Value::Null);
    vec![
        post("sofia", AGGREGATES, aggregates()),
        post("sofia", DETAILS, details()),
        post("sofia", PLATFORM, definition()),
        post("sofia", QUEUE_OBSERVATIONS, json!({ "metrics": ["oWaiting"] })),
        post(
            "ana",
            USER_AGGREGATES,
            json!({ "interval": WEEK, "groupBy": ["userId"], "metrics": ["tSystemPresence"] }),
        ),
        post("ana", USER_OBSERVATIONS, json!({ "metrics": ["oMemberQueues"] })),
        post("bo", USER_DETAILS, json!({ "interval": WEEK, "paging": { "pageSize": 100 } })),
        get("sofia", QUEUES),
        get("bo", USERS),
        get("sofia", DIVISIONS),
    ]
}

async fn ask(house: &House, (person, line, body): &(&'static str, String, Value)) -> Heard {
    house.ask(person, line, &if body.is_null() { String::new() } else { body.to_string() }).await
}

/// Every id of a queue, a person or a division in an answer, wherever it stands.
fn ids(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        Value::Object(members) => members.values().for_each(|member| ids(member, found)),
        Value::String(text) => {
            found.insert(text.clone());
        }
        _ => {}
    }
}

fn rows(answer: &Value) -> Vec<String> {
    let lists = ["results", "conversations", "entities", "rows", "userDetails"]
        .into_iter()
        .filter_map(|name| answer[name].as_array());
    let mut all: Vec<String> = lists.flatten().map(ToString::to_string).collect();
    all.sort();
    all
}

/// Ids that an answer may name: those of the honest answer, and no other of the directory.
fn strangers(house: &House, honest: &Value, answer: &Value) -> Vec<String> {
    let (mut may, mut does) = (BTreeSet::new(), BTreeSet::new());
    ids(honest, &mut may);
    ids(answer, &mut does);
    let of = |list: &str| -> BTreeSet<String> {
        let all = house.directory[list].as_array().unwrap().iter();
        all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let known: BTreeSet<String> = [of("queues"), of("users"), of("divisions")].into_iter().flatten().collect();
    does.difference(&may).filter(|id| known.contains(*id)).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_not_asked_for_are_dropped_and_counted() {
    let house = House::new().await;
    let (mut dropped_in_all, mut foreign_in_all) = (0, 0);
    for question in questions() {
        let heard = ask(&house, &question).await;
        assert_eq!(heard.status, 200, "{question:?} {heard:?}");
        let honest = heard.json();
        assert!(!rows(&honest).is_empty(), "{question:?}: nothing to compare");
        let modes: [(&str, Change); 4] = [
            ("foreign rows", |faults| faults.foreign_rows = true),
            ("rows of another region", |faults| faults.other_region = true),
            ("fields nobody knows", |faults| faults.extra_fields = true),
            ("all of them", |faults| {
                faults.foreign_rows = true;
                faults.other_region = true;
                faults.extra_fields = true;
                faults.false_totals = true;
            }),
        ];
        for (mode, change) in modes {
            house.sandbox.disobey(change);
            let heard = ask(&house, &question).await;
            house.sandbox.obey();
            assert_eq!(heard.status, 200, "{mode}: {question:?} {heard:?}");
            let answer = heard.json();
            assert_eq!(rows(&answer), rows(&honest), "{mode}: {question:?}");
            assert_eq!(strangers(&house, &honest, &answer), [""; 0], "{mode}: {question:?}");
            assert!(!heard.body.contains("internalNote") && !heard.body.contains("unlisted"), "{mode}: {heard:?}");
            let (_, outcome) = house.lines(heard.decision()).await;
            dropped_in_all += outcome.rows_in - outcome.rows_out;
            foreign_in_all += outcome.rows_foreign;
            if mode == "foreign rows" || mode == "all of them" {
                assert!(outcome.rows_foreign > 0, "{mode}: {question:?} no alarm: {outcome:?}");
                assert!(outcome.rows_in > outcome.rows_out, "{mode}: {question:?} nothing was added: {outcome:?}");
            }
        }
    }
    let operations = [
        "conversations.aggregates.query",
        "conversations.details.query",
        "platform.query",
        "queues.observations.query",
        "users.aggregates.query",
        "users.observations.query",
        "users.details.query",
        "queues.list",
        "users.list",
        "divisions.list",
    ];
    for (metric, in_all) in [("dropped", dropped_in_all), ("foreign", foreign_in_all)] {
        let mut counted = 0;
        for operation in operations {
            let line = format!("bailiwick_answer_rows_{metric}_total{{operation=\"{operation}\"}}");
            let many = house.metric(&line).await;
            assert!(many > 0, "{line} is not in the metrics");
            counted += many;
        }
        assert_eq!(counted, in_all, "{metric}");
    }
    println!("disobedient: {dropped_in_all} rows dropped, each of them counted");
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_ignores_filters_shows_no_row_of_others() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    for question in questions() {
        let honest = ask(&house, &question).await.json();
        house.sandbox.disobey(|faults| faults.ignore_filters = true);
        let heard = ask(&house, &question).await;
        house.sandbox.obey();
        assert_eq!(heard.status, 200, "{question:?} {heard:?}");
        if question.1.ends_with(DETAILS) {
            // Another page of the same world: every leg that is shown has to be one of the asker's.
            let visible = truth.visible("sofia", Kind::Details);
            let legs: Vec<&LegRow> = truth.rows("sofia").iter().filter(|leg| visible.contains(&leg.id)).collect();
            for (id, shown) in facts_of(Kind::Details, &heard.json()) {
                let mine = legs.iter().filter(|leg| leg.conversation == id);
                let starts: Vec<String> = mine.map(|leg| format!("{:.3}", leg.start)).collect();
                assert!(!starts.is_empty(), "{id} has no visible leg");
                for leg in shown.keys().filter(|key| *key != "start") {
                    assert!(
                        starts.iter().any(|start| leg.contains(start.as_str())),
                        "{id}: {leg} is not visible: {starts:?}"
                    );
                }
            }
        } else {
            // A page of a list may be filled by strangers: then rows are missing, and none is added.
            let (honest, shown) = (rows(&honest), rows(&heard.json()));
            assert!(shown.iter().all(|row| honest.contains(row)), "{question:?}: {shown:#?}");
            assert!(shown == honest || question.1.starts_with("GET"), "{question:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn false_totals_are_removed_or_counted_anew() {
    let house = House::new().await;
    for question in questions() {
        let honest = ask(&house, &question).await;
        house.sandbox.disobey(|faults| faults.false_totals = true);
        let heard = ask(&house, &question).await;
        house.sandbox.obey();
        assert_eq!(heard.body, honest.body, "{question:?}");
        assert_eq!(heard.json()["totalHits"], Value::Null);
    }
    let list = house.get("sofia", &format!("{QUEUES}?pageSize=1")).await.json();
    assert_eq!((&list["total"], &list["pageCount"], &list["pageSize"]), (&json!(2), &json!(2), &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_not_passed_on() {
    let house = House::new().await;
    let modes: [(&str, Change, u16, &str); 6] = [
        ("a page of HTML", |faults| faults.html = true, 502, "answer.unreadable"),
        ("no JSON", |faults| faults.invalid_json = true, 502, "answer.unreadable"),
        ("half of it", |faults| faults.truncated = true, 502, "answer.unreadable"),
        ("an error of its own", |faults| faults.server_error = true, 502, "upstream.refused"),
        ("later", |faults| faults.too_many = Some(7), 429, "upstream.refused"),
        (
            "no new token",
            |faults| {
                faults.refuse_tokens = true;
                faults.forget_tokens = true;
            },
            502,
            "upstream.credential",
        ),
    ];
    for question in questions() {
        for (mode, change, status, code) in modes {
            house.sandbox.disobey(change);
            let heard = ask(&house, &question).await;
            house.sandbox.obey();
            assert_eq!((heard.status, heard.code().as_str()), (status, code), "{mode}: {question:?} {heard:?}");
            assert_eq!(heard.header("retry-after"), (status == 429).then_some("7"), "{mode}");
            for word in
                ["<", "Maintenance", "Rate limit", "internal.server.error", "panicked", "q-sales", "http://", "sandbox"]
            {
                assert!(!heard.body.contains(word), "{mode}: `{word}` in {}", heard.body);
            }
            let (intent, outcome) = house.lines(heard.decision()).await;
            assert!(intent.is_some(), "{mode}: it was sent, so it was recorded before");
            assert_eq!((outcome.code.as_deref(), outcome.status), (Some(code), status), "{mode}");
        }
        // And the house stands: a token endpoint that failed is left alone for a second, then there is an answer.
        until("an answer", || async { ask(&house, &question).await.status == 200 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_costs_one_answer() {
    let house = House::new().await;
    let question = ("sofia", format!("POST {AGGREGATES}"), aggregates());
    assert_eq!(ask(&house, &question).await.status, 200);
    house.sandbox.disobey(|faults| faults.reset = true);
    let heard = ask(&house, &question).await;
    assert_eq!((heard.status, heard.code().as_str()), (502, "upstream.unavailable"), "{heard:?}");
    house.sandbox.obey();
    assert_eq!(ask(&house, &question).await.status, 200);
    // Slowly is well enough, and changes nothing.
    let honest = ask(&house, &question).await.body;
    house.sandbox.disobey(|faults| faults.drip = Some(Duration::from_millis(2)));
    assert_eq!(ask(&house, &question).await.body, honest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_takes_too_long_is_given_up() {
    let more = "[proxy]\nlisten = \"127.0.0.1:0\"\n[proxy.limits]\ntotal-time = \"400ms\"\n".to_owned();
    let house = House::of(Plan { more, ..Plan::default() }).await;
    let question = ("sofia", format!("POST {AGGREGATES}"), aggregates());
    assert_eq!(ask(&house, &question).await.status, 200);
    house.sandbox.disobey(|faults| faults.delay = Some(Duration::from_secs(3)));
    let heard = ask(&house, &question).await;
    assert_eq!((heard.status, heard.code().as_str()), (504, "proxy.timeout"), "{heard:?}");
    house.sandbox.obey();
    assert_eq!(house.received(US).len(), 2);
    assert_eq!(ask(&house, &question).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strange_interaction_by_id_is_not_there() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let visible = truth.visible("sofia", Kind::Details);
    let mine = truth.rows("sofia").iter().find(|leg| visible.contains(&leg.id)).unwrap().conversation.clone();
    let target = format!("/api/v2/conversations/{mine}");
    let honest = house.get("sofia", &target).await;
    assert_eq!(honest.status, 200, "{honest:?}");
    house.sandbox.disobey(|faults| {
        faults.foreign_rows = true;
        faults.other_region = true;
        faults.extra_fields = true;
    });
    let heard = house.get("sofia", &target).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    assert_eq!(strangers(&house, &honest.json(), &heard.json()), [""; 0]);
    assert!(!heard.body.contains("internalNote"));
}
