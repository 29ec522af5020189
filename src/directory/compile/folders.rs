//! Read lists: which one decides over a queue. Lists are never united.

use super::{At, Draft, cycles, refer, refer_all};
use crate::{
    directory::{
        bindings::{self, Bindings},
        file::{self, DefaultRead},
    },
    model::{
        org::{GroupIx, Read},
        set::{Ix, Set},
    },
};
use std::collections::HashMap;

/// The lists that decide for each folder: over its own queues, and over what lies deeper.
pub(super) struct Lists {
    /// Lines of business are in force as soon as there is any folder or list.
    in_force: bool,
    fallback: Read,
    folders: Vec<Reach>,
    /// The lists that permission objects bring, by the place of their queue.
    bound: HashMap<usize, Read>,
}

#[derive(Clone, Default)]
struct Reach {
    own: Option<Set<GroupIx>>,
    propagate: bool,
    parent: Option<usize>,
    /// What reaches this folder's own queues, once known.
    direct: Option<Read>,
}

impl Lists {
    pub(super) fn of(draft: &mut Draft<'_>) -> Self {
        let file = draft.file;
        let mut folders = Vec::with_capacity(file.folders.len());
        for (nth, folder) in file.folders.iter().enumerate() {
            let at = At::item("folders", nth);
            let parent = folder
                .parent
                .as_ref()
                .and_then(|parent| refer(&mut draft.problems, &draft.folders, "folder", parent, at.key("parent")));
            let own = folder.read_list.as_ref().map(|ids| {
                refer_all(&mut draft.problems, &draft.org.index.groups, "group", ids, at.key("readList"))
                    .into_iter()
                    .collect()
            });
            folders.push(Reach { own, propagate: folder.propagate, parent: parent.map(Ix::index), direct: None });
        }
        let circles = cycles(folders.len(), |nth| folders.get(nth).and_then(|folder| folder.parent));
        for nth in &circles {
            let id = file.folders.get(*nth).map_or("", |folder| folder.id.as_str());
            draft.problem(
                At::item("folders", *nth).key("parent"),
                format!("folder `{id}` lies in itself"),
                "lead the chain of parents to a folder without one",
            );
            // Cut here, so that the walk below ends; the problem keeps the snapshot from being used.
            if let Some(folder) = folders.get_mut(*nth) {
                folder.parent = None;
            }
        }
        let in_force = !folders.is_empty()
            || !file.permission_objects.is_empty()
            || file.queues.iter().any(|queue| queue.read_list.is_some());
        let fallback = if !in_force || file.default_read == DefaultRead::Open { Read::Open } else { Read::Closed };
        let mut lists = Self { in_force, fallback, folders, bound: bound(draft) };
        lists.resolve();
        lists
    }

    /// Top-down without recursion: deep chains of folders must not exhaust the stack.
    fn resolve(&mut self) {
        // What a folder hands down to the folders and queues below its own.
        let mut handed: Vec<Option<Read>> = vec![None; self.folders.len()];
        for start in 0..self.folders.len() {
            let mut chain = Vec::new();
            let mut at = Some(start);
            while let Some(here) = at.filter(|here| handed.get(*here).is_some_and(Option::is_none)) {
                chain.push(here);
                at = self.folders.get(here).and_then(|folder| folder.parent);
            }
            while let Some(here) = chain.pop() {
                let Some(folder) = self.folders.get_mut(here) else {
                    continue;
                };
                let above = folder
                    .parent
                    .and_then(|parent| handed.get(parent).cloned().flatten())
                    .unwrap_or_else(|| self.fallback.clone());
                let own = folder.own.clone().map(read);
                folder.direct = Some(own.clone().unwrap_or_else(|| above.clone()));
                if let Some(slot) = handed.get_mut(here) {
                    *slot = Some(own.filter(|_| folder.propagate).unwrap_or(above));
                }
            }
        }
    }

    pub(super) fn decide(&self, draft: &mut Draft<'_>, nth: usize, queue: &file::Queue, at: At) -> Read {
        let folder = queue
            .folder
            .as_ref()
            .and_then(|id| refer(&mut draft.problems, &draft.folders, "folder", id, at.key("folder")));
        let own = queue
            .read_list
            .as_ref()
            .map(|ids| refer_all(&mut draft.problems, &draft.org.index.groups, "group", ids, at.key("readList")));
        if let Some(bound) = self.bound.get(&nth) {
            return bound.clone();
        }
        if let Some(own) = own {
            return read(own.into_iter().collect());
        }
        if !self.in_force {
            return Read::Open;
        }
        let reached =
            folder.and_then(|folder| self.folders.get(folder.index())).and_then(|folder| folder.direct.clone());
        reached.unwrap_or_else(|| self.fallback.clone())
    }
}

/// Who reads a queue by its permission object. Where the binding is not clear, nobody does.
fn bound(draft: &mut Draft<'_>) -> HashMap<usize, Read> {
    let file = draft.file;
    let bindings = Bindings::of(file);
    let mut lists: Vec<Read> = Vec::with_capacity(file.permission_objects.len());
    for (nth, object) in file.permission_objects.iter().enumerate() {
        let at = At::item("permissionObjects", nth);
        if let Some(queue) = &object.queue {
            refer(&mut draft.problems, &draft.org.index.queues, "queue", queue, at.key("queue"));
        } else if bindings::queue_of(&object.name).is_none() {
            draft.problem(
                at.key("name"),
                format!("`{}` names no queue", object.name),
                "write a prefix, `_` and the queue, such as `ges_Cards`, or add `queue`",
            );
        }
        let groups =
            refer_all(&mut draft.problems, &draft.org.index.groups, "group", &object.read_list, at.key("readList"));
        lists.push(read(groups.into_iter().collect()));
    }
    let clear = bindings.of_queue.iter().filter_map(|(queue, object)| Some((*queue, lists.get(*object)?.clone())));
    let closed = bindings.unclear.iter().map(|queue| (*queue, Read::Closed));
    clear.chain(closed).collect()
}

fn read(list: Set<GroupIx>) -> Read {
    if list.is_empty() { Read::Closed } else { Read::Groups(list) }
}
