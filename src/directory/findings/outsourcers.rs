//! O01 marks without the flag, O02 outsourcers with `all` or among internal people, O04 groups over regions,
//! O05 groups of outsourcers as members of a queue.

use super::{Few, Held, finding, warning};
use crate::{
    directory::{compile::people::Marks, file::DirectoryFile},
    model::{
        finding::{Finding, Severity},
        org::{DivisionIx, Org, PermissionScope},
    },
};

/// Permissions of the outsourcers' template that open no data.
const NO_DATA: [&str; 2] = ["telephony:agent:access", "telephony:callControl:access"];

pub(super) fn find(file: &DirectoryFile, org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    marked(file, org, out);
    assignments(org, held, out);
    for ix in org.division_ixs().filter(|ix| mixed(org, *ix)) {
        let division = org.division(ix);
        let few =
            Few::of(division.users.iter().map(|user| org.user(*user)).filter(|user| user.bpo).map(|user| &*user.id));
        let why = format!("outsourcers and internal people share it: {few}");
        out.push(warning(
            "O02",
            format!("division `{}`", division.id),
            why,
            "give the outsourcer a leaf division of its own",
        ));
    }
    groups(file, org, out);
}

fn marked(file: &DirectoryFile, org: &Org, out: &mut Vec<Finding>) {
    if file.bpo_marks.is_empty() {
        return;
    }
    let marks = Marks::known(&file.bpo_marks, &org.index.groups);
    for (user, compiled) in file.users.iter().zip(&org.users).filter(|(user, _)| !user.bpo) {
        if let Some(mark) = marks.of_user(user, &compiled.groups) {
            let why = format!("bears the outsourcers' {mark} without the flag, and is read as an outsourcer");
            out.push(finding(
                "O01",
                Severity::Error,
                format!("user `{}`", user.id),
                why,
                "set `bpo`, or remove the mark",
            ));
        }
    }
}

fn assignments(org: &Org, held: &Held<'_>, out: &mut Vec<Finding>) {
    for ((role, division), holders) in held.pairs.iter().filter(|(_, holders)| !holders.bpo.is_empty()) {
        let role = org.role(*role);
        let at = || format!("role `{}` in division `{}`", role.id, org.division(*division).id);
        let all = role
            .permissions
            .iter()
            .filter(|permission| permission.scope == PermissionScope::All && !NO_DATA.contains(&&*permission.name));
        let few = Few::of(all.map(|permission| &*permission.name));
        if !few.is_empty() {
            let why = format!("outsourcers ({}) hold scope `all`, which is ignored for them: {few}", holders.bpo);
            out.push(warning("O02", at(), why, "use scope `assigned` or `view`"));
        }
        let internal = org.division(*division).users.iter().any(|user| !org.user(*user).bpo);
        if internal && org.division(*division).leaf {
            let why = format!("outsourcers ({}) hold it in a division of internal people", holders.bpo);
            out.push(warning("O02", at(), why, "assign it in a leaf division of the outsourcer"));
        }
    }
}

fn mixed(org: &Org, ix: DivisionIx) -> bool {
    let mut bpo = org.division(ix).users.iter().map(|user| org.user(*user).bpo);
    let first = bpo.next();
    first.is_some_and(|first| bpo.any(|other| other != first))
}

fn groups(file: &DirectoryFile, org: &Org, out: &mut Vec<Finding>) {
    let holds: Vec<Option<&str>> = org
        .groups
        .iter()
        .map(|group| group.members.iter().map(|user| org.user(*user)).find(|user| user.bpo).map(|user| &*user.id))
        .collect();
    for (group, outsourcer) in org.groups.iter().zip(&holds) {
        if let (None, Some(outsourcer)) = (group.region, outsourcer) {
            let why = format!("holds the outsourcer `{outsourcer}` and belongs to no region, so it may span several");
            out.push(warning("O04", format!("group `{}`", group.id), why, "state the group's region"));
        }
    }
    for queue in &file.queues {
        let listed = queue.member_groups.iter().filter(|id| {
            org.index.groups.get(id.as_str()).and_then(|group| holds.get(group.index())).is_some_and(Option::is_some)
        });
        let few = Few::of(listed.map(String::as_str));
        if !few.is_empty() {
            let why = format!("has groups of outsourcers as members, not the people themselves: {few}");
            out.push(warning("O05", format!("queue `{}`", queue.id), why, "name the outsourcer's people one by one"));
        }
    }
}
