//! Recordings: who sees them, who hears them, who hears how they begin. What is due is worked out from the directory file by
//! the oracle, leg by leg and for each action, and from the sandbox's own files.

use super::{
    house::{DETAILS, House, Plan, US, now, token},
    parts::{Owned, list, owned, text},
};
use crate::{
    laws::case::{Organisation, Stock},
    oracle::semantics::{Data, Right},
};
use bailiwick::audit::Record;
use serde_json::{Value, json};

const ROOT: &str = "/api/v2/conversations";
const WEEK: &str = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z";

/// The sample, in which olga sees two divisions and hears one, and gus may preview one queue by a grant.
fn directory() -> Value {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    let roles = [
        (
            "olga",
            vec![
                ("r-content-reader", "d-sales-us"),
                ("r-content-reader", "d-service-us"),
                ("r-recording-listener", "d-sales-us"),
            ],
        ),
        ("rita", vec![("r-recording-previewer", "d-fraud-us")]),
    ];
    for (person, more) in roles {
        let users = directory["users"].as_array_mut().unwrap();
        let user = users.iter_mut().find(|user| user["id"] == person).unwrap();
        let own = user["roles"].as_array_mut().unwrap();
        own.extend(more.into_iter().map(|(role, division)| json!({ "role": role, "division": division })));
    }
    directory["grants"].as_array_mut().unwrap().push(json!({
        "id": "gr-gus-preview", "beneficiary": "gus", "resources": [{ "kind": "queue", "id": "q-svc-care" }],
        "actions": ["preview"], "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z",
    }));
    directory
}

/// Which legs somebody may do this with, by these permissions or by a grant of the action.
pub(super) fn may(
    organisation: &Organisation,
    person: &str,
    (permissions, action): (&[&str], &str),
    id: &str,
    legs: &[Owned],
) -> Vec<bool> {
    let permissions: Vec<String> = permissions.iter().map(ToString::to_string).collect();
    let right = Right { permissions: &permissions, action, data: Data::Interaction, archived: false };
    let scope = organisation.directory.entitlements(person, &right, now().as_second());
    legs.iter().map(|(_, _, leg)| organisation.directory.visible(person, &scope, id, leg)).collect()
}

const VIEW: (&[&str], &str) = (
    &[
        "recording:recording:view",
        "recording:recordingSegment:view",
        "recording:snippetRecording:view",
        "recording:screenRecording:view",
    ],
    "view",
);
const PLAY: (&[&str], &str) = (&["interaction:recording:playback"], "playback");
const PREVIEW: (&[&str], &str) = (&["interaction:recording:preview"], "preview");

/// What a part of a whole interaction answers to who may do this with these legs.
fn due(legs: &[bool]) -> u16 {
    match (legs.contains(&true), legs.contains(&false)) {
        (true, false) => 200,
        (true, true) => 403,
        (false, _) => 404,
    }
}

/// Plain search for the sound of a file: not the program's reader.
fn sound(file: &[u8]) -> &[u8] {
    let at = file.windows(4).position(|word| word == b"data").unwrap();
    let size = u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap()) as usize;
    &file[at + 8..at + 8 + size]
}

pub(super) struct Recorded {
    pub(super) id: String,
    pub(super) recording: String,
    pub(super) legs: Vec<Owned>,
    link: String,
    file: Vec<u8>,
    /// The recording is of another interaction, too.
    pub(super) further: bool,
}

/// Every interaction of the week, and its recording as the upstream has it.
pub(super) async fn recorded(house: &House, most: usize) -> Vec<Recorded> {
    let asked = json!({ "interval": WEEK, "paging": { "pageSize": 100, "pageNumber": 1 } });
    let raw = house.sandbox.evaluate(US, DETAILS, &asked).unwrap();
    let (base, bearer) = (house.sandbox.base_url(US).unwrap(), house.sandbox.token());
    let mut all = Vec::new();
    for whole in list(&raw, "conversations").iter().take(most) {
        let id = text(whole, "conversationId");
        let (status, _, body) = house.bytes(&format!("{base}{ROOT}/{id}/recordings"), &bearer).await;
        assert_eq!(status, 200);
        let recordings: Value = String::from_utf8(body).unwrap().parse().unwrap();
        let link = text(&recordings[0]["mediaUris"]["0"], "mediaUri");
        let (status, _, file) = house.bytes(&link, "").await;
        assert_eq!(status, 200, "{link}");
        let further = recordings[0]["associatedConversationIds"] != json!([id]);
        all.push(Recorded { id, recording: text(&recordings[0], "id"), legs: owned(whole), link, file, further });
    }
    house.received(US);
    all
}

