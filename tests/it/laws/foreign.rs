//! Legs of others that stay without their owner: what is due is said leg by leg, by the oracle's word of what is visible. Beside
//! the place and the kind nothing of a hidden leg comes back, and its agent has a name that no other answer knows.

use super::{
    case::{Case, Organisation},
    lists, program,
};
use crate::oracle::{
    data::{Leg, instant},
    generate::{Dice, HOUR, MONDAY},
    questions::Kind,
    semantics::Entitlement,
};
use bailiwick::{
    decision::{self, Decided},
    model::{answer::Keep, operation::Operation},
    policy::guard::{GuardPlan, Raw, Unguarded},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const WORDS: [&str; 3] = ["interact", "alert", "hold"];

fn stays() -> Keep {
    let level = |fields: &[&str]| fields.iter().map(|field| (*field).into()).collect();
    Keep {
        levels: BTreeMap::from([
            ("conversations.participants".into(), level(&["purpose", "sessions"])),
            ("conversations.participants.sessions".into(), level(&["mediaType", "segments"])),
            ("conversations.participants.sessions.segments".into(), level(&["segmentType", "disconnectType"])),
        ]),
    }
}

/// The plan of a question for everything of some days, under a rule that lets legs of others stay.
fn plan(organisation: &Organisation, case: &Case) -> Option<GuardPlan> {
    let scope = Arc::new(program::scope(&organisation.world, &case.person, Kind::Details, case.now).ok()?);
    let mut question = program::question(Kind::Details, case.body.as_bytes());
    let mut operation = Operation::clone(&question.operation);
    operation.answer.foreign = stays();
    question.operation = Arc::new(operation);
    match decision::decide(&organisation.world, &scope, &question, program::at(case.now)).ok()? {
        Decided::Forward(forward) => Some(forward.plan),
        Decided::Local(_) | Decided::Split(_) | Decided::Kept(_) => None,
    }
}

fn segment(dice: &mut Dice, queue: Option<&String>) -> Value {
    let start = MONDAY + HOUR * dice.below(60) as i64;
    let mut segment = json!({
        "segmentStart": instant(start), "segmentEnd": instant(start + HOUR), "segmentType": *dice.pick(&WORDS),
        "wrapUpCode": "sold", "disconnectType": "it was +1 555", "metrics": [{ "name": "tTalk", "value": 7 }],
    });
    if let Some(queue) = queue {
        segment["queueId"] = json!(queue);
    }
    segment
}

/// One interaction: a customer, and participants with or without an agent, whose segments are of any queue or of none.
fn interaction(dice: &mut Dice, organisation: &Organisation, nth: usize) -> Value {
    let queues: Vec<String> = organisation.directory.queues.iter().map(|one| one.id.clone()).collect();
    let users: Vec<String> = organisation.directory.users.iter().map(|one| one.id.clone()).collect();
    let mut participants = vec![
        json!({ "participantId": "p-customer", "purpose": "customer", "sessions": [{ "sessionId": "s-customer", "mediaType": "voice", "segments": [segment(dice, None)] }] }),
    ];
    for place in 0..=dice.below(4) {
        let agent = dice.percent(70).then(|| dice.pick(&users).clone());
        let mut one =
            json!({ "participantId": format!("p-{place}"), "purpose": "acd", "participantName": "Mrs Miller" });
        if let Some(agent) = &agent {
            one["userId"] = json!(agent);
            one["purpose"] = json!("agent");
        }
        let session = |dice: &mut Dice, at: usize| {
            let of = |dice: &mut Dice| (agent.is_none() || dice.percent(80)).then(|| dice.pick(&queues).clone());
            let segments: Vec<Value> = (0..=dice.below(3))
                .map(|_| {
                    let queue = of(dice);
                    segment(dice, queue.as_ref())
                })
                .collect();
            json!({ "sessionId": format!("s-{place}-{at}"), "mediaType": "voice", "provider": 7, "segments": segments })
        };
        one["sessions"] = (0..=dice.below(2)).map(|at| session(dice, at)).collect();
        participants.push(one);
    }
    json!({ "conversationId": format!("c-{nth}"), "conversationStart": instant(MONDAY), "participants": participants })
}

/// What the oracle says of one interaction. `@id` stands for a pseudonym of somebody.
struct Due<'a> {
    organisation: &'a Organisation,
    person: &'a str,
    scope: &'a [Entitlement],
    shadows: usize,
}

