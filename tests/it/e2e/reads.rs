//! Objects read by their id: what a list of them would show is there, everything else is not, and an id that stands
//! outside, is dead or was invented gets one and the same answer.

use super::{
    house::{DIVISIONS, House, Plan, QUEUES, USERS, now},
    truth::Truth,
};
use crate::{
    laws::{
        case::{Organisation, Stock},
        lists::Asker,
        program,
    },
    oracle::{
        lists::{self, Asked, List},
        questions::Kind,
    },
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const CAST: [&str; 12] =
    ["sofia", "carl", "ana", "bo", "bea", "dana", "ines", "rita", "nils", "gus", "viola", "dana-eu"];

/// Every id of the kind that the directory has, dead ones among them.
fn ids(list: List, directory: &Value) -> Vec<String> {
    let name = match list {
        List::Queues => "queues",
        List::Users => "users",
        List::Divisions => "divisions",
    };
    directory[name].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_list_shows_can_be_read_by_its_id_and_nothing_else() {
    let house = House::of(Plan { interactions: 200, ..Plan::default() }).await;
    let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
    let (mut shown, mut hidden) = (0, 0);
    for person in CAST {
        for (list, path) in [(List::Queues, QUEUES), (List::Users, USERS), (List::Divisions, DIVISIONS)] {
            let asker = Asker { organisation: &organisation, person: person.to_owned(), now: now().as_second() };
            let scope = asker.scope(program::list_of(list), lists::data_of(list));
            let due = lists::due(list, &organisation.directory, person, &scope, &Asked::default());
            let due: BTreeSet<String> = due.into_iter().map(|entry| entry.id).collect();
            let invented = house.get(person, &format!("{path}/invented")).await;
            assert_ne!(invented.status, 200, "{person} {path}");
            for id in ids(list, &house.directory).iter().step_by(if list == List::Users { 7 } else { 1 }) {
                let heard = house.get(person, &format!("{path}/{id}")).await;
                if heard.status == 200 {
                    let answer = heard.json();
                    assert_eq!(answer["id"], **id, "{person} {path}/{id}");
                    assert!(answer["selfUri"].is_null() && answer["memberCount"].is_null(), "{answer}");
                    assert!(due.contains(id), "{person} is shown {path}/{id}");
                    shown += 1;
                    continue;
                }
                assert!(!due.contains(id), "{person} is due {path}/{id}: {heard:?}");
                hidden += 1;
                // What was archived is told to whoever sees its division's queues whole, and to nobody else.
                if list == List::Queues && heard.code() == "query.dead-queue" {
                    let queues = house.directory["queues"].as_array().unwrap();
                    let of = |id: &str| queues.iter().find(|queue| queue["id"] == *id).unwrap();
                    assert!(of(id)["state"] != Value::Null && of(id)["state"] != "active", "{person} {path}/{id}");
                    let beside = |known: &String| of(known)["division"] == of(id)["division"];
                    assert!(due.iter().any(beside), "{person} {path}/{id}");
                    continue;
                }
                // Divisions and regions are public: their refusals name what they are.
                if list != List::Divisions {
                    assert_eq!(heard.refusal(), invented.refusal(), "{person} {path}/{id}");
                }
            }
        }
    }
    println!("reads by id: {shown} objects shown, {hidden} not there");
    assert!(shown >= 30 && hidden > 500);
}

/// A right with a data window says nothing about an object that has no time: a refusal, and no fault of the proxy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_with_a_data_window_opens_no_object_and_breaks_nothing() {
    let house = House::of(Plan { interactions: 200, ..Plan::default() }).await;
    let mut windowed = 0;
    for (list, path) in [(List::Queues, QUEUES), (List::Users, USERS), (List::Divisions, DIVISIONS)] {
        for id in ids(list, &house.directory).iter().step_by(if list == List::Users { 7 } else { 1 }) {
            let heard = house.get("hugo", &format!("{path}/{id}")).await;
            assert!([400, 403, 404].contains(&heard.status), "hugo {path}/{id}: {heard:?}");
            windowed += usize::from(heard.code() == "window.outside");
        }
    }
    assert!(windowed > 0, "hugo's grant met nothing");
    assert!(house.received(super::house::US).is_empty());
}

/// Legs of one interaction as an answer shows them.
fn legs_of(interaction: &Value) -> BTreeSet<String> {
    assert!(interaction["divisionIds"].is_null(), "tags speak of hidden legs: {interaction}");
    let mut got = BTreeSet::new();
    for participant in interaction["participants"].as_array().unwrap() {
        for session in participant["sessions"].as_array().into_iter().flatten() {
            for segment in session["segments"].as_array().into_iter().flatten() {
                let (queue, user) = (segment["queueId"].as_str(), participant["userId"].as_str());
                if queue.is_some() || user.is_some() {
                    got.insert(format!("{queue:?} {user:?} {}", segment["segmentStart"].as_str().unwrap()));
                }
            }
        }
    }
    got
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_detail_of_an_interaction_shows_its_visible_legs() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let (mut shown, mut hidden, mut cut, mut together) = (0, 0, 0, 0);
    for person in CAST {
        let mut alone: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let visible: BTreeSet<_> = truth.visible(person, Kind::Details).iter().copied().collect();
        let rows = truth.rows(person);
        for row in rows.iter().step_by(rows.len() / 40) {
            let legs = || rows.iter().filter(|leg| leg.conversation == row.conversation);
            let owned = legs().filter(|leg| leg.queue.is_some() || leg.agent.is_some()).count();
            let due: BTreeSet<String> = legs()
                .filter(|leg| visible.contains(&leg.id))
                .map(|leg| format!("{:?} {:?} {:.3}", leg.queue.as_deref(), leg.agent.as_deref(), leg.start))
                .collect();
            let heard =
                house.get(person, &format!("/api/v2/analytics/conversations/{}/details", row.conversation)).await;
            if heard.status != 200 {
                assert_eq!(
                    (heard.status, &*heard.code()),
                    (404, "scope.outside"),
                    "{person} {}: {heard:?}",
                    row.conversation
                );
                assert!(due.is_empty(), "{person} is due {}: {due:?}", row.conversation);
                hidden += 1;
                continue;
            }
            let got = legs_of(&heard.json());
            assert_eq!(got, due, "{person} {}", row.conversation);
            shown += 1;
            cut += usize::from(owned > due.len());
            alone.insert(row.conversation.clone(), got);
        }
        // Many at once are what each of them is alone; what is hidden is left out like what was invented.
        let mut all: Vec<&str> = rows.iter().step_by(rows.len() / 40).map(|row| &*row.conversation).collect();
        all.dedup();
        all.push("no-such-interaction");
        for some in all.chunks(15) {
            let heard =
                house.get(person, &format!("/api/v2/analytics/conversations/details?id={}", some.join(","))).await;
            assert_eq!(heard.status, 200, "{person}: {heard:?}");
            let due: BTreeMap<String, BTreeSet<String>> = alone
                .iter()
                .filter(|(id, _)| some.contains(&id.as_str()))
                .map(|(id, legs)| (id.clone(), legs.clone()))
                .collect();
            let answer = heard.json();
            let rows = answer["conversations"].as_array().cloned().unwrap_or_default();
            let got = rows.iter().map(|one| (one["conversationId"].as_str().unwrap().to_owned(), legs_of(one)));
            assert_eq!(got.collect::<BTreeMap<_, _>>(), due, "{person}");
            together += rows.len();
        }
    }
    assert!(together >= shown, "{together} together, {shown} alone");
    println!("details by id: {shown} interactions shown, {cut} of them with hidden legs, {hidden} not there");
    assert!(shown > 20 && cut > 3 && hidden > 100);
}
