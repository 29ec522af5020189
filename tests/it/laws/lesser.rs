//! The lesser of two rights shows what both show, leg by leg, and nothing else.

use super::{
    case::{Case, Organisation, data_of},
    program,
    random::seed,
};
use crate::oracle::{
    data::{Directory, seconds},
    generate::{self, Dice},
    questions::Kind,
    semantics::{Dim, Entitlement},
};
use bailiwick::{
    model::{entitlement, org::Org, set},
    policy::scope::{lesser, spelt},
};

const ORGANISATIONS: u64 = 300;
const PAIRS: usize = 20;

fn dim<T: Ord + Clone>(dim: &set::Dim<T>, id: impl Fn(&T) -> String) -> Dim {
    match dim {
        set::Dim::Any => Dim::Any,
        set::Dim::Only(list) => Dim::Only(list.iter().map(id).collect()),
    }
}

/// As the oracle reads rights.
fn plain(scope: &entitlement::Scope, org: &Org) -> Vec<Entitlement> {
    let one = |one: &entitlement::Entitlement| Entitlement {
        divisions: dim(&one.divisions, |ix| org.division(*ix).id.to_string()),
        queues: dim(&one.queues, |ix| org.queue(*ix).id.to_string()),
        users: dim(&one.users, |ix| org.user(*ix).id.to_string()),
        conversations: dim(&one.conversations, ToString::to_string),
        window: one.data.map(|window| (seconds(&window.from.to_string()), seconds(&window.until.to_string()))),
    };
    scope.entitlements.iter().map(one).collect()
}

/// The rights of one person, drawn until he has some.
fn somebody(
    dice: &mut Dice,
    organisation: &Organisation,
    kind: Kind,
    now: i64,
) -> Option<(String, entitlement::Scope)> {
    (0..10).find_map(|_| {
        let person = dice.pick(&organisation.directory.users).id.clone();
        let scope = program::scope(&organisation.world, &person, kind, now).ok()?;
        (!scope.entitlements.is_empty()).then_some((person, scope))
    })
}

fn closed_to_one(directory: &Directory, people: [&str; 2]) -> bool {
    let [one, other] = people;
    directory.queues.iter().any(|queue| directory.open_to(queue, one) != directory.open_to(queue, other))
}

#[test]
fn it_shows_what_both_show() {
    let (mut judged, mut shown, mut hidden, mut lost) = (0, 0, 0, 0);
    for nth in 0..ORGANISATIONS {
        let mut dice = Dice::new(seed().wrapping_mul(1_000_003).wrapping_add(nth));
        let organisation = Organisation::draw(&mut dice);
        let (directory, org) = (&organisation.directory, &*organisation.world.org);
        for _ in 0..PAIRS {
            let kind = *dice.pick(&[Kind::Aggregates, Kind::Platform, Kind::UserAggregates, Kind::QueueObservations]);
            let now = generate::now(&mut dice);
            let (Some((one, mine)), Some((two, theirs))) =
                (somebody(&mut dice, &organisation, kind, now), somebody(&mut dice, &organisation, kind, now))
            else {
                continue;
            };
            let both = lesser(&mine, &spelt(&theirs, org), program::operation(kind), org, program::at(now));
            assert!(both.lifts.is_empty() && both.openings.is_empty());
            assert!(both.entitlements.iter().all(|right| right.holder == mine.holder));
            let got = plain(&both, org);
            // of another time: what has ended or not begun gives nothing, and nobody gets more than then and now
            let later = generate::now(&mut dice);
            let Ok(then) = program::scope(&organisation.world, &one, kind, later) else { continue };
            let both = lesser(&then, &spelt(&theirs, org), program::operation(kind), org, program::at(later));
            assert!(both.entitlements.iter().all(|right| right.valid.acts_at(program::at(later))), "{both:#?}");
            let of_then = Case { person: one.clone(), kind, body: String::new(), now: later }.scope(directory);
            let got_then = plain(&both, org);
            let case = |person: &str| Case { person: person.to_owned(), kind, body: String::new(), now };
            let (of_one, of_two) = (case(&one).scope(directory), case(&two).scope(directory));
            for interaction in organisation.stock.of(kind) {
                for leg in &interaction.legs {
                    let sees =
                        |person: &str, scope: &[Entitlement]| directory.visible(person, scope, &interaction.id, leg);
                    // what is for single interactions is no right to a leg of these families
                    let due = sees(&one, &of_one) && sees(&two, &of_two);
                    let is = sees(&one, &got);
                    let told = || {
                        format!(
                            "{nth}: {one} and {two} on {:?}: {leg:?}\n{mine:#?}\n{theirs:#?}\n{both:#?}",
                            data_of(kind)
                        )
                    };
                    assert!(due || !is, "shown, and not to both: {}", told());
                    let shown_then = sees(&one, &got_then);
                    assert!(!shown_then || sees(&one, &of_then) && sees(&two, &of_two), "of another time: {}", told());
                    judged += 1;
                    shown += usize::from(is);
                    hidden += usize::from(!due);
                    if due && !is {
                        // only where some queue is closed to one of them alone, and only what is in no queue that is alive
                        let dead = |id: &String| {
                            directory
                                .queue(id)
                                .is_some_and(|queue| queue.state.as_deref().is_some_and(|state| state != "active"))
                        };
                        let loose = leg.queue.as_ref().is_none_or(dead);
                        assert!(loose && closed_to_one(directory, [&one, &two]), "lost: {}", told());
                        lost += 1;
                    }
                }
            }
        }
    }
    println!("lesser: {judged} legs judged, {shown} shown, {hidden} not for both, {lost} lost with a closed queue");
    assert!(shown > 1_000 && hidden > 1_000 && lost * 20 < shown, "{shown} {hidden} {lost}");
}

/// With oneself nothing is lost, and nothing changes by doing it twice.
#[test]
fn with_oneself_it_is_the_same() {
    let (mut people, mut legs) = (0, 0);
    for nth in 0..ORGANISATIONS {
        let mut dice = Dice::new(seed().wrapping_mul(7_000_003).wrapping_add(nth));
        let organisation = Organisation::draw(&mut dice);
        let (directory, org) = (&organisation.directory, &*organisation.world.org);
        let now = generate::now(&mut dice);
        let Some((person, mine)) = somebody(&mut dice, &organisation, Kind::Aggregates, now) else { continue };
        let operation = program::operation(Kind::Aggregates);
        let once = lesser(&mine, &spelt(&mine, org), operation, org, program::at(now));
        let twice = lesser(&once, &spelt(&mine, org), operation, org, program::at(now));
        let (before, after, again) = (plain(&mine, org), plain(&once, org), plain(&twice, org));
        for interaction in &organisation.stock.interactions {
            for leg in &interaction.legs {
                let sees = |scope: &[Entitlement]| directory.visible(&person, scope, &interaction.id, leg);
                assert_eq!((sees(&after), sees(&again)), (sees(&before), sees(&before)), "{nth}: {person} {leg:?}");
                legs += usize::from(sees(&before));
            }
        }
        people += 1;
    }
    println!("lesser: {people} people with themselves, {legs} legs");
    assert!(people > 100 && legs > 1_000, "{people} {legs}");
}
