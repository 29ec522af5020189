//! Spans of presence, person by person: exactly those of visible people, each person once over all pages.

use super::{
    house::{House, USER_DETAILS},
    truth::Truth,
};
use crate::oracle::{generate::Dice, lists::shows_user, questions::Kind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Whoever may view a report, a dashboard or a query, or data as an outsourcer.
const OPENED_BY: [&str; 5] = [
    "analytics:userDetail:view",
    "analytics:report:view",
    "analytics:dashboard:view",
    "analytics:query:view",
    "reporting:data:view",
];
/// As many people as one query of the upstream takes.
const MOST: usize = 100;

fn paged(body: &Value, size: usize, number: usize) -> Value {
    let mut body = body.clone();
    body["paging"] = json!({ "pageSize": size, "pageNumber": number });
    body
}

fn people(answer: &Value) -> Vec<Value> {
    answer["userDetails"].as_array().cloned().unwrap_or_default()
}

fn id(person: &Value) -> &str {
    person["userId"].as_str().unwrap()
}

/// Everybody whom the upstream finds, visible or not.
fn everybody(house: &House, region: &str, body: &Value) -> Vec<Value> {
    let page = |number| people(&house.sandbox.evaluate(region, USER_DETAILS, &paged(body, 100, number)).unwrap());
    (1..).map(page).take_while(|page| !page.is_empty()).flatten().collect()
}

fn question(dice: &mut Dice, visible: &[String]) -> Value {
    let start = 1 + dice.below(14);
    let mut body = json!({ "interval": format!("2026-11-{start:02}T00:00:00Z/2026-11-{:02}T00:00:00Z", start + 1 + dice.below(5)) });
    let mut ask = |name: &str, dimension: &str, values: &[&str], dice: &mut Dice| {
        let mut predicates = vec![json!({ "dimension": dimension, "value": *dice.pick(values) })];
        if dice.percent(30) {
            predicates.push(json!({ "dimension": dimension, "operator": "exists" }));
        }
        body[name] = json!([{ "type": *dice.pick(&["and", "or", "OR"]), "predicates": predicates }]);
    };
    if dice.percent(40) {
        ask("presenceFilters", "systemPresence", &["AVAILABLE", "busy", "AWAY", "MEAL"], dice);
    }
    if dice.percent(30) {
        ask("routingStatusFilters", "routingStatus", &["IDLE", "INTERACTING", "OFF_QUEUE"], dice);
    }
    if dice.percent(50) && !visible.is_empty() {
        let named: Vec<&str> = (0..=dice.below(3)).map(|_| dice.pick(visible).as_str()).collect();
        let predicates: Vec<Value> = named.iter().map(|id| json!({ "dimension": "userId", "value": id })).collect();
        body["userFilters"] = json!([{ "type": "or", "predicates": predicates }]);
    }
    if dice.percent(30) {
        body["order"] = json!(*dice.pick(&["asc", "desc", "unordered"]));
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_those_of_visible_people() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(7_100);
    let (mut compared, mut shown_in_all, mut hidden, mut pages) = (0, 0, 0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let cast: Vec<String> =
        truth.directory.users.iter().filter(|user| user.active != Some(false)).map(|user| user.id.clone()).collect();
    for person in cast.iter().take(60).chain(cast.iter().rev().take(20)) {
        let scope = truth.scope_of_list(person, Kind::UserObservations, &OPENED_BY);
        let inside = |id: &str| shows_user(&truth.directory, person, &scope, id);
        let visible: Vec<String> =
            truth.directory.users.iter().map(|user| user.id.clone()).filter(|id| inside(id)).collect();
        for _ in 0..2 {
            let body = question(&mut dice, &visible);
            let all = everybody(&house, truth.region(person), &body);
            let due: Vec<&Value> = all.iter().filter(|one| inside(id(one))).collect();
            let size = 1 + dice.below(40);
            let mut got = Vec::new();
            for number in 1.. {
                let heard = house.post(person, USER_DETAILS, &paged(&body, size, number)).await;
                if heard.status != 200 {
                    let code = heard.code();
                    let expected = match code.as_str() {
                        "permission.missing" | "scope.empty" | "division.parent-scan" => visible.is_empty(),
                        "scope.too-wide" | "scope.too-complex" => visible.len() > MOST,
                        _ => false,
                    };
                    assert!(expected, "{person}: {body}: {} people visible: {heard:?}", visible.len());
                    *refused.entry(code).or_default() += 1;
                    got.clear();
                    break;
                }
                pages += 1;
                let page = people(&heard.json());
                assert!(heard.json().get("totalHits").is_none());
                if page.is_empty() {
                    let shown: Vec<&Value> = got.iter().collect();
                    assert_eq!(shown, due, "{person}: {body}");
                    compared += 1;
                    shown_in_all += shown.len();
                    hidden += all.len() - due.len();
                    break;
                }
                got.extend(page);
            }
            let once: BTreeSet<&str> = got.iter().map(id).collect();
            assert_eq!(once.len(), got.len(), "{person}: {body}");
        }
    }
    println!(
        "spans of people: {compared} questions on {pages} pages, {shown_in_all} people shown, {hidden} hidden, refused {refused:?}"
    );
    assert!(compared >= 60 && shown_in_all > 200 && hidden > 1_000, "{compared} {shown_in_all} {hidden}");
}

/// What is read of one person is his who may be seen, and nobody else's, whatever the upstream answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_of_a_person_is_his() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let (mut shown, mut hidden) = (0, 0);
    let of = |id: &str, part: &str| format!("/api/v2/users/{id}/{part}");
    let parts = ["routingstatus", "presences/purecloud", "state", "profile", "outofoffice"];
    for person in ["sofia", "ana", "bo", "carl", "rita", "olga", "viola", "dana-eu"] {
        let scope = truth.scope_of_list(person, Kind::UserObservations, &["directory:user:view", "user:profile:view"]);
        for user in truth.directory.users.iter().step_by(9).map(|user| &*user.id).chain([person, "nobody-at-all"]) {
            for part in parts {
                let heard = house.get(person, &of(user, part)).await;
                if shows_user(&truth.directory, person, &scope, user) {
                    assert_eq!(heard.status, 200, "{person} {user} {part}: {heard:?}");
                    let answer = heard.json();
                    let said =
                        [&answer["userId"], &answer["user"]["id"], &answer["id"]].into_iter().find(|id| !id.is_null());
                    assert_eq!(said.and_then(Value::as_str), Some(user), "{person} {part}: {answer}");
                    assert!(answer.get("selfUri").is_none() && answer.get("version").is_none(), "{answer}");
                    shown += 1;
                } else {
                    let code = heard.code();
                    let none = ["permission.missing", "scope.empty"].contains(&code.as_str()) && scope.is_empty();
                    assert!(
                        (heard.status, code.as_str()) == (404, "scope.outside") || none,
                        "{person} {user} {part}: {heard:?}"
                    );
                    hidden += 1;
                }
            }
        }
    }
    println!("read of people: {shown} shown, {hidden} hidden");
    assert!(shown >= 60 && hidden >= 1_000, "{shown} {hidden}");
}
