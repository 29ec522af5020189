//! What the guard lets rows be told apart by, and what it masks in entries: answers that no obedient upstream gives.

use super::{guard, named, program};
use crate::oracle::{generate::MONDAY, lists::List, questions::Kind};
use bailiwick::{
    decision::{self, Decided},
    model::{
        answer::Key,
        body::{Access, FieldKind},
        contract::Words,
        operation::Operation,
    },
    policy::guard::{GuardPlan, Unguarded},
    query::Question,
};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: i64 = MONDAY + 3 * 86_400;
const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

fn plan(group_by: Value, change: impl FnOnce(&mut Operation)) -> GuardPlan {
    let body = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": group_by });
    let mut question = program::question(Kind::Aggregates, body.to_string().as_bytes());
    let mut operation = Operation::clone(&question.operation);
    change(&mut operation);
    question.operation = Arc::new(operation);
    guard::planned(&guard::organisation(), "cora", Kind::Aggregates, question)
}

fn rows(plan: &GuardPlan, list: &str, row: &Value) -> Value {
    let answer = json!({ list: [row] }).to_string();
    program::text(plan.guard(Unguarded::new(200, answer.into_bytes())).unwrap().body())[list].take()
}

fn stays(plan: &GuardPlan, group: &Value) -> bool {
    rows(plan, "results", &json!({ "group": group, "data": [] })) != json!([])
}

/// A supervisor of all `pay` may see whatever leg it is: only the key is judged here.
#[test]
fn rows_are_told_apart_by_what_was_asked() {
    let by_queue = plan(json!(["queueId"]), |_| {});
    let by_medium = plan(json!(["queueId", "mediaType"]), |_| {});
    let medium = json!({ "queueId": "cards", "mediaType": "voice" });
    assert!(stays(&by_queue, &json!({ "queueId": "cards" })));
    assert!(!stays(&by_queue, &medium) && stays(&by_medium, &medium));
    assert!(!stays(&by_medium, &json!({ "queueId": "cards", "mediaType": ["voice"] })));
    // An id is judged, asked for or not.
    assert!(stays(&by_queue, &json!({ "queueId": "cards", "userId": "ben" })));
    for strange in [json!("cards"), json!(["cards"]), json!(7)] {
        assert!(!stays(&by_queue, &strange), "{strange}");
    }
}

#[test]
fn without_an_asked_grouping_rows_are_told_apart_by_what_may_be_asked() {
    let open = |change: fn(&mut Operation)| {
        plan(json!([]), |operation| {
            operation.group_by = None;
            change(operation);
        })
    };
    let by = |key: &str| json!({ "queueId": "cards", key: "x" });
    let any = open(|_| {});
    for (key, due) in [("mediaType", true), ("ani", false), ("sessionId", false), ("nothing", false)] {
        assert_eq!(stays(&any, &by(key)), due, "{key}");
    }
    // What carries access has to be judged.
    let unjudged = open(|operation| operation.answer.keys.retain(|key| key.access != Access::User));
    let user = json!({ "queueId": "cards", "userId": "ben" });
    assert!(stays(&any, &user) && !stays(&unjudged, &user));
    // The operation's own list of groupings.
    let listed = |groups: bool| {
        plan(json!([]), |operation| {
            operation.group_by = None;
            let words = Words { at: ["groupBy".into()].into(), groups, allow: vec!["queueId".into()], bpo_allow: None };
            Arc::make_mut(&mut operation.contract).words = vec![words];
        })
    };
    assert!(!stays(&listed(true), &by("mediaType")) && stays(&listed(false), &by("mediaType")));
    assert!(stays(&listed(true), &json!({ "queueId": "cards" })));
}