async fn house() -> (House, Organisation) {
    let house = House::of(Plan { directory: directory(), interactions: 400, media: true, ..Plan::default() }).await;
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    (house, organisation)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_views_sees_a_recording_and_who_plays_gets_its_link() {
    let (house, organisation) = house().await;
    let all = recorded(&house, 100).await;
    let (mut heard, mut seen, mut mixed, mut hidden) = (0, 0, 0, 0);
    for person in ["sofia", "carl", "olga", "hugo"] {
        for one in &all {
            let Recorded { id, recording, legs, link, further, .. } = one;
            let visible = may(&organisation, person, VIEW, id, legs);
            let due = if *further && due(&visible) == 200 { 403 } else { due(&visible) };
            let plays = may(&organisation, person, PLAY, id, legs).iter().all(|plays| *plays);
            for path in [format!("{ROOT}/{id}/recordings"), format!("{ROOT}/{id}/recordings/{recording}?formatId=WAV")]
            {
                let answer = house.get(person, &path).await;
                assert_eq!(answer.status, due, "{person} {path}: {answer:?}");
                for not in ["/files/of", "u-unlisted", "unlisted", "waveform", "users"] {
                    assert!(!answer.body.contains(not), "{not}: {answer:?}");
                }
                match answer.status {
                    200 => {
                        let answer = answer.json();
                        let shown = if path.ends_with("recordings") { &answer[0] } else { &answer };
                        assert_eq!(shown["id"], recording.as_str());
                        let leads = if plays { json!(link) } else { Value::Null };
                        assert_eq!(shown["mediaUris"], json!({ "0": { "mediaUri": leads } }), "{person} {path}");
                        if plays { heard += 1 } else { seen += 1 }
                    }
                    403 => {
                        assert_eq!(answer.code(), "interaction.mixed");
                        mixed += 1;
                    }
                    _ => {
                        let invented = house.get(person, &path.replace(id, "c-invented")).await;
                        assert_eq!(answer.refusal(), invented.refusal(), "{person} {path}");
                        hidden += 1;
                    }
                }
                if answer.status != 200 || !plays {
                    assert!(!answer.body.contains("http"), "{answer:?}");
                }
            }
        }
    }
    println!("recordings: {heard} heard, {seen} seen, {mixed} mixed, {hidden} not there");
    assert!(heard > 10 && seen > 10 && mixed > 0 && hidden > 50, "{heard} {seen} {mixed} {hidden}");
    for person in ["nobody", "ana", "rolf"] {
        let answer = house.get(person, &format!("{ROOT}/{}/recordings", all[0].id)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "permission.missing"), "{person}");
    }
    // another's recording by its id, below one's own interaction
    let own = |one: &&Recorded| due(&may(&organisation, "carl", VIEW, &one.id, &one.legs)) == 200 && !one.further;
    let (mine, other) = (all.iter().find(own).unwrap(), all.iter().find(|one| !own(one)).unwrap());
    let answer = house.get("carl", &format!("{ROOT}/{}/recordings/{}", mine.id, other.recording)).await;
    let invented = house.get("carl", &format!("{ROOT}/{}/recordings/rec-invented", mine.id)).await;
    assert_eq!((answer.status, answer.refusal()), (404, invented.refusal()));
    // what is still being made: nothing of it, whatever the upstream says
    house.sandbox.disobey(|faults| faults.transcoding = true);
    let answer = house.get("carl", &format!("{ROOT}/{}/recordings", mine.id)).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "[]"));
    assert!(answer.notices()[0].starts_with("answer.pending"));
    let answer = house.get("carl", &format!("{ROOT}/{}/recordings/{}", mine.id, mine.recording)).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "{}"));
    // a parameter for another file than one that is played
    let answer = house.get("carl", &format!("{ROOT}/{}/recordings/{}?download=true", mine.id, mine.recording)).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "query.malformed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_is_the_first_fifteen_seconds_to_the_byte_and_nothing_else() {
    let (house, organisation) = house().await;
    let all = recorded(&house, 100).await;
    let proxy = format!("http://{}", house.running.proxy);
    let (mut cut, mut other_form, mut mixed, mut hidden) = (0, 0, 0, 0);
    for person in ["rolf", "rita", "gus"] {
        for one in &all {
            let Recorded { id, recording, legs, link, file, further } = one;
            let may = due(&may(&organisation, person, PREVIEW, id, legs));
            let path = format!("{ROOT}/{id}/recordings/{recording}/preview");
            let (status, kind, body) = house.bytes(&format!("{proxy}{path}"), &token(person)).await;
            let sent = house.received(US);
            let fetched: Vec<_> = sent.iter().filter(|one| one.target.starts_with("/files/")).collect();
            let is_wav = file.starts_with(b"RIFF");
            if may != 200 {
                assert_eq!(status, may, "{person} {path}");
                assert!(sent.len() <= 1 && fetched.is_empty(), "{person} {path}: {sent:?}");
                if may == 403 {
                    mixed += 1;
                } else {
                    hidden += 1;
                }
                continue;
            }
            if *further {
                assert!(status == 403 && fetched.is_empty(), "{person} {path}: {sent:?}");
                mixed += 1;
                continue;
            }
            assert!(link.ends_with(&fetched[0].target) && fetched.len() == 1, "{sent:?}");
            assert!(fetched[0].headers.iter().all(|(name, _)| name != "authorization"), "{fetched:?}");
            assert!(sent.iter().any(|one| one.target.ends_with("?formatId=WAV")), "{sent:?}");
            if is_wav {
                assert_eq!((status, kind.as_str()), (200, "audio/wav"), "{person} {path}");
                assert_eq!(body.len(), 44 + 15 * 16_000);
                assert_eq!(body[44..], sound(file)[..15 * 16_000]);
                assert_eq!(sound(&body), &sound(file)[..15 * 16_000]);
                assert!(!String::from_utf8_lossy(&body).contains("private"));
                cut += 1;
            } else {
                let answer = house.get(person, &path).await;
                house.received(US);
                assert_eq!((status, answer.code().as_str()), (403, "preview.format"), "{answer:?}");
                assert!(!String::from_utf8_lossy(&body).contains("/files/"));
                other_form += 1;
            }
        }
    }
    println!("previews: {cut} cut, {other_form} of no form that can be cut, {mixed} mixed, {hidden} not there");
    assert!(cut > 5 && other_form > 0 && hidden > 50, "{cut} {other_form} {mixed} {hidden}");
    // the record has every query that left, and no link that opens a file
    let own = |one: &&Recorded| {
        due(&may(&organisation, "rolf", PREVIEW, &one.id, &one.legs)) == 200
            && one.file.starts_with(b"RIFF")
            && !one.further
    };
    let mine = all.iter().find(own).unwrap();
    let path = format!("{ROOT}/{}/recordings/{}/preview", mine.id, mine.recording);
    for person in ["sofia", "carl", "nobody", "olga"] {
        let answer = house.get(person, &path).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "permission.missing"), "{person}");
    }
    let answer = house.ask("rolf", &format!("HEAD {path}"), "").await;
    house.lines(answer.decision()).await;
    let record = house.record().into_iter().filter(|record| record.decision() == answer.decision());
    let intents: Vec<Value> = record
        .filter_map(|record| match record {
            Record::Intent(intent) => Some(serde_json::to_value(intent).unwrap()),
            Record::Outcome(_) => None,
        })
        .collect();
    assert_eq!(intents.len(), 3, "{intents:#?}");
    let signature = mine.link.split('=').next_back().unwrap();
    assert!(!intents.iter().any(|intent| intent.to_string().contains(signature)), "{intents:#?}");
    // a preview is all that its holder gets
    let answer = house.get("rolf", &format!("{ROOT}/{}/recordings/{}", mine.id, mine.recording)).await;
    assert_eq!(answer.code(), "permission.missing");
    // a file that is elsewhere is not fetched, and nobody is sent there
    for (code, disobey) in [
        ("preview.host", (|faults| faults.far_files = true) as fn(&mut bailiwick::sandbox::Disobedience)),
        ("upstream.unavailable", |faults| faults.moved_files = true),
        ("upstream.unavailable", |faults| faults.truncated = true),
    ] {
        house.sandbox.disobey(disobey);
        house.received(US);
        let answer = house.get("rolf", &path).await;
        let status = answer.status;
        house.sandbox.disobey(|faults| *faults = bailiwick::sandbox::Disobedience::default());
        if code == "upstream.unavailable" {
            // the look at the interaction breaks off first where everything does
            assert!(status == 502 && !answer.body.contains("/files/"), "{answer:?}");
        } else {
            assert_eq!((status, answer.code().as_str()), (403, code), "{answer:?}");
            assert!(!answer.body.contains("elsewhere"), "{answer:?}");
        }
        let fetched = house.received(US).iter().filter(|one| one.target.starts_with("/files/")).count();
        assert!(fetched <= 1, "a redirect was followed");
    }
    house.sandbox.disobey(|faults| faults.transcoding = true);
    let answer = house.get("rolf", &path).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "{}"));
}

