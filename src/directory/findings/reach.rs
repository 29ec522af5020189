//! V01: views and groups that reach over a division or region wall; O04 when outsourcers hold them.
//!
//! What lies outside the assignment's division does not count; whoever wrote the view thought it would.

use super::{Few, Held, warning};
use crate::model::{
    finding::Finding,
    org::{DivisionIx, Org, PermissionScope},
    set::Dim,
};
use std::collections::HashSet;

pub(super) fn find(org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    for ((role, division), holders) in &held.pairs {
        if !org.division(*division).leaf {
            continue;
        }
        for permission in &org.role(*role).permissions {
            if !seen.insert((*role, *division, &permission.scope)) {
                continue;
            }
            let (what, outside) = match &permission.scope {
                PermissionScope::View(view) => {
                    (format!("view `{}`", org.view(*view).id), outside_view(org, *division, org.view(*view)))
                }
                PermissionScope::Groups(groups) => {
                    let members =
                        groups.iter().flat_map(|group| org.group(*group).members.iter()).map(|user| org.user(*user));
                    let outside = Few::of(members.filter(|user| user.division != *division).map(|user| &*user.id));
                    (format!("groups {}", Few::of(groups.iter().map(|group| &*org.group(*group).id))), outside)
                }
                PermissionScope::Own | PermissionScope::Assigned { .. } | PermissionScope::All => {
                    continue;
                }
            };
            if outside.is_empty() {
                continue;
            }
            let code = if holders.bpo.is_empty() { "V01" } else { "O04" };
            let at = format!("role `{}` in division `{}`", org.role(*role).id, org.division(*division).id);
            let whom = if holders.bpo.is_empty() {
                String::new()
            } else {
                format!(", held by outsourcers such as {}", holders.bpo)
            };
            let why = format!("{what}{whom} reaches outside the division: {outside} do not count");
            out.push(warning(
                code,
                at,
                why,
                "take them out, or assign a role with a view of its own in their division",
            ));
        }
    }
}

fn outside_view<'o>(org: &'o Org, division: DivisionIx, view: &'o crate::model::org::View) -> Few<'o> {
    let mut few = Few::default();
    if let Dim::Only(queues) = &view.queues {
        queues
            .iter()
            .map(|queue| org.queue(*queue))
            .filter(|queue| queue.division != division)
            .for_each(|queue| few.push(&queue.id));
    }
    if let Dim::Only(users) = &view.users {
        users
            .iter()
            .map(|user| org.user(*user))
            .filter(|user| user.division != division)
            .for_each(|user| few.push(&user.id));
    }
    few
}
