//! Jobs: what is submitted is narrowed like the query, and from then on it is the submitter's alone, as far as he may see
//! now what was asked then.

use super::{
    house::{AGGREGATES, DETAILS, EU, Heard, House, Plan, US, USER_DETAILS, WEEK, until},
    truth::Truth,
};
use crate::oracle::questions::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const JOBS: &str = "/api/v2/analytics/conversations/aggregates/jobs";
const DETAILS_JOBS: &str = "/api/v2/analytics/conversations/details/jobs";
const USER_DETAILS_JOBS: &str = "/api/v2/analytics/users/details/jobs";

fn aggregates() -> Value {
    json!({ "interval": WEEK, "groupBy": ["queueId", "userId"], "metrics": ["tHandle"] })
}

fn id(heard: &Heard) -> String {
    assert_eq!(heard.status, 202, "{heard:?}");
    let answer = heard.json();
    assert_eq!(answer.as_object().unwrap().len(), 1, "{heard:?}");
    answer["jobId"].as_str().unwrap().to_owned()
}

async fn fulfilled(house: &House, person: &str, jobs: &str, id: &str) {
    for polls in 1.. {
        let heard = house.get(person, &format!("{jobs}/{id}")).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let answer = heard.json();
        let known = ["state", "submissionDate", "expirationDate"];
        assert!(answer.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{answer}");
        if answer["state"] == "FULFILLED" {
            return;
        }
        assert!(polls < 5, "{answer}");
    }
}

/// Every row of a job, page by page, and how many pages there were.
async fn results(house: &House, person: &str, jobs: &str, id: &str, more: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        pages += 1;
        let params: Vec<&str> = [more, &cursor].into_iter().filter(|one| !one.is_empty()).collect();
        let heard = house.get(person, &format!("{jobs}/{id}/results?{}", params.join("&"))).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        let answer = heard.json();
        for member in ["results", "conversations", "userDetails"] {
            rows.extend(answer[member].as_array().into_iter().flatten().cloned());
        }
        match answer["cursor"].as_str() {
            Some(next) => cursor = format!("cursor={next}"),
            None => return (rows, pages),
        }
    }
}

async fn submitted(house: &House, person: &str, jobs: &str, body: &Value) -> String {
    let id = id(&house.post(person, jobs, body).await);
    fulfilled(house, person, jobs, &id).await;
    id
}

fn sorted(mut rows: Vec<Value>) -> Vec<String> {
    rows.sort_by_key(ToString::to_string);
    rows.iter().map(ToString::to_string).collect()
}

