//! What was asked, joined with a scope: says exactly both, leg by leg, and keeps to its limits.

use bailiwick::{
    directory,
    model::{
        body::{Access, Dialect},
        contract::Data,
        org::{Org, QueueIx, UserIx},
        refusal::{Code, Refusal},
        set::Set,
    },
    policy::{conjoin::Site, extent::Extent},
    query::{
        dialect,
        filter::{Atom, Filter, Join, Term},
    },
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// Two divisions, of which each has a queue that moved: its rows may still carry the other's tag.
const DIRECTORY: &str = r#"{
    "version": "joined",
    "regions": [{ "id": "r", "upstream": "http://127.0.0.1:1" }],
    "divisions": [{ "id": "root", "region": "r" }, { "id": "a", "parent": "root", "region": "r" }, { "id": "b", "parent": "root", "region": "r" }],
    "users": [{ "id": "ua", "division": "a", "region": "r" }, { "id": "ub", "division": "b", "region": "r" }],
    "queues": [
        { "id": "a1", "division": "a" }, { "id": "a2", "division": "a", "moved": true }, { "id": "a3", "division": "a" },
        { "id": "b1", "division": "b" }, { "id": "b2", "division": "b", "moved": true }, { "id": "b3", "division": "b" }
    ]
}"#;
const DIVISIONS: [&str; 2] = ["a", "b"];
const QUEUES: [&str; 6] = ["a1", "a2", "a3", "b1", "b2", "b3"];
const USERS: [&str; 2] = ["ua", "ub"];

fn org() -> Org {
    directory::load(DIRECTORY, "directory.json", "2026-11-20T00:00:00Z".parse().unwrap()).unwrap()
}

/// One leg, with the tag that it carries and whether it is voice, which is nobody's business.
#[derive(Debug, Clone, Copy)]
struct Leg {
    queue: Option<&'static str>,
    user: Option<&'static str>,
    tag: Option<&'static str>,
    voice: bool,
}

impl Leg {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for queue in QUEUES.iter().copied().map(Some).chain([None]) {
            for user in USERS.iter().copied().map(Some).chain([None]) {
                for voice in [true, false] {
                    let leg = Self { queue, user, tag: None, voice };
                    let moved = queue.is_some_and(|queue| queue.ends_with('2'));
                    let tags = DIVISIONS.iter().copied().filter(|tag| moved || Some(*tag) == leg.division());
                    let before = all.len();
                    all.extend(tags.map(|tag| Self { tag: Some(tag), ..leg }));
                    if all.len() == before {
                        all.push(leg);
                    }
                }
            }
        }
        all
    }

    /// Of its queue, else of its agent.
    fn division(self) -> Option<&'static str> {
        let of = |id: &str| DIVISIONS.iter().copied().find(|division| id.contains(division));
        self.queue.and_then(of).or_else(|| self.user.and_then(|user| of(&user[1..])))
    }

    fn is_visible(self, org: &Org, extent: &Extent) -> bool {
        let user = self.user.map(|id| org.index.users[id]);
        match self.queue.map(|id| org.index.queues[id]) {
            Some(queue) => {
                let by_agent = |(queues, users): &(Set<QueueIx>, Set<UserIx>)| {
                    queues.contains(&queue) && user.is_some_and(|user| users.contains(&user))
                };
                extent.all.contains(&queue) || extent.boxes.iter().any(by_agent)
            }
            None => user.is_some_and(|user| extent.lone.contains(&user)),
        }
    }

    /// `division` is what the word division means: of the leg as the asker means it, its tag as the upstream does.
    fn satisfies(self, filter: &Filter, division: Option<&str>) -> bool {
        match filter {
            Filter::Group(Join::And, items) => items.iter().all(|item| self.satisfies(item, division)),
            Filter::Group(Join::Or, items) => items.iter().any(|item| self.satisfies(item, division)),
            Filter::Atom(atom) => match &atom.term {
                Term::In(access, values) => {
                    let held = match access {
                        Access::Queue => self.queue,
                        Access::User => self.user,
                        _ => division,
                    };
                    held.is_some_and(|held| values.iter().any(|value| **value == *held))
                }
                Term::Missing(_) => self.queue.is_none(),
                Term::Present(_) => self.queue.is_some(),
                Term::NotIn(..) => panic!("none is drawn"),
                Term::Other => self.voice,
            },
        }
    }
}

