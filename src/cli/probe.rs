//! `bailiwick probe`: asks the upstreams of a configuration what rules rest on, and writes down what was seen.

use super::{Format, failure::Failure, out, serve};
use crate::{
    app::{self, StartError},
    base::clock::{Clock as _, SystemClock},
    config::{self, Settings},
    model::{
        assumption::Assumption,
        facts::{Facts, RegionFacts, Verdict},
        operation::Rules,
    },
    probe::{self, NotAsked, Plan, Probed},
};
use jiff::{SignedDuration, Timestamp, Unit};
use secrecy::SecretString;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Days that are asked about unless others are named: a week, the longest that is answered without a filter.
const DAYS: i64 = 7;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration, whose upstreams are asked with its credentials
    #[arg(long, value_name = "FILE", default_value = serve::HERE)]
    config: PathBuf,
    /// One region, instead of all; what the file says of others stays
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Where to write what was seen, else the file that `[policy] facts` names, else `assumptions.toml` beside the
    /// configuration
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A file that holds a token to ask with, instead of the region's own credential; one that may only read is enough
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Days with interactions to look at, else the last seven whole ones
    #[arg(long, value_name = "FROM/UNTIL")]
    interval: Option<String>,
    /// At most so many calls to each region
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u16).range(10..=1000))]
    max_calls: u16,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// What is printed as data.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    upstreams: Vec<Upstream>,
    not_asked: Vec<Unreached>,
    /// What rules need or `assume` names, and asking did not show.
    missing: Vec<Missing>,
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Upstream {
    region: String,
    url: String,
    asked_at: Timestamp,
    calls: usize,
    looked_at: usize,
    assumptions: Vec<Judged>,
    observations: Vec<Seen>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Judged {
    name: &'static str,
    meaning: &'static str,
    verdict: &'static str,
    evidence: String,
    /// Operations that are closed without it.
    needed_by: usize,
    /// Operations of which some questions are refused without it.
    some_of: usize,
}

#[derive(Debug, Serialize)]
struct Seen {
    question: String,
    seen: String,
}

#[derive(Debug, Serialize)]
struct Unreached {
    region: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Missing {
    region: String,
    assumption: &'static str,
    verdict: &'static str,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = config::load_without_facts(&arguments.config, &|name| std::env::var(name).ok());
    let settings = settings.map_err(StartError::Config)?;
    let rules = app::rules(&settings.rules, settings.policy.clone())?.rules;
    let plan = plan(arguments, &settings)?;
    let file = arguments.out.clone().unwrap_or_else(|| {
        let named = settings.vouching.facts.as_ref().map(|known| known.file.clone());
        named.unwrap_or_else(|| arguments.config.with_file_name("assumptions.toml"))
    });
    // Before anything is asked: a file that cannot be added to would be found out too late.
    let mut facts = standing(&file)?;
    let (probed, not_asked) = ask(arguments, &settings, &plan)?;
    for Probed { facts: newer, .. } in &probed {
        facts.replace(newer.clone());
    }
    let written = !probed.is_empty();
    if written {
        write(&file, &config::facts::write(&facts))?;
    }
    let needed = needed(&rules, &settings.vouching.assumed);
    let report = Report {
        missing: probed.iter().flat_map(|one| missing(&one.facts, &needed)).collect(),
        upstreams: probed.into_iter().map(|one| upstream(one, &rules)).collect(),
        not_asked: not_asked.into_iter().map(|NotAsked { region, why }| Unreached { region, why }).collect(),
        file: written.then_some(file),
    };
    let code = match (report.not_asked.is_empty(), report.missing.is_empty()) {
        (false, _) => 3,
        (true, false) => 1,
        (true, true) => 0,
    };
    match arguments.format {
        Format::Json => out::json(&report)?,
        Format::Text => print(&report, &settings),
    }
    Ok(ExitCode::from(code))
}

fn plan(arguments: &Arguments, settings: &Settings) -> Result<Plan, Failure> {
    let now = SystemClock::default().now();
    let (from, until) = match &arguments.interval {
        Some(text) => interval(text)?,
        None => last_days(now).ok_or_else(|| Failure::input("the clock of this machine shows no usable time"))?,
    };
    if arguments.token_file.is_some() && arguments.region.is_none() && settings.upstream.regions.len() > 1 {
        return Err(Failure::input("a token is of one region; name it with `--region`"));
    }
    let token = arguments.token_file.as_deref().map(token).transpose()?;
    Ok(Plan { from, until, most_calls: usize::from(arguments.max_calls), token, now })
}

fn token(file: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|why| Failure::input(format!("cannot read the token in `{}`: {why}", file.display())))?;
    if text.trim().is_empty() {
        return Err(Failure::input(format!("`{}` holds no token", file.display())));
    }
    Ok(SecretString::from(text.trim()))
}

fn interval(text: &str) -> Result<(Timestamp, Timestamp), Failure> {
    let read = || {
        let (from, until) = text.split_once('/')?;
        let (from, until): (Timestamp, Timestamp) = (from.parse().ok()?, until.parse().ok()?);
        (from < until).then_some((from, until))
    };
    read().ok_or_else(|| {
        let due = "write it as `2026-11-08T00:00:00Z/2026-11-15T00:00:00Z`";
        Failure::input(format!("`{text}` is no interval; {due}"))
    })
}

/// Whole days before today: what happened in them has ended, or soon will.
fn last_days(now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let floor = jiff::TimestampRound::new().smallest(Unit::Hour).increment(24).mode(jiff::RoundMode::Floor);
    let until = now.round(floor).ok()?;
    Some((until.checked_sub(SignedDuration::from_hours(24 * DAYS)).ok()?, until))
}

/// What the file says so far.
fn standing(file: &Path) -> Result<Facts, Failure> {
    if !file.exists() {
        return Ok(Facts::default());
    }
    config::facts::read(file).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::input(format!(
            "{}\n\nnothing was asked; move the file away, or name another with `--out`",
            all.join("\n\n")
        ))
    })
}

