//! Runs the query tests that stand in rule files, against their fixtures, through the chain that serves.

mod kept;

use crate::{
    decision::{self, Decided, Forward},
    directory,
    model::{
        assumption::Assumption,
        contract::{ParamKind, Segment},
        job::{Job, JobKind, JobStep},
        kept::Kept,
        operation::{JobPart, Operation, Rules},
        org::{Org, Principal},
        part::Sighting,
        refusal::{Code, Refusal},
        world::{Policy, Versions, World},
    },
    policy::guard::{Gathered, GuardPlan, Guarded, Read, Unguarded},
    query::{
        Question,
        json::{self, Limits},
        linked,
    },
    rules::{Compiled, Expect, Fixture, RuleTest, same},
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// What one test gave.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub file: Box<str>,
    pub line: usize,
    pub operation: Box<str>,
    pub name: Box<str>,
    /// What was wrong, in words; `None`: passed.
    pub failure: Option<String>,
}

/// What tests are run under, whatever a deployment accepts: everything that rules may need, and nothing that only
/// some deployments have proved.
pub fn policy() -> Policy {
    let accepted = Assumption::ALL.into_iter().filter(|assumption| *assumption != Assumption::DivisionOfLeg).collect();
    Policy { accepted, ..Policy::default() }
}

/// Runs every test of a set that was compiled under [`policy`].
pub fn run(compiled: &Compiled) -> Vec<Outcome> {
    let rules = Arc::new(compiled.rules.clone());
    let mut worlds: HashMap<*const Fixture, Result<World, String>> = HashMap::new();
    compiled
        .tests
        .iter()
        .map(|test| {
            let world = worlds.entry(Arc::as_ptr(&test.fixture)).or_insert_with(|| world(&rules, &test.fixture));
            let failure = match world {
                Ok(world) => check(world, test).err(),
                Err(why) => Some(why.clone()),
            };
            Outcome {
                file: test.file.clone(),
                line: test.line,
                operation: test.operation.clone(),
                name: test.name.clone(),
                failure,
            }
        })
        .collect()
}

/// One line for each test that failed.
pub fn failures(compiled: &Compiled) -> Vec<String> {
    run(compiled)
        .into_iter()
        .filter_map(|outcome| {
            let why = outcome.failure?;
            Some(format!("{}:{}: `{}` of `{}`: {why}", outcome.file, outcome.line, outcome.name, outcome.operation))
        })
        .collect()
}

fn world(rules: &Arc<Rules>, fixture: &Fixture) -> Result<World, String> {
    let org = directory::load(&fixture.text, &fixture.directory, fixture.now)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    Ok(World {
        version: Versions { rules: rules.version.clone(), directory: org.version.clone(), grants: org.version.clone() },
        org: Arc::new(org),
        rules: rules.clone(),
        claimed: None,
    })
}

fn check(world: &World, test: &RuleTest) -> Result<(), String> {
    let operation = world
        .rules
        .operations
        .iter()
        .find(|operation| operation.id == test.operation)
        .ok_or_else(|| "no such rule".to_owned())?;
    let asker = principal(&world.org, &test.asker).ok_or_else(|| format!("the fixture has no `{}`", test.asker))?;
    let mut seen = None;
    let decided = question(operation, test)?.and_then(|mut question| {
        let region = match &test.region {
            Some(named) => decision::cross(world, asker, &mut question, named)?,
            None => None,
        };
        let scope = Arc::new(match region {
            Some(region) => decision::scope_abroad(world, asker, &question.operation, region)?,
            None => decision::scope(world, asker, operation, test.now)?,
        });
        if let Some(look) = decision::look(world, &scope, &question, test.now)? {
            let shown = test.interaction.as_ref().map(Value::to_string).unwrap_or_default().into_bytes();
            question.seen = Some(look.plan.look(&question, &Unguarded::new(200, shown))?);
            seen.clone_from(&question.seen);
        }
        if let Some(own) = &operation.own {
            question.kept = Some(Kept::Own(exported(world, asker, &own.submit, test)?));
        }
        if let Some(part) = &operation.definition {
            question.kept = Some(kept::definitions(world, asker, part, &question, test)?);
        }
        if let Some(part) = &operation.schedule {
            question.kept = Some(Kept::Scheduled(kept::scheduled(world, asker, part, &question, test)?));
        }
        let mut decided = decision::decide(world, &scope, &question, test.now)?;
        if let Decided::Kept(again) = decided {
            decided = Decided::Local(again.forward.plan.guard(again.answer)?);
        }
        if let Decided::Forward(forward) = &mut decided {
            let (plan, jobs) = (forward.plan.clone(), question.own_exports());
            forward.plan = decision::files(world, &scope, &question, plan, jobs, test.now);
        }
        Ok(decided)
    });
    if let Some(expect) = &test.expect {
        expected(expect, &decided)?;
    }
    if let Some((upstream, shows)) = &test.answer {
        let Ok(Decided::Forward(forward)) = &decided else {
            return Err(format!("nothing was sent, so there is no answer to judge: {}", spell(&decided)));
        };
        let plan = match &operation.job {
            Some(JobPart::Submit(_)) => &results(world, asker, operation, (forward, seen), test)?,
            _ => &forward.plan,
        };
        let answer = Unguarded::new(200, upstream.to_string().into_bytes());
        let judged = match operation.look.as_ref().filter(|_| operation.scan.is_some()) {
            Some(_) => judge_rows(world, asker, operation, (plan, answer), test),
            None => plan.clone().salted([0; 32]).guard(answer),
        };
        let guarded = judged.map_err(|refusal| format!("the answer was refused: {refusal}"))?;
        let shown = parse(guarded.body())?;
        if !same(&shown, shows) {
            return Err(format!("should show {shows} and shows {shown}"));
        }
    }
    Ok(())
}

