//! Flows, teams, cases and labels with their owning divisions; separation-of-duties sets.

use super::{At, Draft, index, refer, refer_all};
use crate::model::{
    org::{ConflictSet, ObjectKind},
    set::{Ix, Set},
};
use std::collections::HashMap;

pub(super) fn fill(draft: &mut Draft<'_>) {
    let file = draft.file;
    owned(draft, "flows", ObjectKind::Flow, file.flows.iter().map(|one| (one.id.as_str(), one.division.as_str())));
    owned(draft, "teams", ObjectKind::Team, file.teams.iter().map(|one| (one.id.as_str(), one.division.as_str())));
    owned(draft, "labels", ObjectKind::Label, file.labels.iter().map(|one| (one.id.as_str(), one.division.as_str())));
    owned(draft, "cases", ObjectKind::Case, file.cases.iter().map(|one| (one.id.as_str(), one.division.as_str())));
    for (nth, team) in file.teams.iter().enumerate() {
        refer_all(
            &mut draft.problems,
            &draft.org.index.users,
            "user",
            &team.members,
            At::item("teams", nth).key("members"),
        );
    }
    let labels: HashMap<Box<str>, Ix<()>> =
        file.labels.iter().enumerate().map(|(nth, label)| (label.id.as_str().into(), super::ix(nth))).collect();
    for (nth, case) in file.cases.iter().enumerate() {
        refer_all(&mut draft.problems, &labels, "label", &case.labels, At::item("cases", nth).key("labels"));
    }
    marks(draft);
    conflicts(draft);
}

/// Which label a property is the mark of: one, or nobody could say whose it is.
fn marks(draft: &mut Draft<'_>) {
    for (nth, label) in draft.file.labels.iter().enumerate() {
        let division = draft.org.objects.get(&(ObjectKind::Label, label.id.as_str().into())).copied();
        for mark in &label.marks {
            let at = At::item("labels", nth).key("marks");
            if let Some(fault) = index::fault(mark) {
                draft.problem(at, format!("the mark {fault}"), "write the name of the property as the upstream has it");
            }
            let Some(division) = division else { continue };
            if draft.org.index.marks.insert(mark.as_str().into(), division).is_some() {
                draft.problem(
                    at,
                    format!("the property `{mark}` marks two labels"),
                    "leave it with one of them, so that it is clear whose a mark is",
                );
            }
        }
    }
}

fn owned<'f>(
    draft: &mut Draft<'_>,
    list: &'static str,
    kind: ObjectKind,
    all: impl Iterator<Item = (&'f str, &'f str)> + Clone,
) {
    let singular = list.trim_end_matches('s');
    let _seen: HashMap<Box<str>, Ix<()>> =
        index::ids(&mut draft.problems, list, singular, all.clone().map(|(id, _)| id));
    for (nth, (id, division)) in all.enumerate() {
        let at = At::item(list, nth).key("division");
        if let Some(division) = refer(&mut draft.problems, &draft.org.index.divisions, "division", division, at) {
            draft.org.objects.insert((kind, id.into()), division);
            draft.org.index.objects.entry((kind, division)).or_default().push(id.into());
        }
    }
}

fn conflicts(draft: &mut Draft<'_>) {
    for (nth, set) in draft.file.conflicts.iter().enumerate() {
        let at = At::item("conflicts", nth).key("roles");
        let roles: Set<_> =
            refer_all(&mut draft.problems, &draft.org.index.roles, "role", &set.roles, at).into_iter().collect();
        if set.roles.len() < 2 {
            draft.problem(
                at,
                format!("the conflict set `{}` names fewer than two roles", set.id),
                "name the roles that nobody may hold together",
            );
        }
        draft.org.conflicts.push(ConflictSet { id: set.id.as_str().into(), roles });
    }
}
