//! Service accounts, and who may never hold a right that crosses regions.

use super::{At, Draft, assignment, refer, refer_all};
use crate::model::{
    org::{Assignment, RoleIx, ServiceAccount},
    set::Ix,
};

pub(super) fn fill(draft: &mut Draft<'_>) {
    let file = draft.file;
    for (nth, service) in file.service_accounts.iter().enumerate() {
        let at = At::item("serviceAccounts", nth);
        let region = refer(&mut draft.problems, &draft.org.index.regions, "region", &service.region, at.key("region"));
        let mut assignments = Vec::with_capacity(service.roles.len());
        for (line, held) in service.roles.iter().enumerate() {
            let at = at.key("roles").nth(line);
            let Some((role, division)) = assignment(draft, held, at) else {
                continue;
            };
            if let Some(name) = crosses(draft, role) {
                let what =
                    format!("service account `{}` would cross regions by `{name}` of role `{}`", service.id, held.role);
                draft.problem(at, what, "only people may hold a cross-region permission: remove the assignment");
            }
            let new = Assignment { role, division, via: None };
            if !assignments.contains(&new) {
                assignments.push(new);
            }
        }
        for (line, client) in service.client_ids.iter().enumerate() {
            if draft.org.index.clients.insert(client.as_str().into(), super::ix(nth)).is_some() {
                let what = format!("the client `{client}` belongs to two service accounts");
                draft.problem(at.key("clientIds").nth(line), what, "give each service account clients of its own");
            }
        }
        let acts = service.acts_for.clone().unwrap_or_default();
        let index = &draft.org.index;
        let users = refer_all(&mut draft.problems, &index.users, "user", &acts.users, at.key("actsFor").key("users"));
        let groups =
            refer_all(&mut draft.problems, &index.groups, "group", &acts.groups, at.key("actsFor").key("groups"));
        let listed = refer_all(&mut draft.problems, &index.groups, "group", &service.groups, at.key("groups"));
        draft.org.services.push(ServiceAccount {
            id: service.id.as_str().into(),
            name: service.name.as_str().into(),
            region: region.unwrap_or(Ix::new(0)),
            clients: service.client_ids.iter().map(|client| client.as_str().into()).collect(),
            groups: listed.into_iter().collect(),
            assignments,
            acts_for_users: users.into_iter().collect(),
            acts_for_groups: groups.into_iter().collect(),
        });
    }
}

fn crosses(draft: &Draft<'_>, role: RoleIx) -> Option<Box<str>> {
    let role = draft.org.roles.get(role.index())?;
    role.permissions.iter().find(|permission| permission.cross_region).map(|permission| permission.name.clone())
}

/// An outsourcer, or a group that holds one, may not have a cross-region permission.
pub(super) fn forbid_cross_region_outsourcers(draft: &mut Draft<'_>) {
    let file = draft.file;
    for (nth, user) in file.users.iter().enumerate() {
        if draft.org.users.get(nth).is_none_or(|user| !user.bpo) {
            continue;
        }
        for (line, held) in user.roles.iter().enumerate() {
            let role = draft.org.index.roles.get(held.role.as_str()).copied();
            if let Some(name) = role.and_then(|role| crosses(draft, role)) {
                let what =
                    format!("the outsourcer `{}` would cross regions by `{name}` of role `{}`", user.id, held.role);
                draft.problem(At::item("users", nth).key("roles").nth(line), what, "remove the assignment");
            }
        }
    }
    for (nth, group) in file.groups.iter().enumerate() {
        let members = draft.org.groups.get(nth).into_iter().flat_map(|group| group.members.iter());
        let outsourcer = members.filter_map(|member| draft.org.users.get(member.index())).find(|user| user.bpo);
        let Some(outsourcer) = outsourcer.map(|user| user.id.clone()) else {
            continue;
        };
        for (line, held) in group.roles.iter().enumerate() {
            let role = draft.org.index.roles.get(held.role.as_str()).copied();
            if let Some(name) = role.and_then(|role| crosses(draft, role)) {
                let what = format!(
                    "group `{}` holds the outsourcer `{outsourcer}` and would cross regions by `{name}`",
                    group.id
                );
                draft.problem(
                    At::item("groups", nth).key("roles").nth(line),
                    what,
                    "remove the assignment, or the outsourcer from the group",
                );
            }
        }
    }
}
