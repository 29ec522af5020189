//! The normal form of a scope: which legs (or queues, users, divisions) are visible, as sets.
//!
//! A leg is visible when its queue is in `all`, or when one box covers its queue *and* its agent, or when it has
//! no queue and its agent is in `lone`. What is of a flow, a case or a team is visible where a division is covered
//! whole: every queue and every person of it. Boxes of different entitlements are united, never mixed per dimension.

use crate::model::{
    contract::Data,
    entitlement::Entitlement,
    org::{DivisionIx, GroupIx, Org, QueueIx, QueueState, UserIx},
    set::{Dim, Set},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

/// More boxes than this make more clauses than any upstream wants.
pub const MAX_BOXES: usize = 6;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// Queues whose every leg is visible (for queue data: the visible queues).
    pub all: Set<QueueIx>,
    /// Queues of which only these agents' legs are visible.
    pub boxes: Vec<(Set<QueueIx>, Set<UserIx>)>,
    /// Agents whose legs without a queue are visible (for user data: the visible users).
    pub lone: Set<UserIx>,
    /// For lists of divisions, and for cases: the visible ones.
    pub divisions: Set<DivisionIx>,
    /// Flows or teams that are visible, with the division that owns each.
    pub objects: BTreeMap<Box<str>, DivisionIx>,
    /// Archived or deleted queues that the asker's own lists name; not visible, but not foreign either.
    pub dead: Set<QueueIx>,
}

/// One clause of the conjunctive form: a leg is inside when it has one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clause {
    pub queues: Set<QueueIx>,
    pub users: Set<UserIx>,
    pub no_queue: bool,
    pub objects: Set<Box<str>>,
    pub divisions: Set<DivisionIx>,
}

/// What the asker's own conjunction already says about a leg.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub queues: Option<Set<QueueIx>>,
    pub users: Option<Set<UserIx>>,
    pub divisions: Option<Set<DivisionIx>>,
    pub objects: Option<Set<Box<str>>>,
    pub no_queue: bool,
    pub some_queue: bool,
}

impl Extent {
    /// Unites what these entitlements cover. Those bound to single conversations never count here.
    pub fn of(org: &Org, data: Data, entitlements: &[Entitlement], archived: bool) -> Self {
        let mut extent = Self::default();
        let mut all = Vec::new();
        let mut lone = Vec::new();
        let mut divisions = Vec::new();
        let mut dead = Vec::new();
        for entitlement in entitlements.iter().filter(|_| data.object().is_some()) {
            let covered = covered_divisions(org, entitlement);
            extent.objects.extend(owned_objects(org, data, entitlement, &covered));
        }
        for entitlement in &together(entitlements.iter().filter(|one| one.conversations.is_any())) {
            let covered = covered_divisions(org, entitlement);
            match data {
                Data::Interaction => {
                    let queues = visible_queues(org, entitlement, &covered, archived, &mut dead);
                    match &entitlement.users {
                        Dim::Any => all.extend(queues.iter().copied()),
                        Dim::Only(users) => {
                            extent.boxes.push((queues, users.filter(|user| is_of_region(org, entitlement, *user))));
                        }
                    }
                    if entitlement.queues.is_any() {
                        lone.extend(visible_users(org, entitlement, &covered));
                    }
                }
                Data::Queue => {
                    all.extend(visible_queues(org, entitlement, &covered, archived, &mut dead).iter().copied());
                }
                Data::User | Data::Team => lone.extend(visible_users(org, entitlement, &covered)),
                Data::Flow => {}
                Data::Case if !covers_whole(entitlement) => {}
                Data::Case | Data::Division | Data::Metadata => divisions.extend(covered),
            }
        }
        extent.all = all.into_iter().collect();
        extent.lone = lone.into_iter().collect();
        extent.divisions = divisions.into_iter().collect();
        extent.dead = dead.into_iter().collect();
        extent.merge();
        extent
    }

