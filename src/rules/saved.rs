//! The operations of `[rule.saved]`: the rule's question, kept here and run by whoever may see it.

use super::{
    format::{ParentWord, Saved},
    operation::Surroundings,
    paths, permissions,
    reading::{At, Reader},
};
use crate::model::{
    answer::Shape,
    body::{Access, BodyModel},
    contract::{Contract, Data, Effect, Method, Param, ParamKind, Segment, Template},
    definition::{self, DefinitionPart, DefinitionStep, NUMBER, SIZE},
    entitlement::Action,
    operation::{Class, Operation, Outside, Outsourcers},
};
use std::sync::Arc;

/// Everything that is done with kept questions of `asked`.
pub(super) fn operations(
    saved: &At<Saved>,
    asked: &Arc<Operation>,
    surroundings: &Surroundings<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<Arc<Operation>>> {
    let (method, template) = paths::operation(&saved.r#match, reader)?;
    let by_id = template.segments.iter().any(|segment| segment.access().is_some());
    let plain = asked.class == Class::Query && asked.contract.params.is_empty() && asked.body().is_some();
    if method != Method::Post || by_id || !plain {
        let help =
            "only a rule of class `query` without query parameters is kept: `POST /api/v2/.../queries`".to_owned();
        reader.problem_with(saved.r#match.span.clone(), "a question is not kept so", Some(help));
        return None;
    }
    if asked.outside == Outside::Narrow {
        let help = "with `outside = \"narrow\"` a kept question could name ids that its reader may not see".to_owned();
        reader.problem_with(
            saved.r#match.span.clone(),
            "a question is kept only where ids outside are refused",
            Some(help),
        );
        return None;
    }
    permissions::check(&saved.edit, saved.edit.span.clone(), reader);
    if surroundings.permissions.harmless.contains(saved.edit.as_str()) {
        let message = format!("`{}` stands in `harmless`: an outsourcer keeps `all` on it", *saved.edit);
        reader.problem(saved.edit.span.clone(), message);
    }
    let view = bare(asked, "view", Class::Read, Action::View);
    let edit = Operation {
        opened_by: surroundings.permissions.opening(&saved.edit).into_iter().collect(),
        also: Vec::new(),
        permission: saved.edit.as_str().into(),
        demanded: vec![saved.edit.as_str().into()],
        ..bare(asked, "edit", Class::Write, Action::Edit)
    };
    let (view, edit) = (Arc::new(view), Arc::new(edit));
    let parents = matches!(saved.parent, Some(ParentWord::ReadShared));
    let of = |step: DefinitionStep| {
        let part = DefinitionPart { step, asks: asked.clone(), view: view.clone(), edit: edit.clone(), parents };
        Arc::new(operation(part, &template, &saved.id))
    };
    let mut all: Vec<_> = DefinitionStep::ALL.map(of).into();
    if let Some(executions) = &saved.executions {
        let (method, place) = paths::operation(executions, reader)?;
        if method != Method::Get || place.segments.iter().any(|segment| segment.access().is_some()) {
            reader.problem(executions.span.clone(), "what somebody asked is listed by a `GET` without ids");
            return None;
        }
        let step = DefinitionStep::Executions;
        let part = DefinitionPart { step, asks: asked.clone(), view, edit, parents };
        all.push(Arc::new(operation(part, &place, &saved.id)));
    }
    Some(all)
}

/// An operation about what is kept and no data: it rests on nothing, and sends nothing.
fn bare(asked: &Operation, name: &str, class: Class, action: Action) -> Operation {
    let id: Box<str> = format!("{}.saved.{name}", asked.id).into();
    let mut contract = Contract::clone(&asked.contract);
    contract.operation = id.clone();
    contract.method = Method::Get;
    contract.action = action;
    contract.data = Data::Metadata;
    contract.body = None;
    contract.words = Vec::new();
    contract.masks.clear();
    contract.shape = Shape::Plain;
    contract.time = None;
    contract.effect = Effect::Reads;
    contract.links = Vec::new();
    let mut answer = asked.answer.clone();
    answer.shape = Shape::Plain;
    answer.mask.clear();
    Operation {
        id,
        class,
        contract: Arc::new(contract),
        outsourcers: Outsourcers::Count,
        needs: Vec::new(),
        rests: Vec::new(),
        unproved: Vec::new(),
        answer,
        ..within(asked)
    }
}

/// Without what speaks of a body.
fn within(asked: &Operation) -> Operation {
    Operation {
        sites: Vec::new(),
        group_by: None,
        sort: None,
        metrics: None,
        split: None,
        division_slot: None,
        refuse: Vec::new(),
        ..asked.clone()
    }
}

fn operation(part: DefinitionPart, template: &Template, id: &At<String>) -> Operation {
    let step = part.step;
    let (method, class) = match step {
        DefinitionStep::List | DefinitionStep::Executions => (Method::Get, Class::List),
        DefinitionStep::Read => (Method::Get, Class::Read),
        DefinitionStep::Save => (Method::Post, Class::Write),
        DefinitionStep::Change => (Method::Put, Class::Write),
        DefinitionStep::Remove => (Method::Delete, Class::Write),
        DefinitionStep::Run => (Method::Post, Class::Query),
    };
    // a run is narrowed by the rights to the question itself
    let like = match class {
        Class::Write => Operation::clone(&part.edit),
        Class::Query => within(&part.asks),
        _ => Operation::clone(&part.view),
    };
    let mut contract = Contract::clone(&like.contract);
    contract.operation = format!("{}.saved.{}", part.asks.id, step.as_str()).into();
    contract.method = method;
    contract.template = template.clone();
    contract.body = None;
    if step.names_one() {
        contract.template.segments.push(Segment::Param { name: id.as_str().into(), access: Access::Unowned });
    }
    match step {
        DefinitionStep::Run => contract.template.segments.push(Segment::Literal("run".into())),
        DefinitionStep::List | DefinitionStep::Executions => {
            let number = |name: &str, max: i64| Param { name: name.into(), kind: ParamKind::Int { min: 1, max } };
            contract.params = vec![number(NUMBER, 1_000_000), number(SIZE, 100)];
        }
        DefinitionStep::Save | DefinitionStep::Change => {
            // the record hides in it what it hides in the question
            contract.masks = part.asks.contract.masks.clone();
            contract.body = part.asks.body().map(|model| {
                Arc::new(BodyModel {
                    name: format!("{} to keep", model.name).into(),
                    fields: definition::fields(&model.fields),
                    ..BodyModel::clone(model)
                })
            });
        }
        DefinitionStep::Read | DefinitionStep::Remove => {}
    }
    Operation { id: contract.operation.clone(), class, contract: Arc::new(contract), definition: Some(part), ..like }
}
