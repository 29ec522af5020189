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
//! Clauses are numbered by their choices (bit i: the agent side of box i), and a set of clauses is one `u128`.
//! An atom entails the clauses in which it stands, an *or* what all its items entail, an *and* what any of them
//! does: one pass, linear in the filter. This is sound and not complete; what it cannot see is refused.

use super::{Unproved, filter::Node, scope::Scope};
use crate::model::{
    entitlement::Entitlement,
    org::{Org, UserIx},
    set::{Dim, Set},
};

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
pub(super) enum Goal<'a> {
    Legs(Legs<'a>),
    /// The row's queue is one whose figures may be seen whole.
    Queues(&'a Scope<'a>),
    /// The row's user may be seen.
    Users(&'a Scope<'a>),
}

pub(super) struct Legs<'a> {
    scope: &'a Scope<'a>,
    /// Entitlements for every agent: their queues are QA.
    whole: Vec<&'a Entitlement>,
    /// Each with the choice that it is.
    boxes: Vec<(u128, AgentBox<'a>)>,
    /// Entitlements that cover legs without queue, and their choice.
    loose: Vec<&'a Entitlement>,
    loose_side: u128,
    choices: usize,
}

/// Queues of any of these entitlements, with these users.
struct AgentBox<'a> {
    queues: Vec<&'a Entitlement>,
    users: Set<UserIx>,
}

impl<'a> Legs<'a> {
    /// The legs that are visible under the entitlements of this scope.
    pub(super) fn of(scope: &'a Scope<'a>) -> Result<Self, Unproved> {
        let counting = || scope.live.iter().copied();
        let whole = counting().filter(|e| e.users.is_any()).collect();
        let loose: Vec<_> = counting().filter(|e| e.queues.is_any()).collect();
        let boxes = merge(scope);
        let choices = boxes.len() + usize::from(!loose.is_empty());
        if choices > CHOICES {
            return Err(Unproved::at("scope", format!("{choices} separate boxes, more than {CHOICES}")));
        }
        let loose_side = SIDE.get(boxes.len()).copied().filter(|_| !loose.is_empty()).unwrap_or(0);
        let boxes = SIDE.into_iter().zip(boxes).collect();
        Ok(Self { scope, whole, boxes, loose, loose_side, choices })
    }
}

/// Boxes with the same queue side become one, then those with the same users. Those whose queues are in QA as
/// written say nothing more; leaving a box out never proves too much.
fn merge<'a>(scope: &Scope<'a>) -> Vec<AgentBox<'a>> {
    let counting = &scope.live;
    let mut by_queues: Vec<AgentBox<'a>> = Vec::new();
    for e in counting.iter().copied() {
        let Dim::Only(users) = &e.users else { continue };
        let absorbed = |whole: &&Entitlement| {
            whole.users.is_any() && within(&e.divisions, &whole.divisions) && covers_as_written(scope.org, e, whole)
        };
        if counting.iter().any(absorbed) {
            continue;
        }
        let same =
            |known: &&mut AgentBox<'a>| known.queues.iter().all(|k| k.divisions == e.divisions && k.queues == e.queues);
        match by_queues.iter_mut().find(same) {
            Some(known) => known.users = known.users.union(users),
            None => by_queues.push(AgentBox { queues: vec![e], users: users.clone() }),
        }
    }
    let mut by_users: Vec<AgentBox<'a>> = Vec::new();
    for agents in by_queues {
        match by_users.iter_mut().find(|known| known.users == agents.users) {
            Some(known) => known.queues.extend(agents.queues),
            None => by_users.push(agents),
        }
    }
    by_users
}

/// `Any` does not cover a restricted queue that a list names.
fn covers_as_written(org: &Org, part: &Entitlement, whole: &Entitlement) -> bool {
    let names_restricted =
        matches!(&part.queues, Dim::Only(list) if list.iter().any(|queue| org.queue(*queue).restricted));
    within(&part.queues, &whole.queues) && !(whole.queues.is_any() && names_restricted)
}

