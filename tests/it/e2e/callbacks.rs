//! Scheduled callbacks over the wire: who may make, move and end which, by the directory file, and what the upstream's store holds
//! afterwards. What is refused has changed nothing, and was never asked for.

use super::house::{EU, Heard, House, Plan, US, now, until};
use crate::oracle::{
    data::{Directory, Leg},
    generate::Dice,
    semantics::{Data, Dim, Entitlement, Right},
};
use bailiwick::{
    audit::{Record, Verdict},
    sandbox::{Callback, Disobedience},
};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap, slice::from_ref, time::Duration};

const ROOT: &str = "/api/v2/conversations/callbacks";
const LINES: &str = include_str!("../../../rules/genesys/callbacks/lines.json");
const LATER: &str = "2026-11-21T09:00:00Z";

/// Two lines of business, each with its people, and callbacks waiting in both.
async fn house() -> House {
    House::of(Plan { directory: LINES.parse().unwrap(), interactions: 60, ..Plan::default() }).await
}

/// What is done, and the permissions that let somebody do it: by the names of the templates, and by the upstream's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Create,
    Move,
    MoveMany,
    End,
}

const DEEDS: [Deed; 4] = [Deed::Create, Deed::Move, Deed::MoveMany, Deed::End];

impl Deed {
    fn permissions(self) -> [String; 2] {
        let names = match self {
            Self::Create => ["routing:callback:create", "conversation:callback:create"],
            Self::Move | Self::MoveMany => ["routing:callback:reschedule", "conversation:callback:edit"],
            Self::End => ["routing:callback:cancel", "conversation:communication:disconnect"],
        };
        names.map(str::to_owned)
    }

    fn line(self) -> String {
        match self {
            Self::Create => format!("POST {ROOT}"),
            Self::Move => format!("PATCH {ROOT}"),
            Self::MoveMany => format!("POST {ROOT}/bulk/update"),
            Self::End => format!("POST {ROOT}/bulk/disconnect"),
        }
    }

    /// `to`: the queue of a new callback, or the one to which those of `of` are moved.
    fn body(self, of: &[String], to: Option<&str>) -> Value {
        let moved = |id: &String| {
            let mut one = json!({ "conversationId": id, "callbackScheduledTime": LATER });
            if let Some(queue) = to {
                one["queueId"] = json!(queue);
            }
            one
        };
        match self {
            Self::Create => json!({ "queueId": to, "callbackNumbers": ["+15550100"], "callbackScheduledTime": LATER }),
            Self::Move => moved(&of[0]),
            Self::MoveMany => json!({ "patchCallbackRequests": of.iter().map(moved).collect::<Vec<_>>() }),
            Self::End => {
                let ends = of.iter().map(|id| json!({ "conversationId": id }));
                json!({ "callbackDisconnectIdentifiers": ends.collect::<Vec<_>>() })
            }
        }
    }

    /// The store that is due once it was done.
    fn done(self, before: &[Callback], of: &[String], to: Option<&str>, after: &[Callback]) -> Vec<Callback> {
        let later = Some(LATER.parse().unwrap());
        let mut due = before.to_vec();
        if self == Self::Create {
            let conversation = after.last().unwrap().conversation.clone();
            assert!(before.iter().all(|one| one.conversation != conversation));
            due.push(Callback {
                conversation,
                queue: to.unwrap().to_owned(),
                agent: None,
                scheduled: later,
                numbers: "[\"+15550100\"]".to_owned(),
                ended: false,
            });
        }
        for one in due.iter_mut().filter(|one| of.contains(&one.conversation)) {
            match self {
                Self::Create => {}
                Self::End => one.ended = true,
                Self::Move | Self::MoveMany => {
                    one.scheduled = later;
                    one.queue = to.unwrap_or(&one.queue).to_owned();
                }
            }
        }
        due
    }
}