    /// Boxes lose what `all` covers anyway; boxes equal on one side become one; absorbed ones go.
    /// Each step groups by equality, so that the order of sources never shows in the result.
    fn merge(&mut self) {
        for (queues, _) in &mut self.boxes {
            *queues = queues.difference(&self.all);
        }
        self.boxes.retain(|(queues, users)| !queues.is_empty() && !users.is_empty());
        loop {
            let before = self.boxes.clone();
            let mut by_queues: BTreeMap<Vec<QueueIx>, Set<UserIx>> = BTreeMap::new();
            for (queues, users) in self.boxes.drain(..) {
                let held = by_queues.entry(queues.as_slice().to_vec()).or_default();
                *held = held.union(&users);
            }
            let mut by_users: BTreeMap<Vec<UserIx>, Set<QueueIx>> = BTreeMap::new();
            for (queues, users) in by_queues {
                let held = by_users.entry(users.as_slice().to_vec()).or_default();
                *held = held.union(&queues.into_iter().collect());
            }
            let boxes: Vec<(Set<QueueIx>, Set<UserIx>)> =
                by_users.into_iter().map(|(users, queues)| (queues, users.into_iter().collect())).collect();
            self.boxes = boxes
                .iter()
                .filter(|one| {
                    !boxes.iter().any(|other| other != *one && one.0.is_subset(&other.0) && one.1.is_subset(&other.1))
                })
                .cloned()
                .collect();
            if self.boxes == before {
                break;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
            && self.boxes.is_empty()
            && self.lone.is_empty()
            && self.divisions.is_empty()
            && self.objects.is_empty()
    }

    /// Whether no row of this data can be inside: one of a team is of a person, too.
    pub fn shows_nothing(&self, data: Data) -> bool {
        self.is_empty() || data == Data::Team && (self.lone.is_empty() || self.objects.is_empty())
    }

    /// Every queue of which some leg may be visible.
    pub fn queues(&self) -> Set<QueueIx> {
        self.all.iter().chain(self.boxes.iter().flat_map(|(queues, _)| queues)).copied().collect()
    }

    /// A group is there for whoever sees one of its members.
    pub fn shows_group(&self, org: &Org, group: GroupIx) -> bool {
        org.group(group).members.iter().any(|user| self.lone.contains(user))
    }

    /// Every division of which some leg may be visible.
    pub fn leg_divisions(&self, org: &Org) -> Set<DivisionIx> {
        let queues = self.queues();
        let of_queues = queues.iter().map(|queue| org.queue(*queue).division);
        of_queues
            .chain(self.lone.iter().map(|user| org.user(*user).division))
            .chain(self.divisions.iter().copied())
            .collect()
    }

    /// The part of this extent in which the asker's own conjunction can hold. Leaves out only what it contradicts.
    #[must_use]
    pub fn restrict(&self, org: &Org, asked: &Asked) -> Self {
        let mut part = self.clone();
        if let Some(queues) = &asked.queues {
            part.all = part.all.intersection(queues);
            for (held, _) in &mut part.boxes {
                *held = held.intersection(queues);
            }
        }
        if asked.no_queue {
            part.all = Set::new();
            part.boxes.clear();
        }
        if asked.queues.is_some() || asked.some_queue {
            part.lone = Set::new();
        }
        if let Some(users) = &asked.users {
            for (_, held) in &mut part.boxes {
                *held = held.intersection(users);
            }
            part.lone = part.lone.intersection(users);
        }
        if let Some(divisions) = &asked.divisions {
            let here = |queue: &QueueIx| divisions.contains(&org.queue(*queue).division);
            part.all = part.all.filter(here);
            for (held, _) in &mut part.boxes {
                *held = held.filter(here);
            }
            part.lone = part.lone.filter(|user| divisions.contains(&org.user(*user).division));
            part.divisions = part.divisions.intersection(divisions);
            part.objects.retain(|_, division| divisions.contains(division));
        }
        if let Some(objects) = &asked.objects {
            part.objects.retain(|id, _| objects.contains(id));
        }
        part.merge();
        part
    }

    /// Without every part that only a user dimension could say.
    #[must_use]
    pub fn without_users(&self) -> Self {
        Self { boxes: Vec::new(), lone: Set::new(), ..self.clone() }
    }

    pub fn needs_users(&self) -> bool {
        !self.boxes.is_empty() || !self.lone.is_empty()
    }

    /// The conjunctive form: a row is visible exactly when every clause holds. Weaker clauses are left out. `None`:
    /// more boxes than fit into one query.
    pub fn clauses(&self, data: Data) -> Option<Vec<Clause>> {
        let by_user = || Clause { users: self.lone.clone(), ..Clause::default() };
        let by_object = || Clause { objects: self.objects.keys().cloned().collect(), ..Clause::default() };
        match data {
            Data::User => return Some(vec![by_user()]),
            Data::Flow => return Some(vec![by_object()]),
            Data::Team => return Some(vec![by_user(), by_object()]),
            Data::Case => return Some(vec![Clause { divisions: self.divisions.clone(), ..Clause::default() }]),
            Data::Interaction | Data::Queue | Data::Division | Data::Metadata => {}
        }
        if self.boxes.len() > MAX_BOXES {
            return None;
        }
        let mut clauses = vec![Clause { queues: self.all.clone(), ..Clause::default() }];
        for (queues, users) in &self.boxes {
            clauses = clauses
                .iter()
                .flat_map(|clause| {
                    [
                        Clause { queues: clause.queues.union(queues), ..clause.clone() },
                        Clause { users: clause.users.union(users), ..clause.clone() },
                    ]
                })
                .collect();
        }
        if !self.lone.is_empty() {
            clauses = clauses
                .iter()
                .flat_map(|clause| {
                    [
                        Clause { no_queue: true, ..clause.clone() },
                        Clause { users: clause.users.union(&self.lone), ..clause.clone() },
                    ]
                })
                .collect();
        }
        let mut kept: Vec<Clause> = Vec::with_capacity(clauses.len());
        for clause in clauses {
            if kept.iter().any(|known| known.is_within(&clause)) {
                continue;
            }
            kept.retain(|known| !clause.is_within(known));
            kept.push(clause);
        }
        Some(kept)
    }

    /// How many alternatives the disjunctive form has.
    pub fn alternatives(&self, data: Data) -> usize {
        match data {
            Data::Flow => return self.objects.len(),
            Data::Team => return self.objects.len().saturating_mul(self.lone.len()),
            Data::Case => return self.divisions.len(),
            Data::Interaction | Data::Queue | Data::User | Data::Division | Data::Metadata => {}
        }
        let boxes = self.boxes.iter().map(|(queues, users)| queues.len().saturating_mul(users.len()));
        boxes.fold(self.all.len().saturating_add(self.lone.len()), usize::saturating_add)
    }
}

impl Clause {
    fn is_within(&self, other: &Self) -> bool {
        (!self.no_queue || other.no_queue)
            && self.queues.is_subset(&other.queues)
            && self.users.is_subset(&other.users)
            && self.objects.is_subset(&other.objects)
            && self.divisions.is_subset(&other.divisions)
    }

    pub fn values(&self) -> usize {
        let named = self.queues.len() + self.users.len() + self.objects.len() + self.divisions.len();
        named + usize::from(self.no_queue)
    }
}

/// Rights that differ only in the people they name, as one: a right to each of four thousand people is not four thousand
/// readings of the same queues.
fn together<'e>(entitlements: impl Iterator<Item = &'e Entitlement>) -> Vec<Cow<'e, Entitlement>> {
    let mut groups: Vec<Vec<&Entitlement>> = Vec::new();
    let mut known = HashMap::new();
    for one in entitlements {
        let alike = (one.holder, one.region, &one.divisions, &one.queues, one.users.is_any());
        let slot = *known.entry(alike).or_insert(groups.len());
        match groups.get_mut(slot) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let united = |group: Vec<&'e Entitlement>| {
        let (first, rest) = group.split_first()?;
        if rest.is_empty() || first.users.is_any() {
            return Some(Cow::Borrowed(*first));
        }
        let named = group.iter().filter_map(|one| match &one.users {
            Dim::Only(users) => Some(users),
            Dim::Any => None,
        });
        let users = Dim::Only(named.flatten().copied().collect());
        Some(Cow::Owned(Entitlement { users, ..(*first).clone() }))
    };
    groups.into_iter().filter_map(united).collect()
}

