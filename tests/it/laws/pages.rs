//! Lists without an upstream: which page is cut, what is asked of the upstream, and what is said of the rest.

use super::{
    case::{Organisation, Stock},
    program,
};
use crate::oracle::{
    data::Directory,
    generate::{Dice, MONDAY},
};
use bailiwick::{
    decision::{self, Decided, Forward},
    model::{
        contract::Method,
        refusal::{Code, Refusal},
    },
    policy::guard::{Guarded, Unguarded},
    query::Question,
};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: i64 = MONDAY + 3 * 86_400;

fn organisation() -> Organisation {
    let permissions: Vec<Value> = ["routing:queue:view", "directory:user:view", "authorization:division:view"]
        .iter()
        .map(|name| json!({ "permission": name, "scope": "all" }))
        .collect();
    let queue =
        |id: &str, name: &str, division: &str| json!({ "id": id, "name": name, "division": division, "members": [] });
    let file = json!({
        "version": "lists",
        "regions": [{ "id": "us", "upstream": "http://127.0.0.1:1" }],
        "divisions": [
            { "id": "root", "region": "us" }, { "id": "pay", "name": "Payments", "parent": "root", "region": "us" },
            { "id": "claims", "name": "Claims", "parent": "root", "region": "us" },
            { "id": "sales", "name": "Sales", "parent": "root", "region": "us" },
        ],
        "roles": [{ "id": "all", "permissions": permissions }],
        "users": [
            { "id": "cora", "name": "Cora", "division": "pay", "region": "us", "roles": [
                { "role": "all", "division": "pay" }, { "role": "all", "division": "claims" }] },
            { "id": "ben", "name": "Ben", "division": "pay", "region": "us" },
            { "id": "gone", "name": "Gone", "division": "pay", "region": "us", "active": false },
            { "id": "sam", "name": "Sam", "division": "sales", "region": "us", "roles": [] },
            { "id": "sid", "name": "Sid", "division": "sales", "region": "us", "roles": [{ "role": "all", "division": "root" }] },
            { "id": "eli", "name": "Eli", "division": "sales", "region": "us", "roles": [{ "role": "all", "division": "sales" }] },
        ],
        "queues": [
            queue("q-e", "Echo", "pay"), queue("q-a", "alpha", "pay"), queue("q-b", "Bravo", "pay"),
            queue("q-c", "Cards alpha", "claims"), queue("q-d", "Delta", "claims"), queue("q-s", "Sales", "sales"),
            { "id": "q-old", "name": "Old", "division": "pay", "members": [], "state": "archived" },
        ],
    });
    let stock = Stock::draw(&mut Dice::new(42), &Directory::read(&file.to_string()));
    Organisation::of(file, stock).unwrap()
}

const QUEUES: &str = "api/v2/routing/queues";
const USERS: &str = "api/v2/users";
const DIVISIONS: &str = "api/v2/authorization/divisions";

fn ask(organisation: &Organisation, person: &str, path: &str, params: &[(&str, &str)]) -> Result<Decided, Refusal> {
    let segments: Vec<&str> = path.split('/').collect();
    let (operation, _) = program::rules().find(Method::Get, &segments).unwrap_or_else(|| panic!("no rule for {path}"));
    let lists = ["id", "divisionId"];
    let values = |name: &str, value: &str| -> Vec<String> {
        if lists.contains(&name) { value.split(',').map(str::to_owned).collect() } else { vec![value.to_owned()] }
    };
    let params = params.iter().map(|(name, value)| ((*name).into(), values(name, value))).collect();
    let question =
        Question { operation: Arc::clone(operation), ids: vec![], params, body: None, kept: None, seen: None };
    let (world, now) = (&organisation.world, program::at(NOW));
    let scope = Arc::new(decision::scope(world, program::principal(&world.org, person), operation, now)?);
    decision::decide(world, &scope, &question, now)
}

fn sent(organisation: &Organisation, path: &str, params: &[(&str, &str)]) -> Box<Forward> {
    match ask(organisation, "cora", path, params) {
        Ok(Decided::Forward(forward)) => forward,
        other => panic!("{path} {params:?}: {other:?}"),
    }
}

