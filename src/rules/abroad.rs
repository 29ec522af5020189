//! `[rule.cross-region]`: what of a part of an interaction an auditor of metadata may ask of another region.

use super::{
    format,
    models::Models,
    permissions,
    permissions::Permissions,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    answer::{Answer, Keep},
    contract::Contract,
    operation::{Audience, Operation},
    part::Part,
};
use std::{collections::BTreeMap, sync::Arc};

/// A rule whose part may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// Among all operations.
    pub(super) slot: usize,
    pub(super) cross: At<format::CrossRegion>,
    pub(super) source: Arc<Source>,
}

/// Makes of every such rule a second operation, which no path leads to but by the name of a region. Parts and previews are tied before.
pub(super) fn tie(
    pending: Vec<Pending>,
    operations: &mut [Arc<Operation>],
    (models, opening): (&Models, &Permissions),
    problems: &mut Problems,
) {
    for Pending { slot, cross, source } in pending {
        let mut reader = Reader { source, problems };
        let tied = operations.get(slot).and_then(|own| compile(own, &cross, (models, opening), &mut reader));
        if let (Some(tied), Some(own)) = (tied, operations.get_mut(slot)) {
            Arc::make_mut(own).abroad = Some(Arc::new(tied));
        }
    }
}

fn compile(
    own: &Operation,
    cross: &At<format::CrossRegion>,
    (models, opening): (&Models, &Permissions),
    reader: &mut Reader<'_>,
) -> Option<Operation> {
    let keep = models.keep(&cross.keep, reader)?.clone();
    permissions::check(&cross.permission, cross.permission.span.clone(), reader);
    if own.preview.is_some() {
        let help = "a preview lets somebody hear a recording, and of another region metadata alone is shown: leave one of them out";
        reader.problem_with(cross.span.clone(), "a rule with `preview` has no `cross-region`", Some(help.to_owned()));
        return None;
    }
    let Some(part) = &own.part else {
        let help = "only a part of an interaction is asked of another region: leave `cross-region` out, or add `part`";
        reader.problem_with(cross.span.clone(), "nobody could say whose this is", Some(help.to_owned()));
        return None;
    };
    if !no_more(&keep, own) {
        let message = format!("`{}` passes more than the rule itself, or a link", *cross.keep);
        reader.problem(cross.keep.span.clone(), message);
        return None;
    }
    let contract = |of: &Contract| Arc::new(Contract { abroad: true, links: Vec::new(), ..Contract::clone(of) });
    let look = Operation { contract: contract(&part.look.contract), ..Operation::clone(&part.look) };
    let answer = Answer { keep, links: BTreeMap::new(), ..own.answer.clone() };
    Some(Operation {
        contract: contract(&own.contract),
        opened_by: opening.opening(&cross.permission).into_iter().collect(),
        also: Vec::new(),
        permission: cross.permission.as_str().into(),
        demanded: vec![cross.permission.as_str().into()],
        audience: Audience::Internal,
        answer,
        part: Some(Part { look: Arc::new(look), named: part.named.clone() }),
        ..own.clone()
    })
}

/// Whether each level lists fields alone that the rule lists there, and none that holds a link.
fn no_more(keep: &Keep, own: &Operation) -> bool {
    let at = |level: &str, field: &str| if level.is_empty() { field.to_owned() } else { format!("{level}.{field}") };
    keep.levels.iter().all(|(level, fields)| {
        let listed = own.answer.keep.levels.get(level);
        let known = |field: &str| listed.is_some_and(|listed| listed.iter().any(|one| **one == *field));
        fields.iter().all(|field| {
            let at = at(level, field);
            let deeper = own.answer.keep.levels.contains_key(at.as_str());
            let closed = keep.levels.contains_key(at.as_str());
            known(field) && !own.answer.links.contains_key(at.as_str()) && (closed || !deeper)
        })
    })
}