/// Nobody said where files lie: none is fetched, for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_listed_hosts_there_is_no_preview_and_no_plain_link() {
    let house = House::of(Plan { directory: directory(), interactions: 400, ..Plan::default() }).await;
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    let all = recorded(&house, 100).await;
    let own = |person: &str, right| {
        let one =
            all.iter().find(|one| !one.further && due(&may(&organisation, person, right, &one.id, &one.legs)) == 200);
        one.unwrap_or_else(|| panic!("{person} has none"))
    };
    let mine = own("rolf", PREVIEW);
    let answer = house.get("rolf", &format!("{ROOT}/{}/recordings/{}/preview", mine.id, mine.recording)).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "preview.host"), "{answer:?}");
    assert!(house.received(US).iter().all(|one| !one.target.starts_with("/files/")));
    // an encrypted link is anybody's to follow, an open one only where the operator said so
    let heard = own("carl", PLAY);
    let path = format!("{ROOT}/{}/recordings/{}", heard.id, heard.recording);
    let link = |answer: &Value| answer["mediaUris"]["0"]["mediaUri"].clone();
    assert_eq!(link(&house.get("carl", &path).await.json()), Value::Null);
    house.sandbox.disobey(|faults| faults.far_files = true);
    let far = link(&house.get("carl", &path).await.json());
    assert!(far.as_str().unwrap().starts_with("https://elsewhere.example/files/"), "{far}");
}

