//! Questions that must succeed, and situations that have a name.

use super::{
    case::{Case, Organisation, Stock},
    program::{self, Answered, Got},
};
use crate::oracle::{
    data::{Directory, Interaction, Leg},
    generate::{Dice, MONDAY},
    questions::Kind,
};
use bailiwick::{
    decision::{self, Decided},
    model::{contract::Method, refusal::Code},
    policy::guard::Unguarded,
    query::Question,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";
const NOW: i64 = MONDAY + 3 * 86_400;

fn role(id: &str, scope: Value) -> Value {
    let mut permission = json!({ "permission": "analytics:report:view" });
    for (key, value) in scope.as_object().unwrap() {
        permission[key] = value.clone();
    }
    json!({ "id": id, "permissions": [permission] })
}

pub(super) fn file() -> Value {
    let user = |id: &str, division: &str, roles: Value| json!({ "id": id, "division": division, "region": "us-east-1", "roles": roles });
    json!({
        "version": "named",
        "regions": [{ "id": "us-east-1", "upstream": "http://127.0.0.1:1" }, { "id": "eu-west-1", "upstream": "http://127.0.0.1:2" }],
        "divisions": [
            { "id": "us", "region": "us-east-1" }, { "id": "eu", "region": "eu-west-1" },
            { "id": "pay", "parent": "us", "region": "us-east-1" }, { "id": "claims", "parent": "us", "region": "us-east-1" },
            { "id": "reporting", "parent": "us", "region": "us-east-1", "shared": true },
            { "id": "acme", "parent": "us", "region": "us-east-1" }, { "id": "acme-voice", "parent": "acme", "region": "us-east-1" },
            { "id": "pay-eu", "parent": "eu", "region": "eu-west-1" },
        ],
        "roles": [
            role("consumer", json!({ "scope": "all" })), role("supervisor", json!({ "scope": "assigned", "team": true })),
            role("agent", json!({ "scope": "self" })), role("viewer", json!({ "scope": "view", "view": "desk" })),
            role("group", json!({ "scope": "group", "groups": ["acme-people"] })),
        ],
        "views": [{ "id": "desk", "queues": ["cards", "loans"], "users": ["ana", "ben"] }],
        "groups": [{ "id": "acme-people", "members": ["bo", "bea"] }],
        "users": [
            user("cora", "pay", json!([{ "role": "consumer", "division": "pay" }])),
            user("dora", "pay", json!([{ "role": "consumer", "division": "pay" }, { "role": "consumer", "division": "claims" }])),
            user("sofia", "pay", json!([{ "role": "supervisor", "division": "pay" }])),
            user("vera", "pay", json!([{ "role": "supervisor", "division": "pay" }, { "role": "viewer", "division": "pay" }])),
            user("ana", "pay", json!([{ "role": "agent", "division": "pay" }])), user("ben", "pay", json!([])),
            user("rita", "claims", json!([{ "role": "consumer", "division": "reporting" }])), user("carl", "claims", json!([])),
            user("pat", "us", json!([{ "role": "consumer", "division": "us" }])),
            { "id": "bo", "division": "acme-voice", "region": "us-east-1", "bpo": true, "roles": [{ "role": "consumer", "division": "acme-voice" }] },
            { "id": "bea", "division": "acme-voice", "region": "us-east-1", "bpo": true, "roles": [{ "role": "group", "division": "acme-voice" }] },
            { "id": "eva", "division": "pay-eu", "region": "eu-west-1", "roles": [{ "role": "consumer", "division": "pay-eu" }] },
        ],
        "queues": [
            { "id": "cards", "division": "pay", "members": ["sofia", "vera", "ana", "ben"] },
            { "id": "loans", "division": "pay", "members": ["sofia", "ana"] },
            { "id": "fraud", "division": "pay", "restricted": true, "members": ["ben"] },
            { "id": "motor", "division": "claims", "members": ["carl"] },
            { "id": "shared-copy", "division": "reporting", "members": [] },
            { "id": "mixed", "division": "acme-voice", "members": ["ana"], "memberGroups": ["acme-people"] },
            { "id": "outsourced", "division": "acme-voice", "memberGroups": ["acme-people"] },
            { "id": "cards-eu", "division": "pay-eu", "members": ["eva"] },
        ],
        "grants": [],
    })
}

pub(super) fn organisation(file: Value) -> Organisation {
    let directory = Directory::read(&file.to_string());
    let mut dice = Dice::new(42);
    let mut stock = Stock::draw(&mut dice, &directory);
    for _ in 0..4 {
        stock.interactions.extend(Stock::draw(&mut dice, &directory).interactions);
    }
    for (at, one) in stock.interactions.iter_mut().enumerate() {
        one.id = format!("c-{at}");
    }
    Organisation::of(file, stock).unwrap()
}

fn ask(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> Got {
    let case = Case { person: person.to_owned(), kind, body: body.to_string(), now: NOW };
    let got = case.ask(organisation);
    case.judge(organisation, &got).unwrap_or_else(|why| panic!("{person} asks {body}\n{why}\n{got:#?}"));
    got
}

fn rows(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> Answered {
    match ask(organisation, person, kind, body) {
        Got::Answered(answered) if !answered.facts.is_empty() && answered.notices.is_empty() => answered,
        other => panic!("{person} must get rows for {body}\n{other:#?}"),
    }
}

fn refused(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> Code {
    match ask(organisation, person, kind, body) {
        Got::Refused { code, .. } => code,
        other => panic!("{person} must be refused {body}\n{other:#?}"),
    }
}

pub(super) fn is(dimension: &str, value: &str) -> Value {
    json!({ "type": "dimension", "dimension": dimension, "operator": "matches", "value": value })
}

fn aggregates(filter: Value) -> Value {
    let mut body = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["queueId"] });
    if !filter.is_null() {
        body["filter"] = filter;
    }
    body
}

// ---- must succeed ------------------------------------------------------------------------------------------------

#[test]
fn a_flat_or_succeeds() {
    let filter = json!({ "type": "or", "predicates": [is("queueId", "cards"), is("mediaType", "chat")] });
    rows(&organisation(file()), "cora", Kind::Aggregates, &aggregates(filter));
}

#[test]
fn a_flat_and_succeeds() {
    let filter = json!({ "type": "and", "predicates": [is("queueId", "cards"), is("mediaType", "chat")] });
    rows(&organisation(file()), "cora", Kind::Aggregates, &aggregates(filter));
}

#[test]
fn an_or_of_ands_succeeds() {
    let both = |queue: &str, media: &str| json!({ "type": "and", "predicates": [is("queueId", queue), is("mediaType", media)] });
    let organisation = organisation(file());
    let named = json!({ "type": "or", "clauses": [both("cards", "voice"), both("loans", "chat")] });
    rows(&organisation, "sofia", Kind::Aggregates, &aggregates(named.clone()));
    rows(&organisation, "sofia", Kind::Details, &json!({ "interval": WEEK, "segmentFilters": [named] }));
    let open = json!({ "type": "or", "clauses": [both("cards", "voice"), { "type": "and", "predicates": [is("mediaType", "chat"), is("direction", "inbound")] }] });
    rows(&organisation, "sofia", Kind::Aggregates, &aggregates(open));
}

/// Of an *or*, the only branch that can hold keeps the division it names, also where that is said by queues.
#[test]
fn the_branch_that_is_left_of_an_or_keeps_its_division() {
    let mut file = file();
    file["queues"][0]["moved"] = json!(true);
    let organisation = organisation(file);
    let never = json!({ "type": "and", "predicates": [is("queueId", "motor"), is("divisionId", "pay")] });
    let pay = json!({ "type": "and", "predicates": [is("divisionId", "pay")] });
    let filter = json!({ "type": "or", "clauses": [never, pay] });
    rows(&organisation, "dora", Kind::Aggregates, &aggregates(filter));
}

#[test]
fn assigned_with_view_succeeds() {
    let organisation = organisation(file());
    rows(&organisation, "vera", Kind::Aggregates, &aggregates(Value::Null));
    rows(&organisation, "vera", Kind::Details, &json!({ "interval": WEEK }));
}

#[test]
fn offered_with_handled_succeeds_for_a_supervisor_of_a_division() {
    let body = json!({ "interval": WEEK, "metrics": ["nOffered", "tHandle"], "groupBy": ["queueId"] });
    let organisation = organisation(file());
    rows(&organisation, "sofia", Kind::Aggregates, &body);
    // Whoever sees whole divisions loses the legs without a queue, and is told.
    match ask(&organisation, "cora", Kind::Aggregates, &body) {
        Got::Answered(answered) => assert!(!answered.facts.is_empty() && !answered.notices.is_empty(), "{answered:#?}"),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn two_divisions_succeed_and_are_never_merged() {
    let organisation = organisation(file());
    for kind in [Kind::Aggregates, Kind::Details] {
        let body = if kind == Kind::Details { json!({ "interval": WEEK }) } else { aggregates(Value::Null) };
        rows(&organisation, "dora", kind, &body);
    }
}

#[test]
fn details_with_three_filter_arrays_succeed() {
    let body = json!({
        "interval": WEEK,
        "conversationFilters": [{ "type": "and", "predicates": [is("originatingDirection", "inbound")] }],
        "segmentFilters": [{ "type": "and", "predicates": [is("mediaType", "voice")] }],
        "evaluationFilters": [{ "type": "and", "predicates": [is("queueId", "cards")] }],
    });
    rows(&organisation(file()), "cora", Kind::Details, &body);
}

#[test]
fn five_thousand_queues_succeed() {
    let mut file = file();
    for at in 0..5_000 {
        file["queues"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "id": format!("many-{at}"), "division": "pay", "members": [] }));
    }
    let organisation = organisation(file);
    let body = json!({ "interval": WEEK, "metrics": ["tHandle"] });
    rows(&organisation, "cora", Kind::Aggregates, &body);
    let one = json!({ "type": "and", "predicates": [is("queueId", "many-7")] });
    match ask(&organisation, "cora", Kind::Aggregates, &aggregates(one)) {
        Got::Answered(answered) => assert!(answered.sent.unwrap().len() < 1_000, "one named queue sends one predicate"),
        other => panic!("{other:#?}"),
    }
}

// ---- situations --------------------------------------------------------------------------------------------------

#[test]
fn a_supervisor_of_one_division_asking_for_another_is_refused() {
    let organisation = organisation(file());
    let motor = aggregates(json!({ "type": "and", "predicates": [is("queueId", "motor")] }));
    assert_eq!(refused(&organisation, "sofia", Kind::Aggregates, &motor), Code::ScopeOutside);
    let invented = aggregates(json!({ "type": "and", "predicates": [is("queueId", "no-such-queue")] }));
    assert_eq!(refused(&organisation, "sofia", Kind::Aggregates, &invented), Code::ScopeOutside);
    let abroad = aggregates(json!({ "type": "and", "predicates": [is("queueId", "cards-eu")] }));
    assert_eq!(refused(&organisation, "sofia", Kind::Aggregates, &abroad), Code::ScopeOutside);
}

#[test]
fn a_grant_opens_another_division_until_it_ends() {
    let mut file = file();
    let resource = json!([{ "kind": "queue", "id": "motor" }]);
    let motor = aggregates(json!({ "type": "and", "predicates": [is("queueId", "motor")] }));
    file["grants"] = json!([{ "id": "g", "beneficiary": "sofia", "resources": resource, "actions": ["view"], "from": "2026-11-18T00:00:00Z", "until": "2026-11-19T00:00:01Z" }]);
    rows(&organisation(file.clone()), "sofia", Kind::Aggregates, &motor);
    file["grants"][0]["until"] = json!("2026-11-19T00:00:00Z");
    assert_eq!(refused(&organisation(file), "sofia", Kind::Aggregates, &motor), Code::ScopeOutside);
}

#[test]
fn a_dead_queue_of_ones_own_is_stale_and_any_other_is_outside() {
    let mut file = file();
    file["queues"][1]["state"] = json!("archived");
    file["queues"][3]["state"] = json!("deleted");
    let organisation = organisation(file);
    let of =
        |queue: &str| aggregates(json!({ "type": "or", "predicates": [is("queueId", "cards"), is("queueId", queue)] }));
    assert_eq!(refused(&organisation, "sofia", Kind::Aggregates, &of("loans")), Code::QueryDeadQueue);
    for queue in ["motor", "no-such-queue"] {
        assert_eq!(refused(&organisation, "sofia", Kind::Aggregates, &of(queue)), Code::ScopeOutside);
    }
    // Vera was no member of it.
    assert_eq!(refused(&organisation, "vera", Kind::Aggregates, &of("motor")), Code::ScopeOutside);
}

#[test]
fn a_shared_division_shows_its_copies_only() {
    let organisation = organisation(file());
    let all = rows(&organisation, "rita", Kind::Aggregates, &aggregates(Value::Null));
    assert!(all.facts.keys().all(|key| key.contains("shared-copy")), "{:#?}", all.facts);
}

#[test]
fn a_filter_does_not_speak_of_hidden_legs_of_a_visible_interaction() {
    let organisation = organisation(file());
    let probe =
        json!({ "interval": WEEK, "segmentFilters": [{ "type": "and", "predicates": [is("userId", "carl")] }] });
    assert_eq!(refused(&organisation, "sofia", Kind::Details, &probe), Code::ScopeOutside);
}

#[test]
fn a_parent_division_opens_nothing() {
    let organisation = organisation(file());
    assert_eq!(refused(&organisation, "pat", Kind::Aggregates, &aggregates(Value::Null)), Code::DivisionParentScan);
    let named = aggregates(json!({ "type": "and", "predicates": [is("divisionId", "us")] }));
    assert_eq!(refused(&organisation, "cora", Kind::Aggregates, &named), Code::DivisionParentScan);
}

#[test]
fn another_region_is_never_scanned() {
    let organisation = organisation(file());
    let named = aggregates(json!({ "type": "and", "predicates": [is("divisionId", "pay-eu")] }));
    assert_eq!(refused(&organisation, "cora", Kind::Aggregates, &named), Code::RegionCrossRegionScan);
}

#[test]
fn an_outsourcer_sees_nothing_by_all_and_only_whole_queues_by_group() {
    let organisation = organisation(file());
    refused(&organisation, "bo", Kind::Aggregates, &aggregates(Value::Null));
    // A queue that an internal agent shares is not wholly the group's: only the group's own legs of it.
    let seen = rows(
        &organisation,
        "bea",
        Kind::Details,
        &json!({ "interval": WEEK, "paging": { "pageSize": 100, "pageNumber": 1 } }),
    );
    let legs: Vec<&String> =
        seen.facts.values().flat_map(|legs| legs.keys()).filter(|leg| leg.contains("\"mixed\"")).collect();
    assert!(legs.iter().all(|leg| leg.contains("\"bo\"") || leg.contains("\"bea\"")), "{legs:?}");
}

#[test]
fn sales_and_service_share_a_division_but_not_their_folders() {
    let mut file = file();
    file["folders"] = json!([
        { "id": "lines", "readList": ["sales", "service"] },
        { "id": "sales-line", "parent": "lines", "readList": ["sales"], "propagate": true },
        { "id": "service-line", "parent": "lines" },
    ]);
    file["groups"]
        .as_array_mut()
        .unwrap()
        .extend([json!({ "id": "sales", "members": ["cora"] }), json!({ "id": "service", "members": ["dora"] })]);
    file["queues"][0]["folder"] = json!("sales-line");
    file["queues"][1]["folder"] = json!("service-line");
    let organisation = organisation(file);
    let seen = |person: &str| rows(&organisation, person, Kind::Aggregates, &aggregates(Value::Null)).facts;
    assert!(
        seen("cora").keys().any(|key| key.contains("cards")) && !seen("cora").keys().any(|key| key.contains("loans"))
    );
    // The list above is not propagated, and no list reaches the service line's queue: closed to everybody.
    let body = aggregates(json!({ "type": "and", "predicates": [is("queueId", "loans")] }));
    assert_eq!(refused(&organisation, "dora", Kind::Aggregates, &body), Code::ScopeOutside);
}

#[test]
fn a_restricted_queue_opens_by_name_only() {
    let organisation = organisation(file());
    let fraud = aggregates(json!({ "type": "and", "predicates": [is("queueId", "fraud")] }));
    assert_eq!(refused(&organisation, "cora", Kind::Aggregates, &fraud), Code::ScopeOutside);
}

// ---- attacks -----------------------------------------------------------------------------------------------------

pub(super) fn wide() -> Organisation {
    let mut file = file();
    let queues = file["queues"].as_array_mut().unwrap();
    queues.extend((0..400).map(|n| json!({ "id": format!("pay-{n}"), "division": "pay", "members": [] })));
    organisation(file)
}

pub(super) fn only_asked(organisation: &Organisation, person: &str, kind: Kind, body: &Value) -> Got {
    Case { person: person.to_owned(), kind, body: body.to_string(), now: NOW }.ask(organisation)
}

#[test]
fn many_entries_do_not_repeat_a_wide_scope_without_end() {
    let organisation = wide();
    let entry = |n: usize| json!({ "type": "and", "predicates": [is("wrapUpCode", &n.to_string())] });
    let entries = |many: usize| json!({ "interval": WEEK, "segmentFilters": (0..many).map(entry).collect::<Vec<_>>() });
    assert!(matches!(only_asked(&organisation, "cora", Kind::Details, &entries(50)), Got::Answered(_)));
    match only_asked(&organisation, "cora", Kind::Details, &entries(400)) {
        Got::Refused { code, .. } => assert_eq!(code, Code::QueryTooComplex),
        Got::Answered(_) => panic!("a body of 40 kB was sent as one of 8 MB"),
    }
}

#[test]
fn placeholders_do_not_stand_for_more_than_fits() {
    let organisation = wide();
    let body = |many: usize| {
        json!({ "query": { "dateFrom": "now-7d", "dateTo": "now", "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
            "filter": { "type": "AND", "predicates": [{ "dimension": "queueId", "operator": "IN", "values": vec!["${user.scopeQueueIds}"; many] }] } } })
    };
    assert!(matches!(only_asked(&organisation, "cora", Kind::Platform, &body(2)), Got::Answered(_)));
    match only_asked(&organisation, "cora", Kind::Platform, &body(200)) {
        Got::Refused { code, .. } => assert_eq!(code, Code::QueryTooComplex),
        Got::Answered(_) => panic!("200 placeholders stood for 80,000 values"),
    }
}

#[test]
fn a_mask_is_not_lifted_by_a_right_in_another_division() {
    let by_number = json!({ "interval": "2026-11-19T00:00:00Z/2026-11-20T00:00:00Z", "metrics": ["tHandle"],
        "filter": { "type": "and", "predicates": [{ "dimension": "ani", "value": "tel:+15550100" }] } });
    let lifted = |divisions: &[&str]| {
        let mut file = file();
        file["roles"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "id": "contacts", "permissions": [{ "permission": "externalContacts:contact:view", "scope": "all" }] }));
        let dora = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "dora").unwrap();
        let held = dora["roles"].as_array_mut().unwrap();
        held.extend(divisions.iter().map(|division| json!({ "role": "contacts", "division": division })));
        let organisation = organisation(file);
        match only_asked(&organisation, "dora", Kind::Aggregates, &by_number) {
            Got::Refused { code, .. } => {
                assert_eq!(code, Code::FieldHidden);
                false
            }
            Got::Answered(_) => true,
        }
    };
    assert!(!lifted(&[]));
    assert!(!lifted(&["claims"]), "customers of `pay` are not shown by a right in `claims`");
    assert!(lifted(&["pay", "claims"]));
}

