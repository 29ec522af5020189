//! The places and people of one region, ready for making up interactions.

use super::organisation::{Organisation, Queue};
use jiff::Timestamp;
use std::collections::HashMap;

pub(super) const DAY: i64 = 86_400_000;

/// Who and what may take part in interactions, by position.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) queues: Vec<StageQueue<'a>>,
    pub(super) agents: Vec<StageAgent<'a>>,
    /// Positions of queues, each as often as it is busy.
    pub(super) busy: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct StageQueue<'a> {
    pub(super) id: &'a str,
    home: Home<'a>,
    /// Positions of agents; empty: nobody ever answers here.
    pub(super) agents: Vec<usize>,
    /// A dead queue took its last interaction here.
    pub(super) last: i64,
}

#[derive(Debug)]
pub(super) struct StageAgent<'a> {
    pub(super) id: &'a str,
    home: Home<'a>,
}

/// A division now, and another one before an instant.
#[derive(Debug)]
struct Home<'a> {
    now: &'a str,
    before: Option<(i64, &'a str)>,
}

impl<'a> Home<'a> {
    fn at(&self, time: i64) -> &'a str {
        match self.before {
            Some((moved, old)) if time < moved => old,
            _ => self.now,
        }
    }
}

impl<'a> StageQueue<'a> {
    pub(super) fn division_at(&self, time: i64) -> &'a str {
        self.home.at(time)
    }
}

impl<'a> StageAgent<'a> {
    pub(super) fn division_at(&self, time: i64) -> &'a str {
        self.home.at(time)
    }
}

impl<'a> Stage<'a> {
    pub(super) fn set(organisation: &'a Organisation, now: i64) -> Self {
        let members = organisation.members();
        let leaves: Vec<&str> = organisation.leaves().iter().map(|division| division.id.as_str()).collect();
        // the leaf before one's own, in the order of the file
        let neighbour = |division: &str| {
            let place = leaves.iter().position(|leaf| *leaf == division)?;
            leaves
                .get((place + leaves.len().saturating_sub(1)) % leaves.len())
                .copied()
                .filter(|leaf| *leaf != division)
        };
        let working: Vec<&str> = members.values().flatten().copied().collect();
        let agents: Vec<StageAgent<'a>> = organisation
            .users
            .iter()
            .filter(|user| {
                user.active && leaves.contains(&user.division.as_str()) && working.contains(&user.id.as_str())
            })
            .map(|user| {
                let before = neighbour(&user.division).filter(|_| user.moved).map(|old| (now - 12 * DAY, old));
                StageAgent { id: &user.id, home: Home { now: &user.division, before } }
            })
            .collect();
        let place: HashMap<&str, usize> = agents.iter().enumerate().map(|(place, agent)| (agent.id, place)).collect();
        let queues: Vec<StageQueue<'a>> = organisation
            .queues
            .iter()
            .filter(|queue| leaves.contains(&queue.division.as_str()))
            .map(|queue| {
                let named = members.get(queue.id.as_str()).into_iter().flatten();
                let mut own: Vec<usize> = named.filter_map(|id| place.get(id)).copied().collect();
                if own.is_empty() {
                    let neighbours = agents.iter().enumerate().filter(|(_, agent)| agent.home.now == queue.division);
                    own = neighbours.map(|(place, _)| place).collect();
                }
                let home = Home { now: &queue.division, before: moved(queue, now, neighbour(&queue.division)) };
                let last = if queue.state() == "active" { now } else { now - 12 * DAY };
                StageQueue { id: &queue.id, home, agents: own, last }
            })
            .collect();
        let weight = |queue: &StageQueue<'_>| {
            if queue.last < now { 1 } else { 1 + queue.agents.len().min(3) }
        };
        let busy = queues.iter().enumerate().flat_map(|(place, queue)| vec![place; weight(queue)]).collect();
        Self { queues, agents, busy }
    }
}

/// When and from where a queue moved: its attributes say so, else twelve days ago from the neighbour.
fn moved<'a>(queue: &'a Queue, now: i64, neighbour: Option<&'a str>) -> Option<(i64, &'a str)> {
    if !queue.moved {
        return None;
    }
    let stated = queue.attributes.get("movedAt").and_then(|at| at.parse::<Timestamp>().ok());
    let at = stated.map_or(now - 12 * DAY, Timestamp::as_millisecond);
    queue.attributes.get("movedFrom").map(String::as_str).or(neighbour).map(|old| (at, old))
}
