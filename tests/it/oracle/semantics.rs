//! The laws of visibility, as plainly as they can be written. No indexes, no algebra, no cleverness.

use super::data::{Assignment, Directory, Division, Interaction, Leg, Queue, Time, seconds};
use serde_json::Value;

/// Everything, or exactly these.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dim {
    Any,
    Only(Vec<String>),
}

impl Dim {
    pub(crate) fn covers(&self, id: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(ids) => ids.iter().any(|one| one == id),
        }
    }
}

/// One source of visibility that acts now. Dimensions of different entitlements are never mixed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entitlement {
    pub(crate) divisions: Dim,
    pub(crate) queues: Dim,
    pub(crate) users: Dim,
    pub(crate) conversations: Dim,
    pub(crate) window: Option<(Time, Time)>,
}

/// Which column of the scope table applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    Interaction,
    Queue,
    User,
    /// A division is visible to whoever holds a permission in it, however narrow.
    Division,
}

/// What an operation asks of the asker's rights.
#[derive(Debug, Clone)]
pub(crate) struct Right<'a> {
    pub(crate) permissions: &'a [String],
    pub(crate) action: &'a str,
    pub(crate) data: Data,
    /// Dead queues count for entitlements that list queues.
    pub(crate) archived: bool,
}

impl Directory {
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }

    pub(crate) fn division(&self, id: &str) -> Option<&Division> {
        self.divisions.iter().find(|division| division.id == id)
    }
    pub(crate) fn queue(&self, id: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.id == id)
    }
    pub(crate) fn division_of_user(&self, id: &str) -> Option<&str> {
        self.users.iter().find(|user| user.id == id).map(|user| user.division.as_str())
    }
    pub(crate) fn leaf(&self, id: &str) -> bool {
        !self.divisions.iter().any(|division| division.parent.as_deref() == Some(id))
    }

    /// The division of the leg's queue, else of its agent, else none.
    pub(crate) fn division_of(&self, leg: &Leg) -> Option<&str> {
        match (&leg.queue, &leg.agent) {
            (Some(queue), _) => self.queue(queue).map(|queue| queue.division.as_str()),
            (None, Some(agent)) => self.division_of_user(agent),
            (None, None) => None,
        }
    }

    /// The region whose upstream holds the leg: that of its division.
    pub(crate) fn region_of_leg(&self, leg: &Leg) -> Option<&str> {
        self.division_of(leg).and_then(|id| self.division(id)).map(|division| division.region.as_str())
    }

    pub(crate) fn region_of_person(&self, person: &str) -> &str {
        let user = self.users.iter().find(|user| user.id == person).map(|user| &user.region);
        user.or_else(|| self.service_accounts.iter().find(|one| one.id == person).map(|one| &one.region)).unwrap()
    }

    pub(crate) fn groups_of(&self, person: &str) -> Vec<&str> {
        let own = self.users.iter().filter(|user| user.id == person).flat_map(|user| &user.groups);
        let listing = self.groups.iter().filter(|group| group.members.iter().any(|one| one == person));
        let service = self.service_accounts.iter().filter(|one| one.id == person).flat_map(|one| &one.groups);
        own.chain(service).map(String::as_str).chain(listing.map(|group| group.id.as_str())).collect()
    }
    pub(crate) fn members_of_group(&self, group: &str) -> Vec<&str> {
        let people = self.users.iter().filter(|user| self.groups_of(&user.id).contains(&group));
        people.map(|user| user.id.as_str()).collect()
    }
    pub(crate) fn members_of_queue(&self, queue: &Queue) -> Vec<String> {
        let through = queue.member_groups.iter().flat_map(|group| self.members_of_group(group));
        queue.members.iter().cloned().chain(through.map(str::to_owned)).collect()
    }

    pub(crate) fn bpo(&self, person: &str) -> bool {
        let Some(user) = self.users.iter().find(|user| user.id == person) else { return false };
        let marks = &self.bpo_marks;
        let domain = user.email.as_deref().and_then(|mail| mail.split_once('@')).map(|(_, domain)| domain);
        user.bpo
            || user.licence.as_ref().is_some_and(|licence| marks.licences.contains(licence))
            || self.groups_of(person).iter().any(|group| marks.groups.iter().any(|mark| mark == group))
            || domain.is_some_and(|domain| marks.mail_domains.iter().any(|mark| mark.eq_ignore_ascii_case(domain)))
    }

    /// Lines of business, and the legacy option.
    pub(crate) fn open_to(&self, queue: &Queue, person: &str) -> bool {
        let in_force = !self.folders.is_empty() || self.queues.iter().any(|queue| queue.read_list.is_some());
        let groups = self.groups_of(person);
        let listed = match self.deciding_list(queue) {
            _ if !in_force => true,
            None => self.default_read == "open",
            Some(list) => list.iter().any(|group| groups.contains(&group.as_str())),
        };
        let legacy = self.users.iter().find(|user| user.id == person).map(|user| &user.legacy);
        let legacy = legacy.is_none_or(|sections| sections.values().all(|section| section.contains(&queue.id)));
        listed && legacy
    }

    fn deciding_list<'a>(&'a self, queue: &'a Queue) -> Option<&'a Vec<String>> {
        if queue.read_list.is_some() {
            return queue.read_list.as_ref();
        }
        let mut at = queue.folder.as_ref();
        let mut direct = true;
        while let Some(folder) = at.and_then(|id| self.folders.iter().find(|folder| folder.id == *id)) {
            if folder.read_list.is_some() && (direct || folder.propagate) {
                return folder.read_list.as_ref();
            }
            at = folder.parent.as_ref();
            direct = false;
        }
        None
    }

    /// Every source that acts for `person` at `now`.
    pub(crate) fn entitlements(&self, person: &str, right: &Right<'_>, now: Time) -> Vec<Entitlement> {
        let mut all = Vec::new();
        if self.users.iter().any(|user| user.id == person && user.active == Some(false)) {
            return all;
        }
        for assignment in self.assignments(person) {
            let Some(division) = self.division(&assignment.division) else { continue };
            let shared = division.shared && right.action != "view";
            let dead_wall = division.region != self.region_of_person(person) || !self.leaf(&division.id);
            if shared || dead_wall {
                continue;
            }
            let Some(role) = self.roles.iter().find(|role| role.id == assignment.role) else { continue };
            for permission in role.permissions.iter().filter(|one| gives(&one.permission, right.permissions)) {
                let boxes = match permission.scope.as_str() {
                    "all" if self.bpo(person) => vec![],
                    "all" => vec![(Dim::Any, Dim::Any)],
                    _ if right.data == Data::Division => vec![(Dim::Any, Dim::Any)],
                    "self" => self.own(person, right),
                    "assigned" => self.assigned(person, &division.id, permission.team, right),
                    "view" => self.view_of(permission.view.as_deref().unwrap(), &division.id, right),
                    "group" => self.group(&permission.groups, &division.id, right),
                    other => panic!("no such scope: {other}"),
                };
                let own_row = right.data == Data::User && permission.scope == "self";
                let divisions = if own_row { Dim::Any } else { Dim::Only(vec![division.id.clone()]) };
                all.extend(boxes.into_iter().map(|(queues, users)| Entitlement {
                    divisions: divisions.clone(),
                    queues,
                    users,
                    conversations: Dim::Any,
                    window: None,
                }));
            }
        }
        all.extend(self.granted(person, right, now));
        all.retain(|one| {
            [&one.divisions, &one.queues, &one.users, &one.conversations].iter().all(|dim| **dim != Dim::Only(vec![]))
        });
        all
    }

    fn assignments(&self, person: &str) -> Vec<Assignment> {
        let groups = self.groups_of(person);
        let own = self.users.iter().filter(|user| user.id == person).flat_map(|user| &user.roles);
        let human = self.users.iter().any(|user| user.id == person);
        let through = self.groups.iter().filter(|group| human && groups.contains(&group.id.as_str()));
        let service = self.service_accounts.iter().filter(|one| one.id == person).flat_map(|one| &one.roles);
        own.chain(through.flat_map(|group| &group.roles)).chain(service).cloned().collect()
    }

    fn own(&self, person: &str, right: &Right<'_>) -> Vec<(Dim, Dim)> {
        let human = self.users.iter().any(|user| user.id == person);
        match right.data {
            Data::Queue | Data::Division => vec![],
            _ if !human => vec![],
            _ => vec![(Dim::Any, Dim::Only(vec![person.to_owned()]))],
        }
    }

    fn alive(&self, queue: &Queue, right: &Right<'_>) -> bool {
        right.archived || matches!(queue.state.as_deref(), None | Some("active"))
    }

    /// Queues of the division of which the person is a member; of restricted ones, a member by name.
    fn my_queues(&self, person: &str, division: &str, right: &Right<'_>) -> Vec<&Queue> {
        let named = |queue: &Queue| queue.members.iter().any(|member| member == person);
        let member = |queue: &Queue| self.members_of_queue(queue).iter().any(|member| member == person);
        let of_division = self.queues.iter().filter(|queue| queue.division == division && self.alive(queue, right));
        of_division.filter(|queue| if queue.restricted { named(queue) } else { member(queue) }).collect()
    }

    fn assigned(&self, person: &str, division: &str, team: bool, right: &Right<'_>) -> Vec<(Dim, Dim)> {
        let mine = self.my_queues(person, division, right);
        let queues = Dim::Only(mine.iter().map(|queue| queue.id.clone()).collect());
        let me = || Dim::Only(vec![person.to_owned()]);
        match (right.data, team) {
            (Data::Interaction, true) | (Data::Queue, _) => vec![(queues, Dim::Any)],
            (Data::Interaction, false) => vec![(queues, me())],
            (Data::Division, _) => vec![],
            (Data::User, false) => vec![(Dim::Any, me())],
            (Data::User, true) => {
                let fellows = mine.into_iter().flat_map(|queue| self.members_of_queue(queue));
                vec![(Dim::Any, Dim::Only(fellows.chain([person.to_owned()]).collect()))]
            }
        }
    }

    fn view_of(&self, view: &str, division: &str, right: &Right<'_>) -> Vec<(Dim, Dim)> {
        let view = self.views.iter().find(|one| one.id == view).unwrap();
        let queues = match listed(&view.queues) {
            Dim::Only(ids) => Dim::Only(self.living(ids, right)),
            Dim::Any => Dim::Any,
        };
        let users = match listed(&view.users) {
            Dim::Only(ids) => Dim::Only(self.placed(ids, division)),
            Dim::Any => Dim::Any,
        };
        match right.data {
            Data::Interaction => vec![(queues, users)],
            Data::Queue => vec![(queues, Dim::Any)],
            Data::User => vec![(Dim::Any, users)],
            Data::Division => vec![],
        }
    }

    fn group(&self, groups: &[String], division: &str, right: &Right<'_>) -> Vec<(Dim, Dim)> {
        let members: Vec<String> =
            groups.iter().flat_map(|group| self.members_of_group(group)).map(str::to_owned).collect();
        let theirs = self.queues.iter().filter(|queue| {
            let all = self.members_of_queue(queue);
            !all.is_empty() && all.iter().all(|member| members.contains(member)) && !queue.restricted
        });
        let theirs = theirs.filter(|queue| self.alive(queue, right)).map(|queue| queue.id.clone()).collect();
        let people = (Dim::Any, Dim::Only(self.placed(members.clone(), division)));
        let queues = (Dim::Only(theirs), Dim::Any);
        match right.data {
            Data::Interaction => vec![people, queues],
            Data::Queue => vec![queues],
            Data::User => vec![people],
            Data::Division => vec![],
        }
    }

    fn living(&self, ids: Vec<String>, right: &Right<'_>) -> Vec<String> {
        ids.into_iter().filter(|id| self.queue(id).is_some_and(|queue| self.alive(queue, right))).collect()
    }
    /// People of a view or group outside the division of the assignment do not count.
    fn placed(&self, ids: Vec<String>, division: &str) -> Vec<String> {
        ids.into_iter().filter(|id| self.division_of_user(id) == Some(division)).collect()
    }

    fn granted(&self, person: &str, right: &Right<'_>, now: Time) -> Vec<Entitlement> {
        let mut all = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.beneficiary == person) {
            let live = seconds(&grant.from) <= now && now < seconds(&grant.until);
            let wanted = |action: &String| action == right.action || (action == "playback" && right.action == "view");
            if !live || !grant.actions.iter().any(wanted) {
                continue;
            }
            for resource in &grant.resources {
                let id = vec![resource.id.clone()];
                let region = self.region_of_person(person);
                let here = |user: &str| self.users.iter().any(|one| one.id == user && one.region == region);
                let mut one = Entitlement {
                    divisions: Dim::Any,
                    queues: Dim::Any,
                    users: Dim::Any,
                    conversations: Dim::Any,
                    window: grant.data.as_ref().map(|data| (seconds(&data.from), seconds(&data.until))),
                };
                match resource.kind.as_str() {
                    "queue" => one.queues = Dim::Only(self.living(id, right)),
                    "division" => one.divisions = Dim::Only(id),
                    "user" => one.users = Dim::Only(id.into_iter().filter(|user| here(user)).collect()),
                    "group" => {
                        let members = self.members_of_group(&resource.id);
                        one.users =
                            Dim::Only(members.into_iter().filter(|user| here(user)).map(str::to_owned).collect());
                    }
                    "conversation" => one.conversations = Dim::Only(id),
                    "case" => {
                        let case = self.cases.iter().find(|case| case.id == resource.id).unwrap();
                        one.conversations = Dim::Only(case.conversations.clone());
                    }
                    other => panic!("no such resource: {other}"),
                }
                all.push(one);
            }
        }
        all
    }

    /// One entitlement covers one leg of one interaction. A dimension that the leg lacks is covered only by `any`.
    pub(crate) fn covers(&self, person: &str, one: &Entitlement, conversation: &str, leg: &Leg) -> bool {
        let Some(division) = self.division_of(leg).and_then(|id| self.division(id)) else { return false };
        division.region == self.region_of_person(person)
            && self.leaf(&division.id)
            && one.divisions.covers(&division.id)
            && one.conversations.covers(conversation)
            && one.window.is_none_or(|(from, until)| from <= leg.start && leg.end <= until)
            && leg.agent.as_ref().map_or(one.users == Dim::Any, |agent| self.agent_covered(person, one, agent, leg))
            && leg.queue.as_ref().map_or(one.queues == Dim::Any, |id| self.queue_covered(person, one, id))
    }

    /// Who works in another region than the asker's, wherever he is placed, is in no list: only a queue that is
    /// covered with every agent shows him.
    fn agent_covered(&self, person: &str, one: &Entitlement, agent: &str, leg: &Leg) -> bool {
        one.users.covers(agent) && (self.same_region(person, agent) || one.users == Dim::Any && leg.queue.is_some())
    }
    pub(crate) fn some_agent_covered(&self, person: &str, one: &Entitlement) -> bool {
        one.users == Dim::Any
            || self.users.iter().any(|user| one.users.covers(&user.id) && self.same_region(person, &user.id))
    }
    pub(crate) fn same_region(&self, person: &str, agent: &str) -> bool {
        self.users.iter().any(|user| user.id == agent && user.region == self.region_of_person(person))
    }

    pub(crate) fn queue_covered(&self, person: &str, one: &Entitlement, id: &str) -> bool {
        self.queue(id).is_some_and(|queue| {
            let named = matches!(&one.queues, Dim::Only(ids) if ids.contains(&queue.id));
            one.queues.covers(id) && self.open_to(queue, person) && (named || !queue.restricted)
        })
    }

    pub(crate) fn visible(&self, person: &str, scope: &[Entitlement], conversation: &str, leg: &Leg) -> bool {
        scope.iter().any(|one| self.covers(person, one, conversation, leg))
    }

    /// Metadata of another region, by an audit that crosses to it: any leaf there, any agent, each queue that is open to him.
    pub(crate) fn audited(&self, person: &str, region: &str, leg: &Leg) -> bool {
        let Some(division) = self.division_of(leg).and_then(|id| self.division(id)) else { return false };
        let crosses = self.assignments(person).iter().any(|one| {
            let home = self.division(&one.division).is_some_and(|at| at.region == self.region_of_person(person));
            let role = self.roles.iter().find(|role| role.id == one.role);
            let marked = role.is_some_and(|role| role.permissions.iter().any(|one| one.cross_region.is_some()));
            home && self.leaf(&one.division) && marked
        });
        let placed = |agent: &String| leg.queue.is_some() || self.region_of_person(agent) == region;
        let open = |id: &String| self.queue(id).is_some_and(|queue| self.open_to(queue, person) && !queue.restricted);
        crosses
            && !self.bpo(person)
            && division.region == region
            && self.leaf(&division.id)
            && leg.agent.as_ref().is_none_or(placed)
            && leg.queue.as_ref().is_none_or(open)
    }

    /// The visible world: an interaction without a visible leg does not exist.
    pub(crate) fn view(&self, person: &str, scope: &[Entitlement], data: &[Interaction]) -> Vec<Interaction> {
        let seen = data.iter().map(|one| {
            let cut = |legs: &[Leg]| -> Vec<Leg> {
                legs.iter().filter(|leg| self.visible(person, scope, &one.id, leg)).cloned().collect()
            };
            Interaction { legs: cut(&one.legs), evaluations: cut(&one.evaluations), ..one.clone() }
        });
        seen.filter(|one| !one.legs.is_empty()).collect()
    }
}

/// A star stands for any one part.
fn gives(held: &str, due: &[String]) -> bool {
    let held: Vec<&str> = held.split(':').collect();
    due.iter().any(|one| {
        let one: Vec<&str> = one.split(':').collect();
        one.len() == held.len() && (0..one.len()).all(|at| held[at] == "*" || held[at] == one[at])
    })
}

fn listed(side: &Value) -> Dim {
    match side {
        Value::String(_) => Dim::Any,
        side => Dim::Only(side.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()),
    }
}
