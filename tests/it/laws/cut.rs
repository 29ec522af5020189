//! What is left of an interaction of which some legs are hidden: nothing in it speaks of them.

use super::{guard, named, program};
use crate::oracle::{generate::MONDAY, questions::Kind};
use bailiwick::{
    decision::{self, Decided},
    model::{answer::Key, body::Access, operation::Operation},
    policy::guard::Unguarded,
};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: i64 = MONDAY + 3 * 86_400;
const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";
const START: &str = "2026-11-17T09:00:00Z";
const END: &str = "2026-11-17T09:05:00Z";

fn legs(queues: &[&str]) -> Value {
    queues.iter().map(|queue| json!({ "queueId": queue, "segmentStart": START, "segmentEnd": END })).collect()
}

fn interaction(participants: Value) -> Value {
    json!({ "conversationId": "c", "conversationStart": START, "divisionIds": ["claims", "pay", "europe", "nowhere", 7], "participants": participants })
}

#[test]
fn tags_sums_and_odd_lists_are_cut_with_the_legs() {
    let organisation = guard::organisation();
    // A model that lets sums of participants pass, which the shipped one does not.
    let mut question = program::question(Kind::Details, json!({ "interval": WEEK }).to_string().as_bytes());
    let mut operation = Operation::clone(&question.operation);
    operation.answer.keep.levels.get_mut("conversations.participants").unwrap().push("metrics".into());
    // And tags of divisions.
    operation.answer.keep.levels.get_mut("conversations").unwrap().push("divisionIds".into());
    operation.answer.keys.push(Key { at: ["divisionIds".into()].into(), access: Access::Division });
    question.operation = Arc::new(operation);
    let plan = guard::planned(&organisation, "sofia", Kind::Details, question);
    let sums = json!([{ "name": "tTalk", "value": 7 }]);
    let session = |id: &str, queues: &[&str]| json!({ "sessionId": id, "segments": legs(queues) });
    let answer = json!({ "conversations": [interaction(json!([
        { "participantId": "lost", "userId": "ana", "metrics": sums, "sessions": [session("one", &["cards", "motor"]), session("two", &["cards"])] },
        { "participantId": "whole", "userId": "ana", "metrics": sums, "sessions": [session("three", &["cards"])] },
        { "participantId": "odd", "sessions": session("hidden", &["motor"]) },
    ]))] });
    let guarded = plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap();
    let mut due = interaction(json!([
        { "participantId": "lost", "userId": "ana", "sessions": [session("one", &["cards"]), session("two", &["cards"])] },
        { "participantId": "whole", "userId": "ana", "metrics": sums, "sessions": [session("three", &["cards"])] },
        { "participantId": "odd" },
    ]));
    due["divisionIds"] = json!(["pay"]);
    let shown = program::text(guarded.body());
    assert_eq!(shown, json!({ "conversations": [due] }));
}

/// Nobody was seen working there: whoever an element names is somebody else, and one that names nobody is nobody's.
#[test]
fn a_participant_without_legs_names_nobody() {
    let organisation = guard::organisation();
    let question = program::question(Kind::Details, json!({ "interval": WEEK }).to_string().as_bytes());
    let plan = guard::planned(&organisation, "sofia", Kind::Details, question);
    let seen = json!({ "participantId": "seen", "userId": "ana", "sessions": [{ "sessionId": "s", "segments": legs(&["cards"]) }] });
    let empty = json!([{ "sessionId": "t", "segments": [] }]);
    for (participant, due) in [
        (json!({ "participantId": "p", "sessions": [] }), true),
        (json!({ "participantId": "p", "userId": null, "sessions": [] }), true),
        (json!({ "participantId": "p", "sessions": empty }), true),
        (json!({ "participantId": "p", "userId": "carl", "sessions": [] }), false),
        (json!({ "participantId": "p", "userId": "ana", "sessions": [] }), false),
        (json!({ "participantId": "p", "userId": 7, "sessions": [] }), false),
        (json!({ "participantId": "p", "userId": "carl" }), false),
        (json!({ "participantId": "p", "userId": "carl", "sessions": empty }), false),
    ] {
        let answer = json!({ "conversations": [interaction(json!([seen, participant]))] });
        let guarded = plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap();
        let shown = program::text(guarded.body());
        let participants = shown["conversations"][0]["participants"].as_array().unwrap();
        assert_eq!(participants.len(), 1 + usize::from(due), "{participant}");
    }
}

/// A field stands for all the legs below it: it is shown where the right to it covers each of them.
#[test]
fn a_mask_is_lifted_where_it_is_for_every_leg_below() {
    let mut file = named::file();
    let contacts =
        json!({ "id": "contacts", "permissions": [{ "permission": "externalContacts:contact:view", "scope": "all" }] });
    file["roles"].as_array_mut().unwrap().push(contacts);
    let dora = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "dora").unwrap();
    dora["roles"].as_array_mut().unwrap().push(json!({ "role": "contacts", "division": "pay" }));
    let org = program::org(&file.to_string()).unwrap();
    let world = program::world(&org);
    let scope = program::scope(&world, "dora", Kind::Details, NOW).unwrap();
    let question = program::question(Kind::Details, json!({ "interval": WEEK }).to_string().as_bytes());
    let Decided::Forward(forward) = decision::decide(&world, &Arc::new(scope), &question, program::at(NOW)).unwrap()
    else {
        panic!("nothing is answered here")
    };
    let number = "tel:+15550100";
    let session = |queues: &[&str]| json!({ "sessionId": "s", "ani": number, "segments": legs(queues) });
    let sessions =
        [session(&["cards"]), session(&["cards", "motor"]), session(&["motor", "cards"]), session(&["motor"])];
    let answer = json!({ "conversations": [interaction(json!([{ "participantId": "p", "userId": "ana", "sessions": sessions }]))] });
    let guarded = forward.plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap();
    let shown = program::text(guarded.body());
    let sessions = shown["conversations"][0]["participants"][0]["sessions"].as_array().unwrap();
    let seen: Vec<bool> = sessions.iter().map(|session| session["ani"] == number).collect();
    assert_eq!(seen, [true, false, false, false], "{shown}");
}
