//! Roles and views: every right has a form, a scope and what the scope needs; nothing is inherited.

use super::{At, Draft, ix, refer, refer_all};
use crate::{
    directory::file,
    model::{
        org::{Permission, PermissionScope, Role, View},
        set::{Dim, Ix},
    },
};

pub(super) fn fill(draft: &mut Draft<'_>) {
    unsafe_allow(draft);
    views(draft);
    let own: Vec<Vec<Permission>> = (0..draft.file.roles.len()).map(|nth| permissions(draft, nth)).collect();
    inherit(draft, &own);
}

const FORMS: [&str; 4] = ["inherits", "wildcard", "system", "impersonate"];

fn unsafe_allow(draft: &mut Draft<'_>) {
    for (nth, entry) in draft.file.unsafe_allow.iter().enumerate() {
        let at = At::item("unsafeAllow", nth);
        match entry.split_once(':') {
            Some((form, role)) if FORMS.contains(&form) => {
                refer(&mut draft.problems, &draft.org.index.roles, "role", role, at);
            }
            _ => draft.problem(
                at,
                format!("`{entry}` names no dangerous form"),
                "write `inherits:<role>`, `wildcard:<role>`, `system:<role>` or `impersonate:<role>`",
            ),
        }
    }
}

fn views(draft: &mut Draft<'_>) {
    for (nth, view) in draft.file.views.iter().enumerate() {
        let at = At::item("views", nth);
        let index = &draft.org.index;
        let queues = match &view.queues {
            file::ListOrAny::Any(_) => Dim::Any,
            file::ListOrAny::List(ids) => Dim::Only(
                refer_all(&mut draft.problems, &index.queues, "queue", ids, at.key("queues")).into_iter().collect(),
            ),
        };
        let users = match &view.users {
            file::ListOrAny::Any(_) => Dim::Any,
            file::ListOrAny::List(ids) => Dim::Only(
                refer_all(&mut draft.problems, &index.users, "user", ids, at.key("users")).into_iter().collect(),
            ),
        };
        draft.org.views.push(View { id: view.id.as_str().into(), queues, users });
    }
}

fn permissions(draft: &mut Draft<'_>, nth: usize) -> Vec<Permission> {
    let Some(role) = draft.file.roles.get(nth) else {
        return Vec::new();
    };
    let at = At::item("roles", nth);
    if role.system && !draft.allows("system", &role.id) {
        let what = format!("`{}` is a system role: the upstream may change what it opens", role.id);
        draft.problem(
            at.key("system"),
            what,
            format!("define an own role, or name `system:{}` in `unsafeAllow`", role.id),
        );
    }
    if let Some(division) = &role.division {
        refer(&mut draft.problems, &draft.org.index.divisions, "division", division, at.key("division"));
    }
    let mut permissions = Vec::with_capacity(role.permissions.len());
    for (line, held) in role.permissions.iter().enumerate() {
        let at = at.key("permissions").nth(line);
        form(draft, role, held, at);
        if let Some(scope) = scope(draft, held, at) {
            permissions.push(Permission {
                name: held.permission.as_str().into(),
                scope,
                cross_region: held.cross_region.is_some(),
            });
        }
    }
    permissions
}

