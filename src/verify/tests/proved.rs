use super::fixture::*;
use crate::model::{
    body::Access,
    contract::Data,
    entitlement::Entitlement,
    org::UserIx,
    set::{Dim, Set},
};
use std::fmt::Write as _;

fn aggregate(entitlements: Vec<Entitlement>, filter: &str) -> Try {
    Try::new(aggregates(), entitlements, Some(&with_filter(filter)))
}

/// `(queue in Q or queue missing) and (queue in Q or agent in U)`.
pub(super) fn leg_form() -> String {
    nested(
        "and",
        &[
            flat("or", &[is("queueId", "qa"), is("queueId", "qb"), missing("queueId")]),
            flat("or", &[is("queueId", "qa"), is("queueId", "qb"), is("userId", "me"), is("userId", "ann")]),
        ],
    )
}

#[test]
fn the_leg_form_of_a_division() {
    assert_eq!(
        aggregate(vec![whole()], &leg_form()).proved(),
        [
            "queue visible with every agent or queue missing <- $.filter.clauses[0]",
            "queue visible with every agent or agent of a covered division <- $.filter.clauses[1]"
        ]
    );
}

#[test]
fn one_queue_of_many() {
    let filter = flat("and", &[is("mediaType", "voice"), is("queueId", "qa")]);
    assert_eq!(aggregate(vec![whole()], &filter).proved().len(), 1);
    assert_eq!(
        aggregate(vec![queues(&["qa", "qb"])], &filter).proved(),
        ["queue visible with every agent <- $.filter.predicates[1]"]
    );
}

#[test]
fn branches_that_each_name_an_allowed_queue() {
    let branch = |queue, media| flat("and", &[is("queueId", queue), is("mediaType", media)]);
    let filter = nested("or", &[branch("qa", "voice"), branch("qb", "chat")]);
    assert_eq!(aggregate(vec![whole()], &filter).proved(), ["queue visible with every agent <- $.filter"]);
}

#[test]
fn agents_of_boxes_and_whole_queues_together() {
    // own legs in qa, every leg of qb
    let scope = || vec![boxed("qa", ME), queues(&["qb"])];
    let filter = nested(
        "and",
        &[
            flat("or", &[is("queueId", "qa"), is("queueId", "qb")]),
            flat("or", &[is("userId", "me"), is("queueId", "qb")]),
        ],
    );
    assert_eq!(aggregate(scope(), &filter).proved().len(), 2);
    assert_eq!(aggregate(scope(), &flat("and", &[is("queueId", "qa"), is("userId", "me")])).proved().len(), 2);
    aggregate(scope(), &flat("and", &[is("queueId", "qb"), is("mediaType", "voice")])).proved();
    aggregate(scope(), &flat("or", &[is("queueId", "qa")])).refused("box without agent", "does not imply");
    aggregate(scope(), &flat("or", &[is("userId", "me")])).refused("box without queue", "does not imply");
}

#[test]
fn boxes_are_merged_and_counted() {
    let users = |n: u32| Entitlement { users: Dim::Only(Set::one(UserIx::new(n))), ..whole() };
    // thirty grants of one user each are one box
    let mut scope: Vec<_> = (0..30).map(|n| users(n % 3)).collect();
    scope.push(boxed("qa", ME));
    // what is visible with every agent absorbs boxes on the same queues
    scope.push(queues(&["closed"]));
    scope.extend((0..9).map(|n| boxed("closed", UserIx::new(n))));
    let filter = nested("and", &[flat("or", &[is("queueId", "qb")]), flat("or", &[is("userId", "me")])]);
    aggregate(scope, &filter).proved();
    // one user each, and a queue set of his own for each of them
    let names = ["qa", "qb", "secret"];
    let some = |bits: usize| (0..3).filter(|bit| bits >> bit & 1 == 1).map(|bit| names[bit]).collect::<Vec<_>>();
    let agents = ["me", "ann", "bob", "eve", "pat"];
    let many: Vec<_> = (0..5)
        .map(|n| Entitlement { users: Dim::Only(Set::one(UserIx::new(number(n)))), ..queues(&some(n + 1)) })
        .collect();
    let all = |of: &str, ids: &[&str]| flat("or", &ids.iter().map(|id| is(of, id)).collect::<Vec<_>>());
    let crossed = nested("and", &[all("queueId", &names), all("userId", &agents[..3])]);
    aggregate(many, &crossed).refused("boxes are not mixed", "does not imply");
}

#[test]
fn restricted_archived_shared_and_other_divisions_by_name() {
    aggregate(vec![queues(&["secret"])], &flat("or", &[is("queueId", "secret")])).proved();
    aggregate(vec![whole()], &flat("or", &[is("queueId", "old")])).proved();
    let mut archived = aggregate(vec![queues(&["old"])], &flat("or", &[is("queueId", "old")]));
    archived.contract.archived = true;
    archived.proved();
    let shared = Entitlement { divisions: Dim::Any, ..queues(&["qrep", "qx"]) };
    aggregate(vec![shared], &flat("or", &[is("queueId", "qrep"), is("queueId", "qx")])).proved();
}

