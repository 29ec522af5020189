//! Reports about the organisation's own people: an outsourcer is in no scope, no row and no total of theirs.

use super::program;
use crate::oracle::{generate::MONDAY, questions::Kind};
use bailiwick::{
    decision::{self, Decided},
    model::{
        operation::{Operation, Outsourcers, Rules},
        org::Org,
        refusal::{Code, Refusal},
        set::Dim,
    },
    policy::{guard::Unguarded, outsourcers},
};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: i64 = MONDAY + 3 * 86_400;
const DAY: &str = "2026-11-18T00:00:00Z/2026-11-19T00:00:00Z";

/// A leaf of own people, one of an outsourcer's, and one that both share.
fn org(with_outsourcers: bool) -> Arc<Org> {
    let user = |id: &str, division: &str, bpo: bool| json!({ "id": id, "division": division, "region": "us", "bpo": bpo && with_outsourcers });
    let mut users = vec![
        user("olga", "own", false),
        user("otto", "own", false),
        user("mila", "mixed", false),
        user("mark", "mixed", true),
        user("abe", "acme", true),
    ];
    let roles: Vec<Value> =
        ["own", "mixed", "acme"].map(|division| json!({ "role": "all", "division": division })).into();
    users[0]["roles"] = json!(roles);
    let file = json!({
        "version": "outsourcers",
        "regions": [{ "id": "us", "upstream": "http://127.0.0.1:1" }],
        "divisions": [
            { "id": "root", "region": "us" }, { "id": "own", "parent": "root", "region": "us" },
            { "id": "mixed", "parent": "root", "region": "us" }, { "id": "acme", "parent": "root", "region": "us" },
        ],
        "roles": [{ "id": "all", "permissions": [{ "permission": "analytics:report:view", "scope": "all" }] }],
        "users": users,
        "queues": [
            { "id": "desk", "division": "own", "members": ["olga", "otto"] },
            { "id": "shared", "division": "own", "members": ["otto", "abe"] },
            { "id": "hall", "division": "mixed", "members": ["mila", "mark"] },
        ],
    });
    program::org(&file.to_string()).unwrap()
}

fn report(kind: Kind, outsourcers: Outsourcers) -> Arc<Operation> {
    Arc::new(Operation { outsourcers, ..Operation::clone(program::operation(kind)) })
}

/// What olga gets for a question to this report: what is sent, what is shown of the upstream's answer, the notices.
fn ask(
    org: &Arc<Org>,
    operation: &Arc<Operation>,
    kind: Kind,
    body: &Value,
    upstream: &Value,
) -> Result<(Value, Value, Vec<&'static str>), Refusal> {
    let world = program::world(org);
    let scope = decision::scope(&world, program::principal(org, "olga"), operation, program::at(NOW))?;
    let mut question = program::question(kind, body.to_string().as_bytes());
    question.operation = operation.clone();
    match decision::decide(&world, &Arc::new(scope), &question, program::at(NOW))? {
        Decided::Split(_) | Decided::Kept(_) => panic!("nothing here is asked in parts"),
        Decided::Local(_) => panic!("something can match {body}"),
        Decided::Forward(forward) => {
            let guarded = forward.plan.guard(Unguarded::new(200, upstream.to_string().into_bytes()))?;
            let notices = forward.notices.iter().chain(guarded.notices()).map(|notice| notice.code).collect();
            Ok((program::text(program::sent(&forward.verified).as_bytes()), program::text(guarded.body()), notices))
        }
    }
}

fn aggregates(group_by: &[&str], filter: Value) -> Value {
    let mut body = json!({ "interval": DAY, "metrics": ["tHandle"], "groupBy": group_by });
    if !filter.is_null() {
        body["filter"] = filter;
    }
    body
}

fn is(dimension: &str, value: &str) -> Value {
    json!({ "dimension": dimension, "value": value })
}

fn all_of(predicates: &[Value]) -> Value {
    json!({ "type": "and", "predicates": predicates })
}

fn any_of(predicates: &[Value]) -> Value {
    json!({ "type": "or", "predicates": predicates })
}

const NOTHING: &str = r#"{"results":[]}"#;

#[test]
fn totals_of_interactions_count_no_outsourcer() {
    let (mixed, own, nothing) = (org(true), org(false), NOTHING.parse().unwrap());
    let report = report(Kind::Aggregates, Outsourcers::ByRow);
    let asked = |org: &Arc<Org>, body: Value| {
        ask(org, &report, Kind::Aggregates, &body, &nothing).map(|(_, _, notices)| notices).map_err(|no| no.code)
    };
    for (group_by, filter, apart) in [
        (vec![], Value::Null, false),
        (vec!["queueId"], Value::Null, false),
        (vec!["userId"], Value::Null, true),
        (vec!["queueId", "userId"], Value::Null, true),
        (vec![], all_of(&[is("userId", "otto")]), true),
        (vec![], any_of(&[is("userId", "otto"), is("userId", "mila")]), true),
        (vec![], all_of(&[is("userId", "otto"), is("mediaType", "voice")]), true),
        (vec![], any_of(&[is("userId", "otto"), is("mediaType", "voice")]), false),
        (vec![], any_of(&[is("userId", "otto"), is("userId", "mark")]), false),
        (vec![], all_of(&[is("queueId", "desk")]), false),
    ] {
        let body = aggregates(&group_by, filter);
        let due = if apart { Ok(vec!["bpo.left-out"]) } else { Err(Code::BpoMixedTotals) };
        assert_eq!(asked(&mixed, body.clone()), due, "{body}");
        // Where nobody is an outsourcer there is nothing to tell apart.
        assert_eq!(asked(&own, body.clone()), Ok(vec!["bpo.left-out"]), "{body}");
    }
}

