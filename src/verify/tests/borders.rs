//! The borders of what is proved, on both sides, and the parts of the reader that no request of the tables reaches.

use super::{
    super::{
        filter::Node,
        json::{Json, read},
        legs::Goal,
        scope::Scope,
    },
    fixture::*,
};
use crate::model::{
    body::{Access, Dimension, Field, FieldKind, Level},
    contract::{Contract, Data, Reach},
    entitlement::Entitlement,
    org::{Queue, QueueIx, User, UserIx},
    outgoing::Residual,
    set::{Dim, Set},
};
use std::sync::Arc;

fn aggregate(entitlements: Vec<Entitlement>, filter: &str) -> Try {
    Try::new(aggregates(), entitlements, Some(&with_filter(filter)))
}

/// The contract with its body model changed.
fn with_model(mut contract: Contract, change: impl FnOnce(&mut crate::model::body::BodyModel)) -> Contract {
    let mut model = (**contract.body.as_ref().unwrap()).clone();
    change(&mut model);
    contract.body = Some(Arc::new(model));
    contract
}

#[test]
fn what_was_checked_is_what_is_given() {
    let ask = Try::new(queue_list(), vec![whole()], None).param("id", "qa,qb").param("pageSize", "2");
    let residual = Residual { legs: false, keys: true, windows: true, links: Vec::new() };
    let ask = Try { residual: residual.clone(), ..ask };
    let (method, query) = (ask.outgoing.method, ask.outgoing.query.clone());
    let verified = ask.check().unwrap();
    assert_eq!((verified.method(), verified.path(), verified.body()), (method, "/routing/queues", None));
    assert_eq!((verified.query(), verified.residual()), (&*query, &residual));
    let body = with_filter(&flat("or", &[is("queueId", "qa")]));
    assert_eq!(Try::new(aggregates(), vec![whole()], Some(&body)).check().unwrap().body(), Some(body.as_bytes()));
}

