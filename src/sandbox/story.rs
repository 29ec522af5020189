//! Makes up interactions: who talked to whom, where, when. Deterministic by the generator it is given.

use super::stage::{DAY, Stage};
use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};

/// One interaction and its legs, unowned parts among them.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) originating: &'static str,
    pub(super) media: &'static str,
    pub(super) ani: u32,
    pub(super) dnis: u32,
    pub(super) mos: f64,
    pub(super) legs: Vec<Leg>,
    participants: u32,
}

/// Positions in the stage; neither queue nor agent: an unowned part.
#[derive(Debug, Default)]
pub(super) struct Leg {
    pub(super) queue: Option<usize>,
    pub(super) agent: Option<usize>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) purpose: &'static str,
    pub(super) participant: u32,
    pub(super) session: u32,
    pub(super) wrapup: Option<&'static str>,
    pub(super) measures: Measures,
}

/// What a leg counts and times, in milliseconds; `None`: it has no such metric.
#[derive(Debug, Default)]
pub(super) struct Measures {
    pub(super) offered: Option<i64>,
    pub(super) connected: Option<i64>,
    pub(super) transferred: Option<i64>,
    pub(super) abandoned: Option<i64>,
    pub(super) handle: Option<i64>,
    pub(super) talk: Option<i64>,
    pub(super) hold: Option<i64>,
    pub(super) acw: Option<i64>,
    pub(super) wait: Option<i64>,
    pub(super) abandon: Option<i64>,
    pub(super) answered: Option<i64>,
}

const MEDIA: [&str; 10] = ["voice", "voice", "voice", "voice", "voice", "chat", "chat", "email", "message", "callback"];
const WRAPUPS: [&str; 4] = ["wu-resolved", "wu-callback", "wu-sale", "wu-escalated"];
const MINUTE: i64 = 60_000;

impl Story {
    pub(super) fn invent(stage: &Stage<'_>, rng: &mut SmallRng, now: i64) -> Self {
        // everything has ended by `now`
        let mut start = now - rng.random_range(2 * 60 * MINUTE..30 * DAY);
        if rng.random_ratio(1, 50) {
            // exactly on a boundary of days, where half-open intervals show
            start -= start.rem_euclid(DAY);
            if start < now - 30 * DAY {
                start += DAY;
            }
        }
        let mut story = Self {
            start,
            end: start,
            originating: if rng.random_ratio(4, 5) { "inbound" } else { "outbound" },
            media: MEDIA.choose(rng).copied().unwrap_or("voice"),
            ani: rng.random_range(0..4_000),
            dnis: rng.random_range(0..40),
            mos: f64::from(rng.random_range(300..500_u32)) / 100.0,
            ..Self::default()
        };
        let customer = story.participant();
        story.legs.push(Leg {
            start,
            end: start,
            purpose: "customer",
            participant: customer,
            session: customer,
            ..Leg::default()
        });
        if story.media == "voice" && rng.random_ratio(1, 3) {
            let menu = story.participant();
            let end = start + rng.random_range(1_000..MINUTE);
            story.legs.push(Leg { start, end, purpose: "ivr", participant: menu, session: menu, ..Leg::default() });
            story.end = end;
        }
        // one in eighty never left the menu
        let hops = if rng.random_ratio(1, 80) { 0 } else { [1, 1, 1, 1, 2, 2, 3].choose(rng).copied().unwrap_or(1) };
        let mut queue = stage.busy.choose(rng).copied();
        for hop in 0..hops {
            if !story.hop(stage, rng, queue, hop + 1 < hops) {
                break;
            }
            queue = stage.next_queue(rng, queue);
        }
        if story.end == story.start {
            story.end += rng.random_range(1_000..2 * MINUTE);
        }
        if let Some(customer) = story.legs.first_mut() {
            customer.end = story.end;
        }
        story
    }

    fn participant(&mut self) -> u32 {
        self.participants += 1;
        self.participants
    }

