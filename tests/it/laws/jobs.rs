//! The laws over jobs: a submission is narrowed like the query, its results are those of the query, and at another time
//! they are either those of the visible world of that time or refused.

use super::{
    case::{Case, Organisation, Stock},
    program,
    random::{cases, judges_shares, seed},
};
use crate::oracle::{
    generate::{self, Dice, MONDAY},
    questions::{Kind, Meaning, answer, facts_of, within, written},
};
use bailiwick::{
    decision::{self, Decided},
    model::{
        contract::Segment,
        definition::Definition,
        entitlement::Scope,
        job::{Job, JobKind, JobStep},
        kept::Kept,
        operation::Operation,
        org::{Org, Principal},
        refusal::{Code, Refusal},
    },
    policy::guard::{GuardPlan, Unguarded},
    query::Question,
    verify::Verified,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

fn named(id: &str) -> &'static Arc<Operation> {
    program::rules().operations.iter().find(|operation| *operation.id == *id).unwrap_or_else(|| panic!("no {id}"))
}

fn submit(kind: Kind) -> &'static Arc<Operation> {
    named(&format!("{}.job", program::operation(kind).id))
}

fn decide(organisation: &Organisation, person: &str, question: &Question, now: i64) -> Result<Decided, Refusal> {
    let world = &organisation.world;
    let scope = decision::scope(world, program::principal(&world.org, person), &question.operation, program::at(now))?;
    decision::decide(world, &Arc::new(scope), question, program::at(now))
}

fn job(organisation: &Organisation, person: &str, kind: Kind, sent: &str, now: i64) -> Job {
    let org = &organisation.world.org;
    let holder = program::principal(org, person);
    let of = if matches!(holder, Principal::User(_)) { "user" } else { "service" };
    Job {
        id: "j-1".into(),
        region: org.region(org.region_of(holder)).id.clone(),
        holder: (of.into(), person.into()),
        operation: submit(kind).id.clone(),
        submitted: program::at(now),
        kind: JobKind::Sent(sent.to_owned().into()),
        cursor: None,
    }
}

fn about(kind: Kind, step: JobStep, job: Option<Job>) -> Question {
    let operation = named(&format!("{}.{}", submit(kind).id, step.as_str()));
    let names = operation.contract.template.segments.iter().filter_map(|segment| match segment {
        Segment::Param { name, .. } => Some((name.clone(), "j-1".to_owned())),
        Segment::Literal(_) => None,
    });
    Question {
        operation: Arc::clone(operation),
        ids: names.collect(),
        params: vec![],
        body: None,
        kept: job.map(|job| Kept::Job(Arc::new(job))),
        seen: None,
    }
}

/// Half the time, the same organisation in which somebody has left one of his queues.
fn fewer(dice: &mut Dice, organisation: &Organisation, person: &str) -> Option<Organisation> {
    if dice.percent(50) {
        return None;
    }
    let mut file = organisation.file.clone();
    let queues = file["queues"].as_array_mut()?.iter_mut();
    let mut own: Vec<&mut Vec<Value>> = queues
        .filter_map(|queue| queue["members"].as_array_mut())
        .filter(|members| members.iter().any(|member| member == person))
        .collect();
    if own.is_empty() {
        return None;
    }
    let place = dice.below(own.len());
    own[place].retain(|member| member != person);
    Organisation::of(file, organisation.stock.clone()).ok()
}

