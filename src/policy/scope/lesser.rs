//! The lesser of two rights: what a scope of now gives, and rights gave that were spelt by their ids, at another time or of
//! somebody else. Trusted base: each right that comes out says no more than one of the scope's own.

use super::covers_something;
use crate::model::{
    entitlement::{Entitlement, Scope, Validity, Window},
    operation::Operation,
    org::{DivisionIx, Org, QueueIx, QueueState, UserIx},
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

/// What `scope` and `other` both give now. Masks are not lifted, and links not opened, by what is the lesser of two.
pub fn lesser(scope: &Scope, other: &Rights, operation: &Operation, org: &Org, now: Timestamp) -> Scope {
    let them = Them {
        org,
        archived: operation.archived,
        closed: other.closed.iter().map(|id| &**id).collect(),
        restricted: other.restricted.iter().map(|id| &**id).collect(),
    };
    let of_here = *other.region == *org.region(scope.region).id;
    let theirs: Vec<Their> = other.sources.iter().filter(|_| of_here).map(|right| Their::of(right, org)).collect();
    let acting: Vec<&Their> = theirs.iter().filter(|right| right.valid.acts_at(now)).collect();
    let pairs = scope.entitlements.iter().flat_map(|one| acting.iter().map(move |two| (one, *two)));
    let mut seen = HashSet::new();
    let mut entitlements: Vec<Entitlement> = Vec::new();
    for both in pairs.filter_map(|(one, two)| them.both(one, two)) {
        if seen.insert(both.clone()) {
            entitlements.push(both);
        }
    }
    let changes = entitlements.iter().filter_map(|one| one.valid.next_change(now));
    let later = theirs.iter().filter_map(|right| right.valid.next_change(now));
    let good_until = scope.good_until.into_iter().chain(changes).chain(later).min();
    Scope { entitlements, lifts: Vec::new(), openings: Vec::new(), good_until, ..scope.clone() }
}

/// Whether some right of `scope` is in none of those of `other`, as written.
pub fn says_more(scope: &Scope, other: &Scope) -> bool {
    let within = |part: &Entitlement, whole: &Entitlement| {
        part.divisions.is_within(&whole.divisions)
            && part.queues.is_within(&whole.queues)
            && part.users.is_within(&whole.users)
            && part.conversations.is_within(&whole.conversations)
            && whole.data.is_none_or(|window| part.data.is_some_and(|one| window.contains(one.from, one.until)))
    };
    scope.entitlements.iter().any(|part| !other.entitlements.iter().any(|whole| within(part, whole)))
}

/// One of their rights, with what of it is still there.
struct Their {
    divisions: Dim<DivisionIx>,
    queues: Dim<QueueIx>,
    users: Dim<UserIx>,
    conversations: Dim<Box<str>>,
    data: Option<Window>,
    valid: Validity,
}

impl Their {
    fn of(right: &Right, org: &Org) -> Self {
        Self {
            divisions: known(&right.divisions, &org.index.divisions),
            queues: known(&right.queues, &org.index.queues),
            users: known(&right.users, &org.index.users),
            conversations: match &right.conversations {
                Ids::Any => Dim::Any,
                Ids::Only(list) => Dim::Only(list.iter().cloned().collect()),
            },
            data: right.data.map(|(from, until)| Window { from, until }),
            valid: Validity { from: right.from, until: right.until },
        }
    }
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
    fn both(&self, one: &Entitlement, two: &Their) -> Option<Entitlement> {
        let mut both = Entitlement {
            divisions: one.divisions.and(&two.divisions),
            users: one.users.and(&two.users),
            conversations: one.conversations.and(&two.conversations),
            data: one.data.or(two.data),
            valid: Validity {
                from: one.valid.from.max(two.valid.from),
                until: one.valid.until.into_iter().chain(two.valid.until).min(),
            },
            ..one.clone()
        };
        if let (Some(one), Some(two)) = (one.data, two.data) {
            let (from, until) = (one.from.max(two.from), one.until.min(two.until));
            if from >= until {
                return None;
            }
            both.data = Some(Window { from, until });
        }
        both.queues = self.queues(&both, &two.queues);
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