fn ask(arguments: &Arguments, settings: &Settings, plan: &Plan) -> Result<(Vec<Probed>, Vec<NotAsked>), Failure> {
    let all = &settings.upstream.regions;
    let wanted = |region: &str| arguments.region.as_deref().is_none_or(|wanted| wanted == region);
    let chosen: Vec<_> = all.iter().filter(|upstream| wanted(&upstream.region)).collect();
    if chosen.is_empty() {
        let known: Vec<String> = all.iter().map(|upstream| format!("`{}`", upstream.region)).collect();
        let wanted = arguments.region.as_deref().unwrap_or_default();
        return Err(Failure::input(format!(
            "no [[upstream]] has the region `{wanted}`; there are {}",
            known.join(", ")
        )));
    }
    let (mut probed, mut not_asked) = (Vec::new(), Vec::new());
    serve::runtime()?.block_on(async {
        for upstream in chosen {
            match probe::region(upstream, plan).await {
                Ok(one) => probed.push(one),
                Err(why) => not_asked.push(why),
            }
        }
    });
    Ok((probed, not_asked))
}

/// Beside itself first, so that a file that is being read is never half a file.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, file));
    written.map_err(|why| Failure::input(format!("`{}` cannot be written: {why}", file.display())))
}

/// What a rule is closed without, and what an administrator vouches for, as far as it can be asked.
fn needed(rules: &Rules, assumed: &[Assumption]) -> BTreeSet<Assumption> {
    let needs = rules.operations.iter().flat_map(|operation| operation.needs.iter().copied());
    needs.chain(assumed.iter().copied()).filter(|one| probe::asks(*one)).collect()
}

fn missing(facts: &RegionFacts, needed: &BTreeSet<Assumption>) -> Vec<Missing> {
    let open = |assumption: &&Assumption| facts.verdict(**assumption) != Verdict::Holds;
    let one = |assumption: &Assumption| Missing {
        region: facts.region.clone(),
        assumption: assumption.name(),
        verdict: facts.verdict(*assumption).word(),
    };
    needed.iter().filter(open).map(one).collect()
}

fn upstream(probed: Probed, rules: &Rules) -> Upstream {
    let RegionFacts { region, url, asked_at, facts, observations } = probed.facts;
    let judged = |fact: crate::model::facts::Fact| Judged {
        name: fact.assumption.name(),
        meaning: fact.assumption.meaning(),
        verdict: fact.verdict.word(),
        evidence: fact.evidence,
        needed_by: rules.operations.iter().filter(|one| one.needs.contains(&fact.assumption)).count(),
        some_of: rules.operations.iter().filter(|one| one.rests.contains(&fact.assumption)).count(),
    };
    Upstream {
        region,
        url,
        asked_at,
        calls: probed.calls,
        looked_at: probed.looked_at,
        assumptions: facts.into_iter().map(judged).collect(),
        observations: observations.into_iter().map(|one| Seen { question: one.question, seen: one.seen }).collect(),
    }
}

fn print(report: &Report, settings: &Settings) {
    for one in &report.upstreams {
        out::line(format!(
            "{} at {}: {} calls, {} interactions looked at\n",
            one.region, one.url, one.calls, one.looked_at
        ));
        for Judged { name, meaning, verdict, evidence, needed_by, some_of } in &one.assumptions {
            out::line(format!("{name:<16} {verdict:<14} {}", resting(*needed_by, *some_of)));
            out::line(format!("    {meaning}"));
            for part in evidence.split("; ") {
                out::line(format!("    - {part}"));
            }
        }
        for Seen { question, seen } in &one.observations {
            out::line(format!("also asked: {question}: {seen}"));
        }
        out::line("");
    }
    for Unreached { region, why } in &report.not_asked {
        out::error(format!("{region}: not asked: {why}"));
    }
    for Missing { region, assumption, verdict } in &report.missing {
        out::line(format!("{region}: rules rest on `{assumption}`, and asking says: {verdict}"));
    }
    if let Some(file) = &report.file {
        out::line(format!("written to {}", file.display()));
        if settings.vouching.facts.is_none() {
            let name = file.file_name().unwrap_or_default().display().to_string();
            out::line(format!("to let it open rules, write `facts = \"{name}\"` under `[policy]` and start again"));
        } else {
            out::line("it is in force from the next start of `bailiwick serve`");
        }
    }
}

fn resting(needed_by: usize, some_of: usize) -> String {
    match (needed_by, some_of) {
        (0, 0) => "no operation rests on it".to_owned(),
        (0, some) => format!("single questions of {some} operations rest on it"),
        (all, 0) => format!("{all} operations rest on it"),
        (all, some) => format!("{all} operations rest on it, and single questions of {some}"),
    }
}