impl Due<'_> {
    fn sees(&self, conversation: &str, agent: Option<&str>, segment: &Value) -> bool {
        let at = |name: &str| segment[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        let leg = Leg {
            queue: segment["queueId"].as_str().map(str::to_owned),
            agent: agent.map(str::to_owned),
            start: at("segmentStart"),
            end: at("segmentEnd"),
            plain: BTreeMap::new(),
            handle: 1,
            tag: None,
            region: None,
        };
        self.organisation.directory.visible(self.person, self.scope, conversation, &leg)
    }

    fn shadow_of_segment(&mut self, segment: &Value) -> Value {
        self.shadows += 1;
        // a disconnect type that is no word of the upstream's own stays away
        json!({ "segmentType": segment["segmentType"] })
    }

    fn shadow_of_session(&mut self, session: &Value) -> Value {
        let segments: Vec<Value> =
            session["segments"].as_array().unwrap().iter().map(|one| self.shadow_of_segment(one)).collect();
        json!({ "mediaType": session["mediaType"], "segments": segments })
    }

    fn participant(&mut self, conversation: &str, whole: &Value) -> (Value, bool) {
        let agent = whole["userId"].as_str();
        if whole["purpose"] == "customer" {
            return (whole.clone(), false);
        }
        let sessions = whole["sessions"].as_array().unwrap();
        let seen = |session: &Value| -> Vec<bool> {
            let segments = session["segments"].as_array().unwrap();
            segments.iter().map(|segment| self.sees(conversation, agent, segment)).collect()
        };
        let seen: Vec<Vec<bool>> = sessions.iter().map(seen).collect();
        let mut out = whole.clone();
        if !seen.iter().flatten().any(|seen| *seen) {
            let sessions: Vec<Value> = sessions.iter().map(|one| self.shadow_of_session(one)).collect();
            let mut shadow = json!({ "purpose": whole["purpose"], "sessions": sessions });
            if let Some(agent) = agent {
                shadow["userId"] = json!(format!("@{agent}"));
            }
            return (shadow, false);
        }
        let mut shown = Vec::new();
        for (session, seen) in sessions.iter().zip(&seen) {
            if !seen.contains(&true) {
                // below an agent who is named, it would be his
                if agent.is_none() {
                    shown.push(self.shadow_of_session(session));
                }
                continue;
            }
            let mut segments = Vec::new();
            for (segment, seen) in session["segments"].as_array().unwrap().iter().zip(seen) {
                if *seen {
                    segments.push(segment.clone());
                } else if agent.is_none() {
                    segments.push(self.shadow_of_segment(segment));
                }
            }
            let mut session = session.clone();
            session["segments"] = json!(segments);
            shown.push(session);
        }
        out["sessions"] = json!(shown);
        (out, true)
    }

    fn row(&mut self, row: &Value) -> Option<Value> {
        let id = row["conversationId"].as_str().unwrap();
        let participants = row["participants"].as_array().unwrap();
        let (shown, seen): (Vec<Value>, Vec<bool>) = participants.iter().map(|one| self.participant(id, one)).unzip();
        let mut row = row.clone();
        row["participants"] = json!(shown);
        seen.contains(&true).then_some(row)
    }
}

