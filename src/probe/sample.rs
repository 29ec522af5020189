//! What is looked at to find witnesses: some interactions, people and lists of the upstream itself.

use super::{
    Plan,
    ask::{Ask, List, Span},
    line::Line,
    recordings::{self, Recording},
};
use crate::query::json::Value;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One page of so many interactions, from the middle of a day.
const PAGE: u32 = 50;
/// On so many days of the interval.
const DAYS: i64 = 3;

#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) interactions: Vec<Interaction>,
    /// The division of each queue that was met.
    pub(super) homes: BTreeMap<String, String>,
    pub(super) people: Vec<Person>,
    /// The first ids of each list, and how many there are.
    pub(super) lists: Vec<(List, Vec<String>, i64)>,
    /// Some recordings, each with its interaction.
    pub(super) recordings: Vec<Recording>,
    /// The day that people were looked at.
    pub(super) day: Option<Span>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Interaction {
    pub(super) id: String,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) direction: String,
    pub(super) divisions: Vec<String>,
    pub(super) legs: Vec<Leg>,
}

/// A segment, with what it has of its participant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) queue: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) wrap_up: Option<String>,
    /// Such as `interact` or `wrapup`: what tells the segments of one session apart most often.
    pub(super) kind: Option<String>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) participant: usize,
    pub(super) session: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) presences: BTreeSet<String>,
}

impl Interaction {
    pub(super) fn queues(&self) -> BTreeSet<&str> {
        self.legs.iter().filter_map(|leg| leg.queue.as_deref()).collect()
    }

    pub(super) fn agents(&self) -> BTreeSet<&str> {
        self.legs.iter().filter_map(|leg| leg.agent.as_deref()).collect()
    }
}

pub(super) async fn take(line: &mut Line, plan: &Plan) -> Sample {
    let mut sample = Sample::default();
    for span in days(plan) {
        let mut page = line.ask(&Ask::page_of_interactions(span, PAGE, 1)).await.ok();
        // The first of a day are those of the night, all of one kind.
        let all = page.as_ref().and_then(|page| page.get("totalHits")?.as_i64()).unwrap_or(0);
        let middle = u64::try_from(all / i64::from(PAGE) / 2).unwrap_or(0).min(100);
        if middle > 1 {
            let later = line.ask(&Ask::page_of_interactions(span, PAGE, middle)).await.ok();
            sample.interactions.extend(page.take().iter().flat_map(interactions));
            page = later;
        }
        sample.interactions.extend(page.iter().flat_map(interactions));
    }
    let mut seen = BTreeSet::new();
    sample.interactions.retain(|one| seen.insert(one.id.clone()));
    for list in List::ALL {
        if let Ok(page) = line.ask(&list.first_page()).await {
            let total = page.get("total").and_then(Value::as_i64).unwrap_or(0);
            sample.lists.push((list, ids(&page), total));
        }
    }
    sample.homes = homes(line, &sample.interactions).await;
    sample.recordings = recordings::find(line, &sample.interactions).await;
    if let Some(span) = Span::day_of(plan.from) {
        sample.day = Some(span);
        sample.people = line.ask(&Ask::people(span, &[])).await.iter().flat_map(people).collect();
    }
    sample
}

/// The first day, one in the middle and the last.
fn days(plan: &Plan) -> Vec<Span> {
    let length = plan.until.duration_since(plan.from);
    let whole = length.as_hours() / 24;
    let mut all: Vec<Span> = Vec::new();
    for place in 0..DAYS {
        let hours = (whole - 1).max(0) * place / (DAYS - 1) * 24;
        let day = plan.from.checked_add(SignedDuration::from_hours(hours)).ok().and_then(Span::day_of);
        all.extend(day.filter(|day| !all.contains(day)));
    }
    all
}

/// Queues of interactions that touched several divisions come first: only these are asked about by division.
async fn homes(line: &mut Line, interactions: &[Interaction]) -> BTreeMap<String, String> {
    let several = interactions.iter().filter(|one| one.divisions.len() > 1);
    let mut wanted: Vec<&str> = Vec::new();
    for queue in several.flat_map(Interaction::queues) {
        if !wanted.contains(&queue) && wanted.len() < 25 {
            wanted.push(queue);
        }
    }
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let Ok(page) = line.ask(&List::Queues.of(&wanted)).await else {
        return BTreeMap::new();
    };
    let home = |queue: &Value| {
        let division = queue.at(&["division", "id"])?.as_str()?;
        Some((queue.get("id")?.as_str()?.to_owned(), division.to_owned()))
    };
    array(&page, "entities").iter().filter_map(home).collect()
}

pub(super) fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).unwrap_or_default()
}

/// A list that stands alone.
pub(super) fn array_of(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_default()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn instant(value: &Value, key: &str) -> Option<Timestamp> {
    value.get(key)?.as_str()?.parse().ok()
}

/// The ids of a list's entities.
pub(super) fn ids(page: &Value) -> Vec<String> {
    array(page, "entities").iter().filter_map(|entity| text(entity, "id")).collect()
}

/// The interactions of an answer that have ended: what still goes on may be another one tomorrow.
pub(super) fn interactions(answer: &Value) -> Vec<Interaction> {
    array(answer, "conversations").iter().filter_map(interaction).collect()
}

fn interaction(shown: &Value) -> Option<Interaction> {
    let divisions = array(shown, "divisionIds").iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
    Some(Interaction {
        id: text(shown, "conversationId")?,
        start: instant(shown, "conversationStart")?,
        end: instant(shown, "conversationEnd")?,
        direction: text(shown, "originatingDirection").unwrap_or_default(),
        divisions,
        legs: legs(shown),
    })
}

pub(super) fn legs(interaction: &Value) -> Vec<Leg> {
    let mut legs = Vec::new();
    let mut sessions = 0;
    for (participant, person) in array(interaction, "participants").iter().enumerate() {
        let agent = text(person, "userId");
        for session in array(person, "sessions") {
            sessions += 1;
            legs.extend(array(session, "segments").iter().map(|segment| Leg {
                queue: text(segment, "queueId"),
                agent: agent.clone(),
                wrap_up: text(segment, "wrapUpCode"),
                kind: text(segment, "segmentType"),
                start: instant(segment, "segmentStart"),
                end: instant(segment, "segmentEnd"),
                participant,
                session: sessions,
            }));
        }
    }
    legs
}

/// People of an answer, with the presences that they had.
pub(super) fn people(answer: &Value) -> Vec<Person> {
    let person = |shown: &Value| {
        let spans = array(shown, "primaryPresence").iter();
        Some(Person {
            id: text(shown, "userId")?,
            presences: spans.filter_map(|span| text(span, "systemPresence")).collect(),
        })
    };
    array(answer, "userDetails").iter().filter_map(person).collect()
}
