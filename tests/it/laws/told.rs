//! What words and limits cost: refused with its own code, or left out and told. Rules are changed where no shipped one
//! comes to it.

use super::{
    named::{file, is, organisation},
    program,
};
use crate::oracle::{generate::MONDAY, lists::List, questions::Kind};
use bailiwick::{
    decision::{self, Decided, Forward},
    model::{
        body::Access,
        contract::{Data, Param, ParamKind},
        entitlement::Action,
        operation::{EmptyScope, Operation, Outside, StaticDead},
        refusal::{Code, Notice, Refusal},
    },
    policy::extent::Extent,
    query::Question,
};
use serde_json::{Value, json};
use std::sync::Arc;

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";
const NOW: i64 = MONDAY + 3 * 86_400;

/// Asks one question of one person by a changed rule.
fn ask(
    file: Value,
    person: &str,
    mut question: Question,
    change: impl FnOnce(&mut Operation),
) -> Result<Decided, Refusal> {
    let organisation = organisation(file);
    let world = &organisation.world;
    let mut operation = Operation::clone(&question.operation);
    change(&mut operation);
    question.operation = Arc::new(operation);
    let holder = program::principal(&world.org, person);
    let scope = decision::scope(world, holder, &question.operation, program::at(NOW))?;
    decision::decide(world, &Arc::new(scope), &question, program::at(NOW))
}

fn aggregates(more: &Value) -> Question {
    let mut body = json!({ "interval": WEEK, "metrics": ["tHandle"] });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    program::question(Kind::Aggregates, body.to_string().as_bytes())
}

fn forwarded(decided: Result<Decided, Refusal>) -> (Value, Vec<&'static str>) {
    match decided {
        Ok(Decided::Forward(forward)) => {
            let Forward { verified, notices, .. } = *forward;
            (program::sent(&verified).parse().unwrap(), notices.iter().map(|notice| notice.code).collect())
        }
        other => panic!("nothing was sent: {other:?}"),
    }
}

fn refused(decided: Result<Decided, Refusal>) -> Refusal {
    decided.err().unwrap_or_else(|| panic!("not refused"))
}

fn only(dimension: &str, value: &str) -> Value {
    json!({ "type": "and", "predicates": [is(dimension, value)] })
}

#[test]
fn asked_by_agent_a_metric_without_one_is_left_out() {
    let by = |more: Value| ask(file(), "cora", aggregates(&more), |_| {});
    let both = json!(["tHandle", "nOffered"]);
    for more in [json!({ "groupBy": ["userId"] }), json!({ "filter": only("userId", "ana") })] {
        let mut asked = more.clone();
        asked["metrics"] = both.clone();
        let (sent, notices) = forwarded(by(asked.clone()));
        assert_eq!((&sent["metrics"], notices.as_slice()), (&json!(["tHandle"]), &["metric.left-out"][..]), "{more}");
        asked["metrics"] = json!(["nOffered"]);
        assert!(matches!(by(asked), Ok(Decided::Local(_))), "{more}");
    }
    let (sent, notices) = forwarded(by(json!({ "metrics": both, "groupBy": ["queueId"] })));
    assert_eq!((&sent["metrics"], notices.contains(&"metric.left-out")), (&both, false));
}

#[test]
fn rights_by_agent_need_a_dimension_for_agents() {
    let blind = |operation: &mut Operation| {
        for site in &mut operation.sites {
            site.carry.retain(|(access, _)| *access != Access::User);
        }
    };
    let own = refused(ask(file(), "ana", aggregates(&json!({})), blind));
    assert_eq!(own.code, Code::OperationUnscopable);
    let (sent, notices) = forwarded(ask(file(), "cora", aggregates(&json!({})), blind));
    assert!(!sent.to_string().contains("userId") && notices == ["scope.agent-parts"], "{sent} {notices:?}");
}

#[test]
fn too_many_agents_to_name_are_left_out_and_told() {
    // Six people live in `pay`; two of its queues are open.
    let at_most = |max: usize| {
        ask(file(), "cora", aggregates(&json!({})), |operation| Arc::make_mut(&mut operation.contract).max_values = max)
    };
    let (sent, notices) = forwarded(at_most(6));
    assert!(sent.to_string().contains("userId") && notices.is_empty(), "{sent} {notices:?}");
    let (sent, notices) = forwarded(at_most(5));
    assert!(!sent.to_string().contains("userId") && notices == ["scope.agent-parts"], "{sent} {notices:?}");
    let (_, notices) = forwarded(at_most(2));
    assert_eq!(notices, ["scope.agent-parts"]);
    let wide = refused(at_most(1));
    assert_eq!(
        (wide.code, wide.message.contains("needs 2 values and the upstream takes 1")),
        (Code::QueryTooWide, true)
    );
}

