//! The guard alone: scopes and answers that no obedient upstream and no sound derivation would ever give it.

use super::{
    case::{Organisation, Stock},
    program,
};
use crate::oracle::{
    data::Directory,
    generate::{Dice, MONDAY},
    questions::Kind,
};
use bailiwick::{
    decision::{self, Decided},
    model::{
        contract::Method,
        entitlement::{Action, Entitlement, Scope, Source, Validity, Window},
        operation::Operation,
        org::{Org, Principal, QueueState},
        refusal::Code,
        set::{Dim, Set},
        world::World,
    },
    policy::guard::{GuardPlan, Unguarded},
    query::Question,
};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: i64 = MONDAY + 3 * 86_400;
const START: &str = "2026-11-17T09:00:00Z";
const END: &str = "2026-11-17T09:05:00Z";

pub(super) fn organisation() -> Organisation {
    let user = |id: &str, division: &str, roles: Value| json!({ "id": id, "name": id, "division": division, "region": "us", "roles": roles });
    let role = |id: &str, scope: Value| {
        let permissions = ["analytics:report:view", "routing:queue:view", "conversation:communication:view"];
        let with = |name: &&str| {
            let mut permission = scope.clone();
            permission["permission"] = json!(name);
            permission
        };
        json!({ "id": id, "permissions": permissions.iter().map(with).collect::<Vec<_>>() })
    };
    let file = json!({
        "version": "guard",
        "regions": [{ "id": "us", "upstream": "http://127.0.0.1:1" }, { "id": "eu", "upstream": "http://127.0.0.1:2" }],
        "divisions": [
            { "id": "root", "region": "us" }, { "id": "pay", "parent": "root", "region": "us" },
            { "id": "claims", "parent": "root", "region": "us" }, { "id": "europe", "region": "eu" },
        ],
        "roles": [
            role("all", json!({ "scope": "all" })), role("team", json!({ "scope": "assigned", "team": true })),
            role("own", json!({ "scope": "self" })),
        ],
        "users": [
            user("sofia", "pay", json!([{ "role": "team", "division": "pay" }])),
            user("ana", "pay", json!([{ "role": "own", "division": "pay" }])), user("ben", "pay", json!([])),
            user("cora", "pay", json!([{ "role": "all", "division": "pay" }])), user("carl", "claims", json!([])),
            { "id": "eva", "division": "europe", "region": "eu" },
        ],
        "queues": [
            { "id": "cards", "name": "cards", "division": "pay", "members": ["sofia", "ana", "ben"] },
            { "id": "loans", "name": "loans", "division": "pay", "members": ["sofia"] },
            { "id": "secret", "division": "pay", "restricted": true, "members": ["ben"] },
            { "id": "motor", "division": "claims", "members": ["carl"] },
            { "id": "eu-cards", "division": "europe", "members": ["eva"] },
        ],
    });
    let stock = Stock::draw(&mut Dice::new(42), &Directory::read(&file.to_string()));
    Organisation::of(file, stock).unwrap()
}

pub(super) fn text(body: &[u8]) -> Value {
    std::str::from_utf8(body).unwrap().parse().unwrap()
}

// ---- one leg under one right -------------------------------------------------------------------------------------

fn queues(org: &Org, ids: &[&str]) -> Dim<bailiwick::model::org::QueueIx> {
    Dim::Only(ids.iter().map(|id| org.index.queues[*id]).collect())
}

fn users(org: &Org, ids: &[&str]) -> Dim<bailiwick::model::org::UserIx> {
    Dim::Only(ids.iter().map(|id| org.index.users[*id]).collect())
}

fn divisions(org: &Org, ids: &[&str]) -> Dim<bailiwick::model::org::DivisionIx> {
    Dim::Only(ids.iter().map(|id| org.index.divisions[*id]).collect())
}

/// Everything in the region, always.
fn whole(org: &Org) -> Entitlement {
    Entitlement {
        holder: Principal::User(org.index.users["carl"]),
        region: org.index.regions["us"],
        divisions: Dim::Any,
        queues: Dim::Any,
        users: Dim::Any,
        conversations: Dim::Any,
        data: None,
        actions: vec![Action::View],
        valid: Validity::ALWAYS,
        source: Source::Grant { id: "g".into() },
    }
}

