//! Regions and the tree of divisions: one root in each region, no cycle, no edge over a region wall.

use super::{At, Draft, cycles, refer};
use crate::{
    base::address,
    directory::file::{self, DirectoryFile},
    model::{
        org::{Division, DivisionIx, Index, Region},
        set::{Ix, Set},
    },
};
use std::collections::HashMap;

pub(super) fn fill(draft: &mut Draft<'_>) {
    regions(draft);
    table(draft);
    tree(draft);
}

fn regions(draft: &mut Draft<'_>) {
    let file = draft.file;
    let mut owner: HashMap<String, &str> = HashMap::new();
    for (nth, region) in file.regions.iter().enumerate() {
        let at = At::item("regions", nth);
        if address::base(&region.upstream).is_none() {
            let what = format!("the upstream `{}` of region `{}` is no base URL", region.upstream, region.id);
            draft.problem(
                at.key("upstream"),
                what,
                "write it like `https://api.example.com`, with no escapes or dots in the path",
            );
        }
        for (host_nth, host) in region.hosts.iter().enumerate() {
            if let Some(other) = owner.insert(host.to_ascii_lowercase(), &region.id) {
                let what = format!("the host `{host}` stands in regions `{other}` and `{}`", region.id);
                draft.problem(
                    at.key("hosts").nth(host_nth),
                    what,
                    "a host belongs to one region: remove it from the other",
                );
            }
        }
        draft.org.regions.push(Region {
            id: region.id.as_str().into(),
            upstream: region.upstream.as_str().into(),
            hosts: region.hosts.iter().map(|host| host.as_str().into()).collect(),
        });
    }
}

fn table(draft: &mut Draft<'_>) {
    for (nth, division) in draft.file.divisions.iter().enumerate() {
        let at = At::item("divisions", nth);
        let index = &draft.org.index;
        let region = stated_region(draft.file, index, nth);
        let region = if region.is_empty() {
            // An unknown parent or a cycle is told by itself.
            if division.parent.is_none() {
                draft.problem(
                    at,
                    format!("division `{}` states no region", division.id),
                    "add `region` to the root of each region",
                );
            }
            None
        } else {
            refer(&mut draft.problems, &index.regions, "region", region, at.key("region"))
        };
        let index = &draft.org.index;
        let parent = division
            .parent
            .as_ref()
            .and_then(|parent| refer(&mut draft.problems, &index.divisions, "division", parent, at.key("parent")));
        draft.org.divisions.push(Division {
            id: division.id.as_str().into(),
            name: division.name.as_str().into(),
            parent,
            region: region.unwrap_or(Ix::new(0)),
            leaf: true,
            shared: division.shared,
            home: division.home,
            queues: Set::new(),
            users: Set::new(),
        });
    }
}

/// The region that a division states, or the nearest one above it does.
fn stated_region<'f>(file: &'f DirectoryFile, index: &Index, nth: usize) -> &'f str {
    let mut at = file.divisions.get(nth);
    // A chain is never longer than the table; a cycle is told elsewhere.
    for _ in 0..file.divisions.len() {
        let Some(division) = at.filter(|division| division.region.is_empty()) else { break };
        let parent = division.parent.as_deref().and_then(|parent| index.divisions.get(parent));
        at = parent.and_then(|parent| file.divisions.get(parent.index()));
    }
    at.map_or("", |division| division.region.as_str())
}

fn tree(draft: &mut Draft<'_>) {
    let file = draft.file;
    let parents: Vec<Option<DivisionIx>> = draft.org.divisions.iter().map(|division| division.parent).collect();
    for parent in parents.iter().flatten() {
        if let Some(parent) = draft.org.divisions.get_mut(parent.index()) {
            parent.leaf = false;
        }
    }
    for nth in cycles(parents.len(), |nth| parents.get(nth).copied().flatten().map(Ix::index)) {
        if let Some(division) = file.divisions.get(nth) {
            let what = format!("division `{}` is its own ancestor", division.id);
            draft.problem(
                At::item("divisions", nth).key("parent"),
                what,
                "lead the chain of parents to the root of its region",
            );
        }
    }
    let mut roots: HashMap<&str, &str> = HashMap::new();
    for (nth, division) in file.divisions.iter().enumerate() {
        let at = At::item("divisions", nth);
        let parent = parents.get(nth).copied().flatten().and_then(|parent| file.divisions.get(parent.index()));
        let known = |region: &str| draft.org.index.regions.contains_key(region);
        let apart = |parent: &&file::Division| {
            parent.region != division.region && known(&parent.region) && known(&division.region)
        };
        if let Some(parent) = parent.filter(apart) {
            let what = format!(
                "division `{}` of region `{}` stands under `{}` of region `{}`",
                division.id, division.region, parent.id, parent.region
            );
            draft.problem(at.key("region"), what, "a division and its parent belong to one region");
        }
        if division.parent.is_none()
            && let Some(root) = roots.insert(&division.region, &division.id)
        {
            let what = format!(
                "division `{}` has no parent, but `{root}` is the root of region `{}`",
                division.id, division.region
            );
            draft.problem(at, what, format!("give it a parent: `{root}`, or a division below it"));
        }
        if division.shared && draft.org.divisions.get(nth).is_some_and(|compiled| !compiled.leaf) {
            let what = format!("the shared reporting division `{}` has children", division.id);
            draft.problem(
                at.key("shared"),
                what,
                "a shared reporting division is a leaf: move its children or remove `shared`",
            );
        }
    }
}
