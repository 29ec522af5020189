//! Definitions: kept as they were asked, run by each with his own rights, and not there for anybody else.

use super::{
    house::{Heard, House, PLATFORM, Plan, US, now},
    truth::Truth,
};
use crate::oracle::{
    data::Directory,
    questions::Kind,
    semantics::{Data, Dim, Right},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const QUERIES: &str = "/api/v2/analytics/queries";

fn question(filter: Option<Value>) -> Value {
    let mut query = json!({
        "dateFrom": "now-14d", "dateTo": "now", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    });
    if let Some(predicate) = filter {
        query["filter"] = json!({ "type": "AND", "predicates": [predicate] });
    }
    json!({ "name": "report", "query": query })
}

pub(super) fn of_queues(values: &[&str]) -> Value {
    question(Some(json!({ "dimension": "queueId", "operator": "IN", "values": values })))
}

pub(super) fn kept(name: &str, division: &str, shared: bool, definition: &Value) -> Value {
    json!({ "name": name, "divisionId": division, "shared": shared, "definition": definition })
}

pub(super) async fn saved(house: &House, person: &str, body: &Value) -> String {
    let heard = house.post(person, QUERIES, body).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    heard.json()["id"].as_str().unwrap().to_owned()
}

pub(super) async fn run(house: &House, person: &str, id: &str) -> Heard {
    house.ask(person, &format!("POST {QUERIES}/{id}/run"), "").await
}

/// Every visible entry, over all pages: names with ids.
async fn listed(house: &House, person: &str) -> (Vec<String>, usize) {
    let (mut names, mut total) = (Vec::new(), 0);
    for number in 1.. {
        let heard = house.get(person, &format!("{QUERIES}?pageSize=2&pageNumber={number}")).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let answer = heard.json();
        total = usize::try_from(answer["total"].as_u64().unwrap()).unwrap();
        let page = answer["entities"].as_array().unwrap();
        if page.is_empty() {
            break;
        }
        names.extend(page.iter().map(|row| row["name"].as_str().unwrap().to_owned()));
    }
    (names, total)
}

fn rows(answer: &Value) -> BTreeSet<String> {
    answer["rows"].as_array().unwrap_or(&Vec::new()).iter().map(ToString::to_string).collect()
}

fn file_of<'d>(directory: &'d Value, person: &str) -> &'d Value {
    directory["users"].as_array().unwrap().iter().find(|user| user["id"] == person).unwrap_or(&Value::Null)
}

