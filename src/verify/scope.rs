//! What the entitlements cover, worked out once more from the organisation itself.
//!
//! Nothing is listed in advance: each id that the request names is looked up and judged against every
//! entitlement that lives now.

use super::Unproved;
use crate::model::{
    body::{Access, ObjectOrd},
    contract::{Contract, Data},
    entitlement::{self, Action, Entitlement, Source},
    job::JobStep,
    org::{DivisionIx, GroupIx, Org, Principal, QueueIx, QueueState, RegionIx, UserIx},
    part::SeenLeg,
    set::Dim,
};
use jiff::Timestamp;

/// The entitlements of one holder that live now, with what is needed to judge an id by them.
pub(super) struct Scope<'a> {
    pub(super) org: &'a Org,
    pub(super) holder: Principal,
    region: RegionIx,
    action: Action,
    now: Timestamp,
    /// Dead queues that a list names count.
    archived: bool,
    /// All that live and are not for named conversations only.
    pub(super) live: Vec<&'a Entitlement>,
}

/// An id that the request names and that stands inside the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Queue(QueueIx),
    User(UserIx),
    Division(DivisionIx),
    Object(ObjectOrd),
    Group(GroupIx),
    /// Inside, and without meaning for the proof.
    Other,
}

/// Another region is open to who holds a permission that the organisation marks so, by his roles: no outsourcer, no service.
fn crossed(given: &entitlement::Scope, org: &Org, home: RegionIx) -> Result<RegionIx, Unproved> {
    let Principal::User(user) = given.holder else {
        return Err(Unproved::at("holder", "is nobody who audits other regions"));
    };
    let own = org.users.get(user.index()).is_some_and(|user| user.active && !user.bpo);
    let crosses = |source: &Source| match source {
        Source::Role { role, division, permission, .. } => {
            let held = org.assignments(given.holder).iter().any(|one| one.role == *role && one.division == *division);
            let here = org.divisions.get(division.index()).is_some_and(|one| one.region == home && one.leaf);
            let marked = org
                .roles
                .get(role.index())
                .is_some_and(|role| role.permissions.iter().any(|one| one.name == *permission && one.cross_region));
            held && here && marked
        }
        Source::Grant { .. } => false,
    };
    if own && given.region != home && given.entitlements.iter().all(|e| crosses(&e.source)) {
        return Ok(given.region);
    }
    Err(Unproved::at("scope", "is of another region, and not by an audit that crosses to it"))
}

impl<'a> Scope<'a> {
    pub(super) fn of(
        contract: &Contract,
        given: &'a entitlement::Scope,
        org: &'a Org,
        now: Timestamp,
    ) -> Result<Self, Unproved> {
        let holder = given.holder;
        let region = match holder {
            Principal::User(user) => org.users.get(user.index()).map(|user| user.region),
            Principal::Service(service) => org.services.get(service.index()).map(|service| service.region),
        };
        let home = region.ok_or_else(|| Unproved::at("holder", "not in this organisation"))?;
        let region = if contract.abroad { crossed(given, org, home)? } else { home };
        let (action, archived) = (contract.action, contract.archived);
        let mut scope = Self { org, holder, region, action, now, archived, live: Vec::new() };
        let acting: Vec<_> = given.entitlements.iter().filter(|e| scope.acts(e)).collect();
        // how far one's own job is shows no row
        let rows = !matches!(contract.job, Some((JobStep::Status | JobStep::Cancel, _)));
        if rows && acting.is_empty() {
            return Err(Unproved::at("scope", "no entitlement of this holder lives now for this action"));
        }
        scope.live = acting.into_iter().filter(|e| e.conversations.is_any()).collect();
        Ok(scope)
    }

    fn acts(&self, e: &Entitlement) -> bool {
        e.holder == self.holder
            && e.region == self.region
            && e.valid.acts_at(self.now)
            && e.actions.iter().any(|action| action.includes(self.action))
    }

    /// Whether each entitlement of the scope says no more than one of these, as written.
    pub(super) fn is_within(&self, lifting: &[Entitlement]) -> bool {
        let lifting: Vec<_> =
            lifting.iter().filter(|e| self.acts(e) && e.conversations.is_any() && e.data.is_none()).collect();
        let within = |part: &&Entitlement| lifting.iter().any(|whole| self.says_no_more(part, whole));
        !self.live.is_empty() && self.live.iter().all(within)
    }

