//! `legs-contained`: an aggregate counts a leg only when the interval contains the whole of it.
//!
//! Of somebody's segments in an interaction one ends first and one begins last. An interval that ends within the former
//! contains none of them, nor does one that begins within the latter: an upstream that counts by the start, the end or an
//! instant between has numbers there all the same. That each of the two has numbers at all, an interval shows that contains
//! it and no other.

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
        lacks: "nobody had a segment of some seconds that ended before his others and one that began after them",
    }]
}

fn trial(one: &Interaction) -> Option<Trial> {
    let day = Span::around(one.start, one.end)?;
    let (agent, edges) = one.agents().into_iter().find_map(|agent| {
        let own = one.legs.iter().filter(|leg| leg.agent.as_deref() == Some(agent));
        let spans: Option<Vec<_>> = own.map(|leg: &Leg| Some((leg.start?, leg.end?))).collect();
        Some((agent, Edges::of(&spans?, day)?))
    })?;
    let predicates = [("conversationId", one.id.as_str()), ("userId", agent)];
    let until = |until| Span { until, ..day };
    let from = |from| Span { from, ..day };
    let spans = [until(edges.first.0), until(edges.first.1), from(edges.last.0), from(edges.last.1)];
    let asks = spans.map(|span| Ask::numbers_of(&METRICS, span, &predicates, &["userId"]));
    let (id, agent) = (one.id.clone(), agent.to_owned());
    Some(Trial::new(asks.into(), move |answers| {
        let [first, before, last, after] = answers else { return Judged::unknown("an answer is missing") };
        let [first, before, last, after] = [first, before, last, after].map(|answer| of(answer, &agent));
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
        if first.is_empty() || last.is_empty() {
            return Judged::unknown(format!("{name} has no numbers even in an interval that contains it"));
        }
        let metrics = words(&first.union(&last).cloned().collect());
        Judged::holds(format!("{metrics} of {name} counts in an interval that contains it, and in no part of it"))
    }))
}

/// What a leg may carry: offered and answered, and what is measured at its begin and behind its end.
const METRICS: [&str; 6] = ["nOffered", "nConnected", "tTalk", "tHandle", "tAlert", "tAcw"];

/// Two instants for each of somebody's outer segments.
#[derive(Debug, PartialEq, Eq)]
struct Edges {
    /// Until the first, his segment that ends first is whole, and no other; until the second none is.
    first: (Timestamp, Timestamp),
    /// From the first on, his segment that begins last is whole, and no other; from the second on none is.
    last: (Timestamp, Timestamp),
}

impl Edges {
    fn of(spans: &[(Timestamp, Timestamp)], day: Span) -> Option<Self> {
        let mut ends: Vec<_> = spans.iter().map(|(start, end)| (*end, *start)).collect();
        let mut starts: Vec<_> = spans.to_vec();
        ends.sort_unstable();
        starts.sort_unstable_by_key(|(start, end)| std::cmp::Reverse((*start, *end)));
        let ((end, start), (begin, until)) = (*ends.first()?, *starts.first()?);
        let whole = match ends.get(1) {
            None => day.until,
            Some((next, _)) => between(end, *next)?,
        };
        let alone = match starts.get(1) {
            None => day.from,
            Some((before, _)) => between(*before, begin)?,
        };
        Some(Self { first: (whole, between(start, end)?), last: (alone, between(begin, until)?) })
    }
}

/// The metrics of somebody's group.
fn of(answer: &Value, agent: &str) -> BTreeSet<String> {
    let own = |row: &&Value| row.at(&["group", "userId"]).and_then(Value::as_str) == Some(agent);
    array(answer, "results").iter().filter(own).flat_map(metrics).collect()
}

/// A whole minute in the middle between two instants, else a whole second; an upstream may know nothing smaller.
fn between(start: Timestamp, end: Timestamp) -> Option<Timestamp> {
    let middle = start.checked_add(SignedDuration::from_secs(end.duration_since(start).as_secs() / 2)).ok()?;
    let rounded = [Unit::Minute, Unit::Second].into_iter().filter_map(|unit| middle.round(unit).ok());
    rounded.into_iter().find(|instant| start < *instant && *instant < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-10T{text}Z").parse().unwrap()
    }

    #[test]
    fn a_cut_lies_within_and_is_as_round_as_can_be() {
        let between = |start: &str, end: &str| between(at(start), at(end)).map(|instant| instant.to_string());
        assert_eq!(between("10:00:10", "10:02:30").as_deref(), Some("2026-11-10T10:01:00Z"));
        assert_eq!(between("10:00:10", "10:00:20").as_deref(), Some("2026-11-10T10:00:15Z"));
        assert_eq!(between("10:00:10", "10:00:11"), None);
        assert_eq!(between("10:00:10", "10:00:10"), None);
        assert_eq!(between("10:00:10", "10:00:05"), None);
    }

    /// As a call has it: it rings, is spoken, held, spoken, and wrapped up.
    #[test]
    fn outer_segments_are_told_apart_from_the_others() {
        let day = Span { from: at("00:00:00"), until: at("23:00:00") };
        let spans = |all: &[(&str, &str)]| all.iter().map(|(start, end)| (at(start), at(end))).collect::<Vec<_>>();
        let call = spans(&[
            ("10:00:00", "10:00:08"),
            ("10:00:08", "10:03:00"),
            ("10:03:00", "10:03:30"),
            ("10:03:30", "10:05:00"),
            ("10:05:00", "10:06:00"),
        ]);
        let found = Edges::of(&call, day).unwrap();
        assert_eq!(found.first, (at("10:02:00"), at("10:00:04")));
        assert_eq!(found.last, (at("10:04:00"), at("10:05:30")));
        let contained = |from, until| call.iter().filter(|(start, end)| from <= *start && *end <= until).count();
        assert_eq!([contained(day.from, found.first.0), contained(day.from, found.first.1)], [1, 0]);
        assert_eq!([contained(found.last.0, day.until), contained(found.last.1, day.until)], [1, 0]);
        // one alone is both
        let one = Edges::of(&spans(&[("10:00:00", "10:02:00")]), day).unwrap();
        assert_eq!((one.first, one.last), ((day.until, at("10:01:00")), (day.from, at("10:01:00"))));
        // two that end or begin together, or that last no time
        for none in [
            [("10:00:00", "10:02:00"), ("10:01:00", "10:02:00")],
            [("10:00:00", "10:02:00"), ("10:00:00", "10:03:00")],
            [("10:00:00", "10:00:00"), ("10:01:00", "10:03:00")],
        ] {
            assert_eq!(Edges::of(&spans(&none), day), None, "{none:?}");
        }
        assert_eq!(Edges::of(&[], day), None);
    }
}
