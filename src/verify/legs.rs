//! The scope as clauses, and which of them a filter entails.
//!
//! A leg is visible when its queue is in QA (queues visible with every agent), or when for some box its queue is
//! in the box's queues and its agent among the box's users, or when it has no queue and its agent is in V.
//! In conjunctive form that is one clause for each choice of one side per box:
//!
//! ```text
//! queue in QA  or  (queue in Q1 | agent in U1)  or  (queue in Q2 | agent in U2)  or  (queue missing | agent in V)
//! ```
//!
//! Only ids that the filter names can entail a clause, so each set is cut to them first: boxes that then hold the
//! same queues or the same agents are one box, and those that hold nothing are none. That loses no proof and never
//! proves more. An *or* whose parts together touch too many boxes is proved part by part.
//!
//! Clauses are numbered by their choices (bit i: the agent side of box i), and a set of clauses is one `u128`.
//! An atom entails the clauses in which it stands, an *or* what all its items entail, an *and* what any of them
//! does: one pass, linear in the filter. This is sound and not complete; what it cannot see is refused.

use super::{Unproved, filter::Node, scope::Scope};
use crate::model::{
    body::ObjectOrd,
    org::{DivisionIx, GroupIx, QueueIx, UserIx},
    set::{Dim, Set},
};
use std::{collections::HashMap, hash::Hash};

/// Choices that fit: two to the power of this many clauses are the bits of a `u128`.
const CHOICES: usize = 7;

/// `SIDE[i]`: the clauses that take the agent side of choice `i`.
const SIDE: [u128; CHOICES] = [
    0xaaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa,
    0xcccc_cccc_cccc_cccc_cccc_cccc_cccc_cccc,
    0xf0f0_f0f0_f0f0_f0f0_f0f0_f0f0_f0f0_f0f0,
    0xff00_ff00_ff00_ff00_ff00_ff00_ff00_ff00,
    0xffff_0000_ffff_0000_ffff_0000_ffff_0000,
    0xffff_ffff_0000_0000_ffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff_0000_0000_0000_0000,
];

/// What a filter must entail.
#[derive(Clone, Copy)]
pub(super) enum Goal<'a> {
    /// The leg is visible.
    Legs(&'a Scope<'a>),
    /// The row's queue is one whose figures may be seen whole.
    Queues(&'a Scope<'a>),
    /// The row's user may be seen, or the group that it is.
    Users(&'a Scope<'a>),
    /// The row's flow or team is owned by a division that may be seen whole.
    Objects(&'a Scope<'a>, ObjectOrd),
    /// The row's own division may be seen whole.
    Divisions(&'a Scope<'a>),
}

/// A clause of the scope, and the item of an *and* that implies it; `None`: the node as a whole.
pub(super) type Shown = (String, Option<usize>);

impl Goal<'_> {
    /// Shows that `node` entails every clause.
    pub(super) fn prove(self, node: &Node, at: &str) -> Result<Vec<Shown>, Unproved> {
        let mut named = Named::default();
        named.add(node);
        let clauses = match (Clauses::of(self, &named), node) {
            (Some(clauses), _) => clauses,
            (None, Node::Or(items)) if items.len() > 1 => {
                for item in items {
                    self.prove(item, at)?;
                }
                return Ok(vec![("all clauses of the scope, part by part".into(), None)]);
            }
            (None, _) => return Err(Unproved::at(at, format!("touches more than {CHOICES} separate boxes"))),
        };
        clauses.prove(node, at)
    }
}

/// The ids that a filter names as those of a leg.
#[derive(Default)]
struct Named {
    queues: Vec<QueueIx>,
    users: Vec<UserIx>,
    objects: Vec<(ObjectOrd, Box<str>)>,
    divisions: Vec<DivisionIx>,
    groups: Vec<GroupIx>,
}

impl Named {
    fn add(&mut self, node: &Node) {
        match node {
            Node::And(items) | Node::Or(items) => items.iter().for_each(|item| self.add(item)),
            Node::Queue(queue) => self.queues.push(*queue),
            Node::User(user) => self.users.push(*user),
            Node::Object(kind, id) => self.objects.push((*kind, id.clone())),
            Node::Division(division) => self.divisions.push(*division),
            Node::Group(group) => self.groups.push(*group),
            Node::NoQueue | Node::Opaque => {}
        }
    }
}

