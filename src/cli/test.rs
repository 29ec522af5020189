//! `bailiwick test`: the query tests of rule files, and which rules have none.

use super::{
    Format,
    out::{self, Failure},
};
use crate::{
    app::{self, selftest},
    config::RulesFrom,
    rules,
};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders of rule files; without any, the shipped ones
    paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Serialize)]
struct Report {
    passed: usize,
    failed: Vec<Failed>,
    /// Tests by rule.
    coverage: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
struct Failed {
    file: String,
    line: usize,
    rule: String,
    test: String,
    why: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let sources = if arguments.paths.is_empty() {
        vec![RulesFrom::Shipped]
    } else {
        arguments.paths.iter().cloned().map(RulesFrom::Folder).collect()
    };
    let mut report = Report { passed: 0, failed: Vec::new(), coverage: BTreeMap::new() };
    for source in &sources {
        let compiled = rules::compile(app::rule_files(source)?, selftest::policy()).map_err(app::StartError::Rules)?;
        for operation in &compiled.rules.operations {
            report.coverage.entry(operation.id.to_string()).or_default();
        }
        for outcome in selftest::run(&compiled) {
            *report.coverage.entry(outcome.operation.to_string()).or_default() += 1;
            match outcome.failure {
                None => report.passed += 1,
                Some(why) => report.failed.push(Failed {
                    file: outcome.file.to_string(),
                    line: outcome.line,
                    rule: outcome.operation.to_string(),
                    test: outcome.name.to_string(),
                    why,
                }),
            }
        }
    }
    match arguments.format {
        Format::Json => out::json(&report)?,
        Format::Text => print(&report),
    }
    Ok(if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn print(report: &Report) {
    for failed in &report.failed {
        out::line(format!(
            "FAILED {}:{}: `{}` of `{}`: {}",
            failed.file, failed.line, failed.test, failed.rule, failed.why
        ));
    }
    let rows: Vec<_> = report.coverage.iter().map(|(rule, tests)| vec![rule.clone(), tests.to_string()]).collect();
    out::table(&["rule", "tests"], &rows);
    out::line(format!("{} passed, {} failed", report.passed, report.failed.len()));
}
