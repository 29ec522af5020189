//! Parts of an interaction: shown to whoever may see every leg that they speak of, and not there for anybody else.

use super::house::{DETAILS, House, Plan, US, now};
use crate::{
    laws::{
        case::{Organisation, Stock},
        lists::Asker,
        program,
    },
    oracle::{data::Leg, semantics::Data},
};
use bailiwick::audit::Record;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ROOT: &str = "/api/v2/conversations";

/// The interaction as the upstream has it: its participants with their sessions and legs.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A leg that has an owner: its participant, its session, itself.
pub(super) type Owned = (String, String, Leg);

pub(super) fn owned(interaction: &Value) -> Vec<Owned> {
    let mut legs = Vec::new();
    for participant in list(interaction, "participants") {
        for session in list(participant, "sessions") {
            for segment in list(session, "segments") {
                let of = |value: &Value| value.as_str().map(str::to_owned);
                let time = |name: &str| text(segment, name).parse::<Timestamp>().unwrap().as_second();
                let leg = Leg {
                    queue: of(&segment["queueId"]),
                    agent: of(&participant["userId"]),
                    start: time("segmentStart"),
                    end: time("segmentEnd"),
                    plain: BTreeMap::new(),
                    handle: 0,
                    tag: None,
                    region: None,
                };
                if leg.queue.is_some() || leg.agent.is_some() {
                    legs.push((text(participant, "participantId"), text(session, "sessionId"), leg));
                }
            }
        }
    }
    legs
}

/// What passes of the sandbox's documents: not who made them, for whom, or where they lead.
fn wrap_up() -> Value {
    json!({
        "code": "wrap-1", "name": "Solved", "notes": "called back", "tags": ["first", "second"], "durationSeconds": 12,
        "endTime": "2026-11-02T09:05:00.000Z", "provisional": false, "disableEndTimeUpdates": false,
    })
}

fn wrap_up_codes() -> Value {
    let code = |n: u8| json!({ "id": format!("wrap-{n}"), "name": format!("Code {n}"), "description": "description", "dateCreated": "2026-11-01T08:00:00.000Z" });
    json!([code(1), code(2)])
}

