//! Schedules: a kept question is asked at set times, for whoever set it up and for those he names, and nobody gets by it what
//! he could not ask himself.

use super::{
    house::{Heard, House, Plan, US, now, until},
    truth::Truth,
};
use crate::oracle::questions::Kind;
use bailiwick::{
    audit::{Cache, Record, Verdict},
    base::clock::Clock,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const QUERIES: &str = "/api/v2/analytics/queries";
const SCHEDULES: &str = "/api/v2/analytics/query/schedules";

/// Said in instants, so that each run asks the same.
fn question() -> Value {
    json!({ "name": "report", "query": {
        "dateFrom": "2026-11-06T10:00:00Z", "dateTo": "2026-11-20T10:00:00Z", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    } })
}

fn schedule(definition: &str, recipients: &[&str]) -> Value {
    json!({ "name": "hourly", "queryId": definition, "cron": "5 * * * *", "timeZone": "UTC", "recipients": recipients })
}

/// The sample, in which dana and sofia read the people of their division.
fn directory() -> Value {
    let mut directory = bailiwick::sandbox::sample::directory();
    for user in directory["users"].as_array_mut().unwrap() {
        if user["id"] == "dana" || user["id"] == "sofia" {
            let held = user["roles"].as_array_mut().unwrap();
            held.push(json!({ "role": "r-access-reviewer", "division": "d-payments-us" }));
        }
    }
    directory
}

async fn house() -> House {
    House::of(Plan { directory: directory(), ..Plan::default() }).await
}

async fn saved(house: &House, person: &str, shared: bool, definition: &Value) -> String {
    let body = json!({ "name": "q", "divisionId": "d-payments-us", "shared": shared, "definition": definition });
    let heard = house.post(person, QUERIES, &body).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    heard.json()["id"].as_str().unwrap().to_owned()
}

async fn set_up(house: &House, person: &str, body: &Value) -> String {
    let heard = house.post(person, SCHEDULES, body).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    heard.json()["id"].as_str().unwrap().to_owned()
}

/// Puts another directory in force, at the addresses of this house.
fn reload(house: &mut House, change: impl FnOnce(&mut Value)) {
    change(&mut house.directory);
    house.write_directory(&house.directory.to_string());
    house.running.reload();
}

fn user<'d>(directory: &'d mut Value, id: &str) -> &'d mut Value {
    directory["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == id).unwrap()
}

async fn runs(house: &House, person: &str, id: &str) -> Vec<Value> {
    let heard = house.get(person, &format!("{SCHEDULES}/{id}/runs")).await;
    assert_eq!(heard.status, 200, "{person}: {heard:?}");
    heard.json()["entities"].as_array().unwrap().clone()
}

/// So many hours after the beginning, when that run has ended for everybody.
async fn hour(house: &House, id: &str, readers: &[&str], hours: i64) {
    let before = runs(house, readers[0], id).await.len();
    house.clock.set(now() + SignedDuration::from_mins(60 * hours + 6));
    house.running.reload();
    until("a run", async || {
        let mut ended = true;
        for reader in readers {
            let runs = runs(house, reader, id).await;
            ended &= runs.len() > before && runs[0]["state"] != "begun";
        }
        ended
    })
    .await;
}

/// The answer of the newest run.
async fn newest(house: &House, person: &str, id: &str) -> Heard {
    let run = runs(house, person, id).await.remove(0);
    house.get(person, &format!("{SCHEDULES}/{id}/runs/{}", run["id"].as_str().unwrap())).await
}

fn rows(answer: &Value) -> BTreeSet<String> {
    answer["rows"].as_array().unwrap_or(&Vec::new()).iter().map(ToString::to_string).collect()
}

