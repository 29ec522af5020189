//! Exports: which lists of ids narrow a body, and `[rule.own]`, which ties the list of one's own to the rule that asks.

use super::{
    format, model_format, models, paths,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    body::{Access, BodyModel, FieldKind, Path, Proof},
    contract::{Contract, ParamKind},
    export::{IdLists, OwnExports},
    operation::{Class, Operation},
};
use std::sync::Arc;

/// The lists that a proof names.
pub(super) fn lists(spec: &At<model_format::Proof>, reader: &mut Reader<'_>) -> Option<IdLists> {
    let (Some(queues), Some(users), Some(view), Some(no_empty)) =
        (&spec.queues, &spec.users, &spec.view, &spec.no_empty)
    else {
        let help = "add `users`, `view` and `no-empty` beside `queues`".to_owned();
        reader.problem_with(spec.span.clone(), "this is no proof by lists of ids", Some(help));
        return None;
    };
    let divisions = spec.divisions.as_ref().map(|at| paths::definite(at, reader).ok_or(())).transpose();
    Some(IdLists {
        queues: paths::definite(queues, reader)?,
        users: paths::definite(users, reader)?,
        divisions: divisions.ok()?,
        view: paths::definite(view, reader)?,
        no_empty: paths::definite(no_empty, reader)?,
        by_agent: spec.by_agent.iter().map(|word| word.as_str().into()).collect(),
    })
}

/// Whether the body has these lists and this field, and nothing else that would have to be narrowed.
pub(super) fn fits(lists: &IdLists, body: &BodyModel) -> bool {
    let of = |at: &Path, wanted: Access| match body.field(at) {
        Some(FieldKind::List { of, min, .. }) => *min > 0 && matches!(**of, FieldKind::Id(access) if access == wanted),
        _ => false,
    };
    let view = match body.field(&lists.view) {
        Some(FieldKind::Enum { words, .. }) => lists.by_agent.iter().all(|word| words.contains(word)),
        _ => false,
    };
    let divisions = lists.divisions.as_ref().is_none_or(|at| of(at, Access::Division));
    let no_empty = matches!(body.field(&lists.no_empty), Some(FieldKind::Bool));
    view && no_empty
        && divisions
        && of(&lists.queues, Access::Queue)
        && of(&lists.users, Access::User)
        && body.filters().is_empty()
}

/// A rule whose `of` may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// Among all operations.
    pub(super) slot: usize,
    pub(super) own: At<format::Own>,
    pub(super) source: Arc<Source>,
}

/// Ties every list of one's own to the rule that it names.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>], problems: &mut Problems) {
    for Pending { slot, own, source } in pending {
        let mut reader = Reader { source, problems };
        let Some(tied) = operations.get(slot).and_then(|list| compile(list, &own, operations, &mut reader)) else {
            continue;
        };
        if let Some(list) = operations.get_mut(slot) {
            let list = Arc::make_mut(list);
            let contract = Contract { own: Some(tied.submit.contract.clone()), ..Contract::clone(&list.contract) };
            list.contract = Arc::new(contract);
            list.own = Some(tied);
        }
    }
}

fn compile(
    list: &Operation,
    own: &At<format::Own>,
    operations: &[Arc<Operation>],
    reader: &mut Reader<'_>,
) -> Option<OwnExports> {
    let asks = |one: &&Arc<Operation>| {
        let by_lists = one.body().is_some_and(|body| matches!(body.proof, Proof::Lists(_)));
        one.class == Class::Export && by_lists
    };
    let Some(submit) = operations.iter().filter(asks).find(|one| *one.id == **own.of) else {
        let known = operations.iter().filter(asks).map(|one| &one.id);
        models::unknown("rule that asks for an export", &own.of, known, own.of.span.clone(), reader);
        return None;
    };
    let mut range = |name: &At<String>| {
        let found = list.contract.params.iter().find(|param| *param.name == **name).map(|param| &param.kind);
        let Some(ParamKind::Int { min, max }) = found else {
            let help = "describe it in `[rule.params]`, with `kind = \"int\"`".to_owned();
            reader.problem_with(name.span.clone(), format!("`{}` is no parameter with a number", **name), Some(help));
            return None;
        };
        Some((*min, *max))
    };
    let (number, size) = (range(&own.number)?, range(&own.size)?);
    if !(number.0..=number.1).contains(&1) || !(size.0.max(1)..=size.1).contains(&own.at_once.value) {
        let message = "the first page of this size is no page that the parameters allow";
        reader.problem(own.at_once.span.clone(), message);
        return None;
    }
    if !(1..=size.1).contains(&own.default_size) {
        reader.problem(own.span.clone(), "`default-size` is a size that the parameter allows, and at least 1");
        return None;
    }
    let passes = |field: &At<String>| {
        let rows = list.answer.rows.join(".");
        list.answer.keep.levels.get(rows.as_str()).is_some_and(|fields| fields.iter().any(|one| **one == ***field))
    };
    if let Some(field) = [&own.id, &own.link].into_iter().find(|field| !passes(field)) {
        let message = format!("`{}` is no field of a row that passes", **field);
        reader.problem(field.span.clone(), message);
        return None;
    }
    Some(OwnExports {
        submit: submit.clone(),
        id: own.id.as_str().into(),
        link: own.link.as_str().into(),
        number: own.number.as_str().into(),
        size: own.size.as_str().into(),
        default_size: own.default_size,
        at_once: own.at_once.value,
    })
}
