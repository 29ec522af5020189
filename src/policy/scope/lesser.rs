//! The lesser of two rights: what a scope of now gives, and rights gave that were spelt by their ids, at another time or of
//! somebody else. Trusted base: each right that comes out says no more than one of the scope's own.

use super::covers_something;
use crate::model::{
    entitlement::{Entitlement, Scope, Validity, Window},
    operation::Operation,
    org::{Org, QueueIx, QueueState},
    schedule::{Ids, Right, Rights},
    set::{Dim, Ix, Set},
};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// The rights of a scope by their ids.
pub fn spelt(scope: &Scope, org: &Org) -> Rights {
    let right = |one: &Entitlement| Right {
        divisions: ids(&one.divisions, |ix| &org.division(ix).id),
        queues: ids(&one.queues, |ix| &org.queue(ix).id),
        users: ids(&one.users, |ix| &org.user(ix).id),
        conversations: match &one.conversations {
            Dim::Any => Ids::Any,
            Dim::Only(list) => Ids::Only(list.iter().cloned().collect()),
        },
        data: one.data.map(|window| (window.from, window.until)),
        from: one.valid.from,
        until: one.valid.until,
    };
    let named = |counts: &dyn Fn(QueueIx) -> bool| {
        org.index.queues.iter().filter(|(_, ix)| counts(**ix)).map(|(id, _)| id.clone()).collect::<Set<_>>()
    };
    Rights {
        region: org.region(scope.region).id.clone(),
        sources: scope.entitlements.iter().map(right).collect(),
        closed: named(&|ix| !org.open_to(ix, scope.holder)).iter().cloned().collect(),
        restricted: named(&|ix| org.queue(ix).restricted).iter().cloned().collect(),
    }
}

fn ids<'a, T>(dim: &Dim<Ix<T>>, id: impl Fn(Ix<T>) -> &'a Box<str>) -> Ids {
    match dim {
        Dim::Any => Ids::Any,
        Dim::Only(list) => Ids::Only(list.iter().map(|ix| id(*ix).clone()).collect()),
    }
}

/// What `scope` and `other` both give. Masks are not lifted, and links not opened, by what is the lesser of two.
pub fn lesser(scope: &Scope, other: &Rights, operation: &Operation, org: &Org) -> Scope {
    let them = Them {
        org,
        archived: operation.archived,
        closed: other.closed.iter().map(|id| &**id).collect(),
        restricted: other.restricted.iter().map(|id| &**id).collect(),
    };
    let of_here = *other.region == *org.region(scope.region).id;
    let mine = scope.entitlements.iter().filter(|_| of_here);
    let pairs = mine.flat_map(|one| other.sources.iter().map(move |two| (one, two)));
    let mut entitlements: Vec<Entitlement> = Vec::new();
    for both in pairs.filter_map(|(one, two)| them.both(one, two)) {
        if !entitlements.contains(&both) {
            entitlements.push(both);
        }
    }
    let ends = entitlements.iter().filter_map(|one| one.valid.until);
    let good_until = scope.good_until.into_iter().chain(ends).min();
    Scope { entitlements, lifts: Vec::new(), openings: Vec::new(), good_until, ..scope.clone() }
}

/// Whose rights were spelt.
struct Them<'a> {
    org: &'a Org,
    /// Dead queues that a list names count.
    archived: bool,
    closed: HashSet<&'a str>,
    restricted: HashSet<&'a str>,
}

impl Them<'_> {
    fn both(&self, one: &Entitlement, two: &Right) -> Option<Entitlement> {
        let index = &self.org.index;
        let theirs = two.data.map(|(from, until)| Window { from, until });
        let mut both = Entitlement {
            divisions: one.divisions.and(&known(&two.divisions, &index.divisions)),
            users: one.users.and(&known(&two.users, &index.users)),
            conversations: match &two.conversations {
                Ids::Any => one.conversations.clone(),
                Ids::Only(list) => one.conversations.and(&Dim::Only(list.iter().cloned().collect())),
            },
            data: one.data.or(theirs),
            valid: Validity { from: one.valid.from.max(two.from), until: sooner(one.valid.until, two.until) },
            ..one.clone()
        };
        if let (Some(one), Some(two)) = (one.data, theirs) {
            let (from, until) = (one.from.max(two.from), one.until.min(two.until));
            if from >= until {
                return None;
            }
            both.data = Some(Window { from, until });
        }
        both.queues = self.queues(&both, &known(&two.queues, &index.queues));
        let some = !both.conversations.is_nothing() && covers_something(&both);
        some.then_some(both)
    }

    /// Everything is every queue that is open and not restricted, or no queue; by name a restricted one counts too.
    fn queues(&self, both: &Entitlement, theirs: &Dim<QueueIx>) -> Dim<QueueIx> {
        let org = self.org;
        let id = |ix: QueueIx| &*org.queue(ix).id;
        let open = |ix: QueueIx| !self.closed.contains(id(ix));
        let plain = |ix: QueueIx| open(ix) && !self.restricted.contains(id(ix));
        let own = |ix: QueueIx| !org.queue(ix).restricted && org.open_to(ix, both.holder);
        match (&both.queues, theirs) {
            (Dim::Only(mine), Dim::Only(theirs)) => Dim::Only(mine.filter(|ix| theirs.contains(ix) && open(*ix))),
            (Dim::Only(mine), Dim::Any) => Dim::Only(mine.filter(|ix| plain(*ix))),
            (Dim::Any, Dim::Only(theirs)) => Dim::Only(theirs.filter(|ix| open(*ix) && own(*ix))),
            (Dim::Any, Dim::Any) => {
                let here = both.leaves(org);
                let queues = || here.iter().flat_map(|leaf| org.division(*leaf).queues.iter().copied());
                if queues().filter(|ix| own(*ix)).all(plain) {
                    return Dim::Any;
                }
                // what is in no queue is lost with it: one word cannot say "every queue but these, or none"
                let counts = |ix: &QueueIx| self.archived || org.queue(*ix).state == QueueState::Active;
                Dim::Only(queues().filter(|ix| own(*ix) && plain(*ix) && counts(ix)).collect())
            }
        }
    }
}

/// Those of the ids that are still there.
fn known<T>(ids: &Ids, index: &HashMap<Box<str>, Ix<T>>) -> Dim<Ix<T>> {
    match ids {
        Ids::Any => Dim::Any,
        Ids::Only(list) => Dim::Only(list.iter().filter_map(|id| index.get(id).copied()).collect()),
    }
}

fn sooner(one: Option<Timestamp>, two: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(two).min()
}
