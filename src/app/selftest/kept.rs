//! What is kept in a test: definitions, schedules, and what a schedule was answered.

use super::principal;
use crate::{
    decision::{self, Decided, schedules::kept_as},
    model::{
        definition::{Definition, DefinitionPart, DefinitionStep},
        kept::Kept,
        org::Principal,
        refusal::{Code, Refusal},
        schedule::{KeptAnswer, Run, RunState, Schedule, SchedulePart, ScheduleStep, Scheduled},
        world::World,
    },
    policy::scope::spelt,
    query::{
        Question,
        json::{self, Limits, Value},
    },
    rules::{RuleTest, SavedThere, ScheduledThere},
};
use std::sync::Arc;

/// What is kept of definitions in a test. A new one gets the id `new`.
pub(super) fn definitions(
    world: &World,
    asker: Principal,
    part: &DefinitionPart,
    question: &Question,
    test: &RuleTest,
) -> Result<Kept, Refusal> {
    if part.step == DefinitionStep::Save {
        return Ok(Kept::New("new".into()));
    }
    if part.step == DefinitionStep::Executions {
        return Ok(Kept::Executions(Arc::default()));
    }
    let named = test.params.iter().find(|_| part.step.names_one()).map(|(_, id)| id.as_str());
    let there = test.saved.iter().filter(|there| named.is_none_or(|named| *there.id == *named));
    let mut there = there.map(|there| kept(world, asker, part, there, test)).collect::<Result<Vec<_>, Refusal>>()?;
    if part.step != DefinitionStep::List {
        return Ok(Kept::Definition(there.pop().map(Arc::new)));
    }
    let wanted = decision::saved::wanted(world, asker, part, question, test.now)?;
    there.retain(|one| {
        *one.owner.1 == *world.org.principal_id(asker) || one.shared && wanted.divisions.contains(&one.division)
    });
    let total = there.len();
    Ok(Kept::Definitions(there.into_iter().skip(wanted.skip).take(wanted.take).collect(), total))
}

fn kept(
    world: &World,
    asker: Principal,
    part: &DefinitionPart,
    there: &SavedThere,
    test: &RuleTest,
) -> Result<Definition, Refusal> {
    let body = json::parse_object(there.definition.to_string().as_bytes(), &Limits::default());
    let body = body.map_err(|error| Refusal::new(Code::QueryMalformed, error.to_string()))?;
    let owner = principal(&world.org, &there.owner).unwrap_or(asker);
    Ok(Definition {
        id: there.id.clone(),
        region: world.org.region(world.org.region_of(owner)).id.clone(),
        operation: part.asks.id.clone(),
        owner: kept_as(&world.org, owner),
        division: there.division.clone(),
        shared: there.shared,
        name: there.id.clone(),
        body: body.to_bytes().into(),
        version: 1,
        changed: test.now,
    })
}

/// What is kept of schedules in a test. A new one gets the id `new`.
pub(super) fn scheduled(
    world: &World,
    asker: Principal,
    part: &SchedulePart,
    question: &Question,
    test: &RuleTest,
) -> Result<Scheduled, Refusal> {
    let definition = |id: &str| {
        let there = test.saved.iter().find(|there| *there.id == *id);
        there.map(|there| kept(world, asker, &part.of, there, test)).transpose()
    };
    let plan = |there: &ScheduledThere| planned(world, asker, part, there, test);
    let named = question.ids.first().map(|(_, id)| id.as_str());
    let found = test.scheduled.iter().find(|there| named.is_some_and(|named| *there.id == *named));
    let one = found.map(plan).transpose()?;
    Ok(match (part.step, one, found) {
        (ScheduleStep::List, ..) => {
            let all = test.scheduled.iter().map(plan).collect::<Result<Vec<_>, Refusal>>()?;
            let me = kept_as(&world.org, asker);
            let mine = |one: &Schedule| one.owner == me || *me.0 == *"user" && one.recipients.contains(&me.1);
            let mine: Vec<_> = all.into_iter().filter(mine).collect();
            let total = mine.len();
            Scheduled::List(mine.into(), total)
        }
        (ScheduleStep::Save | ScheduleStep::Change, there, _) => {
            let named = question.body.as_ref().and_then(|body| body.get("queryId")).and_then(Value::as_str);
            let definition = definition(named.unwrap_or_default())?;
            Scheduled::Save { id: "new".into(), there: there.map(Arc::new), definition: definition.map(Arc::new) }
        }
        (ScheduleStep::Runs | ScheduleStep::Answer, Some(one), Some(there)) => {
            let definition = definition(&one.definition)?;
            let run = ran(world, asker, part, (&one, definition.as_ref()), there, test)?;
            let id = question.ids.get(1).map(|(_, id)| id.as_str());
            let runs = run.into_iter().filter(|run| id.is_none_or(|id| *run.id == *id)).collect();
            Scheduled::Runs(Arc::new(one), runs)
        }
        (_, one, _) => Scheduled::Named(one.map(Arc::new)),
    })
}

fn planned(
    world: &World,
    asker: Principal,
    part: &SchedulePart,
    there: &ScheduledThere,
    test: &RuleTest,
) -> Result<Schedule, Refusal> {
    let owner = principal(&world.org, &there.owner).unwrap_or(asker);
    Ok(Schedule {
        id: there.id.clone(),
        region: world.org.region(world.org.region_of(owner)).id.clone(),
        operation: part.of.asks.id.clone(),
        owner: kept_as(&world.org, owner),
        name: there.id.clone(),
        definition: there.definition.clone(),
        cron: "0 7 * * *".into(),
        zone: "UTC".into(),
        recipients: there.recipients.clone(),
        enabled: true,
        then: spelt(&decision::scope(world, owner, &part.runs, test.now)?, &world.org),
        version: 1,
        changed: test.now,
        next: None,
        waiting: Vec::new(),
        tries: 0,
    })
}

/// A run of now for the asker.
fn ran(
    world: &World,
    asker: Principal,
    part: &SchedulePart,
    (one, definition): (&Schedule, Option<&Definition>),
    there: &ScheduledThere,
    test: &RuleTest,
) -> Result<Option<Run>, Refusal> {
    let Some(answered) = &there.answered else { return Ok(None) };
    let due = decision::schedules::due(world, one, part, (definition, asker), test.now)?;
    let sent = match decision::decide(world, &due.scope, &due.question, test.now)? {
        Decided::Forward(forward) => forward.verified.outgoing().body.clone(),
        _ => None,
    };
    let kept = KeptAnswer {
        decision: "then".into(),
        asked: due.question.body.map(|body| body.to_bytes()).unwrap_or_default().into(),
        sent,
        answer: answered.to_string().into(),
        said: Vec::new(),
    };
    Ok(Some(Run {
        id: "run".into(),
        schedule: one.id.clone(),
        region: one.region.clone(),
        reader: kept_as(&world.org, asker),
        began: test.now,
        state: RunState::Kept(kept),
    }))
}
