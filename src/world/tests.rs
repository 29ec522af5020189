use super::*;
use crate::{
    directory,
    model::{
        assumption::Assumption,
        operation::{Operation, Rules},
        org::{Org, Principal},
        refusal::Code,
        world::Policy,
    },
    rules,
    telemetry::{Metrics, event::Part},
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

const SAMPLE: &str = include_str!("../../rules/sample/directory.json");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn org(text: &str, taken_at: Timestamp) -> Arc<Org> {
    Arc::new(directory::load(text, "directory.json", taken_at).unwrap_or_else(|why| panic!("{}", why[0])))
}

fn rules(accepted: &[Assumption]) -> Arc<Rules> {
    let policy = Policy { accepted: accepted.to_vec(), ..Policy::default() };
    Arc::new(rules::compile(rules::embedded(), policy).unwrap_or_else(|why| panic!("{}", why[0])).rules)
}

fn store(now: Timestamp) -> WorldStore {
    WorldStore::new(rules(&Assumption::ALL), org(SAMPLE, now), Settings::default(), Metrics::detached())
}

fn operation(pinned: &Pinned) -> Arc<Operation> {
    let mut all = pinned.world.rules.operations.iter();
    all.find(|operation| operation.contract.template.segments.len() > 3).unwrap().clone()
}

fn principal(pinned: &Pinned, id: &str) -> Principal {
    Principal::User(pinned.world.org.index.users[id])
}

/// An operation through which `id` sees anything.
fn open_to(pinned: &Pinned, id: &str, now: Timestamp) -> Arc<Operation> {
    let holder = principal(pinned, id);
    let mut all = pinned.world.rules.operations.iter();
    all.find(|operation| pinned.scope(holder, operation, now).is_ok()).unwrap().clone()
}

#[test]
fn a_scope_is_derived_once_for_each_world() {
    let now = at("2026-11-01T00:00:00Z");
    let store = store(now);
    let pinned = store.pin();
    let operation = open_to(&pinned, "carl", now);
    let carl = principal(&pinned, "carl");
    let first = pinned.scope(carl, &operation, now).unwrap();
    let again = pinned.scope(carl, &operation, now).unwrap();
    assert!(Arc::ptr_eq(&first.scope, &again.scope) && Arc::ptr_eq(&first.record, &again.record));

    store.swap_directory(org(SAMPLE, now));
    let fresh = store.pin().scope(carl, &operation, now).unwrap();
    assert!(!Arc::ptr_eq(&first.scope, &fresh.scope), "another world remembers nothing of the old one");
    assert_eq!(first.record, fresh.record, "and says the same");
}

#[test]
fn a_scope_is_not_used_beyond_the_next_change_of_a_source() {
    // The grant of `gus` ends on 2027-10-01.
    let before = at("2027-09-30T23:59:59Z");
    let after = at("2027-10-01T00:00:00Z");
    let store = store(before);
    let pinned = store.pin();
    let operation = open_to(&pinned, "gus", before);
    let gus = principal(&pinned, "gus");
    let scope = pinned.scope(gus, &operation, before).unwrap();
    assert_eq!(scope.scope.good_until, Some(after));
    let later = pinned.scope(gus, &operation, after);
    let left = later.map(|scoped| scoped.scope.entitlements.len()).unwrap_or_default();
    assert!(left < scope.scope.entitlements.len(), "the grant is gone the instant it ends");
}

#[test]
fn a_request_keeps_its_world_and_versions_are_never_mixed() {
    let now = at("2026-11-01T00:00:00Z");
    let store = store(now);
    let old = store.pin();
    store.swap_directory(org(&format!("{SAMPLE}\n"), now));
    store.swap_rules(rules(&[]));
    let new = store.pin();
    assert_ne!(old.world.version.directory, new.world.version.directory);
    assert_ne!(old.world.version.rules, new.world.version.rules, "what is vouched for is part of the version");
    assert_eq!(old.world.version.grants, new.world.version.grants, "the grants are the same");
    assert_eq!(old.world.version.directory, old.world.org.version);
    assert_eq!(new.world.version.rules, new.world.rules.version);
}

#[test]
fn swaps_from_many_threads_lose_nothing() {
    let now = at("2026-11-01T00:00:00Z");
    let store = store(now);
    let (open, closed) = (rules(&Assumption::ALL), rules(&[]));
    let (a, b) = (org(SAMPLE, now), org(&format!("{SAMPLE}\n"), now));
    std::thread::scope(|scope| {
        scope.spawn(|| (0..100).for_each(|n| store.swap_rules(if n % 2 == 0 { open.clone() } else { closed.clone() })));
        scope.spawn(|| (0..100).for_each(|n| store.swap_directory(if n % 2 == 0 { a.clone() } else { b.clone() })));
        for _ in 0..1000 {
            let pinned = store.pin();
            assert_eq!(pinned.world.version.rules, pinned.world.rules.version);
            assert_eq!(pinned.world.version.directory, pinned.world.org.version);
        }
    });
    let last = store.pin();
    assert_eq!((&last.world.version.rules, &last.world.version.directory), (&closed.version, &b.version));
}

#[test]
fn a_directory_that_nobody_confirms_goes_stale_and_comes_back() {
    let now = at("2026-11-01T00:00:00Z");
    let store = store(now);
    let pinned = store.pin();
    let (operation, carl) = (operation(&pinned), principal(&pinned, "carl"));
    let limit = now + Settings::default().refuse_after;
    assert!(pinned.fresh(limit - SignedDuration::from_secs(1)).is_ok());
    assert_eq!(pinned.scope(carl, &operation, limit).unwrap_err().code, Code::DirectoryStale);
    assert!(!store.serves(limit) && store.late(limit));
    assert_eq!(store.troubles(limit).len(), 1);

    store.confirm_directory("another version", limit);
    assert!(!store.serves(limit), "a confirmation of another version confirms nothing");
    store.confirm_directory(&pinned.world.version.directory, limit);
    assert!(store.serves(limit) && !store.late(limit));
    assert!(pinned.fresh(limit).is_ok(), "requests under way see it too");
    store.swap_rules(rules(&[]));
    assert!(store.serves(limit), "a change of rules does not make the directory older");
}

#[test]
fn a_rejected_change_shows_until_a_good_one_comes() {
    let now = at("2026-11-01T00:00:00Z");
    let store = store(now);
    let version = store.pin().world.version.clone();
    store.reject(Part::Rules, "rules/x.toml:3:1: unknown key");
    store.reject(Part::Directory, "directory.json:1:1: not JSON");
    assert_eq!(
        store.troubles(now),
        ["rules: rules/x.toml:3:1: unknown key", "directory: directory.json:1:1: not JSON"]
    );
    assert!(store.serves(now), "the old world goes on");
    assert_eq!(store.pin().world.version, version);
    store.confirm_rules(&version.rules);
    store.confirm_directory(&version.directory, now);
    assert!(store.troubles(now).is_empty());
}