#[test]
fn a_job_is_its_question_for_its_submitter_now() {
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: &str| *tally.entry(what.to_owned()).or_default() += 1;
    for number in 0..cases() / 200 {
        let mut dice = Dice::new(seed() * 3_000_017 + number as u64);
        let organisation = Organisation::draw(&mut dice);
        for _ in 0..30 {
            let case = Case::draw(&mut dice, &organisation);
            if !matches!(case.kind, Kind::Aggregates | Kind::Details | Kind::UserAggregates) {
                continue;
            }
            let told = |why: String| -> ! {
                panic!(
                    "{why}\n{:?} {} at {}: {}\ndirectory {}",
                    case.kind, case.person, case.now, case.body, organisation.file
                )
            };
            let mut body: Value = case.body.parse().unwrap();
            body.as_object_mut().unwrap().remove("paging");
            let query = program::question(case.kind, body.to_string().as_bytes());
            let as_job = Question { operation: Arc::clone(submit(case.kind)), ..query.clone() };
            // Jobs of details reach further than the query, so rights with a data window do not count for them.
            let windowed = case.scope(&organisation.directory).iter().any(|one| one.window.is_some());
            if case.kind == Kind::Details && windowed {
                count("windowed");
                continue;
            }
            let asked = decide(&organisation, &case.person, &query, case.now);
            let submitted = decide(&organisation, &case.person, &as_job, case.now);
            let (asked, submitted) = match (asked, submitted) {
                (Ok(Decided::Forward(asked)), Ok(Decided::Forward(submitted))) => (asked, submitted),
                (Ok(Decided::Local(asked)), Ok(Decided::Local(submitted))) if asked.body() == submitted.body() => {
                    count("local");
                    continue;
                }
                (Err(asked), Err(submitted)) if asked == submitted => {
                    count("refused");
                    continue;
                }
                (asked, submitted) => told(format!("the query: {asked:?}\nthe job: {submitted:?}")),
            };
            if asked.verified.body() != submitted.verified.body() {
                told("the job is not narrowed like the query".to_owned());
            }
            let sent = program::sent(&submitted.verified);
            let data = organisation.stock.of(case.kind);
            let upstream = answer(case.kind, &sent.parse().unwrap(), data, Meaning::Tags, case.now).to_string();
            let guarded =
                |forward: &decision::Forward| forward.plan.guard(Unguarded::new(200, upstream.clone().into_bytes()));
            let due = guarded(&asked).unwrap_or_else(|refusal| told(format!("the query's answer: {refusal}")));
            let bound = job(&organisation, &case.person, case.kind, &sent, case.now);
            let results = about(case.kind, JobStep::Results, Some(bound.clone()));
            match decide(&organisation, &case.person, &results, case.now) {
                Ok(Decided::Forward(forward)) => {
                    let got = guarded(&forward).unwrap_or_else(|refusal| told(format!("the job's results: {refusal}")));
                    if (got.body(), got.rows_foreign()) != (due.body(), due.rows_foreign()) {
                        told("the results are not the query's".to_owned());
                    }
                    count("same");
                }
                other => told(format!("its own results: {other:?}")),
            }
            // Nobody else, and nobody without the binding.
            let stranger = dice.pick(&organisation.directory.users).id.clone();
            for (person, job) in [(&stranger, Some(bound.clone())), (&case.person, None)] {
                if job.is_some() && *person == case.person {
                    continue;
                }
                for step in JobStep::ALL {
                    match decide(&organisation, person, &about(case.kind, step, job.clone()), case.now) {
                        Err(refusal) if refusal.code == Code::ScopeOutside && refusal.in_path => count("hidden"),
                        Err(refusal) if matches!(refusal.code, Code::PermissionMissing | Code::RoleConflict) => {}
                        other => told(format!("{person} got {step:?}: {other:?}")),
                    }
                }
            }
            // At another time rights are others.
            let later = generate::now(&mut dice);
            let less = fewer(&mut dice, &organisation, &case.person);
            let organisation = less.as_ref().unwrap_or(&organisation);
            match decide(organisation, &case.person, &results, later) {
                Ok(Decided::Forward(forward)) => {
                    let got = match guarded(&forward) {
                        Ok(got) => facts_of(case.kind, &program::text(got.body())),
                        Err(refusal) => told(format!("later: {refusal}")),
                    };
                    let scope = Case { now: later, ..case.clone() }.scope(&organisation.directory);
                    let view = organisation.directory.view(&case.person, &scope, data);
                    match case.kind {
                        Kind::Aggregates => {
                            let due = answer(case.kind, &sent.parse().unwrap(), &view, Meaning::Tags, later);
                            if got != facts_of(case.kind, &due) {
                                told(format!("later it shows {got:?}, and {due} is due"));
                            }
                        }
                        Kind::Details => {
                            let all: Vec<Value> = view.iter().map(written).collect();
                            if !within(&got, &facts_of(case.kind, &json!({ "conversations": all }))) {
                                told(format!("later it shows more than is visible: {got:?}"));
                            }
                        }
                        _ => {}
                    }
                    count("later shown");
                }
                Err(refusal) if refusal.code == Code::JobScopeChanged => count("later changed"),
                Err(refusal)
                    if matches!(
                        refusal.code,
                        Code::PermissionMissing | Code::WindowOutside | Code::OperationUnscopable
                    ) => {}
                other => told(format!("later: {other:?}")),
            }
        }
    }
    println!("jobs: {tally:?}");
    let often = |what: &str, least: usize| tally.get(what).is_some_and(|count| *count >= least);
    let enough = often("same", 200) && often("hidden", 500) && often("later shown", 100) && often("later changed", 20);
    assert!(enough || !judges_shares(), "{tally:?}");
}

