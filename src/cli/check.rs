//! `bailiwick check`: every file is read as `serve` would read it, and what is dangerous is said.

use super::{
    Format, coverage,
    failure::Failure,
    out,
    resting::{self, Closed, Resting},
    serve,
};
use crate::{
    app::{self, StartError},
    base::clock::{Clock, SystemClock},
    config::{Named, RulesFrom},
    identity::{ActingSettings, Holder, StaticToken},
    model::{
        finding::{Finding, Severity},
        org::Org,
    },
    policy::lint,
    telemetry::Metrics,
};
use serde::Serialize;
use std::{collections::BTreeSet, path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration, else `bailiwick.toml` in this folder; without either only the given folder and file are checked
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder of rule files, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// A directory file, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// A list of the upstream's operations (JSON lines or OpenAPI): print what was decided about each class, and what
    /// nobody decided on
    #[arg(long, value_name = "FILE")]
    coverage: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Serialize)]
struct Checked {
    operations: usize,
    tests: usize,
    assumptions: Vec<Resting>,
    closed: Vec<Closed>,
    divisions: usize,
    queues: usize,
    users: usize,
    findings: Vec<Finding>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = serve::settings_here(arguments.config.as_deref());
    let Named { rules: rules_from, directory, policy } = match &settings {
        Ok(Some(settings)) => settings.named(),
        Ok(None) => Named::default(),
        Err(report) => report.named.clone(),
    };
    let rules_from = arguments.rules.clone().map_or(rules_from, RulesFrom::Folder);
    let directory = arguments.directory.clone().or(directory);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let rules = app::rules(&rules_from, policy);
    let org = directory.as_deref().map(|file| app::organisation(file, &*clock)).transpose();
    let (settings, (rules, org)) = app::both(settings.map_err(StartError::Config), app::both(rules, org))?;
    if let Some(org) = &org {
        let doors = settings.as_ref().map(|settings| app::doors(settings, org, &clock, &Metrics::detached()));
        app::both(app::fitting(&rules.rules, org), doors.transpose())?;
    }
    if let Some(list) = &arguments.coverage {
        return coverage::run(list, &rules.rules, arguments.format);
    }
    let mut findings = rules.findings.clone();
    findings.extend(org.iter().flat_map(|org| org.findings.iter().cloned()));
    findings.extend(org.iter().flat_map(|org| lint::findings(&rules.rules, org, clock.now())));
    if let Some(settings) = &settings {
        findings.extend(settings.doubts(clock.now()));
    }
    if let (Some(settings), Some(org)) = (&settings, &org) {
        findings.extend(strangers(&settings.identity.statics, org));
        findings.extend(doubtful_acting(&settings.identity.acting, org));
    }
    findings.sort();
    let checked = Checked {
        operations: rules.rules.operations.len(),
        tests: rules.tests.len(),
        assumptions: resting::resting(&rules.rules, settings.as_ref()),
        closed: resting::closed(&rules.rules),
        divisions: org.as_ref().map_or(0, |org| org.divisions.len()),
        queues: org.as_ref().map_or(0, |org| org.queues.len()),
        users: org.as_ref().map_or(0, |org| org.users.len()),
        findings,
    };
    match arguments.format {
        Format::Json => out::json(&checked)?,
        Format::Text => print(&checked, settings.is_some()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Tokens that stand for nobody: whoever sends one is refused, and learns only that.
fn strangers(tokens: &[StaticToken], org: &Org) -> Vec<Finding> {
    let named = tokens.iter().map(|token| match &token.holder {
        Holder::User(id) => ("user", id, org.index.users.contains_key(id)),
        Holder::Service(id) => ("service account", id, org.index.services.contains_key(id)),
    });
    let finding = |(kind, id, _)| Finding {
        code: "I01",
        severity: Severity::Warning,
        at: format!("`[[identity.static]]` of {kind} `{id}`"),
        why: "the directory knows nobody by this id, so its token is refused".to_owned(),
        repair: "correct the id, or take the token out of the configuration".to_owned(),
    };
    named.filter(|(_, _, known)| !known).map(finding).collect()
}

/// What is doubtful about how service accounts act for people.
fn doubtful_acting(acting: &ActingSettings, org: &Org) -> Vec<Finding> {
    let open = (!acting.require_session).then(|| Finding {
        code: "I02",
        severity: Severity::Warning,
        at: "`require-session = false` under `[identity.acting]`".to_owned(),
        why: "service accounts act for people who are not signed in".to_owned(),
        repair: "take it out, so that they act only for whom this proxy has seen".to_owned(),
    });
    let unknown = acting.administrators.iter().filter(|id| !org.index.users.contains_key(*id)).map(|id| Finding {
        code: "I03",
        severity: Severity::Warning,
        at: format!("`{id}` under `[identity.acting] administrators`"),
        why: "the directory knows nobody by this id, so that it keeps no account from acting for an administrator"
            .to_owned(),
        repair: "write the id that the directory has for him".to_owned(),
    });
    open.into_iter().chain(unknown).collect()
}

fn print(checked: &Checked, configured: bool) {
    out::line(format!("{} operations, {} rule tests passed", checked.operations, checked.tests));
    if checked.divisions > 0 {
        out::line(format!("{} divisions, {} queues, {} users", checked.divisions, checked.queues, checked.users));
    }
    if configured {
        resting::print(&checked.assumptions, &checked.closed);
    } else if !checked.closed.is_empty() {
        let needs: BTreeSet<_> = checked.closed.iter().flat_map(|closed| &closed.needs).copied().collect();
        out::line(format!(
            "{} operations stay closed until a configuration accepts under `[policy] assume` what they need: {}",
            checked.closed.len(),
            needs.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    for finding in &checked.findings {
        let Finding { code, severity, at, why, repair } = finding;
        out::line(format!("{} {code}: {at}: {why}; {repair}", severity.word()));
    }
}
