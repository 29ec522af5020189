//! `bailiwick bench`: how long a query of one's own takes, directly and through the proxy.

use super::{Format, failure::Failure, out, serve};
use crate::{
    base::clock::{Clock as _, SystemClock},
    bench::{self, Asked, Bound, Comparison, Load, Measured, Of, Plan, Quantiles, Spread, Target},
    egress::{Trust, Way},
};
use secrecy::SecretString;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Such as `POST /api/v2/analytics/conversations/aggregates/query`, with query parameters if any
    #[arg(long, value_name = "METHOD PATH")]
    operation: String,
    /// The asked body
    #[arg(long, value_name = "FILE")]
    query: Option<PathBuf>,
    /// The proxy's address, such as `http://127.0.0.1:8600`
    #[arg(long, value_name = "URL")]
    through: String,
    /// A file that holds the token to ask the proxy with
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The upstream's address, to be asked in turns with the proxy; without it the proxy alone is measured
    #[arg(long, value_name = "URL")]
    direct: Option<String>,
    /// A file that holds the token to ask the upstream with
    #[arg(long, value_name = "FILE", requires = "direct")]
    direct_token_file: Option<PathBuf>,
    /// Whose certificates are believed, instead of the machine's own store
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Queries a second; mind what the upstream lets its clients ask
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Seconds of each round
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Rounds of each side, in turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    rounds: u8,
    /// Queries under way at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    connections: u16,
    /// Ask also as fast as it goes
    #[arg(long)]
    full_speed: bool,
    /// A bound such as `added-p50=2ms`, `p99=50ms`, `failed=0` or, with `--full-speed`, `throughput=0.5`; the command exits 1
    /// when one is broken
    #[arg(long, value_name = "FIGURE=BOUND")]
    check: Vec<Bound>,
    /// Write a page with plots, which opens without a network
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// What is printed as data.
#[derive(Debug, Serialize)]
struct Report<'r> {
    operation: &'r str,
    time: String,
    rate: u32,
    seconds: u32,
    rounds: u8,
    connections: u16,
    #[serde(flatten)]
    measured: &'r Measured,
    broken: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let asked = asked(arguments)?;
    for bound in &arguments.check {
        if bound.compares() && arguments.direct.is_none() {
            return Err(Failure::input(format!("`{bound}` compares both sides; name the upstream with `--direct`")));
        }
        if bound.at_full_speed() && !arguments.full_speed {
            return Err(Failure::input(format!("`{bound}` is measured with `--full-speed` only")));
        }
    }
    let trust = arguments.ca_file.clone().map_or(Trust::System, Trust::File);
    let target = |base: &str, token: Option<&PathBuf>| {
        let token = token.map(|file| token_in(file)).transpose()?;
        Ok::<_, Failure>(Target { base: base.to_owned(), token, way: Way::from(&trust) })
    };
    let through = target(&arguments.through, arguments.token_file.as_ref())?;
    let direct =
        arguments.direct.as_ref().map(|base| target(base, arguments.direct_token_file.as_ref())).transpose()?;
    let plan = Plan {
        rate: arguments.rate,
        round: Duration::from_secs(arguments.seconds.into()),
        rounds: arguments.rounds.into(),
        connections: arguments.connections.into(),
        full_speed: arguments.full_speed,
        patience: Duration::from_secs(30),
    };
    let measured = serve::runtime()?.block_on(bench::measure(&asked, direct.as_ref(), &through, &plan));
    let measured = measured.map_err(Failure::unreachable)?;
    let broken = arguments.check.iter().filter_map(|bound| {
        let found = bound.broken(&measured)?;
        Some(if found.is_nan() { format!("{bound}: not measured") } else { format!("{bound}: {found:.2}") })
    });
    let broken: Vec<String> = broken.collect();
    let failed = !broken.is_empty();
    let time = SystemClock::default().now().to_string();
    if let Some(file) = &arguments.page {
        let lines = [how(arguments), format!("{time}, {}", whom(arguments))];
        let page = bench::page(&measured, &arguments.operation, &lines);
        std::fs::write(file, page)
            .map_err(|why| Failure::input(format!("`{}` cannot be written: {why}", file.display())))?;
    }
    match arguments.format {
        Format::Json => out::json(&Report {
            operation: &arguments.operation,
            time,
            rate: arguments.rate,
            seconds: arguments.seconds,
            rounds: arguments.rounds,
            connections: arguments.connections,
            measured: &measured,
            broken,
        })?,
        Format::Text => print(arguments, &measured, &broken),
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn asked(arguments: &Arguments) -> Result<Asked, Failure> {
    let due = "write it as `POST /api/v2/analytics/conversations/details/query`";
    let wrong = || Failure::input(format!("`{}` is no operation; {due}", arguments.operation));
    let (method, path) = arguments.operation.split_once(' ').ok_or_else(wrong)?;
    let method = http::Method::from_bytes(method.as_bytes()).map_err(|_| wrong())?;
    if !path.starts_with('/') {
        return Err(wrong());
    }
    let read = |file: &PathBuf| {
        std::fs::read(file)
            .map_err(|why| Failure::input(format!("cannot read the query in `{}`: {why}", file.display())))
    };
    Ok(Asked { method, path: path.to_owned(), body: arguments.query.as_ref().map(read).transpose()? })
}

fn token_in(file: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|why| Failure::input(format!("cannot read the token in `{}`: {why}", file.display())))?;
    if text.trim().is_empty() {
        return Err(Failure::input(format!("`{}` holds no token", file.display())));
    }
    Ok(SecretString::from(text.trim()))
}