fn queues(answer: &Value) -> BTreeSet<String> {
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().map(|row| row["group"]["queueId"].as_str().unwrap_or("none").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reader_gets_what_he_and_its_owner_may_see() {
    let house = house().await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let due = |person: &str| rows(&truth.answer(&house.sandbox, person, Kind::Platform, &question()));
    let (whole, part, own) = (due("dana"), due("sofia"), due("ana"));
    assert!(whole.len() > part.len() && part.len() > own.len() && !own.is_empty(), "{whole:?} {part:?} {own:?}");

    let kept = saved(&house, "dana", false, &question()).await;
    let of_dana = set_up(&house, "dana", &schedule(&kept, &["sofia", "ana"])).await;
    let shared = saved(&house, "dana", true, &question()).await;
    let of_sofia = set_up(&house, "sofia", &schedule(&shared, &["dana", "ana"])).await;
    let readers = ["dana", "sofia", "ana"];
    assert!(runs(&house, "dana", &of_dana).await.is_empty());
    hour(&house, &of_dana, &readers, 0).await;
    until("the other", async || runs(&house, "ana", &of_sofia).await.first().is_some_and(|run| run["state"] == "kept"))
        .await;

    // by dana's: each his own, for all of it is hers
    for (person, due) in [("dana", &whole), ("sofia", &part), ("ana", &own)] {
        let heard = newest(&house, person, &of_dana).await;
        assert_eq!((heard.status, &rows(&heard.json())), (200, due), "{person}: {heard:?}");
        assert!(heard.notices().iter().any(|notice| notice.starts_with("schedule.kept; ")), "{heard:?}");
        // shown again it stands in the record: what was sent then, by which rights now, and where it comes from
        let (intent, outcome) = house.lines(heard.decision()).await;
        let intent = intent.unwrap();
        assert_eq!((intent.cache, outcome.cache, outcome.verdict), (Cache::Kept, Cache::Kept, Verdict::Local));
        assert!(!intent.scope.sources.is_empty() && !intent.certificate.is_empty(), "{intent:?}");
        assert!(intent.sent.text.unwrap().body.unwrap().contains("us-east-1"), "{person}");
    }
    // by sofia's: nobody more than her, whatever he may see himself
    for (person, due, lesser) in [("sofia", &part, false), ("dana", &part, true), ("ana", &own, true)] {
        let heard = newest(&house, person, &of_sofia).await;
        assert_eq!((heard.status, &rows(&heard.json())), (200, due), "{person}: {heard:?}");
        let told = heard.notices().iter().any(|notice| notice.starts_with("schedule.lesser; "));
        assert_eq!(told, lesser, "{person}: {heard:?}");
    }

    // each run stands in the record: for whom, by whom, what was sent
    let lines = house.record();
    let outcomes: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            Record::Outcome(one) if one.peer == format!("schedule {of_sofia}") => Some(one),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes.len(), 3, "{outcomes:#?}");
    for one in outcomes {
        let subject = one.subject.as_ref().unwrap();
        let actor = (subject.id != "sofia").then_some("sofia");
        assert_eq!((subject.method.as_str(), subject.actor.as_deref()), ("schedule", actor));
        assert_eq!((one.verdict, one.operation.as_deref()), (Verdict::Forwarded, Some("platform.query.schedules.run")));
        assert!(one.rows_out > 0 && one.bytes_out > 0 && one.upstream_status == Some(200), "{one:?}");
        let intent =
            lines.iter().find(|line| matches!(line, Record::Intent(intent) if intent.decision == one.decision));
        assert!(intent.is_some(), "{one:?}");
    }
}

/// A schedule runs with the weakest of its owner's rights then and now (B46), and shows nothing by rights that are gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_shows_the_lesser_of_then_and_now() {
    let mut house = house().await;
    let shared = saved(&house, "dana", true, &question()).await;
    let body = schedule(&shared, &["dana"]);
    let id = set_up(&house, "sofia", &body).await;
    let line = format!("{SCHEDULES}/{id}");
    let readers = ["sofia", "dana"];
    let both = BTreeSet::from(["q-pay-cards".to_owned(), "q-pay-disputes".to_owned()]);
    hour(&house, &id, &readers, 0).await;
    for reader in readers {
        assert_eq!(queues(&newest(&house, reader, &id).await.json()), both, "{reader}");
    }
    let member = |directory: &mut Value, queue: &str, in_it: bool| {
        let queues = directory["queues"].as_array_mut().unwrap();
        let members = queues.iter_mut().find(|one| one["id"] == queue).unwrap()["members"].as_array_mut().unwrap();
        members.retain(|one| one != "sofia");
        if in_it {
            members.push(json!("sofia"));
        }
    };
    // more of now: not by a schedule of before
    reload(&mut house, |directory| member(directory, "q-pay-refunds", true));
    for reader in readers {
        assert_eq!(queues(&newest(&house, reader, &id).await.json()), both, "{reader}");
    }
    hour(&house, &id, &readers, 1).await;
    assert_eq!(queues(&newest(&house, "sofia", &id).await.json()), both);
    assert!(newest(&house, "sofia", &id).await.notices().iter().any(|notice| notice.starts_with("schedule.lesser")));
    // until she sets it up anew
    let mut of_it: Value = body.clone();
    of_it["name"] = json!("again");
    let heard = house.ask("sofia", &format!("PUT {line}"), &of_it.to_string()).await;
    assert_eq!((heard.status, &heard.json()["version"]), (200, &json!(2)), "{heard:?}");
    hour(&house, &id, &readers, 2).await;
    let more = &both | &BTreeSet::from(["q-pay-refunds".to_owned()]);
    for reader in readers {
        assert_eq!(queues(&newest(&house, reader, &id).await.json()), more, "{reader}");
    }
    // less of now: what is kept is shown no more, to nobody, and the next run is of what is left
    reload(&mut house, |directory| {
        member(directory, "q-pay-refunds", true);
        member(directory, "q-pay-cards", false);
    });
    for reader in readers {
        let heard = newest(&house, reader, &id).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "job.scope-changed"), "{reader}: {heard:?}");
    }
    hour(&house, &id, &readers, 3).await;
    let left = BTreeSet::from(["q-pay-disputes".to_owned(), "q-pay-refunds".to_owned()]);
    for reader in readers {
        assert_eq!(queues(&newest(&house, reader, &id).await.json()), left, "{reader}");
    }
    // nothing of now
    reload(&mut house, |directory| user(directory, "sofia")["active"] = json!(false));
    let heard = newest(&house, "dana", &id).await;
    assert_ne!(heard.status, 200, "{heard:?}");
    house.received(US);
    let before = runs(&house, "dana", &id).await;
    house.clock.set(now() + SignedDuration::from_mins(60 * 4 + 6));
    house.running.reload();
    until("its rest", async || house.get("dana", &line).await.json().get("dateNext").is_none()).await;
    assert_eq!(runs(&house, "dana", &id).await, before);
    assert!(house.received(US).is_empty(), "an upstream was asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipients_are_people_whom_the_owner_may_read() {
    let house = house().await;
    let shared = saved(&house, "dana", true, &question()).await;
    let invented = house.post("dana", SCHEDULES, &schedule(&shared, &["nobody"])).await;
    assert_eq!((invented.status, invented.code().as_str()), (403, "scope.outside"), "{invented:?}");
    for person in ["carl", "rolf", "dana-eu", "bea", "svc-reports"] {
        let heard = house.post("dana", SCHEDULES, &schedule(&shared, &["sofia", person])).await;
        assert_eq!(heard.refusal(), invented.refusal(), "{person}: {heard:?}");
    }
    // whoever is in it may not change who gets it, or anything of it
    let id = set_up(&house, "sofia", &schedule(&shared, &["dana"])).await;
    let line = format!("{SCHEDULES}/{id}");
    let body = schedule(&shared, &["dana", "ana", "u-0003"]).to_string();
    let heard = house.ask("dana", &format!("PUT {line}"), &body).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{heard:?}");
    let seen = house.get("dana", &line).await.json();
    assert!(seen.get("recipients").is_none() && seen.get("queryId").is_none(), "{seen}");
    assert_eq!(house.get("sofia", &line).await.json()["recipients"], json!(["dana"]));
    // for everybody else it is not there, like one that never was
    let other = format!("{SCHEDULES}/019ab6c0-0000-7000-8000-000000000000");
    let mut tried = 0;
    for person in ["ana", "u-0003", "carl", "rolf", "dana-eu"] {
        for (verb, below) in [("GET", ""), ("DELETE", ""), ("PUT", ""), ("GET", "/runs"), ("GET", "/runs/x")] {
            let body = if verb == "PUT" { schedule(&shared, &[]).to_string() } else { String::new() };
            let heard = house.ask(person, &format!("{verb} {line}{below}"), &body).await;
            let none = house.ask(person, &format!("{verb} {other}{below}"), &body).await;
            assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{person} {verb}: {heard:?}");
            assert_eq!(heard.refusal(), none.refusal(), "{person} {verb}");
            tried += 1;
        }
    }
    println!("schedules: {tried} times one that is not there");
    for (person, due) in [("sofia", 1), ("dana", 1), ("ana", 0), ("dana-eu", 0)] {
        let listed = house.get(person, SCHEDULES).await.json();
        assert_eq!((listed["entities"].as_array().unwrap().len(), &listed["total"]), (due, &json!(due)), "{person}");
    }
    // a run of somebody else's is not his, by whatever id
    hour(&house, &id, &["sofia", "dana"], 0).await;
    let hers = runs(&house, "sofia", &id).await[0]["id"].as_str().unwrap().to_owned();
    let heard = house.get("dana", &format!("{line}/runs/{hers}")).await;
    let none = house.get("dana", &format!("{line}/runs/none")).await;
    assert_eq!((heard.status, heard.refusal()), (404, none.refusal()), "{heard:?}");
    // he may leave it, and then sees nothing of it any more, what he was sent neither
    let his = runs(&house, "dana", &id).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.ask("dana", &format!("DELETE {line}"), "").await.status, 204);
    assert_eq!(house.get("sofia", &line).await.json()["recipients"], json!([]));
    for below in [String::new(), "/runs".to_owned(), format!("/runs/{his}")] {
        let heard = house.get("dana", &format!("{line}{below}")).await;
        assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{below}: {heard:?}");
    }
    // named anew and left out by its owner, the same
    for recipients in [&["dana"][..], &[]] {
        let heard = house.ask("sofia", &format!("PUT {line}"), &schedule(&shared, recipients).to_string()).await;
        assert_eq!((heard.status, &heard.json()["recipients"]), (200, &json!(recipients)), "{heard:?}");
        assert_eq!(house.get("dana", &line).await.status, if recipients.is_empty() { 404 } else { 200 });
    }
    // and when it is gone, everything of it is
    assert_eq!(house.ask("sofia", &format!("DELETE {line}"), "").await.status, 204);
    assert_eq!(house.get("sofia", &format!("{line}/runs/{hers}")).await.status, 404);
}

