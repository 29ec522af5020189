//! `entries-and`: entries of a filter array, and arrays among each other, are joined by *and*.
//!
//! The witness is an interaction that satisfies one entry and not the other. Asked for both, an upstream that joins by
//! *or* shows it; one that joins by *and* shows nothing. Beside it both entries are such that the witness satisfies them.

use super::{
    ask::{Ask, Span, entry},
    sample::{Interaction, Person, Sample, array},
    trial::{Judged, Part, Trial, mark},
};
use crate::query::json::Value;

type Filters = Vec<(&'static str, Vec<serde_json::Value>)>;

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    let beside = |one: &Interaction| {
        let (queue, other) = queues(one, sample)?;
        let with =
            |queue: &str| vec![("conversationFilters", vec![id(one)]), ("segmentFilters", vec![queue_is(queue)])];
        Some((with(queue), with(other)))
    };
    let segments = |one: &Interaction| {
        let (queue, other) = queues(one, sample)?;
        let agent = *one.agents().first()?;
        let with = |entries| vec![("conversationFilters", vec![id(one)]), ("segmentFilters", entries)];
        let agent_is = entry(&[("userId", agent)]);
        Some((with(vec![queue_is(queue), agent_is]), with(vec![queue_is(queue), queue_is(other)])))
    };
    let conversations = |one: &Interaction| {
        let other = sample.interactions.iter().find(|other| other.id != one.id)?;
        let direction = (!one.direction.is_empty()).then(|| entry(&[("originatingDirection", &one.direction)]))?;
        let with = |second| vec![("conversationFilters", vec![id(one), second])];
        Some((with(direction), with(id(other))))
    };
    let lacks = "no interaction of the interval touches one queue, and somebody in it, and not another queue";
    vec![
        part("conversation details, conversationFilters beside segmentFilters", interactions(sample, beside), lacks),
        part("conversation details, entries of segmentFilters", interactions(sample, segments), lacks),
        part(
            "conversation details, entries of conversationFilters",
            interactions(sample, conversations),
            "the interval has no two interactions",
        ),
        part(
            "user details, userFilters beside presenceFilters",
            people(sample, presence),
            "nobody lacks a presence that others had that day",
        ),
        part(
            "user details, entries of userFilters",
            people(sample, two),
            "there are no two people with spans of presence that day",
        ),
    ]
}

fn part(says: &'static str, trials: Vec<Trial>, lacks: &'static str) -> Part {
    Part { says, trials, lacks }
}

fn id(one: &Interaction) -> serde_json::Value {
    entry(&[("conversationId", &one.id)])
}

fn queue_is(queue: &str) -> serde_json::Value {
    entry(&[("queueId", queue)])
}

/// A queue of the interaction, and one that others touched and it did not.
fn queues<'s>(one: &'s Interaction, sample: &'s Sample) -> Option<(&'s str, &'s str)> {
    let own = one.queues();
    let others = sample.interactions.iter().flat_map(Interaction::queues);
    Some((*own.first()?, others.into_iter().find(|queue| !own.contains(queue))?))
}

fn interactions(sample: &Sample, filters: impl Fn(&Interaction) -> Option<(Filters, Filters)>) -> Vec<Trial> {
    let trial = |one: &Interaction| {
        let (both, one_only) = filters(one)?;
        let day = Span::day_of(one.start)?;
        let asks = vec![Ask::interactions(day, &both), Ask::interactions(day, &one_only)];
        Some(judged(asks, one.id.clone(), "conversations", "conversationId"))
    };
    sample.interactions.iter().filter_map(trial).take(3).collect()
}

fn people(sample: &Sample, filters: impl Fn(&Person, &Sample) -> Option<(Filters, Filters)>) -> Vec<Trial> {
    let trial = |one: &Person| {
        let (both, one_only) = filters(one, sample)?;
        let asks = vec![Ask::people(sample.day?, &both), Ask::people(sample.day?, &one_only)];
        Some(judged(asks, one.id.clone(), "userDetails", "userId"))
    };
    sample.people.iter().filter_map(trial).take(3).collect()
}

fn user(id: &str) -> serde_json::Value {
    entry(&[("userId", id)])
}

fn presence(one: &Person, sample: &Sample) -> Option<(Filters, Filters)> {
    let had = one.presences.first()?;
    let lacked =
        sample.people.iter().flat_map(|other| &other.presences).find(|other| !one.presences.contains(*other))?;
    let with = |presence: &str| {
        vec![("userFilters", vec![user(&one.id)]), ("presenceFilters", vec![entry(&[("systemPresence", presence)])])]
    };
    Some((with(had), with(lacked)))
}

fn two(one: &Person, sample: &Sample) -> Option<(Filters, Filters)> {
    let other = sample.people.iter().find(|other| other.id != one.id)?;
    let with = |other: &str| vec![("userFilters", vec![user(&one.id), user(other)])];
    Some((with(&one.id), with(&other.id)))
}

/// Asked for both entries, the witness and nothing else; asked for one that it lacks, nothing.
fn judged(asks: Vec<Ask>, witness: String, rows: &'static str, key: &'static str) -> Trial {
    Trial::new(asks, move |answers| {
        let [both, one_only] = answers else { return Judged::unknown("an answer is missing") };
        let is_witness = |row: &Value| row.get(key).and_then(Value::as_str) == Some(&*witness);
        let (found, others) = array(both, rows).iter().partition::<Vec<_>, _>(|row| is_witness(row));
        let (lacking, name) = (array(one_only, rows).len(), mark(&witness));
        if !others.is_empty() {
            return Judged::does_not_hold(format!(
                "asked for two entries that only {name} satisfies, {} others came",
                others.len()
            ));
        }
        if lacking > 0 {
            return Judged::does_not_hold(format!(
                "asked for two entries of which {name} satisfies one and nothing both, {lacking} came"
            ));
        }
        if found.is_empty() {
            return Judged::unknown(format!("{name} was shown before and is not found by its own properties"));
        }
        Judged::holds(format!("{name} comes where it satisfies both entries, and nothing where it satisfies one"))
    })
}
