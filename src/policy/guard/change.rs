//! Changes: whether every leg of the interactions that one names is the asker's, and what passes of its answer.
//!
//! Nothing that is refused here can be taken back upstream, so a refusal of an answer says that the change may have been made.

use super::{
    GuardPlan, Guarded, Unguarded,
    fields::{self, Links},
    legs,
    legs::Cutter,
    part::{self, Look, mixed},
    unreadable,
};
use crate::{
    model::{
        change::PartId,
        operation::Class,
        part::Sighting,
        refusal::{Code, Refusal},
    },
    query::json::{self, Limits, Value},
};
use std::{collections::BTreeSet, sync::Arc};

impl GuardPlan {
    /// Looks at each interaction that a change names: all of them have to be there, and all of each visible.
    pub(super) fn see_each(&self, part: Option<&PartId>, unguarded: &Unguarded) -> Result<Arc<[Sighting]>, Refusal> {
        self.see_those(part, unguarded)?.into_iter().collect()
    }

    /// What is seen of each interaction that was asked for by its id; of one that is not there, or not whole, why.
    pub(super) fn see_those(
        &self,
        part: Option<&PartId>,
        unguarded: &Unguarded,
    ) -> Result<Vec<Result<Sighting, Refusal>>, Refusal> {
        if unguarded.status != 200 {
            return Err(unreadable(format!("status {} is no interaction", unguarded.status)));
        }
        let limits = Limits::answer(self.operation.answer.max_bytes);
        let answer = json::parse_object(&unguarded.body, &limits)
            .map_err(|error| unreadable(format!("not the JSON of interactions: {error}")))?;
        let rows = match answer.at(&self.operation.answer.rows) {
            // the upstream leaves the list out when it is empty
            None => &[][..],
            Some(Value::Array(rows)) => rows.as_slice(),
            Some(_) => return Err(unreadable("the interactions are not a list".to_owned())),
        };
        let mut named = BTreeSet::new();
        let asked = rows.iter().filter(|row| legs::id(self, row).is_some_and(|id| self.ids.contains(id)));
        for row in asked.clone() {
            if !named.insert(legs::id(self, row)) {
                return Err(unreadable("an interaction came twice".to_owned()));
            }
        }
        let one = |id: &String| {
            let row = asked.clone().find(|row| legs::id(self, row) == Some(id));
            let row = row.ok_or_else(|| Refusal::outside("the upstream knows no such interaction"))?;
            self.see_whole(id, part, row)
        };
        Ok(self.ids.iter().map(one).collect())
    }

    fn see_whole(&self, id: &str, part: Option<&PartId>, row: &Value) -> Result<Sighting, Refusal> {
        let path = self.operation.answer.leg.as_ref().ok_or_else(|| unreadable("a look without legs".to_owned()))?;
        let mut look = Look { path, cutter: Cutter::new(self, path, Some(id)), legs: Vec::new(), foreign: false };
        match look.is_whole(row, 0, &mut Vec::new()) {
            Some(true) => look.collect(row, 0, &mut Vec::new()),
            Some(false) => return Err(mixed()),
            // who sees nothing of it learns nothing of it
            None => {}
        }
        if look.legs.is_empty() {
            return Err(Refusal::outside("no leg of it is visible"));
        }
        let mut named = Vec::new();
        if let Some(part) = part {
            let arrays = path.arrays.get(..=part.array).unwrap_or_default();
            collect_ids(row, arrays, &part.field, &mut named);
        }
        Ok(Sighting { interaction: id.into(), named, legs: look.legs })
    }

    /// Whether something was changed upstream when there is an answer.
    pub fn is_of_change(&self) -> bool {
        self.operation.class == Class::Write
    }

    /// A refusal of what the upstream sent, as the asker has to understand it.
    pub fn unsure_of(&self, refusal: Refusal) -> Refusal {
        if self.is_of_change() && is_unsure(&refusal) { unsure(&refusal) } else { refusal }
    }

    /// What passes of the answer to a change: listed fields, and of other interactions nothing.
    pub(super) fn changed(&self, status: u16, body: &[u8]) -> Result<Guarded, Refusal> {
        self.read_changed(status, body).map_err(|refusal| unsure(&refusal))
    }

    fn read_changed(&self, status: u16, body: &[u8]) -> Result<Guarded, Refusal> {
        if !matches!(status, 200 | 201 | 202 | 204) {
            return Err(unreadable(format!("status {status} is no answer to a change")));
        }
        if body.is_empty() {
            return Ok(Guarded::plain(status, Vec::new(), Vec::new()));
        }
        let limits = Limits::answer(self.operation.answer.max_bytes);
        let answer = json::parse_object(body, &limits)
            .map_err(|error| unreadable(format!("not the JSON of an answer: {error}")))?;
        if status == 204 {
            return Err(unreadable("204 with a body".to_owned()));
        }
        let other = |id: &str| !self.ids.contains(id);
        if !self.ids.is_empty() && part::speaks_of(&answer, &other) {
            return Err(unreadable("the answer speaks of an interaction that was not named".to_owned()));
        }
        if !self.is_asked(&answer) {
            return Err(unreadable("the answer is not about what was named".to_owned()));
        }
        let answer = fields::keep_listed(&self.operation.answer.keep, &Links::none(), answer);
        Ok(Guarded::plain(status, answer.to_bytes(), Vec::new()))
    }
}

/// The ids of the elements of one array.
fn collect_ids(value: &Value, arrays: &[Box<str>], field: &str, found: &mut Vec<Box<str>>) {
    match arrays.split_first() {
        None => found.extend(value.get(field).and_then(Value::as_str).map(Into::into)),
        Some((array, rest)) => {
            if let Some(Value::Array(items)) = value.get(array) {
                for item in items {
                    collect_ids(item, rest, field, found);
                }
            }
        }
    }
}

/// A change that was sent may have been made, whatever became of its answer.
pub fn unsure(refusal: &Refusal) -> Refusal {
    let says =
        "your change was sent, and what became of it cannot be told; it may have been made: look before you ask again";
    let cause = refusal.cause.clone().unwrap_or_default();
    let params = refusal.params.iter().filter(|(name, _)| *name == "upstream-status").cloned().collect();
    Refusal { params, ..Refusal::new(refusal.code, says).because(format!("{}; {cause}", refusal.message)) }
}

/// Whether a refusal leaves open what became of a change.
pub fn is_unsure(refusal: &Refusal) -> bool {
    let status = refusal.params.iter().find(|(name, _)| *name == "upstream-status").map(|(_, status)| &**status);
    match refusal.code {
        Code::UpstreamUnavailable | Code::UpstreamTimeout | Code::AnswerUnreadable | Code::AnswerTooLarge => true,
        // a 4xx says that nothing was done, but for the one that says it took too long
        Code::UpstreamRefused => !status.is_some_and(|status| status.starts_with('4') && status != "408"),
        _ => false,
    }
}