/// Every page of a query that is asked in pages.
async fn paged(house: &House, person: &str, path: &str, body: &Value, member: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for number in 1.. {
        let mut body = body.clone();
        body["paging"] = json!({ "pageSize": 100, "pageNumber": number });
        let page = house.post(person, path, &body).await.json();
        match page[member].as_array() {
            Some(page) if !page.is_empty() => rows.extend(page.iter().cloned()),
            _ => break,
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_gives_what_the_query_gives() {
    let house = House::new().await;
    let (mut jobs_in_all, mut rows_in_all, mut pages_in_all) = (0, 0, 0);
    let plain = [
        ("conversations", json!(["tHandle", "nConnected"]), "queueId"),
        ("users", json!(["tSystemPresence"]), "userId"),
        ("evaluations", json!(["nEvaluations"]), "queueId"),
        ("surveys", json!(["nSurveysSent"]), "queueId"),
        ("transcripts", json!(["tAgentSpeech"]), "queueId"),
        ("agentcopilots", json!(["nDistinctConversations"]), "queueId"),
        ("knowledge", json!(["nKnowledgeSessions"]), "queueId"),
        ("summaries", json!(["nConversationSummaries"]), "queueId"),
        ("resolutions", json!(["nNextContactAvoided"]), "queueId"),
        ("taskmanagement", json!(["nWorkitemsCreated"]), "queueId"),
        ("flows", json!(["nFlow", "tFlow"]), "flowVersion"),
        ("flowexecutions", json!(["nFlowExecutions"]), "flowVersion"),
        ("casemanagement", json!(["nCasesOpened"]), "priority"),
    ];
    for person in ["sofia", "carl", "dana", "dana-eu", "viola"] {
        for (family, metrics, group) in &plain {
            let body = json!({ "interval": WEEK, "groupBy": [group], "metrics": metrics });
            let family = format!("/api/v2/analytics/{family}/aggregates");
            let due = house.post(person, &format!("{family}/query"), &body).await;
            let mut asked = body.clone();
            asked["pageSize"] = json!(2);
            let heard = house.post(person, &format!("{family}/jobs"), &asked).await;
            if due.status != 200 {
                assert_eq!(heard.refusal(), due.refusal(), "{person} {family}");
                continue;
            }
            let jobs = format!("{family}/jobs");
            let id = id(&heard);
            fulfilled(&house, person, &jobs, &id).await;
            let (rows, pages) = results(&house, person, &jobs, &id, "").await;
            let due = due.json()["results"].as_array().cloned().unwrap_or_default();
            assert_eq!(sorted(rows.clone()), sorted(due), "{person} {family}");
            jobs_in_all += 1;
            rows_in_all += rows.len();
            pages_in_all += pages;
        }
        for (jobs, path, member) in
            [(DETAILS_JOBS, DETAILS, "conversations"), (USER_DETAILS_JOBS, USER_DETAILS, "userDetails")]
        {
            let body = json!({ "interval": WEEK });
            let due = paged(&house, person, path, &body, member).await;
            let mut asked = body.clone();
            if jobs == DETAILS_JOBS {
                asked["startOfDayIntervalMatching"] = json!(true);
            }
            let heard = house.post(person, jobs, &asked).await;
            if heard.status != 202 {
                assert!(due.is_empty(), "{person} {jobs}: {heard:?}");
                continue;
            }
            let id = id(&heard);
            fulfilled(&house, person, jobs, &id).await;
            let (rows, pages) = results(&house, person, jobs, &id, "pageSize=50").await;
            assert_eq!(sorted(rows.clone()), sorted(due), "{person} {jobs}");
            jobs_in_all += 1;
            rows_in_all += rows.len();
            pages_in_all += pages;
        }
    }
    println!("jobs: {jobs_in_all} read to the end, {rows_in_all} rows on {pages_in_all} pages");
    assert!(jobs_in_all >= 25 && rows_in_all > 300 && pages_in_all > jobs_in_all, "{jobs_in_all} {rows_in_all}");
}

/// A job finds whatever overlaps its interval: over the visible world, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn details_of_a_job_are_of_the_visible_world() {
    let house = House::new().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let body = json!({ "interval": "2026-11-10T09:20:00Z/2026-11-12T15:00:00Z" });
    let mut shown = 0;
    for person in ["sofia", "carl", "ana", "dana", "viola"] {
        let region = truth.region(person);
        house.sandbox.mark_visible(region, &truth.visible(person, Kind::Details)).unwrap();
        let due = house.sandbox.evaluate_visible(region, DETAILS_JOBS, &body).unwrap();
        let ids =
            |rows: &[Value]| -> BTreeSet<String> { rows.iter().map(|row| row["conversationId"].to_string()).collect() };
        let due = ids(due["conversations"].as_array().map_or(&[], Vec::as_slice));
        let job = submitted(&house, person, DETAILS_JOBS, &body).await;
        let (rows, _) = results(&house, person, DETAILS_JOBS, &job, "pageSize=500").await;
        assert_eq!(ids(&rows), due, "{person}");
        shown += rows.len();
    }
    assert!(shown > 50, "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_job_is_not_there() {
    let house = House::new().await;
    let mine = submitted(&house, "sofia", JOBS, &aggregates()).await;
    let other = submitted(&house, "sofia", DETAILS_JOBS, &json!({ "interval": WEEK })).await;
    house.received(US);
    let steps = |jobs: &str, id: &str| {
        [format!("GET {jobs}/{id}"), format!("GET {jobs}/{id}/results"), format!("DELETE {jobs}/{id}")]
    };
    let invented = steps(JOBS, "job-invented");
    // of another person, of another region, of a job of another kind
    for (person, jobs, id) in
        [("carl", JOBS, &mine), ("dana", JOBS, &mine), ("dana-eu", JOBS, &mine), ("sofia", JOBS, &other)]
    {
        for (line, unknown) in steps(jobs, id).iter().zip(&invented) {
            let heard = house.ask(person, line, "").await;
            assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{person} {line}: {heard:?}");
            assert_eq!(heard.refusal(), house.ask(person, unknown, "").await.refusal(), "{person} {line}");
        }
    }
    assert!(house.received(US).is_empty() && house.received(EU).is_empty(), "an upstream was asked");
    assert_eq!(house.get("sofia", &format!("{JOBS}/{mine}/results")).await.status, 200);
}

/// The sandbox believes any place, whose ever job it is of: only what a job's own results named is passed on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_in_results_is_of_its_own_job() {
    let house = House::new().await;
    let body =
        |size: usize| json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"], "pageSize": size });
    let hers = submitted(&house, "dana", JOBS, &body(1)).await;
    let mine = submitted(&house, "sofia", JOBS, &body(1)).await;
    let page = house.get("dana", &format!("{JOBS}/{hers}/results")).await.json();
    let place = page["cursor"].as_str().unwrap();
    let asked = |cursor: &str| format!("{JOBS}/{mine}/results?cursor={cursor}");
    house.received(US);
    for cursor in [place, "invented", &format!("{mine}~1")] {
        let heard = house.get("sofia", &asked(cursor)).await;
        assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{cursor}: {heard:?}");
    }
    assert!(house.received(US).is_empty(), "the upstream was asked");
    let page = house.get("sofia", &format!("{JOBS}/{mine}/results")).await.json();
    assert_eq!(house.get("sofia", &asked(page["cursor"].as_str().unwrap())).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_outlives_the_process() {
    let house = House::new().await;
    let mine = submitted(&house, "sofia", JOBS, &aggregates()).await;
    let before = house.get("sofia", &format!("{JOBS}/{mine}/results")).await;
    let house = house.restarted().await;
    let after = house.get("sofia", &format!("{JOBS}/{mine}/results")).await;
    assert_eq!((after.status, after.json()), (200, before.json()));
    assert_eq!(house.get("carl", &format!("{JOBS}/{mine}/results")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_given_by_the_rights_of_now() {
    let house = House::new().await;
    let jobs = [
        (JOBS, submitted(&house, "sofia", JOBS, &aggregates()).await),
        (DETAILS_JOBS, submitted(&house, "sofia", DETAILS_JOBS, &json!({ "interval": WEEK })).await),
    ];
    let sent = house.received(US).into_iter().find(|one| one.target == JOBS).unwrap();
    let queue = {
        let body: Value = String::from_utf8_lossy(&sent.body).parse().unwrap();
        let all = body.to_string();
        let queues = house.directory["queues"].as_array().unwrap();
        let of = |queue: &&Value| all.contains(&format!("\"{}\"", queue["id"].as_str().unwrap()));
        queues.iter().find(of).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let mut less = house.directory.clone();
    for one in less["queues"].as_array_mut().unwrap().iter_mut().filter(|one| one["id"] == *queue) {
        one["members"].as_array_mut().unwrap().retain(|member| member != "sofia");
    }
    house.write_directory(&less.to_string());
    let line = format!("{JOBS}/{}/results", jobs[0].1);
    until("the rights are less", async || house.get("sofia", &line).await.status != 200).await;
    for (path, id) in &jobs {
        let heard = house.get("sofia", &format!("{path}/{id}/results")).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "job.scope-changed"), "{heard:?}");
        // how far it is tells nothing of its rows
        assert_eq!(house.get("sofia", &format!("{path}/{id}")).await.status, 200);
    }
    house.write_directory(&house.directory.to_string());
    until("the rights are back", async || house.get("sofia", &line).await.status == 200).await;
    // more rights than then take nothing away
    let mut more = house.directory.clone();
    more["grants"].as_array_mut().unwrap().push(json!({
        "id": "gr-more", "beneficiary": "sofia", "resources": [{ "kind": "queue", "id": "q-fraud-watch" }],
        "actions": ["view"], "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z",
    }));
    let version = house.running.world.pin().world.version.directory.clone();
    house.write_directory(&more.to_string());
    until("the grant", async || house.running.world.pin().world.version.directory != version).await;
    assert_eq!(house.get("sofia", &line).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_can_find_nothing_is_answered_here() {
    let house = House::new().await;
    house.received(US);
    let mut body = aggregates();
    body["filter"] = json!({ "type": "and", "predicates": [
        { "dimension": "queueId", "operator": "notExists" },
        { "dimension": "queueId", "operator": "exists" },
    ] });
    let query = house.post("carl", AGGREGATES, &body).await;
    assert_eq!(query.status, 200, "{query:?}");
    house.received(US);
    let id = id(&house.post("carl", JOBS, &body).await);
    fulfilled(&house, "carl", JOBS, &id).await;
    let results = house.get("carl", &format!("{JOBS}/{id}/results")).await;
    assert_eq!((results.status, results.json()), (200, query.json()));
    assert_eq!(house.get("dana", &format!("{JOBS}/{id}")).await.status, 404);
    assert_eq!(house.ask("carl", &format!("DELETE {JOBS}/{id}"), "").await.status, 204);
    assert!(house.received(US).is_empty(), "the upstream was asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_job_is_gone() {
    let house = House::new().await;
    let heard = house.post("sofia", JOBS, &aggregates()).await;
    let mine = id(&heard);
    // the record ties the job to the question
    let (intent, outcome) = house.lines(heard.decision()).await;
    assert_eq!((outcome.job.as_deref(), intent.is_some()), (Some(mine.as_str()), true));
    fulfilled(&house, "sofia", JOBS, &mine).await;
    let heard = house.ask("sofia", &format!("DELETE {JOBS}/{mine}"), "").await;
    assert_eq!((heard.status, heard.body.as_str()), (204, ""), "{heard:?}");
    let gone = house.get("sofia", &format!("{JOBS}/{mine}")).await;
    assert_eq!(gone.refusal(), house.get("sofia", &format!("{JOBS}/job-invented")).await.refusal());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_guarded_and_pages_of_them_too() {
    let house = House::new().await;
    let mine = submitted(&house, "sofia", JOBS, &aggregates()).await;
    let details = submitted(&house, "sofia", DETAILS_JOBS, &json!({ "interval": WEEK })).await;
    for target in [format!("{JOBS}/{mine}/results"), format!("{DETAILS_JOBS}/{details}/results?pageSize=20")] {
        let honest = house.get("sofia", &target).await;
        house.sandbox.disobey(|faults| {
            faults.foreign_rows = true;
            faults.extra_fields = true;
        });
        let heard = house.get("sofia", &target).await;
        house.sandbox.obey();
        assert_eq!((heard.status, heard.json()), (200, honest.json()), "{target}");
        let (_, outcome) = house.lines(heard.decision()).await;
        assert!(outcome.rows_foreign > 0, "{target}: no alarm: {outcome:?}");
    }
    // an upstream that gives the id of a job that is somebody's already
    let sends = |change: fn(&mut bailiwick::sandbox::Disobedience)| house.sandbox.disobey(change);
    sends(|faults| faults.same_job = true);
    let taken = house.post("carl", JOBS, &aggregates()).await;
    house.sandbox.obey();
    assert_eq!((taken.status, taken.code().as_str()), (502, "answer.unreadable"), "{taken:?}");
    assert_eq!(house.get("carl", &format!("{JOBS}/{mine}/results")).await.status, 404);
    assert_eq!(house.get("sofia", &format!("{JOBS}/{mine}/results")).await.status, 200);
}

/// What cannot be kept is not answered: nobody learns an id that nobody is bound to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_store_no_job_is_answered() {
    let house = House::new().await;
    let mine = submitted(&house, "sofia", JOBS, &aggregates()).await;
    let store = rusqlite::Connection::open(house.folder.path().join("data/bailiwick.sqlite")).unwrap();
    store.execute_batch("alter table jobs rename to lost").unwrap();
    let targets = [format!("GET {JOBS}/{mine}"), format!("GET {JOBS}/{mine}/results"), format!("DELETE {JOBS}/{mine}")];
    house.received(US);
    for line in &targets {
        let heard = house.ask("sofia", line, "").await;
        assert_eq!((heard.status, heard.code().as_str()), (503, "store.unavailable"), "{line}: {heard:?}");
    }
    assert!(house.received(US).is_empty(), "the upstream was asked");
    let heard = house.post("sofia", JOBS, &aggregates()).await;
    assert_eq!((heard.status, heard.code().as_str()), (503, "store.unavailable"), "{heard:?}");
    assert!(!heard.body.contains("jobId"), "{heard:?}");
    // queries do not need it
    assert_eq!(house.post("sofia", AGGREGATES, &aggregates()).await.status, 200);
    store.execute_batch("alter table lost rename to jobs").unwrap();
    assert_eq!(house.get("sofia", &format!("{JOBS}/{mine}")).await.status, 200);
}

/// Results are not there before the job is done: that is no fault of anybody, and tells what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_that_are_asked_for_too_early_are_told_so() {
    let house = House::new().await;
    let mine = id(&house.post("sofia", JOBS, &aggregates()).await);
    let heard = house.get("sofia", &format!("{JOBS}/{mine}/results")).await;
    assert_eq!((heard.status, heard.code().as_str()), (400, "job.unfinished"), "{heard:?}");
    fulfilled(&house, "sofia", JOBS, &mine).await;
    assert_eq!(house.get("sofia", &format!("{JOBS}/{mine}/results")).await.status, 200);
}

/// Who lost every right still sees how far his own job is, and can end it: neither shows a row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_can_be_cancelled_without_any_right_left() {
    let house = House::new().await;
    let mine = submitted(&house, "sofia", JOBS, &aggregates()).await;
    let line = format!("{JOBS}/{mine}");
    let mut none = house.directory.clone();
    for queue in none["queues"].as_array_mut().unwrap() {
        if let Some(members) = queue["members"].as_array_mut() {
            members.retain(|member| member != "sofia");
        }
    }
    house.write_directory(&none.to_string());
    house.running.reload();
    let heard = house.get("sofia", &format!("{line}/results")).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "job.scope-changed"), "{heard:?}");
    assert_eq!(house.get("sofia", &line).await.status, 200);
    assert_eq!(house.ask("carl", &format!("DELETE {line}"), "").await.status, 404);
    assert_eq!(house.ask("sofia", &format!("DELETE {line}"), "").await.status, 204);
    assert_eq!(house.get("sofia", &line).await.status, 404);
}

/// Whatever went wrong on the way, a cancel may be repeated: the upstream that knows the job no more has ended it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_that_was_not_kept_is_repeated() {
    let house = House::new().await;
    let mine = submitted(&house, "sofia", JOBS, &aggregates()).await;
    let line = format!("DELETE {JOBS}/{mine}");
    let store = rusqlite::Connection::open(house.folder.path().join("data/bailiwick.sqlite")).unwrap();
    let no = "create trigger no before delete on jobs begin select raise(abort, 'no'); end";
    store.execute_batch(no).unwrap();
    let heard = house.ask("sofia", &line, "").await;
    assert_eq!((heard.status, heard.code().as_str()), (503, "store.unavailable"), "{heard:?}");
    store.execute_batch("drop trigger no").unwrap();
    // the job is no more there, and still hers
    assert_eq!(house.get("sofia", &format!("{JOBS}/{mine}")).await.status, 404);
    assert_eq!(house.ask("carl", &line, "").await.status, 404);
    assert_eq!(house.ask("sofia", &line, "").await.status, 204);
    let gone = house.ask("sofia", &line, "").await;
    assert_eq!(gone.refusal(), house.ask("sofia", &format!("DELETE {JOBS}/job-invented"), "").await.refusal());
}

/// A short question of somebody with thousands of queues is sent as a long one, and its results are read all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_over_five_thousand_queues_is_read_to_its_end() {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    for number in 0..4_950 {
        directory["queues"].as_array_mut().unwrap().push(json!({
            "id": format!("q-pay-of-a-name-of-usual-length-{number:05}"), "name": format!("Pay {number}"),
            "division": "d-payments-us", "members": ["sofia"], "folder": "f-payments",
        }));
    }
    let house = House::of(Plan { directory, interactions: 300, ..Plan::default() }).await;
    // four entries, each of which becomes the whole scope once more
    let media = ["voice", "chat", "email", "message", "callback"];
    let entries: Vec<Value> = (1..media.len())
        .map(|without| {
            let others = media.iter().enumerate().filter(|(place, _)| *place != without);
            let predicates: Value =
                others.map(|(_, medium)| json!({ "dimension": "mediaType", "value": medium })).collect();
            json!({ "type": "or", "predicates": predicates })
        })
        .collect();
    let body = json!({ "interval": WEEK, "segmentFilters": entries });
    let mine = submitted(&house, "sofia", DETAILS_JOBS, &body).await;
    let sent = house.received(US).into_iter().find(|one| one.target == DETAILS_JOBS).unwrap();
    assert!(sent.body.len() > 1 << 20, "{}", String::from_utf8_lossy(&sent.body));
    let (rows, _) = results(&house, "sofia", DETAILS_JOBS, &mine, "pageSize=100").await;
    assert!(!rows.is_empty());
}