/// What was said is read by who may read it; files beside it are taken by who may export.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_read_and_its_files_are_exported() {
    let (house, organisation) = house().await;
    let all = recorded(&house, 60).await;
    let said: (&[&str], &str) = (&["interaction:transcript:view"], "transcript");
    let export: (&[&str], &str) = (&["interaction:recording:export"], "export");
    let (mut read, mut taken, mut hidden) = (0, 0, 0);
    for person in ["carl", "olga", "bea"] {
        for Recorded { id, legs, .. } in &all {
            let visible = may(&organisation, person, said, id, legs);
            let exports = may(&organisation, person, export, id, legs).iter().all(|exports| *exports);
            for (path, files) in [
                (format!("{ROOT}/emails/{id}/messages"), true),
                (format!("{ROOT}/emails/{id}/messages/m-1"), true),
                (format!("{ROOT}/chats/{id}/messages"), false),
                (format!("{ROOT}/chats/{id}/messages/m-1"), false),
            ] {
                let answer = house.get(person, &path).await;
                assert_eq!(answer.status, due(&visible), "{person} {path}: {answer:?}");
                for not in ["a@b.example", "c@d.example", "unlisted"] {
                    assert!(!answer.body.contains(not), "{not}: {answer:?}");
                }
                let leads = answer.body.contains("https://files.example/photo.png");
                assert_eq!(leads, answer.status == 200 && files && exports, "{person} {path}: {answer:?}");
                match answer.status {
                    200 => {
                        assert!(answer.body.contains("lost"), "{answer:?}");
                        if leads { taken += 1 } else { read += 1 }
                    }
                    _ => hidden += 1,
                }
            }
            for (_, session, _) in legs.iter().take(1) {
                let of: Vec<bool> =
                    legs.iter().zip(&visible).filter(|((_, s, _), _)| s == session).map(|(_, seen)| *seen).collect();
                let due = if visible.contains(&true) { due(&of) } else { 404 };
                let speech = "/api/v2/speechandtextanalytics/conversations";
                for path in ["transcripturl", "transcripturls"] {
                    let path = format!("{speech}/{id}/communications/{session}/{path}");
                    let answer = house.get(person, &path).await;
                    assert_eq!(answer.status, due, "{person} {path}: {answer:?}");
                    assert_eq!(answer.body.contains("https://files.example/t-1.json"), due == 200, "{answer:?}");
                }
            }
        }
    }
    println!("what was said: {read} read, {taken} with files, {hidden} not there");
    assert!(read > 10 && taken > 3 && hidden > 30, "{read} {taken} {hidden}");
}

