//! R01 dangerous forms in force, R03 unions, R04 wide reporting rights, R05 shared queues, R06 forbidden pairs.

use super::{Few, Held, warning};
use crate::{
    directory::file::DirectoryFile,
    model::{
        finding::Finding,
        org::{DivisionIx, Org, Permission, PermissionScope, RoleIx, User},
        set::Set,
    },
};
use std::collections::{BTreeSet, HashSet};

pub(super) fn find(file: &DirectoryFile, org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    for entry in &file.unsafe_allow {
        let Some((form, role)) = entry.split_once(':') else {
            continue;
        };
        let why = match form {
            "inherits" => "it holds what other roles hold, and changes when they change",
            "system" => "it is a system role: the upstream may change what it opens",
            "wildcard" => "it holds a wildcard, which grows with every new permission of the upstream",
            _ => "it may act for everybody",
        };
        out.push(warning(
            "R01",
            format!("role `{role}`"),
            format!("{why}; `unsafeAllow` lets it pass"),
            "list the role's permissions one by one with a scope each",
        ));
    }
    wide(org, held, out);
    shared_queues(org, held, out);
    let analytics: Vec<bool> = org.roles.iter().map(|role| role.permissions.iter().any(is_analytics)).collect();
    for user in &org.users {
        union(org, user, &analytics, out);
        forbidden(org, user, out);
    }
}

fn is_analytics(permission: &Permission) -> bool {
    permission.begins("analytics")
}

/// Rights over data and queues for which the templates give `assigned` or `view`.
fn wide(org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    const NARROW: [&str; 5] = ["reporting", "routing:queue", "telephony:queue", "interaction", "recording"];
    let in_use: BTreeSet<RoleIx> = held.pairs.keys().map(|(role, _)| *role).collect();
    for role in in_use.into_iter().map(|role| org.role(role)) {
        let wide = role
            .permissions
            .iter()
            .filter(|permission| matches!(permission.scope, PermissionScope::All | PermissionScope::Groups(_)));
        let few = Few::of(
            wide.filter(|permission| NARROW.iter().any(|start| permission.begins(start)))
                .map(|permission| &*permission.name),
        );
        if !few.is_empty() {
            let why = format!("scope `all` or `group` where the templates give `assigned` or `view`: {few}");
            out.push(warning(
                "R04",
                format!("role `{}`", role.id),
                why,
                "narrow the scope, or keep the role to few people",
            ));
        }
    }
}

/// A group scope sees a queue only while all its members are in the groups: one more member closes it.
fn shared_queues(org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    for (role, division) in held.pairs.keys() {
        for permission in &org.role(*role).permissions {
            let PermissionScope::Groups(groups) = &permission.scope else {
                continue;
            };
            if !seen.insert((groups, *division)) {
                continue;
            }
            let inside: Set<_> = groups.iter().flat_map(|group| org.group(*group).members.iter()).copied().collect();
            let mixed = org.division(*division).queues.iter().map(|queue| org.queue(*queue)).filter(|queue| {
                let within = queue.members.iter().filter(|member| inside.contains(member)).count();
                within > 0 && within < queue.members.len()
            });
            let few = Few::of(mixed.map(|queue| &*queue.id));
            if !few.is_empty() {
                let at = format!("role `{}` in division `{}`", org.role(*role).id, org.division(*division).id);
                out.push(warning(
                    "R05",
                    at,
                    format!("its groups share queues with other people: {few}"),
                    "use scope `view` for these queues, or split them",
                ));
            }
        }
    }
}

type Right<'o> = (&'o Permission, DivisionIx);

fn union(org: &Org, user: &User, analytics: &[bool], out: &mut Vec<Finding>) {
    let has = |role: &RoleIx| analytics.get(role.index()).copied().unwrap_or(false);
    let roles: Set<RoleIx> = user.assignments.iter().map(|held| held.role).filter(has).collect();
    if roles.len() < 2 {
        return;
    }
    let opens = |role: RoleIx| -> HashSet<Right<'_>> {
        let divisions = user.assignments.iter().filter(move |held| held.role == role).map(|held| held.division);
        let permissions = &org.role(role).permissions;
        divisions.flat_map(|division| permissions.iter().map(move |permission| (permission, division))).collect()
    };
    let each: Vec<HashSet<_>> = roles.iter().map(|role| opens(*role)).collect();
    let all: HashSet<_> = each.iter().flatten().collect();
    let holds_all = |one: &HashSet<Right<'_>>| {
        let wild: Vec<_> = one.iter().filter(|(held, _)| held.name.contains('*')).collect();
        let opened = |(due, division): &Right<'_>| {
            wild.iter().any(|(held, at)| at == division && held.scope == due.scope && held.covers(&due.name))
        };
        all.iter().all(|due| one.contains(due) || opened(due))
    };
    if each.iter().any(holds_all) {
        return;
    }
    let names = |role: &RoleIx| -> BTreeSet<&str> {
        org.role(*role).permissions.iter().map(|permission| &*permission.name).collect()
    };
    let common =
        roles.iter().map(names).reduce(|left, right| left.intersection(&right).copied().collect()).unwrap_or_default();
    let few = Few::of(roles.iter().map(|role| &*org.role(*role).id));
    let common =
        if common.is_empty() { "nothing in common".to_owned() } else { format!("common are {}", Few::of(common)) };
    out.push(warning(
        "R03",
        format!("user `{}`", user.id),
        format!("several analytics roles open more together than each: {few}; {common}"),
        "keep one analytics role for each person",
    ));
}

fn forbidden(org: &Org, user: &User, out: &mut Vec<Finding>) {
    if org.conflicts.is_empty() || user.assignments.len() < 2 {
        return;
    }
    let roles: Set<RoleIx> = user.assignments.iter().map(|held| held.role).collect();
    for set in &org.conflicts {
        let both = set.roles.intersection(&roles);
        if both.len() > 1 {
            let few = Few::of(both.iter().map(|role| &*org.role(*role).id));
            out.push(warning(
                "R06",
                format!("user `{}`", user.id),
                format!("holds roles that conflict set `{}` keeps apart: {few}", set.id),
                "take one of them away",
            ));
        }
    }
}