#[test]
fn hidden_words_tell_no_rows_apart() {
    let listed = |word: &'static str| {
        move |operation: &mut Operation| {
            let rule = operation.group_by.as_mut().unwrap();
            rule.allow.push(word.into());
            rule.high_cardinality.clear();
        }
    };
    for word in ["agentRank", "ani"] {
        let asked = aggregates(&json!({ "groupBy": [word] }));
        assert_eq!(refused(ask(file(), "cora", asked, listed(word))).code, Code::FieldHidden, "{word}");
    }
    let asked = aggregates(&json!({ "groupBy": ["mediaType"] }));
    assert!(ask(file(), "cora", asked, |_| {}).is_ok());
}

#[test]
fn words_for_own_people_are_closed_to_outsourcers() {
    let by = |person: &str, word: &str| {
        let asked = aggregates(&json!({ "groupBy": [word] }));
        ask(file(), person, asked, |_| {}).map_err(|refusal| refusal.code)
    };
    assert!(by("cora", "outboundCampaignId").is_ok() && by("bea", "mediaType").is_ok());
    assert_eq!(by("bea", "outboundCampaignId").unwrap_err(), Code::BpoField);
    let of = |person: &str, metrics: Value| {
        let asked = aggregates(&json!({ "metrics": metrics }));
        let change = |operation: &mut Operation| {
            operation.metrics.as_mut().unwrap().bpo_allow = Some(vec!["tHandle".into()]);
        };
        ask(file(), person, asked, change).map_err(|refusal| refusal.code)
    };
    assert!(of("bea", json!(["tHandle"])).is_ok() && of("cora", json!(["tHandle", "tTalk"])).is_ok());
    for metrics in [json!(["tTalk"]), json!(["tHandle", "tTalk"])] {
        assert_eq!(of("bea", metrics).unwrap_err(), Code::BpoField);
    }
}

/// Of several filters that have to hold, one that names nothing which lives leaves nothing.
#[test]
fn a_filter_whose_every_value_died_leaves_nothing() {
    let mut file = file();
    file["queues"][1]["state"] = json!("archived");
    let entries = |queues: &[&str]| -> Value { queues.iter().map(|queue| only("queueId", queue)).collect() };
    let of = |queues: &[&str]| {
        let body = json!({ "interval": WEEK, "segmentFilters": entries(queues),
            "conversationFilters": [only("originatingDirection", "inbound")] });
        let question = program::question(Kind::Details, body.to_string().as_bytes());
        ask(file.clone(), "sofia", question, |operation| operation.static_dead = StaticDead::Drop)
    };
    forwarded(of(&["cards"]));
    for dead in [&["loans"][..], &["loans", "cards"], &["cards", "loans"]] {
        assert!(matches!(of(dead), Ok(Decided::Local(_))), "{dead:?}");
    }
}

/// A division here and something else there are two questions; the refusal spells both, and both work.
#[test]
fn what_one_query_cannot_say_is_refused_with_those_that_can() {
    let either = |dimension: &str, value: &str| json!({ "type": "or", "predicates": [is("divisionId", "pay"), is(dimension, value)] });
    let totals = |filter: Value| {
        let beside = json!({ "type": "or", "predicates": [is("direction", "inbound"), is("wrapUpCode", "w-1")] });
        aggregates(&json!({ "filter": { "type": "and", "clauses": [filter, beside] } }))
    };
    let details = |filter: Value| {
        let body = json!({ "interval": WEEK, "conversationFilters": [filter] });
        program::question(Kind::Details, body.to_string().as_bytes())
    };
    let cases: [(Value, &dyn Fn(Value) -> Question); 2] =
        [(either("mediaType", "voice"), &totals), (either("originatingDirection", "inbound"), &details)];
    for (filter, question) in cases {
        let told = refused(ask(file(), "cora", question(filter), |_| {}));
        let queries: Vec<Value> =
            told.message.split('`').filter_map(|part| part.strip_prefix('{').and(part.parse().ok())).collect();
        assert_eq!((told.code, queries.len()), (Code::QueryTooComplex, 2), "{}", told.message);
        for query in queries {
            forwarded(ask(file(), "cora", question(query), |_| {}));
        }
    }
}

