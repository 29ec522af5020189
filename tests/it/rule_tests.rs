//! Runs the query tests that stand in the shipped rule files, through the same pure chain that serves requests.

use bailiwick::{
    decision::{self, Decided},
    directory,
    model::{
        assumption::Assumption,
        contract::{ParamKind, Segment},
        operation::{Operation, Rules},
        org::{Org, Principal},
        refusal::{Code, Refusal},
        world::{Policy, Versions, World},
    },
    policy::guard::Unguarded,
    query::{
        Question,
        json::{self, Limits},
    },
    rules::{self, Expect, RuleTest, Untested},
};
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn every_query_test_of_the_shipped_rules_holds() {
    // All that the shipped rules need. `division-of-leg` is not: nobody has proved it.
    let accepted = Assumption::ALL.into_iter().filter(|assumption| *assumption != Assumption::DivisionOfLeg).collect();
    let policy = Policy { accepted, ..Policy::default() };
    let compiled = rules::compile_as(rules::embedded(), policy, Untested::Refuse)
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let rules = Arc::new(compiled.rules);
    let failures: Vec<_> = compiled.tests.iter().filter_map(|test| run(test, &rules).err()).collect();
    assert!(failures.is_empty(), "{} of {} fail:\n\n{}", failures.len(), compiled.tests.len(), failures.join("\n\n"));
    assert!(compiled.tests.len() > 50, "{} tests", compiled.tests.len());
}

fn run(test: &RuleTest, rules: &Arc<Rules>) -> Result<(), String> {
    let name = format!("{}:{} {} ({})", test.file, test.line, test.operation, test.name);
    let org = directory::load(&test.fixture.text, &test.fixture.directory, test.now)
        .map_err(|problems| format!("{name}: {problems:#?}"))?;
    let holder = holder(&org, &test.asker).ok_or_else(|| format!("{name}: nobody is called {}", test.asker))?;
    let operation = rules.operations.iter().find(|operation| operation.id == test.operation).ok_or(name.as_str())?;
    let versions = Versions { rules: rules.version.clone(), directory: org.version.clone(), grants: "".into() };
    let world = World { version: versions, org: Arc::new(org), rules: rules.clone() };
    let decided = decide(test, &world, holder, operation);
    let found = match (&decided, &test.expect) {
        (Ok(Decided::Forward(forward)), Some(Expect::Sends(sends))) => {
            let sent = match forward.verified.body() {
                Some(body) => serde_json::from_slice(body).unwrap(),
                None => Value::Object(
                    forward.verified.query().iter().map(|(name, value)| (name.to_string(), json!(value))).collect(),
                ),
            };
            rules::same(&sent, sends).then_some(()).ok_or_else(|| format!("sent     {sent}\nexpected {sends}"))
        }
        (Err(refusal), Some(Expect::Refuses(code))) => {
            (refusal.code == *code).then_some(()).ok_or_else(|| format!("refused with {refusal} {:?}", refusal.cause))
        }
        (Ok(Decided::Local(answer)), Some(Expect::Answers(answers))) => {
            let given: Value = serde_json::from_slice(answer.body()).unwrap();
            rules::same(&given, answers).then_some(()).ok_or_else(|| format!("answered {given}"))
        }
        (Ok(Decided::Forward(_)), None) => Ok(()),
        (Ok(Decided::Forward(forward)), _) => {
            Err(format!("sent {}", String::from_utf8_lossy(forward.verified.body().unwrap_or_default())))
        }
        (Ok(Decided::Local(answer)), _) => Err(format!("answered {}", String::from_utf8_lossy(answer.body()))),
        (Err(refusal), _) => Err(format!("refused with {refusal} {:?}", refusal.cause)),
    };
    found.map_err(|found| format!("{name}\n{found}"))?;
    if let (Ok(Decided::Forward(forward)), Some((upstream, shows))) = (&decided, &test.answer) {
        let guarded = forward
            .plan
            .guard(Unguarded::new(200, upstream.to_string().into_bytes()))
            .map_err(|refusal| format!("{name}\n{refusal}"))?;
        let shown: Value = serde_json::from_slice(guarded.body()).unwrap();
        if shown != *shows {
            return Err(format!("{name}\nshown    {shown}\nexpected {shows}"));
        }
    }
    Ok(())
}

fn decide(test: &RuleTest, world: &World, holder: Principal, operation: &Arc<Operation>) -> Result<Decided, Refusal> {
    let contract = &operation.contract;
    let is_id = |name: &str| {
        contract
            .template
            .segments
            .iter()
            .any(|segment| matches!(segment, Segment::Param { name: known, .. } if **known == *name))
    };
    let (ids, params): (Vec<_>, Vec<_>) = test.params.iter().cloned().partition(|(name, _)| is_id(name));
    let params: Option<Vec<_>> = params
        .into_iter()
        .map(|(name, value)| {
            let known = contract.params.iter().find(|known| known.name == name)?;
            let values = match known.kind {
                ParamKind::Ids { .. } => value.split(',').map(str::to_owned).collect(),
                _ => vec![value],
            };
            Some((name, values))
        })
        .collect();
    let params = params.ok_or_else(|| Refusal::new(Code::QueryMalformed, "an unknown parameter"))?;
    let body = test.asks.as_ref().map(|asks| json::parse(asks.to_string().as_bytes(), &Limits::default()).unwrap());
    let scope = decision::scope(world, holder, operation, test.now)?;
    let question = Question { operation: operation.clone(), ids, params, body };
    decision::decide(world, &Arc::new(scope), &question, test.now)
}

fn holder(org: &Org, id: &str) -> Option<Principal> {
    let user = org.index.users.get(id).copied().map(Principal::User);
    user.or_else(|| org.index.services.get(id).copied().map(Principal::Service))
}