/// One page of a list whose rows are of interactions; a look at these shows the test's.
fn judge_rows(
    world: &World,
    asker: Principal,
    operation: &Arc<Operation>,
    (plan, answer): (&GuardPlan, Unguarded),
    test: &RuleTest,
) -> Result<Guarded, Refusal> {
    let scope = Arc::new(decision::scope(world, asker, operation, test.now)?);
    let (operation, ids, params) = (operation.clone(), Vec::new(), Vec::new());
    let question = Question { operation, ids, params, body: None, kept: None, seen: None };
    let shown = test.interaction.as_ref().map(Value::to_string).unwrap_or_default();
    let mut read = plan.read(Gathered::default(), answer)?;
    loop {
        read = match read {
            Read::Done(guarded) => return Ok(guarded),
            Read::More(_) => return Err(Refusal::new(Code::Internal, "the list of a test goes on")),
            Read::Look(gathered) => {
                let look = decision::look_at_rows(world, &scope, &question, (plan, &gathered), test.now)?;
                let seen = Unguarded::new(200, shown.clone().into_bytes());
                let rows = (plan, gathered);
                decision::judge_rows(world, &scope, &question, (&look.plan, &seen), rows, test.now)?
            }
        };
    }
}

/// The exports of a test, each asked for by its asker.
fn exported(world: &World, asker: Principal, submit: &Arc<Operation>, test: &RuleTest) -> Result<Arc<[Job]>, Refusal> {
    let scope = Arc::new(decision::scope(world, asker, submit, test.now)?);
    let job = |(id, asks): &(Box<str>, Value)| {
        let body = json::parse_object(asks.to_string().as_bytes(), &Limits::default());
        let body = body.map_err(|error| Refusal::new(Code::QueryMalformed, error.to_string()))?;
        let (operation, body) = (submit.clone(), Some(body));
        let question = Question { operation, ids: Vec::new(), params: Vec::new(), body, kept: None, seen: None };
        let Decided::Forward(forward) = decision::decide(world, &scope, &question, test.now)? else {
            return Err(Refusal::new(Code::Internal, "an export that is answered here"));
        };
        let sent = forward.verified.outgoing().body.clone().unwrap_or_default();
        Ok(job_of(world, asker, submit, (id, sent), test.now))
    };
    test.exported.iter().map(job).collect()
}

fn job_of(
    world: &World,
    asker: Principal,
    submit: &Operation,
    (id, sent): (&str, bytes::Bytes),
    submitted: jiff::Timestamp,
) -> Job {
    let kind = if matches!(asker, Principal::User(_)) { "user" } else { "service" };
    Job {
        id: id.into(),
        region: world.org.region(world.org.region_of(asker)).id.clone(),
        holder: (kind.into(), world.org.principal_id(asker).into()),
        operation: submit.id.clone(),
        submitted,
        kind: JobKind::Sent(sent),
        cursor: None,
    }
}

/// How the results of a job are judged that was submitted so.
fn results(
    world: &World,
    asker: Principal,
    submit: &Operation,
    (forward, seen): (&Forward, Option<Arc<[Sighting]>>),
    test: &RuleTest,
) -> Result<GuardPlan, String> {
    let id = format!("{}.{}", submit.id, JobStep::Results.as_str());
    let operation = world.rules.operations.iter().find(|operation| *operation.id == *id);
    let operation = operation.ok_or_else(|| "its job has no results".to_owned())?;
    let sent = forward.verified.outgoing().body.clone().unwrap_or_default();
    let job = job_of(world, asker, submit, ("job", sent), test.now);
    let names = operation.contract.template.segments.iter().filter_map(|segment| match segment {
        Segment::Param { name, .. } => Some((name.clone(), "job".to_owned())),
        Segment::Literal(_) => None,
    });
    let question = Question {
        operation: operation.clone(),
        ids: names.collect(),
        params: Vec::new(),
        body: None,
        kept: Some(Kept::Job(Arc::new(job))),
        seen,
    };
    let decided = decision::scope(world, asker, operation, test.now)
        .and_then(|scope| decision::decide(world, &Arc::new(scope), &question, test.now));
    match decided {
        Ok(Decided::Forward(forward)) => Ok(forward.plan),
        other => Err(format!("its results were not asked for: {}", spell(&other))),
    }
}

