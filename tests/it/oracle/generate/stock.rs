//! Interactions, what waits in queues, and what people are doing.

use super::{Dice, HOUR, MONDAY, moment};
use crate::oracle::data::{Directory, Interaction, Leg, Time};
use std::collections::BTreeMap;

pub(super) const MEDIA: [&str; 3] = ["voice", "chat", "email"];
pub(super) const WRAP: [&str; 2] = ["done", "again"];

fn leg(dice: &mut Dice, directory: &Directory, start: Time) -> Leg {
    let queue = (!directory.queues.is_empty() && dice.percent(75)).then(|| dice.pick(&directory.queues));
    let anybody = dice.pick(&directory.users).id.clone();
    let members = queue.map(|queue| directory.members_of_queue(queue)).unwrap_or_default();
    let agent = match dice.below(100) {
        0..55 if !members.is_empty() => Some(dice.pick(&members).clone()),
        0..82 => Some(anybody),
        82..85 => Some("u-nobody-knows".to_owned()),
        _ => None,
    };
    let queue = queue.map(|queue| if dice.percent(2) { "q-nobody-knows".to_owned() } else { queue.id.clone() });
    let mut plain = BTreeMap::from([("mediaType", (*dice.pick(&MEDIA)).to_owned())]);
    plain.insert("direction", (*dice.pick(&["inbound", "outbound"])).to_owned());
    if dice.percent(60) {
        plain.insert("wrapUpCode", (*dice.pick(&WRAP)).to_owned());
    }
    let mut leg = Leg {
        queue,
        agent,
        start,
        end: start + *dice.pick(&[60, HOUR, HOUR, 2 * HOUR]),
        plain,
        handle: 1 + dice.below(1000) as i64,
        tag: None,
        region: None,
    };
    leg.region = directory.region_of_leg(&leg).map(str::to_owned);
    let moved = leg.queue.as_ref().and_then(|id| directory.queue(id)).is_some_and(|queue| queue.moved);
    leg.tag = if moved && dice.percent(60) {
        Some(dice.pick(&directory.divisions).id.clone())
    } else {
        directory.division_of(&leg).map(str::to_owned)
    };
    leg
}

/// Interactions of one to four legs over the whole organisation, other regions included.
pub(crate) fn interactions(dice: &mut Dice, directory: &Directory, count: usize) -> Vec<Interaction> {
    (0..count)
        .map(|at| {
            let start = moment(dice);
            let number = 1 + dice.below(4);
            let legs: Vec<Leg> = (0..number as Time).map(|nth| leg(dice, directory, start + nth * HOUR)).collect();
            let evaluations = if dice.percent(40) { dice.some(&legs, 1, 2) } else { vec![] };
            Interaction {
                id: format!("c-{at}"),
                start,
                end: legs.iter().map(|leg| leg.end).max().unwrap(),
                facts: BTreeMap::from([("originatingDirection", (*dice.pick(&["inbound", "outbound"])).to_owned())]),
                legs,
                evaluations,
            }
        })
        .collect()
}

/// What is going on now in each queue: one row for each queue and kind of media.
pub(crate) fn waiting(dice: &mut Dice, directory: &Directory) -> Vec<Interaction> {
    let mut all = Vec::new();
    for queue in &directory.queues {
        for media in MEDIA {
            if !dice.percent(70) {
                continue;
            }
            let mut one = leg(dice, directory, MONDAY);
            one.queue = Some(queue.id.clone());
            one.agent = None;
            one.plain = BTreeMap::from([("mediaType", media.to_owned())]);
            all.push(alone(format!("w-{}-{media}", queue.id), one));
        }
    }
    all
}

/// What each user is doing: legs without a queue.
pub(crate) fn presences(dice: &mut Dice, directory: &Directory) -> Vec<Interaction> {
    let mut all = Vec::new();
    for user in &directory.users {
        for nth in 0..=dice.below(2) {
            let at = moment(dice);
            let mut one = leg(dice, directory, at);
            one.queue = None;
            one.agent = Some(user.id.clone());
            all.push(alone(format!("p-{}-{nth}", user.id), one));
        }
    }
    all
}

fn alone(id: String, leg: Leg) -> Interaction {
    Interaction { id, start: leg.start, end: leg.end, facts: BTreeMap::new(), legs: vec![leg], evaluations: vec![] }
}
