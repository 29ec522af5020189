//! What is nobody's, and what belongs whole to one person or queue: shown as the upstream has it, but for what says
//! who made it, whom it concerns, or what must not leave; to whoever has the right, and to nobody else.

use super::house::{House, Plan, QUEUES, USERS, now};
use crate::{
    laws::{
        case::{Organisation, Stock},
        lists::Asker,
        program,
    },
    oracle::lists::{self, Asked, List},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The upstream's documents, from the sandbox's own file.
fn documents() -> (BTreeMap<String, String>, Map<String, Value>) {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sandbox/documents.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let routes = all["routes"].as_object().unwrap().iter();
    let routes = routes.map(|(path, name)| (path.clone(), name.as_str().unwrap().to_owned())).collect();
    (routes, all["documents"].as_object().unwrap().clone())
}

/// What stands below one of these is somebody's.
const OWNERS: [&str; 3] = ["{userId}", "{queueId}", "{conversationId}"];

/// What other permissions open than those of this test; `e2e::exports` and the rules' own tests ask for it.
const ELSEWHERE: [&str; 3] = ["/exports/metadata", "/assistant", "/comparisonperiods"];

fn is_elsewhere(path: &str) -> bool {
    ELSEWHERE.iter().any(|part| path.contains(part))
}

/// What may pass of a document: everything but these members, wherever they stand.
fn passable(document: &Value, id: &str) -> Value {
    const NOT: [&str; 8] =
        ["createdBy", "selfUri", "secretToken", "webhookUrl", "queues", "division", "disputesAssignees", "evaluator"];
    match document {
        Value::String(text) if text == "$id" => id.into(),
        Value::Array(items) => items.iter().map(|item| passable(item, id)).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !NOT.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), passable(value, id)))
            .collect(),
        value => value.clone(),
    }
}