/// Tags keep the division of their time: where a queue moved they would lose its rows.
#[test]
fn tags_of_divisions_are_sent_where_they_lose_nothing() {
    let tagged = |file: Value, person: &str, asked: Value| {
        let mut body = json!({ "interval": WEEK });
        for (key, value) in asked.as_object().unwrap() {
            body[key] = value.clone();
        }
        let question = program::question(Kind::Details, body.to_string().as_bytes());
        let (sent, _) = forwarded(ask(file, person, question, |_| {}));
        assert!(sent["segmentFilters"].to_string().contains("cards"), "{sent}");
        sent["conversationFilters"].to_string().contains("divisionId")
    };
    let mut moved = file();
    moved["queues"][0]["moved"] = json!(true);
    let named = json!({ "conversationFilters": [only("divisionId", "pay")] });
    assert!(tagged(file(), "cora", json!({})) && tagged(file(), "cora", named.clone()));
    assert!(!tagged(moved.clone(), "cora", json!({})) && !tagged(moved, "cora", named));
    // A right to a queue speaks of no division, and one to some days is judged on the legs.
    let granted = |data: Value| {
        let mut file = file();
        file["grants"] = json!([{ "id": "g", "beneficiary": "carl", "resources": [{ "kind": "queue", "id": "cards" }],
            "actions": ["view"], "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z" }]);
        if !data.is_null() {
            file["grants"][0]["data"] = data;
        }
        file
    };
    assert!(!tagged(granted(Value::Null), "carl", json!({})));
    let days = json!({ "from": "2026-11-16T00:00:00Z", "until": "2026-11-17T00:00:00Z" });
    let day = json!({ "interval": "2026-11-16T00:00:00Z/2026-11-17T00:00:00Z" });
    assert!(!tagged(granted(days.clone()), "carl", day.clone()));
    // What was sent for no filter is none when it comes back: a filter would tell of the other days.
    let question = |body: &Value| program::question(Kind::Details, body.to_string().as_bytes());
    let (sent, _) = forwarded(ask(granted(days.clone()), "carl", question(&day), |_| {}));
    assert_eq!(forwarded(ask(granted(days), "carl", question(&sent), |_| {})).0, sent);
}

#[test]
fn a_right_to_some_days_opens_reads_by_id() {
    let mut file = file();
    file["grants"] = json!([{ "id": "g", "beneficiary": "carl", "resources": [{ "kind": "queue", "id": "cards" }],
        "actions": ["view"], "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z",
        "data": { "from": "2026-11-16T00:00:00Z", "until": "2026-11-17T00:00:00Z" } }]);
    let ids = vec![("conversationId".into(), "c-1".to_owned())];
    let question =
        Question { operation: program::read_by_id().clone(), ids, params: vec![], body: None, kept: None, seen: None };
    assert!(matches!(ask(file, "carl", question, |_| {}), Ok(Decided::Forward(_))));
}

#[test]
fn parameters_of_a_query_are_judged_and_sent_in_order() {
    let by = |params: &[(&str, &[&str])]| {
        let params = params
            .iter()
            .map(|(name, values)| ((*name).into(), values.iter().map(|value| (*value).to_owned()).collect()));
        let question = Question { params: params.collect(), ..aggregates(&json!({})) };
        let decided = ask(file(), "cora", question, |operation| {
            Arc::make_mut(&mut operation.contract).params = vec![
                Param { name: "pageSize".into(), kind: ParamKind::Int { min: 1, max: 9 } },
                Param { name: "id".into(), kind: ParamKind::Ids { access: Access::Queue, max: 9 } },
            ];
        });
        decided.map(|decided| match decided {
            Decided::Forward(forward) => {
                let query = forward.verified.query().iter();
                query.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
            }
            Decided::Split(_) | Decided::Kept(_) => panic!("nothing here is asked in parts"),
            Decided::Local(_) => "nothing".to_owned(),
        })
    };
    let both: [(&str, &[&str]); 2] = [("id", &["cards", "loans", "cards"]), ("pageSize", &["5"])];
    assert_eq!(by(&both).unwrap(), "pageSize=5&id=cards,loans");
    assert_eq!(by(&[("id", &["cards", "motor"])]).unwrap_err().code, Code::ScopeOutside);
    assert_eq!(by(&[("other", &["1"])]).unwrap_err().code, Code::QueryMalformed);
}

