//! The operations of `[rule.saved.schedules]`: kept questions that this proxy asks at set times.

use super::{
    format::Schedules,
    models, paths,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    answer::Shape,
    body::{Access, BodyModel},
    contract::{Contract, Method, Param, ParamKind, Segment, Template},
    definition::{DefinitionPart, DefinitionStep, NUMBER, SIZE},
    operation::{BpoExports, Class, Operation},
    schedule::{self, SchedulePart, ScheduleStep},
};
use std::sync::Arc;

/// A rule whose `recipient` may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// The first of its operations among all.
    pub(super) first: usize,
    pub(super) recipient: At<String>,
    pub(super) source: Arc<Source>,
}

/// Everything that is done with schedules of kept questions. `run`: the run of one.
pub(super) fn operations(
    schedules: &At<Schedules>,
    run: &DefinitionPart,
    reader: &mut Reader<'_>,
) -> Option<Vec<Arc<Operation>>> {
    let (method, template) = paths::operation(&schedules.r#match, reader)?;
    if method != Method::Post || template.segments.iter().any(|segment| segment.access().is_some()) {
        let help = "write `POST /api/v2/.../schedules`".to_owned();
        let message = "a schedule is set up by a `POST` without ids";
        reader.problem_with(schedules.r#match.span.clone(), message, Some(help));
        return None;
    }
    let asks = &run.asks;
    if !matches!(asks.answer.shape, Shape::Groups | Shape::Rows) || asks.split.is_some() {
        let help =
            "what is kept for later is judged again when it is read: only groups and rows, asked at once, can be";
        let message = "an answer of this shape is not kept";
        reader.problem_with(schedules.r#match.span.clone(), message, Some(help.to_owned()));
        return None;
    }
    let id: Box<str> = format!("{}.schedules.run", asks.id).into();
    let contract = Contract { operation: id.clone(), ..Contract::clone(&asks.contract) };
    // an answer that is kept for somebody is a file of it: outsourcers get none unless the rule says so
    let bpo = schedules.bpo.as_ref().map(|word| BpoExports::from(word.value)).unwrap_or_default();
    let runs = Operation { id, class: Class::Export, contract: Arc::new(contract), bpo, ..Operation::clone(asks) };
    let runs = Arc::new(runs);
    let of = |step: ScheduleStep| {
        let part = SchedulePart { step, of: run.clone(), runs: runs.clone(), recipient: None };
        Arc::new(operation(part, &template, schedules))
    };
    Some(ScheduleStep::ALL.map(of).into())
}

/// The run among the operations of what is kept.
pub(super) fn run_of(kept: &[Arc<Operation>]) -> Option<DefinitionPart> {
    let mut parts = kept.iter().filter_map(|operation| operation.definition.as_ref());
    parts.find(|part| part.step == DefinitionStep::Run).cloned()
}

/// Ties every schedule to the rule that reads one person.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>], problems: &mut Problems) {
    for Pending { first, recipient, source } in pending {
        let mut reader = Reader { source, problems };
        let Some(found) = find(&recipient, operations, &mut reader) else { continue };
        for operation in operations.iter_mut().skip(first).take(ScheduleStep::ALL.len()) {
            if let Some(part) = &mut Arc::make_mut(operation).schedule {
                part.recipient = Some(found.clone());
            }
        }
    }
}

fn find(recipient: &At<String>, operations: &[Arc<Operation>], reader: &mut Reader<'_>) -> Option<Arc<Operation>> {
    let found = operations.iter().filter(|one| reads_one_person(one)).find(|one| *one.id == **recipient);
    if found.is_none() {
        let known = operations.iter().filter(|one| reads_one_person(one)).map(|one| &one.id);
        models::unknown("rule that reads one person", recipient, known, recipient.span.clone(), reader);
    }
    found.cloned()
}

fn reads_one_person(operation: &Operation) -> bool {
    let ids: Vec<_> = operation.contract.template.segments.iter().filter_map(Segment::access).collect();
    operation.class == Class::Read
        && operation.contract.method == Method::Get
        && ids == [Access::User]
        && operation.part.is_none()
        && operation.definition.is_none()
}

fn operation(part: SchedulePart, template: &Template, schedules: &At<Schedules>) -> Operation {
    let step = part.step;
    let (method, class) = match step {
        ScheduleStep::List | ScheduleStep::Runs => (Method::Get, Class::List),
        ScheduleStep::Read | ScheduleStep::Answer => (Method::Get, Class::Read),
        ScheduleStep::Save => (Method::Post, Class::Write),
        ScheduleStep::Change => (Method::Put, Class::Write),
        ScheduleStep::Remove => (Method::Delete, Class::Write),
    };
    let like = Operation::clone(&part.of.view);
    let mut contract = Contract::clone(&like.contract);
    contract.operation = format!("{}.schedules.{}", part.of.asks.id, step.as_str()).into();
    contract.method = method;
    contract.template = template.clone();
    let segments = &mut contract.template.segments;
    let named = |name: &str| Segment::Param { name: name.into(), access: Access::Unowned };
    if step.names_one() {
        segments.push(named(&schedules.id));
    }
    match step {
        ScheduleStep::Runs => segments.push(Segment::Literal("runs".into())),
        ScheduleStep::Answer => segments.extend([Segment::Literal("runs".into()), named(RUN)]),
        _ => {}
    }
    match step {
        ScheduleStep::List | ScheduleStep::Runs => {
            let number = |name: &str, max: i64| Param { name: name.into(), kind: ParamKind::Int { min: 1, max } };
            contract.params = vec![number(NUMBER, 1_000_000), number(SIZE, 100)];
        }
        ScheduleStep::Save | ScheduleStep::Change => {
            contract.body = part.of.asks.body().map(|model| {
                Arc::new(BodyModel {
                    name: format!("schedule of {}", model.name).into(),
                    fields: schedule::fields(),
                    ..BodyModel::clone(model)
                })
            });
        }
        _ => {}
    }
    let id = contract.operation.clone();
    Operation { id, class, contract: Arc::new(contract), schedule: Some(part), ..like }
}

/// The name of a run's id in the path.
const RUN: &str = "runId";
