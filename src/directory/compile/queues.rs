//! Queues: members by name and through groups, owners, the read list that decides.

use super::{At, Draft, folders::Lists, refer, refer_all};
use crate::{
    directory::file,
    model::{
        org::{DivisionIx, Queue, QueueIx, QueueState, UserIx},
        set::{Ix, Set},
    },
};

pub(super) fn fill(draft: &mut Draft<'_>) {
    let lists = Lists::of(draft);
    let users = draft.org.users.len();
    let mut named_of: Vec<Vec<QueueIx>> = vec![Vec::new(); users];
    let mut queues_of: Vec<Vec<QueueIx>> = vec![Vec::new(); users];
    let mut of_division: Vec<Vec<QueueIx>> = vec![Vec::new(); draft.org.divisions.len()];
    for (nth, queue) in draft.file.queues.iter().enumerate() {
        let compiled = compile(draft, nth, queue, &lists);
        let ix = super::ix(nth);
        note(&mut named_of, &compiled.named, ix);
        note(&mut queues_of, &compiled.members, ix);
        if let Some(queues) = of_division.get_mut(compiled.division.index()) {
            queues.push(ix);
        }
        for (name, value) in compiled.attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let values = draft.org.index.attributes.entry(name.clone()).or_default();
            values.entry(value.clone()).and_modify(|known| *known = None).or_insert(Some(ix));
        }
        draft.org.queues.push(compiled);
    }
    for ((user, named), queues) in draft.org.users.iter_mut().zip(named_of).zip(queues_of) {
        user.named_queues = named.into_iter().collect();
        user.queues = queues.into_iter().collect();
    }
    for (division, queues) in draft.org.divisions.iter_mut().zip(of_division) {
        division.queues = queues.into_iter().collect();
    }
}

fn note(of: &mut [Vec<QueueIx>], users: &Set<UserIx>, queue: QueueIx) {
    for user in users {
        if let Some(queues) = of.get_mut(user.index()) {
            queues.push(queue);
        }
    }
}

fn compile(draft: &mut Draft<'_>, nth: usize, queue: &file::Queue, lists: &Lists) -> Queue {
    let at = At::item("queues", nth);
    let index = &draft.org.index;
    let problems = &mut draft.problems;
    let division: Option<DivisionIx> =
        refer(problems, &index.divisions, "division", &queue.division, at.key("division"));
    let named: Set<UserIx> =
        refer_all(problems, &index.users, "user", &queue.members, at.key("members")).into_iter().collect();
    let groups = refer_all(problems, &index.groups, "group", &queue.member_groups, at.key("memberGroups"));
    let owners = refer_all(problems, &index.users, "user", &queue.owners, at.key("owners"));
    let through =
        groups.iter().filter_map(|group| draft.org.groups.get(group.index())).flat_map(|group| group.members.iter());
    let members = named.iter().chain(through).copied().collect();
    let read = lists.decide(draft, nth, queue, at);
    let region =
        division.and_then(|division| draft.org.divisions.get(division.index())).map(|division| division.region);
    Queue {
        id: queue.id.as_str().into(),
        name: queue.name.as_str().into(),
        division: division.unwrap_or(Ix::new(0)),
        region: region.unwrap_or(Ix::new(0)),
        state: match queue.state {
            file::QueueState::Active => QueueState::Active,
            file::QueueState::Archived => QueueState::Archived,
            file::QueueState::Deleted => QueueState::Deleted,
        },
        moved: queue.moved,
        restricted: queue.restricted,
        named,
        members,
        owners: owners.into_iter().collect(),
        read,
        attributes: queue.attributes.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
    }
}
