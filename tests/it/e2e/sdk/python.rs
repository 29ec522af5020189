//! The library for Python.

use super::{
    super::{
        house::{EU, House, US},
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
