//! The library for JavaScript: nearly a hundred different calls for five people, and jobs read to their end.

use super::{
    super::{
        house::{AGGREGATES, DETAILS, EU, House, QUEUE_OBSERVATIONS, QUEUES, WEEK},
        truth::Truth,
    },
    Call, PEOPLE, calls, hold, installed, judge, person, questions,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn run(house: &House, order: &Value) -> Result<Vec<Value>, String> {
    let node = installed("BAILIWICK_NODE", "target/tools/python/bin/node");
    super::run(house, (&node, "javascript.js", "javascript"), order)
}

/// A question of which the truth is known, as the library asks it.
fn asked(question: &Value) -> Value {
    let body = &question["body"];
    match question["kind"].as_str().unwrap() {
        "aggregates" => json!({ "method": "postAnalyticsConversationsAggregatesQuery", "args": [body] }),
        "details" => json!({ "method": "postAnalyticsConversationsDetailsQuery", "args": [body] }),
        "observations" => json!({ "method": "postAnalyticsQueuesObservationsQuery", "args": [body] }),
        _ => {
            let mut options = question["params"].as_object().cloned().unwrap_or_default();
            options.insert("pageSize".to_owned(), json!(100));
            json!({ "method": "getRoutingQueues", "args": [options] })
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_javascript_library_gets_what_is_due_of_every_call() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let all = |id: &str| {
        let plain = calls(id).into_iter().map(|call| json!({ "method": call.method, "args": call.args }));
        person(id, questions().iter().map(asked).chain(plain).collect())
    };
    let order: Value = PEOPLE.iter().map(|id| all(id)).collect();
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let mut answers = answers.iter();
    let (mut answered, mut without, mut refused, mut rows, mut judged) = (BTreeSet::new(), BTreeSet::new(), 0, 0, 0);
    for id in PEOPLE {
        for question in questions() {
            let got = answers.next().expect("an answer for each call");
            // who has no right to this at all is refused, over plain HTTP as well
            let code = got["body"]["code"].as_str().unwrap_or_default();
            if ["permission.missing", "scope.empty"].contains(&code) {
                let kind = question["kind"].as_str().unwrap();
                let plain = match kind {
                    "queues" => house.get(id, QUEUES).await,
                    "observations" => house.post(id, QUEUE_OBSERVATIONS, &question["body"]).await,
                    "details" => house.post(id, DETAILS, &question["body"]).await,
                    _ => house.post(id, AGGREGATES, &question["body"]).await,
                };
                assert_eq!(plain.code(), code, "{id} {question}");
                without.insert((id, kind.to_owned()));
                continue;
            }
            rows += judge(&house, &truth, id, &question, got);
            answered.insert(asked(&question)["method"].as_str().unwrap().to_owned());
        }
        let mut same = |call: &Call, got: &Value, due: &Value| assert_eq!(got, due, "{id} {}", call.method);
        let (by_sql, not) = hold((&house, &truth, id), &mut answers, &mut answered, &mut same).await;
        (judged, refused) = (judged + by_sql, refused + not);
    }
    assert!(answers.next().is_none());
    println!(
        "javascript: {} different calls answered to {PEOPLE:?}, {rows} rows as due, {judged} more answers by SQL, {refused} refused",
        answered.len()
    );
    assert!(answered.len() >= 100 && refused > 100 && rows > 0 && judged >= 10, "{} {refused} {rows}", answered.len());
    let due = [("ana", "observations"), ("carl", "queues"), ("carl", "observations")];
    let due = due.into_iter().chain(["aggregates", "details", "observations", "queues"].map(|kind| ("max", kind)));
    assert!(without.is_subset(&due.map(|(id, kind)| (id, kind.to_owned())).collect()), "{without:?}");
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_javascript_library_reads_jobs_to_their_end() {
    let house = House::new().await;
    let body = json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"] });
    let mut paged = body.clone();
    paged["pageSize"] = json!(2);
    let job = |name: &str, body: &Value| json!({ "job": name, "body": body, "pageSize": 50 });
    let details = json!({ "interval": WEEK });
    let order: Value = ["sofia", "carl"]
        .iter()
        .map(|id| {
            person(
                id,
                vec![job("AnalyticsConversationsAggregates", &paged), job("AnalyticsConversationsDetails", &details)],
            )
        })
        .collect();
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let sorted = |rows: &Value| {
        let mut rows: Vec<String> = rows.as_array().unwrap().iter().map(ToString::to_string).collect();
        rows.sort();
        rows
    };
    let mut ids = Vec::new();
    for (id, got) in ["sofia", "carl"].into_iter().zip(answers.chunks(2)) {
        let due = house.post(id, "/api/v2/analytics/conversations/aggregates/query", &body).await.json();
        let got = (&got[0]["answer"], &got[1]["answer"]);
        assert!(got.0["pages"].as_u64() > Some(1), "{:#}", got.0);
        assert_eq!(sorted(&got.0["rows"]), sorted(&due["results"]), "{id}");
        assert!(!sorted(&got.1["rows"]).is_empty(), "{id}");
        ids.push(got.0["jobId"].as_str().unwrap().to_owned());
    }
    // another person's job, and one that nobody submitted
    let steps = |job: &str| {
        [
            "getAnalyticsConversationsAggregatesJob",
            "getAnalyticsConversationsAggregatesJobResults",
            "deleteAnalyticsConversationsAggregatesJob",
        ]
        .map(|method| json!({ "method": method, "args": [job] }))
    };
    let foreign = [steps(&ids[0]), steps("invented")].concat();
    let answers = tokio::task::block_in_place(|| run(&house, &json!([person("carl", foreign)]))).unwrap();
    for (theirs, invented) in answers[..3].iter().zip(&answers[3..]) {
        let said = |got: &Value| (got["status"].clone(), got["body"]["code"].clone(), got["body"]["message"].clone());
        assert_eq!(said(theirs), said(invented));
        assert_eq!((&theirs["status"], &theirs["body"]["code"]), (&json!(404), &json!("scope.outside")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_an_error_of_the_library() {
    let house = House::new().await;
    let order = json!([{ "client": "client-of-sofia", "secret": "wrong", "calls": [] }]);
    let told = tokio::task::block_in_place(|| run(&house, &order)).expect_err("it logged in with a wrong secret");
    assert!(told.contains("status code 401"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_javascript_library_logs_in_for_each_kind_of_token() {
    super::logs_in(run, |answer| answer).await;
}