/// Every clause of a goal, by the atoms in which it stands.
struct Clauses {
    queues: HashMap<QueueIx, u128>,
    users: HashMap<UserIx, u128>,
    objects: HashMap<(ObjectOrd, Box<str>), u128>,
    divisions: HashMap<DivisionIx, u128>,
    groups: HashMap<GroupIx, u128>,
    no_queue: u128,
    /// Users of each box, for people.
    boxes: Vec<usize>,
    /// Some named agent's legs without queue are visible: one choice more.
    loose: bool,
    /// What a goal of one clause is called.
    only: Option<&'static str>,
}

type AgentBox = (Set<QueueIx>, Set<UserIx>);

impl Clauses {
    /// `None`: more choices than fit.
    fn of(goal: Goal<'_>, named: &Named) -> Option<Self> {
        let mut clauses = Self {
            queues: HashMap::new(),
            users: HashMap::new(),
            objects: HashMap::new(),
            divisions: HashMap::new(),
            groups: HashMap::new(),
            no_queue: 0,
            boxes: Vec::new(),
            loose: false,
            only: None,
        };
        match goal {
            Goal::Legs(scope) => clauses.add_legs(scope, named)?,
            Goal::Queues(scope) => {
                clauses.only = Some("queue in the visible queues");
                clauses.queues =
                    named.queues.iter().filter(|queue| scope.shows_queue(**queue)).map(|queue| (*queue, 1)).collect();
            }
            Goal::Users(scope) => {
                clauses.only = Some("user in the visible users");
                clauses.users =
                    named.users.iter().filter(|user| scope.shows_user(**user)).map(|user| (*user, 1)).collect();
                clauses.groups =
                    named.groups.iter().filter(|group| scope.shows_group(**group)).map(|group| (*group, 1)).collect();
            }
            Goal::Objects(scope, kind) => {
                clauses.only = Some("flow or team of the divisions visible whole");
                let shown = |(of, id): &&(ObjectOrd, Box<str>)| *of == kind && scope.shows_object(kind, id);
                clauses.objects = named.objects.iter().filter(shown).map(|object| (object.clone(), 1)).collect();
            }
            Goal::Divisions(scope) => {
                clauses.only = Some("division in those visible whole");
                let shown = named.divisions.iter().filter(|division| scope.shows_all_of(**division));
                clauses.divisions = shown.map(|division| (*division, 1)).collect();
            }
        }
        Some(clauses)
    }

    fn add_legs(&mut self, scope: &Scope<'_>, named: &Named) -> Option<()> {
        let queues: Set<QueueIx> = named.queues.iter().copied().collect();
        let users: Set<UserIx> = named.users.iter().copied().collect();
        let live = || scope.live.iter().copied();
        let whole = queues.filter(|queue| live().any(|e| e.users.is_any() && scope.covers_queue(e, *queue)));
        let rest = queues.difference(&whole);
        let mut boxes = Vec::new();
        for e in live() {
            let Dim::Only(list) = &e.users else { continue };
            let held = match &e.queues {
                Dim::Any => rest.filter(|queue| scope.covers_queue(e, *queue)),
                Dim::Only(list) => rest.intersection(list).filter(|queue| scope.covers_queue(e, *queue)),
            };
            boxes.push((held, users.intersection(list).filter(|user| scope.is_of_region(*user))));
        }
        let boxes = united(boxes);
        let loose = users.filter(|user| live().any(|e| scope.covers_loose_user(e, *user)));
        let mut sides = SIDE.into_iter();
        self.queues.extend(whole.iter().map(|queue| (*queue, u128::MAX)));
        for (queues, users) in &boxes {
            let side = sides.next()?;
            queues.iter().for_each(|queue| *self.queues.entry(*queue).or_default() |= !side);
            users.iter().for_each(|user| *self.users.entry(*user).or_default() |= side);
        }
        if !loose.is_empty() {
            let side = sides.next()?;
            loose.iter().for_each(|user| *self.users.entry(*user).or_default() |= side);
            self.no_queue = !side;
        }
        self.loose = !loose.is_empty();
        self.boxes = boxes.iter().map(|(_, users)| users.len()).collect();
        Some(())
    }