/// Whether it covers all that its divisions own, whoever and whichever queue it went through.
pub fn covers_whole(entitlement: &Entitlement) -> bool {
    entitlement.queues.is_any() && entitlement.users.is_any() && entitlement.conversations.is_any()
}

/// Whether it covers everybody of the organisation's own in this division: nobody there is told apart by a team of it.
pub fn covers_own_people(org: &Org, entitlement: &Entitlement, division: DivisionIx) -> bool {
    entitlement.queues.is_any()
        && entitlement.conversations.is_any()
        && match &entitlement.users {
            Dim::Any => true,
            Dim::Only(list) => {
                let own = org.division(division).users.filter(|user| !org.user(*user).bpo);
                !own.is_empty() && own.is_subset(list)
            }
        }
}

/// The flows or teams, as the data has it, that these divisions own.
fn owned_objects<'o>(
    org: &'o Org,
    data: Data,
    entitlement: &'o Entitlement,
    covered: &'o [DivisionIx],
) -> impl Iterator<Item = (Box<str>, DivisionIx)> + 'o {
    let seen = move |division: &&DivisionIx| match data {
        Data::Team => covers_own_people(org, entitlement, **division),
        _ => covers_whole(entitlement),
    };
    let covered = covered.iter().filter(seen);
    let of = move |division: &DivisionIx| org.index.objects.get(&(data.object()?.into(), *division));
    covered.flat_map(move |division| of(division).into_iter().flatten().map(|id| (id.clone(), *division)))
}