fn read(org: &Org, right: Entitlement) -> GuardPlan {
    // A right to another conversation, so that the question may be asked at all.
    let anchor = Entitlement { conversations: Dim::Only(Set::one("c-0".into())), ..whole(org) };
    let (operation, ids) = program::rules().find(Method::Get, &["api", "v2", "conversations", "c-1"]).unwrap();
    let ids = ids.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let question =
        Question { operation: Arc::clone(operation), ids, params: vec![], body: None, kept: None, seen: None };
    let world: World = program::world(&Arc::new(org.clone()));
    let scope = Scope {
        holder: anchor.holder,
        region: anchor.region,
        action: Action::View,
        entitlements: vec![anchor, right],
        inert: Set::new(),
        lifts: vec![],
        openings: Vec::new(),
        good_until: None,
    };
    match decision::decide(&world, &Arc::new(scope), &question, program::at(NOW)) {
        Ok(Decided::Forward(forward)) => forward.plan,
        other => panic!("asks: {other:?}"),
    }
}

fn leg(queue: &str, user: &str) -> Value {
    let mut leg = json!({ "id": "p", "startTime": START, "endTime": END });
    for (name, value) in [("queueId", queue), ("userId", user)] {
        if !value.is_empty() {
            leg[name] = json!(value);
        }
    }
    leg
}

fn shows(plan: &GuardPlan, leg: &Value) -> bool {
    let answer = json!({ "id": "c-1", "participants": [leg] }).to_string();
    match plan.guard(Unguarded::new(200, answer.into_bytes())) {
        Ok(guarded) => guarded.rows_out() == 1,
        Err(refusal) => {
            assert_eq!(refusal.code, Code::ScopeOutside);
            false
        }
    }
}

