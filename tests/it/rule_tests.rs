//! The query tests that stand in the shipped rule files, as `bailiwick test` and every reload run them.

use bailiwick::{
    app::selftest,
    model::{
        operation::{Class, JobPart},
        refusal::Code,
        world::Policy,
    },
    rules::{self, Expect},
};
use std::collections::BTreeMap;

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

/// Each governed operation answers somebody, refuses what lies outside, and refuses who may not ask. Steps of a job are
/// judged by whose the job is and by the rights to what it asked, which stand with its submission.
#[test]
fn every_governed_operation_has_a_test_for_each_verdict() {
    let compiled = rules::compile(rules::embedded(), selftest::policy()).expect("the shipped rules compile");
    let mut verdicts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut missing = Vec::new();
    for operation in &compiled.rules.operations {
        let is_job = operation.job.is_some();
        if matches!(operation.job, Some(JobPart::Step { .. })) {
            continue;
        }
        let mut told = [0; 3];
        for test in compiled.tests.iter().filter(|test| test.operation == operation.id) {
            match &test.expect {
                Some(Expect::Sends(_) | Expect::Answers(_)) => told[0] += 1,
                Some(Expect::Refuses(Code::PermissionMissing | Code::BpoInternalOnly)) => told[2] += 1,
                Some(Expect::Refuses(_)) => told[1] += 1,
                None => told[0] += usize::from(test.answer.is_some()),
            }
        }
        // What is nobody's has no outside; a job is refused by the rule that it shares with its question.
        let due = [true, !is_job && operation.class != Class::NoData, !is_job];
        for ((many, due), verdict) in
            told.iter().zip(due).zip(["answered", "refused for what is asked", "without permission"])
        {
            if due && *many == 0 {
                missing.push(format!("{}: nobody is {verdict}", operation.id));
            }
        }
        verdicts.insert(operation.class.as_str(), {
            let sum = verdicts.get(operation.class.as_str()).copied().unwrap_or_default();
            [sum[0] + told[0], sum[1] + told[1], sum[2] + told[2]]
        });
    }
    println!("verdicts by class (answered, refused for what is asked, without permission): {verdicts:?}");
    assert!(missing.is_empty(), "{} verdicts without a test:\n{}", missing.len(), missing.join("\n"));
}
