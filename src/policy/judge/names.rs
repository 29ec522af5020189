//! Each kind of name against the scope: queues, people, divisions, regions.

use super::{Judge, Verdict, cross_region, stale};
use crate::model::{
    contract::Data,
    entitlement::Entitlement,
    operation::StaticDead,
    org::{DivisionIx, GroupIx, Principal, QueueIx, QueueState, UserIx},
    refusal::{Echo, Notice, Refusal},
    set::{Dim, Set},
};

impl Judge<'_> {
    pub(super) fn queue(&mut self, value: &str, named: &Set<QueueIx>) -> Result<Verdict, Refusal> {
        let Some(queue) = self.org.index.queues.get(value).copied() else {
            return self.outside(value, "no such queue");
        };
        let held = self.org.queue(queue);
        if self.extent.dead.contains(&queue) {
            return Ok(Verdict::Dead);
        }
        if !self.queues.contains(&queue) {
            if held.state != QueueState::Active && self.was_own(queue) {
                return Ok(Verdict::Dead);
            }
            return self.outside(value, "a queue outside the scope");
        }
        if held.state == QueueState::Active {
            return Ok(Verdict::Inside);
        }
        // A list that names every visible queue of the division is not a stale static list: it is what was sent for "all".
        let carried = self.operation.carried_attribute();
        let sayable = |queue: QueueIx| carried.is_none_or(|name| self.org.bound_value(queue, name).is_some());
        let visible = self.queues.filter(|other| self.org.queue(*other).division == held.division && sayable(*other));
        Ok(if visible.is_subset(named) { Verdict::Inside } else { Verdict::Dead })
    }

    /// Whether this queue would be the asker's by membership if it were alive: a stale list of his own is no secret to him.
    fn was_own(&self, queue: QueueIx) -> bool {
        let Principal::User(me) = self.scope.holder else { return false };
        let (me, held) = (self.org.user(me), self.org.queue(queue));
        let member = if held.restricted { &me.named_queues } else { &me.queues };
        let here = |entitlement: &Entitlement| matches!(&entitlement.divisions, Dim::Only(divisions) if divisions.contains(&held.division));
        member.contains(&queue)
            && self.org.open_to(queue, self.scope.holder)
            && self.scope.entitlements.iter().any(here)
    }

    /// Whether a dead queue is one of the scope as it is derived today, so that speaking of it can be proved.
    pub(super) fn counts(&self, value: &str) -> bool {
        let known = self.org.index.queues.get(value);
        known.is_some_and(|queue| self.extent.dead.contains(queue) || self.queues.contains(queue))
    }

    pub(super) fn dead(&mut self, value: &str) -> Result<(), Refusal> {
        match self.operation.static_dead {
            StaticDead::Drop => {
                self.notices.push(Notice::new(
                    "query.dead-queue",
                    format!("queue `{value}` was archived or deleted and is left out"),
                ));
                Ok(())
            }
            StaticDead::Refuse => Err(stale(value)),
        }
    }

    pub(super) fn user(&mut self, value: &str) -> Result<Verdict, Refusal> {
        let Some(user) = self.org.index.users.get(value).copied() else {
            return self.outside(value, "no such user");
        };
        if self.org.user(user).region != self.scope.region {
            return self.outside(value, "a user of another region");
        }
        // A person in a parent division, or in one of another region, is a row to nobody, himself included.
        let placed = self.org.division(self.org.user(user).division);
        if matches!(self.operation.contract.data, Data::User | Data::Team)
            && !(placed.leaf && placed.region == self.scope.region)
        {
            return self.outside(value, "a user of a parent division, or of a division of another region");
        }
        if self.may_name(user) { Ok(Verdict::Inside) } else { self.outside(value, "a user outside the scope") }
    }

    /// Somebody listed, somebody of a division covered with every user, or a member of a wholly visible queue.
    /// Read off the entitlements: the extent forgets a list that another source absorbs.
    fn may_name(&self, user: UserIx) -> bool {
        let data = self.operation.contract.data;
        let held = self.org.user(user);
        let opens = |entitlement: &Entitlement| {
            let names = match (&entitlement.users, &entitlement.divisions) {
                (Dim::Only(list), _) => list.contains(&user),
                (Dim::Any, Dim::Only(list)) => list.contains(&held.division),
                (Dim::Any, Dim::Any) => false,
            };
            names && self.reaches(entitlement) && entitlement.conversations.is_any()
        };
        self.scope.entitlements.iter().any(opens)
            || (data == Data::Interaction && held.queues.iter().any(|queue| self.extent.all.contains(queue)))
    }

    /// A list of queues that are all closed to the asker covers nothing, so it opens no names.
    fn reaches(&self, entitlement: &Entitlement) -> bool {
        match &entitlement.queues {
            Dim::Any => true,
            Dim::Only(list) => list.iter().any(|queue| self.org.open_to(*queue, self.scope.holder)),
        }
    }

    /// A flow or a team of a division that is covered whole.
    pub(super) fn object(&mut self, value: &str) -> Result<Verdict, Refusal> {
        if self.extent.objects.contains_key(value) {
            return Ok(Verdict::Inside);
        }
        self.outside(value, "nothing of this kind is inside the scope")
    }

    /// Groups are made of people: only where people are what is read does one of them open it.
    pub(super) fn group(&mut self, value: &str) -> Result<Verdict, Refusal> {
        let shown = |group: &GroupIx| self.extent.shows_group(self.org, *group);
        if self.operation.contract.data == Data::User && self.org.index.groups.get(value).is_some_and(shown) {
            return Ok(Verdict::Inside);
        }
        self.outside(value, "a group without a visible member")
    }

    pub(super) fn division(&mut self, value: &str) -> Result<(), Refusal> {
        let Some(ix) = self.org.index.divisions.get(value).copied() else {
            return Err(Refusal::outside(format!("`{}`: no such division", Echo(value))));
        };
        let division = self.org.division(ix);
        if division.region != self.scope.region {
            return Err(cross_region(format!("`{}`: a division of another region", Echo(value))));
        }
        if !division.leaf {
            return Err(self.parent_scan());
        }
        if self.is_covered(ix) {
            Ok(())
        } else {
            Err(Refusal::outside(format!("`{}`: a division outside the scope", Echo(value))))
        }
    }

    fn is_covered(&self, division: DivisionIx) -> bool {
        self.divisions.contains(&division)
            || self.scope.entitlements.iter().any(|entitlement| {
                matches!(&entitlement.divisions, Dim::Only(list) if list.contains(&division))
                    && self.reaches(entitlement)
            })
    }

    pub(super) fn region(&self, value: &str) -> Result<(), Refusal> {
        if *self.org.region(self.scope.region).id == *value {
            Ok(())
        } else {
            Err(cross_region(format!("`{}`: another region", Echo(value))))
        }
    }
}