#[test]
fn a_leg_is_shown_by_a_right_that_covers_every_part_of_it() {
    let org = &*organisation().world.org;
    let at = |text: &str| text.parse().unwrap();
    let now = program::at(NOW);
    let second = jiff::SignedDuration::from_secs(1);
    let window = |from, until| Some(Window { from: at(from), until: at(until) });
    let bounded = |from, until| Validity { from, until };
    let all = || whole(org);
    let here = leg("cards", "ana");
    for (what, right, leg, due) in [
        ("everything", all(), &here, true),
        ("of somebody else", Entitlement { holder: Principal::User(org.index.users["ana"]), ..all() }, &here, false),
        ("of another region", Entitlement { region: org.index.regions["eu"], ..all() }, &here, false),
        ("of another action", Entitlement { actions: vec![Action::Export], ..all() }, &here, false),
        ("of an action that includes it", Entitlement { actions: vec![Action::Playback], ..all() }, &here, true),
        ("from now on", Entitlement { valid: bounded(Some(now), None), ..all() }, &here, true),
        ("begins later", Entitlement { valid: bounded(Some(now + second), None), ..all() }, &here, false),
        ("until now", Entitlement { valid: bounded(None, Some(now)), ..all() }, &here, false),
        ("ends later", Entitlement { valid: bounded(None, Some(now + second)), ..all() }, &here, true),
        ("its division", Entitlement { divisions: divisions(org, &["pay"]), ..all() }, &here, true),
        ("another division", Entitlement { divisions: divisions(org, &["claims"]), ..all() }, &here, false),
        ("a parent division", Entitlement { divisions: divisions(org, &["root"]), ..all() }, &here, false),
        ("this conversation", Entitlement { conversations: Dim::Only(Set::one("c-1".into())), ..all() }, &here, true),
        (
            "another conversation",
            Entitlement { conversations: Dim::Only(Set::one("c-2".into())), ..all() },
            &here,
            false,
        ),
        ("its queue", Entitlement { queues: queues(org, &["cards"]), ..all() }, &here, true),
        ("another queue", Entitlement { queues: queues(org, &["loans"]), ..all() }, &here, false),
        ("its agent", Entitlement { users: users(org, &["ana"]), ..all() }, &here, true),
        ("another agent", Entitlement { users: users(org, &["ben"]), ..all() }, &here, false),
        ("an agent, and nobody there", Entitlement { users: users(org, &["ana"]), ..all() }, &leg("cards", ""), false),
        (
            "an agent, and a stranger there",
            Entitlement { users: users(org, &["ana"]), ..all() },
            &leg("cards", "zoe"),
            false,
        ),
        ("every agent, and a stranger there", all(), &leg("cards", "zoe"), true),
        ("a strange queue", all(), &leg("zoo", "ana"), false),
        ("a restricted queue by `any`", all(), &leg("secret", "ben"), false),
        (
            "a restricted queue by name",
            Entitlement { queues: queues(org, &["secret"]), ..all() },
            &leg("secret", "ben"),
            true,
        ),
        ("a queue of another region", all(), &leg("eu-cards", "eva"), false),
        ("no queue, and any", all(), &leg("", "ana"), true),
        ("no queue, and a list", Entitlement { queues: queues(org, &["cards"]), ..all() }, &leg("", "ana"), false),
        (
            "no queue, and the agent's division",
            Entitlement { divisions: divisions(org, &["pay"]), ..all() },
            &leg("", "ana"),
            true,
        ),
        (
            "no queue, and another division",
            Entitlement { divisions: divisions(org, &["claims"]), ..all() },
            &leg("", "ana"),
            false,
        ),
        ("no queue, and a stranger", all(), &leg("", "zoe"), false),
        ("nobody's", all(), &leg("", ""), false),
        ("a window around it", Entitlement { data: window(START, END), ..all() }, &here, true),
        (
            "a window that begins later",
            Entitlement { data: window("2026-11-17T09:00:01Z", END), ..all() },
            &here,
            false,
        ),
        (
            "a window that ends earlier",
            Entitlement { data: window(START, "2026-11-17T09:04:59Z"), ..all() },
            &here,
            false,
        ),
        (
            "a window, and no start",
            Entitlement { data: window(START, END), ..all() },
            &json!({ "id": "p", "queueId": "cards", "endTime": END }),
            false,
        ),
        (
            "a window, and no end",
            Entitlement { data: window(START, END), ..all() },
            &json!({ "id": "p", "queueId": "cards", "startTime": START }),
            false,
        ),
        ("a queue that is a number", all(), &json!({ "id": "p", "queueId": 7, "userId": "ana" }), false),
        ("an agent that is a list", all(), &json!({ "id": "p", "queueId": "cards", "userId": ["ana"] }), false),
        ("no agent, said so", all(), &json!({ "id": "p", "queueId": "cards", "userId": null }), true),
    ] {
        assert_eq!(shows(&read(org, right), leg), due, "{what}");
    }
}

#[test]
fn a_leg_is_judged_by_the_organisation_itself() {
    let organisation = organisation();
    let changed = |right: fn(&Org) -> Entitlement, change: fn(&mut Org, usize)| {
        let mut org = Org::clone(&organisation.world.org);
        let cards = org.index.queues["cards"].index();
        change(&mut org, cards);
        shows(&read(&org, right(&org)), &leg("cards", "ana"))
    };
    let by_name: fn(&Org) -> Entitlement = |org| Entitlement { queues: queues(org, &["cards"]), ..whole(org) };
    let in_root: fn(&Org) -> Entitlement = |org| Entitlement { divisions: divisions(org, &["root"]), ..whole(org) };
    let in_europe: fn(&Org) -> Entitlement = |org| Entitlement { divisions: divisions(org, &["europe"]), ..whole(org) };
    assert!(changed(by_name, |_, _| {}));
    assert!(changed(whole, |org, cards| org.queues[cards].state = QueueState::Archived));
    assert!(!changed(by_name, |org, cards| org.queues[cards].state = QueueState::Archived), "dead, though listed");
    assert!(!changed(whole, |org, cards| org.queues[cards].restricted = true), "restricted since");
    assert!(!changed(whole, |org, cards| org.queues[cards].read = bailiwick::model::org::Read::Closed), "closed since");
    assert!(!changed(in_root, |org, cards| org.queues[cards].division = org.index.divisions["root"]), "of a parent");
    assert!(!changed(in_europe, |org, cards| org.queues[cards].division = org.index.divisions["europe"]), "abroad");
}