fn site(org: &Org, dialect: Dialect) -> Site<'_> {
    Site {
        org,
        data: Data::Interaction,
        dialect,
        queue: Some("queueId"),
        attribute: None,
        user: Some("userId"),
        object: None,
        division: None,
        max_clauses: 200,
        max_predicates: 2_000,
    }
}

fn one_of(dialect: Dialect, access: Access, name: &str, values: &[&str]) -> Filter {
    dialect::one_of(dialect, access, name, values.iter().map(|value| Box::from(*value)).collect())
}

fn voice() -> Filter {
    Filter::Atom(Atom { term: Term::Other, text: "voice".into() })
}

/// A part of the list, in most cases not empty.
fn some<T: Copy>(random: &mut StdRng, of: &[T]) -> Vec<T> {
    let odds = random.random_range(0.1..0.9);
    of.iter().copied().filter(|_| random.random_bool(odds)).collect()
}

fn extent(random: &mut StdRng, org: &Org) -> Extent {
    let queues = |random: &mut StdRng| -> Set<QueueIx> {
        some(random, &QUEUES).iter().map(|id| org.index.queues[*id]).collect()
    };
    let users =
        |random: &mut StdRng| -> Set<UserIx> { some(random, &USERS).iter().map(|id| org.index.users[*id]).collect() };
    let all = queues(random);
    let boxes = (0..random.random_range(0..3)).map(|_| (queues(random), users(random)));
    let boxes: Vec<(Set<QueueIx>, Set<UserIx>)> = boxes.filter(|one| !one.0.is_empty() && !one.1.is_empty()).collect();
    Extent { all, boxes, lone: users(random), ..Extent::default() }
}