/// A user or a service account by id.
pub fn principal(org: &Org, id: &str) -> Option<Principal> {
    let user = org.index.users.get(id).map(|user| Principal::User(*user));
    user.or_else(|| org.index.services.get(id).map(|service| Principal::Service(*service)))
}

/// The question, or the refusal of a parameter that the operation does not list.
fn question(operation: &Arc<Operation>, test: &RuleTest) -> Result<Result<Question, Refusal>, String> {
    let mut question = Question {
        operation: operation.clone(),
        ids: Vec::new(),
        params: Vec::new(),
        body: None,
        kept: None,
        seen: None,
    };
    for (name, value) in &test.params {
        match operation.contract.params.iter().find(|param| param.name == *name) {
            Some(param) if matches!(param.kind, ParamKind::Ids { .. }) => {
                question.params.push((name.clone(), value.split(',').map(str::to_owned).collect()));
            }
            Some(_) => question.params.push((name.clone(), vec![value.clone()])),
            None if is_path_id(operation, name) => question.ids.push((name.clone(), value.clone())),
            None => {
                return Ok(Err(Refusal::new(
                    Code::QueryMalformed,
                    "this operation has no such query parameter; leave it out",
                )));
            }
        }
    }
    // in the order of the path, as a request has them
    let place = |name: &str| operation.contract.template.segments.iter().position(|segment| segment.is_named(name));
    question.ids.sort_by_key(|(name, _)| place(name));
    if let Some(asks) = &test.asks {
        let body = json::parse_object(asks.to_string().as_bytes(), &Limits::default())
            .map_err(|error| format!("the asked body cannot be read: {error}"))?;
        question.body = Some(body);
    }
    let Some((asks, link)) = linked::of(operation) else { return Ok(Ok(question)) };
    // as a client writes it
    if let Some(asked) = question.body.take() {
        let written = linked::write(link, &asked);
        let encoded = written.split_once('=').map_or("", |(_, encoded)| encoded);
        let value = percent_encoding::percent_decode_str(encoded).decode_utf8().map_err(|error| error.to_string())?;
        question.params.push((link.param.clone(), vec![value.into_owned()]));
    }
    Ok(linked::read(link, &question.params, &Limits::default()).map(|body| Question {
        operation: asks.clone(),
        params: Vec::new(),
        body: Some(body),
        ..question
    }))
}

fn is_path_id(operation: &Operation, wanted: &str) -> bool {
    operation
        .contract
        .template
        .segments
        .iter()
        .any(|segment| matches!(segment, Segment::Param { name, .. } if **name == *wanted))
}

fn expected(expect: &Expect, decided: &Result<Decided, Refusal>) -> Result<(), String> {
    match (expect, decided) {
        (Expect::Refuses(code), Err(refusal)) if refusal.code == *code => Ok(()),
        (Expect::Sends(body), Ok(Decided::Forward(forward))) => {
            let sent = match forward.verified.body() {
                Some(bytes) => parse(bytes)?,
                None => forward
                    .verified
                    .query()
                    .iter()
                    .map(|(name, value)| (name.to_string(), Value::from(value.clone())))
                    .collect(),
            };
            if same(&sent, body) { Ok(()) } else { Err(format!("should send {body} and sends {sent}")) }
        }
        (Expect::Sends(bodies), Ok(Decided::Split(split))) => {
            let sent = split.parts().iter().map(|part| parse(part.verified.body().unwrap_or_default()));
            let sent: Value = sent.collect::<Result<Vec<_>, _>>()?.into();
            if same(&sent, bodies) { Ok(()) } else { Err(format!("should send {bodies} and sends {sent}")) }
        }
        (Expect::Answers(answer), Ok(Decided::Local(guarded))) => {
            // what is done and shows nothing
            let given = if guarded.body().is_empty() { serde_json::json!({}) } else { parse(guarded.body())? };
            if same(&given, answer) { Ok(()) } else { Err(format!("should answer {answer} and answers {given}")) }
        }
        (expect, decided) => {
            let due = match expect {
                Expect::Refuses(code) => format!("refuse with `{}`", code.as_str()),
                Expect::Sends(body) => format!("send {body}"),
                Expect::Answers(answer) => format!("answer {answer}"),
            };
            Err(format!("should {due}; {}", spell(decided)))
        }
    }
}

fn spell(decided: &Result<Decided, Refusal>) -> String {
    match decided {
        Ok(Decided::Forward(forward)) => {
            format!("it sends {}", forward.verified.body().map(String::from_utf8_lossy).unwrap_or_default())
        }
        Ok(Decided::Split(split)) => format!("it asks in {} parts", split.parts().len()),
        Ok(Decided::Kept(_)) => "it answers what was kept".to_owned(),
        Ok(Decided::Local(guarded)) => format!("it answers {}", String::from_utf8_lossy(guarded.body())),
        Err(refusal) => {
            format!(
                "it refuses: {refusal}{}",
                refusal.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default()
            )
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    text.parse().map_err(|error| format!("not JSON: {error}"))
}
