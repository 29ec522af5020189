//! `[rule.look]`: ties a change that names interactions to the rule that shows their legs, and says whether a rule of class
//! `write` can be proved at all.

use super::{
    format, models, parts,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    answer::Shape,
    body::{Access, BodyModel, Field, FieldKind, ObjectOrd, Proof},
    change::{Look, PartId},
    contract::{Contract, Data, Method, Param, ParamKind},
    operation::{Class, Operation},
};
use std::{ops::Range, sync::Arc};

/// A rule whose `of` may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// Among all operations.
    pub(super) slot: usize,
    pub(super) look: At<format::Look>,
    pub(super) source: Arc<Source>,
}

/// Ties every change to the rule that it names.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>], problems: &mut Problems) {
    for Pending { slot, look, source } in pending {
        let mut reader = Reader { source, problems };
        let Some(tied) = operations.get(slot).and_then(|own| compile(own, &look, operations, &mut reader)) else {
            continue;
        };
        if let Some(own) = operations.get_mut(slot) {
            let own = Arc::make_mut(own);
            // what the look rests on, the change rests on
            let unproved = tied.operation.unproved.iter().copied();
            let more: Vec<_> = unproved.filter(|needed| !own.unproved.contains(needed)).collect();
            own.unproved.extend(more);
            own.look = Some(tied);
        }
    }
}

fn compile(
    own: &Operation,
    look: &At<format::Look>,
    operations: &[Arc<Operation>],
    reader: &mut Reader<'_>,
) -> Option<Look> {
    let Some(shown) = operations.iter().find(|one| *one.id == **look.of) else {
        let known = operations.iter().filter(|one| lists(one).is_some()).map(|one| &one.id);
        models::unknown("rule", &look.of, known, look.of.span.clone(), reader);
        return None;
    };
    let Some(param) = lists(shown) else {
        let help = "name a `read` of shape `conversations` with a parameter that lists interactions";
        let message = "this rule shows no interactions by their ids";
        reader.problem_with(look.of.span.clone(), message, Some(help.to_owned()));
        return None;
    };
    let part = match &look.part {
        Some(at) => Some(parts::element("", at, shown, reader)?),
        None => None,
    };
    let names_parts = own.body().is_some_and(|model| any(&model.fields, &|kind| matches!(kind, FieldKind::Part)));
    if names_parts != part.is_some() {
        let message = if names_parts {
            "the body names parts of interactions: say in `part` where their ids stand"
        } else {
            "the body names no part of an interaction: leave `part` out"
        };
        reader.problem(look.span.clone(), message);
        return None;
    }
    let contract =
        Contract { action: own.contract.action, archived: own.contract.archived, ..Contract::clone(&shown.contract) };
    // judged in the scope of the change: for its action, with its view of dead queues
    let operation = Operation { contract: Arc::new(contract), archived: own.archived, ..Operation::clone(shown) };
    let part = part.map(|element| PartId { array: element.array, field: element.field });
    Some(Look { operation: Arc::new(operation), param, part })
}

/// The parameter of a read that lists interactions.
fn lists(operation: &Operation) -> Option<Box<str>> {
    let of = |param: &&Param| matches!(param.kind, ParamKind::Ids { access: Access::Conversation, .. });
    let reads = (operation.class, operation.answer.shape) == (Class::Read, Shape::Conversations);
    operation.contract.params.iter().find(of).filter(|_| reads).map(|param| param.name.clone())
}

/// Whether some field, at any depth, is of a kind.
pub(super) fn any(fields: &[Field], is: &dyn Fn(&FieldKind) -> bool) -> bool {
    fn inside(kind: &FieldKind, is: &dyn Fn(&FieldKind) -> bool) -> bool {
        is(kind)
            || match kind {
                FieldKind::List { of, .. } => inside(of, is),
                FieldKind::Object(fields) => any(fields, is),
                _ => false,
            }
    }
    fields.iter().any(|field| inside(&field.kind, is))
}

