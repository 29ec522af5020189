//! `below`: ties a list to the rule that reads what stands above it in the path.

use super::{
    models,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    contract::{Method, Segment},
    operation::{Class, Operation},
};
use std::sync::Arc;

/// A list whose `below` may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// Among all operations.
    pub(super) slot: usize,
    pub(super) of: At<String>,
    pub(super) source: Arc<Source>,
}

/// Ties every list to the rule that it names.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>], problems: &mut Problems) {
    for Pending { slot, of, source } in pending {
        let mut reader = Reader { source, problems };
        let Some(above) = operations.get(slot).and_then(|own| find(own, &of, operations, &mut reader)) else {
            continue;
        };
        if let Some(own) = operations.get_mut(slot) {
            let own = Arc::make_mut(own);
            // what reading it rests on, the list rests on
            let more: Vec<_> = above.unproved.iter().copied().filter(|needed| !own.unproved.contains(needed)).collect();
            own.unproved.extend(more);
            if let Some(scan) = &mut Arc::make_mut(&mut own.contract).scan {
                scan.below = Some(above.contract.clone());
            }
            own.below = Some(above);
        }
    }
}

fn find(
    own: &Operation,
    of: &At<String>,
    operations: &[Arc<Operation>],
    reader: &mut Reader<'_>,
) -> Option<Arc<Operation>> {
    let Some(above) = operations.iter().find(|one| *one.id == **of) else {
        let known = operations.iter().filter(|one| is_read(one)).map(|one| &one.id);
        models::unknown("rule", of, known, of.span.clone(), reader);
        return None;
    };
    let (here, there) = (ids(own), ids(above));
    let same = here.len() == there.len() && here.iter().all(|id| there.contains(id));
    if !is_read(above) || !same {
        let help = "name a `read`, or a `no-data`, whose path has the same ids by the same names and no other";
        reader.problem_with(
            of.span.clone(),
            "this rule does not read what the list stands below",
            Some(help.to_owned()),
        );
        return None;
    }
    if own.scan.is_none() {
        let help = "page it by `scan`: only then its rows are judged one by one";
        reader.problem_with(of.span.clone(), "nothing but a scan stands below something", Some(help.to_owned()));
        return None;
    }
    Some(above.clone())
}

fn is_read(operation: &Operation) -> bool {
    matches!(operation.class, Class::Read | Class::NoData)
        && operation.contract.method == Method::Get
        && operation.part.is_none()
        && !operation.contract.part
        // whose an interaction is, only its answer says, and nobody reads that
        && !operation.contract.rows_decide
}

/// The ids of a path, by name and kind.
fn ids(operation: &Operation) -> Vec<&Segment> {
    operation.contract.template.segments.iter().filter(|segment| segment.access().is_some()).collect()
}