#[test]
fn only_the_filter_of_the_proof_carries_the_scope() {
    let more = |level| {
        with_model(aggregates(), |model| {
            model.fields.push(Field {
                name: "other".into(),
                required: false,
                masked: false,
                kind: FieldKind::Filter(filter(level)),
            });
        })
    };
    let good = flat("or", &[is("queueId", "qa")]);
    let ask = |level, filters: &str| {
        Try::new(more(level), vec![queues(&["qa"])], Some(&format!(r#"{{"interval":"{DAY}",{filters}}}"#)))
    };
    let voice = flat("or", &[is("mediaType", "voice")]);
    ask(Level::Leg, &format!(r#""filter":{good}"#)).proved();
    ask(Level::Leg, &format!(r#""other":{good}"#)).refused("elsewhere", "does not tie");
    ask(Level::Leg, &format!(r#""filter":{good},"other":{voice}"#)).refused("beside", "does not tie");
    ask(Level::Attached, &format!(r#""filter":{good},"other":{voice}"#)).refused("attached", "does not tie");
    ask(Level::Interaction, &format!(r#""filter":{good},"other":{voice}"#)).proved();
    ask(Level::Interaction, &format!(r#""other":{voice}"#)).refused("none that carries", "no filter that carries");
}

#[test]
fn a_metric_may_be_compared_and_proves_nothing() {
    let metric = |name: &str| format!(r#"{{"type":"metric","metric":"{name}","range":{{"gt":1,"lte":2.5}}}}"#);
    let beside = |name: &str| flat("and", &[metric(name), is("queueId", "qa")]);
    aggregate(vec![queues(&["qa"])], &beside("tConversationDuration")).proved();
    aggregate(vec![queues(&["qa"])], &beside("tTalk")).refused("of a leg", "not a known");
    let alone = flat("and", &[metric("tConversationDuration")]);
    aggregate(vec![queues(&["qa"])], &alone).refused("alone", "does not imply");
    let or = flat("or", &[metric("tConversationDuration"), is("queueId", "qa")]);
    aggregate(vec![queues(&["qa"])], &or).refused("beside in an or", "does not imply");
    let range =
        |ends: &str| flat("and", &[format!(r#"{{"dimension":"mediaType","range":{ends}}}"#), is("queueId", "qa")]);
    aggregate(vec![queues(&["qa"])], &range(r#"{"gte":"a","lt":"b"}"#)).proved();
    aggregate(vec![queues(&["qa"])], &range(r#"{"gte":true}"#)).refused("no order", "range without ends");
    aggregate(vec![queues(&["qa"])], &range(r#"{"gte":1,"lt":null}"#)).refused("one end", "range without ends");
    aggregate(vec![queues(&["qa"])], &range(r#"{"eq":1}"#)).refused("another end", "unknown member");
}

/// A rule that calls interactions queues would be proved by its queues alone.
#[test]
fn the_rule_is_not_believed_about_the_data() {
    let good = flat("or", &[is("queueId", "qa")]);
    let wrong = with_model(aggregates(), |model| model.data = Data::Queue);
    Try::new(wrong, vec![whole()], Some(&with_filter(&good))).refused("the table", "other data than the rule says");
    let wrong = Contract { data: Data::Queue, ..aggregates() };
    Try::new(wrong, vec![whole()], Some(&with_filter(&good))).refused("the rule", "other data than the rule says");
}

#[test]
fn each_clause_is_shown_where_it_stands() {
    let first = flat("and", &[is("queueId", "qa"), is("mediaType", "voice")]);
    assert_eq!(
        aggregate(vec![queues(&["qa"])], &first).proved(),
        ["queue visible with every agent <- $.filter.predicates[0]"]
    );
    let mixed = format!(
        r#"{{"type":"and","clauses":[{}],"predicates":[{}]}}"#,
        flat("or", &[is("mediaType", "voice")]),
        is("queueId", "qa")
    );
    assert_eq!(
        aggregate(vec![queues(&["qa"])], &mixed).proved(),
        ["queue visible with every agent <- $.filter.predicates[0]"]
    );
    // one box and legs without a queue: four clauses, each by the first item that implies it; the box of `secret` is
    // nobody's that the filter names
    let lone = Entitlement { users: Dim::Only(Set::one(ME)), ..whole() };
    let steps = aggregate(
        vec![lone, boxed("secret", ANN)],
        &flat("and", &[is("queueId", "qa"), is("userId", "me"), is("queueId", "secret")]),
    );
    assert_eq!(
        steps.proved(),
        [
            "queue visible with every agent or queue of box 1 or queue missing <- $.filter.predicates[0]",
            "queue visible with every agent or queue of box 1 or agent of a covered division <- $.filter.predicates[0]",
            "queue visible with every agent or agent in {1 values} or queue missing <- $.filter.predicates[1]",
            "queue visible with every agent or agent in {1 values} or agent of a covered division <- $.filter.predicates[1]",
        ]
    );
}

#[test]
fn boxes_count_where_the_filter_meets_them() {
    let names = ["qa", "qb", "old", "qx", "qrep", "closed", "secret", "qe"];
    let boxes: Vec<Entitlement> = names
        .iter()
        .enumerate()
        .map(|(n, id)| Entitlement { divisions: Dim::Any, ..boxed(id, UserIx::new(number(n))) })
        .collect();
    // eight rights, of which the question meets one
    let pair = flat("and", &[is("queueId", "qa"), is("userId", "me")]);
    aggregate(boxes.clone(), &pair).proved();
    // the same rights prove nothing about somebody else's part
    let foreign = flat("and", &[is("queueId", "qb"), is("userId", "me")]);
    aggregate(boxes.clone(), &foreign).refused("another box", "does not imply");
    // an *or* is proved part by part, and one foreign part spoils it
    aggregate(boxes.clone(), &flat("or", &[is("queueId", "qa"), is("userId", "me")]))
        .refused("loose", "does not imply");
}

#[test]
fn an_empty_or_and_an_empty_and_prove_nothing() {
    let (org, contract) = (org(), aggregates());
    for entitlements in [vec![whole()], vec![queues(&["qa"])], vec![boxed("qa", ME)]] {
        let given = scope(HOLDER, contract.action, entitlements);
        let scope = Scope::of(&contract, &given, &org, now()).unwrap();
        for goal in [Goal::Legs(&scope), Goal::Queues(&scope), Goal::Users(&scope)] {
            for empty in [Node::Or(vec![]), Node::And(vec![]), Node::And(vec![Node::Or(vec![])]), Node::Opaque] {
                assert!(goal.prove(&empty, "$").is_err(), "{empty:?}");
            }
        }
    }
}

#[test]
fn agents_by_the_names_of_their_dialect() {
    let contract = |dialect: fn() -> Contract| {
        with_model(dialect(), |model| {
            fn open(fields: &mut [Field]) {
                for field in fields {
                    match &mut field.kind {
                        FieldKind::Filter(filter) => {
                            filter.dimensions.insert("scorerId".into(), Dimension::Access(Access::User));
                        }
                        FieldKind::Object(fields) => open(fields),
                        _ => {}
                    }
                }
            }
            open(&mut model.fields);
        })
    };
    let platform_by = |name: &str| {
        let body = format!(
            r#"{{"query":{{"filter":{{"type":"AND","predicates":[{{"dimension":"queueId","operator":"EQUALS","values":["qa"]}},{{"dimension":"{name}","operator":"EQUALS","values":["me"]}}]}}}}}}"#
        );
        Try::new(contract(platform), vec![boxed("qa", ME)], Some(&body))
    };
    platform_by("userId").proved();
    platform_by("agentId").proved();
    platform_by("scorerId").refused("who scored", "does not imply");
    let genesys_by = |name: &str| {
        let body = with_filter(&flat("and", &[is("queueId", "qa"), is(name, "me")]));
        Try::new(contract(aggregates), vec![boxed("qa", ME)], Some(&body))
    };
    genesys_by("userId").proved();
    genesys_by("scorerId").refused("who scored", "does not imply");
}

#[test]
fn every_escape_of_the_writer_is_read() {
    let text = |text: &str| read(text.as_bytes()).map(|value| value.text().unwrap().to_owned());
    assert_eq!(text(r#""\"\\\b\f\n\r\t\u0000\u001f""#).unwrap(), "\"\\\u{8}\u{c}\n\r\t\0\u{1f}");
    for strange in [r#""\u0020""#, r#""\u0100""#, r#""\u00g0""#, r#""\v""#, r#""\'""#] {
        assert!(text(strange).is_err(), "{strange}");
    }
}

#[test]
fn numbers_in_their_own_spelling() {
    for good in ["0", "-0", "10", "0.5", "-1.25", "1e5", "1E5", "1e+5", "1e-5", "0.1e-10"] {
        assert_eq!(read(good.as_bytes()), Ok(Json::Number(good)), "{good}");
    }
    for bad in ["", "-", "00", "01", "1.", ".5", "1e", "1e+", "1e+-5", "1e-+5", "1.e5", "--1", "0x1", "1_0"] {
        assert!(read(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn no_key_stands_twice_wherever_the_second_stands() {
    for count in [1, 2, 11, 12, 13, 14, 40] {
        let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\":0")).collect();
        assert!(read(format!("{{{}}}", keys.join(",")).as_bytes()).is_ok(), "{count}");
        for twice in 0..count {
            for more in ["", ",\"z\":0"] {
                let text = format!("{{{},\"K{twice}\":0{more}}}", keys.join(","));
                assert_eq!(read(text.as_bytes()).unwrap_err().1, "a key stands twice", "{text}");
            }
        }
    }
}

#[test]
fn nesting_ends_where_it_is_said() {
    let nested = |open: &str, close: &str, levels: usize| {
        read(format!("{}0{}", open.repeat(levels), close.repeat(levels)).as_bytes()).map(|_| ()).map_err(|(_, why)| why)
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        assert_eq!(nested(open, close, 48), Ok(()));
        assert_eq!(nested(open, close, 49), Err("nested too deep"));
    }
}

#[test]
fn limits_hold_to_the_last_value() {
    let filter = flat("or", &[is("queueId", "qa")]);
    let ask = |fields: &str| {
        Try::new(
            aggregates(),
            vec![queues(&["qa"])],
            Some(&format!(r#"{{"interval":"{DAY}","filter":{filter},{fields}}}"#)),
        )
    };
    ask(r#""name":"12345678""#).proved();
    ask(r#""name":"123456789""#).refused("nine bytes", "$.name");
    ask(r#""pageSize":1"#).proved();
    ask(r#""pageSize":100"#).proved();
    ask(r#""pageSize":0"#).refused("below", "$.pageSize");
    ask(r#""pageSize":101"#).refused("above", "$.pageSize");
    ask(r#""flatten":false"#).proved();
    ask(r#""metrics":["tHandle","tHandle","tHandle","tHandle"]"#).proved();
    let list = || Try::new(queue_list(), vec![whole()], None);
    list().param("id", "qa,qb,qa").proved();
    list().param("id", "qa").param("name", "12345678").proved();
    list().param("id", "qa").param("pageSize", "100").proved();
    list().param("id", "qa").param("pageSize", "0").refused("below", "does not allow");
    let days = |days: &str| {
        let body = with_filter(&filter).replace(DAY, days);
        Try::new(aggregates(), vec![queues(&["qa"])], Some(&body))
    };
    days("2026-10-20T00:00:00Z/2026-11-20T00:00:00Z").proved();
    days("2026-10-19T23:59:59Z/2026-11-20T00:00:00Z").refused("a second longer", "longer than");
    days("2026-11-20T00:00:00Z/2026-11-20T00:00:00Z").proved();
}

#[test]
fn time_between_two_fields_is_held_too() {
    let ask = |from: &str, to: &str, e: Entitlement| {
        let body = format!(
            r#"{{"query":{{"dateFrom":"{from}","dateTo":"{to}","filter":{{"type":"AND","predicates":[{{"dimension":"queueId","operator":"EQUALS","values":["qa"]}}]}}}}}}"#
        );
        Try::new(platform(), vec![e], Some(&body))
    };
    let windowed = || Entitlement { data: Some(window("2026-11-18T00:00:00Z", "2026-11-20T00:00:00Z")), ..whole() };
    ask("2026-11-18T00:00:00Z", "2026-11-20T00:00:00Z", windowed()).proved();
    ask("2026-11-17T23:59:59Z", "2026-11-20T00:00:00Z", windowed()).refused("earlier", "asked time");
    ask("2026-11-20T00:00:00Z", "2026-11-18T00:00:00Z", windowed()).refused("backwards", "asked time");
    ask("now-2d", "now", windowed()).refused("relative", "asked time");
    ask("2026-10-20T00:00:00Z", "2026-11-20T00:00:00Z", whole()).proved();
    ask("2026-10-19T23:59:59Z", "2026-11-20T00:00:00Z", whole()).refused("too long", "longer than");
    for (text, good) in [
        ("now", true),
        ("now-1m", true),
        ("now-999999w", true),
        ("now-1234567h", false),
        ("now-h", false),
        ("now-1", false),
        ("now-1y", false),
        ("now+1d", false),
        ("now1d", false),
        ("now-1.5d", false),
        ("later", false),
    ] {
        let tried = ask(text, "2026-11-20T00:00:00Z", whole());
        if good { drop(tried.proved()) } else { tried.refused(text, "$.query.dateFrom") }
    }
}

#[test]
fn a_window_counts_by_the_promise_of_the_operation() {
    let windowed =
        || vec![Entitlement { data: Some(window("2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z")), ..whole() }];
    let body = with_filter(&flat("or", &[is("queueId", "qa")]));
    for (reach, good) in [(Reach::Contained, true), (Reach::WholeDay, false)] {
        let mut ask = Try::new(aggregates(), windowed(), Some(&body));
        ask.contract.time.as_mut().unwrap().reach = reach;
        // whatever the residual claims, groups show no time of a leg
        ask.residual = Residual { legs: true, keys: true, windows: true, links: Vec::new() };
        if good { drop(ask.proved()) } else { ask.refused("whole days", "asked time") }
    }
    let details_body = format!(r#"{{"interval":"{DAY}","segmentFilters":[{}]}}"#, flat("or", &[is("queueId", "qa")]));
    let mut unshown = Try::new(details(), windowed(), Some(&details_body));
    unshown.residual = Residual { legs: false, keys: true, windows: true, links: Vec::new() };
    unshown.refused("nobody judges", "nobody judges");
}

#[test]
fn lengths_of_time_and_zones_are_letters_that_mean_them() {
    use crate::verify::time::{duration, zone};
    for (text, good) in
        [("PT30M", true), ("P1DT12H", true), ("", false), ("30M", false), ("P-1D", false), ("P1.5D", false)]
    {
        assert_eq!(duration(text), good, "{text}");
    }
    assert!(duration(&format!("P{}", "1".repeat(31))) && !duration(&format!("P{}", "1".repeat(32))));
    for (text, good) in
        [("Europe/London", true), ("Etc/GMT+5", true), ("", false), ("a b", false), ("Z\u{fc}rich", false)]
    {
        assert_eq!(zone(text), good, "{text}");
    }
    assert!(zone(&"a".repeat(64)) && !zone(&"a".repeat(65)));
}

/// Eight rights, each to one queue and one agent: more than the clauses of one proof can tell apart.
#[test]
fn an_or_over_many_boxes_is_proved_part_by_part() {
    let ids: Vec<(String, String)> = (0..8).map(|at| (format!("m{at}"), format!("n{at}"))).collect();
    let ask = |filter: String| {
        let mut ask = Try::new(aggregates(), vec![], Some(&with_filter(&filter)));
        for (queue_id, user_id) in &ids {
            let (queue, user) = (QueueIx::new(number(ask.org.queues.len())), UserIx::new(number(ask.org.users.len())));
            ask.org.queues.push(Queue { id: queue_id.as_str().into(), ..ask.org.queues[1].clone() });
            ask.org.users.push(User { id: user_id.as_str().into(), ..ask.org.users[1].clone() });
            ask.org.index.queues.insert(queue_id.as_str().into(), queue);
            ask.org.index.users.insert(user_id.as_str().into(), user);
            let queues = Dim::Only(Set::one(queue));
            ask.entitlements.push(Entitlement { queues, users: Dim::Only(Set::one(user)), ..whole() });
        }
        ask
    };
    let of = |queue: usize, user: usize| flat("and", &[is("queueId", &ids[queue].0), is("userId", &ids[user].1)]);
    let parts = |shift: usize| (0..8).map(|at| of(at, (at + shift) % 8)).collect::<Vec<_>>();
    ask(nested("or", &parts(0))).proved();
    ask(nested("or", &parts(1))).refused("each of the next one's", "does not imply");
    let mut one_foreign = parts(0);
    one_foreign[7] = of(7, 0);
    ask(nested("or", &one_foreign)).refused("one of another's", "does not imply");
    let queues: Vec<_> = ids.iter().map(|(queue, _)| is("queueId", queue)).collect();
    let users: Vec<_> = ids.iter().map(|(_, user)| is("userId", user)).collect();
    let mixed = nested("and", &[flat("or", &queues), flat("or", &users)]);
    ask(mixed).refused("any with any", "separate boxes");
}
