//! Rows of a list that are of interactions, such as evaluations: each is shown to whoever sees its interaction to the last leg,
//! as when it is read by its id. The interactions are looked at, some at a time; what is partly somebody else's is left out.

use super::{Gathered, GuardPlan, Read, Unguarded, part, rows, rows::Said};
use crate::{
    model::{
        body::Access,
        part::{SeenLeg, Sighting},
        refusal::{Code, Refusal},
    },
    query::json::Value,
    verify::Whole,
};
use std::{collections::BTreeSet, sync::Arc};

/// The longest id of an interaction.
const LONGEST: usize = 128;

impl Gathered {
    /// Interactions at which nobody has looked yet, `most` of them.
    pub fn unseen(&self, plan: &GuardPlan, most: usize) -> Vec<String> {
        let ids = self.waiting.iter().filter_map(|row| interaction(plan, row));
        let unseen: BTreeSet<&str> = ids.filter(|id| !self.looked.contains_key(*id)).collect();
        unseen.into_iter().take(most).map(str::to_owned).collect()
    }
}

impl GuardPlan {
    /// Of the interactions that this looks at, those that are there and visible to the last leg.
    pub fn see_whole_ones(&self, unguarded: &Unguarded) -> Result<Arc<[Sighting]>, Refusal> {
        let mut whole = Vec::new();
        for seen in self.see_those(None, unguarded)? {
            match seen {
                Ok(seen) => whole.push(seen),
                Err(refusal) if matches!(refusal.code, Code::ScopeOutside | Code::InteractionMixed) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(whole.into())
    }

    /// Judges what waited for this `look`, of which the second reader proved what is `whole`.
    pub fn looked(&self, mut read: Gathered, look: &Self, whole: &Whole) -> Result<Read, Refusal> {
        for id in &look.ids {
            let seen = whole.seen().iter().find(|seen| *seen.interaction == **id);
            read.looked.insert(id.as_str().into(), seen.cloned());
        }
        self.settle(read)
    }

    /// Takes the rows whose interactions were looked at out of those that wait.
    pub(super) fn judge_waiting(&self, read: &mut Gathered) {
        let (known, mut first) = (&read.looked, Vec::new());
        let mut waiting = std::mem::take(&mut read.waiting).into_iter().peekable();
        // the order of the upstream stays
        while let Some(row) = waiting.next_if(|row| interaction(self, row).is_none_or(|id| known.contains_key(id))) {
            let seen = interaction(self, &row).and_then(|id| known.get(id)?.as_ref());
            first.extend(seen.is_some_and(|seen| self.is_of_seen(&row, seen)).then_some(row));
        }
        read.waiting = waiting.collect();
        read.rows.append(&mut first);
    }

    /// A row speaks of its interaction alone, and of nobody who has no leg of it.
    fn is_of_seen(&self, row: &Value, seen: &Sighting) -> bool {
        let id = &seen.interaction;
        let among = |access, of: fn(&SeenLeg) -> Option<&str>| match rows::said(self, Some(row), access) {
            Said::Nothing => true,
            Said::Id(id) => seen.legs.iter().any(|leg| of(leg) == Some(id)),
            Said::Odd => false,
        };
        !part::speaks_of_another(row, id)
            && !part::reaches_further(row, id)
            && among(Access::Queue, |leg| leg.queue.as_deref())
            && among(Access::User, |leg| leg.user.as_deref())
    }
}

/// The interaction that a row is of, as it may stand in a list of ids.
fn interaction<'v>(plan: &GuardPlan, row: &'v Value) -> Option<&'v str> {
    let Said::Id(id) = rows::said(plan, Some(row), Access::Conversation) else { return None };
    let of_an_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'~');
    ((1..=LONGEST).contains(&id.len()) && id.bytes().all(of_an_id)).then_some(id)
}
