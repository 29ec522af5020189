//! What an asker may group, sort and filter by, where masks are lifted for him, and scopes of many parts: on the shipped
//! rules, with the outgoing bytes or the upstream changed behind the rewriter's back.

use crate::{
    laws::{
        case::{Case, Organisation, Stock},
        program::{self, Got},
    },
    oracle::{
        data::Directory,
        generate::{Dice, MONDAY},
        questions::Kind,
    },
};
use bailiwick::{
    decision::{self, Decided, Forward},
    model::{
        contract::{Method, Param, ParamKind},
        outgoing::Outgoing,
        refusal::{Code, Refusal},
    },
    policy::{
        extent::MAX_BOXES,
        guard::{Guarded, Unguarded},
        lint,
    },
    query::Question,
    verify,
};
use serde_json::{Value, json};
use std::sync::Arc;

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";
const NOW: i64 = MONDAY + 3 * 86_400;
/// More views than boxes fit into one query.
const VIEWS: usize = 14;

fn permission(name: &str, scope: &Value) -> Value {
    let mut permission = json!({ "permission": name });
    for (key, value) in scope.as_object().unwrap() {
        permission[key] = value.clone();
    }
    permission
}

fn file() -> Value {
    let role = |id: &str, name: &str, scope: Value| json!({ "id": id, "permissions": [permission(name, &scope)] });
    let user = |id: &str, roles: &[&str]| {
        let roles: Vec<_> = roles.iter().map(|role| json!({ "role": role, "division": "pay" })).collect();
        json!({ "id": id, "division": "pay", "region": "us-east-1", "roles": roles })
    };
    let mut roles = vec![
        role("consumer", "analytics:report:view", json!({ "scope": "all" })),
        role("all-customers", "externalContacts:contact:view", json!({ "scope": "all" })),
        role("own-customers", "externalContacts:contact:view", json!({ "scope": "self" })),
        role("queue-customers", "externalContacts:contact:view", json!({ "scope": "assigned", "team": true })),
    ];
    let (mut views, mut queues, mut users) = (Vec::new(), Vec::new(), Vec::new());
    let mut viewer = Vec::new();
    for at in 0..VIEWS {
        let (view, queue, agent) = (format!("view-{at}"), format!("q-{at:02}"), format!("agent-{at:02}"));
        roles.push(role(&view, "analytics:report:view", json!({ "scope": "view", "view": view })));
        views.push(json!({ "id": view, "queues": [queue], "users": [agent] }));
        queues.push(json!({ "id": queue, "division": "pay", "members": [agent, "olin"] }));
        users.push(user(&agent, &[]));
        viewer.push(view);
    }
    let viewer: Vec<&str> = viewer.iter().map(String::as_str).collect();
    users.extend([
        user("vera", &viewer),
        user("cora", &["consumer"]),
        user("alba", &["consumer", "all-customers"]),
        user("olin", &["consumer", "own-customers"]),
        user("quin", &["consumer", "queue-customers"]),
    ]);
    queues[1]["members"].as_array_mut().unwrap().push(json!("quin"));
    let mut outsourced = user("bo", &["consumer"]);
    outsourced["bpo"] = json!(true);
    users.push(outsourced);
    json!({
        "version": "contract",
        "regions": [{ "id": "us-east-1", "upstream": "http://127.0.0.1:1" }],
        "divisions": [{ "id": "us", "region": "us-east-1" }, { "id": "pay", "parent": "us", "region": "us-east-1" }],
        "roles": roles, "views": views, "users": users, "queues": queues, "groups": [], "grants": [],
    })
}

fn organisation() -> Organisation {
    let file = file();
    let directory = Directory::read(&file.to_string());
    let mut dice = Dice::new(7);
    let mut stock = Stock::draw(&mut dice, &directory);
    for _ in 0..6 {
        stock.interactions.extend(Stock::draw(&mut dice, &directory).interactions);
    }
    for (at, one) in stock.interactions.iter_mut().enumerate() {
        one.id = format!("c-{at}");
    }
    Organisation::of(file, stock).unwrap()
}

