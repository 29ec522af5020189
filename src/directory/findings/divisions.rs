//! D01 placement in a parent, D02 assignment on a parent, D03 nesting, D04 a shared division that is worked in.

use super::{Few, Held, warning};
use crate::model::{
    finding::Finding,
    org::{DivisionIx, Org},
};
use std::collections::BTreeMap;

/// Deeper trees hide where data lives.
const DEEPEST: usize = 5;

pub(super) fn find(org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    placed(org, out);
    assigned(org, held, out);
    for ix in org.division_ixs() {
        nested(org, ix, out);
        shared(org, ix, out);
    }
}

fn placed(org: &Org, out: &mut Vec<Finding>) {
    // Grouped here, because a person of another region stands in no division's own list.
    let mut people: BTreeMap<DivisionIx, Few<'_>> = BTreeMap::new();
    for user in org.users.iter().filter(|user| !org.division(user.division).leaf) {
        people.entry(user.division).or_default().push(&user.id);
    }
    let mut owners: BTreeMap<DivisionIx, Few<'_>> = BTreeMap::new();
    for owner in org.queues.iter().flat_map(|queue| queue.owners.iter()).map(|owner| org.user(*owner)) {
        if !org.division(owner.division).leaf {
            owners.entry(owner.division).or_default().push(&owner.id);
        }
    }
    for (division, few) in people {
        let at = format!("division `{}`", org.division(division).id);
        let why = format!(
            "{few} placed in a parent division: their data is visible to nobody, and what they own spans its children"
        );
        out.push(warning("D01", at.clone(), why, "move them to a leaf division"));
        if let Some(few) = owners.get(&division) {
            out.push(warning(
                "D01",
                at,
                format!("{few} own queues and are placed in a parent division"),
                "move the owners to the leaf of their queues",
            ));
        }
    }
    for ix in org.division_ixs().filter(|ix| !org.division(*ix).leaf) {
        let division = org.division(ix);
        if !division.queues.is_empty() {
            let few = Few::of(division.queues.iter().map(|queue| &*org.queue(*queue).id));
            out.push(warning(
                "D01",
                format!("division `{}`", division.id),
                format!("queues in a parent division are visible to nobody: {few}"),
                "move them to a leaf division",
            ));
        }
    }
}

fn assigned(org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    for ((role, division), holders) in &held.pairs {
        let (role, division) = (org.role(*role), org.division(*division));
        if !division.leaf {
            let at = format!("role `{}` in division `{}`", role.id, division.id);
            let why = format!("an assignment on a parent division opens nothing: {}", holders.names);
            out.push(warning("D02", at, why, "assign the role in each leaf division that is meant"));
        }
    }
}

fn nested(org: &Org, ix: DivisionIx, out: &mut Vec<Finding>) {
    let division = org.division(ix);
    let at = || format!("division `{}`", division.id);
    let mut depth = 1;
    let mut above = division.parent;
    let mut over = None;
    while let Some(parent) = above {
        depth += 1;
        let parent = org.division(parent);
        if over.is_none() && !parent.queues.is_empty() {
            over = Some(&parent.id);
        }
        above = parent.parent;
    }
    if depth > DEEPEST {
        out.push(warning(
            "D03",
            at(),
            format!("it lies {depth} levels deep; at most {DEEPEST} stay clear"),
            "flatten the tree: siblings isolate, depth does not",
        ));
    }
    if let Some(over) = over.filter(|_| !division.queues.is_empty()) {
        let why = format!("its queues lie below `{over}`, which has queues of its own: the two are no siblings");
        out.push(warning("D03", at(), why, "make both leaves of one parent"));
    }
}

fn shared(org: &Org, ix: DivisionIx, out: &mut Vec<Finding>) {
    let division = org.division(ix);
    let worked = Few::of(
        division
            .queues
            .iter()
            .map(|queue| org.queue(*queue))
            .filter(|queue| !queue.members.is_empty())
            .map(|queue| &*queue.id),
    );
    if division.shared && !worked.is_empty() {
        let why = format!("a shared reporting division holds queues with members: {worked}");
        out.push(warning(
            "D04",
            format!("division `{}`", division.id),
            why,
            "keep only copies that the upstream fills there",
        ));
    }
}