fn atom(random: &mut StdRng, dialect: Dialect) -> Filter {
    let missing = dialect::missing(dialect, Access::Queue, "queueId");
    let present = Filter::Atom(Atom { term: Term::Present(Access::Queue), text: "present".into() });
    let one = |random: &mut StdRng, of: &[&'static str]| of.choose(random).copied().unwrap();
    match random.random_range(0..10) {
        0..=2 => {
            let queue = one(random, &QUEUES);
            one_of(dialect, Access::Queue, "queueId", &[queue])
        }
        3 | 4 => one_of(dialect, Access::User, "userId", &[one(random, &USERS)]),
        5 | 6 => one_of(dialect, Access::Division, "divisionId", &[one(random, &DIVISIONS)]),
        7 => missing,
        8 => present,
        _ => voice(),
    }
    .canonical()
}

fn filter(random: &mut StdRng, dialect: Dialect) -> Filter {
    let clause = |random: &mut StdRng| -> Filter {
        let items = (0..random.random_range(1..=3)).map(|_| atom(random, dialect)).collect();
        if random.random_bool(0.6) { Filter::and(items) } else { Filter::or(items) }
    };
    let items = (0..random.random_range(1..=3)).map(|_| clause(random)).collect();
    if random.random_bool(0.5) { Filter::and(items) } else { Filter::or(items) }
}

/// Every leg of a small organisation, by what was asked and the scope, and by what is sent.
#[test]
fn what_is_sent_says_what_was_asked_of_the_visible_legs() {
    let (org, legs) = (org(), Leg::all());
    let mut random = StdRng::seed_from_u64(7);
    let (mut said, mut empty, mut refused) = (0, 0, 0);
    for case in 0..6_000 {
        let dialect = [Dialect::Genesys, Dialect::Platform, Dialect::OpenSearch][case % 3];
        let (asked, extent) = (filter(&mut random, dialect), extent(&mut random, &org));
        let due = |leg: &Leg| leg.satisfies(&asked, leg.division()) && leg.is_visible(&org, &extent);
        match site(&org, dialect).conjoin(Some(asked.clone()), &extent) {
            Ok(Some(sent)) => {
                said += 1;
                for leg in &legs {
                    let is = leg.satisfies(&sent, leg.tag);
                    assert_eq!(
                        is,
                        due(leg),
                        "case {case} {leg:?}\nasked {asked:#?}\nextent {extent:?}\nsent {sent:#?}"
                    );
                }
            }
            Ok(None) => {
                empty += 1;
                assert!(!legs.iter().any(due), "case {case}\nasked {asked:#?}\nextent {extent:?}");
            }
            Err(refusal) => {
                refused += 1;
                assert_eq!((refusal.code, dialect), (Code::QueryTooComplex, Dialect::Genesys), "{asked:#?}");
            }
        }
    }
    println!("joined: {said} said, {empty} empty, {refused} refused");
    assert!(said > 3_000 && empty > 300 && refused > 100, "{said} {empty} {refused}");
}

fn numbers(refusal: &Refusal) -> (Code, String) {
    (refusal.code, refusal.message.to_string())
}

/// The largest that fits is said, the next larger one is refused with its size.
#[test]
fn limits_are_met_exactly() {
    let org = org();
    let queues = |ids: &[&str]| -> Set<QueueIx> { ids.iter().map(|id| org.index.queues[*id]).collect() };
    let users = |ids: &[&str]| -> Set<UserIx> { ids.iter().map(|id| org.index.users[*id]).collect() };
    let whole = |ids: &[&str]| Extent { all: queues(ids), ..Extent::default() };
    let limited = |max_predicates, max_clauses| Site { max_predicates, max_clauses, ..site(&org, Dialect::Genesys) };
    let fits = |site: &Site<'_>, asked: &Option<Filter>, extent: &Extent| {
        site.conjoin(asked.clone(), extent).map(|sent| sent.unwrap().predicates())
    };
    let refuses = |site: &Site<'_>, asked: &Option<Filter>, extent: &Extent, needed: usize| {
        let (code, message) = numbers(&fits(site, asked, extent).unwrap_err());
        assert_eq!(code, Code::QueryTooComplex);
        assert!(message.contains(&format!("needs {needed} predicates")), "{message}");
    };

    // The scope alone.
    assert_eq!(fits(&limited(3, 1), &None, &whole(&QUEUES[..3])).unwrap(), 3);
    refuses(&limited(3, 1), &None, &whole(&QUEUES[..4]), 4);

    // As many clauses as two boxes need: of the first one's queue or agent, and of the second's.
    let boxes = vec![(queues(&["a1"]), users(&["ua"])), (queues(&["b1"]), users(&["ub"]))];
    let scattered = Extent { boxes, ..Extent::default() };
    let count = scattered.clauses(Data::Interaction).unwrap().len();
    fits(&limited(100, count), &None, &scattered).unwrap();
    refuses(&limited(100, count - 1), &None, &scattered, count);

    // Branch by branch, each with its own part of the scope.
    let both = |queue: &str| Filter::and(vec![one_of(Dialect::Genesys, Access::Queue, "queueId", &[queue]), voice()]);
    let asked = Some(Filter::or(vec![both("a1"), both("b1")]));
    let said = fits(&limited(8, 10), &asked, &whole(&QUEUES)).unwrap();
    assert_eq!(said, 4);
    refuses(&limited(7, 10), &asked, &whole(&QUEUES), 8);

    // The conjunctive form: a clause for each way to take one condition of each branch.
    let plain = |name: &str| Filter::Atom(Atom { term: Term::Other, text: name.into() });
    let pair = |one: &str, other: &str| Filter::and(vec![plain(one), plain(other)]);
    let asked = Some(Filter::or(vec![pair("1", "2"), pair("3", "4")]));
    let scope = whole(&QUEUES[..4]);
    let size = 2 * 2 * 2 + 4;
    let wide = limited(size, 4 + 1);
    assert_eq!(fits(&wide, &asked, &scope).unwrap(), size);
    refuses(&limited(size - 1, 4 + 1), &asked, &scope, size);
    // Said branch by branch it is larger still.
    refuses(&limited(size, 3), &asked, &scope, 2 * 4 * (2 + 2));
}