/// By its medium an interaction has the legs that it has by its id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_read_by_its_medium_shows_its_visible_legs() {
    let (house, organisation) = house().await;
    let asked = json!({ "interval": WEEK, "paging": { "pageSize": 100, "pageNumber": 1 } });
    let raw = house.sandbox.evaluate(US, DETAILS, &asked).unwrap();
    let (mut shown, mut hidden, mut cut) = (0, 0, 0);
    for person in ["sofia", "olga", "ana", "bea", "gus"] {
        let permissions = [
            "conversation:communication:view",
            "analytics:report:view",
            "analytics:dashboard:view",
            "analytics:query:view",
            "reporting:data:view",
        ];
        for whole in list(&raw, "conversations").iter().take(30) {
            let id = &text(whole, "conversationId");
            let legs = owned(whole);
            let visible = may(&organisation, person, (&permissions, "view"), id, &legs);
            let mut due: Vec<(Option<String>, Option<String>)> = legs
                .iter()
                .zip(&visible)
                .filter(|(_, visible)| **visible)
                .map(|((_, _, leg), _)| (leg.queue.clone(), leg.agent.clone()))
                .collect();
            due.sort();
            for medium in ["callbacks", "calls", "chats", "cobrowsesessions", "emails", "messages"] {
                let answer = house.get(person, &format!("{ROOT}/{medium}/{id}")).await;
                if due.is_empty() {
                    assert_eq!((answer.status, answer.code().as_str()), (404, "scope.outside"), "{person} {id}");
                    hidden += 1;
                    continue;
                }
                assert_eq!(answer.status, 200, "{answer:?}");
                for not in ["elsewhere", "unlisted", "account", "division"] {
                    assert!(!answer.body.contains(not), "{not}: {answer:?}");
                }
                let answer = answer.json();
                let of = |one: &Value, name: &str| one[name]["id"].as_str().map(str::to_owned);
                let mut seen: Vec<_> =
                    list(&answer, "participants").iter().map(|one| (of(one, "queue"), of(one, "user"))).collect();
                seen.retain(|leg| *leg != (None, None));
                seen.sort();
                assert_eq!(seen, due, "{person} {medium} {id}");
                shown += 1;
                cut += usize::from(due.len() < legs.len());
            }
        }
    }
    println!("interactions by their medium: {shown} shown, {cut} of them cut, {hidden} not there");
    assert!(shown > 60 && hidden > 60 && cut > 5, "{shown} {hidden} {cut}");
}
