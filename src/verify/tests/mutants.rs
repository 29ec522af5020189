//! Each mutant changes one value of a request that is proved. All must be refused, and for the reason given.

use super::fixture::*;
use super::proved::leg_form;
use crate::model::{
    body::Access,
    contract::{Data, Method},
    entitlement::{Action, Entitlement, Validity},
    org::{Principal, QueueState, Read, ServiceIx, UserIx},
    outgoing::Residual,
    set::{Dim, Set},
};

fn aggregate(filter: &str) -> Try {
    Try::new(aggregates(), vec![whole()], Some(&with_filter(filter)))
}

const QUEUE_A: &str = r#"{"type":"or","predicates":[{"dimension":"queueId","value":"qa"}]}"#;

#[test]
fn filters_that_say_less_than_the_scope() {
    let both = |queue_clause: &[String], user_clause: &[String]| {
        nested("and", &[flat("or", queue_clause), flat("or", user_clause)])
    };
    let (qa, me, none) = (is("queueId", "qa"), is("userId", "me"), missing("queueId"));
    let good_queue = [qa.clone(), none.clone()];
    let good_user = [qa.clone(), me.clone()];
    aggregate(&both(&good_queue, &good_user)).proved();
    aggregate(&leg_form()).proved();
    let implied = "does not imply";
    for (name, filter, why) in [
        ("first clause dropped", nested("and", &[flat("or", &good_user)]), implied),
        ("second clause dropped", nested("and", &[flat("or", &good_queue)]), implied),
        ("or instead of and", nested("or", &[flat("or", &good_queue), flat("or", &good_user)]), implied),
        (
            "extra top-level or",
            nested("or", &[flat("and", std::slice::from_ref(&qa)), flat("and", &[is("mediaType", "voice")])]),
            implied,
        ),
        ("one branch names no queue", flat("or", &[qa.clone(), is("mediaType", "voice")]), implied),
        ("foreign queue", both(&[qa.clone(), none.clone(), is("queueId", "qx")], &good_user), "outside the scope"),
        ("foreign queue beside", both(&[qa.clone(), none.clone(), is("mediaType", "x")], &good_user), implied),
        ("foreign user", both(&good_queue, &[qa.clone(), is("userId", "bob")]), "outside the scope"),
        ("invented queue", flat("or", &[is("queueId", "nope")]), "outside the scope"),
        ("queue by another case", flat("or", &[is("queueId", "QA")]), "outside the scope"),
        ("empty id", flat("or", &[is("queueId", "")]), "outside the scope"),
        ("user id as queue", flat("or", &[is("queueId", "me")]), "outside the scope"),
        ("restricted queue", flat("or", &[is("queueId", "secret")]), "outside the scope"),
        ("closed queue", flat("or", &[is("queueId", "closed")]), "outside the scope"),
        ("queue of a parent", flat("or", &[is("queueId", "qroot")]), "outside the scope"),
        ("queue of another region", flat("or", &[is("queueId", "qe")]), "outside the scope"),
        ("exists instead of notExists", both(&[qa.clone(), none.replace("notE", "e")], &good_user), implied),
        ("user missing instead of queue missing", both(&[qa.clone(), missing("userId")], &good_user), implied),
        ("queue missing on the agent side", both(&good_queue, &[qa.clone(), none.clone()]), implied),
        ("queue missing alone", flat("or", std::slice::from_ref(&none)), implied),
        ("another name that holds queues", flat("or", &[is("requestedQueueId", "qa")]), implied),
        ("the other dialect's agent", both(&good_queue, &[qa.clone(), is("agentId", "me")]), implied),
        ("division tag instead of legs", flat("or", &[is("divisionId", "pay")]), implied),
        ("parent division", flat("and", &[qa.clone(), is("divisionId", "root")]), "outside the scope"),
        ("foreign division", flat("and", &[qa.clone(), is("divisionId", "claims")]), "outside the scope"),
        ("foreign region", flat("and", &[qa.clone(), is("region", "eu-west-1")]), "outside the scope"),
        ("hidden dimension", flat("and", &[qa.clone(), is("participantName", "x")]), "hidden"),
        ("unknown dimension", flat("and", &[qa.clone(), is("teamName", "x")]), "not a dimension"),
        ("dimension by another case", flat("or", &[is("queueid", "qa")]), "not a dimension"),
        ("no filter content", r#"{"type":"and"}"#.into(), "empty filter"),
        ("no predicates", r#"{"type":"or","predicates":[]}"#.into(), "empty filter"),
        ("empty clause", nested("and", &[QUEUE_A.into(), r#"{"type":"or","predicates":[]}"#.into()]), "empty filter"),
        ("third level", nested("and", &[nested("and", &[QUEUE_A.into()])]), "unknown member"),
        ("type by another case", QUEUE_A.replace("\"or\"", "\"OR\""), "neither `and` nor `or`"),
        ("type not", QUEUE_A.replace("\"or\"", "\"not\""), "neither `and` nor `or`"),
        ("type missing", QUEUE_A.replace("\"type\":\"or\",", ""), "neither `and` nor `or`"),
        ("not an object", "[]".into(), "not an object"),
        ("null", "null".into(), "not an object"),
        ("predicates not an array", r#"{"type":"or","predicates":{}}"#.into(), "not an array"),
        ("unknown member of the filter", QUEUE_A.replace("\"type\"", "\"not\":true,\"type\""), "unknown member"),
        ("unknown member of a predicate", QUEUE_A.replace("\"value\"", "\"negate\":true,\"value\""), "unknown member"),
        ("list as value", QUEUE_A.replace("\"qa\"", "[\"qa\"]"), "not a string"),
        ("null as value", QUEUE_A.replace("\"qa\"", "null"), "not a string"),
        ("value with exists", QUEUE_A.replace("\"value\"", "\"operator\":\"exists\",\"value\""), "do not fit"),
        ("unknown operator", QUEUE_A.replace("\"value\"", "\"operator\":\"notMatches\",\"value\""), "do not fit"),
        ("range of queues", QUEUE_A.replace("\"value\":\"qa\"", "\"range\":{\"gte\":\"q\"}"), "range of ids"),
        (
            "empty range",
            QUEUE_A.replace("queueId\",\"value\":\"qa\"", "mediaType\",\"range\":{}"),
            "range without ends",
        ),
        ("property predicate", QUEUE_A.replace("dimension\"", "property\""), "unknown member"),
        ("unknown metric", QUEUE_A.replace("\"dimension\"", "\"type\":\"metric\",\"metric\""), "not a known"),
    ] {
        aggregate(&filter).refused(name, why);
    }
}

#[test]
fn entitlements_that_do_not_act() {
    let ask = |e: Entitlement, queue: &str| {
        Try::new(aggregates(), vec![e], Some(&with_filter(&flat("or", &[is("queueId", queue)]))))
    };
    ask(queues(&["qa"]), "qa").proved();
    let none = "no entitlement";
    let outside = "outside the scope";
    let valid = |from, until| Entitlement { valid: Validity { from, until }, ..whole() };
    for (name, e, queue, why) in [
        ("expired this instant", valid(None, Some(now())), "qa", none),
        ("begins later", valid(Some(time("2026-11-20T10:00:01Z")), None), "qa", none),
        ("of somebody else", Entitlement { holder: Principal::User(ANN), ..whole() }, "qa", none),
        ("of a service account", Entitlement { holder: Principal::Service(ServiceIx::new(0)), ..whole() }, "qa", none),
        ("of another region", Entitlement { region: EU, ..whole() }, "qa", none),
        ("other action", Entitlement { actions: vec![Action::Export], ..whole() }, "qa", none),
        ("no action", Entitlement { actions: vec![], ..whole() }, "qa", none),
        ("conversations only", Entitlement { conversations: Dim::Only(Set::new()), ..whole() }, "qa", outside),
        ("no division", Entitlement { divisions: Dim::Only(Set::new()), ..whole() }, "qa", outside),
        ("no queue", queues(&[]), "qa", outside),
        ("parent division", Entitlement { divisions: Dim::Only(Set::one(ROOT)), ..whole() }, "qa", outside),
        ("parent division, own queue", Entitlement { divisions: Dim::Any, ..queues(&["qroot"]) }, "qroot", outside),
        ("sibling division", Entitlement { divisions: Dim::Only(Set::one(CLAIMS)), ..whole() }, "qa", outside),
        ("listed, but of another division", queues(&["qx"]), "qx", outside),
        ("listed, but of another region", Entitlement { divisions: Dim::Any, ..queues(&["qe"]) }, "qe", outside),
        ("restricted through any", Entitlement { divisions: Dim::Any, ..whole() }, "secret", outside),
        ("closed, though listed", queues(&["closed"]), "closed", outside),
        ("archived, though listed", queues(&["old"]), "old", outside),
        ("another agent's box", boxed("qa", ANN), "qa", "does not imply"),
        (
            "data window",
            Entitlement { data: Some(window("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")), ..whole() },
            "qa",
            none,
        ),
    ] {
        ask(e, queue).refused(name, why);
    }
    ask(whole(), "qa").proved();
    let mut nobody = ask(whole(), "qa");
    nobody.entitlements.clear();
    nobody.refused("nothing at all", none);
    let mut stranger = ask(whole(), "qa");
    stranger.holder = Principal::User(UserIx::new(99));
    stranger.refused("a holder of another organisation", "not in this organisation");
}

type Change = fn(&mut Try, usize);

#[test]
fn an_organisation_that_changed() {
    let ask = || aggregate(QUEUE_A);
    let qa = queue("qa").index();
    let nested = nested("and", &[QUEUE_A.into()]);
    aggregate(&nested).proved();
    let changes: [(&str, Change); 7] = [
        ("restricted since", |t, q| t.org.queues[q].restricted = true),
        ("closed since", |t, q| t.org.queues[q].read = Read::Closed),
        ("moved to a sibling", |t, q| {
            t.org.queues[q].division = CLAIMS;
        }),
        ("moved to a parent", |t, q| t.org.queues[q].division = ROOT),
        ("left the reading group", |t, _| {
            t.org.users[0].groups = Set::new();
        }),
        ("legacy option without the queue", |t, _| {
            t.org.users[0].legacy = Some(Set::new());
        }),
        ("shared, and not only to be seen", |t, q| {
            t.org.queues[q].division = SHARED;
            t.contract.action = Action::Playback;
            t.entitlements = vec![Entitlement { divisions: Dim::Any, actions: vec![Action::Playback], ..whole() }];
        }),
    ];
    for (name, change) in changes {
        let mut mutant = ask();
        change(&mut mutant, qa);
        mutant.refused(name, "outside the scope");
    }
    let mut listed = Try::new(aggregates(), vec![queues(&["qa"])], Some(&with_filter(QUEUE_A)));
    listed.org.queues[qa].state = QueueState::Deleted;
    listed.refused("deleted, though listed", "outside the scope");
}

#[test]
fn boxes_are_never_mixed() {
    let scope = || vec![boxed("qa", ME), boxed("qb", ANN)];
    let ask = |filter: &str| Try::new(aggregates(), scope(), Some(&with_filter(filter)));
    let pair = |queue, user| flat("and", &[is("queueId", queue), is("userId", user)]);
    ask(&nested("or", &[pair("qa", "me"), pair("qb", "ann")])).proved();
    ask(&nested("or", &[pair("qa", "me"), pair("qb", "me")])).refused("own agent in the other queue", "does not imply");
    ask(&pair("qa", "ann")).refused("other agent in the own queue", "does not imply");
    let crossed = nested(
        "and",
        &[
            flat("or", &[is("queueId", "qa"), is("queueId", "qb")]),
            flat("or", &[is("userId", "me"), is("userId", "ann")]),
        ],
    );
    ask(&crossed).refused("each side alone", "does not imply");
}

#[test]
fn bodies_outside_the_model() {
    let good = with_filter(QUEUE_A);
    let ask = |body: &str| Try::new(aggregates(), vec![whole()], Some(body));
    let scoped = with_filter(&leg_form());
    for (name, body, why) in [
        ("duplicate key", good.replace("\"filter\"", "\"filter\":{},\"filter\""), "byte"),
        ("duplicate by case", good.replace("\"filter\"", "\"Filter\":{},\"filter\""), "byte"),
        ("key by another case", good.replace("\"filter\"", "\"Filter\""), "unknown member"),
        ("escaped key", good.replace("\"filter\"", "\"filt\\u0065r\""), "byte"),
        ("white space", good.replace(':', ": "), "byte"),
        ("second document", format!("{good}{{}}"), "byte"),
        ("not an object", "[]".into(), "not an object"),
        ("unknown field", good.replace("\"metrics\"", "\"views\":[],\"metrics\""), "unknown member"),
        ("field missing", good.replace(&format!("\"interval\":\"{DAY}\","), ""), "`interval` is missing"),
        ("unknown word", good.replace("[\"queueId\"]", "[\"firstQueue\"]"), "groupBy[0]"),
        ("word by another case", good.replace("[\"queueId\"]", "[\"QUEUEID\"]"), "groupBy[0]"),
        ("list too long", good.replace("[\"nOffered\"]", &format!("[{}]", ["\"tHandle\""; 5].join(","))), "$.metrics"),
        ("word for a list", good.replace("[\"nOffered\"]", "\"nOffered\""), "$.metrics"),
        ("number too large", good.replace("\"metrics\"", "\"pageSize\":101,\"metrics\""), "$.pageSize"),
        ("number as float", good.replace("\"metrics\"", "\"pageSize\":1e1,\"metrics\""), "$.pageSize"),
        ("number as text", good.replace("\"metrics\"", "\"pageSize\":\"1\",\"metrics\""), "$.pageSize"),
        ("text too long", good.replace("\"metrics\"", "\"name\":\"123456789\",\"metrics\""), "$.name"),
        ("interval without offset", good.replace('Z', ""), "$.interval"),
        ("interval backwards", good.replace(DAY, "2026-11-20T00:00:00Z/2026-11-19T00:00:00Z"), "$.interval"),
        ("interval too long", good.replace("2026-11-19T", "2026-01-19T"), "longer than"),
        ("filter missing", scoped.replace("\"filter\"", "\"flatten\":true,\"x\""), "unknown member"),
        ("no filter", format!(r#"{{"interval":"{DAY}"}}"#), "no filter that carries the scope"),
        ("filter as array", good.replace(QUEUE_A, &format!("[{QUEUE_A}]")), "not an object"),
    ] {
        ask(&body).refused(name, why);
    }
    let mut bare = ask(&good);
    bare.outgoing.body = None;
    bare.refused("no body", "one of contract and request");
    let mut with_body = Try::new(queue_list(), vec![whole()], None).param("id", "qa");
    with_body.outgoing.body = Some(good.into_bytes().into());
    with_body.refused("a body on a list", "one of contract and request");
}

#[test]
fn entries_without_the_scope() {
    let body = |fields: &str| format!(r#"{{"interval":"{DAY}",{fields}}}"#);
    let ask = |fields: &str| Try::new(details(), vec![queues(&["qa"])], Some(&body(fields)));
    let a = QUEUE_A;
    let voice = flat("or", &[is("mediaType", "voice")]);
    ask(&format!("\"segmentFilters\":[{a}]")).proved();
    for (name, fields, why) in [
        ("no entry", "\"segmentFilters\":[]".to_owned(), "no filter that carries"),
        ("no array", format!("\"evaluationFilters\":[{a}]"), "no filter that carries"),
        ("one entry without scope", format!("\"segmentFilters\":[{a},{voice}]"), "$.segmentFilters[1]"),
        (
            "scope in the tags only",
            format!("\"conversationFilters\":[{}]", flat("or", &[is("divisionId", "pay")])),
            "no filter",
        ),
        (
            "foreign tag",
            format!("\"segmentFilters\":[{a}],\"conversationFilters\":[{}]", flat("or", &[is("divisionId", "root")])),
            "outside",
        ),
        (
            "queue of the interaction",
            format!("\"segmentFilters\":[{a}],\"conversationFilters\":[{a}]"),
            "visible or not",
        ),
        (
            "evaluation without scope",
            format!("\"segmentFilters\":[{a}],\"evaluationFilters\":[{voice}]"),
            "$.evaluationFilters[0]",
        ),
        ("array without tie", format!("\"segmentFilters\":[{a}],\"surveyFilters\":[{a}]"), "does not tie"),
        ("array as object", format!("\"segmentFilters\":{a}"), "$.segmentFilters"),
    ] {
        ask(&fields).refused(name, why);
    }
    // each clause of a box in an entry of its own: two legs could share the work
    let split = format!("\"segmentFilters\":[{a},{}]", flat("or", &[is("userId", "me")]));
    Try::new(details(), vec![boxed("qa", ME)], Some(&body(&split))).refused("one entry per clause", "does not imply");
    let mut unjudged = ask(&format!("\"segmentFilters\":[{a}]"));
    unjudged.residual = Residual { legs: false, keys: true, windows: true, links: Vec::new() };
    unjudged.refused("nobody judges the legs", "nobody judges");
    let mut counted = ask(&format!("\"segmentFilters\":[{a}]"));
    counted.contract.shape = crate::model::answer::Shape::Groups;
    counted.refused("entries under an aggregate", "speaks of all legs");
}

#[test]
fn platform_forms() {
    let ask = |division: &str, filter: &str| {
        let body = format!(r#"{{"divisionId":"{division}","query":{{"filter":{filter}}}}}"#);
        Try::new(platform(), vec![queues(&["qa", "qb"])], Some(&body))
    };
    let one = |operator: &str, values: &str| {
        format!(
            r#"{{"type":"AND","predicates":[{{"dimension":"queueId","operator":"{operator}","values":{values}}}]}}"#
        )
    };
    ask("pay", &one("IN", r#"["qa","qb"]"#)).proved();
    for (name, division, filter, why) in [
        ("parent division", "root", one("IN", r#"["qa"]"#), "$.divisionId"),
        ("another division", "claims", one("IN", r#"["qa"]"#), "$.divisionId"),
        ("another region's division", "europe", one("IN", r#"["qa"]"#), "$.divisionId"),
        ("not in", "pay", one("NOT_IN", r#"["qa"]"#), "does not imply"),
        ("not equal", "pay", one("NOT_EQUALS", r#"["qa"]"#), "does not imply"),
        ("foreign among them", "pay", one("IN", r#"["qa","qx"]"#), "outside the scope"),
        ("foreign negated", "pay", one("NOT_IN", r#"["qx"]"#), "outside the scope"),
        ("empty list", "pay", one("IN", "[]"), "do not fit"),
        ("two values with equals", "pay", one("EQUALS", r#"["qa","qb"]"#), "do not fit"),
        ("placeholder left", "pay", one("IN", r#"["${user.queueIds}"]"#), "placeholder"),
        ("exists", "pay", one("EXISTS", "[]"), "does not imply"),
        ("missing", "pay", one("NOT_EXISTS", "[]"), "does not imply"),
        ("order of ids", "pay", one("GTE", r#"["qa"]"#), "range of ids"),
        ("operator by another case", "pay", one("in", r#"["qa"]"#), "do not fit"),
        ("number as id", "pay", one("IN", "[1]"), "wrong type"),
        (
            "or root",
            "pay",
            one("IN", r#"["qa"]"#)
                .replace("[{", r#"[{"dimension":"mediaType","operator":"EQUALS","values":["x"]},{"#)
                .replace("AND", "OR"),
            "does not imply",
        ),
        ("type by another case", "pay", one("IN", r#"["qa"]"#).replace("AND", "and"), "neither"),
        (
            "nested too deep",
            "pay",
            (0..17).fold(one("IN", r#"["qa"]"#), |f, _| format!(r#"{{"type":"AND","clauses":[{f}]}}"#)),
            "nested too deep",
        ),
    ] {
        ask(division, &filter).refused(name, why);
    }
}

#[test]
fn methods_paths_and_parameters() {
    let aggregate = || aggregate(QUEUE_A);
    for (name, path) in [
        ("another path", "/aggregates/query"),
        ("shorter", "/"),
        ("no slash", "aggregates"),
        ("trailing slash", "/aggregates/"),
        ("double slash", "//aggregates"),
        ("by another case", "/Aggregates"),
        ("with a query", "/aggregates?x=1"),
    ] {
        aggregate().path(path).refused(name, "path");
    }
    let mut method = aggregate();
    method.outgoing.method = Method::Get;
    method.refused("another method", "method");
    aggregate().param("expand", "all").refused("extra parameter", "unknown parameter");

    let read = |path: &str| Try::new(one_queue(), vec![whole()], None).path(path);
    read("/routing/queues/qa").proved();
    for (name, path) in [
        ("other id", "/routing/queues/qx"),
        ("restricted id", "/routing/queues/secret"),
        ("invented id", "/routing/queues/zz"),
        ("empty id", "/routing/queues/"),
        ("dots", "/routing/queues/.."),
        ("needless encoding", "/routing/queues/q%61"),
        ("slash in the id", "/routing/queues/qa%2F"),
        ("parent id", "/routing/queues/qroot"),
        ("more segments", "/routing/queues/qa/members"),
    ] {
        read(path).refused(name, "path");
    }
    let case = |path: &str| Try::new(one_conversation(), vec![whole()], None).path(path);
    case("/conversations/c%2Fd").proved();
    case("/conversations/c%2fd").refused("lower-case encoding", "canonically");
    case("/conversations/%ff").refused("not UTF-8", "not UTF-8");
    case("/conversations/c d").refused("bare space", "canonically");
    let mut unjudged = case("/conversations/c");
    unjudged.residual.legs = false;
    unjudged.refused("nobody judges the rows", "nobody judges");
    let mut undecided = case("/conversations/c");
    undecided.contract.rows_decide = false;
    undecided.refused("rows do not decide", "no id of the request stands for");
    let mut closed = case("/conversations/c");
    closed.contract.shape = crate::model::answer::Shape::Entities;
    closed.refused("no legs in the answer", "nobody judges");
}

#[test]
fn lists_that_are_not_narrowed() {
    let list = || Try::new(queue_list(), vec![whole()], None);
    list().param("id", "qa").param("divisionId", "pay").param("sortOrder", "asc").param("name", "q*").proved();
    let plain = |name: &str, value: &str| list().param("id", "qa").param(name, value);
    list().refused("no ids", "the list would be whole");
    list().param("divisionId", "pay").refused("another parameter only", "the list would be whole");
    list().param("id", "").refused("empty ids", "outside the scope");
    list().param("id", "qa,").refused("trailing comma", "outside the scope");
    list().param("id", "qa,qx").refused("foreign id", "outside the scope");
    list().param("id", "qa,secret").refused("restricted id", "outside the scope");
    list().param("id", "qa,qb,qa,qb").refused("too many", "does not allow");
    list().param("ID", "qa").refused("by another case", "unknown parameter");
    plain("id", "qb").refused("twice", "stands twice");
    plain("Id", "qb").refused("twice by case", "stands twice");
    plain("divisionId", "root").refused("parent division", "outside the scope");
    plain("divisionId", "pay,claims").refused("foreign division", "outside the scope");
    plain("pageSize", "101").refused("too large", "does not allow");
    plain("pageSize", "+5").refused("not canonical", "does not allow");
    plain("pageSize", "05").refused("not canonical", "does not allow");
    plain("sortOrder", "ASC").refused("word by another case", "does not allow");
    plain("name", "123456789").refused("too long", "does not allow");
    plain("expand", "x").refused("unlisted", "unknown parameter");
    let boxes = Try::new(queue_list(), vec![boxed("qa", ME)], None).param("id", "qa");
    boxes.refused("a queue for one agent only", "may not come back whole");
    let windowed = Entitlement { data: Some(window("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")), ..whole() };
    Try::new(queue_list(), vec![windowed], None).param("id", "qa").refused("windowed", "may not come back whole");
    let users = Try::new(list_of(Data::User, Access::User), vec![queues(&["qa"])], None).param("id", "ann");
    users.refused("queues open no users", "may not come back whole");
    let wrong_kind = Try::new(list_of(Data::User, Access::Queue), vec![whole()], None).param("id", "qa");
    wrong_kind.refused("ids of another kind", "may not come back whole");
    let by_row = Try::new(list_of(Data::Interaction, Access::Conversation), vec![whole()], None).param("id", "c-1");
    by_row.refused("conversations by id in a list", "may not come back whole");
}
