//! The form in which the scope is written: nothing in it that the question already says, and no clause that another
//! one makes needless. And what an asker may leave to the program: relative instants and placeholders.

use super::{
    case::Organisation,
    guard::organisation,
    program::{self, Answered, Got},
};
use crate::oracle::{generate::MONDAY, questions::Kind};
use bailiwick::{
    model::{
        contract::{Data, Reach, TimeAt, TimeRule},
        entitlement::{Entitlement, Source, Validity, Window},
        org::{Org, Principal, QueueIx, QueueState, UserIx},
        refusal::Code,
        set::{Dim, Set},
    },
    policy::{
        extent::{Asked, Clause, Extent},
        placeholders::{self, Filling},
        time::{self, Interval},
    },
    query::{
        body::Body,
        json::{self, Limits},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const NOW: i64 = MONDAY + 3 * 86_400;
const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

fn queues(org: &Org, ids: &[&str]) -> Set<QueueIx> {
    ids.iter().map(|id| org.index.queues[*id]).collect()
}

fn users(org: &Org, ids: &[&str]) -> Set<UserIx> {
    ids.iter().map(|id| org.index.users[*id]).collect()
}

// ---- clauses -----------------------------------------------------------------------------------------------------

#[test]
fn no_clause_is_kept_that_another_makes_needless() {
    let org = &*organisation().world.org;
    let clause = |q: &[&str], u: &[&str], no_queue| Clause {
        queues: queues(org, q),
        users: users(org, u),
        no_queue,
        ..Clause::default()
    };
    let extent = |all: &[&str], boxes: &[(&[&str], &[&str])], lone: &[&str]| Extent {
        all: queues(org, all),
        boxes: boxes.iter().map(|(q, u)| (queues(org, q), users(org, u))).collect(),
        lone: users(org, lone),
        ..Extent::default()
    };
    for (extent, due) in [
        (extent(&["cards"], &[], &[]), vec![clause(&["cards"], &[], false)]),
        (extent(&["cards"], &[], &["ana"]), vec![clause(&["cards"], &[], true), clause(&["cards"], &["ana"], false)]),
        (
            extent(&["cards"], &[(&["loans"], &["ana"])], &["ana"]),
            vec![clause(&["cards", "loans"], &[], true), clause(&["cards"], &["ana"], false)],
        ),
        (
            extent(&["cards"], &[(&["loans"], &["ana"])], &["ana", "ben"]),
            vec![
                clause(&["cards", "loans"], &[], true),
                clause(&["cards"], &["ana"], true),
                clause(&["cards"], &["ana", "ben"], false),
            ],
        ),
        (
            extent(&[], &[(&["cards"], &["ana"]), (&["loans"], &["ben"])], &[]),
            vec![
                clause(&["cards", "loans"], &[], false),
                clause(&["cards"], &["ben"], false),
                clause(&["loans"], &["ana"], false),
                clause(&[], &["ana", "ben"], false),
            ],
        ),
    ] {
        let mut got = extent.clauses(Data::Interaction).expect("few enough boxes");
        let key = |clause: &Clause| format!("{clause:?}");
        let mut due = due;
        got.sort_by_key(key);
        due.sort_by_key(key);
        assert_eq!(got, due, "{extent:?}");
    }
    assert_eq!(extent(&["cards"], &[], &["ana"]).clauses(Data::User), Some(vec![clause(&[], &["ana"], false)]));
    assert_eq!(
        extent(&["cards"], &[(&["loans", "motor"], &["ana", "ben"])], &["ana"]).alternatives(Data::Interaction),
        1 + 4 + 1
    );
    assert_eq!(clause(&["cards", "loans"], &["ana"], true).values(), 4);
}

fn right(org: &Org, queues: Dim<QueueIx>, users: Dim<UserIx>) -> Entitlement {
    Entitlement {
        holder: Principal::User(org.index.users["carl"]),
        region: org.index.regions["us"],
        divisions: Dim::Any,
        queues,
        users,
        conversations: Dim::Any,
        data: None,
        actions: vec![],
        valid: Validity::ALWAYS,
        source: Source::Grant { id: "g".into() },
    }
}

#[test]
fn rights_are_united_and_absorbed() {
    let org = &*organisation().world.org;
    let only = |ids: &[&str]| Dim::Only(queues(org, ids));
    let by = |ids: &[&str]| Dim::Only(users(org, ids));
    let of = |rights: &[Entitlement]| Extent::of(org, Data::Interaction, rights, false);
    let one = |q: Dim<QueueIx>, u: Dim<UserIx>| right(org, q, u);
    let whole = of(&[one(only(&["cards"]), Dim::Any), one(only(&["cards"]), by(&["ana"]))]);
    assert_eq!((&whole.all, whole.boxes.len(), whole.needs_users()), (&queues(org, &["cards"]), 0, false));
    let mut boxes = of(&[
        one(only(&["cards"]), by(&["ana"])),
        one(only(&["cards"]), by(&["ben"])),
        one(only(&["loans"]), by(&["ana", "ben"])),
        one(only(&["motor"]), by(&["ana"])),
        one(only(&["loans"]), by(&["ana"])),
        one(only(&[]), by(&["ana"])),
        one(only(&["cards"]), by(&[])),
    ]);
    boxes.boxes.sort_by_key(|(queues, _)| queues.len());
    assert_eq!(
        boxes.boxes,
        [
            (queues(org, &["motor"]), users(org, &["ana"])),
            (queues(org, &["cards", "loans"]), users(org, &["ana", "ben"]))
        ]
    );
    assert_eq!(boxes.queues(), queues(org, &["cards", "loans", "motor"]));
    assert!(boxes.needs_users() && !boxes.is_empty() && boxes.lone.is_empty());
    assert!(boxes.without_users().is_empty());
    // a restricted queue opens by name only; `any` reaches legs without a queue
    assert_eq!(of(&[one(only(&["secret"]), Dim::Any)]).all, queues(org, &["secret"]));
    let any = of(&[one(Dim::Any, by(&["ana", "eva"]))]);
    assert_eq!(any.boxes, [(queues(org, &["cards", "loans", "motor"]), users(org, &["ana"]))]);
    assert_eq!(any.lone, users(org, &["ana"]), "nobody of another region");
    assert!(any.needs_users());
    let pay = org.index.divisions["pay"];
    assert_eq!(of(&[one(only(&["cards"]), Dim::Any)]).leg_divisions(org), Set::one(pay));
    let people = Extent::of(org, Data::User, &[one(Dim::Any, by(&["ana"]))], false);
    assert_eq!((people.leg_divisions(org), people.is_empty()), (Set::one(pay), false));
    let single = Entitlement { conversations: Dim::Only(Set::one("c".into())), ..one(Dim::Any, Dim::Any) };
    assert!(of(&[single]).is_empty());
    // what died is neither visible nor foreign, unless the operation counts it
    let mut org = org.clone();
    org.queues[org.index.queues["cards"].index()].state = QueueState::Archived;
    let listed = [right(&org, Dim::Only(queues(&org, &["cards", "loans"])), Dim::Any)];
    let dead = Extent::of(&org, Data::Queue, &listed, false);
    assert_eq!((dead.all, dead.dead), (queues(&org, &["loans"]), queues(&org, &["cards"])));
    let counted = Extent::of(&org, Data::Queue, &listed, true);
    assert_eq!((counted.all, counted.dead), (queues(&org, &["cards", "loans"]), Set::new()));
}

#[test]
fn the_part_in_which_a_question_can_hold() {
    let org = &*organisation().world.org;
    let whole = Extent {
        all: queues(org, &["cards", "motor"]),
        boxes: vec![(queues(org, &["loans"]), users(org, &["ana", "ben"]))],
        lone: users(org, &["ana", "carl"]),
        ..Extent::default()
    };
    let part = |asked: Asked| whole.restrict(org, &asked);
    let q = |ids: &[&str]| Some(queues(org, ids));
    let u = |ids: &[&str]| Some(users(org, ids));
    assert_eq!(part(Asked::default()), whole);
    let by_queue = part(Asked { queues: q(&["cards", "secret"]), ..Asked::default() });
    assert_eq!((by_queue.all, by_queue.boxes.len(), by_queue.lone.len()), (queues(org, &["cards"]), 0, 0));
    let boxed = part(Asked { queues: q(&["loans"]), ..Asked::default() });
    assert_eq!((boxed.all.len(), boxed.boxes, boxed.lone.len()), (0, whole.boxes.clone(), 0));
    let no_queue = part(Asked { no_queue: true, ..Asked::default() });
    assert_eq!((no_queue.all.len(), no_queue.boxes.len(), no_queue.lone), (0, 0, whole.lone.clone()));
    let some_queue = part(Asked { some_queue: true, ..Asked::default() });
    assert_eq!((some_queue.all, some_queue.boxes.len(), some_queue.lone.len()), (whole.all.clone(), 1, 0));
    let by_user = part(Asked { users: u(&["ben", "carl"]), ..Asked::default() });
    assert_eq!(by_user.all, whole.all);
    assert_eq!(by_user.boxes, [(queues(org, &["loans"]), users(org, &["ben"]))]);
    assert_eq!(by_user.lone, users(org, &["carl"]));
    let claims = part(Asked { divisions: Some(Set::one(org.index.divisions["claims"])), ..Asked::default() });
    assert_eq!((claims.all, claims.boxes.len(), claims.lone), (queues(org, &["motor"]), 0, users(org, &["carl"])));
}

// ---- what is sent ------------------------------------------------------------------------------------------------

fn sent(organisation: &Organisation, person: &str, filter: &Value) -> Value {
    let mut body = json!({ "interval": WEEK, "metrics": ["tHandle"] });
    if !filter.is_null() {
        body["filter"] = filter.clone();
    }
    match program::ask(&organisation.world, person, Kind::Aggregates, &body.to_string(), NOW, &[]) {
        Got::Answered(Answered { sent: Some(sent), .. }) => {
            serde_json::from_str::<Value>(&sent).unwrap()["filter"].clone()
        }
        other => panic!("{person}: {other:?}"),
    }
}

#[test]
fn nothing_is_sent_that_the_question_says_already() {
    let organisation = organisation();
    let is = |dimension: &str, value: &str| json!({ "dimension": dimension, "value": value });
    let has = |operator: &str| json!({ "dimension": "queueId", "operator": operator });
    let and = |predicates: Value| json!({ "type": "and", "predicates": predicates });
    let both = || json!({ "type": "or", "predicates": [is("queueId", "cards"), is("queueId", "loans")] });
    let mine =
        json!({ "type": "or", "predicates": [is("queueId", "cards"), is("queueId", "loans"), has("notExists")] });
    for (person, asked, due) in [
        ("sofia", Value::Null, both()),
        ("sofia", and(json!([is("queueId", "cards")])), and(json!([is("queueId", "cards")]))),
        ("cora", and(json!([is("queueId", "cards")])), and(json!([is("queueId", "cards")]))),
        (
            "cora",
            and(json!([has("exists")])),
            json!({ "type": "and", "clauses": [both()], "predicates": [has("exists")] }),
        ),
        (
            "cora",
            and(json!([is("userId", "ana")])),
            json!({ "type": "and", "clauses": [mine.clone()], "predicates": [is("userId", "ana")] }),
        ),
        ("ana", Value::Null, json!({ "type": "and", "clauses": [mine], "predicates": [is("userId", "ana")] })),
        ("ana", and(json!([has("notExists")])), and(json!([is("userId", "ana"), has("notExists")]))),
        ("ana", and(json!([is("queueId", "cards")])), and(json!([is("queueId", "cards"), is("userId", "ana")]))),
    ] {
        assert_eq!(sent(&organisation, person, &asked), due, "{person}: {asked}");
    }
}

// ---- time --------------------------------------------------------------------------------------------------------

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rule(at: TimeAt, reach: Reach) -> TimeRule {
    TimeRule { at, reach, max: Some(SignedDuration::from_hours(7 * 24)) }
}

fn body(value: &Value) -> Body {
    Body {
        value: json::parse(value.to_string().as_bytes(), &Limits::default()).unwrap(),
        filters: vec![],
        aggregations: vec![],
    }
}

#[test]
fn asked_time_is_read_once_and_bounded() {
    let now = at("2026-11-20T10:00:00Z");
    let by_interval = rule(TimeAt::Interval(vec!["interval".into()]), Reach::Contained);
    let between = rule(TimeAt::FromTo(vec!["from".into()], vec!["to".into()]), Reach::Contained);
    let interval = |text: &str| {
        let mut body = body(&json!({ "interval": text }));
        time::read(&by_interval, &mut body, now).map(|asked| (asked, String::from_utf8(body.value.to_bytes()).unwrap()))
    };
    let (asked, written) = interval("2026-11-13T01:00:00+01:00/2026-11-20T00:00Z").unwrap();
    assert_eq!(asked, Interval { start: at("2026-11-13T00:00:00Z"), end: at("2026-11-20T00:00:00Z") });
    assert_eq!(written, r#"{"interval":"2026-11-13T00:00:00Z/2026-11-20T00:00:00Z"}"#);
    assert!(interval("2026-11-13T00:00:00Z/2026-11-13T00:00:00.001Z").is_ok());
    for (text, code) in [
        ("2026-11-13T00:00:01Z/2026-11-13T00:00:00Z", Code::QueryMalformed),
        ("2026-11-13T00:00:00Z/2026-11-13T00:00:00Z", Code::QueryMalformed),
        ("2026-11-13T00:00:00Z", Code::QueryMalformed),
        ("2026-11-13T00:00:00/2026-11-14T00:00:00Z", Code::QueryMalformed),
        ("2026-11-13T00:00:00Z/soon", Code::QueryMalformed),
        ("2026-11-12T23:59:59Z/2026-11-20T00:00:00Z", Code::IntervalTooLong),
    ] {
        assert_eq!(interval(text).unwrap_err().code, code, "{text}");
    }
    assert!(interval("2026-11-12T23:59:59Z/2026-11-20T00:00:00Z").unwrap_err().message.contains("longer than 7 days"));
    for wrong in [json!({}), json!({ "interval": 7 })] {
        assert_eq!(time::read(&by_interval, &mut body(&wrong), now).unwrap_err().code, Code::QueryMalformed);
    }
    for (text, due) in [
        // From now until now is nothing.
        ("now", None),
        ("now-1m", Some("2026-11-20T09:59:00Z")),
        ("now-2h", Some("2026-11-20T08:00:00Z")),
        ("now-3d", Some("2026-11-17T10:00:00Z")),
        ("now-1w", Some("2026-11-13T10:00:00Z")),
        ("2026-11-20T00:00:00+01:00", Some("2026-11-19T23:00:00Z")),
        ("now-", None),
        ("now-d", None),
        ("now-1", None),
        ("now-1y", None),
        ("now-+1d", None),
        ("now--1d", None),
        ("now+1d", None),
        ("now1d", None),
        ("now-99999999999999999999d", None),
        ("now-9999999999999d", None),
        ("today", None),
    ] {
        let mut body = body(&json!({ "from": text, "to": "now" }));
        match (time::read(&between, &mut body, now), due) {
            (Ok(asked), Some(due)) => {
                assert_eq!(asked, Interval { start: at(due), end: now }, "{text}");
                let written = format!(r#"{{"from":"{due}","to":"2026-11-20T10:00:00Z"}}"#);
                assert_eq!(body.value.to_bytes(), written.as_bytes());
            }
            (Err(refusal), None) => assert_eq!(refusal.code, Code::QueryMalformed, "{text}"),
            (got, due) => panic!("{text}: {got:?}, due {due:?}"),
        }
    }
}

#[test]
fn windows_count_where_nothing_outside_can_come_back() {
    let org = &*organisation().world.org;
    let windowed = |from: &str, until: &str| Entitlement {
        data: Some(Window { from: at(from), until: at(until) }),
        ..right(org, Dim::Any, Dim::Any)
    };
    let free = || right(org, Dim::Any, Dim::Any);
    let asked = |start: &str, end: &str| Some(Interval { start: at(start), end: at(end) });
    let day = asked("2026-11-17T00:00:00Z", "2026-11-18T00:00:00Z");
    let hours = asked("2026-11-17T09:00:00Z", "2026-11-17T17:00:00Z");
    let of = |reach| rule(TimeAt::Interval(vec!["interval".into()]), reach);
    let exact = || windowed("2026-11-17T00:00:00Z", "2026-11-18T00:00:00Z");
    // (reach, asked, legs shown, window) -> (counted, guarded)
    for (what, reach, asked, shown, right, due) in [
        ("inside", Some(Reach::Contained), day, false, exact(), Some(false)),
        (
            "begins later",
            Some(Reach::Contained),
            day,
            false,
            windowed("2026-11-17T00:00:01Z", "2026-11-18T00:00:00Z"),
            None,
        ),
        (
            "ends earlier",
            Some(Reach::Contained),
            day,
            false,
            windowed("2026-11-17T00:00:00Z", "2026-11-17T23:59:59Z"),
            None,
        ),
        ("nothing asked", Some(Reach::Contained), None, false, exact(), None),
        ("no rule", None, day, false, exact(), None),
        ("whole days, not shown", Some(Reach::WholeDay), day, false, exact(), None),
        ("whole days, shown", Some(Reach::WholeDay), day, true, exact(), Some(true)),
        ("the days of the hours", Some(Reach::WholeDay), hours, true, exact(), Some(true)),
        (
            "hours only",
            Some(Reach::WholeDay),
            hours,
            true,
            windowed("2026-11-17T09:00:00Z", "2026-11-17T17:00:00Z"),
            None,
        ),
        (
            "a morning short",
            Some(Reach::WholeDay),
            hours,
            true,
            windowed("2026-11-17T00:00:01Z", "2026-11-18T00:00:00Z"),
            None,
        ),
        (
            "an evening short",
            Some(Reach::WholeDay),
            hours,
            true,
            windowed("2026-11-17T00:00:00Z", "2026-11-17T23:59:59Z"),
            None,
        ),
        ("by id, shown", None, None, true, exact(), Some(true)),
        ("by id, not shown", None, None, false, exact(), None),
    ] {
        let rule = reach.map(of);
        let alone = time::windows(std::slice::from_ref(&right), rule.as_ref(), asked, shown);
        let beside = time::windows(&[free(), right], rule.as_ref(), asked, shown).unwrap();
        if let Some(guarded) = due {
            let alone = alone.unwrap();
            assert_eq!(
                (alone.counted.len(), alone.guarded, alone.notices.len()),
                (1, guarded, usize::from(guarded && asked.is_some())),
                "{what}"
            );
            assert_eq!(
                (beside.counted.len(), beside.guarded, beside.notices.len()),
                (2, guarded, usize::from(guarded && asked.is_some())),
                "{what}"
            );
        } else {
            assert_eq!(alone.unwrap_err().code, Code::WindowOutside, "{what}");
            assert_eq!((beside.counted.len(), beside.guarded, beside.notices.len()), (1, false, 1), "{what}");
        }
    }
    let none = time::windows(&[], None, None, false).unwrap();
    assert!(none.counted.is_empty() && none.notices.is_empty());
}

// ---- placeholders ------------------------------------------------------------------------------------------------

#[test]
fn placeholders_stand_for_what_the_scope_holds_now() {
    let mut org = Org::clone(&organisation().world.org);
    let ana = org.index.users["ana"];
    let loans = org.index.queues["loans"];
    let extent = Extent { all: queues(&org, &["cards", "loans", "motor", "secret"]), ..Extent::default() };
    let fill = |org: &Org, holder: Principal, text: &str| {
        let mut value = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let slot = vec!["divisionId".into()];
        placeholders::fill(&mut value, Some(&slot), &Filling { org, holder, extent: &extent })
            .map(|_| String::from_utf8(value.to_bytes()).unwrap())
            .map_err(|refusal| refusal.code)
    };
    let of = |operator: &str, values: &str| format!(r#"{{"operator":"{operator}","values":[{values}]}}"#);
    let ask = |operator: &str, values: &str| fill(&org, Principal::User(ana), &of(operator, values));
    let many = Err(Code::PlaceholderMany);
    for (operator, values, due) in [
        ("IN", r#""${user.queueIds}""#, Ok(of("IN", r#""cards""#))),
        ("EQUALS", r#""${user.queueIds}""#, Ok(of("EQUALS", r#""cards""#))),
        ("IN", r#""${user.scopeQueueIds}""#, Ok(of("IN", r#""cards","loans","motor","secret""#))),
        ("NOT_IN", r#""${user.scopeQueueIds}""#, many.clone()),
        ("EQUALS", r#""${user.scopeQueueIds}""#, many.clone()),
        ("NOT_EQUALS", r#""${user.scopeQueueIds}""#, many.clone()),
        ("NOT_EQUALS", r#""${user.id}""#, many.clone()),
        ("GT", r#""${user.id}""#, many),
        ("IN", r#""x","${user.id}",7"#, Ok(of("IN", r#""x","ana",7"#))),
        ("IN", r#""${user.divisionId}""#, Ok(of("IN", r#""pay""#))),
        ("IN", r#""${user.divisionIds}""#, Ok(of("IN", r#""claims","pay""#))),
        ("IN", r#""${user.groupIds}""#, Err(Code::ScopeEmpty)),
        ("IN", r#""${user.name}""#, Err(Code::PlaceholderUnknown)),
        ("IN", r#""a${user.id}""#, Err(Code::PlaceholderUnknown)),
        ("IN", r#"["${user.id}"]"#, Ok(of("IN", r#"["${user.id}"]"#))),
    ] {
        assert_eq!(ask(operator, values), due, "{operator} {values}");
    }
    let me = Principal::User(ana);
    for (text, due) in [
        (r#"{"divisionId":"${user.divisionId}"}"#, Ok(r#"{"divisionId":"pay"}"#)),
        (r#"{"divisionId":"${user.divisionIds}"}"#, Err(Code::PlaceholderMany)),
        (r#"{"divisionId":"pay","x":[{"y":true}]}"#, Ok(r#"{"divisionId":"pay","x":[{"y":true}]}"#)),
        (r#"{"name":"${user.id}"}"#, Err(Code::PlaceholderUnknown)),
        (r#"{"list":["${user.id}"]}"#, Err(Code::PlaceholderUnknown)),
        (r#"{"values":["${user.id}"]}"#, Err(Code::PlaceholderUnknown)),
        (r#"{"operator":"IN","values":"${user.id}"}"#, Err(Code::PlaceholderUnknown)),
    ] {
        assert_eq!(fill(&org, me, text).as_deref(), due.as_ref().map(|text| *text), "{text}");
    }
    // a restricted queue counts by its own list of names; a dead one not at all
    org.queues[org.index.queues["cards"].index()].restricted = true;
    org.users[ana.index()].named_queues = Set::new();
    assert_eq!(fill(&org, me, &of("IN", r#""${user.queueIds}""#)), Err(Code::ScopeEmpty));
    org.users[ana.index()].named_queues = queues(&org, &["cards"]);
    assert_eq!(fill(&org, me, &of("IN", r#""${user.queueIds}""#)), Ok(of("IN", r#""cards""#)));
    org.queues[loans.index()].state = QueueState::Archived;
    assert_eq!(fill(&org, me, &of("IN", r#""${user.scopeQueueIds}""#)), Ok(of("IN", r#""cards","motor","secret""#)));
}
