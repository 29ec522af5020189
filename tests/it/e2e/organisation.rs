//! What the organisation says, sentence by sentence, as people of the sample meet it through HTTP.

use super::house::{AGGREGATES, DETAILS, DIVISIONS, House, KEPT, PLATFORM, Plan, US, WEEK};
use serde_json::{Value, json};

fn small() -> Plan {
    Plan { interactions: 200, ..Plan::default() }
}

fn aggregates() -> Value {
    json!({ "interval": WEEK, "metrics": ["tHandle"] })
}

/// A report definition over a list of queues.
fn definition(values: &[&str]) -> Value {
    json!({ "query": {
        "dateFrom": "now-7d", "dateTo": "now", "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
        "filter": { "type": "AND", "predicates": [{ "dimension": "queueId", "operator": "IN", "values": values }] },
    } })
}

/// The text of the last query that the upstream was asked.
fn sent(house: &House) -> String {
    let last = house.received(US).pop().expect("something was sent");
    String::from_utf8(last.body.to_vec()).unwrap()
}

async fn ids(house: &House, person: &str, list: &str) -> Vec<String> {
    let heard = house.get(person, &format!("{list}?pageSize=500")).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    heard.json()["entities"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refusal_of_a_parent_names_the_leaves_that_may_be_asked_for() {
    let house = House::of(small()).await;
    let mut body = aggregates();
    body["filter"] = json!({ "type": "and", "predicates": [{ "dimension": "divisionId", "value": "d-us" }] });
    for (person, leaves) in [("sofia", "d-payments-us"), ("olga", "d-sales-us,d-service-us"), ("pat", "")] {
        let heard = house.post(person, AGGREGATES, &body).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "division.parent-scan"), "{heard:?}");
        assert_eq!(heard.json()["messageParams"]["divisions"], leaves, "{heard:?}");
    }
    let several = house.post("olga", PLATFORM, &definition(&["${user.scopeQueueIds}"])).await;
    assert_eq!((several.status, several.code().as_str()), (400, "division.choose"), "{several:?}");
    assert_eq!(several.json()["messageParams"]["divisions"], "d-sales-us,d-service-us");
    assert!(house.received(US).is_empty(), "a refused query reached the upstream");
    // An assignment counts wherever in the region it is held, not where its holder sits.
    assert_eq!(ids(&house, "olga", DIVISIONS).await, ["d-sales-us", "d-service-us"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicting_roles_close_analytics_and_nothing_else() {
    let strict = Plan { more: format!("[policy]\nassume = {KEPT:?}\nrole-conflict = \"refuse\"\n"), ..small() };
    let house = House::of(strict).await;
    let heard = house.post("rolf", AGGREGATES, &aggregates()).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "role.conflict"), "{heard:?}");
    assert_eq!(heard.json()["messageParams"]["roles"], "r-report-builder,r-report-consumer");
    assert_eq!(ids(&house, "rolf", DIVISIONS).await, ["d-sales-us"], "a list is no analytics");
    // One role in two divisions, and a grant beside no role, conflict with nothing.
    assert_eq!(house.post("olga", AGGREGATES, &aggregates()).await.status, 200);
    let granted = house.post("gus", AGGREGATES, &aggregates()).await;
    assert_ne!(granted.code(), "role.conflict", "{granted:?}");
    let separate = House::of(small()).await;
    assert_eq!(separate.post("rolf", AGGREGATES, &aggregates()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_restricted_closed_or_moved_stands_in_no_query_that_it_should_not() {
    let house = House::of(small()).await;
    // Restricted: named one by one, and for members of a group not even in the placeholder.
    assert_eq!(house.post("mia", PLATFORM, &definition(&["${user.queueIds}"])).await.status, 200);
    let mia = sent(&house);
    assert!(mia.contains("q-fraud-cards") && !mia.contains("q-fraud-vip"), "{mia}");
    assert_eq!(house.post("rita", PLATFORM, &definition(&["${user.queueIds}"])).await.status, 200);
    assert!(sent(&house).contains("q-fraud-vip"));
    // Dead queues: by `all` they count, by a list they do not.
    assert_eq!(house.post("nils", AGGREGATES, &aggregates()).await.status, 200);
    assert!(sent(&house).contains("q-fraud-old"));
    // A legacy option opens what all its sections open: for Leo nothing is left, though his role says `all`.
    let leo = sent_by(&house, "leo").await;
    assert!(!leo.contains("\"q-pay"), "{leo}");
    // Lines of business: an empty list closes, names included; a queue's own list decides for whoever it names.
    let carl = sent_by(&house, "carl").await;
    assert!(carl.contains("q-claims-motor") && !carl.contains("q-claims-legal"), "{carl}");
    // Division tags help where nothing moved, and are left out where something did.
    let detailed = json!({ "interval": WEEK });
    assert_eq!(house.post("carl", DETAILS, &detailed).await.status, 200);
    assert!(sent(&house).contains("\"dimension\":\"divisionId\",\"value\":\"d-claims-us\""));
    assert_eq!(house.post("dana", DETAILS, &detailed).await.status, 200);
    let dana = sent(&house);
    assert!(dana.contains("q-pay-wire") && !dana.contains("divisionId"), "{dana}");
}

async fn sent_by(house: &House, person: &str) -> String {
    assert_eq!(house.post(person, AGGREGATES, &aggregates()).await.status, 200);
    sent(house)
}

/// The list of a queue that older systems keep as a permission object, and what becomes of it when it is not clear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_object_opens_its_queue_to_its_readers_until_it_is_not_clear() {
    let mut directory = bailiwick::sandbox::sample::directory();
    let object = |name: &str, groups: &[&str]| json!({ "name": name, "readList": groups });
    directory["permissionObjects"] =
        json!([object("ges_Motor", &["g-read-payments"]), object("ges_q-claims-home", &[])]);
    let house = House::of(Plan { directory, ..small() }).await;
    let carl = sent_by(&house, "carl").await;
    assert!(carl.contains("q-claims-travel"), "{carl}");
    assert!(!carl.contains("q-claims-motor") && !carl.contains("q-claims-home"), "{carl}");
    let mut clear = house.directory.clone();
    clear["permissionObjects"] = json!([object("ges_Motor", &["g-read-claims"])]);
    house.write_directory(&clear.to_string());
    house.running.reload();
    assert!(sent_by(&house, "carl").await.contains("q-claims-motor"));
    clear["permissionObjects"] =
        json!([object("ges_Motor", &["g-read-claims"]), object("gms_Motor", &["g-read-claims"])]);
    house.write_directory(&clear.to_string());
    house.running.reload();
    assert!(!sent_by(&house, "carl").await.contains("q-claims-motor"), "two objects of one queue close it");
}