/// Does it, and holds what came of it against what is due.
async fn attempt(house: &House, person: &str, deed: Deed, of: &[String], to: Option<&str>, allowed: bool) -> Heard {
    let region = if person == "emil" { EU } else { US };
    let before = house.sandbox.callbacks(region).unwrap();
    house.received(region);
    let heard = house.ask(person, &deed.line(), &deed.body(of, to).to_string()).await;
    let after = house.sandbox.callbacks(region).unwrap();
    let path = deed.line().split_once(' ').unwrap().1.to_owned();
    let changes = house.received(region).into_iter().filter(|one| one.target == path).count();
    let what = format!("{person} {deed:?} {of:?} to {to:?}: {heard:?}");
    if allowed {
        assert!(matches!(heard.status, 200 | 201 | 204), "{what}");
        assert_eq!(after, deed.done(&before, of, to, &after), "{what}");
    } else {
        // 401: the account is not active
        assert!(matches!(heard.status, 400 | 401 | 403), "{what}");
        assert_eq!(after, before, "{what}");
    }
    assert_eq!(changes, usize::from(allowed), "{what}");
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_roles_do_what_their_templates_say_in_their_own_line() {
    let house = house().await;
    let own = house.sandbox.schedule(US, "q-new", None).unwrap();
    let foreign = house.sandbox.schedule(US, "q-care", None).unwrap();
    let mut tried = 0;
    for (person, acts) in [("adam", true), ("sara", true), ("moni", false), ("devi", false)] {
        for deed in DEEDS {
            // what is ended cannot be ended again
            let fresh =
                if deed == Deed::End { house.sandbox.schedule(US, "q-new", None).unwrap() } else { own.clone() };
            let (of_own, queue) = (vec![fresh], (deed == Deed::Create).then_some("q-new"));
            let of_own = if deed == Deed::Create { vec![] } else { of_own };
            attempt(&house, person, deed, &of_own, queue, acts).await;
            let (of, queue) = match deed {
                Deed::Create => (vec![], Some("q-care")),
                _ => (vec![foreign.clone()], None),
            };
            let refused = attempt(&house, person, deed, &of, queue, false).await;
            let (of, queue) = match deed {
                Deed::Create => (vec![], Some("q-invented")),
                _ => (vec!["c-invented".to_owned()], None),
            };
            let invented = attempt(&house, person, deed, &of, queue, false).await;
            // another line and what nobody ever made are one answer
            assert_eq!(refused.refusal(), invented.refusal(), "{person} {deed:?}");
            let code = if acts { "scope.outside" } else { "permission.missing" };
            assert_eq!((refused.status, refused.code().as_str()), (403, code), "{person} {deed:?}");
            tried += 3;
        }
        // all four view, in their line
        let read = |id: &str| format!("{ROOT}/{id}");
        let heard = house.get(person, &read(&own)).await;
        assert_eq!(heard.status, 200, "{person}: {heard:?}");
        let shown = heard.json();
        assert_eq!(shown["participants"][1]["queue"], json!({ "id": "q-new" }), "{person}: {shown}");
        assert_eq!(shown["participants"][0]["address"], "***", "{person}: {shown}");
        let there = house.get(person, &read(&foreign)).await;
        assert_eq!(there.refusal(), house.get(person, &read("c-invented")).await.refusal(), "{person}");
        assert_eq!(there.status, 404, "{person}: {there:?}");
    }
    println!("{tried} changes by four roles");
}

/// Sales and Service: folders, roles in two divisions, the most of two roles, parts of a queue, copies, parents, grants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_business_and_divisions_decide_which_queues() {
    let house = house().await;
    for (person, queue, allowed) in [
        ("both", "q-new", true),
        ("both", "q-care", false),
        ("cross", "q-care", true),
        ("cross", "q-new", false),
        ("lines", "q-new", true),
        ("lines", "q-care", false),
        ("vic", "q-care", true),
        ("vic", "q-new", false),
        ("desk", "q-new", true),
        ("desk", "q-renewals", false),
        ("agnes", "q-new", false),
        ("sara", "q-vip", false),
        ("sara", "q-old", false),
        ("sara", "q-eu", false),
        ("copy", "q-copies", false),
        ("pete", "q-new", false),
        ("otto", "q-new", false),
        ("gina", "q-new", true),
        ("gina", "q-renewals", false),
        ("gwen", "q-new", false),
        ("gert", "q-new", false),
        ("nobody", "q-new", false),
        ("emil", "q-eu", true),
        ("emil", "q-new", false),
    ] {
        attempt(&house, person, Deed::Create, &[], Some(queue), allowed).await;
    }
    let mixed = house.sandbox.schedule(US, "q-new", Some((Some("q-care"), "amos"))).unwrap();
    let heard = attempt(&house, "sara", Deed::Move, from_ref(&mixed), None, false).await;
    assert_eq!(heard.code(), "interaction.mixed");
    let own = house.sandbox.schedule(US, "q-new", None).unwrap();
    // one that is not his spoils the whole list
    for deed in [Deed::MoveMany, Deed::End] {
        attempt(&house, "sara", deed, &[own.clone(), mixed.clone()], None, false).await;
        attempt(&house, "sara", deed, &[own.clone(), "c-invented".to_owned()], None, false).await;
        let twice = attempt(&house, "sara", deed, &[own.clone(), own.clone()], None, false).await;
        assert_eq!((twice.status, twice.code().as_str()), (400, "query.malformed"));
    }
    attempt(&house, "sara", Deed::Move, from_ref(&own), Some("q-care"), false).await;
    attempt(&house, "sara", Deed::Move, from_ref(&own), Some("q-renewals"), true).await;
    // named by its own part, and never by that of another
    let other = house.sandbox.schedule(US, "q-care", None).unwrap();
    let part = |id: &str| format!("s-{}-2", id.rsplit_once('-').unwrap().1);
    let end =
        |part: String| json!({ "callbackDisconnectIdentifiers": [{ "conversationId": own, "callbackId": part }] });
    let before = house.sandbox.callbacks(US).unwrap();
    let heard = house.ask("sara", &Deed::End.line(), &end(part(&other)).to_string()).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "scope.outside"), "{heard:?}");
    assert_eq!(house.sandbox.callbacks(US).unwrap(), before);
    let heard = house.ask("sara", &Deed::End.line(), &end(part(&own)).to_string()).await;
    assert_eq!((heard.status, heard.body.as_str()), (204, ""), "{heard:?}");
    let ended = house.sandbox.callbacks(US).unwrap();
    assert!(ended.iter().all(|one| one.ended == (one.conversation == own)), "{ended:?}");
    // an agent of the line may be chosen, one of another may not
    let waiting = house.sandbox.schedule(US, "q-new", None).unwrap();
    for (agent, status) in [("agnes", 200), ("amos", 403), ("u-invented", 403)] {
        let body = json!({ "conversationId": waiting, "agentId": agent });
        let heard = house.ask("sara", &Deed::Move.line(), &body.to_string()).await;
        assert_eq!(heard.status, status, "{agent}: {heard:?}");
    }
    let now = house.sandbox.callbacks(US).unwrap();
    assert_eq!(now.last().unwrap().agent.as_deref(), Some("agnes"));
}

