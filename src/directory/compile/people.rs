//! Groups and users: membership from both sides, assignments of groups, marks of outsourcers.

use super::{At, Draft, assignment, cycles, refer, refer_all};
use crate::{
    directory::file,
    model::{
        org::{Assignment, DivisionIx, Group, GroupIx, QueueIx, User, UserIx},
        set::{Ix, Set},
    },
};
use std::collections::HashMap;

pub(super) fn fill(draft: &mut Draft<'_>) {
    groups(draft);
    let member_of = membership(draft);
    let marks = Marks::of(draft);
    let held = group_assignments(draft);
    for (nth, user) in draft.file.users.iter().enumerate() {
        let groups: Set<GroupIx> = member_of.get(nth).into_iter().flatten().copied().collect();
        let compiled = compile(draft, nth, user, groups, &marks, &held);
        draft.org.users.push(compiled);
    }
    managers(draft);
    placement(draft);
    super::services::forbid_cross_region_outsourcers(draft);
}

fn groups(draft: &mut Draft<'_>) {
    for (nth, group) in draft.file.groups.iter().enumerate() {
        let at = At::item("groups", nth);
        let index = &draft.org.index;
        let region = group
            .region
            .as_ref()
            .and_then(|region| refer(&mut draft.problems, &index.regions, "region", region, at.key("region")));
        let managers = refer_all(&mut draft.problems, &index.users, "user", &group.managers, at.key("managers"));
        draft.org.groups.push(Group {
            id: group.id.as_str().into(),
            name: group.name.as_str().into(),
            region,
            members: Set::new(),
            managers: managers.into_iter().collect(),
        });
    }
}

/// The groups of each user, as told by the group or by the user; fills the groups' members.
fn membership(draft: &mut Draft<'_>) -> Vec<Vec<GroupIx>> {
    let mut member_of: Vec<Vec<GroupIx>> = vec![Vec::new(); draft.file.users.len()];
    let mut members: Vec<Vec<UserIx>> = Vec::with_capacity(draft.file.groups.len());
    for (nth, group) in draft.file.groups.iter().enumerate() {
        let at = At::item("groups", nth).key("members");
        let listed = refer_all(&mut draft.problems, &draft.org.index.users, "user", &group.members, at);
        for user in &listed {
            if let Some(groups) = member_of.get_mut(user.index()) {
                groups.push(super::ix(nth));
            }
        }
        members.push(listed);
    }
    for (nth, user) in draft.file.users.iter().enumerate() {
        let at = At::item("users", nth).key("groups");
        for group in refer_all(&mut draft.problems, &draft.org.index.groups, "group", &user.groups, at) {
            if let (Some(groups), Some(members)) = (member_of.get_mut(nth), members.get_mut(group.index())) {
                groups.push(group);
                members.push(super::ix(nth));
            }
        }
    }
    for (group, members) in draft.org.groups.iter_mut().zip(members) {
        group.members = members.into_iter().collect();
    }
    member_of
}

/// The roles that each group brings to every present member.
fn group_assignments(draft: &mut Draft<'_>) -> Vec<Vec<Assignment>> {
    let file = draft.file;
    let mut all = Vec::with_capacity(file.groups.len());
    for (nth, group) in file.groups.iter().enumerate() {
        let at = At::item("groups", nth).key("roles");
        let via = Some(super::ix(nth));
        let held = group.roles.iter().enumerate().filter_map(|(line, held)| assignment(draft, held, at.nth(line)));
        all.push(held.map(|(role, division)| Assignment { role, division, via }).collect());
    }
    all
}

fn compile(
    draft: &mut Draft<'_>,
    nth: usize,
    user: &file::User,
    groups: Set<GroupIx>,
    marks: &Marks,
    brought: &[Vec<Assignment>],
) -> User {
    let at = At::item("users", nth);
    let index = &draft.org.index;
    let region = refer(&mut draft.problems, &index.regions, "region", &user.region, at.key("region"));
    let manager = user
        .manager
        .as_ref()
        .and_then(|manager| refer(&mut draft.problems, &index.users, "user", manager, at.key("manager")));
    let division = if user.division.is_empty() {
        draft.problem(
            at,
            format!("user `{}` is in no division", user.id),
            "add `division`: everybody works in one leaf division",
        );
        None
    } else {
        refer(&mut draft.problems, &draft.org.index.divisions, "division", &user.division, at.key("division"))
    };
    let legacy = legacy(draft, user, at);
    let mut assignments: Vec<Assignment> = Vec::with_capacity(user.roles.len());
    for (line, held) in user.roles.iter().enumerate() {
        if let Some((role, division)) = assignment(draft, held, at.key("roles").nth(line)) {
            assignments.push(Assignment { role, division, via: None });
        }
    }
    assignments.extend(groups.iter().filter_map(|group| brought.get(group.index())).flatten().cloned());
    dedup(&mut assignments);
    User {
        id: user.id.as_str().into(),
        person: user.person.as_deref().unwrap_or(&user.id).into(),
        name: user.name.as_str().into(),
        email: user.email.as_deref().map(Into::into),
        division: division.unwrap_or(Ix::new(0)),
        region: region.unwrap_or(Ix::new(0)),
        active: user.active,
        moved: user.moved,
        manager,
        bpo: user.bpo || marks.of_user(user, &groups).is_some(),
        groups,
        licence: user.licence.as_deref().map(Into::into),
        named_queues: Set::new(),
        queues: Set::new(),
        assignments,
        legacy,
    }
}