    fn choices(&self) -> usize {
        self.boxes.len() + usize::from(self.loose)
    }

    /// Every clause there is.
    fn all(&self) -> u128 {
        u128::MAX >> (128 - (1_u32 << self.choices()))
    }

    /// The clauses that `node` entails.
    fn entailed(&self, node: &Node) -> u128 {
        match node {
            // an empty *or* holds nowhere and an empty *and* everywhere: neither is ever taken as a proof
            Node::Or(items) if items.is_empty() => 0,
            Node::Or(items) => items.iter().fold(self.all(), |all, item| all & self.entailed(item)),
            Node::And(items) => items.iter().fold(0, |any, item| any | self.entailed(item)),
            Node::Queue(queue) => self.all() & self.queues.get(queue).copied().unwrap_or(0),
            Node::User(user) => self.all() & self.users.get(user).copied().unwrap_or(0),
            Node::Object(kind, id) => self.all() & self.objects.get(&(*kind, id.clone())).copied().unwrap_or(0),
            Node::Division(division) => self.all() & self.divisions.get(division).copied().unwrap_or(0),
            Node::Group(group) => self.all() & self.groups.get(group).copied().unwrap_or(0),
            Node::NoQueue => self.all() & self.no_queue,
            Node::Opaque => 0,
        }
    }

    fn prove(&self, node: &Node, at: &str) -> Result<Vec<Shown>, Unproved> {
        let all = self.all();
        let missing = all & !self.entailed(node);
        if missing != 0 {
            let clause = self.describe(missing.trailing_zeros());
            return Err(Unproved::at(at, format!("does not imply: {clause}")));
        }
        let Node::And(items) = node else {
            let clause = match self.choices() {
                0 => self.describe(0),
                choices => format!("all {} clauses of the scope", 1_u32 << choices),
            };
            return Ok(vec![(clause, None)]);
        };
        let mut steps = Vec::new();
        let mut left = all;
        for (place, item) in items.iter().enumerate() {
            let mut here = left & self.entailed(item);
            left &= !here;
            while here != 0 {
                steps.push((self.describe(here.trailing_zeros()), Some(place)));
                here &= here - 1;
            }
        }
        Ok(steps)
    }

    fn describe(&self, clause: u32) -> String {
        if let Some(only) = self.only {
            return only.into();
        }
        let mut parts = vec!["queue visible with every agent".to_owned()];
        for (place, users) in self.boxes.iter().enumerate() {
            parts.push(if (clause >> place) & 1 == 0 {
                format!("queue of box {}", place + 1)
            } else {
                format!("agent in {{{users} values}}")
            });
        }
        if self.loose {
            let agent = (clause >> self.boxes.len()) & 1 == 1;
            parts.push(if agent { "agent of a covered division" } else { "queue missing" }.to_owned());
        }
        parts.join(" or ")
    }
}

/// Boxes with the same queues or the same users become one, those inside another go, until nothing changes.
fn united(mut boxes: Vec<AgentBox>) -> Vec<AgentBox> {
    boxes.retain(|(queues, users)| !queues.is_empty() && !users.is_empty());
    loop {
        let before = boxes.len();
        boxes = flipped(by_first(flipped(by_first(boxes))));
        let all = boxes.clone();
        boxes.retain(|one| {
            !all.iter().any(|other| other != one && one.0.is_subset(&other.0) && one.1.is_subset(&other.1))
        });
        if boxes.len() == before {
            // in an order of its own, so that the certificate of a query is always the same
            boxes.sort_by(|one, other| one.0.as_slice().cmp(other.0.as_slice()));
            return boxes;
        }
    }
}

fn by_first<A: Ord + Clone + Hash, B: Ord + Clone>(boxes: Vec<(Set<A>, Set<B>)>) -> Vec<(Set<A>, Set<B>)> {
    let mut by: HashMap<Set<A>, Vec<B>> = HashMap::new();
    for (first, second) in boxes {
        by.entry(first).or_default().extend(second.iter().cloned());
    }
    by.into_iter().map(|(first, second)| (first, second.into_iter().collect())).collect()
}

fn flipped<A, B>(boxes: Vec<(A, B)>) -> Vec<(B, A)> {
    boxes.into_iter().map(|(first, second)| (second, first)).collect()
}
