//! The library for Python.

use super::{
    super::{
        house::{EU, House, Plan, US},
        truth::Truth,
    },
    installed, judge, questions,
};
use serde_json::{Value, json};

const PEOPLE: [&str; 4] = ["sofia", "ines", "greg", "viola"];

fn run(house: &House, order: &Value) -> Result<Vec<Value>, String> {
    let python = installed("BAILIWICK_PYTHON", "target/tools/python/bin/python3");
    super::run(house, (&python, "python.py", "python"), order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_official_python_library_gets_exactly_the_rows_that_are_due() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let order: Value = PEOPLE
        .iter()
        .map(|person| {
            let (client, secret) = (format!("client-of-{person}"), format!("secret-of-{person}"));
            json!({ "client": client, "secret": secret, "questions": questions() })
        })
        .collect();
    let answers = tokio::task::block_in_place(|| run(&house, &order)).unwrap_or_else(|told| panic!("{told}"));
    let mut answers = answers.iter();
    for person in PEOPLE {
        let mut rows = Vec::new();
        for question in questions() {
            rows.push(judge(&house, &truth, person, &question, answers.next().expect("an answer for each question")));
        }
        println!("python: {person}: rows due and got of aggregates, details, observations, queues: {:?}", &rows[..4]);
        assert!(rows[0] > 0 && rows[1] > 0, "{person} has nothing to see");
    }
    assert!(answers.next().is_none());
    house.assert_no_connection_to(EU);
    assert!(house.record().len() >= PEOPLE.len() * 7);
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
