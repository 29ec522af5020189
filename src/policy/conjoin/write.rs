//! One clause of the scope as a dialect writes it.

use super::Site;
use crate::{
    model::{
        body::Access,
        org::{DivisionIx, QueueIx, UserIx},
        refusal::{Code, Refusal},
        set::Set,
    },
    policy::extent::Clause,
    query::{dialect, filter::Filter},
};

impl Site<'_> {
    /// One clause of the scope as this dialect writes it.
    pub(super) fn write(&self, clause: &Clause) -> Result<Filter, Refusal> {
        let mut items = Vec::new();
        if !clause.queues.is_empty() {
            items.push(self.queue_is(&clause.queues)?);
        }
        if !clause.users.is_empty() {
            items.push(self.user_is(&clause.users)?);
        }
        if !clause.objects.is_empty() {
            items.push(self.object_is(&clause.objects)?);
        }
        if !clause.divisions.is_empty() {
            items.push(self.division_is(&clause.divisions)?);
        }
        if clause.no_queue {
            items.push(self.no_queue()?);
        }
        Ok(Filter::or(items).canonical())
    }

    pub(super) fn queue_is(&self, queues: &Set<QueueIx>) -> Result<Filter, Refusal> {
        let name = self.queue.ok_or_else(|| unscopable("queue"))?;
        if let Some(attribute) = self.attribute {
            return self.is_bound_to(queues, name, attribute);
        }
        Ok(self.is_one_of(Access::Queue, name, queues.iter().map(|queue| self.org.queue(*queue).id.clone())))
    }

    /// The values that stand for these queues. One without a value of its own cannot be said.
    fn is_bound_to(&self, queues: &Set<QueueIx>, name: &str, attribute: &str) -> Result<Filter, Refusal> {
        let bound = queues.iter().map(|queue| {
            let value = self.org.bound_value(*queue, attribute)?;
            Some((self.org.queue(*queue).id.clone(), value.into()))
        });
        let bound: Vec<_> = bound.collect::<Option<_>>().ok_or_else(|| unscopable("value of each queue"))?;
        Ok(dialect::bound(self.dialect, name, bound))
    }

    pub(super) fn user_is(&self, users: &Set<UserIx>) -> Result<Filter, Refusal> {
        let name = self.user.ok_or_else(|| unscopable("user"))?;
        Ok(self.is_one_of(Access::User, name, users.iter().map(|user| self.org.user(*user).id.clone())))
    }

    pub(super) fn object_is(&self, objects: &Set<Box<str>>) -> Result<Filter, Refusal> {
        let (kind, name) = self.object.ok_or_else(|| unscopable("flow or team"))?;
        Ok(self.is_one_of(Access::Object(kind), name, objects.iter().cloned()))
    }

    pub(super) fn division_is(&self, divisions: &Set<DivisionIx>) -> Result<Filter, Refusal> {
        let name = self.division.ok_or_else(|| unscopable("division"))?;
        let ids = divisions.iter().map(|division| self.org.division(*division).id.clone());
        Ok(self.is_one_of(Access::Division, name, ids))
    }

    pub(super) fn no_queue(&self) -> Result<Filter, Refusal> {
        // A queue without a value has none either: that would say more than the missing queue.
        if self.attribute.is_some() {
            return Err(unscopable("queue"));
        }
        let name = self.queue.ok_or_else(|| unscopable("queue"))?;
        Ok(dialect::missing(self.dialect, Access::Queue, name))
    }

    pub(super) fn is_one_of(&self, access: Access, name: &str, values: impl Iterator<Item = Box<str>>) -> Filter {
        dialect::one_of(self.dialect, access, name, values.collect())
    }
}

fn unscopable(what: &str) -> Refusal {
    Refusal::new(
        Code::OperationUnscopable,
        format!("this operation has no {what} to narrow by; your rights are bound to one"),
    )
}