#[test]
fn rows_of_outsourcers_are_not_shown() {
    let org = org(true);
    let row = |user: &str| json!({ "group": { "userId": user }, "data": [{ "interval": DAY, "metrics": [{ "metric": "tHandle", "stats": { "count": 1 } }] }] });
    let upstream = json!({ "results": [row("otto"), row("mark"), row("mila"), row("abe")] });
    let body = aggregates(&["userId"], Value::Null);
    for (outsourcers, due) in
        [(Outsourcers::Count, vec!["otto", "mark", "mila", "abe"]), (Outsourcers::ByRow, vec!["otto", "mila"])]
    {
        let report = report(Kind::Aggregates, outsourcers);
        let (_, shown, _) = ask(&org, &report, Kind::Aggregates, &body, &upstream).unwrap();
        let users = shown["results"].as_array().unwrap().iter().map(|row| row["group"]["userId"].as_str().unwrap());
        assert_eq!(users.collect::<Vec<_>>(), due, "{outsourcers:?}");
    }
}

#[test]
fn rights_to_people_are_rights_to_own_people() {
    let org = org(true);
    let body = json!({ "interval": DAY, "metrics": ["tAgentRoutingStatus"], "groupBy": ["userId"] });
    for (outsourcers, due) in [
        (Outsourcers::Count, vec!["abe", "mark", "mila", "olga", "otto"]),
        (Outsourcers::ByRow, vec!["mila", "olga", "otto"]),
        (Outsourcers::ByDivision, vec!["olga", "otto"]),
    ] {
        let report = report(Kind::UserAggregates, outsourcers);
        let (sent, _, _) = ask(&org, &report, Kind::UserAggregates, &body, &NOTHING.parse().unwrap()).unwrap();
        let named = sent["filter"]["predicates"].as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap());
        assert_eq!(named.collect::<Vec<_>>(), due, "{outsourcers:?}");
    }
}

#[test]
fn queues_in_which_outsourcers_work_have_no_totals() {
    let org = org(true);
    let asked = |queue: &str, outsourcers: Outsourcers| {
        let body = json!({ "metrics": ["oWaiting"], "filter": any_of(&[is("queueId", queue), is("queueId", "desk")]) });
        let report = report(Kind::QueueObservations, outsourcers);
        ask(&org, &report, Kind::QueueObservations, &body, &NOTHING.parse().unwrap()).map(|(_, _, notices)| notices)
    };
    for outsourcers in [Outsourcers::ByRow, Outsourcers::ByDivision] {
        assert_eq!(asked("desk", outsourcers).unwrap(), ["bpo.left-out"]);
        let refusal = asked("shared", outsourcers).unwrap_err();
        assert_eq!(refusal.code, Code::BpoMixedTotals);
        assert!(refusal.message.contains("`shared`") && !refusal.message.contains("`desk`"), "{}", refusal.message);
    }
    assert!(asked("shared", Outsourcers::Count).unwrap().is_empty());
}

#[test]
fn a_division_with_both_is_named_at_load_and_closed_if_met() {
    let org = org(true);
    let rules = |outsourcers| Rules {
        operations: vec![program::operation(Kind::Aggregates).clone(), report(Kind::UserAggregates, outsourcers)],
        ..Rules::clone(program::rules())
    };
    let told = outsourcers::misfits(&rules(Outsourcers::ByDivision), &org);
    let id = &program::operation(Kind::UserAggregates).id;
    assert!(
        matches!(&told[..], [one] if one.contains("`mixed`") && one.contains(&**id) && !one.contains("`own`") && !one.contains("`acme`")),
        "{told:?}"
    );
    for outsourcers in [Outsourcers::ByRow, Outsourcers::Count] {
        assert!(outsourcers::misfits(&rules(outsourcers), &org).is_empty());
    }
    assert!(outsourcers::misfits(&rules(Outsourcers::ByDivision), &self::org(false)).is_empty());

    let world = program::world(&org);
    let report = report(Kind::Aggregates, Outsourcers::ByDivision);
    let scope = decision::scope(&world, program::principal(&org, "olga"), &report, program::at(NOW)).unwrap();
    let mut divisions = Vec::new();
    for entitlement in &scope.entitlements {
        let Dim::Only(held) = &entitlement.divisions else { panic!("{entitlement:?}") };
        divisions.extend(held.iter().map(|ix| &*org.division(*ix).id));
    }
    assert_eq!(divisions, ["own"]);
}