    /// `Any` does not cover a restricted queue that a list names.
    fn says_no_more(&self, part: &Entitlement, whole: &Entitlement) -> bool {
        let queue = |ix: &QueueIx| self.org.queues.get(ix.index());
        let queues = match &part.queues {
            Dim::Any => whole.queues.is_any(),
            Dim::Only(list) => list.iter().all(|ix| {
                whole.queues.covers(ix) && (!whole.queues.is_any() || queue(ix).is_some_and(|queue| !queue.restricted))
            }),
        };
        let divisions = match (&part.divisions, &part.queues) {
            (Dim::Any, Dim::Only(list)) => {
                list.iter().all(|ix| queue(ix).is_some_and(|queue| whole.divisions.covers(&queue.division)))
            }
            (part, _) => part.is_within(&whole.divisions),
        };
        queues && divisions && part.users.is_within(&whole.users)
    }

    /// The same scope with those entitlements only that count for this question.
    pub(super) fn only(&self, counts: impl Fn(&Entitlement) -> bool) -> Self {
        Self { live: self.live.iter().copied().filter(|e| counts(e)).collect(), ..*self }
    }

    /// The same holder now, for another action: by entitlements that are given then.
    pub(super) fn doing(&self, action: Action) -> Self {
        Self { action, live: Vec::new(), ..*self }
    }

    /// Whether `e` counts for things of this division: a leaf, inside the wall, and only to be seen when shared.
    fn covers_division(&self, e: &Entitlement, division: DivisionIx) -> bool {
        self.org.divisions.get(division.index()).is_some_and(|here| {
            here.leaf
                && here.region == self.region
                && (!here.shared || self.action == Action::View)
                && e.divisions.covers(&division)
        })
    }

    /// Whether `e` opens this queue, to the agents that it covers.
    pub(super) fn covers_queue(&self, e: &Entitlement, ix: QueueIx) -> bool {
        let Some(queue) = self.org.queues.get(ix.index()) else {
            return false;
        };
        let named = match &e.queues {
            Dim::Any => !queue.restricted,
            Dim::Only(list) => list.contains(&ix) && (queue.state == QueueState::Active || self.archived),
        };
        named
            && queue.region == self.region
            && self.covers_division(e, queue.division)
            && self.org.open_to(ix, self.holder)
    }

    /// Whether `e` covers what this user did outside any queue.
    pub(super) fn covers_loose_user(&self, e: &Entitlement, ix: UserIx) -> bool {
        e.queues.is_any() && self.covers_user(e, ix)
    }

    /// Whether he works in the asker's region, wherever he is placed.
    pub(super) fn is_of_region(&self, ix: UserIx) -> bool {
        self.org.users.get(ix.index()).is_some_and(|user| user.region == self.region)
    }

    fn covers_user(&self, e: &Entitlement, ix: UserIx) -> bool {
        let Some(user) = self.org.users.get(ix.index()) else {
            return false;
        };
        user.region == self.region && e.users.covers(&ix) && self.covers_division(e, user.division)
    }

    /// One leg of an interaction, by one entitlement; those to single interactions count.
    pub(super) fn shows_leg(&self, given: &[Entitlement], interaction: &str, leg: &SeenLeg) -> bool {
        let index = &self.org.index;
        let (queue, user) = (leg.queue.as_deref(), leg.user.as_deref());
        let (queue_ix, user_ix) = (queue.map(|id| index.queues.get(id)), user.map(|id| index.users.get(id)));
        given.iter().filter(|e| self.acts(e)).any(|e| {
            let named = match &e.conversations {
                Dim::Any => true,
                Dim::Only(ids) => ids.iter().any(|id| **id == *interaction),
            };
            let in_time = e.data.is_none_or(|window| match (leg.start, leg.end) {
                (Some(start), Some(end)) => window.from <= start && end <= window.until,
                _ => false,
            });
            let place = match (queue_ix, user_ix) {
                // whoever the directory does not know is none of a list
                (Some(Some(queue)), None | Some(None)) => e.users.is_any() && self.covers_queue(e, *queue),
                (Some(Some(queue)), Some(Some(user))) => {
                    let worker = e.users.is_any() || e.users.covers(user) && self.is_of_region(*user);
                    worker && self.covers_queue(e, *queue)
                }
                (None, Some(Some(user))) => self.covers_loose_user(e, *user),
                (Some(None), _) | (None, Some(None) | None) => false,
            };
            named && in_time && place
        })
    }