    /// One stop of the interaction; `false` when it ended there.
    fn hop(&mut self, stage: &Stage<'_>, rng: &mut SmallRng, queue: Option<usize>, goes_on: bool) -> bool {
        let transferred = Some(i64::from(goes_on));
        let open = queue.filter(|place| stage.queues.get(*place).is_some_and(|queue| self.end < queue.last));
        let Some(place) = open.filter(|_| !rng.random_ratio(1, 10)) else {
            // straight to a person
            let agent = (!stage.agents.is_empty()).then(|| rng.random_range(0..stage.agents.len()));
            if agent.is_some() {
                self.talk(rng, None, agent, None, transferred);
            }
            return agent.is_some();
        };
        let waited = rng.random_range(500..6 * MINUTE / 2);
        let nobody = stage.queues.get(place).is_none_or(|queue| queue.agents.is_empty());
        let gave_up = rng.random_ratio(1, 12);
        let (start, participant) = (self.end, self.participant());
        self.end += waited;
        let measures = Measures {
            offered: Some(1),
            wait: Some(waited),
            abandoned: Some(i64::from(gave_up)),
            abandon: gave_up.then_some(waited),
            ..Measures::default()
        };
        let purpose = if nobody { "voicemail" } else { "acd" };
        let leg = Leg {
            queue: Some(place),
            start,
            end: self.end,
            purpose,
            participant,
            session: participant,
            measures,
            ..Leg::default()
        };
        self.legs.push(leg);
        if gave_up || nobody {
            return !gave_up;
        }
        let agent = stage.answers(rng, place);
        self.talk(rng, Some(place), agent, Some(waited), transferred);
        if rng.random_ratio(1, 9) {
            // a colleague is consulted; now and then the call comes back to the same person
            let colleague = if rng.random_ratio(1, 3) { agent } else { stage.answers(rng, place) };
            self.talk(rng, Some(place), colleague, None, Some(0));
        }
        true
    }

    fn talk(
        &mut self,
        rng: &mut SmallRng,
        queue: Option<usize>,
        agent: Option<usize>,
        waited: Option<i64>,
        transferred: Option<i64>,
    ) {
        let known = self.legs.iter().find(|leg| leg.agent == agent && agent.is_some()).map(|leg| leg.participant);
        // the same person is the same participant, sometimes in a session of its own
        let participant = known.unwrap_or_else(|| self.participant());
        let session = if known.is_some() && rng.random_ratio(1, 2) { self.participant() } else { participant };
        let talk = rng.random_range(2_000..9 * MINUTE);
        let hold = if rng.random_ratio(1, 4) { rng.random_range(0..2 * MINUTE) } else { 0 };
        let acw = rng.random_range(0..MINUTE);
        let (start, end) = (self.end, self.end + talk + hold + acw);
        self.end = end;
        let measures = Measures {
            connected: Some(1),
            transferred,
            handle: Some(talk + hold + acw),
            talk: Some(talk),
            hold: (hold > 0).then_some(hold),
            acw: Some(acw),
            answered: waited,
            ..Measures::default()
        };
        let wrapup = if rng.random_ratio(9, 10) { WRAPUPS.choose(rng).copied() } else { None };
        self.legs.push(Leg { queue, agent, start, end, purpose: "agent", participant, session, wrapup, measures });
    }
}

impl Stage<'_> {
    /// A member most of the time; sometimes somebody who helps out, of any division.
    fn answers(&self, rng: &mut SmallRng, queue: usize) -> Option<usize> {
        if rng.random_ratio(1, 20) {
            return Some(rng.random_range(0..self.agents.len()));
        }
        self.queues.get(queue)?.agents.choose(rng).copied()
    }

    /// Half of the transfers stay in the division.
    fn next_queue(&self, rng: &mut SmallRng, from: Option<usize>) -> Option<usize> {
        let next = self.busy.choose(rng).copied();
        let Some(division) = from.and_then(|place| self.queues.get(place)).map(|queue| queue.division_at(i64::MAX))
        else {
            return next;
        };
        if rng.random_ratio(1, 2) {
            return next;
        }
        for _ in 0..12 {
            let other = self.busy.choose(rng).copied();
            if other
                .and_then(|place| self.queues.get(place))
                .is_some_and(|queue| queue.division_at(i64::MAX) == division)
            {
                return other;
            }
        }
        next
    }
}