/// What is due for a part that speaks of `legs`; those that nobody owns speak of the whole interaction.
fn due(all: &[Owned], seen: &[bool], of: (&str, &str)) -> u16 {
    let here = all.iter().zip(seen).filter(|((p, s, _), _)| p == of.0 && (of.1.is_empty() || s == of.1));
    let here: Vec<bool> = here.map(|(_, seen)| *seen).collect();
    let whole = |legs: &[bool]| if legs.iter().all(|seen| *seen) { 200 } else { 403 };
    match (seen.contains(&true), here.is_empty()) {
        (false, _) => 404,
        (true, true) => whole(seen),
        (true, false) if !here.contains(&true) => 404,
        (true, false) => whole(&here),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_shown_with_every_leg_of_it_and_never_without() {
    let house = House::of(Plan { interactions: 400, ..Plan::default() }).await;
    let (mut shown, mut mixed, mut hidden) = (0, 0, 0);
    let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
    let week = json!({ "interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", "paging": { "pageSize": 100, "pageNumber": 1 } });
    let raw = house.sandbox.evaluate(US, DETAILS, &week).unwrap();
    assert!(list(&raw, "conversations").len() >= 30, "too few to show anything");
    for person in ["sofia", "ana", "ines", "rita", "bea"] {
        let asker = Asker { organisation: &organisation, person: person.to_owned(), now: now().as_second() };
        let scope = asker.scope(program::read_by_id(), Data::Interaction);
        for whole in list(&raw, "conversations").iter().take(30) {
            let id = &text(whole, "conversationId");
            let all = owned(whole);
            let visible = |(_, _, leg): &Owned| organisation.directory.visible(person, &scope, id, leg);
            let seen: Vec<bool> = all.iter().map(visible).collect();
            if scope.is_empty() {
                continue;
            }
            for participant in list(whole, "participants") {
                let p = text(participant, "participantId");
                let of_p = due(&all, &seen, (p.as_str(), ""));
                for (path, pattern) in [
                    (format!("{ROOT}/{id}/participants/{p}/wrapup"), of_p),
                    (format!("{ROOT}/calls/{id}/participants/{p}/wrapup?provisional=true"), of_p),
                    (format!("{ROOT}/{id}/participants/{p}/wrapupcodes"), of_p),
                ] {
                    let heard = house.get(person, &path).await;
                    assert_eq!(heard.status, pattern, "{person} {path}: {heard:?}");
                    match pattern {
                        200 => {
                            let codes = path.ends_with("wrapupcodes");
                            assert_eq!(
                                heard.json(),
                                if codes { wrap_up_codes() } else { wrap_up() },
                                "{person} {path}"
                            );
                            shown += 1;
                        }
                        403 => {
                            assert_eq!(heard.code(), "interaction.mixed", "{heard:?}");
                            mixed += 1;
                        }
                        _ => {
                            let invented = house.get(person, &path.replace(&p, "invented")).await;
                            assert_eq!(heard.refusal(), invented.refusal(), "{person} {path}");
                            hidden += 1;
                        }
                    }
                }
                for session in list(participant, "sessions") {
                    let s = text(session, "sessionId");
                    let path = format!("{ROOT}/chats/{id}/participants/{p}/communications/{s}/wrapup");
                    let heard = house.get(person, &path).await;
                    assert_eq!(heard.status, due(&all, &seen, (p.as_str(), s.as_str())), "{person} {path}: {heard:?}");
                }
            }
        }
    }
    println!("parts of interactions: {shown} shown, {mixed} mixed, {hidden} not there");
    assert!(shown > 60 && hidden > 60 && mixed > 0, "{shown} {mixed} {hidden}");
}

/// What speaks of all of an interaction: all of it has to be visible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_speaks_of_the_whole_is_shown_to_who_sees_the_whole() {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    for user in directory["users"].as_array_mut().unwrap() {
        // one who sees the queues of his division, one who sees two divisions
        let divisions: &[&str] = match user["id"].as_str() {
            Some("olga") => &["d-sales-us", "d-service-us"],
            Some("rita") => &["d-fraud-us"],
            _ => continue,
        };
        let roles = user["roles"].as_array_mut().unwrap();
        roles.extend(divisions.iter().map(|division| json!({ "role": "r-content-reader", "division": division })));
    }
    let house = House::of(Plan { directory: directory.clone(), interactions: 400, ..Plan::default() }).await;
    let organisation = Organisation::of(directory, Stock::default()).unwrap();
    let week = json!({ "interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", "paging": { "pageSize": 100, "pageNumber": 1 } });
    let raw = house.sandbox.evaluate(US, DETAILS, &week).unwrap();
    let speech = "/api/v2/speechandtextanalytics/conversations";
    let quality = "/api/v2/quality/conversations";
    let (mut shown, mut mixed, mut hidden) = (0, 0, 0);
    for person in ["sofia", "carl", "olga", "rita", "ana"] {
        let asker = Asker { organisation: &organisation, person: person.to_owned(), now: now().as_second() };
        for whole in list(&raw, "conversations").iter().take(40) {
            let id = &text(whole, "conversationId");
            let all = owned(whole);
            for path in [
                format!("{ROOT}/{id}/recordingmetadata"),
                format!("{ROOT}/{id}/recordingmetadata/r-1"),
                format!("{ROOT}/{id}/summaries"),
                format!("{speech}/{id}/sentiments"),
                format!("{quality}/{id}/evaluations/e-1"),
                format!("{quality}/{id}/surveys"),
            ] {
                let heard = house.get(person, &path).await;
                let scope = asker.scope(program::read(&path), Data::Interaction);
                if person == "ana" {
                    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"), "{path}: {heard:?}");
                    continue;
                }
                let visible = |(_, _, leg): &Owned| organisation.directory.visible(person, &scope, id, leg);
                let seen: Vec<bool> = all.iter().map(visible).collect();
                let due = match (seen.contains(&true), seen.contains(&false)) {
                    (false, _) => 404,
                    (true, true) => 403,
                    (true, false) => 200,
                };
                assert_eq!(heard.status, due, "{person} {path}: {heard:?}");
                match due {
                    200 => {
                        let answer = heard.json().to_string();
                        for not in ["u-0088", "q-claims-motor", "carl", "https:", "/files/", "unlisted", "private"] {
                            assert!(!answer.contains(not), "{not}: {answer}");
                        }
                        if path.ends_with("sentiments") {
                            let reason = |title: &str, words: &str| json!([{ "title": title, "description": words }]);
                            let insights = json!({
                                "positiveSentimentReasons": reason("Quick", "help came at once"),
                                "negativeSentimentReasons": reason("Queue", "waited"),
                            });
                            assert_eq!(heard.json(), json!({ "insights": insights }), "{path}");
                        }
                        shown += 1;
                    }
                    403 => {
                        assert_eq!(heard.code(), "interaction.mixed", "{heard:?}");
                        mixed += 1;
                    }
                    _ => {
                        let invented = house.get(person, &path.replace(id, "c-invented")).await;
                        assert_eq!(heard.refusal(), invented.refusal(), "{person} {path}");
                        hidden += 1;
                    }
                }
            }
        }
    }
    println!("whole interactions: {shown} shown, {mixed} mixed, {hidden} not there");
    assert!(shown > 30 && hidden > 30 && mixed > 0, "{shown} {mixed} {hidden}");
}

/// Two queries leave, and the record has both; what may not be seen is not asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_look_is_recorded_and_what_is_not_visible_is_not_asked_for() {
    let house = House::of(Plan { interactions: 400, ..Plan::default() }).await;
    let asked = json!({ "interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", "paging": { "pageSize": 100, "pageNumber": 1 } });
    let raw = house.sandbox.evaluate(US, DETAILS, &asked).unwrap();
    let (mut both, mut one) = (0, 0);
    let whole = list(&raw, "conversations").iter().take(25);
    let participants = whole.flat_map(|whole| {
        let id = text(whole, "conversationId");
        list(whole, "participants").iter().map(move |participant| (id.clone(), text(participant, "participantId")))
    });
    for (id, p) in participants {
        house.received(US);
        let path = format!("{ROOT}/{id}/participants/{p}/wrapup");
        let heard = house.get("sofia", &path).await;
        let sent: Vec<String> = house.received(US).into_iter().map(|received| received.target).collect();
        let look = format!("/api/v2/analytics/conversations/{id}/details");
        house.lines(heard.decision()).await;
        let record = house.record().into_iter().filter(|record| record.decision() == heard.decision());
        let intents: Vec<String> = record
            .filter_map(|record| match record {
                Record::Intent(intent) => intent.sent.text.map(|text| text.path),
                Record::Outcome(_) => None,
            })
            .collect();
        assert_eq!(intents, sent, "{heard:?}");
        if heard.status == 200 {
            assert_eq!(sent, [look, path]);
            both += 1;
        } else {
            assert_eq!(sent, [look]);
            one += 1;
        }
    }
    assert!(both > 0 && one > 0, "{both} {one}");
    // the interaction of an upstream that answers about another one is not there
    let invented = house.get("sofia", &format!("{ROOT}/c-invented/participants/p-1/wrapup")).await;
    assert_eq!((invented.status, invented.code().as_str()), (404, "scope.outside"), "{invented:?}");
}
