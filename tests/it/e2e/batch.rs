//! Files of many recordings at once, over real sockets: who gets which links, whose a job is, and what of it remains when rights
//! change. What is due is worked out leg by leg from the directory file by the oracle.

use super::{
    house::{House, KEPT, Plan, US, until},
    media::{Recorded, may, recorded},
    parts::{list, text},
};
use crate::laws::case::{Organisation, Stock};
use serde_json::{Value, json};

const BATCH: &str = "/api/v2/recording/batchrequests";

/// The sample, in which gus may export one queue by a grant, hugo exports one division, and carl views one and exports another.
fn directory() -> Value {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    give(&mut directory, "hugo", "r-recording-exporter", "d-service-us");
    let roles = directory["roles"].as_array_mut().unwrap();
    let only = json!([{ "permission": "interaction:recording:export", "scope": "all" }]);
    roles.push(json!({ "id": "r-only-export", "name": "Only export", "permissions": only }));
    give(&mut directory, "carl", "r-only-export", "d-fraud-us");
    directory["grants"].as_array_mut().unwrap().push(json!({
        "id": "gr-gus-export", "beneficiary": "gus", "resources": [{ "kind": "queue", "id": "q-svc-care" }],
        "actions": ["export"], "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z",
    }));
    directory
}

fn person<'d>(directory: &'d mut Value, id: &str) -> &'d mut Value {
    let users = directory["users"].as_array_mut().unwrap();
    users.iter_mut().find(|user| user["id"] == id).unwrap_or_else(|| panic!("nobody is {id}"))
}

fn give(directory: &mut Value, id: &str, role: &str, division: &str) {
    let roles = person(directory, id).as_object_mut().unwrap().entry("roles").or_insert_with(|| json!([]));
    roles.as_array_mut().unwrap().push(json!({ "role": role, "division": division }));
}

/// How much of an interaction somebody may export: each leg by the right to view recordings and by that to export them.
fn due(organisation: &Organisation, person: &str, one: &Recorded) -> u16 {
    let rights = ["recording:recording:view", "interaction:recording:export"];
    let [view, export] = rights.map(|right| may(organisation, person, (&[right], "export"), &one.id, &one.legs));
    let legs: Vec<bool> = view.iter().zip(&export).map(|(view, export)| *view && *export).collect();
    match (legs.contains(&true), legs.contains(&false)) {
        (true, false) => 200,
        (true, true) => 403,
        (false, _) => 404,
    }
}

fn batch(items: &[(&str, Option<&str>)]) -> Value {
    let item = |(conversation, recording): &(&str, Option<&str>)| match recording {
        Some(recording) => json!({ "conversationId": conversation, "recordingId": recording }),
        None => json!({ "conversationId": conversation }),
    };
    json!({ "batchDownloadRequestList": items.iter().map(item).collect::<Vec<_>>() })
}