/// The same role in the same division by the same way counts once; order stays.
fn dedup(assignments: &mut Vec<Assignment>) {
    let mut seen = std::collections::HashSet::with_capacity(assignments.len());
    assignments.retain(|held| seen.insert((held.role, held.division, held.via)));
}

/// What all sections of a legacy option open together.
fn legacy(draft: &mut Draft<'_>, user: &file::User, at: At) -> Option<Set<QueueIx>> {
    let mut together: Option<Set<QueueIx>> = None;
    for ids in user.legacy.values() {
        let queues: Set<QueueIx> =
            refer_all(&mut draft.problems, &draft.org.index.queues, "queue", ids, at.key("legacy"))
                .into_iter()
                .collect();
        together = Some(together.map_or_else(|| queues.clone(), |before| before.intersection(&queues)));
    }
    together
}

fn managers(draft: &mut Draft<'_>) {
    let chain: Vec<Option<UserIx>> = draft.org.users.iter().map(|user| user.manager).collect();
    for nth in cycles(chain.len(), |nth| chain.get(nth).copied().flatten().map(Ix::index)) {
        if let Some(user) = draft.file.users.get(nth) {
            let what = format!("user `{}` is his own manager, directly or in a circle", user.id);
            draft.problem(At::item("users", nth).key("manager"), what, "remove `manager` from the person at the top");
        }
    }
}

/// Fills the divisions' people. A person of another region than his division counts in neither: no list may
/// show people over a region wall.
fn placement(draft: &mut Draft<'_>) {
    let mut people: HashMap<DivisionIx, Vec<UserIx>> = HashMap::new();
    for (nth, user) in draft.org.users.iter().enumerate() {
        let region = draft.org.divisions.get(user.division.index()).map(|division| division.region);
        if region == Some(user.region) {
            people.entry(user.division).or_default().push(super::ix(nth));
        }
    }
    for (division, users) in people {
        if let Some(division) = draft.org.divisions.get_mut(division.index()) {
            division.users = users.into_iter().collect();
        }
    }
}

/// By what an outsourcer's account is recognised even without the flag.
pub(in crate::directory) struct Marks {
    licences: Vec<String>,
    groups: Set<GroupIx>,
    domains: Vec<String>,
}

impl Marks {
    fn of(draft: &mut Draft<'_>) -> Self {
        let marks = &draft.file.bpo_marks;
        let at = At::file("bpoMarks");
        let groups = refer_all(&mut draft.problems, &draft.org.index.groups, "group", &marks.groups, at);
        Self { licences: marks.licences.clone(), groups: groups.into_iter().collect(), domains: domains(marks) }
    }

    /// The same, once the organisation stands.
    pub(in crate::directory) fn known(marks: &file::BpoMarks, groups: &HashMap<Box<str>, GroupIx>) -> Self {
        let groups = marks.groups.iter().filter_map(|id| groups.get(id.as_str()).copied()).collect();
        Self { licences: marks.licences.clone(), groups, domains: domains(marks) }
    }

    /// Which mark a user bears.
    pub(in crate::directory) fn of_user(&self, user: &file::User, groups: &Set<GroupIx>) -> Option<&'static str> {
        let licence = user.licence.as_ref().is_some_and(|licence| self.licences.contains(licence));
        let group = || self.groups.iter().any(|group| groups.contains(group));
        let domain = || {
            let domain = user
                .email
                .as_ref()
                .and_then(|email| email.rsplit_once('@'))
                .map(|(_, domain)| domain.to_ascii_lowercase());
            domain.is_some_and(|domain| {
                self.domains.iter().any(|mark| {
                    domain == *mark || domain.strip_suffix(mark.as_str()).is_some_and(|sub| sub.ends_with('.'))
                })
            })
        };
        if licence {
            Some("licence")
        } else if group() {
            Some("group")
        } else if domain() {
            Some("mail domain")
        } else {
            None
        }
    }
}

fn domains(marks: &file::BpoMarks) -> Vec<String> {
    marks.mail_domains.iter().map(|domain| domain.trim_start_matches('@').to_ascii_lowercase()).collect()
}
