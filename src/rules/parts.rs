//! `[rule.part]`: ties what is read of an interaction without its legs to the rule that shows them.

use super::{
    format, models, paths,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    answer::Shape,
    body::Access,
    contract::{Contract, Segment, Template},
    operation::{Class, Operation},
    part::{Element, Part},
};
use std::sync::Arc;

/// A rule whose `of` may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// Among all operations.
    pub(super) slot: usize,
    pub(super) part: At<format::Part>,
    pub(super) source: Arc<Source>,
}

/// Ties every part to the rule that it names.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>], problems: &mut Problems) {
    for Pending { slot, part, source } in pending {
        let mut reader = Reader { source, problems };
        let Some(tied) = operations.get(slot).and_then(|own| compile(own, &part, operations, &mut reader)) else {
            continue;
        };
        if let Some(own) = operations.get_mut(slot) {
            let own = Arc::make_mut(own);
            // what the look rests on, the part rests on
            for (all, of_look) in [(&mut own.unproved, &tied.look.unproved), (&mut own.needs, &tied.look.needs)] {
                let more: Vec<_> = of_look.iter().copied().filter(|needed| !all.contains(needed)).collect();
                all.extend(more);
            }
            own.part = Some(tied);
        }
    }
}

fn compile(
    own: &Operation,
    part: &At<format::Part>,
    operations: &[Arc<Operation>],
    reader: &mut Reader<'_>,
) -> Option<Part> {
    let Some(look) = operations.iter().find(|one| *one.id == **part.of) else {
        let known = operations.iter().filter(|one| shows_one(one)).map(|one| &one.id);
        models::unknown("rule", &part.of, known, part.of.span.clone(), reader);
        return None;
    };
    if !shows_one(look) {
        let help = "name a `read` of shape `conversation` whose path has the interaction's id and no other";
        reader.problem_with(part.of.span.clone(), "this rule shows no interaction by its id", Some(help.to_owned()));
        return None;
    }
    let mut named = Vec::new();
    for (param, at) in &part.named {
        let stands =
            own.contract.template.segments.iter().any(
                |segment| matches!(segment, Segment::Param { name, access: Access::Unowned } if *name == param.text),
            );
        if !stands {
            let message = format!("the path has no id `{{{}}}` of its own", param.text);
            reader.problem(param.span(), message);
            return None;
        }
        named.push(element(&param.text, at, look, reader)?);
    }
    named.sort_by_key(|element: &Element| element.array);
    if let Some([one, _]) = named.array_windows::<2>().find(|[one, other]| one.array == other.array) {
        let message = format!("two ids name an element of the same list as `{}`", one.param);
        reader.problem(part.span.clone(), message);
        return None;
    }
    let contract =
        Contract { action: own.contract.action, archived: own.contract.archived, ..Contract::clone(&look.contract) };
    // judged in the scope of the part: for its action, with its view of dead queues
    let look = Operation { contract: Arc::new(contract), archived: own.archived, ..Operation::clone(look) };
    Some(Part { look: Arc::new(look), named })
}

fn shows_one(operation: &Operation) -> bool {
    let ids: Vec<Access> = operation.contract.template.segments.iter().filter_map(Segment::access).collect();
    (operation.class, operation.answer.shape) == (Class::Read, Shape::Conversation) && ids == [Access::Conversation]
}

/// Whether an id of the path is neither the interaction's nor one that the look shows: that it is one of this interaction is
/// the upstream's to say.
pub(super) fn leaves_open(part: &format::Part, template: &Template) -> bool {
    template.segments.iter().any(|segment| match segment {
        Segment::Param { name, access: Access::Unowned } => !part.named.keys().any(|known| known.text == *name),
        _ => false,
    })
}

/// `$.participants[*].sessions[*].sessionId`: the lists on the way to the legs, and the element's own field.
pub(super) fn element(param: &str, at: &At<String>, look: &Operation, reader: &mut Reader<'_>) -> Option<Element> {
    let arrays = look.answer.leg.as_ref().map(|leg| leg.arrays.as_slice()).unwrap_or_default();
    let found = at.strip_prefix("$.").and_then(|rest| {
        let (lists, field) = rest.rsplit_once('.')?;
        let lists: Option<Vec<&str>> = lists.split('.').map(|list| list.strip_suffix("[*]")).collect();
        let lists = lists?;
        let on_the_way = lists.len() <= arrays.len() && lists.iter().zip(arrays).all(|(list, array)| *list == &**array);
        let field = paths::parse(&format!("$.{field}")).filter(|path| path.len() == 1)?.pop()?;
        on_the_way.then(|| Element { param: param.into(), array: lists.len() - 1, field })
    });
    if found.is_none() {
        let lists: Vec<String> = arrays.iter().map(|array| format!("{array}[*]")).collect();
        let help =
            format!("the legs stand at `$.{}`: name a list on the way, and the field with the id", lists.join("."));
        reader.problem_with(at.span.clone(), format!("`{}` is no element of the interaction", **at), Some(help));
    }
    found
}