/// No file of a report leaves with an outsourcer: he sets none up, and is named in none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_outsourcers() {
    let mut directory = directory();
    let dana = user(&mut directory, "dana")["roles"].as_array_mut().unwrap();
    dana.push(json!({ "role": "r-access-reviewer", "division": "d-bpo-acme-voice" }));
    let mut house = House::of(Plan { directory, ..Plan::default() }).await;
    let shared = saved(&house, "dana", true, &question()).await;
    for (person, body) in [("bea", schedule(&shared, &[])), ("dana", schedule(&shared, &["bea"]))] {
        let heard = house.post(person, SCHEDULES, &body).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "bpo.export"), "{person}: {heard:?}");
    }
    // who becomes one gets nothing more, and sees nothing of before
    let id = set_up(&house, "dana", &schedule(&shared, &["sofia"])).await;
    hour(&house, &id, &["dana", "sofia"], 0).await;
    assert_eq!(newest(&house, "sofia", &id).await.status, 200);
    reload(&mut house, |directory| user(directory, "sofia")["bpo"] = json!(true));
    let heard = newest(&house, "sofia", &id).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "bpo.export"), "{heard:?}");
    hour(&house, &id, &["dana", "sofia"], 1).await;
    assert_eq!(runs(&house, "sofia", &id).await[0]["state"], "refused");
    assert_eq!(runs(&house, "dana", &id).await[0]["state"], "kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_never_run_is_not_set_up() {
    let house = house().await;
    let own = saved(&house, "dana", false, &question()).await;
    let with = |field: &str, value: Value| {
        let mut body = schedule(&own, &[]);
        body[field] = value;
        body
    };
    let mut none = 0;
    for (due, body) in [
        ("query.malformed", with("cron", json!("every day"))),
        ("query.malformed", with("cron", json!("* * * * *"))),
        ("query.malformed", with("cron", json!("0,10 7 * * *"))),
        ("query.malformed", with("cron", json!("0 0 30 2 *"))),
        ("query.malformed", with("timeZone", json!("Europe/Nowhere"))),
        ("query.malformed", with("timeZone", json!("UTC UTC"))),
        ("query.malformed", with("name", json!(" "))),
        ("query.malformed", with("colour", json!("red"))),
        ("query.malformed", with("recipients", json!("sofia"))),
        ("query.malformed", with("recipients", json!(vec!["sofia"; 51]))),
        ("query.malformed", json!({ "name": "x" })),
        ("scope.outside", with("queryId", json!("019ab6c0-0000-7000-8000-000000000000"))),
    ] {
        let heard = house.post("dana", SCHEDULES, &body).await;
        assert_eq!(heard.code(), due, "{body}: {heard:?}");
        none += 1;
    }
    // a definition of somebody else is like one that never was
    let heard = house.post("sofia", SCHEDULES, &schedule(&own, &[])).await;
    let invented = house.post("sofia", SCHEDULES, &schedule("x", &[])).await;
    assert_eq!((heard.code().as_str(), heard.refusal()), ("scope.outside", invented.refusal()));
    // and neither is one that she may see and not ask
    let mut queues = question();
    queues["query"]["filter"] = json!({ "type": "AND", "predicates": [{ "dimension": "queueId", "operator": "IN", "values": ["q-pay-loans"] }] });
    let shared = saved(&house, "dana", true, &queues).await;
    let heard = house.post("sofia", SCHEDULES, &schedule(&shared, &[])).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "scope.outside"), "{heard:?}");
    assert_eq!(house.get("dana", SCHEDULES).await.json()["total"], 0);
    println!("schedules: {none} that are none");
}