    /// What this user did in this queue, by one entitlement.
    pub(super) fn covers_pair(&self, queue: QueueIx, user: UserIx) -> bool {
        self.live.iter().any(|e| {
            let worker = e.users.is_any() || e.users.covers(&user) && self.is_of_region(user);
            worker && self.covers_queue(e, queue)
        })
    }

    /// On queue data: a queue whose figures may be seen whole, so for every agent.
    pub(super) fn shows_queue(&self, ix: QueueIx) -> bool {
        self.live.iter().any(|e| e.users.is_any() && self.covers_queue(e, ix))
    }

    /// A queue of which something may be made or changed: alive, and covered with every agent.
    pub(super) fn owns_queue(&self, id: &str) -> bool {
        let known = self.org.index.queues.get(id);
        let alive = |ix: &QueueIx| self.org.queues.get(ix.index()).is_some_and(|one| one.state == QueueState::Active);
        known.is_some_and(|ix| alive(ix) && self.shows_queue(*ix))
    }

    /// A label, by the property that marks it: owned by a division in which a right was given, or all of which is covered.
    pub(super) fn owns_label(&self, mark: &str) -> bool {
        self.org.index.marks.get(mark).is_some_and(|owner| {
            self.live.iter().any(|e| {
                let given = matches!(e.source, Source::Role { division, .. } if division == *owner);
                (given || e.queues.is_any() && e.users.is_any()) && self.covers_division(e, *owner)
            })
        })
    }

    /// On user data: a user who is listed, or any of a covered division. Placed in a parent division or in another
    /// region's, he is a row to nobody, himself included.
    pub(super) fn shows_user(&self, ix: UserIx) -> bool {
        self.live.iter().any(|e| match &e.users {
            Dim::Any => self.covers_loose_user(e, ix),
            Dim::Only(_) => self.covers_user(e, ix),
        })
    }

    /// A group of people is there for whoever sees one of them.
    pub(super) fn shows_group(&self, ix: GroupIx) -> bool {
        let group = self.org.groups.get(ix.index());
        group.is_some_and(|group| group.members.iter().any(|user| self.shows_user(*user)))
    }

    /// On lists of divisions: named by a source, or within one that is bound to nothing else.
    fn shows_division(&self, ix: DivisionIx) -> bool {
        self.live.iter().any(|e| {
            let unbound = e.queues.is_any() && e.users.is_any();
            (unbound || !e.divisions.is_any()) && self.covers_division(e, ix)
        })
    }

    /// A division may be named when legs of it may be visible.
    fn may_name_division(&self, ix: DivisionIx) -> bool {
        self.live.iter().any(|e| {
            let held = |queue: &QueueIx| self.org.queues.get(queue.index()).is_some_and(|queue| queue.division == ix);
            self.covers_division(e, ix)
                && match (&e.divisions, &e.queues) {
                    (Dim::Only(_), _) | (Dim::Any, Dim::Any) => true,
                    (Dim::Any, Dim::Only(queues)) => queues.iter().any(held),
                }
        })
    }

    /// Whether all that this division owns may be seen, whoever it went through. Every queue is every open one: a division
    /// whose queues are all closed is nobody's whole.
    pub(super) fn shows_all_of(&self, ix: DivisionIx) -> bool {
        self.live.iter().any(|e| {
            let here = self.org.divisions.get(ix.index()).map(|division| &division.queues);
            self.covers_all_of(e, ix)
                && here.is_some_and(|all| all.is_empty() || all.iter().any(|queue| self.covers_queue(e, *queue)))
        })
    }

    fn covers_all_of(&self, e: &Entitlement, ix: DivisionIx) -> bool {
        e.queues.is_any() && e.users.is_any() && self.covers_division(e, ix)
    }

    /// A team is seen by those who see everybody of the organisation's own in its division, whatever else.
    pub(super) fn shows_object(&self, kind: ObjectOrd, id: &str) -> bool {
        self.org.objects.get(&(kind.into(), id.into())).is_some_and(|division| match kind {
            ObjectOrd::Team => {
                self.live.iter().any(|e| self.covers_all_of(e, *division)) || self.shows_people_of(*division)
            }
            ObjectOrd::Flow | ObjectOrd::Case | ObjectOrd::Label => self.shows_all_of(*division),
        })
    }

