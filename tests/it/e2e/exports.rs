//! Exports over real sockets: what the upstream is asked for and what stands in the file, by SQL over the visible legs;
//! whose an export is, and when its file may be fetched.

use super::{
    house::{AGGREGATES, EXPORTS, House, KEPT, Plan, US, WEEK, until},
    truth::Truth,
};
use crate::oracle::questions::Kind;
use bailiwick::sandbox::LegId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BY_QUEUE: &str = "QUEUE_PERFORMANCE_SUMMARY_VIEW";
const BY_AGENT: &str = "AGENT_PERFORMANCE_SUMMARY_VIEW";
const OF_QUEUE: &str = "QUEUE_AGENT_DETAIL_VIEW";

fn export(view: &str) -> Value {
    json!({ "name": view, "timeZone": "UTC", "exportFormat": "CSV", "interval": WEEK, "viewType": view })
}

/// Has an export made, and gives its id.
async fn submitted(house: &House, person: &str, body: &Value) -> String {
    let heard = house.post(person, EXPORTS, body).await;
    assert_eq!(heard.status, 200, "{person} {body}: {heard:?}");
    let answer = heard.json();
    for hidden in ["filter", "recipientEmails", "emailStatuses", "selfUri", "downloadUrl"] {
        assert!(answer.get(hidden).is_none(), "`{hidden}` of {answer}");
    }
    answer["id"].as_str().expect("an id").to_owned()
}

/// The ids and links that somebody's list shows.
async fn listed(house: &House, person: &str, page: &str) -> (Vec<(String, Option<String>)>, Value) {
    let heard = house.get(person, &format!("{EXPORTS}{page}")).await;
    assert_eq!(heard.status, 200, "{person}: {heard:?}");
    let answer = heard.json();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let row = |row: &Value| {
        assert!(row.get("filter").is_none() && row.get("recipientEmails").is_none(), "{row}");
        (text(&row["id"]).unwrap(), text(&row["downloadUrl"]))
    };
    let rows = answer["entities"].as_array().unwrap().iter().map(row).collect();
    (rows, answer)
}

fn own(rows: &[(String, Option<String>)]) -> Vec<&str> {
    rows.iter().map(|(id, _)| id.as_str()).collect()
}

/// Legs that may be exported: visible, and on a queue.
fn exportable(truth: &Truth, person: &str) -> Vec<LegId> {
    let visible = truth.visible(person, Kind::Aggregates);
    let rows = truth.rows(person).iter().filter(|row| visible.contains(&row.id) && row.queue.is_some());
    rows.map(|row| row.id).collect()
}

/// A file, its rows by what tells them apart.
fn rows(file: &str) -> BTreeMap<String, f64> {
    let row = |line: &str| {
        let (keys, count) = line.rsplit_once(',').unwrap();
        (keys.to_owned(), count.parse().unwrap())
    };
    file.lines().skip(1).map(row).collect()
}