#[test]
fn windows_count_when_nothing_outside_can_come_back() {
    let windowed = |from, until| vec![Entitlement { data: Some(window(from, until)), ..whole() }];
    let filter = flat("or", &[is("queueId", "qa")]);
    aggregate(windowed("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"), &filter).proved();
    aggregate(windowed("2026-11-19T00:00:01Z", "2026-11-21T00:00:00Z"), &filter).refused("late", "asked time");
    aggregate(windowed("2026-11-01T00:00:00Z", "2026-11-19T23:59:59Z"), &filter).refused("early", "asked time");
    let body = format!(r#"{{"interval":"{DAY}","segmentFilters":[{filter}]}}"#);
    let detail = || Try::new(details(), windowed("2026-11-19T12:00:00Z", "2026-11-19T13:00:00Z"), Some(&body));
    detail().proved();
    let mut unguarded = detail();
    unguarded.residual.windows = false;
    unguarded.refused("nobody judges the time", "asked time");
}

#[test]
fn details_with_several_entries_and_arrays() {
    let body = format!(
        r#"{{"interval":"{DAY}","segmentFilters":[{},{}],"conversationFilters":[{}],"evaluationFilters":[{}],"surveyFilters":[]}}"#,
        leg_form(),
        flat("and", &[is("queueId", "qa"), is("mediaType", "voice")]),
        flat("or", &[is("divisionId", "pay"), is("conversationId", "c-1")]),
        flat("and", &[is("queueId", "qb")]),
    );
    let steps = Try::new(details(), vec![whole()], Some(&body)).proved();
    assert_eq!(steps.last().unwrap(), "every leg of the scope <- answer: legs");
    assert!(steps.iter().any(|step| step.ends_with("$.segmentFilters[0].clauses[1]")), "{steps:?}");
}

#[test]
fn the_platform_dialect() {
    let filter = |predicates: &str| {
        format!(
            r#"{{"name":"t","divisionId":"pay","query":{{"dateFrom":"now-7d","dateTo":"2026-11-20T00:00:00Z","filter":{{"type":"AND","predicates":[{predicates}]}}}}}}"#
        )
    };
    let body = filter(
        r#"{"dimension":"queueId","operator":"IN","values":["qa","qb"]},{"dimension":"mediaType","operator":"NOT_EQUALS","values":["chat"]}"#,
    );
    Try::new(platform(), vec![whole()], Some(&body)).proved();
    let nested = r#"{"name":"t","query":{"filter":{"type":"AND","clauses":[{"type":"OR","predicates":[{"dimension":"queueId","operator":"IN","values":["qa","qb"]},{"dimension":"queueId","operator":"NOT_EXISTS"}]},{"type":"OR","clauses":[{"type":"AND","predicates":[{"dimension":"queueId","operator":"EQUALS","values":["qb"]},{"dimension":"mediaType","operator":"GT","values":[3]}]}],"predicates":[{"dimension":"queueId","operator":"IN","values":["qa"]},{"dimension":"agentId","operator":"IN","values":["me","ann"]}]}]}}}"#;
    assert_eq!(Try::new(platform(), vec![whole()], Some(nested)).proved().len(), 2);
}

#[test]
fn queues_and_users_by_filter() {
    let ask = |contract, dimension, id| {
        Try::new(contract, vec![whole()], Some(&with_filter(&flat("or", &[is(dimension, id)]))))
    };
    ask(queue_observations(), "queueId", "qa").proved();
    ask(user_aggregates(), "userId", "ann").proved();
    ask(user_aggregates(), "userId", "bob").refused("other division", "outside the scope");
    ask(queue_observations(), "userId", "ann").refused("users prove no queue", "does not imply");
    ask(user_aggregates(), "queueId", "qa").refused("queues prove no user", "does not imply");
    let boxes =
        Try::new(queue_observations(), vec![boxed("qa", ME)], Some(&with_filter(&flat("or", &[is("queueId", "qa")]))));
    boxes.refused("whole figures for a box", "does not imply");
}

#[test]
fn lists_by_ids_and_reads_by_id() {
    assert_eq!(
        Try::new(queue_list(), vec![whole()], None).param("id", "qa,qb").param("pageSize", "25").proved(),
        ["2 ids of the scope <- query id"]
    );
    let divisions = |ids| Try::new(list_of(Data::Division, Access::Division), vec![whole()], None).param("id", ids);
    divisions("pay").proved();
    divisions("pay,claims").refused("another division", "outside the scope");
    let grant = || Entitlement { divisions: Dim::Any, ..queues(&["qx"]) };
    let granted = Try::new(list_of(Data::Division, Access::Division), vec![grant()], None).param("id", "claims");
    granted.refused("a granted queue opens no division", "may not come back whole");
    let users = |e: Entitlement, ids| Try::new(list_of(Data::User, Access::User), vec![e], None).param("id", ids);
    users(whole(), "me,ann").proved();
    users(grant(), "ann").refused("a granted queue opens no user", "may not come back whole");
    let own = Entitlement { divisions: Dim::Any, users: Dim::Only(Set::one(ME)), ..whole() };
    users(own, "me").proved();
    assert_eq!(
        Try::new(one_queue(), vec![whole()], None).path("/routing/queues/qa").proved(),
        ["one id of the scope <- path"]
    );
    let by_case = Entitlement { conversations: Dim::Only(Set::one("c-1".into())), ..whole() };
    assert_eq!(
        Try::new(one_conversation(), vec![by_case], None).path("/conversations/c%20%2F1").proved(),
        ["every leg of the scope <- answer: legs"]
    );
}

#[test]
fn five_hundred_queues_cost_little() {
    let mut predicates = String::new();
    for _ in 0..500 {
        write!(predicates, "{},{},", is("queueId", "qa"), is("queueId", "qb")).unwrap();
    }
    let filter = format!(r#"{{"type":"or","predicates":[{}]}}"#, predicates.trim_end_matches(','));
    let start = std::time::Instant::now();
    aggregate(vec![whole(), queues(&["qa"]), boxed("qb", ANN)], &filter).proved();
    assert!(start.elapsed().as_millis() < 1_000, "{:?}", start.elapsed());
}
