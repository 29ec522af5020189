//! The library for Python.

use super::{
    super::{
        house::{AGGREGATES, EU, House, Plan, US, WEEK},
        truth::Truth,
    },
    Call, PEOPLE, calls, hold, installed, instants, judge, person, questions,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CAST: [&str; 4] = ["sofia", "ines", "greg", "viola"];

fn run(house: &House, order: &Value) -> Result<Vec<Value>, String> {
    let python = installed("BAILIWICK_PYTHON", "target/tools/python/bin/python3");
    super::run(house, (&python, "python.py", "python"), order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_python_library_gets_exactly_the_rows_that_are_due() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let order: Value = CAST
        .iter()
        .map(|person| {
            let (client, secret) = (format!("client-of-{person}"), format!("secret-of-{person}"));
            json!({ "client": client, "secret": secret, "questions": questions() })
        })
        .collect();
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let mut answers = answers.iter();
    for person in CAST {
        let mut rows = Vec::new();
        for question in questions() {
            rows.push(judge(&house, &truth, person, &question, answers.next().expect("an answer for each question")));
        }
        println!("python: {person}: rows due and got of aggregates, details, observations, queues: {:?}", &rows[..4]);
        assert!(rows[0] > 0 && rows[1] > 0, "{person} has nothing to see");
    }
    assert!(answers.next().is_none());
    house.assert_no_connection_to(EU);
    assert!(house.record().len() >= CAST.len() * 7);
}

/// Whether the library says nothing else than what was answered: it drops members that it does not know, and empty ones.
fn says(got: &Value, due: &Value) -> bool {
    match (got, due) {
        (Value::Object(got), Value::Object(due)) => {
            let known = got.iter().filter(|(_, value)| !value.is_null());
            known.clone().all(|(name, value)| due.get(name).is_some_and(|due| says(value, due)))
                && (due.is_empty() || known.count() > 0)
        }
        (Value::Array(got), Value::Array(due)) => {
            got.len() == due.len() && got.iter().zip(due).all(|(got, due)| says(got, due))
        }
        (Value::Number(got), Value::Number(due)) => got.as_f64() == due.as_f64(),
        _ => got == due,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_python_library_gets_what_is_due_of_every_call() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let of = |id: &str| calls(id).into_iter().map(|call| json!({ "method": call.method, "args": call.args })).collect();
    let order: Value = PEOPLE.iter().map(|id| person(id, of(id))).collect();
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let mut answers = answers.iter();
    let (mut answered, mut refused, mut judged, mut read) = (BTreeSet::new(), 0, 0, 0);
    for id in PEOPLE {
        let mut same = |call: &Call, got: &Value, due: &Value| {
            assert_eq!(&got["given"], due, "{id} {}", call.method);
            let (made, told) = (instants(&got["made"]), instants(due));
            // Documents of settings are made up without regard to types, which the models then turn.
            let as_made = call.body.is_empty() || says(&made, &told);
            assert!(as_made, "{id} {}: {made:#}\ndue {told:#}", call.method);
            read += usize::from(!made.is_null());
        };
        let (by_sql, not) = hold((&house, &truth, id), &mut answers, &mut answered, &mut same).await;
        (judged, refused) = (judged + by_sql, refused + not);
    }
    assert!(answers.next().is_none());
    println!(
        "python: {} different calls answered to {PEOPLE:?}, {read} answers read by its models, {judged} by SQL, {refused} refused",
        answered.len()
    );
    assert!(
        answered.len() >= 95 && refused > 100 && judged >= 10 && read > 80,
        "{} {refused} {judged}",
        answered.len()
    );
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_python_library_reads_jobs_to_their_end() {
    let house = House::new().await;
    let body = json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"], "pageSize": 2 });
    let job = json!({ "job": "AnalyticsConversationsAggregates", "body": body });
    let order: Value = ["sofia", "carl"].iter().map(|id| person(id, vec![job.clone()])).collect();
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let mut asked = body.clone();
    asked.as_object_mut().unwrap().shift_remove("pageSize");
    for (id, got) in ["sofia", "carl"].into_iter().zip(&answers) {
        let due = house.post(id, AGGREGATES, &asked).await.json();
        let (got, mut due) = (&got["answer"], due["results"].as_array().unwrap().clone());
        let mut rows = got["rows"].as_array().unwrap_or_else(|| panic!("{got:#}")).clone();
        rows.sort_by_key(|row| row["group"].to_string());
        due.sort_by_key(|row| row["group"].to_string());
        assert!(says(&instants(&json!(rows)), &instants(&json!(due))), "{id}: {rows:#?}\ndue {due:#?}");
        assert!(got["pages"].as_u64() > Some(1) && !due.is_empty(), "{got:#}");
    }
    // another person's job, and one that nobody submitted
    let theirs = answers[0]["answer"]["jobId"].as_str().unwrap();
    let steps = |job: &str| {
        ["getAnalyticsConversationsAggregatesJob", "getAnalyticsConversationsAggregatesJobResults"]
            .map(|method| json!({ "method": method, "args": [job] }))
    };
    let foreign = [steps(theirs), steps("invented")].concat();
    let answers = tokio::task::block_in_place(|| run(&house, &json!([person("carl", foreign)]))).unwrap();
    for (theirs, invented) in answers[..2].iter().zip(&answers[2..]) {
        let said = |got: &Value| (got["status"].clone(), got["body"]["code"].clone(), got["body"]["message"].clone());
        assert_eq!(said(theirs), said(invented));
        assert_eq!((&theirs["status"], &theirs["body"]["code"]), (&json!(404), &json!("scope.outside")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_an_exception_of_the_library() {
    let house = House::new().await;
    let order = json!([{ "client": "client-of-sofia", "secret": "wrong", "questions": [{ "kind": "queues" }] }]);
    let told = tokio::task::block_in_place(|| run(&house, &order)).expect_err("it logged in with a wrong secret");
    assert!(told.contains("ApiException") && told.contains("401") && told.contains("identity.required"), "{told}");
    assert!(house.received(US).is_empty());
}

/// Made, moved, read and ended by the library's own objects, as it writes times and leaves out what is not set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_python_library_changes_callbacks() {
    let lines = include_str!("../../../../rules/genesys/callbacks/lines.json");
    let house = House::of(Plan { directory: lines.parse().unwrap(), interactions: 60, ..Plan::default() }).await;
    let [own, foreign] = ["q-new", "q-care"].map(|queue| house.sandbox.schedule(US, queue, None).unwrap());
    let of = |person: &str, id: &str, queue: &str| {
        json!({ "client": format!("client-of-{person}"), "secret": format!("secret-of-{person}"), "questions": [
            { "kind": "callback", "queue": queue }, { "kind": "callback-read", "id": id }, { "kind": "callback-moved", "id": id },
            { "kind": "callback-ended", "id": id },
        ] })
    };
    let order = json!([of("sara", &own, "q-new"), of("sara", &foreign, "q-care"), of("moni", &own, "q-new")]);
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let codes: Vec<&str> = answers.iter().map(|one| one["body"]["code"].as_str().unwrap_or("fine")).collect();
    let (outside, missing) = ("scope.outside", "permission.missing");
    let due = ["fine"; 4].into_iter().chain([outside; 4]).chain([missing, "fine", missing, missing]);
    assert_eq!(codes, due.collect::<Vec<_>>(), "{answers:?}");
    assert_eq!(answers[2]["answer"]["conversation"]["id"], json!(own));
    let after = house.sandbox.callbacks(US).unwrap();
    let ended: Vec<&str> = after.iter().filter(|one| one.ended).map(|one| one.conversation.as_str()).collect();
    assert_eq!(ended, [own.as_str()]);
    let made = after.last().unwrap();
    assert_eq!((after.len(), made.queue.as_str()), (3, "q-new"));
    let later = Some("2026-11-21T09:00:00Z".parse().unwrap());
    assert_eq!((made.scheduled, after[0].scheduled), (later, later));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_python_library_logs_in_for_each_kind_of_token() {
    super::logs_in(run, |answer| &answer["given"]).await;
}
