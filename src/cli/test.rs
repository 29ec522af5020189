//! `bailiwick test`: the query tests of rule files, and which rules have none.

use super::{Format, failure::Failure, out};
use crate::{
    app::{self, selftest},
    config::RulesFrom,
    rules,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The file of a rule tree that every rule needs.
const PERMISSIONS: &str = "permissions.toml";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders of rule files, folders inside such a folder, or single rule files; without any, the shipped rules
    paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
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
        vec![(RulesFrom::Shipped, PathBuf::new())]
    } else {
        arguments.paths.iter().map(|path| tree(path)).collect::<Result<_, _>>()?
    };
    let mut seen = BTreeSet::new();
    let mut report = Report { passed: 0, failed: Vec::new(), coverage: BTreeMap::new() };
    for (source, part) in &sources {
        let mut compiled = app::rules_under_test(source)?;
        compiled.tests.retain(|test| Path::new(&*test.file).starts_with(part));
        let at = match source {
            RulesFrom::Folder(folder) => folder.clone(),
            RulesFrom::Shipped => PathBuf::new(),
        };
        if compiled.tests.is_empty() {
            let message = format!(
                "`{}` holds no tests; name a rule file with `[[rule.test]]`, or a folder with such files",
                at.join(part).display()
            );
            return Err(Failure::input(message));
        }
        // Of a part, only the rules that its tests are about.
        if part.as_os_str().is_empty() {
            for operation in &compiled.rules.operations {
                report.coverage.entry(operation.id.to_string()).or_default();
            }
        }
        // A part may be named beside the whole.
        compiled.tests.retain(|test| seen.insert((at.clone(), test.file.clone(), test.line)));
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

/// The rule tree that a path belongs to, and the part of it that is named. Rules need the models and permissions beside
/// them, so the tree begins where `permissions.toml` lies.
fn tree(path: &Path) -> Result<(RulesFrom, PathBuf), Failure> {
    let unreadable = |error| Failure::input(format!("`{}` cannot be read: {error}", path.display()));
    let whole = path.canonicalize().map_err(unreadable)?;
    let own = whole.is_dir() && {
        let files = rules::read_dir(&whole).map_err(app::StartError::RulesFolder)?;
        files.iter().any(|(name, _)| name.rsplit('/').next() == Some(PERMISSIONS))
    };
    let above = whole.ancestors().find(|folder| folder.join(PERMISSIONS).is_file());
    let beside = if whole.is_dir() { Some(whole.as_path()) } else { whole.parent() };
    let root = if own { Some(whole.as_path()) } else { above.or(beside) }.unwrap_or(&whole);
    let part = whole.strip_prefix(root).unwrap_or(Path::new(""));
    Ok((RulesFrom::Folder(root.to_owned()), part.to_owned()))
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