/// Only what the rule's own list lets pass, and names masked, as in any answer of this rule.
fn trimmed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(trimmed).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "metrics"))
            .map(|(name, value)| {
                let value = if name == "participantName" { json!("***") } else { trimmed(value) };
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

/// The same, with one pseudonym for each person, and one person for each pseudonym.
fn same(got: &Value, due: &Value, names: &mut BTreeMap<String, String>) -> bool {
    match (got, due) {
        (Value::Array(got), Value::Array(due)) => {
            got.len() == due.len() && got.iter().zip(due).all(|(got, due)| same(got, due, names))
        }
        (Value::Object(got), Value::Object(due)) => {
            got.len() == due.len()
                && due.iter().all(|(name, due)| got.get(name).is_some_and(|got| same(got, due, names)))
        }
        (Value::String(got), Value::String(due)) if due.starts_with('@') => {
            let digits = got.strip_prefix("agent-").unwrap_or_default();
            let fits = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            fits && names.entry(due.clone()).or_insert_with(|| got.clone()) == got
        }
        (got, due) => got == due,
    }
}

fn guarded(plan: &GuardPlan, answer: &Value) -> Value {
    program::text(plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap().body())
}

#[test]
fn of_a_hidden_leg_its_place_and_kind_stay_and_nothing_else() {
    let (mut rows, mut shadows, mut people, mut together) = (0, 0, 0, BTreeSet::new());
    for seed in 0..60 {
        let mut dice = Dice::new(71_000 + seed);
        let organisation = Organisation::draw(&mut dice);
        let known = lists::known_ids(&organisation.directory);
        for nth in 0..12 {
            let mut case = Case::draw(&mut dice, &organisation);
            case.kind = Kind::Details;
            let day = 24 * HOUR;
            case.body = json!({ "interval": format!("{}/{}", instant(MONDAY), instant(MONDAY + 4 * day)) }).to_string();
            let Some(plan) = plan(&organisation, &case) else { continue };
            let scope = case.scope(&organisation.directory);
            let all: Vec<Value> = (0..6).map(|at| interaction(&mut dice, &organisation, 10 * nth + at)).collect();
            let answer = json!({ "conversations": all });
            let mut due = Due { organisation: &organisation, person: &case.person, scope: &scope, shadows: 0 };
            let kept: Vec<Value> = all.iter().filter_map(|row| due.row(row)).map(|row| trimmed(&row)).collect();
            rows += kept.len();
            shadows += due.shadows;
            let due = json!({ "conversations": kept });
            let salt = |byte: u8| std::array::from_fn(|at| [seed as u8, nth as u8, byte][at % 3]);
            let (one, two) = (plan.clone().salted(salt(0)), plan.clone().salted(salt(1)));
            let (first, second) = (guarded(&one, &answer), guarded(&two, &answer));
            let (mut names, mut others) = (BTreeMap::new(), BTreeMap::new());
            assert!(same(&first, &due, &mut names), "{case:?}\ngot {first}\ndue {due}\nof {answer}");
            assert!(same(&second, &due, &mut others), "{case:?}");
            let of = |names: &BTreeMap<String, String>| names.values().cloned().collect::<BTreeSet<String>>();
            assert_eq!(of(&names).len(), names.len(), "two people have one name");
            assert!(of(&names).is_disjoint(&of(&others)), "another answer knows the name");
            people += names.len();
            together.extend(of(&names));
            // whoever has a shadow is not named by it
            let mut said = BTreeSet::new();
            lists::strings(&first, &mut said);
            let mut lawful = BTreeSet::new();
            lists::strings(&due, &mut lawful);
            let strange = said.iter().find(|one| known.contains(*one) && !lawful.contains(*one));
            assert_eq!(strange, None, "{case:?}: {first}");
            // in pieces it is the same; without a salt, and under a rule that cuts, nothing stays
            let mut sieve = one.clone().sieve(200, usize::MAX).unwrap().unwrap();
            let mut pieces = Vec::new();
            for piece in answer.to_string().as_bytes().chunks(97) {
                sieve.push(&Raw::new(bytes::Bytes::copy_from_slice(piece))).unwrap();
                pieces.extend(sieve.take());
            }
            sieve.end().unwrap();
            pieces.extend(sieve.take());
            assert_eq!(program::text(&pieces), first);
            let cut = guarded(&plan, &answer);
            assert!(!cut.to_string().contains("\"agent-"), "{cut}");
            let ids = |answer: &Value| -> Vec<Value> {
                let rows = answer["conversations"].as_array().unwrap();
                rows.iter().map(|row| row["conversationId"].clone()).collect()
            };
            assert_eq!(ids(&cut), ids(&first), "a leg that stays makes no interaction visible");
        }
    }
    println!(
        "{rows} interactions, {shadows} legs without their owner, {people} pseudonyms, {} different",
        together.len()
    );
    assert!(rows > 300 && shadows > 1_000 && people > 300 && together.len() == people, "the cases are too easy");
}
