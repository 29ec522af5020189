//! What no document proves about an upstream: without the word of an administrator the rules that need it are closed;
//! with a word that is wrong, rows are judged all the same.

use super::{
    house::{
        AGGREGATES, DETAILS, DIVISIONS, EU, House, KEPT, PLATFORM, Plan, QUEUE_OBSERVATIONS, QUEUES, US,
        USER_AGGREGATES, USER_OBSERVATIONS, USERS, WEEK,
    },
    truth::Truth,
};
use crate::oracle::questions::{Kind, facts_of};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn definition() -> Value {
    json!({ "query": {
        "dateFrom": "2026-11-08T00:00:00Z", "dateTo": "2026-11-15T00:00:00Z", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    } })
}

/// Operations with a question that is answered when everything is accepted, and what each rests on.
fn operations() -> Vec<(&'static str, Value, &'static [&'static str])> {
    vec![
        (AGGREGATES, json!({ "interval": WEEK, "metrics": ["tHandle"] }), &["leg-filter"]),
        (DETAILS, json!({ "interval": WEEK }), &["entries-and", "same-segment"]),
        (PLATFORM, definition(), &["leg-filter"]),
        (QUEUE_OBSERVATIONS, json!({ "metrics": ["oWaiting"] }), &[]),
        (USER_AGGREGATES, json!({ "interval": WEEK, "metrics": ["tSystemPresence"] }), &[]),
        (USER_OBSERVATIONS, json!({ "metrics": ["oMemberQueues"] }), &[]),
        (QUEUES, Value::Null, &["ids-only"]),
        (USERS, Value::Null, &["ids-only"]),
        (DIVISIONS, Value::Null, &["ids-only"]),
    ]
}

async fn ask(house: &House, path: &str, body: &Value) -> (u16, String) {
    let heard = if body.is_null() { house.get("sofia", path).await } else { house.post("sofia", path, body).await };
    (heard.status, heard.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_closed_until_somebody_vouches_for_what_it_needs() {
    let everything: Vec<&str> = KEPT.into_iter().chain(["division-of-leg"]).collect();
    let mut closed = 0;
    for missing in everything.iter().map(|one| Some(*one)).chain([None]) {
        let assume = everything.iter().copied().filter(|one| Some(*one) != missing).collect();
        let house = House::of(Plan { assume, interactions: 200, ..Plan::default() }).await;
        for (path, body, needs) in operations() {
            let due = match missing {
                Some(missing) if needs.contains(&missing) => (403, "operation.unproved".to_owned()),
                _ => (200, String::new()),
            };
            assert_eq!(ask(&house, path, &body).await, due, "without {missing:?}: {path}");
            closed += usize::from(due.0 == 403);
        }
        // What groups mean, and which legs a window holds, decide about single questions, not about whole rules.
        let groups = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["divisionId"] });
        let due = match missing {
            Some("division-of-leg") => (400, "groupby.division".to_owned()),
            Some("leg-filter") => (403, "operation.unproved".to_owned()),
            _ => (200, String::new()),
        };
        assert_eq!(ask(&house, AGGREGATES, &groups).await, due, "without {missing:?}");
        let window = json!({ "interval": "2026-11-03T00:00:00Z/2026-11-15T00:00:00Z", "metrics": ["tHandle"] });
        let heard = house.post("hugo", AGGREGATES, &window).await;
        let due = match missing {
            Some("legs-contained") => (403, "window.outside"),
            Some("leg-filter") => (403, "operation.unproved"),
            _ => (200, ""),
        };
        assert_eq!(
            (heard.status, heard.json()["code"].as_str().unwrap_or_default()),
            due,
            "without {missing:?}: {heard:?}"
        );
        house.assert_no_connection_to(EU);
    }
    let none = House::of(Plan { assume: vec![], interactions: 200, ..Plan::default() }).await;
    for (path, body, needs) in operations() {
        let due = if needs.is_empty() { (200, String::new()) } else { (403, "operation.unproved".to_owned()) };
        assert_eq!(ask(&none, path, &body).await, due, "without anything: {path}");
    }
    println!("assumptions: {closed} closed rules, each by the one assumption that it needs");
}

/// What the upstream sent for the last question, asked of it once more without the proxy.
fn raw(house: &House) -> Value {
    let sent = house.received(US).pop().expect("something was sent");
    let (path, query) = sent.target.split_once('?').unwrap_or((&sent.target, ""));
    assert_eq!(query, "", "only queries are asked again");
    let body: Value = serde_json::from_str(std::str::from_utf8(&sent.body).unwrap()).unwrap();
    house.sandbox.evaluate(US, path, &body).unwrap()
}

fn legs(answer: &Value) -> BTreeSet<(String, String)> {
    let facts = facts_of(Kind::Details, answer);
    let legs = facts.into_iter().flat_map(|(id, legs)| legs.into_keys().map(move |leg| (id.clone(), leg)));
    legs.filter(|(_, leg)| leg != "start").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interactions_are_judged_leg_by_leg_whatever_the_arrays_mean() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    // What somebody may see of the whole world: every visible leg of every interaction.
    let mut all = BTreeSet::new();
    let visible = truth.visible("ana", Kind::Details);
    for leg in truth.rows("ana").iter().filter(|leg| visible.contains(&leg.id)) {
        all.insert((leg.conversation.clone(), format!("{:.3}", leg.start)));
    }
    let page = json!({ "pageSize": 100, "pageNumber": 1 });
    let month = "2026-10-21T00:00:00Z/2026-11-20T10:00:00Z";
    // Her queue with anybody of a medium: of one leg, or of two legs that are not both hers.
    let body = json!({ "interval": month, "paging": page, "segmentFilters": [
        { "type": "and", "predicates": [{ "dimension": "mediaType", "value": "voice" }] },
        { "type": "and", "predicates": [{ "dimension": "userId", "value": "ana" }] },
    ] });
    for lost in ["entries-and", "same-segment"] {
        house.sandbox.set_traits(|traits| assert!(traits.set(lost, false)));
        house.received(US);
        let heard = house.post("ana", DETAILS, &body).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let (raw, shown) = (legs(&raw(&house)), legs(&heard.json()));
        let hidden = |set: &BTreeSet<(String, String)>| {
            let is_mine = |(id, leg): &(String, String)| {
                all.iter().any(|(mine, start)| mine == id && leg.contains(start.as_str()))
            };
            set.iter().filter(|leg| !is_mine(leg)).count()
        };
        assert!(hidden(&raw) > 0, "{lost}: the upstream's own answer shows nothing hidden, so this shows nothing");
        assert_eq!(hidden(&shown), 0, "{lost}: a hidden leg passed");
        assert!(!shown.is_empty(), "{lost}");
        println!(
            "{lost} wrongly vouched for: {} hidden legs in the raw answer, 0 of {} shown",
            hidden(&raw),
            shown.len()
        );
        house.sandbox.set_traits(|traits| assert!(traits.set(lost, true)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_judged_by_their_keys_whatever_a_filter_judges() {
    let house = House::new().await;
    let body = json!({ "interval": "2026-10-21T00:00:00Z/2026-11-20T10:00:00Z", "metrics": ["nConversations"], "groupBy": ["queueId"] });
    house.sandbox.set_traits(|traits| traits.leg_filter = false);
    house.received(US);
    let heard = house.post("sofia", AGGREGATES, &body).await;
    let queues = |answer: &Value| -> BTreeSet<String> {
        let rows = answer["results"].as_array().unwrap().iter();
        rows.map(|row| row["group"]["queueId"].as_str().unwrap_or("none").to_owned()).collect()
    };
    let hers: BTreeSet<String> = ["q-pay-cards", "q-pay-disputes"].map(str::to_owned).into();
    let raw = queues(&raw(&house));
    assert!(raw.len() > hers.len(), "the upstream's own answer shows nothing hidden: {raw:?}");
    assert_eq!(queues(&heard.json()), hers);
    println!("leg-filter wrongly vouched for: {} groups in the raw answer, {} shown", raw.len(), hers.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entities_are_judged_by_their_ids_whatever_a_list_adds() {
    let house = House::new().await;
    house.sandbox.set_traits(|traits| traits.ids_only = false);
    for path in [QUEUES, USERS, DIVISIONS] {
        let heard = house.get("sofia", path).await;
        let (_, outcome) = house.lines(heard.decision()).await;
        let shown = heard.json()["entities"].as_array().unwrap().len() as u64;
        assert_eq!((heard.status, outcome.rows_out), (200, shown), "{path}");
        assert!(heard.json()["total"].as_u64().unwrap() >= shown);
        let honest = {
            house.sandbox.set_traits(|traits| traits.ids_only = true);
            house.get("sofia", path).await.json()
        };
        house.sandbox.set_traits(|traits| traits.ids_only = false);
        let ids = |answer: &Value| -> Vec<Value> {
            answer["entities"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
        };
        let mine: BTreeSet<String> = ids(&honest).iter().map(ToString::to_string).collect();
        assert!(ids(&heard.json()).iter().all(|id| mine.contains(&id.to_string())), "{path}: a stranger passed");
    }
}