/// The bodies that would go round the owner, and the forms that mean two things.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_name_another_owner_are_refused() {
    let house = house().await;
    let own = house.sandbox.schedule(US, "q-new", None).unwrap();
    let other = house.sandbox.schedule(US, "q-care", None).unwrap();
    let before = house.sandbox.callbacks(US).unwrap();
    let n = r#""callbackNumbers":["+15550100"]"#;
    for (line, body) in [
        (Deed::Create.line(), format!(r#"{{"queueId":"q-new","queueId":"q-care",{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"q-new","queueid":"q-care",{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"q-new","queue\u0049d":"q-care",{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"q-new","routingData":{{"queueId":"q-care"}},{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"q-new","scriptId":"any",{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":["q-new"],{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":null,{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"",{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"q-new ",{n}}}"#)),
        (Deed::Create.line(), format!(r#"{{"queueId":"Q-NEW",{n}}}"#)),
        (Deed::Create.line(), format!(r#"[{{"queueId":"q-new",{n}}}]"#)),
        (Deed::Create.line(), format!(r"{{{n}}}")),
        (format!("POST {ROOT}?queueId=q-care"), format!(r#"{{"queueId":"q-new",{n}}}"#)),
        (Deed::Move.line(), format!(r#"{{"conversationId":"{own},{other}"}}"#)),
        (Deed::Move.line(), format!(r#"{{"conversationId":"{own}/../{other}"}}"#)),
        (Deed::Move.line(), r#"{"conversationId":""}"#.to_owned()),
        (Deed::Move.line(), format!(r#"{{"conversationId":["{own}"]}}"#)),
        (Deed::MoveMany.line(), r#"{"patchCallbackRequests":[]}"#.to_owned()),
        (Deed::MoveMany.line(), r#"{"patchCallbackRequests":[{}]}"#.to_owned()),
        (Deed::MoveMany.line(), "{}".to_owned()),
        (Deed::End.line(), r#"{"callbackDisconnectIdentifiers":[{"callbackId":"s-1-2"}]}"#.to_owned()),
        (format!("PUT {ROOT}"), format!(r#"{{"queueId":"q-new",{n}}}"#)),
        (format!("DELETE {ROOT}/{own}"), String::new()),
        (format!("PATCH {ROOT}/{own}"), r#"{"state":"disconnected"}"#.to_owned()),
        (format!("GET {ROOT}"), String::new()),
    ] {
        house.received(US);
        let heard = house.ask("sara", &line, &body).await;
        assert!(matches!(heard.status, 400 | 403 | 404), "{line} {body}: {heard:?}");
        let asked = house.received(US);
        assert!(asked.iter().all(|one| one.method == "GET"), "{line} {body}: {asked:?}");
    }
    assert_eq!(house.sandbox.callbacks(US).unwrap(), before);
}

/// Each query of a change has its intent before it; what is refused has none of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_recorded_with_the_look_before_them() {
    let house = house().await;
    let own = house.sandbox.schedule(US, "q-new", None).unwrap();
    let other = house.sandbox.schedule(US, "q-care", None).unwrap();
    for (id, allowed) in [(&own, true), (&other, false)] {
        let heard = attempt(&house, "sara", Deed::Move, from_ref(id), None, allowed).await;
        let (_, outcome) = house.lines(heard.decision()).await;
        let of_this = house.record().into_iter().filter(|record| record.decision() == heard.decision());
        let intents: Vec<String> = of_this
            .filter_map(|record| match record {
                Record::Intent(intent) => intent.sent.text.map(|text| text.path),
                Record::Outcome(_) => None,
            })
            .collect();
        let look = "/api/v2/analytics/conversations/details".to_owned();
        let due: &[String] = if allowed { &[look, ROOT.to_owned()] } else { &[look] };
        assert_eq!(intents, due, "{heard:?}");
        assert_eq!(outcome.operation.as_deref(), Some("conversations.callbacks.reschedule"));
        assert_eq!(outcome.verdict == Verdict::Refused, !allowed, "{outcome:?}");
    }
    // what a mask hides in answers stands in no line, neither of what was done nor of what was refused
    for (queue, allowed) in [("q-new", true), ("q-care", false)] {
        let body = json!({ "queueId": queue, "callbackNumbers": ["+15550177"], "callbackUserName": "Mrs Miller" });
        let heard = house.ask("sara", &Deed::Create.line(), &body.to_string()).await;
        assert_eq!(heard.status < 300, allowed, "{heard:?}");
        let (intent, outcome) = house.lines(heard.decision()).await;
        let of_this = intent.iter().flat_map(|intent| [&intent.asked, &intent.sent]).chain(&outcome.asked);
        let texts: Vec<&str> = of_this.map(|query| query.text.as_ref().unwrap().body.as_deref().unwrap()).collect();
        assert_eq!(texts.len(), if intent.is_some() { 3 } else { 1 });
        for text in texts {
            let kept: Value = text.parse().unwrap();
            let due = json!({ "queueId": queue, "callbackNumbers": ["***"], "callbackUserName": "***" });
            assert_eq!(kept, due);
        }
    }
    let lines = std::fs::read_dir(house.folder.path().join("data/audit")).unwrap();
    let all: String = lines.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(all.contains("callbackNumbers") && !all.contains("+15550177") && !all.contains("Mrs Miller"));
    let stored = house.sandbox.callbacks(US).unwrap();
    assert!(stored.iter().any(|one| one.numbers.contains("+15550177")), "what is sent is whole");
}

type Fault = fn(&mut Disobedience, bool);

/// A number that is hidden stands in no record of a refusal either: not as text, and not as the digest of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_of_a_refusal_tells_no_number() {
    let house = house().await;
    let mut digests = Vec::new();
    for (person, queue, number) in
        [("nobody", "q-new", "+15550100"), ("nobody", "q-new", "+15550199"), ("nobody", "q-care", "+15550199")]
    {
        let body = json!({ "queueId": queue, "callbackNumbers": [number], "callbackScheduledTime": LATER });
        let heard = house.post(person, ROOT, &body).await;
        assert_eq!(heard.code(), "permission.missing", "{heard:?}");
        let (_, outcome) = house.lines(heard.decision()).await;
        assert!(!format!("{outcome:?}").contains(number));
        digests.push(outcome.asked.unwrap().digest);
    }
    assert_eq!(digests[0], digests[1], "the digest tells one number from another");
    assert_ne!(digests[1], digests[2], "the digest tells one question from another");
}

/// Whatever the upstream answers: what passes is listed, nothing is sent twice, and nobody is told that a change failed which may
/// have been made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_answers_to_changes() {
    let house = house().await;
    let own = house.sandbox.schedule(US, "q-new", None).unwrap();
    let create = Deed::Create.body(&[], Some("q-new")).to_string();
    let count = || house.sandbox.callbacks(US).unwrap().len();
    let plain = house.ask("sara", &Deed::Create.line(), &create).await;
    assert_eq!(plain.status, 201, "{plain:?}");
    let members = |heard: &Heard| {
        let answer = heard.json();
        let mut names: Vec<String> = answer.as_object().unwrap().keys().cloned().collect();
        names.sort();
        (names, answer["conversation"].as_object().unwrap().keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(
        members(&plain),
        (vec!["callbackIdentifiers".to_owned(), "conversation".to_owned()], vec!["id".to_owned()])
    );
    house.sandbox.disobey(|faults| faults.extra_fields = true);
    let heard = house.ask("sara", &Deed::Create.line(), &create).await;
    assert_eq!(members(&heard), members(&plain));
    house.sandbox.disobey(|faults| {
        faults.extra_fields = false;
        faults.foreign_rows = true;
    });
    // the look shows strangers beside, the answer speaks of another interaction
    let heard = house.ask("sara", &Deed::Move.line(), &Deed::Move.body(&[own], None).to_string()).await;
    assert_eq!((heard.status, heard.code().as_str()), (502, "answer.unreadable"), "{heard:?}");
    assert!(heard.json()["message"].as_str().unwrap().contains("may have been made"), "{heard:?}");
    house.sandbox.disobey(|faults| faults.foreign_rows = false);
    let faults: [(Fault, u16, &str, usize); 6] = [
        (|faults, on| faults.truncated = on, 502, "answer.unreadable", 1),
        (|faults, on| faults.invalid_json = on, 502, "answer.unreadable", 1),
        (|faults, on| faults.html = on, 502, "answer.unreadable", 1),
        (|faults, on| faults.reset = on, 502, "upstream.unavailable", 0),
        (|faults, on| faults.server_error = on, 502, "upstream.refused", 0),
        (|faults, on| faults.too_many = on.then_some(7), 429, "upstream.refused", 0),
    ];
    for (fault, status, code, made) in faults {
        let before = count();
        house.sandbox.disobey(|faults| fault(faults, true));
        house.received(US);
        let heard = house.ask("sara", &Deed::Create.line(), &create).await;
        house.sandbox.disobey(|faults| fault(faults, false));
        assert_eq!((heard.status, heard.code().as_str()), (status, code), "{heard:?}");
        let unsure = heard.json()["message"].as_str().unwrap().contains("may have been made");
        assert_eq!(unsure, status == 502, "{heard:?}");
        assert_eq!(heard.header("retry-after").is_some(), status == 429, "{heard:?}");
        assert_eq!(house.received(US).len(), 1, "sent once: {heard:?}");
        assert_eq!(count(), before + made, "{heard:?}");
    }
    // a token that is no longer taken: nothing was done, and it is asked for once more with a new one
    let before = count();
    house.sandbox.disobey(|faults| faults.forget_tokens = true);
    let heard = house.ask("sara", &Deed::Create.line(), &create).await;
    house.sandbox.disobey(|faults| faults.forget_tokens = false);
    assert!(heard.status >= 500, "{heard:?}");
    assert_eq!(count(), before);
    let heard = house.ask("sara", &Deed::Create.line(), &create).await;
    assert_eq!((heard.status, count()), (201, before + 1), "{heard:?}");
}

/// Too late is not undone: the change is there, and the answer says that it may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_answer_is_late_is_not_repeated() {
    let total = "[proxy]\nlisten = \"127.0.0.1:0\"\n[proxy.limits]\ntotal-time = \"400ms\"\n";
    for (limits, more, code) in
        [("first-byte-time = \"400ms\"\n", "", "upstream.timeout"), ("", total, "proxy.timeout")]
    {
        let (directory, more) = (LINES.parse().unwrap(), more.to_owned());
        late(&House::of(Plan { directory, interactions: 60, limits, more, ..Plan::default() }).await, code).await;
    }
}

async fn late(house: &House, code: &str) {
    let create = Deed::Create.body(&[], Some("q-new")).to_string();
    // there is a token before
    assert_eq!(house.ask("sara", &Deed::Create.line(), &create).await.status, 201);
    house.sandbox.disobey(|faults| faults.delay = Some(Duration::from_millis(900)));
    house.received(US);
    let heard = house.ask("sara", &Deed::Create.line(), &create).await;
    assert_eq!((heard.status, heard.code().as_str()), (504, code), "{heard:?}");
    assert!(heard.json()["message"].as_str().unwrap().contains("may have been made"), "{heard:?}");
    house.sandbox.disobey(|faults| faults.delay = None);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(house.received(US).len(), 1);
    assert!(house.sandbox.callbacks(US).unwrap().len() <= 2);
}

/// A grant ends, a role is taken away: the next change knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_of_now_decide() {
    let house = house().await;
    attempt(&house, "sara", Deed::Create, &[], Some("q-new"), true).await;
    house.write_directory(&LINES.replace("[{\"role\": \"r-supervisor\", \"division\": \"d-sales\"}]}", "[]}"));
    let without = || async {
        let heard =
            house.ask("sara", &Deed::Move.line(), &Deed::Move.body(&["c-none".to_owned()], None).to_string()).await;
        heard.code() == "permission.missing"
    };
    until("the directory is read again", without).await;
    attempt(&house, "sara", Deed::Create, &[], Some("q-new"), false).await;
}

fn leg(queue: Option<&str>, agent: Option<&str>) -> Leg {
    let at = now().as_second();
    Leg {
        queue: queue.map(str::to_owned),
        agent: agent.map(str::to_owned),
        start: at,
        end: at,
        plain: BTreeMap::new(),
        handle: 0,
        tag: None,
        region: None,
    }
}

/// Of rights, those that may change something: without a data window.
fn rights(directory: &Directory, person: &str, deed: Deed) -> Vec<Entitlement> {
    let right = Right { permissions: &deed.permissions(), action: "edit", data: Data::Interaction, archived: false };
    let all = directory.entitlements(person, &right, now().as_second());
    all.into_iter().filter(|one| one.window.is_none()).collect()
}

/// Whoever makes something for a queue has all of it, and it is alive.
fn whole_queue(directory: &Directory, person: &str, scope: &[Entitlement], queue: &str) -> bool {
    let alive = directory.queue(queue).is_some_and(|queue| matches!(queue.state.as_deref(), None | Some("active")));
    let unbound = |one: &&Entitlement| one.conversations == Dim::Any;
    let scope: Vec<_> = scope.iter().filter(unbound).cloned().collect();
    alive && directory.visible(person, &scope, "", &leg(Some(queue), None))
}

/// Reads a callback; what is shown of it is what the directory file says. Gives whether anything was.
async fn read(house: &House, directory: &Directory, person: &str, (id, legs): (&str, &[Leg])) -> bool {
    let reports = ["analytics:report:view", "analytics:dashboard:view", "analytics:query:view", "reporting:data:view"];
    let permissions = ["routing:callback:view", "conversation:communication:view"].into_iter().chain(reports);
    let permissions: Vec<String> = permissions.map(str::to_owned).collect();
    let right = Right { permissions: &permissions, action: "view", data: Data::Interaction, archived: false };
    let scope = directory.entitlements(person, &right, now().as_second());
    let due: Vec<_> = legs.iter().filter(|leg| directory.visible(person, &scope, id, leg)).collect();
    let heard = house.get(person, &format!("{ROOT}/{id}")).await;
    if due.is_empty() {
        // 403: no permission at all
        assert!(matches!(heard.status, 401 | 403 | 404), "{person} {id}: {heard:?}");
        return false;
    }
    let shown = heard.json();
    let of = |one: &Value, name: &str| one[name]["id"].as_str().map(str::to_owned);
    let owned = shown["participants"].as_array().unwrap().iter().map(|one| (of(one, "queue"), of(one, "user")));
    let owned: Vec<_> = owned.filter(|(queue, user)| queue.is_some() || user.is_some()).collect();
    let due: Vec<_> = due.into_iter().map(|leg| (leg.queue.clone(), leg.agent.clone())).collect();
    assert_eq!(owned, due, "{person} {id}: {heard:?}");
    true
}

const PEOPLE: usize = 70;

/// The sample organisation with rights to callbacks of every scope handed out at random.
fn drawn(dice: &mut Dice) -> (Value, Vec<String>) {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    let deeds = ["create", "reschedule", "cancel"].map(|deed| format!("routing:callback:{deed}"));
    let scopes = [
        json!({ "scope": "all" }),
        json!({ "scope": "assigned", "team": true }),
        json!({ "scope": "assigned" }),
        json!({ "scope": "self" }),
        json!({ "scope": "view", "view": "v-sales-hot" }),
        json!({ "scope": "group", "groups": ["g-svc-blue"] }),
    ];
    let mut roles =
        vec!["r-callback-supervisor".to_owned(), "r-callback-administrator".into(), "r-callback-monitor".into()];
    for (place, scope) in scopes.iter().enumerate() {
        for deed in &deeds {
            let mut permission = scope.clone();
            permission["permission"] = json!(deed);
            let id = format!("r-drawn-{place}-{}", deed.rsplit_once(':').unwrap().1);
            directory["roles"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "id": id, "name": id, "permissions": [permission] }));
            roles.push(id);
        }
    }
    let divisions: Vec<String> = texts(&directory["divisions"]);
    let queues = texts(&directory["queues"]);
    let users = directory["users"].as_array_mut().unwrap();
    let here: Vec<usize> = (0..users.len()).filter(|at| users[*at]["region"] == US).collect();
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        let user = &mut users[*dice.pick(&here)];
        let own = user["division"].as_str().unwrap().to_owned();
        let mut held = user["roles"].as_array().cloned().unwrap_or_default();
        for _ in 0..=dice.below(2) {
            let division = if dice.percent(70) { own.clone() } else { dice.pick(&divisions).clone() };
            let one = json!({ "role": dice.pick(&roles), "division": division });
            if !held.contains(&one) {
                held.push(one);
            }
        }
        user["roles"] = json!(held);
        people.push(user["id"].as_str().unwrap().to_owned());
    }
    for (place, person) in people.iter().enumerate().take(25) {
        let resource = match dice.below(3) {
            0 => json!({ "kind": "division", "id": "d-claims-us" }),
            1 => json!({ "kind": "user", "id": dice.pick(&people) }),
            _ => json!({ "kind": "queue", "id": dice.pick(&queues) }),
        };
        let mut grant = json!({
            "id": format!("gr-drawn-{place}"), "beneficiary": person, "resources": [resource],
            "actions": [if dice.percent(70) { "edit" } else { "view" }],
            "from": "2026-11-01T00:00:00Z", "until": if dice.percent(80) { "2027-11-01T00:00:00Z" } else { "2026-11-15T00:00:00Z" },
        });
        if dice.percent(20) {
            grant["data"] = json!({ "from": "2026-01-01T00:00:00Z", "until": "2027-11-01T00:00:00Z" });
        }
        directory["grants"].as_array_mut().unwrap().push(grant);
    }
    (directory, people)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// Allowed exactly when the directory file says so, whatever the right comes from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_changes_are_allowed_exactly_when_the_directory_says_so() {
    let dice = &mut Dice::new(20_261_120);
    let (file, people) = drawn(dice);
    let directory = Directory::read(&file.to_string());
    let queues: Vec<&str> = directory.queues.iter().map(|queue| queue.id.as_str()).collect();
    let house = House::of(Plan { directory: file.clone(), interactions: 60, ..Plan::default() }).await;
    let in_region = |queue: &str| {
        let division = directory.queue(queue).map(|queue| queue.division.as_str());
        division.and_then(|id| directory.division(id)).is_some_and(|division| division.region == US)
    };
    let here: Vec<&str> = queues
        .iter()
        .copied()
        .filter(|queue| in_region(queue) && directory.queue(queue).unwrap().state.as_deref() != Some("deleted"))
        .collect();
    let legs: RefCell<BTreeMap<String, Vec<Leg>>> = RefCell::default();
    let made = |house: &House, dice: &mut Dice, queue: &str| {
        let worker = (dice.percent(25)).then(|| {
            let place = if dice.percent(70) { Some(*dice.pick(&here)) } else { None };
            (place, dice.pick(&people).clone())
        });
        let by = worker.as_ref().map(|(place, agent)| (*place, agent.as_str()));
        let id = house.sandbox.schedule(US, queue, by).unwrap();
        let mut all = vec![leg(Some(queue), None)];
        all.extend(by.map(|(place, agent)| leg(place, Some(agent))));
        legs.borrow_mut().insert(id.clone(), all.clone());
        (id, all)
    };
    let (mut allowed, mut refused, mut shown, mut cases) = (0, 0, 0, 0);
    while cases < 300 {
        let (person, deed) = (dice.pick(&people).clone(), *dice.pick(&DEEDS));
        let scope = rights(&directory, &person, deed);
        // what he might be allowed, as often as what he is not
        let likely: Vec<&str> =
            here.iter().copied().filter(|queue| whole_queue(&directory, &person, &scope, queue)).collect();
        if likely.is_empty() && dice.percent(70) {
            continue;
        }
        let queue = |dice: &mut Dice| {
            if likely.is_empty() || dice.percent(20) { *dice.pick(&queues) } else { *dice.pick(&likely) }
        };
        let to = match deed {
            Deed::Create => Some(queue(dice)),
            Deed::End => None,
            Deed::Move | Deed::MoveMany => dice.percent(40).then(|| queue(dice)),
        };
        let many = match deed {
            Deed::Create => 0,
            Deed::Move => 1,
            Deed::MoveMany | Deed::End => 1 + dice.below(3),
        };
        let mut of = Vec::new();
        let mut due = to.is_none_or(|queue| whole_queue(&directory, &person, &scope, queue));
        for _ in 0..many {
            let at = queue(dice);
            let at = if here.contains(&at) { at } else { here[0] };
            let (id, all) = made(&house, dice, at);
            due &= all.iter().all(|leg| directory.visible(&person, &scope, &id, leg));
            of.push(id);
        }
        for id in &of {
            let all = legs.borrow()[id].clone();
            shown += usize::from(read(&house, &directory, &person, (id, &all)).await);
        }
        attempt(&house, &person, deed, &of, to, due).await;
        if due {
            allowed += 1;
        } else {
            refused += 1;
        }
        cases += 1;
    }
    println!("{cases} random changes: {allowed} allowed, {refused} refused; {shown} shown before");
    assert!(shown > 80 && allowed > 80 && refused > 80, "{allowed} {refused}");
}