/// The queues that name somebody, by the directory file alone.
pub(super) fn member_of(directory: &Value, person: &str) -> Vec<String> {
    let named = |queue: &&Value| {
        queue["state"].as_str().is_none_or(|state| state == "active")
            && queue["members"].as_array().is_some_and(|all| all.iter().any(|one| one == person))
    };
    let queues = directory["queues"].as_array().unwrap().iter().filter(named);
    queues.map(|queue| queue["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_definition_gives_each_his_own_rows() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let all = saved(&house, "dana", &kept("all", "d-payments-us", true, &question(None))).await;
    let mine = saved(&house, "dana", &kept("mine", "d-payments-us", true, &of_queues(&["${user.queueIds}"]))).await;
    let (mut shown, mut different) = (0, BTreeSet::new());
    for person in ["dana", "sofia", "ana"] {
        let due = rows(&truth.answer(&house.sandbox, person, Kind::Platform, &question(None)));
        let heard = run(&house, person, &all).await;
        assert_eq!((heard.status, rows(&heard.json())), (200, due.clone()), "{person}: {heard:?}");
        let asked = house.post(person, PLATFORM, &question(None)).await;
        assert_eq!(rows(&asked.json()), due, "{person}");
        shown += due.len();
        different.insert(due);

        let queues = member_of(&house.directory, person);
        let heard = run(&house, person, &mine).await;
        if queues.is_empty() {
            assert_eq!((heard.status, heard.code().as_str()), (403, "scope.empty"), "{person}: {heard:?}");
            continue;
        }
        let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
        let due = rows(&truth.answer(&house.sandbox, person, Kind::Platform, &of_queues(&queues)));
        assert_eq!(rows(&heard.json()), due, "{person}: {heard:?}");
        shown += due.len();
    }
    assert!(shown > 6 && different.len() == 3, "{shown} {different:?}");

    // what was asked is kept as it was asked, and the record of a run has it beside what was sent
    let read = house.get("sofia", &format!("{QUERIES}/{mine}")).await.json();
    assert_eq!(read["definition"], of_queues(&["${user.queueIds}"]), "{read}");
    assert!(read.get("owner").is_none(), "{read}");
    assert_eq!(house.get("dana", &format!("{QUERIES}/{mine}")).await.json()["owner"]["id"], "dana");
    let heard = run(&house, "sofia", &mine).await;
    let (intent, outcome) = house.lines(heard.decision()).await;
    let asked = intent.unwrap().asked.text.unwrap();
    assert!(asked.body.unwrap().contains("${user.queueIds}") && asked.path.ends_with("/run"), "{}", asked.path);
    assert_eq!(outcome.operation.as_deref(), Some("platform.query.saved.run"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ones_own_or_shared_is_not_there() {
    let house = House::new().await;
    let own = saved(&house, "dana", &kept("own", "d-payments-us", false, &question(None))).await;
    let shared = saved(&house, "dana", &kept("shared", "d-payments-us", true, &question(None))).await;
    let sales = saved(&house, "rolf", &kept("sales", "d-sales-us", true, &question(None))).await;
    let abroad = saved(&house, "dana-eu", &kept("abroad", "d-sales-eu", true, &question(None))).await;
    house.received(US);
    let lines = |id: &str| {
        [
            format!("GET {QUERIES}/{id}"),
            format!("POST {QUERIES}/{id}/run"),
            format!("PUT {QUERIES}/{id}"),
            format!("DELETE {QUERIES}/{id}"),
        ]
    };
    let invented = lines("019ab6c0-0000-7000-8000-000000000000");
    let body = kept("stolen", "d-payments-us", true, &question(None)).to_string();
    let mut tried = 0;
    for (person, hidden) in [
        ("u-0003", vec![&own, &sales, &abroad]),
        ("dana", vec![&sales, &abroad]),
        ("rolf", vec![&own, &shared, &abroad]),
        ("dana-eu", vec![&own, &shared, &sales]),
    ] {
        for (line, unknown) in hidden.into_iter().flat_map(|id| lines(id).into_iter().zip(&invented)) {
            let body = if line.starts_with("PUT") { body.as_str() } else { "" };
            let heard = house.ask(person, &line, body).await;
            assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{person} {line}: {heard:?}");
            assert_eq!(heard.refusal(), house.ask(person, unknown, body).await.refusal(), "{person} {line}");
            tried += 1;
        }
    }
    assert!(house.received(US).is_empty(), "an upstream was asked");
    println!("definitions: {tried} times one that is not there");
    for (person, due) in [
        ("dana", vec!["own", "shared"]),
        ("u-0003", vec!["shared"]),
        ("sofia", vec!["shared"]),
        ("carl", vec![]),
        ("rolf", vec!["sales"]),
        ("olga", vec!["sales"]),
        ("dana-eu", vec!["abroad"]),
    ] {
        let (names, total) = listed(&house, person).await;
        assert_eq!((names.len(), names.iter().map(String::as_str).collect::<Vec<_>>()), (total, due), "{person}");
    }
}

/// To view in one division and edit in another is two rights.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_need_the_right_to_edit_where_it_is_owned() {
    let mut directory = bailiwick::sandbox::sample::directory();
    let users = directory["users"].as_array_mut().unwrap();
    let rolf = users.iter_mut().find(|user| user["id"] == "rolf").unwrap();
    let held = rolf["roles"].as_array_mut().unwrap();
    held.push(json!({ "role": "r-report-consumer", "division": "d-payments-us" }));
    let house = House::of(Plan { directory, ..Plan::default() }).await;
    let shared = saved(&house, "dana", &kept("shared", "d-payments-us", true, &question(None))).await;
    let line = format!("{QUERIES}/{shared}");
    // he sees it and runs it, and edits in sales alone
    assert_eq!(house.get("rolf", &line).await.status, 200);
    let moved = kept("moved", "d-sales-us", true, &question(None)).to_string();
    for (line, body) in [(format!("PUT {line}"), moved.as_str()), (format!("DELETE {line}"), "")] {
        let heard = house.ask("rolf", &line, body).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{line}: {heard:?}");
    }
    let heard = house.post("rolf", QUERIES, &kept("new", "d-payments-us", true, &question(None))).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{heard:?}");
    // who only views
    let heard = house.post("sofia", QUERIES, &kept("new", "d-payments-us", true, &question(None))).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{heard:?}");
    // somebody else of the division who may edit there
    let changed = kept("changed", "d-payments-us", false, &of_queues(&["q-pay-cards"])).to_string();
    let heard = house.ask("u-0003", &format!("PUT {line}"), &changed).await;
    assert_eq!((heard.status, &heard.json()["version"]), (200, &json!(2)), "{heard:?}");
    // it is its maker's still, and shared no more
    assert_eq!(house.get("dana", &line).await.json()["name"], "changed");
    assert_eq!(house.get("u-0003", &line).await.status, 404);
    assert_eq!(house.get("rolf", &line).await.status, 404);
    let removed = house.ask("dana", &format!("DELETE {line}"), "").await;
    assert_eq!((removed.status, removed.body.as_str()), (204, ""), "{removed:?}");
    assert_eq!(house.get("dana", &line).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_that_its_author_could_not_ask() {
    let house = House::new().await;
    let put = |division: &str, definition: &Value| kept("x", division, true, definition);
    let mut unread = question(None);
    unread["query"]["colour"] = json!("red");
    let negated =
        question(Some(json!({ "dimension": "queueId", "operator": "NOT_IN", "values": ["${user.queueIds}"] })));
    let empty_name = json!({ "name": " ", "divisionId": "d-payments-us", "definition": question(None) });
    let long = of_queues(&vec!["q-pay-cards"; 6_000]);
    for (due, body) in [
        ("query.malformed", put("d-payments-us", &unread)),
        ("query.malformed", json!({ "name": "x", "divisionId": "d-payments-us" })),
        ("query.malformed", empty_name),
        ("placeholder.unknown", put("d-payments-us", &of_queues(&["${user.everything}"]))),
        ("placeholder.unknown", put("d-payments-us", &negated)),
        ("scope.outside", put("d-payments-us", &of_queues(&["q-claims-home"]))),
        ("scope.outside", put("d-payments-us", &of_queues(&["${user.queueIds}", "q-invented"]))),
        ("query.dead-queue", put("d-payments-us", &of_queues(&["q-pay-cards", "q-pay-old"]))),
        ("request.too-large", put("d-payments-us", &long)),
        ("scope.outside", put("d-sales-us", &question(None))),
        ("scope.outside", put("d-invented", &question(None))),
        ("region.cross-region-scan", put("d-sales-eu", &question(None))),
    ] {
        let heard = house.post("dana", QUERIES, &body).await;
        assert_eq!(heard.code(), due, "{body} {heard:?}");
    }
    assert_eq!(listed(&house, "dana").await, (vec![], 0));
    // what placeholders stand for is nothing now, and may be something for somebody else
    saved(&house, "dana", &kept("for members", "d-payments-us", true, &of_queues(&["${user.queueIds}"]))).await;
    assert!(house.received(US).is_empty(), "an upstream was asked");
}

/// An id that stands in a definition is shown to nobody who could not ask for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_outside_the_readers_scope_are_left_out() {
    let house = House::new().await;
    let queues = house.directory["queues"].as_array().unwrap().clone();
    let here = |queue: &&Value| {
        queue["division"] == "d-payments-us" && queue["state"].as_str().is_none_or(|state| state == "active")
    };
    let strange = queues.iter().filter(here).map(|queue| queue["id"].as_str().unwrap()).find(|id| {
        !member_of(&house.directory, "sofia").iter().any(|own| own == id)
            && queues.iter().any(|queue| queue["id"] == **id && queue["restricted"] != json!(true))
    });
    let strange = strange.expect("a queue of the division that is not sofia's");
    let id = saved(&house, "dana", &kept("named", "d-payments-us", true, &of_queues(&[strange]))).await;
    let heard = house.get("sofia", &format!("{QUERIES}/{id}")).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    assert!(!heard.body.contains(strange), "{heard:?}");
    assert!(heard.notices().iter().any(|notice| notice.starts_with("definition.hidden")), "{heard:?}");
    let heard = run(&house, "sofia", &id).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "scope.outside"), "{heard:?}");
    assert!(house.get("u-0003", &format!("{QUERIES}/{id}")).await.body.contains(strange));
}

/// Nor to its owner, when somebody else who may edit there wrote it in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_is_shown_no_id_that_an_editor_wrote_in() {
    let mut directory = bailiwick::sandbox::sample::directory();
    let keeper = json!({ "id": "r-keeper", "permissions": [{ "permission": "analytics:query:edit", "scope": "all" }] });
    directory["roles"].as_array_mut().unwrap().push(keeper);
    let users = directory["users"].as_array_mut().unwrap();
    let sofia = users.iter_mut().find(|user| user["id"] == "sofia").unwrap();
    sofia["roles"].as_array_mut().unwrap().push(json!({ "role": "r-keeper", "division": "d-payments-us" }));
    let house = House::of(Plan { directory, ..Plan::default() }).await;
    let own = member_of(&house.directory, "sofia");
    let own = of_queues(&[own[0].as_str()]);
    let id = saved(&house, "sofia", &kept("mine", "d-payments-us", true, &own)).await;
    let line = format!("{QUERIES}/{id}");
    assert_eq!(house.get("sofia", &line).await.json()["definition"], own);
    let queues = house.directory["queues"].as_array().unwrap().clone();
    let strange = queues.iter().find(|queue| {
        queue["division"] == "d-payments-us"
            && queue["state"].as_str().is_none_or(|state| state == "active")
            && queue["restricted"] != json!(true)
            && !member_of(&house.directory, "sofia").iter().any(|own| queue["id"] == **own)
    });
    let strange = strange.unwrap()["id"].as_str().unwrap();
    let written = kept("mine", "d-payments-us", true, &of_queues(&[strange])).to_string();
    let heard = house.ask("dana", &format!("PUT {line}"), &written).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let heard = house.get("sofia", &line).await;
    assert_eq!((heard.status, &heard.json()["owner"]["id"]), (200, &json!("sofia")), "{heard:?}");
    assert!(!heard.body.contains(strange), "{heard:?}");
    assert!(heard.notices().iter().any(|notice| notice.starts_with("definition.hidden")), "{heard:?}");
}

/// A definition whose division is gone is nobody's to change, and its owner's to take away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_takes_away_what_lost_its_division() {
    let mut directory = bailiwick::sandbox::sample::directory();
    let before = directory.clone();
    let gone = json!({ "id": "d-gone-us", "parent": "d-us", "region": US });
    directory["divisions"].as_array_mut().unwrap().push(gone);
    let users = directory["users"].as_array_mut().unwrap();
    for user in users.iter_mut().filter(|user| user["id"] == "dana" || user["id"] == "u-0003") {
        user["roles"].as_array_mut().unwrap().push(json!({ "role": "r-report-builder", "division": "d-gone-us" }));
    }
    let house = House::of(Plan { directory, ..Plan::default() }).await;
    let id = saved(&house, "dana", &kept("old", "d-gone-us", true, &question(None))).await;
    let line = format!("{QUERIES}/{id}");
    assert_eq!(house.get("u-0003", &line).await.status, 200);
    // the regions of a house have addresses of their own
    let mut after = before;
    after["regions"] = house.directory["regions"].clone();
    house.write_directory(&after.to_string());
    house.running.reload();
    assert_eq!(house.get("u-0003", &line).await.status, 404);
    assert_eq!(house.ask("u-0003", &format!("DELETE {line}"), "").await.status, 404);
    assert_eq!(listed(&house, "dana").await.0, ["old"]);
    let moved = kept("new", "d-payments-us", true, &question(None)).to_string();
    let heard = house.ask("dana", &format!("PUT {line}"), &moved).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{heard:?}");
    let heard = house.ask("dana", &format!("DELETE {line}"), "").await;
    assert_eq!(heard.status, 204, "{heard:?}");
    assert_eq!(listed(&house, "dana").await, (vec![], 0));
}

/// What stands in a parent division is there for the people below it, and for nobody beside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_division_holds_what_is_shared() {
    let mut directory = bailiwick::sandbox::sample::directory();
    let users = directory["users"].as_array_mut().unwrap();
    let dana = users.iter_mut().find(|user| user["id"] == "dana").unwrap();
    dana["roles"].as_array_mut().unwrap().push(json!({ "role": "r-report-builder", "division": "d-us" }));
    let house = House::of(Plan { directory, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let heard = house.post("dana", QUERIES, &kept("own", "d-us", false, &question(None))).await;
    assert_eq!(heard.code(), "division.parent-scan", "{heard:?}");
    let id = saved(&house, "dana", &kept("of all", "d-us", true, &question(None))).await;
    for person in ["sofia", "carl", "dana"] {
        assert_eq!(listed(&house, person).await.0, ["of all"], "{person}");
        let due = rows(&truth.answer(&house.sandbox, person, Kind::Platform, &question(None)));
        let heard = run(&house, person, &id).await;
        assert_eq!((rows(&heard.json()), due.is_empty()), (due, false), "{person}: {heard:?}");
    }
    for person in ["u-0003", "carl"] {
        let heard = house.ask(person, &format!("DELETE {QUERIES}/{id}"), "").await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{person}: {heard:?}");
    }
    for person in ["dana-eu", "pat"] {
        assert_eq!(run(&house, person, &id).await.status, 404, "{person}");
        assert_eq!(listed(&house, person).await, (vec![], 0), "{person}");
    }
}

/// Rights are those of now: of a definition too, and of the one who runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_rights_close_a_definition_and_a_restart_keeps_it() {
    let house = House::new().await;
    let id = saved(&house, "dana", &kept("shared", "d-payments-us", true, &question(None))).await;
    assert_eq!(run(&house, "sofia", &id).await.status, 200);
    let house = house.restarted().await;
    assert_eq!(listed(&house, "sofia").await.0, ["shared"]);
    assert_eq!(run(&house, "sofia", &id).await.status, 200);
    let mut directory = house.directory.clone();
    for user in directory["users"].as_array_mut().unwrap() {
        if user["id"] == "sofia" {
            user["roles"] = json!([{ "role": "r-report-consumer", "division": "d-claims-us" }]);
        }
        if user["id"] == "dana" {
            user["roles"] = json!([]);
        }
    }
    house.write_directory(&directory.to_string());
    house.running.reload();
    let heard = run(&house, "sofia", &id).await;
    assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{heard:?}");
    let heard = house.get("dana", &format!("{QUERIES}/{id}")).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{heard:?}");
    assert_eq!(run(&house, "u-0003", &id).await.status, 200);
}

/// An outsourcer's `all` opens no division: he sees his own, and nobody's shared ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outsourcers_see_nothing_that_is_shared() {
    let mut directory = bailiwick::sandbox::sample::directory();
    for user in directory["users"].as_array_mut().unwrap() {
        if user["id"] == "sofia" {
            user["bpo"] = json!(true);
            user["roles"] = json!([{ "role": "r-report-builder", "division": "d-payments-us" }]);
        }
    }
    let house = House::of(Plan { directory, ..Plan::default() }).await;
    let id = saved(&house, "dana", &kept("shared", "d-payments-us", true, &question(None))).await;
    assert_eq!(listed(&house, "sofia").await, (vec![], 0));
    assert_eq!(run(&house, "sofia", &id).await.status, 404);
    let heard = house.post("sofia", QUERIES, &kept("x", "d-payments-us", true, &question(None))).await;
    assert_eq!(heard.status, 403, "{heard:?}");
}