/// What was missed is asked once, what is off is not asked, and what is asked survives the program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_once_for_all_that_was_missed_and_survives_a_restart() {
    let house = house().await;
    let mut relative = question();
    (relative["query"]["dateFrom"], relative["query"]["dateTo"]) = (json!("now-14d"), json!("now"));
    let kept = saved(&house, "dana", false, &relative).await;
    let mut off = schedule(&kept, &[]);
    off["enabled"] = json!(false);
    let off = set_up(&house, "dana", &off).await;
    let id = set_up(&house, "dana", &schedule(&kept, &[])).await;
    let house = house.restarted().await;
    hour(&house, &id, &["dana"], 50).await;
    assert_eq!(runs(&house, "dana", &id).await.len(), 1);
    assert!(runs(&house, "dana", &off).await.is_empty());
    let next = house.get("dana", &format!("{SCHEDULES}/{id}")).await.json()["dateNext"].clone();
    assert_eq!(next, json!("2026-11-22T13:05:00.000Z"));
    let house = house.restarted().await;
    assert_eq!(newest(&house, "dana", &id).await.status, 200);
    // what is said relative to the instant of a run is shown long after it
    house.clock.set(now() + SignedDuration::from_mins(60 * 50 + 40));
    house.running.reload();
    let heard = newest(&house, "dana", &id).await;
    assert_eq!((heard.status, &heard.json()["dateTo"]), (200, &json!("2026-11-22T12:06:00.000Z")), "{heard:?}");
    // its definition gone, it runs into nothing, and says so
    assert_eq!(house.ask("dana", &format!("DELETE {QUERIES}/{kept}"), "").await.status, 204);
    hour(&house, &id, &["dana"], 51).await;
    let last = runs(&house, "dana", &id).await.remove(0);
    assert_eq!((last["state"].as_str(), last["code"].as_str()), (Some("refused"), Some("scope.empty")), "{last}");
}