    fn shows_people_of(&self, ix: DivisionIx) -> bool {
        let here = self.org.divisions.get(ix.index()).map(|division| &division.users);
        let own =
            here.into_iter().flatten().filter(|user| self.org.users.get(user.index()).is_none_or(|user| !user.bpo));
        let own: Vec<&UserIx> = own.collect();
        !own.is_empty()
            && self.live.iter().any(|e| {
                e.queues.is_any() && self.covers_division(e, ix) && own.iter().all(|user| e.users.covers(user))
            })
    }

    fn may_name_user(&self, ix: UserIx) -> bool {
        let Some(user) = self.org.users.get(ix.index()) else {
            return false;
        };
        self.holder == Principal::User(ix)
            || user.region == self.region
                && self.live.iter().any(|e| match &e.users {
                    Dim::Only(list) if list.contains(&ix) => true,
                    Dim::Only(_) => user.queues.iter().any(|queue| self.covers_queue(e, *queue)),
                    Dim::Any => {
                        self.covers_division(e, user.division)
                            || user.queues.iter().any(|queue| self.covers_queue(e, *queue))
                    }
                })
    }

    /// Judges an id that stands anywhere in the request.
    pub(super) fn named(&self, access: Access, id: &str, at: &str) -> Result<Named, Unproved> {
        let index = &self.org.index;
        let inside = match access {
            Access::Queue => index
                .queues
                .get(id)
                .filter(|ix| self.live.iter().any(|e| self.covers_queue(e, **ix)))
                .map(|ix| Named::Queue(*ix)),
            Access::User => index.users.get(id).filter(|ix| self.may_name_user(**ix)).map(|ix| Named::User(*ix)),
            Access::Division => {
                index.divisions.get(id).filter(|ix| self.may_name_division(**ix)).map(|ix| Named::Division(*ix))
            }
            Access::Region => index.regions.get(id).filter(|ix| **ix == self.region).map(|_| Named::Other),
            Access::Object(ObjectOrd::Label) => self.owns_label(id).then_some(Named::Object(ObjectOrd::Label)),
            Access::Object(kind) => self.shows_object(kind, id).then_some(Named::Object(kind)),
            Access::Group => index.groups.get(id).filter(|ix| self.shows_group(**ix)).map(|ix| Named::Group(*ix)),
            // a value without its attribute says nothing
            Access::Attribute => None,
            // no directory holds conversations, whose they are is decided row by row; nor jobs, of which
            // their owner is kept; what is nobody's is read by `plain` answers alone
            Access::Conversation | Access::Job | Access::Unowned => (!id.is_empty()).then_some(Named::Other),
        };
        inside.ok_or_else(|| Unproved::at(at, format!("`{}` is outside the scope", shown(id))))
    }

    /// The queue for which a value of an attribute stands, inside the scope. What stands for several is nobody's.
    pub(super) fn bound(&self, attribute: &str, value: &str, at: &str) -> Result<QueueIx, Unproved> {
        let only = self.org.index.attributes.get(attribute).and_then(|values| values.get(value)).copied().flatten();
        only.filter(|ix| self.live.iter().any(|e| self.covers_queue(e, *ix)))
            .ok_or_else(|| Unproved::at(at, format!("`{}` stands for no queue of the scope", shown(value))))
    }

    /// Whether an entity with this id may come back whole from an operation on this data.
    pub(super) fn shows(&self, data: Data, access: Access, id: &str) -> bool {
        let index = &self.org.index;
        match (data, access) {
            (Data::Queue | Data::Metadata, Access::Queue) => {
                index.queues.get(id).is_some_and(|ix| self.shows_queue(*ix))
            }
            (Data::User, Access::Group) => index.groups.get(id).is_some_and(|ix| self.shows_group(*ix)),
            (Data::User | Data::Metadata, Access::User) => index.users.get(id).is_some_and(|ix| self.shows_user(*ix)),
            (Data::Division | Data::Metadata, Access::Division) => {
                index.divisions.get(id).is_some_and(|ix| self.shows_division(*ix))
            }
            (Data::Team, Access::Object(kind @ ObjectOrd::Team)) | (Data::Metadata, Access::Object(kind)) => {
                self.shows_object(kind, id)
            }
            _ => false,
        }
    }
}

/// An id as it may stand in a record.
fn shown(id: &str) -> String {
    id.chars().take(64).flat_map(char::escape_debug).collect()
}