/// Of two changes at one time one is told that it came too late: `definition.changed`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_lost() {
    let house = House::new().await;
    let id = saved(&house, "dana", &kept("0", "d-payments-us", true, &question(None))).await;
    let (mut done, mut late) = (0, 0);
    for round in 0..20 {
        let body = kept(&round.to_string(), "d-payments-us", true, &question(None)).to_string();
        let line = format!("PUT {QUERIES}/{id}");
        let (one, other) = tokio::join!(house.ask("dana", &line, &body), house.ask("u-0003", &line, &body));
        for heard in [one, other] {
            match heard.status {
                200 => done += 1,
                409 => {
                    assert_eq!(heard.code(), "definition.changed", "{heard:?}");
                    late += 1;
                }
                _ => panic!("{heard:?}"),
            }
        }
    }
    let version = house.get("dana", &format!("{QUERIES}/{id}")).await.json()["version"].as_u64().unwrap();
    assert_eq!((done + late, version), (40, done + 1), "{late} came too late");
}

/// Each is told what he asked himself, in the order in which he did, and how many rows he got.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_are_ones_own() {
    let house = House::new().await;
    let list = "/api/v2/analytics/query/execution";
    let id = saved(&house, "dana", &kept("kept", "d-payments-us", true, &question(None))).await;
    let mut asked = question(None);
    asked["name"] = json!("by hand");
    let direct = house.post("sofia", PLATFORM, &asked).await.json();
    let ran = run(&house, "sofia", &id).await.json();
    assert_eq!(house.post("sofia", PLATFORM, &of_queues(&["q-claims-home"])).await.status, 403);
    let heard = house.get("sofia", list).await.json();
    let rows = |answer: &Value| answer["rows"].as_array().unwrap().len();
    let told: Vec<_> = heard["entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!(one["cached"], false, "{one}");
            assert!(one["durationMs"].as_u64().is_some(), "{one}");
            assert_eq!(one["dateStarted"], "2026-11-20T10:00:00.000Z", "{one}");
            (one["name"].clone(), one["queryId"].clone(), one["rows"].clone())
        })
        .collect();
    let due = [(json!("kept"), json!(id), json!(rows(&ran))), (json!("by hand"), Value::Null, json!(rows(&direct)))];
    assert_eq!(told, due, "{heard}");
    assert_eq!((&heard["hitRatio"], &heard["total"]), (&json!(0), &json!(2)), "{heard}");
    let second = house.get("sofia", &format!("{list}?pageSize=1&pageNumber=2")).await.json();
    assert_eq!(
        (second["entities"][0]["name"].as_str(), second["pageCount"].as_u64()),
        (Some("by hand"), Some(2)),
        "{second}"
    );
    assert_eq!(house.get("dana", list).await.json()["total"], 0, "saving is not asking");
    let house = house.restarted().await;
    assert_eq!(house.get("sofia", list).await.json()["total"], 2);
    assert_eq!(house.get("nobody", list).await.code(), "permission.missing");
}

