//! A token that names roles only ever takes away: whatever it names, what is left is of what the directory gives.

use super::{case::Organisation, program, random::seed};
use crate::oracle::{
    generate::{self, Dice},
    questions::Kind,
};
use bailiwick::{
    model::{
        entitlement::{Entitlement, Scope, Source},
        org::{Org, RoleIx},
        refusal::{Code, Refusal},
        set::Set,
        world::Claimed,
    },
    telemetry::Metrics,
    world::{Pinned, Settings, WorldStore},
};
use jiff::SignedDuration;
use std::sync::Arc;

const ORGANISATIONS: u64 = 400;
const PEOPLE: usize = 10;
const KINDS: [Kind; 4] = [Kind::Aggregates, Kind::Platform, Kind::UserAggregates, Kind::QueueObservations];

fn pinned(org: &Arc<Org>) -> Arc<Pinned> {
    let never = SignedDuration::MAX;
    let settings = Settings { warn_after: never, refuse_after: never };
    WorldStore::new(Arc::clone(program::rules()), Arc::clone(org), settings, Metrics::detached()).pin()
}

/// Some of all roles there are, none and every one now and then.
fn some(dice: &mut Dice, org: &Org) -> Set<RoleIx> {
    let part = *dice.pick(&[0, 1, 2, 2, 2, 3]);
    let all: Vec<RoleIx> = org.index.roles.values().copied().collect();
    let mut drawn = || dice.pick(&[1, 2, 3]) <= &part;
    all.into_iter().filter(|_| drawn()).collect()
}

fn within(part: &[Entitlement], whole: &[Entitlement]) -> bool {
    part.iter().all(|one| whole.contains(one))
}

/// What of a scope such roles alone leave, told in the plainest way.
fn left(whole: &Scope, roles: &Set<RoleIx>) -> Vec<Entitlement> {
    let stays = |source: &Source| match source {
        Source::Role { role, .. } => roles.contains(role),
        Source::Grant { .. } => true,
    };
    whole.entitlements.iter().filter(|one| stays(&one.source)).cloned().collect()
}

#[test]
fn a_claim_never_widens_and_no_two_claims_share_a_scope() {
    let (mut same, mut less, mut nothing, mut refused) = (0, 0, 0, 0);
    for nth in 0..ORGANISATIONS {
        let mut dice = Dice::new(seed().wrapping_mul(9_000_011).wrapping_add(nth));
        let organisation = Organisation::draw(&mut dice);
        let org = &organisation.world.org;
        // one memory for all claims of all people
        let pinned = pinned(org);
        // the clock of a world does not go back
        let now = program::at(generate::now(&mut dice));
        for _ in 0..PEOPLE {
            let holder = program::principal(org, &dice.pick(&organisation.directory.users).id);
            let operation = program::operation(*dice.pick(&KINDS));
            let of = |roles: Option<&Set<RoleIx>>| -> Result<Arc<Scope>, Refusal> {
                let claimed = roles.map(|roles| Claimed { holder, roles: roles.clone() });
                pinned.claimed(claimed).scope(holder, operation, now).map(|scoped| scoped.scope)
            };
            let (one, other) = (some(&mut dice, org), some(&mut dice, org));
            let first = of(Some(&one));
            let whole = of(None);
            for roles in [&other, &one] {
                let got = of(Some(roles));
                let told = || format!("{nth}: {holder:?} claims {roles:?}\n{got:#?}\n{whole:#?}");
                match (&got, &whole) {
                    (Ok(got), Ok(whole)) => {
                        assert_eq!(got.entitlements, left(whole, roles), "{}", told());
                        for lift in &got.lifts {
                            let wide = whole.lifts.iter().find(|wide| wide.class == lift.class);
                            assert!(
                                wide.is_some_and(|wide| within(&lift.entitlements, &wide.entitlements)),
                                "{}",
                                told()
                            );
                        }
                        for opening in &got.openings {
                            let wide = whole.openings.iter().find(|wide| wide.action == opening.action);
                            assert!(
                                wide.is_some_and(|wide| within(&opening.entitlements, &wide.entitlements)),
                                "{}",
                                told()
                            );
                        }
                        assert!(got.inert.is_subset(&whole.inert), "{}", told());
                        match (got.entitlements.len(), whole.entitlements.len()) {
                            (few, many) if few == many => same += 1,
                            (0, _) => nothing += 1,
                            _ => less += 1,
                        }
                    }
                    (Err(refusal), Ok(whole)) => {
                        assert_eq!(refusal.code, Code::PermissionMissing, "{}", told());
                        assert!(left(whole, roles).is_empty(), "{}", told());
                        refused += 1;
                    }
                    (Ok(_), Err(_)) => panic!("a claim opened what was closed: {}", told()),
                    (Err(_), Err(_)) => {}
                }
            }
            // by the first claim it is as it was before others were asked about
            let rights = |got: Result<Arc<Scope>, Refusal>| {
                got.map(|scope| scope.entitlements.clone()).map_err(|told| told.code)
            };
            assert_eq!(rights(of(Some(&one))), rights(first), "{nth}: {one:?}");
            let every = org.index.roles.values().copied().collect();
            assert_eq!(rights(of(Some(&every))), rights(whole), "{nth}");
        }
    }
    println!("claims: {same} scopes as without, {less} less, {nothing} empty, {refused} refused");
    assert!(same > 100 && less > 100 && refused > 100, "{same} {less} {nothing} {refused}");
}

/// A claim is of one person: what others may is said by the directory.
#[test]
fn a_claim_is_of_its_holder_alone() {
    let mut dice = Dice::new(seed());
    let organisation = Organisation::draw(&mut dice);
    let org = &organisation.world.org;
    let [one, two] = [0, 1].map(|nth| program::principal(org, &organisation.directory.users[nth].id));
    let claimed = |holder| Some(Claimed { holder, roles: Set::new() });
    let world = pinned(org).claimed(claimed(one));
    assert_eq!(world.world.held(one).assignments().count(), 0);
    assert_eq!(world.world.held(two).assignments().count(), org.assignments(two).len());
}
