//! `division-of-leg`: `divisionId` in an aggregate is the division of the leg.
//!
//! The witness is an interaction that is tagged with several divisions and has a leg of a queue of one of them. Asked for
//! that queue's legs and another of the tags, an upstream that means the tags counts them.

use super::{
    ask::{Ask, Span},
    leg::{counted, groups},
    sample::{Interaction, Sample},
    trial::{Judged, Part, Trial, mark},
};
use crate::query::json::Value;
use std::collections::BTreeSet;

/// Other tags that are tried for one interaction.
const OTHERS: usize = 3;

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    vec![Part {
        says: "conversation aggregates of an interaction of several divisions",
        trials: sample.interactions.iter().filter_map(|one| trial(one, sample)).take(3).collect(),
        lacks: "no interaction of the interval is tagged with several divisions, one of them that of its queue",
    }]
}

fn trial(one: &Interaction, sample: &Sample) -> Option<Trial> {
    let (queue, home) = one.queues().into_iter().find_map(|queue| {
        let home = sample.homes.get(queue).filter(|home| one.divisions.contains(home))?;
        Some((queue.to_owned(), home.clone()))
    })?;
    let others: Vec<&String> = one.divisions.iter().filter(|division| **division != home).take(OTHERS).collect();
    if others.is_empty() {
        return None;
    }
    let span = Span::around(one.start, one.end)?;
    let legs = [("conversationId", one.id.as_str()), ("queueId", queue.as_str())];
    let with = |division: &str| {
        let [id, queue] = legs;
        Ask::numbers(span, &[id, queue, ("divisionId", division)], &["queueId"])
    };
    let mut asks = vec![with(&home), Ask::numbers(span, &legs, &["divisionId", "queueId"])];
    asks.extend(others.into_iter().map(|division| with(division)));
    let id = one.id.clone();
    Some(Trial::new(asks, move |answers| {
        let [own, divisions, others @ ..] = answers else { return Judged::unknown("an answer is missing") };
        let (name, queue) = (mark(&id), Some(queue.clone()));
        let counts = |answer| groups(answer, "queueId").contains(&queue);
        // Only the queue's own groups: whether others come is a question of its own.
        let of_queue = |row: &&Value| row.at(&["group", "queueId"]).and_then(Value::as_str) == queue.as_deref();
        let division = |row: &Value| row.at(&["group", "divisionId"]).and_then(Value::as_str).map(str::to_owned);
        let divisions: BTreeSet<_> = counted(divisions).filter(of_queue).map(division).collect();
        let own = counts(own);
        let foreign = others.iter().filter(|answer| counts(answer)).count();
        if foreign > 0 {
            return Judged::does_not_hold(format!(
                "legs of one queue of {name} count under the queue's division and under {foreign} more of the interaction"
            ));
        }
        if own && divisions.iter().any(|division| division.as_ref() != Some(&home)) {
            return Judged::does_not_hold(format!(
                "grouped by division, legs of one queue of {name} come in {} groups",
                divisions.len()
            ));
        }
        if !own || divisions.is_empty() {
            return Judged::unknown(format!("legs of a queue of {name} do not count under the queue's own division"));
        }
        Judged::holds(format!(
            "legs of one queue of {name} count under the queue's division, and under none of {} other tags",
            others.len()
        ))
    }))
}