/// An own queue that died may be spoken of no more in *not these* than in *these*, even by a rule that drops such.
#[test]
fn a_dead_queue_of_ones_own_is_stale_in_a_negation_too() {
    let mut file = file();
    file["queues"][1]["state"] = json!("deleted");
    for (queue, code) in [("loans", Code::QueryDeadQueue), ("motor", Code::ScopeOutside)] {
        let filter = json!({ "type": "AND", "predicates": [{ "dimension": "queueId", "operator": "NOT_IN", "values": [queue] }] });
        let body = json!({ "query": { "dateFrom": "now-7d", "dateTo": "now", "filter": filter,
            "aggregations": [{ "dimension": "interactions", "function": "COUNT" }] } });
        for dead in [StaticDead::Refuse, StaticDead::Drop] {
            let question = program::question(Kind::Platform, body.to_string().as_bytes());
            let told = refused(ask(file.clone(), "sofia", question, |operation| operation.static_dead = dead));
            assert_eq!(told.code, code, "{queue} {dead:?}");
        }
        let question = program::question(Kind::Platform, body.to_string().as_bytes());
        let told = refused(ask(file.clone(), "sofia", question, |operation| operation.outside = Outside::Narrow));
        assert_eq!(told.code, code, "{queue}");
    }
}

#[test]
fn a_right_to_one_interaction_is_no_right_to_totals() {
    let mut file = file();
    file["grants"] = json!([{ "id": "one", "beneficiary": "carl", "resources": [{ "kind": "conversation", "id": "c-1" }],
        "actions": ["view"], "from": "2026-11-01T00:00:00Z", "until": "2027-11-01T00:00:00Z" }]);
    assert_eq!(refused(ask(file, "carl", aggregates(&json!({})), |_| {})).code, Code::OperationUnscopable);
}

#[test]
fn copies_are_for_viewing() {
    let mut file = file();
    let queue = |id: &str| json!([{ "kind": "queue", "id": id }]);
    file["grants"] = json!([
        { "id": "copy", "beneficiary": "carl", "resources": queue("shared-copy"), "actions": ["view", "playback"],
            "from": "2026-11-01T00:00:00Z", "until": "2027-11-01T00:00:00Z" },
        { "id": "own", "beneficiary": "ben", "resources": queue("motor"), "actions": ["view", "playback"],
            "from": "2026-11-01T00:00:00Z", "until": "2027-11-01T00:00:00Z" },
    ]);
    let organisation = organisation(file);
    let world = &organisation.world;
    let queues = |person: &str, action: Action| {
        let mut operation = Operation::clone(program::operation(Kind::Aggregates));
        Arc::make_mut(&mut operation.contract).action = action;
        let holder = program::principal(&world.org, person);
        let scope = decision::scope(world, holder, &operation, program::at(NOW)).unwrap();
        Extent::of(&world.org, Data::Interaction, &scope.entitlements, false).queues().len()
    };
    assert_eq!((queues("carl", Action::View), queues("carl", Action::Playback)), (1, 0));
    assert_eq!(queues("ben", Action::Playback), 1);
}

#[test]
fn a_parameter_that_only_shows_is_passed_on() {
    let file = {
        let mut file = file();
        let permission = json!({ "permission": "routing:queue:view", "scope": "all" });
        file["roles"].as_array_mut().unwrap().push(json!({ "id": "lists", "permissions": [permission] }));
        let cora = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "cora").unwrap();
        cora["roles"].as_array_mut().unwrap().push(json!({ "role": "lists", "division": "pay" }));
        file
    };
    let params = vec![("expand".into(), vec!["all".to_owned()]), ("sortOrder".into(), vec!["desc".to_owned()])];
    let question = Question {
        operation: program::list_of(List::Queues).clone(),
        ids: vec![],
        params,
        body: None,
        kept: None,
        seen: None,
    };
    let decided = ask(file, "cora", question, |operation| {
        let param = Param { name: "expand".into(), kind: ParamKind::Text { max: 8 } };
        Arc::make_mut(&mut operation.contract).params.push(param);
    });
    let Ok(Decided::Forward(forward)) = decided else { panic!("{decided:?}") };
    let of = |name: &str| forward.verified.query().iter().find(|(known, _)| **known == *name).map(|(_, value)| value);
    assert_eq!(of("expand").map(String::as_str), Some("all"));
}