/// The name's form, and the rights that are too wide to be taken on silence.
fn form(draft: &mut Draft<'_>, role: &file::Role, held: &file::Permission, at: At) {
    let name = &held.permission;
    let parts: Vec<&str> = name.split(':').collect();
    let word = |part: &&str| {
        *part == "*" || !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    // The guides write this one right in two parts.
    if !(parts.len() == 3 || name == "user:impersonate") || !parts.iter().all(word) {
        draft.problem(at.key("permission"), format!("`{name}` is no permission"), "write it as `domain:entity:action`");
    } else if name.contains('*') && !draft.allows("wildcard", &role.id) {
        let what = format!("role `{}` holds the wildcard `{name}`", role.id);
        draft.problem(
            at.key("permission"),
            what,
            format!("list the permissions one by one, or name `wildcard:{}` in `unsafeAllow`", role.id),
        );
    }
    if Permission::impersonates(name)
        && held.scope == file::PermissionScope::All
        && !draft.allows("impersonate", &role.id)
    {
        let what = format!("role `{}` may act for everybody: `{name}` with scope `all`", role.id);
        draft.problem(
            at.key("scope"),
            what,
            format!("use scope `group`, or name `impersonate:{}` in `unsafeAllow`", role.id),
        );
    }
    if held.cross_region.is_some() && !is_audit(name) {
        let what = format!("`{name}` is no audit permission and may not reach other regions");
        draft.problem(at.key("crossRegion"), what, "remove `crossRegion`");
    }
}

fn is_audit(name: &str) -> bool {
    name.split(':').take(2).any(|part| matches!(part, "audit" | "audits"))
}

fn scope(draft: &mut Draft<'_>, held: &file::Permission, at: At) -> Option<PermissionScope> {
    use file::PermissionScope as Scope;
    let name = &held.permission;
    if held.team && held.scope != Scope::Assigned {
        draft.problem(
            at.key("team"),
            format!("`team` on `{name}` needs scope `assigned`"),
            "remove `team` or use scope `assigned`",
        );
    }
    if held.view.is_some() && held.scope != Scope::View {
        draft.problem(
            at.key("view"),
            format!("`view` on `{name}` needs scope `view`"),
            "remove `view` or use scope `view`",
        );
    }
    if !held.groups.is_empty() && held.scope != Scope::Group {
        draft.problem(
            at.key("groups"),
            format!("`groups` on `{name}` need scope `group`"),
            "remove `groups` or use scope `group`",
        );
    }
    match held.scope {
        Scope::Own => Some(PermissionScope::Own),
        Scope::All => Some(PermissionScope::All),
        Scope::Assigned => Some(PermissionScope::Assigned { team: held.team }),
        Scope::View => {
            let Some(view) = &held.view else {
                draft.problem(
                    at,
                    format!("`{name}` has scope `view` and names no view"),
                    "add `view` with the id of a view",
                );
                return None;
            };
            refer(&mut draft.problems, &draft.views, "view", view, at.key("view")).map(PermissionScope::View)
        }
        Scope::Group => {
            if held.groups.is_empty() {
                draft.problem(
                    at,
                    format!("`{name}` has scope `group` and names no group"),
                    "add `groups`: an empty list is nobody",
                );
            }
            let groups =
                refer_all(&mut draft.problems, &draft.org.index.groups, "group", &held.groups, at.key("groups"));
            Some(PermissionScope::Groups(groups.into_iter().collect()))
        }
    }
}

/// Inheritance is refused; where `unsafeAllow` names it, a role holds what its ancestors hold.
fn inherit(draft: &mut Draft<'_>, own: &[Vec<Permission>]) {
    let file = draft.file;
    let mut parents: Vec<Vec<usize>> = Vec::with_capacity(own.len());
    for (nth, role) in file.roles.iter().enumerate() {
        let at = At::item("roles", nth).key("inherits");
        if !role.inherits.is_empty() && !draft.allows("inherits", &role.id) {
            let what = format!("role `{}` inherits from other roles", role.id);
            draft.problem(
                at,
                what,
                format!("list its permissions itself, or name `inherits:{}` in `unsafeAllow`", role.id),
            );
        }
        let from = refer_all(&mut draft.problems, &draft.org.index.roles, "role", &role.inherits, at);
        parents.push(from.into_iter().map(Ix::index).collect());
    }
    for (nth, role) in file.roles.iter().enumerate() {
        let mut permissions: Vec<Permission> = own.get(nth).cloned().unwrap_or_default();
        let mut seen = vec![nth];
        let mut open: Vec<usize> = parents.get(nth).cloned().unwrap_or_default();
        while let Some(from) = open.pop() {
            if from == nth {
                draft.problem(
                    At::item("roles", nth).key("inherits"),
                    format!("role `{}` inherits from itself", role.id),
                    "break the circle",
                );
                break;
            }
            if !seen.contains(&from) {
                seen.push(from);
                permissions.extend(own.get(from).into_iter().flatten().cloned());
                open.extend(parents.get(from).into_iter().flatten());
            }
        }
        draft.org.roles.push(Role { id: role.id.as_str().into(), name: role.name.as_str().into(), permissions });
        for word in [&role.id, &role.name].into_iter().filter(|word| !word.is_empty()) {
            let named = draft.org.index.named_roles.entry(word.as_str().into()).or_insert(Some(ix(nth)));
            *named = named.filter(|one| *one == ix(nth));
        }
    }
}