/// What the upstream does not answer is asked once more, for those who got nothing; in the end that is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_upstream_is_asked_again() {
    let mut house = house().await;
    let shared = saved(&house, "dana", true, &question()).await;
    let id = set_up(&house, "dana", &schedule(&shared, &["sofia", "ana"])).await;
    house.sandbox.disobey(|faults| faults.server_error = true);
    let mut minutes = 6;
    for _ in 0..3 {
        house.clock.set(now() + SignedDuration::from_mins(minutes));
        house.running.reload();
        until("a run that was put off", async || {
            let next = house.get("dana", &format!("{SCHEDULES}/{id}")).await.json()["dateNext"].clone();
            let next = next.as_str().map(|next| next.parse::<Timestamp>().unwrap());
            // begun, it says its next hour; put off, it says five minutes and keeps no run
            let soon = Clock::now(&*house.clock) + SignedDuration::from_mins(5);
            next == Some(soon) && runs(&house, "dana", &id).await.is_empty()
        })
        .await;
        minutes += 6;
    }
    house.sandbox.disobey(|faults| faults.server_error = false);
    house.clock.set(now() + SignedDuration::from_mins(minutes));
    house.running.reload();
    for reader in ["dana", "sofia", "ana"] {
        until("an answer", async || runs(&house, reader, &id).await.first().is_some_and(|run| run["state"] == "kept"))
            .await;
        assert_eq!(
            (runs(&house, reader, &id).await.len(), newest(&house, reader, &id).await.status),
            (1, 200),
            "{reader}"
        );
    }
    // an owner who is gone is told once, and his schedule rests
    reload(&mut house, |directory| user(directory, "dana")["active"] = json!(false));
    house.clock.set(now() + SignedDuration::from_mins(66));
    house.running.reload();
    let refused = async || {
        let lines = house.record();
        let of_it = |line: &&Record| matches!(line, Record::Outcome(one) if one.peer == format!("schedule {id}") && one.verdict == Verdict::Refused && one.code.as_deref() == Some("scope.empty"));
        lines.iter().filter(of_it).count()
    };
    until("the last run", async || refused().await == 1).await;
    house.clock.set(now() + SignedDuration::from_mins(126));
    house.running.reload();
    assert!(house.get("sofia", &format!("{SCHEDULES}/{id}")).await.json().get("dateNext").is_none());
    assert_eq!(refused().await, 1);
}