/// What is left out is counted, of all that was named.
#[test]
fn names_that_are_left_out_are_counted() {
    let ask = |names: &[&str]| {
        let predicates: Vec<Value> = names.iter().map(|name| is("queueId", name)).collect();
        let filter = json!({ "filter": { "type": "or", "predicates": predicates } });
        let decided = ask(file(), "cora", aggregates(&filter), |operation| operation.outside = Outside::Narrow);
        match decided {
            Ok(Decided::Forward(forward)) => forward.notices,
            Ok(Decided::Split(_) | Decided::Kept(_)) => panic!("nothing here is asked in parts"),
            Ok(Decided::Local(guarded)) => guarded.notices().to_vec(),
            Err(refusal) => panic!("{refusal}"),
        }
    };
    for (names, due) in [
        (&["cards", "loans"][..], None),
        (&["cards", "loans", "nowhere"], Some("1 of 3 names are not in your scope and left out")),
        (&["cards", "nowhere", "motor"], Some("2 of 3 names are not in your scope and left out")),
        (&["nowhere"], Some("1 of 1 names are not in your scope and left out")),
        (&["cards", "cards", "nowhere", "nowhere"], Some("1 of 2 names are not in your scope and left out")),
    ] {
        let told: Vec<_> = ask(names).into_iter().filter(|notice| notice.code == "scope.outside").collect();
        assert_eq!(told.first().map(|notice| &*notice.text), due, "{names:?}");
        assert!(told.len() <= 1, "{told:?}");
    }
}

fn left_out(notices: &[Notice]) -> Vec<String> {
    notices.iter().filter(|notice| notice.code == "scope.outside").map(|notice| notice.text.clone()).collect()
}

/// The division of the report is not a name that could be left out, and what a placeholder stands for was not named.
#[test]
fn names_that_the_proxy_filled_in_are_not_counted() {
    let body = json!({ "divisionId": "pay", "query": {
        "dateFrom": "2026-11-15T00:00:00Z", "dateTo": "2026-11-21T00:00:00Z",
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
        "filter": { "type": "AND", "predicates": [
            { "dimension": "queueId", "operator": "IN", "values": ["${user.queueIds}", "nowhere"] },
        ] },
    } });
    let question = program::question(Kind::Platform, body.to_string().as_bytes());
    match ask(file(), "sofia", question, |operation| operation.outside = Outside::Narrow) {
        Ok(Decided::Forward(forward)) => {
            assert_eq!(left_out(&forward.notices), ["1 of 1 names are not in your scope and left out"]);
        }
        other => panic!("nothing was sent: {other:?}"),
    }
}

/// Who sees nothing at all is told all the same which of his names were left out.
#[test]
fn an_answer_for_an_empty_scope_tells_what_was_left_out() {
    let filter = json!({ "filter": only("queueId", "nowhere") });
    let mut file = file();
    file["users"].as_array_mut().unwrap().push(json!({
        "id": "nora", "name": "nora", "division": "pay", "region": "us-east-1",
        "roles": [{ "role": "supervisor", "division": "pay" }],
    }));
    let decided = ask(file, "nora", aggregates(&filter), |operation| {
        operation.outside = Outside::Narrow;
        operation.empty_scope = EmptyScope::Answer;
    });
    let Ok(Decided::Local(guarded)) = decided else { panic!("{decided:?}") };
    assert_eq!(left_out(guarded.notices()), ["1 of 1 names are not in your scope and left out"]);
}

/// A report that nothing can match repeats its name and its time, to the millisecond, and nothing else of the question.
#[test]
fn an_empty_report_repeats_its_name_and_its_time() {
    let ask = |mut body: Value| {
        body["query"]["aggregations"] = json!([{ "dimension": "interactions", "function": "COUNT" }]);
        body["query"]["filter"] = json!({ "type": "AND", "predicates": [
            { "dimension": "queueId", "operator": "EQUALS", "values": ["cards"] },
            { "dimension": "queueId", "operator": "NOT_EXISTS", "values": [] },
        ] });
        let question = program::question(Kind::Platform, body.to_string().as_bytes());
        match ask(file(), "cora", question, |_| {}) {
            Ok(Decided::Local(guarded)) => program::text(guarded.body()),
            other => panic!("not answered here: {other:?}"),
        }
    };
    let named = ask(
        json!({ "name": "2026-11-20T00:00:00Z", "query": { "dateFrom": "2026-11-15T00:00:00Z", "dateTo": "2026-11-21T00:00:00+01:00" } }),
    );
    let due = json!({
        "name": "2026-11-20T00:00:00Z", "rows": [], "dateFrom": "2026-11-15T00:00:00.000Z", "dateTo": "2026-11-20T23:00:00.000Z",
    });
    assert_eq!(named, due);
    let unnamed = ask(json!({ "query": { "dateFrom": "now-1d", "dateTo": "now" } }));
    assert_eq!((&unnamed["name"], &unnamed["rows"]), (&Value::Null, &json!([])));
    assert_eq!(unnamed["dateTo"].as_str().map(str::len), Some("2026-11-15T00:00:00.000Z".len()));
}