#[test]
fn a_grant_to_one_conversation_opens_that_one_by_id() {
    let mut file = file();
    file["grants"] = json!([{ "id": "one", "beneficiary": "carl", "resources": [{ "kind": "conversation", "id": "c-1" }],
        "actions": ["view"], "from": "2026-11-01T00:00:00Z", "until": "2027-11-01T00:00:00Z" }]);
    let organisation = organisation(file);
    let read = |id: &str| {
        let (operation, ids) = program::rules().find(Method::Get, &["api", "v2", "conversations", id]).unwrap();
        let ids = ids.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let question =
            Question { operation: Arc::clone(operation), ids, params: vec![], body: None, kept: None, seen: None };
        let (world, now) = (&organisation.world, program::at(NOW));
        let scope = Arc::new(decision::scope(world, program::principal(&world.org, "carl"), operation, now).unwrap());
        let Decided::Forward(forward) = decision::decide(world, &scope, &question, now).unwrap() else {
            panic!("asks")
        };
        let leg = json!({ "id": "p", "userId": "ana", "queueId": "cards", "startTime": "2026-11-02T09:00:00Z", "endTime": "2026-11-02T09:05:00Z" });
        let answer = json!({ "id": id, "participants": [leg] }).to_string();
        forward.plan.guard(Unguarded::new(200, answer.into_bytes())).map_err(|refusal| refusal.code)
    };
    assert_eq!(read("c-1").unwrap().rows_out(), 1);
    assert_eq!(read("c-2").unwrap_err(), Code::ScopeOutside);
}

