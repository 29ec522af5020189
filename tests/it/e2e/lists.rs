//! Lists through HTTP: every visible entry once, in order, over pages of any size; totals speak of visible entries.

use super::{
    house::{DIVISIONS, EU, House, Plan, QUEUES, USERS},
    truth::Truth,
};
use crate::{
    laws::case::Case,
    oracle::{generate::Dice, questions::Kind, semantics::Entitlement},
};
use serde_json::{Value, json};

const PEOPLE: [&str; 13] =
    ["sofia", "ana", "bo", "bea", "ines", "viola", "greg", "rita", "mia", "elsa", "ewa", "u-0001", "mona"];

struct Listing<'a> {
    truth: &'a Truth,
    house: &'a House,
    person: &'a str,
}

impl Listing<'_> {
    fn scope(&self, kind: Kind, permissions: &[&str]) -> (Case, Vec<Entitlement>) {
        (Truth::case(self.person, kind, &Value::Null), self.truth.scope_of_list(self.person, kind, permissions))
    }

    /// Name and id of every entry that is due, in the order of the upstream.
    fn due(&self, path: &str) -> Vec<(String, String)> {
        let directory = &self.truth.directory;
        let name_of = |list: &str, id: &str| -> String {
            let all = self.house.directory[list].as_array().unwrap();
            all.iter().find(|one| one["id"] == id).unwrap()["name"].as_str().unwrap().to_owned()
        };
        let mut due: Vec<(String, String)> = if path == QUEUES {
            let (case, scope) = self.scope(Kind::QueueObservations, &["routing:queue:view", "telephony:queue:view"]);
            let alive =
                directory.queues.iter().filter(|one| one.state.as_deref().is_none_or(|state| state == "active"));
            let inside = alive.filter(|one| case.queue_inside(directory, &scope, &one.id));
            inside.map(|one| (name_of("queues", &one.id), one.id.clone())).collect()
        } else {
            let (case, scope) = self.scope(Kind::UserObservations, &["directory:user:view", "user:profile:view"]);
            let inside = directory.users.iter().filter(|one| case.user_inside(directory, &scope, &one.id, false));
            let active = |id: &str| {
                let all = self.house.directory["users"].as_array().unwrap();
                all.iter().find(|one| one["id"] == id).unwrap()["active"] != false
            };
            inside.filter(|one| active(&one.id)).map(|one| (name_of("users", &one.id), one.id.clone())).collect()
        };
        due.sort();
        due
    }
}

fn ids(answer: &Value) -> Vec<String> {
    answer["entities"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_visible_entry_is_listed_once_and_in_order() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(7);
    let (mut lists, mut entries) = (0, 0);
    for person in PEOPLE {
        for path in [QUEUES, USERS] {
            let listing = Listing { truth: &truth, house: &house, person };
            let mut due = listing.due(path);
            let order = if dice.percent(50) { "desc" } else { "asc" };
            if order == "desc" {
                due.reverse();
            }
            let due: Vec<String> = due.into_iter().map(|(_, id)| id).collect();
            let size = 1 + dice.below(5);
            let mut got = Vec::new();
            for number in 1..=due.len().div_ceil(size).max(1) {
                let query = format!("{path}?pageSize={size}&pageNumber={number}&sortOrder={order}");
                let heard = house.get(person, &query).await;
                if due.is_empty() && heard.status == 403 {
                    assert_eq!(heard.code(), "permission.missing", "{person} {query}");
                    continue;
                }
                assert_eq!(heard.status, 200, "{person} {query}: {heard:?}");
                let answer = heard.json();
                assert_eq!(
                    (&answer["total"], &answer["pageCount"]),
                    (&json!(due.len()), &json!(due.len().div_ceil(size))),
                    "{person} {query}: {answer}"
                );
                assert_eq!(
                    (&answer["pageNumber"], &answer["pageSize"]),
                    (&json!(number), &json!(size)),
                    "{person} {query}"
                );
                got.extend(ids(&answer));
            }
            assert_eq!(got, due, "{person} {path} by {size} {order}");
            lists += 1;
            entries += due.len();
        }
    }
    println!("lists: {lists} walked through, {entries} entries, each once and in order");
    assert!(entries > 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_behind_the_last_is_empty_and_still_tells_the_total() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let page = |total: usize, pages: usize| json!({ "entities": [], "pageSize": 2, "pageNumber": 9, "total": total, "pageCount": pages });
    let heard = house.get("viola", &format!("{QUEUES}?pageSize=2&pageNumber=9")).await;
    assert_eq!((heard.status, heard.json()), (200, page(3, 2)));
    // Whoever finds nothing has the empty list too.
    let heard = house.get("u-0009", &format!("{QUEUES}?name=Nothing&pageSize=2&pageNumber=9")).await;
    assert_eq!((heard.status, heard.json()), (200, page(0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_divisions_find_visible_entries_only() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    for (person, query, due) in [
        ("sofia", "?name=Cards", vec!["q-pay-cards"]),
        ("sofia", "?name=*D*", vec!["q-pay-cards", "q-pay-disputes"]),
        ("sofia", "?name=Motor", vec![]),
        ("sofia", "?divisionId=d-payments-us", vec!["q-pay-cards", "q-pay-disputes"]),
        ("sofia", "?id=q-pay-disputes", vec!["q-pay-disputes"]),
        ("viola", "", vec!["q-sales-new", "q-sales-renewals", "q-sales-vip"]),
        ("greg", "", vec!["q-svc-blue"]),
        ("elsa", "", vec!["q-eu-pay-cards", "q-eu-pay-disputes"]),
    ] {
        let heard = house.get(person, &format!("{QUEUES}{query}")).await;
        assert_eq!(heard.status, 200, "{person} {query}: {heard:?}");
        let mut got = ids(&heard.json());
        got.sort();
        assert_eq!(got, due, "{person} {query}");
    }
    for (person, due) in
        [("olga", vec!["d-sales-us", "d-service-us"]), ("carl", vec!["d-claims-us"]), ("eva", vec!["d-payments-eu"])]
    {
        assert_eq!(ids(&house.get(person, DIVISIONS).await.json()), due, "{person}");
    }
    assert!(house.sandbox.requests(EU) > 0);
}
