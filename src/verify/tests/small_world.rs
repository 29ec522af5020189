//! Random scopes and filters over a world of few legs: whatever is proved lets no hidden leg through.

use super::fixture::*;
use crate::model::{
    entitlement::Entitlement,
    org::{Principal, QueueIx, UserIx},
    set::Dim,
};
use rand::{Rng, SeedableRng, rngs::SmallRng};

#[derive(Debug, Clone, Copy)]
struct Leg {
    queue: Option<usize>,
    agent: Option<usize>,
    voice: bool,
}

const AGENTS: [&str; 4] = ["me", "ann", "bob", "eve"];

fn legs() -> Vec<Leg> {
    let some = |n: usize| std::iter::once(None).chain((0..n).map(Some));
    some(QUEUES.len())
        .flat_map(|queue| some(AGENTS.len()).map(move |agent| (queue, agent)))
        .flat_map(|(queue, agent)| [true, false].map(|voice| Leg { queue, agent, voice }))
        .collect()
}

/// The definition, word for word, on names.
fn visible(e: &Entitlement, leg: Leg) -> bool {
    let division = match (leg.queue, leg.agent) {
        (Some(queue), _) => Some(QUEUES[queue].1),
        (None, Some(agent)) => Some([PAY, PAY, CLAIMS, EUROPE][agent]),
        (None, None) => None,
    };
    let place = division.is_some_and(|d| d != EUROPE && d != ROOT && e.divisions.covers(&d));
    let queue = match leg.queue {
        None => e.queues.is_any(),
        Some(queue) => {
            let id = QUEUES[queue].0;
            let listed = e.queues.covers(&QueueIx::new(number(queue)));
            listed && id != "closed" && (id != "secret" || !e.queues.is_any()) && (id != "old" || e.queues.is_any())
        }
    };
    let agent = match leg.agent {
        None => e.users.is_any(),
        Some(agent) => e.users.covers(&UserIx::new(number(agent))),
    };
    place && queue && agent
}

#[derive(Debug)]
enum Predicate {
    Queue(usize),
    Agent(usize),
    NoQueue,
    NoAgent,
    AQueue,
    Voice,
}

impl Predicate {
    fn random(rng: &mut SmallRng) -> Self {
        match rng.random_range(0..14) {
            0..=5 => Self::Queue([0, 1, 2, 5][rng.random_range(0..4)]),
            6..=9 => Self::Agent(rng.random_range(0..3)),
            10..=11 => Self::NoQueue,
            12 => {
                if rng.random() {
                    Self::NoAgent
                } else {
                    Self::AQueue
                }
            }
            _ => Self::Voice,
        }
    }
    fn holds(&self, leg: Leg) -> bool {
        match self {
            Self::Queue(queue) => leg.queue == Some(*queue),
            Self::Agent(agent) => leg.agent == Some(*agent),
            Self::NoQueue => leg.queue.is_none(),
            Self::NoAgent => leg.agent.is_none(),
            Self::AQueue => leg.queue.is_some(),
            Self::Voice => leg.voice,
        }
    }
    fn text(&self) -> String {
        match self {
            Self::Queue(queue) => is("queueId", QUEUES[*queue].0),
            Self::Agent(agent) => is("userId", AGENTS[*agent]),
            Self::NoQueue => missing("queueId"),
            Self::NoAgent => missing("userId"),
            Self::AQueue => missing("queueId").replace("notE", "e"),
            Self::Voice => is("mediaType", "voice"),
        }
    }
}

struct Filter {
    and: bool,
    clauses: Vec<(bool, Vec<Predicate>)>,
    predicates: Vec<Predicate>,
}

impl Filter {
    fn random(rng: &mut SmallRng) -> Self {
        let some = |rng: &mut SmallRng, least: usize| {
            (0..rng.random_range(least..4)).map(|_| Predicate::random(rng)).collect::<Vec<_>>()
        };
        let clauses: Vec<_> = (0..rng.random_range(0..4)).map(|_| (rng.random(), some(rng, 1))).collect();
        let least = usize::from(clauses.is_empty());
        Self { and: rng.random(), predicates: some(rng, least), clauses }
    }
    fn holds(&self, leg: Leg) -> bool {
        let clause = |(and, items): &(bool, Vec<Predicate>)| {
            if *and { items.iter().all(|p| p.holds(leg)) } else { items.iter().any(|p| p.holds(leg)) }
        };
        let mut parts = self.clauses.iter().map(clause).chain(self.predicates.iter().map(|p| p.holds(leg)));
        if self.and { parts.all(|part| part) } else { parts.any(|part| part) }
    }
    fn text(&self) -> String {
        let kind = |and| if and { "and" } else { "or" };
        let texts = |items: &[Predicate]| items.iter().map(Predicate::text).collect::<Vec<_>>();
        let clauses: Vec<_> = self.clauses.iter().map(|(and, items)| flat(kind(*and), &texts(items))).collect();
        format!(
            r#"{{"type":"{}","clauses":[{}],"predicates":[{}]}}"#,
            kind(self.and),
            clauses.join(","),
            texts(&self.predicates).join(",")
        )
    }
}

fn random_scope(rng: &mut SmallRng) -> Vec<Entitlement> {
    let pick = |rng: &mut SmallRng, from: &[u32]| from.iter().copied().filter(|_| rng.random()).collect::<Vec<_>>();
    (0..rng.random_range(1..5))
        .map(|_| Entitlement {
            divisions: match rng.random_range(0..4) {
                0 => Dim::Any,
                1 => Dim::Only([PAY, CLAIMS].into_iter().collect()),
                _ => Dim::Only([PAY].into_iter().collect()),
            },
            queues: if rng.random_range(0..3) == 0 {
                Dim::Any
            } else {
                Dim::Only(pick(rng, &[0, 1, 2, 3, 4, 5, 6, 7]).into_iter().map(QueueIx::new).collect())
            },
            users: if rng.random() {
                Dim::Any
            } else {
                Dim::Only(pick(rng, &[0, 1, 2, 3]).into_iter().map(UserIx::new).collect())
            },
            holder: if rng.random_range(0..9) == 0 { Principal::User(ANN) } else { HOLDER },
            ..whole()
        })
        .collect()
}

#[test]
fn nothing_hidden_gets_through_what_is_proved() {
    let cases = std::env::var("BAILIWICK_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000_u64);
    let (mut proved, mut missed) = (0, 0);
    let (all, contract) = (legs(), aggregates());
    let mut rng = SmallRng::seed_from_u64(7);
    for case in 0..cases {
        let scope = random_scope(&mut rng);
        let filter = Filter::random(&mut rng);
        let mine: Vec<_> = scope.iter().filter(|e| e.holder == HOLDER).collect();
        let mut matching = all.iter().filter(|leg| filter.holds(**leg)).peekable();
        let empty = matching.peek().is_none();
        let hidden = matching.find(|leg| !mine.iter().any(|e| visible(e, **leg)));
        let text = filter.text();
        match Try::new(contract.clone(), scope.clone(), Some(&with_filter(&text))).check() {
            Ok(_) => {
                proved += 1;
                assert!(hidden.is_none(), "case {case}: {hidden:?} passes {text} under {scope:#?}");
            }
            // what matches nothing, or names something outside, is refused on other grounds
            Err(error) => {
                missed += u32::from(hidden.is_none() && !empty && error.why.contains("imply"));
            }
        }
    }
    assert!(proved > 20 * missed, "proved {proved}, missed {missed} that stay inside");
}