/// A data window is held by the guard alone where the answer shows its legs: what crosses the edge is cut or gone,
/// keeps its place on a page, and is nowhere counted.
#[test]
fn what_crosses_the_edge_of_a_window_takes_a_place_and_shows_nothing_outside() {
    let mut file = file();
    file["grants"] = json!([{
        "id": "audit", "beneficiary": "carl", "resources": [{ "kind": "queue", "id": "cards" }], "actions": ["view"],
        "data": { "from": "2026-11-16T00:00:00Z", "until": "2026-11-17T00:00:00Z" },
        "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z",
    }]);
    let mut one = organisation(file);
    let template = one.stock.interactions[0].legs[0].clone();
    let leg = |from: i64, until: i64| Leg {
        queue: Some("cards".to_owned()),
        agent: Some("ana".to_owned()),
        start: MONDAY + from * 3_600,
        end: MONDAY + until * 3_600,
        ..template.clone()
    };
    let interaction = |id: &str, legs: Vec<Leg>| Interaction {
        id: id.to_owned(),
        start: legs[0].start,
        end: legs[legs.len() - 1].end,
        facts: BTreeMap::new(),
        evaluations: vec![],
        legs,
    };
    one.stock.interactions = vec![
        interaction("c-first", vec![leg(8, 9)]),
        interaction("c-gone", vec![leg(22, 25)]),
        interaction("c-cut", vec![leg(23, 24), leg(24, 25)]),
    ];
    let day = |size: usize, number: usize| json!({ "interval": "2026-11-16T00:00:00Z/2026-11-17T00:00:00Z", "paging": { "pageSize": size, "pageNumber": number } });
    let shown = |size: usize, number: usize| -> Vec<(String, usize)> {
        let Got::Answered(answered) = ask(&one, "carl", Kind::Details, &day(size, number)) else { panic!("refused") };
        assert!(matches!(&*answered.notices, [one] if one.code == "window.edge"), "{:?}", answered.notices);
        answered.facts.into_iter().map(|(id, facts)| (id, facts.len() - 1)).collect()
    };
    assert_eq!(shown(100, 1), [("c-cut".to_owned(), 1), ("c-first".to_owned(), 1)]);
    assert_eq!(shown(1, 1), [("c-first".to_owned(), 1)]);
    assert_eq!(shown(1, 2), []);
    assert_eq!(shown(1, 3), [("c-cut".to_owned(), 1)]);
    // A filter would speak of the legs outside, and part of a day would show that one began there.
    let mut filtered = day(100, 1);
    filtered["segmentFilters"] = json!([{ "type": "and", "predicates": [is("userId", "ana")] }]);
    assert_eq!(refused(&one, "carl", Kind::Details, &filtered), Code::WindowOutside);
    let mut longer = day(100, 1);
    longer["interval"] = json!("2026-11-16T00:00:00Z/2026-11-17T00:00:01Z");
    assert_eq!(refused(&one, "carl", Kind::Details, &longer), Code::WindowOutside);
}

#[test]
fn a_person_in_a_parent_division_is_a_row_to_nobody() {
    let mut file = file();
    let pat = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "pat").unwrap();
    pat["roles"] = json!([{ "role": "agent", "division": "pay" }]);
    let one = organisation(file);
    let body = json!({
        "metrics": ["oMemberQueues"], "filter": { "type": "and", "predicates": [is("userId", "pat")] },
    });
    assert_eq!(refused(&one, "pat", Kind::UserObservations, &body), Code::ScopeOutside);
}

#[test]
fn a_division_whose_every_queue_is_closed_is_outside() {
    let mut file = file();
    file["folders"] = json!([{ "id": "desk", "readList": ["acme-people"], "propagate": true }]);
    let one = organisation(file);
    let body = aggregates(json!({ "type": "and", "predicates": [is("divisionId", "pay")] }));
    assert_eq!(refused(&one, "sofia", Kind::Aggregates, &body), Code::ScopeOutside);
}
