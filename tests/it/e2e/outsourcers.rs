//! Internal workforce reports through HTTP: people of outsourcers stand in no row and in no total of them.

use super::house::{Heard, House, Plan, US};
use bailiwick::{app::StartError, sandbox::sample};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PEOPLE: &str = "/api/v2/analytics/users/activity/query";
const QUEUES: &str = "/api/v2/analytics/routing/activity/query";

/// The sample, with an outsourcer at a desk among the organisation's own people.
fn mixed() -> Value {
    let mut directory = sample::directory();
    directory["users"].as_array_mut().unwrap().push(json!({
        "id": "oto", "name": "Oto", "division": "d-service-us", "region": US, "bpo": true, "groups": ["g-read-service"],
        "roles": [{ "role": "r-report-consumer", "division": "d-service-us" }],
    }));
    queue(&mut directory, "q-svc-care")["members"].as_array_mut().unwrap().push(json!("oto"));
    directory
}

fn queue<'d>(directory: &'d mut Value, id: &str) -> &'d mut Value {
    directory["queues"].as_array_mut().unwrap().iter_mut().find(|queue| queue["id"] == id).unwrap()
}

/// Everybody of these divisions who works for the organisation itself.
fn own_people(directory: &Value, divisions: &[&str]) -> BTreeSet<String> {
    let users = directory["users"].as_array().unwrap().iter();
    let own = users.filter(|user| user["bpo"] != true && divisions.iter().any(|id| user["division"] == *id));
    own.map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

fn people(heard: &Heard) -> BTreeSet<String> {
    assert_eq!(heard.status, 200, "{heard:?}");
    let rows = heard.json()["results"].as_array().unwrap().clone();
    rows.iter().map(|row| row["group"]["userId"].as_str().unwrap().to_owned()).collect()
}

fn ask_people() -> Value {
    json!({ "groupBy": ["userId"], "metrics": [{ "metric": "oMemberQueues" }] })
}

fn ask_queues(only: Option<&str>) -> Value {
    let mut body = json!({ "groupBy": ["queueId"], "metrics": [{ "metric": "oMemberUsers" }] });
    if let Some(id) = only {
        body["filter"] = json!({ "type": "and", "predicates": [{ "dimension": "queueId", "value": id }] });
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_of_own_people_only_whatever_the_upstream_does() {
    let house = House::of(Plan { interactions: 200, directory: mixed(), ..Plan::default() }).await;
    let due = own_people(&house.directory, &["d-sales-us", "d-service-us"]);
    assert!(due.len() > 50 && !due.contains("oto"));
    let heard = house.post("olga", PEOPLE, &ask_people()).await;
    assert_eq!(people(&heard), due);
    assert!(heard.notices().iter().any(|notice| notice.starts_with("bpo.left-out; ")), "{heard:?}");
    // The same person does count where the report is not about the workforce.
    let all = json!({ "metrics": ["oMemberQueues"] });
    assert!(people(&house.post("olga", super::house::USER_OBSERVATIONS, &all).await).contains("oto"));

    house.sandbox.disobey(|faults| faults.ignore_filters = true);
    assert_eq!(people(&house.post("olga", PEOPLE, &ask_people()).await), due);
    house.sandbox.obey();
    house.received(US);
    let named = json!({ "type": "and", "predicates": [{ "dimension": "userId", "value": "oto" }] });
    let mut body = ask_people();
    body["filter"] = named;
    let refused = house.post("olga", PEOPLE, &body).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "scope.outside"), "{refused:?}");
    for (person, path, body) in
        [("bo", PEOPLE, ask_people()), ("oto", PEOPLE, ask_people()), ("bea", QUEUES, ask_queues(None))]
    {
        let refused = house.post(person, path, &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "bpo.internal-only"), "{refused:?}");
    }
    assert!(house.received(US).is_empty(), "a refused query reached the upstream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_with_outsourcers_in_them_are_refused() {
    let house = House::of(Plan { interactions: 200, directory: mixed(), ..Plan::default() }).await;
    let refused = house.post("olga", QUEUES, &ask_queues(None)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "bpo.mixed-totals"), "{refused:?}");
    assert!(refused.json()["message"].as_str().unwrap().contains("`q-svc-care`"), "{refused:?}");
    assert!(house.received(US).is_empty(), "a refused query reached the upstream");
    let heard = house.post("olga", QUEUES, &ask_queues(Some("q-svc-email"))).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let members = queue(&mut house.directory.clone(), "q-svc-email")["members"].as_array().unwrap().len();
    let due =
        json!([{ "group": { "queueId": "q-svc-email" }, "data": [{ "metric": "oMemberUsers", "count": members }] }]);
    assert_eq!(heard.json()["results"], due);
}

/// The shipped rule, by division instead.
fn by_division(directory: Value) -> Plan {
    let rules = vec![
        (
            "genesys/workforce.toml",
            "those out instead.\noutsourcers = \"by-row\"",
            "those out instead.\noutsourcers = \"by-division\"",
        ),
        ("genesys/workforce.toml", "as = \"omar\"", "as = \"karl\""),
    ];
    Plan { interactions: 200, own_rules: true, rules, directory, ..Plan::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn divisions_of_outsourcers_are_left_out_and_mixed_ones_are_not_loaded() {
    let mut directory = sample::directory();
    let olga = directory["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "olga").unwrap();
    olga["roles"].as_array_mut().unwrap().push(json!({ "role": "r-report-consumer", "division": "d-bpo-acme-voice" }));
    let acme = directory["groups"].as_array_mut().unwrap().iter_mut().find(|group| group["id"] == "g-read-acme");
    acme.unwrap()["members"].as_array_mut().unwrap().push(json!("olga"));
    let house = House::of(by_division(directory)).await;
    let heard = house.post("olga", QUEUES, &ask_queues(None)).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let queues: BTreeSet<String> = heard.json()["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["group"]["queueId"].as_str().unwrap().to_owned())
        .collect();
    assert!(queues.contains("q-svc-care") && queues.contains("q-sales-new"), "{queues:?}");
    assert!(!queues.iter().any(|id| id.starts_with("q-acme")), "{queues:?}");
    let observed = house.post("olga", super::house::QUEUE_OBSERVATIONS, &json!({ "metrics": ["oMemberUsers"] })).await;
    assert!(observed.body.contains("q-acme-voice-care"), "the queue is hers in other reports: {observed:?}");

    // A leaf with both kinds of people: neither at a reload nor at the start.
    let version = || house.running.world.pin().world.version.directory.to_string();
    let before = version();
    house.write_directory(&mixed().to_string());
    house.running.reload();
    let reasons = house.admin("/readyz").await.json()["reasons"].to_string();
    assert!(reasons.contains("do not fit") && reasons.contains("d-service-us"), "{reasons}");
    assert_eq!(version(), before);
    match House::try_of(by_division(mixed())).await {
        Err(StartError::Misfit(why)) => assert!(why.len() == 1 && why[0].contains("`d-service-us`"), "{why:?}"),
        other => panic!("{:?}", other.err()),
    }
}
