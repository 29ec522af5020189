//! `same-segment`: all predicates of one segment filter entry hold on the same segment.
//!
//! The witness is an interaction with two segments, each of which has one of two values, and none that has both. Asked
//! for both values in one entry, an upstream that looks for each on a segment of its own shows it.

use super::{
    ask::{Ask, Span, entry},
    sample::{Interaction, Leg, Sample, array, legs},
    trial::{Judged, Part, Trial, mark},
};
use crate::query::json::Value;

/// Two of them, in every combination.
const PAIRS: [(&str, &str); 6] = [
    ("queueId", "userId"),
    ("queueId", "wrapUpCode"),
    ("userId", "wrapUpCode"),
    ("queueId", "segmentType"),
    ("userId", "segmentType"),
    ("wrapUpCode", "segmentType"),
];

/// How near each other the two segments stand: in one session, of one participant, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Session,
    Participant,
    Apart,
}

/// Two values, by their dimensions, and whether an interaction's segments have them together.
type Pair<'s> = [(&'static str, &'s str); 2];

#[derive(Debug)]
struct Witness<'s> {
    interaction: &'s Interaction,
    nearness: Nearness,
    apart: Pair<'s>,
    /// Values of the same dimensions that one segment has.
    together: Pair<'s>,
    /// Interactions of the sample that have both values somewhere: the fewer, the surer the answer is complete.
    company: usize,
}

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    let mut witnesses: Vec<Witness<'_>> = sample.interactions.iter().flat_map(|one| apart(one, sample)).collect();
    witnesses.sort_by_key(|witness| (witness.nearness, witness.company));
    let level = |nearness: Nearness, says: &'static str| Part {
        says,
        trials: witnesses.iter().filter(|one| one.nearness == nearness).filter_map(trial).take(3).collect(),
        lacks: "no interaction of the interval has two values on two segments and on none together",
    };
    let levels = [
        level(Nearness::Session, "conversation details, two segments of one session"),
        level(Nearness::Participant, "conversation details, two sessions of one participant"),
        level(Nearness::Apart, "conversation details, two participants of one interaction"),
    ];
    let mut found: Vec<Part> = levels.into_iter().filter(|part| !part.trials.is_empty()).collect();
    if found.is_empty() {
        found.push(level(Nearness::Apart, "conversation details, segments of one interaction"));
    }
    found
}

fn value<'l>(leg: &'l Leg, dimension: &str) -> Option<&'l str> {
    match dimension {
        "queueId" => leg.queue.as_deref(),
        "userId" => leg.agent.as_deref(),
        "segmentType" => leg.kind.as_deref(),
        _ => leg.wrap_up.as_deref(),
    }
}

fn has_both(legs: &[Leg], pair: &Pair<'_>) -> bool {
    legs.iter().any(|leg| pair.iter().all(|(dimension, wanted)| value(leg, dimension) == Some(wanted)))
}

fn apart<'s>(interaction: &'s Interaction, sample: &'s Sample) -> Vec<Witness<'s>> {
    let mut found: Vec<Witness<'s>> = Vec::new();
    for (one, other) in PAIRS {
        let all = || interaction.legs.iter();
        let together = all().find_map(|leg| Some([(one, value(leg, one)?), (other, value(leg, other)?)]));
        let Some(together) = together else { continue };
        for (here, there) in all().flat_map(|here| all().map(move |there| (here, there))) {
            let (Some(left), Some(right)) = (value(here, one), value(there, other)) else { continue };
            let apart = [(one, left), (other, right)];
            if has_both(&interaction.legs, &apart) || found.iter().any(|known| known.apart == apart) {
                continue;
            }
            let nearness = match (here.session == there.session, here.participant == there.participant) {
                (true, _) => Nearness::Session,
                (_, true) => Nearness::Participant,
                _ => Nearness::Apart,
            };
            let has = |other: &&Interaction| {
                apart
                    .iter()
                    .all(|(dimension, wanted)| other.legs.iter().any(|leg| value(leg, dimension) == Some(wanted)))
            };
            let company = sample.interactions.iter().filter(has).count();
            found.push(Witness { interaction, nearness, apart, together, company });
        }
    }
    found
}

fn trial(witness: &Witness<'_>) -> Option<Trial> {
    let day = Span::day_of(witness.interaction.start)?;
    let ask = |pair: &Pair<'_>| Ask::interactions(day, &[("segmentFilters", vec![entry(pair)])]);
    let owned = |pair: &Pair<'_>| pair.map(|(dimension, value)| (dimension, value.to_owned()));
    let (apart, together) = (owned(&witness.apart), owned(&witness.together));
    let id = witness.interaction.id.clone();
    Some(Trial::new(vec![ask(&witness.together), ask(&witness.apart)], move |answers| {
        let [control, asked] = answers else { return Judged::unknown("an answer is missing") };
        let name = mark(&id);
        for (answer, pair) in [(control, &together), (asked, &apart)] {
            let pair = [(pair[0].0, &*pair[0].1), (pair[1].0, &*pair[1].1)];
            let rows = array(answer, "conversations");
            let wrong = rows.iter().filter(|row| !has_both(&legs(row), &pair)).count();
            if wrong > 0 {
                let [(one, _), (other, _)] = pair;
                return Judged::does_not_hold(format!(
                    "asked for `{one}` and `{other}` in one entry, {wrong} of {} interactions have no segment with both",
                    rows.len()
                ));
            }
        }
        if array(control, "conversations").is_empty() {
            return Judged::unknown(format!(
                "{name} was shown before and is not found by what one of its segments has"
            ));
        }
        let rows = array(asked, "conversations").len();
        if rows > 0 && asked.get("totalHits").and_then(Value::as_i64) != i64::try_from(rows).ok() {
            return Judged::unknown(format!(
                "more interactions than one page were found, so that {name} may be on another"
            ));
        }
        let [(one, _), (other, _)] = apart;
        Judged::holds(format!("{name} has the `{one}` and the `{other}` on two segments, and is not found by both"))
    }))
}