/// The leaf divisions of the holder's region that an entitlement covers.
pub fn covered_divisions(org: &Org, entitlement: &Entitlement) -> Vec<DivisionIx> {
    let fits = |ix: &DivisionIx| {
        let division = org.division(*ix);
        division.leaf && division.region == entitlement.region
    };
    match &entitlement.divisions {
        Dim::Any => org.division_ixs().filter(fits).collect(),
        Dim::Only(list) => list.iter().copied().filter(fits).collect(),
    }
}

fn visible_queues(
    org: &Org,
    entitlement: &Entitlement,
    covered: &[DivisionIx],
    archived: bool,
    dead: &mut Vec<QueueIx>,
) -> Set<QueueIx> {
    let open = |ix: &QueueIx| org.open_to(*ix, entitlement.holder);
    match &entitlement.queues {
        Dim::Any => covered
            .iter()
            .flat_map(|division| org.division(*division).queues.iter().copied())
            .filter(|ix| !org.queue(*ix).restricted && open(ix))
            .collect(),
        Dim::Only(list) => list
            .iter()
            .copied()
            .filter(|ix| covered.binary_search(&org.queue(*ix).division).is_ok() && open(ix))
            .filter(|ix| {
                let counts = archived || org.queue(*ix).state == QueueState::Active;
                if !counts {
                    dead.push(*ix);
                }
                counts
            })
            .collect(),
    }
}

fn visible_users(org: &Org, entitlement: &Entitlement, covered: &[DivisionIx]) -> Vec<UserIx> {
    let ours = |user: &UserIx| is_of_region(org, entitlement, *user);
    match &entitlement.users {
        Dim::Any => {
            covered.iter().flat_map(|division| org.division(*division).users.iter().copied()).filter(ours).collect()
        }
        Dim::Only(list) => {
            let here = |user: &UserIx| covered.binary_search(&org.user(*user).division).is_ok();
            list.iter().copied().filter(ours).filter(here).collect()
        }
    }
}

/// A person may be placed, by mistake, in a division of another region than his own: then he is in no list (O03).
fn is_of_region(org: &Org, entitlement: &Entitlement, user: UserIx) -> bool {
    org.user(user).region == entitlement.region
}