/// What a rule of class `write` has to be like.
#[derive(Debug)]
pub(super) struct Change<'r> {
    pub(super) method: Method,
    pub(super) data: Data,
    /// Of the ids of the path.
    pub(super) path: &'r [Access],
    pub(super) params: &'r [Param],
    pub(super) shape: Shape,
    pub(super) model: Option<&'r BodyModel>,
    /// It has a `[rule.look]`.
    pub(super) looks: bool,
}

/// Keys that say how a question is narrowed, or what of it is left out: a change goes whole or not at all.
pub(super) fn check_keys(shared: &format::Shared, class: Class, at: Range<usize>, reader: &mut Reader<'_>) {
    let said = [
        ("action", class == Class::Write && shared.action.is_some()),
        ("narrow", shared.narrow.is_some()),
        ("time", shared.time.is_some()),
        ("sort", shared.sort.is_some()),
        ("group-by", shared.group_by.is_some()),
        ("metrics", shared.metrics.is_some()),
        ("division-slot", shared.division_slot.is_some()),
        ("page", shared.page.is_some()),
        ("split", shared.split.is_some()),
        ("below", shared.below.is_some()),
        ("caller", shared.caller.is_some()),
        ("outside", shared.outside.is_some()),
        ("static", shared.r#static.is_some()),
        ("empty-scope", shared.empty_scope.is_some()),
        ("outsourcers", shared.outsourcers.is_some()),
        ("max-clauses", shared.max_clauses.is_some()),
        ("max-predicates", shared.max_predicates.is_some()),
        ("max-values", shared.max_values.is_some()),
    ];
    for (key, _) in said.into_iter().filter(|(_, said)| *said) {
        let what = if class == Class::Write { "a `write`" } else { "what names interactions" };
        reader.problem(at.clone(), format!("{what} goes whole or not at all: leave `{key}` out"));
    }
}

impl Change<'_> {
    pub(super) fn check(&self, at: Range<usize>, reader: &mut Reader<'_>) {
        let owns = |access: &Access| matches!(access, Access::Queue | Access::Conversation);
        let by_body = match self.model.map(|model| &model.proof) {
            Some(Proof::Owners { at }) => !at.is_empty(),
            Some(_) => return reader.problem(at, "the body model is none of a change: its proof names no `owners`"),
            None => false,
        };
        let names = |access: Access| {
            let in_body = |kind: &FieldKind| matches!(kind, FieldKind::Id(found) if *found == access);
            self.path.contains(&access) || self.model.is_some_and(|model| any(&model.fields, &in_body))
        };
        let judged =
            |access: &Access| owns(access) || matches!(access, Access::User | Access::Object(ObjectOrd::Label));
        let odd = |kind: &FieldKind| matches!(kind, FieldKind::Id(access) if !judged(access));
        let lists_ids = self.params.iter().any(|param| matches!(param.kind, ParamKind::Ids { .. }));
        let says = if matches!(self.method, Method::Get | Method::Head) {
            "a `write` is a `POST`, `PUT`, `PATCH` or `DELETE`"
        } else if self.data != Data::Interaction {
            "a `write` changes what belongs to queues: set `data = \"interaction\"`"
        } else if self.shape != Shape::Plain {
            "the answer to a `write` has the shape `plain`"
        } else if lists_ids {
            "a `write` is asked for without parameters that list ids"
        } else if !self.path.iter().all(judged) || self.model.is_some_and(|model| any(&model.fields, &odd)) {
            "a `write` names queues, people, interactions and labels only: whose anything else is, nobody could say"
        } else if !by_body && !self.path.iter().any(owns) {
            "a `write` names what owns the changed thing: a queue or an interaction, in the path or by `owners` of its body"
        } else if names(Access::Conversation) != self.looks {
            "a `write` has a `[rule.look]` when it names interactions, and only then"
        } else {
            return;
        };
        reader.problem(at, says);
    }
}