fn query(forward: &Forward) -> String {
    let pairs = forward.verified.query().iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

fn local(organisation: &Organisation, person: &str, path: &str, params: &[(&str, &str)]) -> Guarded {
    match ask(organisation, person, path, params) {
        Ok(Decided::Local(guarded)) => guarded,
        other => panic!("{person} {path} {params:?}: {other:?}"),
    }
}

fn text(guarded: &Guarded) -> Value {
    std::str::from_utf8(guarded.body()).unwrap().parse().unwrap()
}

#[test]
fn a_page_is_cut_from_what_is_visible_by_name() {
    let organisation = organisation();
    for (path, params, due) in [
        (QUEUES, vec![], "id=q-b,q-c,q-d,q-e,q-a&pageSize=5&pageNumber=1"),
        (QUEUES, vec![("sortOrder", "asc")], "id=q-b,q-c,q-d,q-e,q-a&pageSize=5&pageNumber=1&sortOrder=asc"),
        (QUEUES, vec![("sortOrder", "desc")], "id=q-a,q-e,q-d,q-c,q-b&pageSize=5&pageNumber=1&sortOrder=desc"),
        (QUEUES, vec![("pageSize", "2")], "id=q-b,q-c&pageSize=2&pageNumber=1"),
        (QUEUES, vec![("pageSize", "2"), ("pageNumber", "2")], "id=q-d,q-e&pageSize=2&pageNumber=1"),
        (QUEUES, vec![("pageSize", "2"), ("pageNumber", "3")], "id=q-a&pageSize=1&pageNumber=1"),
        (QUEUES, vec![("divisionId", "claims")], "id=q-c,q-d&pageSize=2&pageNumber=1"),
        (QUEUES, vec![("divisionId", "claims,pay")], "id=q-b,q-c,q-d,q-e,q-a&pageSize=5&pageNumber=1"),
        (QUEUES, vec![("id", "q-e,q-c")], "id=q-c,q-e&pageSize=2&pageNumber=1"),
        (QUEUES, vec![("id", "q-e,q-c"), ("divisionId", "pay")], "id=q-e&pageSize=1&pageNumber=1"),
        (QUEUES, vec![("name", "ALPHA")], "id=q-a&pageSize=1&pageNumber=1"),
        (QUEUES, vec![("name", "*alpha")], "id=q-c,q-a&pageSize=2&pageNumber=1"),
        (QUEUES, vec![("name", "alpha*")], "id=q-a&pageSize=1&pageNumber=1"),
        (QUEUES, vec![("name", "c*")], "id=q-c&pageSize=1&pageNumber=1"),
        (QUEUES, vec![("name", "*l*")], "id=q-c,q-d,q-a&pageSize=3&pageNumber=1"),
        (QUEUES, vec![("name", "*")], "id=q-b,q-c,q-d,q-e,q-a&pageSize=5&pageNumber=1"),
        (USERS, vec![], "id=ben,cora&pageSize=2&pageNumber=1"),
        (DIVISIONS, vec![], "id=claims,pay&pageSize=2&pageNumber=1"),
    ] {
        assert_eq!(query(&sent(&organisation, path, &params)), due, "{path} {params:?}");
    }
}

#[test]
fn a_page_that_holds_nothing_is_answered_here_with_the_total() {
    let organisation = organisation();
    let due = |size: u32, number: u32, total: u32, pages: u32| json!({ "entities": [], "pageSize": size, "pageNumber": number, "total": total, "pageCount": pages });
    let behind = local(&organisation, "cora", QUEUES, &[("pageSize", "2"), ("pageNumber", "4")]);
    assert_eq!(text(&behind), due(2, 4, 5, 3));
    assert_eq!((behind.status(), behind.rows_in(), behind.rows_out()), (200, 0, 0));
    assert_eq!(text(&local(&organisation, "cora", QUEUES, &[("name", "lph")])), due(25, 1, 0, 0));
    assert_eq!(text(&local(&organisation, "cora", QUEUES, &[("pageSize", "5"), ("pageNumber", "2")])), due(5, 2, 5, 1));
    // a right on a parent division is no right, and says so
    assert_eq!(ask(&organisation, "sid", QUEUES, &[]).unwrap_err().code, Code::DivisionParentScan);
    assert_eq!(ask(&organisation, "sam", QUEUES, &[]).unwrap_err().code, Code::PermissionMissing);
    let eli = ask(&organisation, "eli", QUEUES, &[]);
    assert!(matches!(eli, Ok(Decided::Forward(forward)) if query(&forward).starts_with("id=q-s&")));
}

#[test]
fn what_is_named_in_a_list_is_judged_too() {
    let organisation = organisation();
    for (params, code) in [
        (vec![("id", "q-s")], Code::ScopeOutside),
        (vec![("id", "q-a,q-s")], Code::ScopeOutside),
        (vec![("id", "q-zoo")], Code::ScopeOutside),
        (vec![("divisionId", "sales")], Code::ScopeOutside),
        (vec![("divisionId", "root")], Code::DivisionParentScan),
        (vec![("pageNumber", "0")], Code::QueryMalformed),
        (vec![("pageSize", "0")], Code::QueryMalformed),
        (vec![("pageSize", "-1")], Code::QueryMalformed),
        (vec![("pageNumber", "x")], Code::QueryMalformed),
    ] {
        assert_eq!(ask(&organisation, "cora", QUEUES, &params).unwrap_err().code, code, "{params:?}");
    }
}

#[test]
fn entries_that_were_not_asked_for_are_taken_out_and_totals_counted_anew() {
    let organisation = organisation();
    let forward = sent(&organisation, QUEUES, &[("pageSize", "2"), ("pageNumber", "2")]);
    let guard = |answer: &Value| forward.plan.guard(Unguarded::new(200, answer.to_string().into_bytes())).unwrap();
    let entry = |id: &str, division: &str| json!({ "id": id, "name": id, "division": { "id": division } });
    let answer = json!({
        "entities": [
            entry("q-d", "claims"), entry("q-d", "claims"), entry("q-a", "pay"), entry("q-e", "sales"), entry("q-e", "zoo"),
            { "name": "no id" }, { "id": 7 }, { "id": ["q-e"] }, { "id": "q-e", "division": { "id": 7 } }, 7, null,
        ],
        "pageSize": 2, "pageNumber": 1, "total": 900, "pageCount": 450, "nextUri": "/api/v2/routing/queues?pageNumber=2",
    });
    let guarded = guard(&answer);
    let due =
        json!({ "entities": [entry("q-d", "claims")], "pageSize": 2, "pageNumber": 2, "total": 5, "pageCount": 3 });
    assert_eq!(text(&guarded), due);
    assert_eq!((guarded.rows_in(), guarded.rows_out()), (11, 1));
    assert_eq!((guarded.rows_foreign(), guarded.notices().len()), (10, 1));
    // the same id is kept where its division is not told, or told rightly
    for kept in [json!({ "id": "q-e" }), entry("q-e", "pay"), json!({ "id": "q-e", "division": null })] {
        assert_eq!(guard(&json!({ "entities": [kept] })).rows_out(), 1, "{kept}");
    }
    assert_eq!(text(&guard(&json!({ "entities": [] }))), json!({ "entities": [] }), "what is not there is not made");
}