/// A house whose upstream has no recording of two interactions, and is believed.
async fn house(plan: Plan) -> (House, Organisation) {
    let assume = plan.assume.iter().copied().chain(["recording-of-one"]).collect();
    let house = House::of(Plan { directory: directory(), interactions: 400, media: true, assume, ..plan }).await;
    house.sandbox.set_traits(|traits| traits.recording_of_one = true);
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    (house, organisation)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_made_of_what_may_be_exported_to_its_last_leg() {
    let (house, organisation) = house(Plan::default()).await;
    let all = recorded(&house, 100).await;
    let (mut made, mut mixed, mut outside) = (0, 0, 0);
    for person in ["olga", "hugo", "gus", "carl"] {
        let mut own = Vec::new();
        for one in &all {
            let due = due(&organisation, person, one);
            let heard = house.post(person, BATCH, &batch(&[(&one.id, Some(&one.recording))])).await;
            match due {
                200 => {
                    assert_eq!(heard.status, 200, "{person} {}: {heard:?}", one.id);
                    let job = text(&heard.json(), "id");
                    assert_eq!(heard.json(), json!({ "id": job }), "nothing but the id passes");
                    let answer = house.get(person, &format!("{BATCH}/{job}")).await;
                    assert_eq!(answer.status, 200, "{person}: {answer:?}");
                    let row = &answer.json()["results"][0];
                    assert_eq!((&row["conversationId"], &row["recordingId"]), (&json!(one.id), &json!(one.recording)));
                    let (_, _, file) = house.bytes(row["resultUrl"].as_str().expect("a link"), "").await;
                    assert!(file.starts_with(b"RIFF") || file.starts_with(b"OggS"), "a file");
                    own.push(one);
                    made += 1;
                }
                due => {
                    let code = match (person, due) {
                        // nothing that he views may he export, and nothing that he exports may he view
                        ("carl", _) => "scope.empty",
                        (_, 403) => "interaction.mixed",
                        _ => "scope.outside",
                    };
                    assert_eq!(heard.code(), code, "{person} {}: {heard:?}", one.id);
                    if due == 403 { mixed += 1 } else { outside += 1 }
                }
            }
        }
        let Some(stranger) = all.iter().find(|one| due(&organisation, person, one) == 404) else { continue };
        let mut items: Vec<_> = own.iter().map(|one| (one.id.as_str(), None)).collect();
        if items.is_empty() {
            continue;
        }
        house.received(US);
        // one that is somebody else's, and one that nobody made: the same answer, and no job
        items.push((&stranger.id, None));
        let theirs = house.post(person, BATCH, &batch(&items)).await;
        *items.last_mut().unwrap() = ("c-invented", None);
        let invented = house.post(person, BATCH, &batch(&items)).await;
        assert_eq!((theirs.status, theirs.code()), (invented.status, invented.code()));
        assert_eq!(theirs.code(), "scope.outside");
        let sent = house.received(US);
        assert!(sent.iter().all(|one| !one.target.starts_with(BATCH)), "{person}: nothing is asked for");
    }
    println!("batches: {made} files, {mixed} mixed, {outside} outside");
    assert!(made > 10 && mixed > 0 && outside > 30, "{made} {mixed} {outside}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_its_submitters_and_lasts_as_long_as_the_rights() {
    let (house, organisation) = house(Plan::default()).await;
    let all = recorded(&house, 100).await;
    let own: Vec<_> = all.iter().filter(|one| due(&organisation, "olga", one) == 200).take(3).collect();
    let items: Vec<_> = own.iter().map(|one| (one.id.as_str(), None)).collect();
    let heard = house.post("olga", BATCH, &batch(&items)).await;
    let path = format!("{BATCH}/{}", text(&heard.json(), "id"));
    let answer = house.get("olga", &path).await;
    assert_eq!((answer.status, list(&answer.json(), "results").len()), (200, own.len()), "{answer:?}");
    assert!(!answer.body.contains("unlisted") && !answer.body.contains("selfUri"), "{answer:?}");
    // another person with every right of it, and an invented id: one answer, and nobody is asked
    house.received(US);
    let theirs = house.get("hugo", &path).await;
    let invented = house.get("hugo", &format!("{BATCH}/invented")).await;
    assert_eq!((theirs.status, theirs.code()), (404, "scope.outside".to_owned()));
    assert_eq!((invented.status, invented.code()), (theirs.status, theirs.code()));
    assert!(house.received(US).is_empty());
    // a row of an interaction that nobody looked at: nothing of the answer passes
    house.sandbox.disobey(|faults| faults.foreign_rows = true);
    let disobedient = house.get("olga", &path).await;
    assert!(disobedient.status >= 400 && !disobedient.body.contains("of-a-stranger"), "{disobedient:?}");
    house.sandbox.disobey(|faults| faults.foreign_rows = false);
    // without the right to one of the legs of now there is nothing of it
    let mut less = directory();
    let roles = person(&mut less, "olga")["roles"].as_array_mut().unwrap();
    roles.retain(|role| role["role"] != "r-recording-exporter");
    give(&mut less, "olga", "r-recording-exporter", "d-claims-us");
    house.write_directory(&less.to_string());
    until("the new directory", || async { house.get("olga", &path).await.status != 200 }).await;
    let gone = house.get("olga", &path).await;
    assert_eq!(gone.code(), "job.scope-changed", "{gone:?}");
    assert!(!gone.body.contains("/files/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_of_a_recording_below_another_interaction_is_what_an_assumption_is_about() {
    let assume = KEPT.into_iter().filter(|one| *one != "part-of-its-interaction").collect();
    let (closed, organisation) = house(Plan { assume, ..Plan::default() }).await;
    let all = recorded(&closed, 60).await;
    let mine = all.iter().find(|one| due(&organisation, "olga", one) == 200).expect("one of olga's");
    let theirs = all.iter().find(|one| due(&organisation, "olga", one) == 404).expect("one of somebody else");
    let path = |recording: &str| format!("/api/v2/conversations/{}/recordings/{recording}", mine.id);
    for answer in [
        closed.get("olga", &path(&mine.recording)).await,
        closed.post("olga", BATCH, &batch(&[(&mine.id, None)])).await,
    ] {
        assert_eq!((answer.status, answer.code()), (403, "operation.unproved".to_owned()), "{answer:?}");
    }
    // the list names no recording, and rests on nothing
    let list = closed.get("olga", &format!("/api/v2/conversations/{}/recordings", mine.id)).await;
    assert!(matches!(list.code().as_str(), "" | "interaction.mixed"), "{list:?}");
    drop(closed);
    let (open, _) = house(Plan::default()).await;
    let kept = open.get("olga", &path(&theirs.recording)).await;
    assert_eq!((kept.status, kept.code()), (404, "scope.outside".to_owned()), "{kept:?}");
    // an upstream that finds it all the same says whose it is, and is not believed
    open.sandbox.set_traits(|traits| traits.part_of_its_interaction = false);
    let broken = open.get("olga", &path(&theirs.recording)).await;
    assert_eq!((broken.status, broken.code()), (404, "scope.outside".to_owned()), "{broken:?}");
    assert!(!broken.body.contains("/files/"));
}

/// A file holds all of its recording, and an answer with links says nothing of further interactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_closed_where_a_recording_may_be_of_two_interactions() {
    let closed = House::of(Plan { directory: directory(), interactions: 400, media: true, ..Plan::default() }).await;
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    let all = recorded(&closed, 100).await;
    let shared = all.iter().find(|one| one.further && due(&organisation, "olga", one) == 200).expect("one of two");
    let one = closed.get("olga", &format!("/api/v2/conversations/{}/recordings/{}", shared.id, shared.recording)).await;
    assert_eq!(one.code(), "interaction.mixed", "{one:?}");
    closed.received(US);
    let batch = closed.post("olga", BATCH, &batch(&[(&shared.id, Some(&shared.recording))])).await;
    assert_eq!((batch.status, batch.code()), (403, "operation.unproved".to_owned()), "{batch:?}");
    assert!(closed.received(US).is_empty());
}