/// The same rows by SQL over these legs.
fn due(house: &House, legs: &[LegId], groups: &[&str]) -> BTreeMap<String, f64> {
    house.sandbox.mark_visible(US, legs).unwrap();
    let asked = json!({ "interval": WEEK, "groupBy": groups, "metrics": ["tHandle"] });
    let answer = house.sandbox.evaluate_visible(US, AGGREGATES, &asked).unwrap();
    let mut rows = BTreeMap::new();
    for result in answer["results"].as_array().unwrap() {
        let keys: Vec<&str> = groups.iter().map(|name| result["group"][*name].as_str().unwrap_or_default()).collect();
        let data = result["data"].as_array().unwrap().iter();
        let count: f64 = data.map(|data| data["metrics"][0]["stats"]["count"].as_f64().unwrap_or_default()).sum();
        rows.insert(keys.join(","), count);
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_holds_the_visible_legs_and_no_others() {
    let house = House::of(Plan { interactions: 12_000, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let (mut files, mut counted) = (0, 0.0);
    for (person, view, groups) in [
        ("sofia", BY_QUEUE, vec!["queueId"]),
        ("sofia", BY_AGENT, vec!["userId"]),
        ("sofia", OF_QUEUE, vec!["queueId", "userId"]),
        ("carl", BY_QUEUE, vec!["queueId"]),
        ("carl", BY_AGENT, vec!["userId"]),
        ("ana", BY_AGENT, vec!["userId"]),
        ("ana", OF_QUEUE, vec!["queueId", "userId"]),
    ] {
        house.received(US);
        let id = submitted(&house, person, &export(view)).await;
        let sent = house.received(US);
        let [sent] = sent.as_slice() else { panic!("{person} {view}: {} requests", sent.len()) };
        let body: Value = String::from_utf8_lossy(&sent.body).parse().unwrap();
        let queues = body["filter"]["queueIds"].as_array().expect("queues are named");
        let legs = exportable(&truth, person);
        let row = |leg: &LegId| truth.rows(person).iter().find(|row| row.id == *leg).unwrap();
        assert!(
            legs.iter().all(|leg| queues.iter().any(|queue| *queue == *row(leg).queue.as_ref().unwrap())),
            "{body}"
        );
        let agents = body["filter"]["userIds"].as_array();
        assert_eq!(agents.map(Vec::as_slice), (person == "ana").then_some(&[json!("ana")][..]), "{body}");
        let (file, due) = (rows(&house.sandbox.exported(US, &id).unwrap()), due(&house, &legs, &groups));
        assert!(!due.is_empty(), "{person} {view} proves nothing");
        assert_eq!(file, due, "{person} {view}: {body}");
        files += 1;
        counted += due.values().sum::<f64>();
    }
    println!("exports: {files} files, {counted} handled legs in them, all as SQL over the visible legs has them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_shows_ones_own_exports_and_nobody_elses() {
    let house = House::new().await;
    let mut hers = Vec::new();
    for view in [BY_QUEUE, BY_AGENT, OF_QUEUE] {
        hers.push(submitted(&house, "sofia", &export(view)).await);
        submitted(&house, "carl", &export(view)).await;
    }
    hers.reverse();
    let (rows, answer) = listed(&house, "sofia", "").await;
    assert_eq!(own(&rows), hers);
    assert!(rows.iter().all(|(_, link)| link.is_some()), "{answer}");
    assert_eq!((&answer["total"], &answer["pageCount"], &answer["pageSize"]), (&json!(3), &json!(1), &json!(25)));
    // each once over all pages, wherever others' stand between
    let mut paged = Vec::new();
    for page in 1..=3 {
        let (rows, answer) = listed(&house, "sofia", &format!("?pageSize=2&pageNumber={page}")).await;
        assert_eq!((&answer["total"], &answer["pageCount"]), (&json!(3), &json!(2)));
        paged.extend(rows.into_iter().map(|(id, _)| id));
    }
    assert_eq!(paged, hers);
    // nobody else's id tells anything: who has none is answered here
    house.received(US);
    let (rows, answer) = listed(&house, "ana", "").await;
    assert!(rows.is_empty() && answer["total"] == json!(0), "{answer}");
    assert!(house.received(US).is_empty(), "the upstream was asked");
    // foreign rows are lawful here, and no alarm
    let heard = house.get("sofia", EXPORTS).await;
    let (_, outcome) = house.lines(heard.decision()).await;
    assert_eq!((outcome.rows_foreign, heard.notices().len()), (0, 0), "{outcome:?}");
    // there is no way to one export but the list
    for id in [hers[0].as_str(), "invented"] {
        let heard = house.get("carl", &format!("{EXPORTS}/{id}")).await;
        assert_eq!((heard.status, heard.code().as_str()), (404, "operation.unknown"), "{heard:?}");
    }
    for odd in ["pageSize=0", "pageSize=501", "pageNumber=0", "pageNumber=x", "id=1"] {
        let heard = house.get("sofia", &format!("{EXPORTS}?{odd}")).await;
        assert_eq!((heard.status, heard.code().as_str()), (400, "query.malformed"), "{odd}: {heard:?}");
    }
    let house = house.restarted().await;
    assert_eq!(own(&listed(&house, "sofia", "").await.0), hers);
}

/// What is asked for outside one's scope, or invented, gives one answer, and nothing is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_others_and_invented_ones_are_one_refusal() {
    let house = House::new().await;
    house.received(US);
    let asked = |lists: Value| {
        let mut body = export(BY_AGENT);
        body["filter"] = lists;
        body
    };
    let invented = house.post("sofia", EXPORTS, &asked(json!({ "queueIds": ["q-invented"] }))).await;
    assert_eq!((invented.status, invented.code().as_str()), (403, "scope.outside"), "{invented:?}");
    for lists in [
        json!({ "queueIds": ["q-claims-motor"] }),
        json!({ "queueIds": ["q-pay-cards", "q-claims-motor"] }),
        json!({ "queueIds": ["q-pay-vip"] }),
        json!({ "queueIds": ["q-eu-pay-cards"] }),
        json!({ "userIds": ["carl"] }),
        json!({ "userIds": ["u-invented"] }),
    ] {
        let heard = house.post("sofia", EXPORTS, &asked(lists.clone())).await;
        assert_eq!(heard.refusal(), invented.refusal(), "{lists}: {heard:?}");
    }
    let bare = house.post("dana", EXPORTS, &export(BY_QUEUE)).await;
    assert_eq!((bare.status, bare.code().as_str()), (403, "permission.missing"), "{bare:?}");
    for (line, body) in [("POST", export(BY_QUEUE).to_string()), ("GET", String::new())] {
        let heard = house.ask("bea", &format!("{line} {EXPORTS}"), &body).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "bpo.export"), "{line}: {heard:?}");
    }
    let mut mailed = export(BY_QUEUE);
    mailed["recipientEmails"] = json!(["somebody@elsewhere.example"]);
    let heard = house.post("sofia", EXPORTS, &mailed).await;
    assert_eq!((heard.status, heard.code().as_str()), (400, "query.malformed"), "{heard:?}");
    assert!(house.received(US).is_empty(), "the upstream was asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_may_be_fetched_while_it_is_inside_the_scope_of_now() {
    let house = House::new().await;
    let both = submitted(&house, "sofia", &export(BY_QUEUE)).await;
    let mut one = export(BY_QUEUE);
    one["filter"] = json!({ "queueIds": ["q-pay-cards"] });
    let cards = submitted(&house, "sofia", &one).await;
    let mut less = house.directory.clone();
    for queue in less["queues"].as_array_mut().unwrap().iter_mut().filter(|one| one["id"] == "q-pay-disputes") {
        queue["members"].as_array_mut().unwrap().retain(|member| member != "sofia");
    }
    house.write_directory(&less.to_string());
    let links = async || {
        let (rows, _) = listed(&house, "sofia", "").await;
        rows.into_iter().map(|(id, link)| (id, link.is_some())).collect::<Vec<_>>()
    };
    until("the rights are less", async || links().await.iter().any(|(_, link)| !link)).await;
    assert_eq!(links().await, [(cards.clone(), true), (both.clone(), false)]);
    let heard = house.get("sofia", EXPORTS).await;
    assert!(heard.notices().iter().any(|notice| notice.contains("export.withheld")), "{:?}", heard.notices());
    house.write_directory(&house.directory.to_string());
    until("the rights are back", async || links().await.iter().all(|(_, link)| *link)).await;
    // without the right to export she sees what she asked for, and fetches nothing
    let mut viewer = house.directory.clone();
    for role in viewer["roles"].as_array_mut().unwrap().iter_mut().filter(|role| role["id"] == "r-report-exporter") {
        role["permissions"].as_array_mut().unwrap().retain(|one| one["permission"] != "analytics:dataExport:add");
    }
    house.write_directory(&viewer.to_string());
    until("the right is gone", async || links().await.iter().all(|(_, link)| !link)).await;
    assert_eq!(links().await, [(cards, false), (both, false)]);
    let heard = house.post("sofia", EXPORTS, &export(BY_QUEUE)).await;
    assert_eq!(heard.code(), "permission.missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_cannot_give_one_persons_export_to_another() {
    let house = House::new().await;
    let hers = submitted(&house, "sofia", &export(BY_QUEUE)).await;
    house.sandbox.disobey(|faults| faults.same_job = true);
    let heard = house.post("carl", EXPORTS, &export(BY_QUEUE)).await;
    house.sandbox.obey();
    assert_eq!((heard.status, heard.code().as_str()), (502, "answer.unreadable"), "{heard:?}");
    assert!(!heard.body.contains(&hers), "{heard:?}");
    assert!(listed(&house, "carl", "").await.0.is_empty());
    // fields that nobody listed, and totals that are too high
    house.sandbox.disobey(|faults| {
        faults.extra_fields = true;
        faults.false_totals = true;
    });
    let (rows, answer) = listed(&house, "sofia", "").await;
    house.sandbox.obey();
    assert_eq!((rows.len(), &answer["total"]), (1, &json!(1)), "{answer}");
    assert!(!answer.to_string().contains("unlisted"), "{answer}");
    // without its store no export is answered
    let store = rusqlite::Connection::open(house.folder.path().join("data/bailiwick.sqlite")).unwrap();
    store.execute_batch("alter table jobs rename to lost").unwrap();
    for heard in [house.post("sofia", EXPORTS, &export(BY_QUEUE)).await, house.get("sofia", EXPORTS).await] {
        assert_eq!((heard.status, heard.code().as_str()), (503, "store.unavailable"), "{heard:?}");
    }
}

/// Everybody's exports are read at once; where that is not all, a list that could lack some is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_complete_is_refused() {
    let file = "genesys/exports/exports.toml";
    let rules = vec![(file, "at-once = 500", "at-once = 3"), (file, "pageSize = \"500\"", "pageSize = \"3\"")];
    let house = House::of(Plan { own_rules: true, rules, interactions: 200, ..Plan::default() }).await;
    let hers = submitted(&house, "sofia", &export(BY_QUEUE)).await;
    for _ in 0..2 {
        submitted(&house, "carl", &export(BY_QUEUE)).await;
    }
    assert_eq!(own(&listed(&house, "sofia", "").await.0), [hers.as_str()]);
    submitted(&house, "carl", &export(BY_QUEUE)).await;
    let heard = house.get("sofia", EXPORTS).await;
    assert_eq!((heard.status, heard.code().as_str()), (400, "query.too-wide"), "{heard:?}");
    assert_eq!(listed(&house, "carl", "").await.0.len(), 3);
}

/// Both worlds of the assumption: nobody vouches for it and exports are closed; somebody does so wrongly, and the file
/// holds what is nobody's business. Nothing but the word stands between, for no guard sees a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_rest_on_the_word_that_a_view_reads_its_lists() {
    let assume = KEPT.into_iter().filter(|one| *one != "view-filter").collect();
    let closed = House::of(Plan { assume, interactions: 200, ..Plan::default() }).await;
    closed.received(US);
    let heard = closed.post("sofia", EXPORTS, &export(BY_QUEUE)).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "operation.unproved"), "{heard:?}");
    assert!(closed.received(US).is_empty(), "the upstream was asked");
    let house = House::new().await;
    let id = submitted(&house, "sofia", &export(BY_QUEUE)).await;
    let obeyed = rows(&house.sandbox.exported(US, &id).unwrap());
    house.sandbox.set_traits(|traits| traits.view_filter = false);
    let ignored = rows(&house.sandbox.exported(US, &id).unwrap());
    assert!(ignored.len() > obeyed.len() && ignored.contains_key("q-claims-motor"), "{obeyed:?} {ignored:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_exported_is_told_to_who_may() {
    let house = House::of(Plan { interactions: 20, ..Plan::default() }).await;
    let line = format!("{EXPORTS}/metadata");
    for (person, status, code) in [
        ("carl", 200, ""),
        ("ana", 200, ""),
        ("dana", 403, "permission.missing"),
        ("nobody", 403, "permission.missing"),
    ] {
        let heard = house.get(person, &line).await;
        assert_eq!(
            (heard.status, heard.json()["code"].as_str().unwrap_or_default()),
            (status, code),
            "{person}: {heard:?}"
        );
        assert!(!heard.body.contains("unlisted") && !heard.body.contains("createdBy"), "{heard:?}");
    }
}