#[test]
fn what_follows_an_interaction_and_what_does_not() {
    let org = &*organisation().world.org;
    let plan = read(org, Entitlement { users: users(org, &["ana"]), ..whole(org) });
    let guard = |participants: Value| {
        let answer =
            json!({ "id": "c-1", "divisions": [], "startTime": START, "secret": 1, "participants": participants });
        plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).map_err(|refusal| refusal.code)
    };
    let customer = json!({ "id": "p-0", "purpose": "customer", "name": "Mrs Miller", "ani": "+49301234" });
    let shown = guard(json!([customer, leg("cards", "ana"), leg("cards", "ben")])).unwrap();
    assert_eq!((shown.status(), shown.rows_in(), shown.rows_out()), (200, 1, 1));
    assert!(shown.notices().is_empty());
    let masked = json!({ "id": "p-0", "purpose": "customer", "name": "***", "ani": "***" });
    let due = json!({ "id": "c-1", "startTime": START, "participants": [masked, leg("cards", "ana")] });
    let mut got = text(shown.body());
    got.as_object_mut().unwrap().remove("divisions");
    assert_eq!(got, due);
    for nothing in
        [json!([]), json!([customer]), json!([leg("cards", "ben")]), json!(["p"]), json!({ "p": leg("cards", "ana") })]
    {
        assert_eq!(guard(nothing.clone()).unwrap_err(), Code::ScopeOutside, "{nothing}");
    }
}

// ---- groups ------------------------------------------------------------------------------------------------------

