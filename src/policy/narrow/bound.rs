//! What an upstream that knows no queue can say of a scope: the queues that a value of an attribute names.

use crate::{
    model::{
        org::{Org, QueueIx},
        refusal::{Code, Notice, Refusal},
        set::Set,
    },
    policy::extent::Extent,
};

/// The part of the extent that values of this attribute can say. What they cannot is left out, with a notice.
pub(super) fn part(
    org: &Org,
    mut extent: Extent,
    attribute: &str,
    notices: &mut Vec<Notice>,
) -> Result<Extent, Refusal> {
    if extent.is_empty() {
        return Ok(extent);
    }
    let before = extent.queues();
    let bound = |queue: &QueueIx| org.bound_value(*queue, attribute).is_some();
    extent.all = extent.all.filter(bound);
    for (queues, _) in &mut extent.boxes {
        *queues = queues.filter(bound);
    }
    extent.boxes.retain(|(queues, _)| !queues.is_empty());
    if !extent.lone.is_empty() {
        extent.lone = Set::new();
        notices.push(Notice::new(
            "scope.no-queue",
            format!("legs without a queue have no `{attribute}` and are left out"),
        ));
    }
    let lost = before.len() - extent.queues().len();
    if lost > 0 {
        notices.push(Notice::new(
            "scope.unbound",
            format!("{lost} queues of yours are left out: the directory gives them no `{attribute}` of their own"),
        ));
    }
    if extent.is_empty() {
        return Err(Refusal::new(
            Code::OperationUnscopable,
            format!(
                "this operation is narrowed by `{attribute}`, and no queue of yours has a value of its own; ask the \
                 administrator to give them one"
            ),
        ));
    }
    Ok(extent)
}