/// The path with these ids, and the last of them.
fn filled(template: &str, owner: &str) -> (String, String) {
    let mut last = "the-only-one".to_owned();
    let parts = template.split('/').map(|part| {
        let id = match part {
            "{userId}" | "{queueId}" => owner,
            "{mediaType}" => "chat",
            part if part.starts_with('{') => "thing-7",
            part => return part.to_owned(),
        };
        id.clone_into(&mut last);
        last.clone()
    });
    (parts.collect::<Vec<_>>().join("/"), last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_shown_to_who_may_read_them_and_name_nobody() {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    let user = |id: &str| directory["users"].as_array().unwrap().iter().position(|user| user["id"] == id).unwrap();
    let (dana, gus, greg) = (user("dana"), user("gus"), user("greg"));
    let role = |division: &str| json!([{ "role": "r-settings-reader", "division": division }]);
    // what is nobody's stands in no division: a parent one gives it too, another region's does not, a grant neither
    directory["users"][dana]["roles"] = role("d-us");
    directory["users"][greg]["roles"] = role("d-eu");
    directory["users"][gus]["roles"] = json!([]);
    directory["grants"].as_array_mut().unwrap().push(json!({
        "id": "gr-division", "beneficiary": "gus", "resources": [{ "kind": "division", "id": "d-claims-us" }],
        "actions": ["view"], "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z",
    }));
    let house = House::of(Plan { directory, interactions: 20, ..Plan::default() }).await;
    let (routes, documents) = documents();
    let reports = ["/jobs/availability", "/analytics/reporting/settings"];
    let (mut shown, mut refused) = (0, 0);
    for (template, name) in
        routes.iter().filter(|(path, _)| !is_elsewhere(path) && OWNERS.iter().all(|owner| !path.contains(owner)))
    {
        let (path, id) = filled(template, "");
        let readers: &[&str] =
            if reports.iter().any(|end| path.ends_with(end)) { &["carl", "sofia", "ana"] } else { &["max", "dana"] };
        let elsewhere = house.get("greg", &path).await;
        let due = if readers.contains(&"max") { "scope.empty" } else { "permission.missing" };
        assert_eq!((elsewhere.status, elsewhere.code().as_str()), (403, due), "{path}: {elsewhere:?}");
        for person in ["max", "carl", "sofia", "ana", "bea", "dana", "gus", "nobody"] {
            let heard = house.get(person, &path).await;
            if readers.contains(&person) || person == "bea" && readers.contains(&"carl") {
                assert_eq!(heard.status, 200, "{person} {path}: {heard:?}");
                assert_eq!(heard.json(), passable(&documents[name], &id), "{person} {path}");
                shown += 1;
            } else {
                assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{person} {path}");
                refused += 1;
            }
        }
    }
    println!("settings: {} operations, {shown} answers as the upstream has them, {refused} refused", routes.len());
    assert!(shown >= 70 && refused > 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_person_or_a_queue_are_shown_with_their_owner_and_never_without() {
    let house = House::of(Plan { interactions: 20, ..Plan::default() }).await;
    let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
    let (routes, documents) = documents();
    let (mut shown, mut hidden) = (0, 0);
    for person in ["sofia", "carl", "ana", "bea", "ines", "rita", "dana-eu"] {
        for (list, base, kind) in [(List::Queues, QUEUES, "{queueId}"), (List::Users, USERS, "{userId}")] {
            let asker = Asker { organisation: &organisation, person: person.to_owned(), now: now().as_second() };
            let scope = asker.scope(program::list_of(list), lists::data_of(list));
            let due = lists::due(list, &organisation.directory, person, &scope, &Asked::default());
            let due: BTreeSet<String> = due.into_iter().map(|entry| entry.id).collect();
            let all = house.directory[if list == List::Queues { "queues" } else { "users" }].as_array().unwrap();
            let some = all.iter().step_by(9).filter_map(|one| one["id"].as_str().map(ToOwned::to_owned));
            let ids: BTreeSet<String> =
                due.iter().take(4).cloned().chain(some).chain(["invented".to_owned()]).collect();
            for (template, name) in routes.iter().filter(|(path, _)| path.contains(kind) && !is_elsewhere(path)) {
                assert!(template.starts_with(base), "{template}");
                let invented = house.get(person, &filled(template, "invented").0).await;
                for id in &ids {
                    let (path, last) = filled(template, id);
                    let heard = house.get(person, &path).await;
                    if due.contains(id) {
                        assert_eq!(heard.status, 200, "{person} {path}: {heard:?}");
                        assert_eq!(heard.json(), passable(&documents[name], &last), "{person} {path}");
                        shown += 1;
                    } else {
                        assert_eq!(heard.refusal(), invented.refusal(), "{person} {path}");
                        assert!(matches!(heard.status, 403 | 404), "{person} {path}: {heard:?}");
                        hidden += 1;
                    }
                }
            }
        }
    }
    println!("parts of people and queues: {shown} shown, {hidden} not there");
    assert!(shown >= 60 && hidden > 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_things_are_ids_and_parameters_are_listed() {
    let house = House::of(Plan { interactions: 20, ..Plan::default() }).await;
    let roles = "/api/v2/authorization/roles";
    for odd in ["-x", "a%20b", "a%2Cb", "%C3%A9", "a'b", &"x".repeat(129)] {
        let heard = house.get("max", &format!("{roles}/{odd}")).await;
        assert_eq!(heard.status, 404, "{odd}: {heard:?}");
    }
    for odd in ["a%2Fb", "..", "%2e%2e", ".", "a%00"] {
        let heard = house.get("max", &format!("{roles}/{odd}")).await;
        assert!(matches!(heard.status, 400 | 403), "{odd}: {heard:?}");
    }
    // what a server that folds case would take for another operation, governed or closed
    for odd in [
        format!("{roles}/SETTINGS"),
        "/api/v2/speechandtextanalytics/programs/Mappings".to_owned(),
        "/api/v2/speechandtextanalytics/programs/UNPUBLISHED".to_owned(),
        "/api/v2/Authorization/roles".to_owned(),
    ] {
        let heard = house.get("max", &odd).await;
        assert_eq!((heard.status, heard.code().as_str()), (400, "request.malformed"), "{odd}: {heard:?}");
    }
    assert_eq!(house.get("max", &format!("{roles}/R-Of-Mixed-Case")).await.status, 200);
    for odd in ["expand=users", "userCount=true", "pageSize=0", "pageSize=501", "pageNumber=x", "name=a&name=b"] {
        let heard = house.get("max", &format!("{roles}?{odd}")).await;
        assert_eq!((heard.status, heard.code().as_str()), (400, "query.malformed"), "{odd}: {heard:?}");
    }
    assert_eq!(house.get("max", &format!("{roles}?pageSize=2&name=Audit")).await.status, 200);
    assert_eq!(house.get("nobody", &format!("{roles}/-x")).await.code(), "permission.missing");
}

/// Dashboards go with their builder: whom one may see has them counted and shown, without what they are filtered by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboards_are_shown_with_their_builder() {
    let house = House::of(Plan { interactions: 20, ..Plan::default() }).await;
    let (counts, own) = ("/api/v2/analytics/reporting/dashboards/users", "/api/v2/analytics/reporting/settings/users");
    let users = house.directory["users"].as_array().unwrap();
    let here = |user: &&Value| user["division"] == "d-fraud-us";
    let live: BTreeSet<&str> = users
        .iter()
        .filter(here)
        .filter(|user| user["active"] != false)
        .filter_map(|user| user["id"].as_str())
        .collect();
    let mut seen = Vec::new();
    for page in 1.. {
        let heard = house.get("nils", &format!("{counts}?pageSize=4&pageNumber={page}")).await;
        assert_eq!((heard.status, &heard.json()["total"]), (200, &json!(live.len())), "{heard:?}");
        let answer = heard.json();
        let rows = answer["entities"].as_array().unwrap();
        if rows.is_empty() {
            break;
        }
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!((seen.len(), seen.iter().map(String::as_str).collect::<BTreeSet<_>>()), (live.len(), live.clone()));
    let invented = [format!("{counts}/invented"), format!("{own}/invented/dashboards")];
    let mut shown = 0;
    for user in users.iter().step_by(7).chain(users.iter().filter(here)) {
        let id = user["id"].as_str().unwrap();
        for (line, unknown) in [format!("{counts}/{id}"), format!("{own}/{id}/dashboards")].iter().zip(&invented) {
            let heard = house.get("nils", line).await;
            if user["division"] != "d-fraud-us" {
                assert_eq!(heard.refusal(), house.get("nils", unknown).await.refusal(), "{line}");
                continue;
            }
            assert_eq!(heard.status, 200, "{line}: {heard:?}");
            assert!(!heard.body.contains("unlisted") && !heard.body.contains("shared"), "{line}: {heard:?}");
            let answer = heard.json();
            let rows = answer["entities"].as_array().map_or(0, Vec::len);
            assert!(answer["id"] == id || rows > 0, "{line}: {answer}");
            shown += 1;
        }
    }
    assert_eq!(house.get("carl", &format!("{own}/carl/dashboards")).await.code(), "permission.missing");
    println!("dashboards: {} people counted over all pages, {shown} answers of one person", live.len());
    assert!(shown > 20);
}