fn within<T: Ord + Clone>(part: &Dim<T>, whole: &Dim<T>) -> bool {
    match (part, whole) {
        (_, Dim::Any) => true,
        (Dim::Any, Dim::Only(_)) => false,
        (Dim::Only(part), Dim::Only(whole)) => part.is_subset(whole),
    }
}

impl Goal<'_> {
    /// Every clause there is.
    fn all(&self) -> u128 {
        match self {
            Self::Legs(legs) => u128::MAX >> (128 - (1_u32 << legs.choices)),
            Self::Queues(_) | Self::Users(_) => 1,
        }
    }

    /// The clauses that `node` entails.
    fn entailed(&self, node: &Node) -> u128 {
        match node {
            // an empty *or* holds nowhere and an empty *and* everywhere: neither is ever taken as a proof
            Node::Or(items) if items.is_empty() => 0,
            Node::Or(items) => items.iter().fold(self.all(), |all, item| all & self.entailed(item)),
            Node::And(items) => items.iter().fold(0, |any, item| any | self.entailed(item)),
            atom => self.all() & self.atom(atom),
        }
    }

    fn atom(&self, atom: &Node) -> u128 {
        match (self, atom) {
            (Self::Legs(legs), Node::Queue(queue)) => {
                if legs.whole.iter().any(|e| legs.scope.covers_queue(e, *queue)) {
                    return u128::MAX;
                }
                let holds = |agents: &AgentBox<'_>| agents.queues.iter().any(|e| legs.scope.covers_queue(e, *queue));
                legs.boxes.iter().filter(|(_, agents)| holds(agents)).fold(0, |set, (side, _)| set | !side)
            }
            (Self::Legs(legs), Node::User(user)) => {
                let boxed = legs.boxes.iter().filter(|(_, agents)| agents.users.contains(user));
                let loose = legs.loose.iter().any(|e| legs.scope.covers_loose_user(e, *user));
                boxed.fold(if loose { legs.loose_side } else { 0 }, |set, (side, _)| set | side)
            }
            (Self::Legs(legs), Node::NoQueue) if !legs.loose.is_empty() => !legs.loose_side,
            (Self::Queues(scope), Node::Queue(queue)) => u128::from(scope.shows_queue(*queue)),
            (Self::Users(scope), Node::User(user)) => u128::from(scope.shows_user(*user)),
            _ => 0,
        }
    }

    /// Shows that `node` entails every clause. Gives each clause with the place of the item that implies it:
    /// `Some` item of an *and*, or the node as a whole.
    pub(super) fn prove(&self, node: &Node, at: &str) -> Result<Vec<(String, Option<usize>)>, Unproved> {
        let all = self.all();
        let missing = all & !self.entailed(node);
        if missing != 0 {
            let clause = self.describe(missing.trailing_zeros());
            return Err(Unproved::at(at, format!("does not imply: {clause}")));
        }
        let Node::And(items) = node else {
            return Ok(vec![(self.describe_all(), None)]);
        };
        let mut steps: Vec<(String, Option<usize>)> = Vec::new();
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

    fn describe_all(&self) -> String {
        let Self::Legs(legs) = self else {
            return self.describe(0);
        };
        if legs.choices == 0 { self.describe(0) } else { format!("all {} clauses of the scope", 1_u32 << legs.choices) }
    }

    fn describe(&self, clause: u32) -> String {
        let legs = match self {
            Self::Queues(_) => return "queue in the visible queues".into(),
            Self::Users(_) => return "user in the visible users".into(),
            Self::Legs(legs) => legs,
        };
        let mut parts = Vec::new();
        if !legs.whole.is_empty() {
            parts.push("queue visible with every agent".to_owned());
        }
        for (place, (_, agents)) in legs.boxes.iter().enumerate() {
            parts.push(if (clause >> place) & 1 == 0 {
                format!("queue of box {}", place + 1)
            } else {
                format!("agent in {{{} values}}", agents.users.len())
            });
        }
        if !legs.loose.is_empty() {
            let agent = (clause >> legs.boxes.len()) & 1 == 1;
            parts.push(if agent { "agent of a covered division" } else { "queue missing" }.to_owned());
        }
        parts.join(" or ")
    }
}