#[test]
fn a_queue_and_its_value_say_the_same_queue() {
    let mut file = named::file();
    for (queue, value) in [("cards", "c"), ("loans", "l"), ("motor", "m")] {
        let queue = file["queues"].as_array_mut().unwrap().iter_mut().find(|one| one["id"] == queue).unwrap();
        queue["attributes"] = json!({ "code": value });
    }
    let organisation = named::organisation(file);
    let body = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["queueId", "wrapUpCode"] });
    let mut question = program::question(Kind::Aggregates, body.to_string().as_bytes());
    let mut operation = Operation::clone(&question.operation);
    operation.answer.keys.push(Key { at: ["wrapUpCode".into()].into(), access: Access::Attribute });
    let contract = Arc::make_mut(&mut operation.contract);
    let model = Arc::make_mut(contract.body.as_mut().unwrap());
    let filter = model.fields.iter_mut().find_map(|field| match &mut field.kind {
        FieldKind::Filter(filter) => Some(filter),
        _ => None,
    });
    filter.unwrap().attributes.insert("wrapUpCode".into(), "code".into());
    question.operation = Arc::new(operation);
    let plan = guard::planned(&organisation, "cora", Kind::Aggregates, question);
    for (group, due) in [
        (json!({ "queueId": "cards", "wrapUpCode": "c" }), true),
        (json!({ "queueId": "cards", "wrapUpCode": "l" }), false),
        (json!({ "queueId": "cards", "wrapUpCode": "m" }), false),
        (json!({ "queueId": "cards", "wrapUpCode": "?" }), false),
        (json!({ "queueId": "motor", "wrapUpCode": "c" }), false),
        (json!({ "queueId": "cards", "wrapUpCode": null }), true),
        (json!({ "wrapUpCode": "c" }), true),
        (json!({ "wrapUpCode": "m" }), false),
    ] {
        assert_eq!(stays(&plan, &group), due, "{group}");
    }
}

/// Texts among the figures of a report could be anybody's name.
#[test]
fn figures_are_numbers() {
    let body = json!({ "query": { "dateFrom": "now-7d", "dateTo": "now", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "handleTime", "function": "SUM" }] } });
    let question = program::question(Kind::Platform, body.to_string().as_bytes());
    let plan = guard::planned(&guard::organisation(), "cora", Kind::Platform, question);
    let row = json!({ "group": { "queueId": "cards" }, "values": { "a": 7, "b": "ben", "c": null, "d": ["ben"] } });
    assert_eq!(
        rows(&plan, "rows", &row),
        json!([{ "group": { "queueId": "cards" }, "values": { "a": 7, "c": null } }])
    );
}

#[test]
fn an_entry_is_masked_by_the_rights_to_what_it_names() {
    let mut file = named::file();
    let permission = |name: &str| json!({ "permission": name, "scope": "all" });
    let roles = file["roles"].as_array_mut().unwrap();
    roles.push(
        json!({ "id": "lists", "permissions": [permission("routing:queue:view"), permission("directory:user:view")] }),
    );
    roles.push(json!({ "id": "contacts", "permissions": [permission("externalContacts:contact:view")] }));
    let dora = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "dora").unwrap();
    dora["roles"] = json!([
        { "role": "lists", "division": "pay" }, { "role": "lists", "division": "claims" },
        { "role": "contacts", "division": "pay" },
    ]);
    let org = program::org(&file.to_string()).unwrap();
    let world = program::world(&org);
    for (list, own, other) in [(List::Queues, "cards", "motor"), (List::Users, "ana", "carl")] {
        let mut operation = Operation::clone(program::list_of(list));
        operation.answer.mask.insert("name".into(), "contact".into());
        let question = Question {
            operation: Arc::new(operation),
            ids: vec![],
            params: vec![],
            body: None,
            kept: None,
            seen: None,
        };
        let scope =
            decision::scope(&world, program::principal(&org, "dora"), &question.operation, program::at(NOW)).unwrap();
        let Decided::Forward(forward) =
            decision::decide(&world, &Arc::new(scope), &question, program::at(NOW)).unwrap()
        else {
            panic!("the upstream is asked")
        };
        let answer =
            json!({ "entities": [{ "id": own, "name": "own" }, { "id": other, "name": "other" }], "total": 2 });
        let guarded = forward.plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap();
        let shown = program::text(guarded.body());
        let names: Vec<_> = shown["entities"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names[0], "own", "{shown}");
        assert!(names[1].is_string() && names[1] != "other", "{shown}");
    }
}

/// Where nobody can say what to group by, a row of no queue, or of nobody, is nobody's.
#[test]
fn a_row_about_queues_or_people_names_one() {
    let organisation = named::organisation(named::file());
    let asked = |kind: Kind, metric: &str| {
        let question = program::question(kind, json!({ "metrics": [metric] }).to_string().as_bytes());
        guard::planned(&organisation, "cora", kind, question)
    };
    let queues = asked(Kind::QueueObservations, "oWaiting");
    assert!(stays(&queues, &json!({ "queueId": "cards", "mediaType": "voice" })));
    assert!(!stays(&queues, &json!({ "mediaType": "voice" })) && !stays(&queues, &json!({})));
    let people = asked(Kind::UserObservations, "oMemberQueues");
    assert!(stays(&people, &json!({ "userId": "ana" })) && !stays(&people, &json!({})));
}