/// What is shared in the one leaf in which an outsourcer holds a right of his own, and nothing beside it or above it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outsourcer_sees_what_is_shared_in_his_own_leaf() {
    let mut directory = bailiwick::sandbox::sample::directory();
    let users = directory["users"].as_array_mut().unwrap();
    let dana = users.iter_mut().find(|user| user["id"] == "dana").unwrap();
    for division in ["d-us", "d-bpo-acme", "d-bpo-acme-voice", "d-bpo-acme-chat"] {
        dana["roles"].as_array_mut().unwrap().push(json!({ "role": "r-report-builder", "division": division }));
    }
    let house = House::of(Plan { directory, ..Plan::default() }).await;
    let mut kept_in = Vec::new();
    for division in ["d-us", "d-bpo-acme", "d-bpo-acme-voice", "d-bpo-acme-chat", "d-payments-us"] {
        kept_in.push((division, saved(&house, "dana", &kept(division, division, true, &question(None))).await));
    }
    assert_eq!(listed(&house, "bea").await, (vec!["d-bpo-acme-voice".to_owned()], 1));
    for (division, id) in &kept_in {
        let due = if *division == "d-bpo-acme-voice" { 200 } else { 404 };
        assert_eq!(house.get("bea", &format!("{QUERIES}/{id}")).await.status, due, "{division}");
        assert_eq!(run(&house, "bea", id).await.status, due, "{division}");
    }
    assert_eq!(listed(&house, "dana").await.1, kept_in.len());
}