pub(super) fn asked(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> GuardPlan {
    planned(organisation, person, kind, program::question(kind, body.to_string().as_bytes()))
}

pub(super) fn planned(organisation: &Organisation, person: &str, kind: Kind, question: Question) -> GuardPlan {
    let scope = program::scope(&organisation.world, person, kind, NOW).unwrap();
    match decision::decide(&organisation.world, &Arc::new(scope), &question, program::at(NOW)) {
        Ok(Decided::Forward(forward)) => forward.plan,
        other => panic!("asks: {other:?}"),
    }
}

fn stays(plan: &GuardPlan, list: &str, row: &Value) -> bool {
    let answer = json!({ list: [row] }).to_string();
    let guarded = plan.guard(Unguarded::new(200, answer.into_bytes())).unwrap();
    assert_eq!(guarded.rows_in(), 1);
    assert_eq!(guarded.notices().len() as u64, 1 - guarded.rows_out(), "a row that nobody asked for is told of");
    guarded.rows_out() == 1
}

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

#[test]
fn a_group_stays_when_a_visible_leg_may_stand_in_it() {
    let organisation = organisation();
    let plan = |person: &str, group_by: Value| {
        asked(
            &organisation,
            person,
            Kind::Aggregates,
            &json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": group_by }),
        )
    };
    let both = || json!(["queueId", "userId"]);
    for (person, group_by, group, due) in [
        // her own legs in every open queue of `pay`, and outside any
        ("ana", both(), json!({ "queueId": "cards", "userId": "ana" }), true),
        ("ana", both(), json!({ "queueId": "loans", "userId": "ana" }), true),
        ("ana", both(), json!({ "queueId": "cards", "userId": "ben" }), false),
        ("ana", both(), json!({ "queueId": "motor", "userId": "ana" }), false),
        ("ana", both(), json!({ "queueId": "secret", "userId": "ana" }), false),
        ("ana", both(), json!({ "queueId": "cards" }), false),
        ("ana", both(), json!({ "queueId": "cards", "userId": null }), false),
        ("ana", both(), json!({ "userId": "ana" }), true),
        ("ana", both(), json!({ "queueId": null, "userId": "ana" }), true),
        ("ana", both(), json!({ "userId": "ben" }), false),
        ("ana", both(), json!({}), false),
        ("ana", both(), json!({ "queueId": "zoo", "userId": "ana" }), false),
        ("ana", both(), json!({ "queueId": "cards", "userId": "zoe" }), false),
        ("ana", both(), json!({ "queueId": 7, "userId": "ana" }), false),
        ("ana", both(), json!({ "queueId": ["cards"], "userId": "ana" }), false),
        ("ana", both(), json!({ "queueId": "cards", "userId": ["ana"] }), false),
        ("ana", json!(["queueId"]), json!({ "queueId": "cards" }), true),
        ("ana", json!(["queueId"]), json!({ "queueId": "motor" }), false),
        ("ana", json!(["queueId"]), json!({}), true),
        ("ana", json!(["queueId"]), json!({ "queueId": "cards", "userId": "ben" }), false),
        ("ana", json!(["userId"]), json!({ "userId": "ana" }), true),
        ("ana", json!(["userId"]), json!({ "userId": "ben" }), false),
        ("ana", json!(["mediaType"]), json!({ "mediaType": "voice" }), true),
        // every leg of her two queues, and none outside
        ("sofia", both(), json!({ "queueId": "cards", "userId": "ben" }), true),
        ("sofia", both(), json!({ "queueId": "cards" }), true),
        ("sofia", both(), json!({ "queueId": "secret", "userId": "ben" }), false),
        ("sofia", both(), json!({ "userId": "sofia" }), false),
        ("sofia", json!(["userId"]), json!({ "userId": "ben" }), true),
        ("sofia", json!(["queueId"]), json!({}), false),
        ("sofia", json!(["queueId"]), json!({ "queueId": "zoo" }), false),
        ("cora", json!(["queueId"]), json!({ "queueId": "cards", "divisionId": "claims" }), false),
    ] {
        let row = json!({ "group": group, "data": [] });
        assert_eq!(stays(&plan(person, group_by.clone()), "results", &row), due, "{person} by {group_by}: {group}");
    }
    assert!(!stays(&plan("ana", both()), "results", &json!({ "data": [] })));
    assert!(stays(&plan("ana", json!([])), "results", &json!({ "data": [] })));
}

#[test]
fn a_row_of_the_platform_names_one_agent_and_the_own_region() {
    let organisation = organisation();
    let plan = asked(
        &organisation,
        "ana",
        Kind::Platform,
        &json!({ "query": { "dateFrom": "now-7d", "dateTo": "now", "groupBy": ["agentId"],
            "aggregations": [{ "dimension": "interactions", "function": "COUNT" }] } }),
    );
    for (group, due) in [
        (json!({ "agentId": "ana" }), true),
        (json!({ "userId": "ana" }), true),
        (json!({ "agentId": "ana", "userId": "ana" }), true),
        (json!({ "agentId": "ana", "userId": "ben" }), false),
        (json!({ "agentId": "ben", "userId": "ana" }), false),
        (json!({ "agentId": "ana", "userId": null }), true),
        (json!({ "agentId": "ana", "region": "us" }), true),
        (json!({ "agentId": "ana", "region": "eu" }), false),
        (json!({ "agentId": "ana", "region": 1 }), false),
    ] {
        assert_eq!(stays(&plan, "rows", &json!({ "group": group })), due, "{group}");
    }
}

#[test]
fn rows_about_people_show_those_who_may_be_seen() {
    let organisation = organisation();
    let plan = |group_by: Value| {
        asked(
            &organisation,
            "ana",
            Kind::UserAggregates,
            &json!({ "interval": WEEK, "metrics": ["tSystemPresence"], "groupBy": group_by }),
        )
    };
    let grouped = plan(json!(["userId"]));
    for (group, due) in [
        (json!({ "userId": "ana" }), true),
        (json!({ "userId": "ben" }), false),
        (json!({ "userId": "zoe" }), false),
        (json!({ "userId": ["ana"] }), false),
        (json!({}), false),
    ] {
        assert_eq!(stays(&grouped, "results", &json!({ "group": group })), due, "{group}");
    }
}

// ---- interactions ------------------------------------------------------------------------------------------------

#[test]
fn an_interaction_loses_foreign_legs_and_every_sum_over_them() {
    let organisation = organisation();
    // A model that lets sums pass, which the shipped one does not.
    let mut question = program::question(Kind::Details, json!({ "interval": WEEK }).to_string().as_bytes());
    let mut operation = Operation::clone(&question.operation);
    operation.answer.keep.levels.get_mut("conversations.participants.sessions").unwrap().push("metrics".into());
    question.operation = Arc::new(operation);
    let plan = planned(&organisation, "sofia", Kind::Details, question);
    let segment = |queue: &str| json!({ "queueId": queue, "segmentStart": START, "segmentEnd": END });
    let session = |id: &str, segments: Value| json!({ "sessionId": id, "metrics": [{ "name": "tTalk", "value": 7 }], "segments": segments });
    let bare = |id: &str, segments: Value| json!({ "sessionId": id, "segments": segments });
    let person = |user: &str, sessions: Value| json!({ "participantId": user, "userId": user, "sessions": sessions });
    let row = |id: &str, participants: Value| json!({ "conversationId": id, "conversationStart": START, "participants": participants });
    let answer = json!({ "totalHits": 900, "conversations": [
        row("mixed", json!([
            person("ana", json!([session("one", json!([segment("cards")])), session("two", json!([segment("cards"), segment("motor")]))])),
            person("carl", json!([session("three", json!([segment("motor")]))])),
        ])),
        row("foreign", json!([person("carl", json!([session("four", json!([segment("motor")]))]))])),
        row("nobody", json!([{ "participantId": "customer", "sessions": [bare("five", json!([{ "segmentStart": START }]))] }])),
        7,
    ] });
    let guarded = plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap();
    let due = json!({ "conversations": [row("mixed", json!([
        person("ana", json!([session("one", json!([segment("cards")])), bare("two", json!([segment("cards")]))])),
    ]))] });
    assert_eq!(text(guarded.body()), due);
    assert_eq!((guarded.rows_in(), guarded.rows_out(), guarded.rows_foreign()), (4, 1, 3));
    // the question asks for visible legs: whatever tags say, what comes without one was not asked for
    for tags in [json!([]), json!(["pay", "claims"]), json!(["claims"]), json!("pay")] {
        let mut foreign = row("foreign", json!([person("carl", json!([session("four", json!([segment("motor")]))]))]));
        foreign["divisionIds"] = tags.clone();
        assert_eq!(alarms(&plan, &foreign), 1, "{tags}");
    }
    for odd in [json!(null), json!("x"), json!([]), json!({})] {
        assert_eq!(alarms(&plan, &odd), 1, "{odd}");
    }
}

/// How many rows count as never asked for, of an answer that shows none.
fn alarms(plan: &GuardPlan, row: &Value) -> u64 {
    let answer = json!({ "conversations": [row] }).to_string();
    let guarded = plan.guard(Unguarded::new(200, answer.into_bytes())).unwrap();
    assert_eq!((guarded.rows_in(), guarded.rows_out()), (1, 0));
    guarded.rows_foreign()
}

/// No filter says a data window, so interactions outside it come lawfully; what is no interaction never does.
#[test]
fn interactions_outside_a_data_window_are_no_alarm() {
    let organisation = organisation();
    let org = &organisation.world.org;
    let window =
        Window { from: "2026-11-10T00:00:00Z".parse().unwrap(), until: "2026-11-25T00:00:00Z".parse().unwrap() };
    let plan = |data: Option<Window>| {
        let right = Entitlement { queues: queues(org, &["cards"]), data, ..whole(org) };
        let scope = Scope {
            holder: right.holder,
            region: right.region,
            action: Action::View,
            entitlements: vec![right],
            inert: Set::new(),
            lifts: vec![],
            openings: Vec::new(),
            good_until: None,
        };
        let question = program::question(Kind::Details, json!({ "interval": WEEK }).to_string().as_bytes());
        match decision::decide(&organisation.world, &Arc::new(scope), &question, program::at(NOW)) {
            Ok(Decided::Forward(forward)) => forward.plan,
            other => panic!("asks: {other:?}"),
        }
    };
    let before = json!({ "conversationId": "c", "participants": [{ "userId": "ana", "sessions": [{ "segments": [
        { "queueId": "cards", "segmentStart": "2026-11-09T23:00:00Z", "segmentEnd": "2026-11-09T23:05:00Z" },
    ] }] }] });
    assert_eq!(alarms(&plan(Some(window)), &before), 0);
    assert_eq!(alarms(&plan(Some(window)), &json!(7)), 1);
    let elsewhere = json!({ "conversationId": "c", "participants": [{ "userId": "carl", "sessions": [{ "segments": [
        { "queueId": "motor", "segmentStart": START, "segmentEnd": END },
    ] }] }] });
    for data in [None, Some(window)] {
        assert_eq!(alarms(&plan(data), &elsewhere), 1);
    }
}