fn how(arguments: &Arguments) -> String {
    let Arguments { rate, seconds, rounds, connections, .. } = arguments;
    format!("{rate} queries a second for {seconds} s, {rounds} rounds, {connections} connections")
}

fn whom(arguments: &Arguments) -> String {
    let direct = arguments.direct.as_ref().map(|direct| format!("{direct} directly and ")).unwrap_or_default();
    format!("{direct}through {}", arguments.through)
}

fn print(arguments: &Arguments, measured: &Measured, broken: &[String]) {
    out::line(format!("{}\n{}, {}\n", arguments.operation, how(arguments), whom(arguments)));
    let fixed = &measured.fixed;
    let head: Vec<&str> =
        ["microseconds"].into_iter().chain(Of::ALL.map(Of::name)).chain(["answered", "failed"]).collect();
    let mut rows = loads(fixed);
    if let Some(added) = &fixed.added {
        rows.push(["added".to_owned()].into_iter().chain(cells(added)).collect());
    }
    out::table(&head, &rows);
    if let Some(full) = &measured.full {
        let ratio = full.throughput.map(|ratio| format!(", {:.2} of the direct one", ratio.median)).unwrap_or_default();
        out::line(format!(
            "\nas fast as it goes: {:.0} answers a second through the proxy{ratio}\n",
            full.through.answered_per_second.median
        ));
        out::table(&head, &loads(full));
    }
    if !measured.phases.is_empty() {
        out::line("\nphases of the proxy, microseconds");
        let row =
            |phase: &bench::Phase| vec![phase.name.clone(), format!("{:.0}", phase.p50), format!("{:.0}", phase.p99)];
        out::table(&["phase", "p50", "p99"], &measured.phases.iter().map(row).collect::<Vec<_>>());
    }
    for (what, often) in [Some(fixed), measured.full.as_ref()].into_iter().flatten().flat_map(failures) {
        out::line(format!("failed {often} times: {what}"));
    }
    if measured.late.median > LATE {
        out::line(format!(
            "\nof a hundred queries one was begun {:.0} us late or more: this machine had not the time to ask that often",
            measured.late.median
        ));
    }
    for one in broken {
        out::line(format!("broken: {one}"));
    }
}

/// From here on the clock of the queries is worth a word.
const LATE: f64 = 1000.0;

fn loads(of: &Comparison) -> Vec<Vec<String>> {
    let row = |name: &str, load: &Load| {
        let counts = [load.answered.to_string(), load.failed().to_string()];
        [name.to_owned()].into_iter().chain(cells(&load.times)).chain(counts).collect()
    };
    let direct = of.direct.iter().map(|load| row("direct", load));
    direct.chain([row("through", &of.through)]).collect()
}

fn cells(times: &Quantiles) -> impl Iterator<Item = String> {
    Of::ALL.into_iter().map(|of| {
        let Spread { median, min, max } = times.get(of);
        format!("{median:.0} [{min:.0}..{max:.0}]")
    })
}

fn failures(of: &Comparison) -> impl Iterator<Item = (String, u64)> {
    let sides = of.direct.iter().map(|load| ("directly", load)).chain([("through the proxy", &of.through)]);
    sides.flat_map(|(side, load)| load.failed.iter().map(move |(what, often)| (format!("{side}: {what}"), *often)))
}