/// Divisions in which somebody holds one of these permissions, by the oracle, and nothing less than the division itself.
fn held(directory: &Directory, person: &str, permissions: &[&str], action: &'static str) -> Vec<String> {
    let permissions: Vec<String> = permissions.iter().map(|one| (*one).to_owned()).collect();
    let right = Right { permissions: &permissions, action, data: Data::Division, archived: false };
    let all = directory.entitlements(person, &right, now().as_second()).into_iter();
    let whole = all.filter(|one| [&one.queues, &one.users, &one.conversations].iter().all(|dim| **dim == Dim::Any));
    let divisions = whole.filter(|one| one.window.is_none()).map(|one| match one.divisions {
        Dim::Only(list) => list,
        Dim::Any => vec![],
    });
    divisions.flatten().collect()
}

/// Many definitions of many owners, and what each of many people is shown, may read, run and take away: by the directory file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_what_the_directory_says() {
    const VIEW: [&str; 4] =
        ["analytics:query:view", "analytics:report:view", "analytics:dashboard:view", "reporting:data:view"];
    let mut file = bailiwick::sandbox::sample::directory();
    let users = file["users"].as_array_mut().unwrap();
    let dana = users.iter_mut().find(|user| user["id"] == "dana").unwrap();
    dana["roles"].as_array_mut().unwrap().push(json!({ "role": "r-report-builder", "division": "d-us" }));
    let house = House::of(Plan { directory: file, ..Plan::default() }).await;
    let directory = Directory::read(&house.directory.to_string());
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let makers = [
        ("dana", "d-payments-us"),
        ("dana", "d-us"),
        ("rolf", "d-sales-us"),
        ("u-0003", "d-payments-us"),
        ("u-0045", "d-claims-us"),
        ("u-0117", "d-service-us"),
        ("u-0159", "d-retail-us"),
        ("u-0187", "d-fraud-us"),
        ("dana-eu", "d-sales-eu"),
    ];
    let mut all = Vec::new();
    for number in 0..50 {
        let (owner, division) = makers[draw(makers.len())];
        let shared = division == "d-us" || draw(2) == 0;
        let name = format!("{number:02}");
        let id = saved(&house, owner, &kept(&name, division, shared, &question(None))).await;
        all.push((id, name, owner, division, shared));
    }
    let sees = |person: &str, (_, _, owner, division, shared): &(String, String, &str, &str, bool)| {
        let views = held(&directory, person, &VIEW, "view");
        // every leaf of that region stands below its one root, directly or not
        let outsourced = file_of(&house.directory, person)["bpo"] == json!(true);
        let below = |leaf: &String| directory.region_of_person(person) == US && leaf != "d-us" && !outsourced;
        let there = if *division == "d-us" { views.iter().any(below) } else { views.iter().any(|one| one == division) };
        *owner == person || *shared && there
    };
    let people: Vec<String> = directory
        .users
        .iter()
        .enumerate()
        .filter(|(at, user)| {
            user.active != Some(false)
                && (!user.id.starts_with("u-") || at % 7 == 0 || makers.iter().any(|(maker, _)| *maker == user.id))
        })
        .map(|(_, user)| user.id.clone())
        .collect();
    let (mut lists, mut shown, mut reads) = (0, 0, 0);
    for person in &people {
        let heard = house.get(person, &format!("{QUERIES}?pageSize=100")).await;
        let due: Vec<&str> = all.iter().filter(|one| sees(person, one)).map(|one| one.1.as_str()).collect();
        if heard.status != 200 {
            assert!(heard.status == 403 && due.is_empty(), "{person}: {due:?} {heard:?}");
            continue;
        }
        let answer = heard.json();
        let names: Vec<&str> =
            answer["entities"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!((&names, answer["total"].as_u64()), (&due, u64::try_from(due.len()).ok()), "{person}");
        lists += 1;
        shown += due.len();
        for _ in 0..3 {
            let one = &all[draw(all.len())];
            let heard = house.get(person, &format!("{QUERIES}/{}", one.0)).await;
            assert_eq!(heard.status, if sees(person, one) { 200 } else { 404 }, "{person} {one:?}: {heard:?}");
            reads += 1;
        }
    }
    let (mut removed, mut kept_back) = (0, 0);
    for _ in 0..150 {
        let (person, at) = (&people[draw(people.len())], draw(all.len()));
        let person = if draw(2) == 0 { makers[draw(makers.len())].0 } else { person.as_str() };
        let one = &all[at];
        let heard = house.ask(person, &format!("DELETE {QUERIES}/{}", one.0), "").await;
        let edits = held(&directory, person, &["analytics:query:edit"], "edit");
        let here =
            edits.iter().any(|division| division == one.3) || (person == "dana" && one.3 == "d-us") || one.2 == person;
        let due = if edits.is_empty() && heard.status == 403 {
            403
        } else if !sees(person, one) {
            404
        } else if here {
            204
        } else {
            403
        };
        assert_eq!(heard.status, due, "{person} {one:?}: {heard:?}");
        if due == 204 {
            all.remove(at);
            removed += 1;
        } else {
            kept_back += 1;
        }
    }
    println!(
        "definitions: {lists} lists with {shown} entries, {reads} reads, {removed} taken away and {kept_back} not"
    );
    assert!(lists > 30 && shown > 100 && removed > 5 && kept_back > 50, "{lists} {shown} {removed} {kept_back}");
}