fn is(dimension: &str, value: &str) -> Value {
    json!({ "dimension": dimension, "value": value })
}

fn aggregates(filter: Option<Value>) -> Value {
    let mut body = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["queueId"] });
    if let Some(filter) = filter {
        body["filter"] = filter;
    }
    body
}

fn decide(organisation: &Organisation, person: &str, question: &Question) -> Result<Decided, Refusal> {
    let now = program::at(NOW);
    let holder = program::principal(&organisation.world.org, person);
    let scope = decision::scope(&organisation.world, holder, &question.operation, now)?;
    decision::decide(&organisation.world, &Arc::new(scope), question, now)
}

fn forward(organisation: &Organisation, person: &str, question: &Question) -> Box<Forward> {
    match decide(organisation, person, question) {
        Ok(Decided::Forward(forward)) => forward,
        other => panic!("{person}: {other:?}"),
    }
}

/// Whether the second reader alone takes these bytes for `person`.
fn verified(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> Result<(), String> {
    let scope = program::scope(&organisation.world, person, kind, NOW).unwrap();
    let asked = program::question(kind, body.to_string().as_bytes());
    let path = program::KINDS.iter().find(|(known, _)| *known == kind).unwrap().1;
    let residual = match kind {
        Kind::Details => {
            bailiwick::model::outgoing::Residual { legs: true, keys: true, windows: false, links: Vec::new() }
        }
        _ => bailiwick::model::outgoing::Residual { legs: false, keys: true, windows: false, links: Vec::new() },
    };
    let outgoing = Outgoing {
        method: Method::Post,
        path: format!("/{path}"),
        query: vec![],
        body: Some(asked.body.unwrap().to_bytes().into()),
    };
    let contract = &program::operation(kind).contract;
    verify::check(contract, outgoing, residual, &scope, &organisation.world.org, program::at(NOW))
        .map(|_| ())
        .map_err(|unproved| unproved.to_string())
}

fn sent(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> Value {
    let forward = forward(organisation, person, &program::question(kind, body.to_string().as_bytes()));
    serde_json::from_str(&program::sent(&forward.verified)).unwrap()
}

fn value_of(guarded: &Guarded) -> Value {
    serde_json::from_str(std::str::from_utf8(guarded.body()).unwrap()).unwrap()
}

#[test]
fn words_put_into_the_outgoing_bytes_are_refused_by_the_second_reader_alone() {
    let organisation = organisation();
    let good = sent(&organisation, "cora", Kind::Aggregates, &aggregates(None));
    verified(&organisation, "cora", Kind::Aggregates, &good).unwrap();
    for word in ["participantName", "ani", "conversationId", "sessionId", "externalContactId"] {
        let mut mutant = good.clone();
        mutant["groupBy"].as_array_mut().unwrap().push(json!(word));
        let why = verified(&organisation, "cora", Kind::Aggregates, &mutant).expect_err(word);
        assert!(why.starts_with("$.groupBy[1]"), "{word}: {why}");
    }
    let mut masked = good.clone();
    masked["filter"] = json!({ "type": "and", "predicates": [is("ani", "tel:+1"), is("queueId", "q-00")] });
    let why = verified(&organisation, "cora", Kind::Aggregates, &masked).expect_err("a masked filter");
    assert!(why.contains("masked"), "{why}");
    verified(&organisation, "alba", Kind::Aggregates, &masked).expect("all customers are hers");
    for person in ["olin", "quin"] {
        verified(&organisation, person, Kind::Aggregates, &masked).expect_err("some customers are his");
    }
    let listed =
        sent(&organisation, "cora", Kind::Details, &json!({ "interval": WEEK, "orderBy": "conversationStart" }));
    verified(&organisation, "cora", Kind::Details, &listed).unwrap();
    let mut sorted = listed.clone();
    sorted["orderBy"] = json!("segmentEnd");
    let why = verified(&organisation, "cora", Kind::Details, &sorted).expect_err("another sort");
    assert!(why.starts_with("$.orderBy"), "{why}");
}

#[test]
fn the_rewriter_says_the_same_with_a_code_of_its_own() {
    let organisation = organisation();
    let code = |person: &str, body: &Value| {
        decide(&organisation, person, &program::question(Kind::Aggregates, body.to_string().as_bytes()))
            .err()
            .map(|refusal| refusal.code)
    };
    let filter = json!({ "type": "and", "predicates": [is("ani", "tel:+1")] });
    let by_number = aggregates(Some(filter));
    for person in ["cora", "olin", "quin"] {
        assert_eq!(code(person, &by_number), Some(Code::FieldHidden), "{person}");
    }
    assert_eq!(code("alba", &by_number), None);
    let mut grouped = aggregates(None);
    grouped["groupBy"] = json!(["participantName"]);
    assert_eq!(code("cora", &grouped), Some(Code::GroupByRefused));
}

#[test]
fn groups_that_are_split_by_more_than_may_be_grouped_by_are_dropped() {
    let organisation = organisation();
    let mut asked = aggregates(None);
    asked["groupBy"] = json!(["queueId", "mediaType"]);
    let question = program::question(Kind::Aggregates, asked.to_string().as_bytes());
    let plan = forward(&organisation, "cora", &question).plan;
    let row = |group: Value| json!({ "group": group, "data": [] });
    let fine = row(json!({ "queueId": "q-00", "mediaType": "voice" }));
    let upstream = json!({ "results": [
        fine,
        row(json!({ "queueId": "q-00", "ani": "tel:+1" })),
        row(json!({ "queueId": "q-00", "conversationId": "c-1" })),
        row(json!({ "queueId": "q-00", "participantName": "Ann" })),
        row(json!({ "queueId": "q-00", "whoKnows": "x" })),
    ] });
    let guarded = plan.guard(Unguarded::new(200, upstream.to_string().into_bytes())).unwrap();
    let shown = value_of(&guarded);
    assert_eq!(shown, json!({ "results": [fine] }));
    assert_eq!(guarded.notices().iter().map(|notice| notice.code).collect::<Vec<_>>(), ["answer.foreign-rows"]);
}

/// The numbers of each participant that `person` is shown of one interaction.
fn numbers(organisation: &Organisation, person: &str) -> Vec<(String, String)> {
    let (operation, ids) = program::rules().find(Method::Get, &["api", "v2", "conversations", "c-1"]).unwrap();
    let ids = ids.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let question =
        Question { operation: Arc::clone(operation), ids, params: vec![], body: None, kept: None, seen: None };
    let leg = |id: &str, queue: Value, user: Value| {
        json!({ "id": id, "purpose": "agent", "queueId": queue, "userId": user, "ani": "tel:+1",
            "startTime": "2026-11-16T09:00:00Z", "endTime": "2026-11-16T09:05:00Z" })
    };
    let upstream = json!({ "id": "c-1", "participants": [
        leg("customer", Value::Null, Value::Null),
        leg("olin", json!("q-00"), json!("olin")),
        leg("agent", json!("q-01"), json!("agent-01")),
    ] });
    let guarded = forward(organisation, person, &question)
        .plan
        .guard(Unguarded::new(200, upstream.to_string().into_bytes()))
        .unwrap();
    let shown = value_of(&guarded);
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    shown["participants"].as_array().unwrap().iter().map(|one| (text(one, "id"), text(one, "ani"))).collect()
}

#[test]
fn a_mask_is_lifted_for_the_legs_that_the_lifting_permission_covers() {
    let organisation = organisation();
    for (person, own, other) in
        [("cora", "***", "***"), ("alba", "tel:+1", "tel:+1"), ("olin", "tel:+1", "***"), ("quin", "***", "tel:+1")]
    {
        let due = [("customer", "***"), ("olin", own), ("agent", other)];
        let due: Vec<_> = due.map(|(id, ani)| (id.to_owned(), ani.to_owned())).into();
        assert_eq!(numbers(&organisation, person), due, "{person}");
    }
}

#[test]
fn an_element_that_names_an_agent_needs_a_leg_of_his() {
    let organisation = organisation();
    let asked =
        json!({ "interval": WEEK, "segmentFilters": [{ "type": "and", "predicates": [is("queueId", "q-00")] }] });
    let question = program::question(Kind::Details, asked.to_string().as_bytes());
    let plan = forward(&organisation, "vera", &question).plan;
    let segment =
        json!({ "segmentStart": "2026-11-16T09:00:00Z", "segmentEnd": "2026-11-16T09:05:00Z", "queueId": "q-00" });
    let participant = |id: &str, user: &str, segments: Value| json!({ "participantId": id, "userId": user, "sessions": [{ "sessionId": "s", "segments": segments }] });
    let upstream = json!({ "conversations": [{ "conversationId": "c-1", "participants": [
        participant("hers", "agent-00", json!([segment])),
        participant("empty", "cora", json!([])),
    ] }] });
    let guarded = plan.guard(Unguarded::new(200, upstream.to_string().into_bytes())).unwrap();
    let shown = value_of(&guarded);
    let shown = shown["conversations"][0]["participants"].as_array().unwrap();
    assert_eq!(shown.iter().map(|one| one["participantId"].as_str().unwrap()).collect::<Vec<_>>(), ["hers"]);
}

#[test]
fn listed_parameters_leave_with_a_body_and_are_judged() {
    let organisation = organisation();
    let ask = |params: &[(&str, &str)]| {
        let mut question = program::question(Kind::Aggregates, aggregates(None).to_string().as_bytes());
        let operation = Arc::make_mut(&mut question.operation);
        let param = |name: &str, kind| Param { name: name.into(), kind };
        Arc::make_mut(&mut operation.contract).params = vec![
            param("language", ParamKind::Text { max: 8 }),
            param("queueId", ParamKind::Ids { access: bailiwick::model::body::Access::Queue, max: 4 }),
        ];
        question.params = params
            .iter()
            .map(|(name, values)| ((*name).into(), values.split(',').map(str::to_owned).collect()))
            .collect();
        decide(&organisation, "cora", &question)
    };
    let Ok(Decided::Forward(forward)) = ask(&[("queueId", "q-00,q-01"), ("language", "en")]) else {
        panic!("listed parameters are sent")
    };
    let sent: Vec<_> = forward.verified.query().iter().map(|(name, value)| (&**name, value.as_str())).collect();
    assert_eq!(sent, [("language", "en"), ("queueId", "q-00,q-01")]);
    for (params, code) in
        [(&[("expand", "all")][..], Code::QueryMalformed), (&[("queueId", "q-00,foreign")][..], Code::ScopeOutside)]
    {
        match ask(params) {
            Err(refusal) => assert_eq!(refusal.code, code, "{params:?}"),
            Ok(_) => panic!("{params:?} were sent"),
        }
    }
}

#[test]
fn a_scope_of_many_parts_is_answered_where_the_question_meets_few_and_else_refused_by_name() {
    let organisation = organisation();
    let ask = |kind: Kind, body: &Value| {
        let case = Case { person: "vera".to_owned(), kind, body: body.to_string(), now: NOW };
        let got = case.ask(&organisation);
        match &got {
            Got::Refused { code, .. } => Err(*code),
            Got::Answered(_) => {
                case.judge(&organisation, &got).unwrap_or_else(|why| panic!("{body}\n{why}\n{got:#?}"));
                Ok(())
            }
        }
    };
    let and = |items: &[Value]| json!({ "type": "and", "predicates": items });
    let pair = |at: usize| and(&[is("queueId", &format!("q-{at:02}")), is("userId", &format!("agent-{at:02}"))]);
    assert_eq!(ask(Kind::Aggregates, &aggregates(None)), Err(Code::ScopeTooComplex));
    assert_eq!(ask(Kind::Details, &json!({ "interval": WEEK })), Err(Code::ScopeTooComplex));
    for filter in [
        and(&[is("queueId", "q-03")]),
        and(&[is("userId", "agent-09")]),
        pair(11),
        json!({ "type": "or", "clauses": (0..VIEWS).map(pair).collect::<Vec<_>>() }),
        json!({ "type": "or", "clauses": (0..VIEWS)
            .map(|at| and(&[is("queueId", &format!("q-{at:02}")), is("mediaType", "voice")])).collect::<Vec<_>>() }),
    ] {
        assert_eq!(ask(Kind::Aggregates, &aggregates(Some(filter.clone()))), Ok(()), "{filter}");
        let details = json!({ "interval": WEEK, "segmentFilters": [filter] });
        assert_eq!(ask(Kind::Details, &details), Ok(()), "{filter}");
    }
    let all: Vec<_> = (0..VIEWS).map(|at| is("queueId", &format!("q-{at:02}"))).collect();
    let flat = json!({ "type": "or", "predicates": all });
    assert_eq!(ask(Kind::Aggregates, &aggregates(Some(flat))), Err(Code::ScopeTooComplex));
}

/// The warning and the refusal are two ways to say one thing, also at the edge.
#[test]
fn check_warns_of_exactly_those_whose_unfiltered_questions_are_refused() {
    for kept in [MAX_BOXES, MAX_BOXES + 1, VIEWS] {
        let mut file = file();
        let vera = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "vera").unwrap();
        vera["roles"].as_array_mut().unwrap().truncate(kept);
        let directory = Directory::read(&file.to_string());
        let stock = Stock::draw(&mut Dice::new(7), &directory);
        let organisation = Organisation::of(file, stock).unwrap();
        let mut refused = Vec::new();
        for user in &directory.users {
            let body = aggregates(None).to_string();
            let case = Case { person: user.id.clone(), kind: Kind::Aggregates, body, now: NOW };
            if let Got::Refused { code: Code::ScopeTooComplex, .. } = case.ask(&organisation) {
                refused.push(format!("user `{}`", user.id));
            }
        }
        let found = lint::findings(program::rules(), &organisation.world.org, program::at(NOW));
        let warned: Vec<_> = found.iter().map(|one| (one.code, one.at.clone())).collect();
        let due: Vec<_> = refused.into_iter().map(|at| ("B01", at)).collect();
        assert_eq!(warned, due, "{found:#?}");
        assert_eq!(warned.len(), usize::from(kept > MAX_BOXES), "{kept} boxes");
        assert!(found.iter().all(|one| one.why.contains(&format!("into {kept} separate boxes"))), "{found:#?}");
    }
}

/// Askers with many sources and questions drawn at random: whatever comes of them, it is never a fault of the proxy.
#[test]
fn no_lawful_question_of_a_many_sided_asker_is_a_fault() {
    let organisation = organisation();
    let mut dice = Dice::new(77);
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..600 {
        let case = Case::draw_for(&mut dice, &organisation, Some("vera"));
        let got = case.ask(&organisation);
        match &got {
            Got::Refused { code, message } => {
                assert!(!matches!(code, Code::VerifyFailed | Code::Internal), "{case:#?}\n{message}");
                refused += 1;
            }
            Got::Answered(_) => {
                case.judge(&organisation, &got).unwrap_or_else(|why| panic!("{case:#?}\n{why}\n{got:#?}"));
                answered += 1;
            }
        }
    }
    println!("many parts: {answered} answered, {refused} refused");
    assert!(answered > 30, "only {answered} answered, {refused} refused");
}
