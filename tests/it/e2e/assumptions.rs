//! What no document proves about an upstream: without the word of an administrator the rules that need it are closed;
//! with a word that is wrong, rows are judged all the same.

use super::{
    house::{
        AGGREGATES, DETAILS, DIVISIONS, EU, EXPORTS, House, KEPT, PLATFORM, Plan, QUEUE_OBSERVATIONS, QUEUES, US,
        USER_AGGREGATES, USER_DETAILS, USER_OBSERVATIONS, USERS, WEEK,
    },
    truth::Truth,
};
use crate::oracle::questions::{Kind, facts_of};
use bailiwick::sandbox::Received;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn definition() -> Value {
    json!({ "query": {
        "dateFrom": "2026-11-08T00:00:00Z", "dateTo": "2026-11-15T00:00:00Z", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    } })
}

fn export() -> Value {
    json!({
        "name": "Week", "timeZone": "UTC", "exportFormat": "CSV", "interval": WEEK,
        "viewType": "QUEUE_PERFORMANCE_SUMMARY_VIEW",
    })
}

/// Operations with a question that is answered when everything is accepted, and what each rests on.
pub(super) fn operations() -> Vec<(&'static str, Value, &'static [&'static str])> {
    vec![
        (AGGREGATES, json!({ "interval": WEEK, "metrics": ["tHandle"] }), &["leg-filter"]),
        (DETAILS, json!({ "interval": WEEK }), &["entries-and", "same-segment"]),
        (PLATFORM, definition(), &["leg-filter"]),
        ("/contacts-legs/_search", json!({}), &["leg-filter"]),
        (QUEUE_OBSERVATIONS, json!({ "metrics": ["oWaiting"] }), &[]),
        (USER_AGGREGATES, json!({ "interval": WEEK, "metrics": ["tSystemPresence"] }), &[]),
        (USER_OBSERVATIONS, json!({ "metrics": ["oMemberQueues"] }), &[]),
        (USER_DETAILS, json!({ "interval": WEEK }), &["entries-and"]),
        (FLOWS, json!({ "interval": WEEK, "metrics": ["nFlow"] }), &["leg-filter"]),
        (CASES, json!({ "interval": WEEK, "metrics": ["nCasesOpened"] }), &["division-of-case"]),
        (TEAMS, json!({ "groupBy": ["teamId"], "metrics": [{ "metric": "oTeamPresences" }] }), &["person-filter"]),
        (QUEUES, Value::Null, &["ids-only"]),
        (USERS, Value::Null, &["ids-only"]),
        (DIVISIONS, Value::Null, &["ids-only"]),
        (EXPORTS, export(), &["view-filter"]),
        ("/api/v2/users/search", json!({ "query": [] }), &["criteria-and"]),
        ("/api/v2/groups/search", json!({ "query": [] }), &["criteria-and"]),
    ]
}

const FLOWS: &str = "/api/v2/analytics/flows/aggregates/query";
const CASES: &str = "/api/v2/analytics/casemanagement/aggregates/query";
const TEAMS: &str = "/api/v2/analytics/teams/activity/query";

pub(super) async fn ask(house: &House, path: &str, body: &Value) -> (u16, String) {
    // what a division owns is seen by those who see all of it
    let person = if [FLOWS, CASES, TEAMS].contains(&path) { "dana" } else { "sofia" };
    let heard = if body.is_null() { house.get(person, path).await } else { house.post(person, path, body).await };
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

/// The body that was sent last, to be asked once more without the proxy.
fn raw_of(sent: &[Received]) -> Value {
    let sent = sent.last().expect("something was sent");
    serde_json::from_str(std::str::from_utf8(&sent.body).unwrap()).unwrap()
}

/// What is said of legs, by interaction.
fn legs(answer: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let facts = facts_of(Kind::Details, answer);
    let named = |legs: BTreeMap<String, String>| legs.into_keys().filter(|leg| leg != "start").collect();
    facts.into_iter().map(|(id, legs)| (id, named(legs))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interactions_are_judged_leg_by_leg_whatever_the_arrays_mean() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let visible = truth.visible("carl", Kind::Details);
    let mut mine: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for leg in truth.rows("carl").iter().filter(|leg| visible.contains(&leg.id)) {
        mine.entry(&leg.conversation).or_default().push(format!("{:.3}", leg.start));
    }
    let body = |filters: Value| {
        let mut body = json!({
            "interval": "2026-10-21T00:00:00Z/2026-11-20T10:00:00Z", "paging": { "pageSize": 100, "pageNumber": 1 },
        });
        body.as_object_mut().unwrap().extend(filters.as_object().unwrap().clone());
        body
    };
    let one = |dimension: &str, value: &str| json!({ "type": "and", "predicates": [{ "dimension": dimension, "value": value }] });
    // With *or* between the arrays every inbound interaction comes; with a segment for each predicate, interactions of
    // which somebody else's leg has the code.
    let questions = [
        ("entries-and", body(json!({ "conversationFilters": [one("originatingDirection", "inbound")] }))),
        ("same-segment", body(json!({ "segmentFilters": [one("wrapUpCode", "wu-sale")] }))),
    ];
    for (lost, body) in questions {
        house.received(US);
        assert_eq!(house.post("carl", DETAILS, &body).await.status, 200);
        let sent = raw_of(&house.received(US));
        let kept = legs(&house.sandbox.evaluate(US, DETAILS, &sent).unwrap());
        house.sandbox.set_traits(|traits| assert!(traits.set(lost, false)));
        let raw = legs(&house.sandbox.evaluate(US, DETAILS, &sent).unwrap());
        let leaking = raw.keys().filter(|id| !kept.contains_key(*id)).count();
        assert!(leaking > 0, "{lost}: the upstream's own answer leaks nothing, so this shows nothing");
        let heard = house.post("carl", DETAILS, &body).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let shown = legs(&heard.json());
        for (id, legs) in &shown {
            let starts = mine.get(id.as_str()).unwrap_or_else(|| panic!("{lost}: {id} has no visible leg"));
            for leg in legs {
                assert!(starts.iter().any(|start| leg.contains(start.as_str())), "{lost}: {id}: {leg} is hidden");
            }
        }
        assert!(!shown.is_empty(), "{lost}");
        println!(
            "{lost} wrongly vouched for: {leaking} interactions too many among {} of the raw answer, {} shown without a hidden leg",
            raw.len(),
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
    let raw = queues(&house.sandbox.evaluate(US, AGGREGATES, &raw_of(&house.received(US))).unwrap());
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

/// Where a leg counts in the interval in which it starts, a total over a data window would hold what came after it.
/// Nobody vouches for such an upstream; interactions are still shown, and cut leg by leg.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_window_holds_where_legs_reach_beyond_an_interval() {
    let assume = KEPT.into_iter().filter(|one| *one != "legs-contained").collect();
    let house = House::of(Plan { assume, ..Plan::default() }).await;
    house.sandbox.set_traits(|traits| assert!(traits.set("legs-contained", false)));
    let truth = Truth::of(&house.sandbox, &house.directory);
    let visible = truth.visible("hugo", Kind::Details);
    let (mut shown_in_all, mut reaching) = (0, 0);
    // A day at each end of hugo's window, and one within it.
    for (from, until) in [("2026-11-02", "2026-11-03"), ("2026-11-10", "2026-11-11"), ("2026-11-15", "2026-11-16")] {
        let interval = format!("{from}T00:00:00Z/{until}T00:00:00Z");
        let total = json!({ "interval": interval, "metrics": ["tHandle"] });
        let heard = house.post("hugo", AGGREGATES, &total).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "window.outside"));
        let end = until.parse::<jiff::civil::Date>().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        reaching += truth.rows("hugo").iter().filter(|leg| leg.start < end && leg.end > end).count();
        let details = json!({ "interval": interval, "paging": { "pageSize": 100, "pageNumber": 1 } });
        let heard = house.post("hugo", DETAILS, &details).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let mut starts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for leg in truth.rows("hugo").iter().filter(|leg| visible.contains(&leg.id)) {
            starts.entry(&leg.conversation).or_default().push(format!("{:.3}", leg.start));
        }
        for (id, legs) in legs(&heard.json()) {
            for leg in &legs {
                assert!(starts[id.as_str()].iter().any(|start| leg.contains(start.as_str())), "{id}: {leg} is hidden");
            }
            shown_in_all += legs.len();
        }
    }
    assert!(shown_in_all > 0 && reaching > 0, "{shown_in_all} legs shown, {reaching} reach beyond a day");
    println!("legs-contained off: {shown_in_all} legs shown, each within its window; {reaching} reach beyond a day");
}

/// Where somebody vouches that a division on a leg is that of the leg, groups by division are right to the number; where
/// he is wrong, no group is of a foreign division.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_by_division_are_those_of_the_legs() {
    let assume: Vec<&str> = KEPT.into_iter().chain(["division-of-leg"]).collect();
    let house = House::of(Plan { assume, ..Plan::default() }).await;
    house.sandbox.set_traits(|traits| assert!(traits.set("division-of-leg", true)));
    let truth = Truth::of(&house.sandbox, &house.directory);
    let body = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["divisionId"] });
    let groups = |answer: &Value| -> BTreeMap<String, String> {
        let rows = answer["results"].as_array().unwrap().iter();
        rows.map(|row| (row["group"]["divisionId"].to_string(), row["data"].to_string())).collect()
    };
    let people: Vec<&str> =
        house.directory["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    let (mut compared, mut several, mut leaking) = (0, 0, 0);
    for person in people.into_iter().take(40) {
        let heard = house.post(person, AGGREGATES, &body).await;
        if heard.status != 200 {
            continue;
        }
        let due = groups(&truth.answer(&house.sandbox, person, Kind::Aggregates, &body));
        let shown = groups(&heard.json());
        assert_eq!(shown, due, "{person}");
        compared += 1;
        several += usize::from(shown.len() > 1);
        let divisions: BTreeSet<String> = truth.divisions(person).into_iter().map(|id| format!("{id:?}")).collect();
        assert!(shown.keys().all(|id| divisions.contains(id)), "{person}: {shown:?}");

        house.received(US);
        house.sandbox.set_traits(|traits| assert!(traits.set("division-of-leg", false)));
        let heard = house.post(person, AGGREGATES, &body).await;
        let sent = house.received(US);
        if !sent.is_empty() {
            let raw = groups(&house.sandbox.evaluate(US, AGGREGATES, &raw_of(&sent)).unwrap());
            leaking += usize::from(raw.keys().any(|id| !divisions.contains(id)));
        }
        let shown = groups(&heard.json());
        assert!(shown.keys().all(|id| divisions.contains(id)), "{person}: {shown:?}");
        house.sandbox.set_traits(|traits| assert!(traits.set("division-of-leg", true)));
    }
    println!("division-of-leg: {compared} answers compared, {several} of several groups, {leaking} raw ones leak");
    assert!(compared >= 10 && several > 0 && leaking > 0, "{compared} {several} {leaking}");
}
