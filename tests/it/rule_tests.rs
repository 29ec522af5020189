//! The query tests that stand in the shipped rule files, as `bailiwick test` and every reload run them.

use bailiwick::{app::selftest, model::world::Policy, rules};

#[test]
fn every_shipped_query_test_passes() {
    let compiled = rules::compile(rules::embedded(), selftest::policy()).expect("the shipped rules compile");
    let failed = selftest::failures(&compiled);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(compiled.tests.len() >= 50, "{} tests: some were lost", compiled.tests.len());
}

#[test]
fn every_shipped_rule_has_a_test() {
    let compiled = rules::compile(rules::embedded(), Policy { require_tests: true, ..selftest::policy() });
    assert!(compiled.is_ok(), "{}", compiled.unwrap_err()[0]);
}