/// The plan by which an answer about a job of Sofia's is judged.
fn plan(step: Option<JobStep>) -> GuardPlan {
    let organisation = super::guard::organisation();
    let body = json!({ "interval": "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z", "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let now = MONDAY + 3 * 86_400;
    let mut question = program::question(Kind::Aggregates, body.to_string().as_bytes());
    question.operation = Arc::clone(submit(Kind::Aggregates));
    let forward = |question: &Question| match decide(&organisation, "sofia", question, now) {
        Ok(Decided::Forward(forward)) => forward,
        other => panic!("not forwarded: {other:?}"),
    };
    let submitted = forward(&question);
    let Some(step) = step else { return submitted.plan };
    let bound = job(&organisation, "sofia", Kind::Aggregates, &program::sent(&submitted.verified), now);
    forward(&about(Kind::Aggregates, step, Some(bound))).plan
}

fn judged(plan: &GuardPlan, status: u16, body: &str) -> Result<(u16, String), Code> {
    let guarded = plan.guard(Unguarded::new(status, body.as_bytes().to_vec())).map_err(|refusal| refusal.code)?;
    // only a submission makes a job known, by the id that is answered
    let told = guarded.job().map(|id| format!(r#"{{"jobId":"{id}"}}"#).into_bytes());
    let submits = guarded.body().starts_with(br#"{"jobId":"#);
    assert!(if submits { told.as_deref() == Some(guarded.body()) } else { told.is_none() });
    Ok((guarded.status(), String::from_utf8(guarded.into_body()).unwrap()))
}

#[test]
fn answers_about_jobs_hold_nothing_else() {
    let unreadable = Err(Code::AnswerUnreadable);
    let submitted = plan(None);
    let id = |status| Ok((status, r#"{"jobId":"j-1.A_~"}"#.to_owned()));
    assert_eq!(judged(&submitted, 202, r#"{"jobId":"j-1.A_~"}"#), id(202));
    assert_eq!(judged(&submitted, 200, r#"{"queueId":"motor","jobId":"j-1.A_~","rows":[1]}"#), id(200));
    let odd = [
        "{}",
        "[]",
        "",
        "x",
        r#"{"jobId":5}"#,
        r#"{"jobId":""}"#,
        r#"{"jobId":".."}"#,
        r#"{"jobId":"a/b"}"#,
        r#"{"jobId":"a b"}"#,
        r#"{"jobId":"a?b"}"#,
        r#"{"jobId":["a"]}"#,
    ];
    for body in odd {
        assert_eq!(judged(&submitted, 202, body), unreadable, "{body}");
    }
    let long = format!(r#"{{"jobId":"{}"}}"#, "a".repeat(5_000));
    assert_eq!(judged(&submitted, 202, &long), unreadable);
    assert_eq!(judged(&submitted, 204, ""), unreadable);

    let status = plan(Some(JobStep::Status));
    let told =
        r#"{"state":"FAILED","errorMessage":"queue motor","submissionDate":"2026-11-20T10:00:00Z","results":[{}]}"#;
    let kept = r#"{"state":"FAILED","submissionDate":"2026-11-20T10:00:00Z"}"#;
    assert_eq!(judged(&status, 200, told), Ok((200, kept.to_owned())));
    assert_eq!(judged(&status, 202, told), unreadable);
    assert_eq!(judged(&status, 200, "[]"), unreadable);

    let cancel = plan(Some(JobStep::Cancel));
    for fine in [200, 202, 204] {
        assert_eq!(judged(&cancel, fine, r#"{"queueId":"motor"}"#), Ok((204, String::new())));
    }
    assert_eq!(judged(&cancel, 206, ""), unreadable);

    let results = plan(Some(JobStep::Results));
    let page = |cursor: &str| format!(r#"{{"results":[{{"group":{{"queueId":"cards"}},"data":[]}}]{cursor}}}"#);
    let place = |cursor: &str| {
        let guarded = results.guard(Unguarded::new(200, page(cursor).into_bytes())).unwrap();
        (guarded.cursor().map(str::to_owned), String::from_utf8(guarded.into_body()).unwrap())
    };
    assert_eq!(place(r#","cursor":"next""#), (Some("next".to_owned()), page(r#","cursor":"next""#)));
    for odd in ["", r#","cursor":5"#, r#","cursor":"""#, r#","cursor":{"a":1}"#, r#","cursor":null"#, r#","next":"x""#]
    {
        assert_eq!(place(odd), (None, page("")), "{odd}");
    }
    assert_eq!(place(&format!(r#","cursor":"{}""#, "a".repeat(5_000))), (None, page("")));
}

/// A plan judges the answers to its own step, in its own world and scope, and no others.
#[test]
fn a_plan_serves_its_own_step_alone() {
    let organisation = super::guard::organisation();
    let world = &organisation.world;
    let now = program::at(MONDAY + 3 * 86_400);
    let body = json!({ "interval": "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z", "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let query = program::question(Kind::Aggregates, body.to_string().as_bytes());
    let as_job = Question { operation: Arc::clone(submit(Kind::Aggregates)), ..query.clone() };
    let sofia = program::principal(&world.org, "sofia");
    let scope = Arc::new(decision::scope(world, sofia, &query.operation, now).unwrap());
    let plan = |question: &Question| match decision::decide(world, &scope, question, now) {
        Ok(Decided::Forward(forward)) => (forward.plan, program_body(&forward.verified)),
        other => panic!("not forwarded: {other:?}"),
    };
    let (submitted, sent) = plan(&as_job);
    let bound = job(&organisation, "sofia", Kind::Aggregates, &sent, MONDAY);
    let mut plans = vec![(Arc::clone(&query.operation), plan(&query).0), (Arc::clone(&as_job.operation), submitted)];
    for step in JobStep::ALL {
        let question = about(Kind::Aggregates, step, Some(bound.clone()));
        plans.push((Arc::clone(&question.operation), plan(&question).0));
    }
    let other_world = Arc::new(Org::clone(&world.org));
    let other_scope = Arc::new(Scope::clone(&scope));
    for (own, plan) in &plans {
        for (operation, _) in &plans {
            let serves = plan.serves(operation, &world.org, &scope);
            assert_eq!(serves, Arc::ptr_eq(operation, own), "{}: {}", own.id, operation.id);
        }
        assert!(!plan.serves(own, &other_world, &scope), "{}: another organisation", own.id);
        assert!(!plan.serves(own, &world.org, &other_scope), "{}: another scope", own.id);
    }
}

fn program_body(verified: &Verified) -> String {
    verified.body().map(|body| String::from_utf8(body.to_vec()).unwrap()).unwrap_or_default()
}

/// A place in the results is sent as it was named, and no other is sent.
#[test]
fn a_place_is_sent_when_the_same_job_named_it() {
    let organisation = super::guard::organisation();
    let now = MONDAY + 3 * 86_400;
    let body = json!({ "interval": "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z", "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let mut question = program::question(Kind::Aggregates, body.to_string().as_bytes());
    question.operation = Arc::clone(submit(Kind::Aggregates));
    let Ok(Decided::Forward(submitted)) = decide(&organisation, "sofia", &question, now) else { panic!("not sent") };
    let bound = job(&organisation, "sofia", Kind::Aggregates, &program::sent(&submitted.verified), now);
    let ask = |named: Option<&str>, asked: Option<&str>| {
        let job = Job { cursor: named.map(Into::into), ..bound.clone() };
        let mut question = about(Kind::Aggregates, JobStep::Results, Some(job));
        question.params.extend(asked.map(|place| ("cursor".into(), vec![place.to_owned()])));
        match decide(&organisation, "sofia", &question, now) {
            Ok(Decided::Forward(forward)) => Ok(forward.verified.query().to_vec()),
            Ok(Decided::Split(_) | Decided::Kept(_) | Decided::Local(_)) => panic!("answered here, or asked in parts"),
            Err(refusal) => Err((refusal.code, refusal.in_path)),
        }
    };
    assert_eq!(ask(None, None), Ok(vec![]));
    assert_eq!(ask(Some("next"), None), Ok(vec![]));
    assert_eq!(ask(Some("next"), Some("next")), Ok(vec![("cursor".into(), "next".to_owned())]));
    for named in [None, Some("other")] {
        assert_eq!(ask(named, Some("next")), Err((Code::ScopeOutside, true)), "{named:?}");
    }
}

/// Filters nested so deep, one in the other.
fn deep(levels: usize) -> Value {
    let inner = json!({ "type": "and", "predicates": [{ "dimension": "queueId", "value": "cards" }] });
    (0..levels).fold(inner, |inner, _| json!({ "type": "and", "clauses": [inner] }))
}

/// What is kept was held against the limits of its day, which a configuration may have set wider than they are elsewhere: it
/// is read all the same, and judged for what it says.
#[test]
fn what_is_kept_is_read_however_deep_it_is() {
    let organisation = Organisation::of(super::named::file(), Stock::default()).unwrap();
    for levels in [5, 20, 45] {
        let filter = deep(levels);
        // it is no question of today's model, and not a text that cannot be read
        let sent = json!({ "interval": "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z", "groupBy": ["queueId"], "metrics": ["nOffered"], "filter": filter });
        let job = job(&organisation, "dora", Kind::Aggregates, &sent.to_string(), MONDAY);
        let refused = decide(&organisation, "dora", &about(Kind::Aggregates, JobStep::Results, Some(job)), MONDAY);
        let refused = refused.map(drop).unwrap_err();
        assert_eq!(refused.code, Code::JobScopeChanged, "{levels}: {:?}", refused.cause);

        let body = json!({ "name": "deep", "query": { "filter": filter } });
        let kept = Definition {
            id: "k-1".into(),
            region: "us-east-1".into(),
            operation: "platform.query".into(),
            owner: ("user".into(), "dora".into()),
            division: "pay".into(),
            name: "deep".into(),
            shared: false,
            body: body.to_string().into_bytes().into(),
            version: 1,
            changed: program::at(MONDAY),
        };
        let operation = named("platform.query.saved.run");
        let run = Question {
            operation: Arc::clone(operation),
            ids: vec![("queryId".into(), "k-1".to_owned())],
            params: vec![],
            body: None,
            kept: Some(Kept::Definition(Some(Arc::new(kept)))),
            seen: None,
        };
        let asked = run.as_sent();
        let asked = asked.body.as_ref().map(|body| program::text(&body.to_bytes()));
        assert_eq!(asked, Some(body), "{levels}");
    }
}
