//! `legs-contained`: an aggregate counts a leg only when the interval contains the whole of it.
//!
//! The witness is the only segment of a person in an interaction. Asked for an interval that ends within it, or begins
//! within it, an upstream that counts by the start, the end or an instant between counts it all the same.

use super::{
    ask::{Ask, Span},
    leg::metrics,
    sample::{Interaction, Leg, Sample, array},
    trial::{Judged, Part, Trial, mark},
};
use crate::query::json::Value;
use jiff::{SignedDuration, Timestamp, Unit};
use std::collections::BTreeSet;

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    vec![Part {
        says: "conversation aggregates over an end of the interval",
        trials: sample.interactions.iter().filter_map(trial).take(3).collect(),
        lacks: "nobody had exactly one segment of some seconds in an interaction of the interval",
    }]
}

fn trial(one: &Interaction) -> Option<Trial> {
    let agents = one.agents();
    let (agent, cut) = agents.into_iter().find_map(|agent| {
        let legs: Vec<&Leg> = one.legs.iter().filter(|leg| leg.agent.as_deref() == Some(agent)).collect();
        let [leg] = legs.as_slice() else { return None };
        Some((agent, cut(leg.start?, leg.end?)?))
    })?;
    let whole = Span::around(one.start, one.end)?;
    let (before, after) = (Span { until: cut, ..whole }, Span { from: cut, ..whole });
    let predicates = [("conversationId", one.id.as_str()), ("userId", agent)];
    let asks = [whole, before, after].map(|span| Ask::numbers(span, &predicates, &["userId"]));
    let (id, agent) = (one.id.clone(), agent.to_owned());
    Some(Trial::new(asks.into(), move |answers| {
        let [whole, before, after] = answers else { return Judged::unknown("an answer is missing") };
        let [whole, before, after] = [whole, before, after].map(|answer| of(answer, &agent));
        let (name, words) = (mark(&id), |metrics: &BTreeSet<String>| {
            metrics.iter().map(|metric| format!("`{metric}`")).collect::<Vec<_>>().join(", ")
        });
        for (part, cut) in [("ends", before), ("begins", after)] {
            if !cut.is_empty() {
                let metrics = words(&cut);
                return Judged::does_not_hold(format!(
                    "{metrics} of {name} counts although the interval {part} within it"
                ));
            }
        }
        if whole.is_empty() {
            return Judged::unknown(format!("{name} has no numbers even in an interval that contains it"));
        }
        let metrics = words(&whole);
        Judged::holds(format!("{metrics} of {name} counts in an interval that contains it, and in neither half of it"))
    }))
}

/// The metrics of somebody's group.
fn of(answer: &Value, agent: &str) -> BTreeSet<String> {
    let own = |row: &&Value| row.at(&["group", "userId"]).and_then(Value::as_str) == Some(agent);
    array(answer, "results").iter().filter(own).flat_map(metrics).collect()
}

/// A whole minute within the segment, else a whole second; an upstream may know nothing smaller.
fn cut(start: Timestamp, end: Timestamp) -> Option<Timestamp> {
    let middle = start.checked_add(SignedDuration::from_secs(end.duration_since(start).as_secs() / 2)).ok()?;
    let rounded = [Unit::Minute, Unit::Second].into_iter().filter_map(|unit| middle.round(unit).ok());
    rounded.into_iter().find(|instant| start < *instant && *instant < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_lies_within_and_is_as_round_as_can_be() {
        let between = |start: &str, end: &str| {
            let at = |text: &str| format!("2026-11-10T{text}Z").parse::<Timestamp>().unwrap();
            cut(at(start), at(end)).map(|instant| instant.to_string())
        };
        assert_eq!(between("10:00:10", "10:02:30").as_deref(), Some("2026-11-10T10:01:00Z"));
        assert_eq!(between("10:00:10", "10:00:20").as_deref(), Some("2026-11-10T10:00:15Z"));
        assert_eq!(between("10:00:10", "10:00:11"), None);
        assert_eq!(between("10:00:10", "10:00:10"), None);
        assert_eq!(between("10:00:10", "10:00:05"), None);
    }
}
