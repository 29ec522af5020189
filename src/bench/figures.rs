//! What was measured, as figures: quantiles of each round, and their medians over all rounds.

use super::asker::Answered;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// What one round of one side brought, as it came.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) took: Duration,
    /// How long each answer took that came.
    times: Vec<u64>,
    /// How much later than due the queries were begun: this machine's fault, and nobody else's.
    pub(super) late: Late,
    bytes: u64,
    failed: BTreeMap<String, u64>,
    phases: BTreeMap<String, Vec<u64>>,
}

#[derive(Debug, Default)]
pub(super) struct Late(Vec<u64>);

impl Late {
    pub(super) fn record(&mut self, late: Duration) {
        self.0.push(micros(late));
    }
}

impl Run {
    pub(super) fn count(&mut self, took: Duration, answered: Result<Answered, String>) {
        let answered = match answered {
            Ok(answered) if (200..300).contains(&answered.status) => answered,
            Ok(answered) => return *self.failed.entry(format!("status {}", answered.status)).or_default() += 1,
            Err(why) => return *self.failed.entry(why).or_default() += 1,
        };
        self.times.push(micros(took));
        self.bytes += answered.bytes as u64;
        for (phase, took) in answered.phases {
            self.phases.entry(phase).or_default().push(micros(took));
        }
    }
}

#[derive(Debug)]
pub(super) struct Round {
    pub(super) direct: Option<Run>,
    pub(super) through: Run,
}

/// All that was measured. Times in microseconds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    pub fixed: Comparison,
    /// As fast as it goes.
    pub full: Option<Comparison>,
    /// Where the time went, as the proxy says it with each answer, in the order of their share. Empty where it does not say so.
    pub phases: Vec<Phase>,
    /// How much later than due the worst of a hundred queries was begun.
    pub late: Spread,
}

#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    pub direct: Option<Load>,
    pub through: Load,
    /// The proxy's figure less the direct one, of each round.
    pub added: Option<Quantiles>,
    /// Answers a second through the proxy over those a second directly, of each round.
    pub throughput: Option<Spread>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    pub answered: u64,
    /// What else became of queries, and how often.
    pub failed: BTreeMap<String, u64>,
    pub answered_per_second: Spread,
    pub mean_bytes: u64,
    pub times: Quantiles,
    /// Every thousandth of all rounds together, for a plot.
    #[serde(skip)]
    pub curve: Vec<(f64, u64)>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Quantiles {
    pub p50: Spread,
    pub p90: Spread,
    pub p99: Spread,
    pub p999: Spread,
    pub max: Spread,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    P50,
    P90,
    P99,
    P999,
    Max,
}

#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    pub name: String,
    pub p50: f64,
    pub p99: f64,
}

/// A figure of each round: the middle one, the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |at: usize| figures.get(at).copied().unwrap_or(f64::NAN);
        let middle = figures.len() / 2;
        let median = if figures.len().is_multiple_of(2) {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self { median, min: at(0), max: at(figures.len().wrapping_sub(1)) }
    }
}

impl Of {
    pub const ALL: [Self; 5] = [Self::P50, Self::P90, Self::P99, Self::P999, Self::Max];

    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Max => "max",
        }
    }

    fn share(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P90 => 0.9,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
            Self::Max => 1.0,
        }
    }
}

impl Quantiles {
    /// `figure`: that quantile of each round.
    fn of<F: Iterator<Item = f64>>(figure: impl Fn(Of) -> F) -> Self {
        let spread = |of| Spread::of(figure(of));
        Self {
            p50: spread(Of::P50),
            p90: spread(Of::P90),
            p99: spread(Of::P99),
            p999: spread(Of::P999),
            max: spread(Of::Max),
        }
    }

    pub fn get(&self, of: Of) -> Spread {
        match of {
            Of::P50 => self.p50,
            Of::P90 => self.p90,
            Of::P99 => self.p99,
            Of::P999 => self.p999,
            Of::Max => self.max,
        }
    }
}

impl Measured {
    pub(super) fn of(fixed: &[Round], full: &[Round]) -> Self {
        let mut phases: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (name, times) in fixed.iter().flat_map(|round| &round.through.phases) {
            phases.entry(name).or_default().extend(times);
        }
        let phase = |(name, mut times): (&str, Vec<u64>)| {
            times.sort_unstable();
            Phase { name: name.to_owned(), p50: quantile(&times, 0.5), p99: quantile(&times, 0.99) }
        };
        let mut phases: Vec<Phase> = phases.into_iter().map(phase).collect();
        phases.sort_by(|one, other| other.p50.total_cmp(&one.p50));
        let late = |run: &Run| quantile(&sorted(&run.late.0), 0.99);
        let runs = fixed.iter().flat_map(|round| round.direct.iter().chain([&round.through]));
        Self {
            fixed: Comparison::of(fixed),
            full: (!full.is_empty()).then(|| Comparison::of(full)),
            phases,
            late: Spread::of(runs.map(late)),
        }
    }
}

impl Comparison {
    fn of(rounds: &[Round]) -> Self {
        let pairs: Vec<(Timed<'_>, Timed<'_>)> = rounds
            .iter()
            .filter_map(|round| Some((Timed::of(round.direct.as_ref()?), Timed::of(&round.through))))
            .collect();
        let added = || Quantiles::of(|of| pairs.iter().map(move |(direct, through)| through.at(of) - direct.at(of)));
        let throughput = || Spread::of(pairs.iter().map(|(direct, through)| through.rate() / direct.rate()));
        let direct: Vec<&Run> = rounds.iter().filter_map(|round| round.direct.as_ref()).collect();
        let through: Vec<&Run> = rounds.iter().map(|round| &round.through).collect();
        let both = !pairs.is_empty();
        Self {
            direct: both.then(|| Load::of(&direct)),
            through: Load::of(&through),
            added: both.then(added),
            throughput: both.then(throughput),
        }
    }
}

/// A run with its times in order.
struct Timed<'r> {
    run: &'r Run,
    times: Vec<u64>,
}

impl<'r> Timed<'r> {
    fn of(run: &'r Run) -> Self {
        Self { run, times: sorted(&run.times) }
    }

    fn at(&self, of: Of) -> f64 {
        quantile(&self.times, of.share())
    }

    fn rate(&self) -> f64 {
        count(self.times.len()) / self.run.took.as_secs_f64()
    }
}

impl Load {
    fn of(runs: &[&Run]) -> Self {
        let timed: Vec<Timed<'_>> = runs.iter().map(|run| Timed::of(run)).collect();
        let mut failed = BTreeMap::new();
        for (what, often) in runs.iter().flat_map(|run| &run.failed) {
            *failed.entry(what.clone()).or_default() += often;
        }
        let mut all: Vec<u64> = runs.iter().flat_map(|run| &run.times).copied().collect();
        all.sort_unstable();
        let answered = all.len() as u64;
        let bytes: u64 = runs.iter().map(|run| run.bytes).sum();
        Self {
            answered,
            failed,
            answered_per_second: Spread::of(timed.iter().map(Timed::rate)),
            mean_bytes: bytes.checked_div(answered).unwrap_or_default(),
            times: Quantiles::of(|of| timed.iter().map(move |timed| timed.at(of))),
            curve: curve(&all),
        }
    }

    pub fn failed(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// Dense where it is interesting: at the slow end.
fn curve(all: &[u64]) -> Vec<(f64, u64)> {
    if all.is_empty() {
        return Vec::new();
    }
    let least = 1.0 / count(all.len());
    let mut shares = Vec::new();
    let mut rest = 1.0;
    while rest >= least {
        shares.push(1.0 - rest);
        rest *= 0.93;
    }
    shares.into_iter().map(|share| (share, pick(all, share))).collect()
}

fn sorted(times: &[u64]) -> Vec<u64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    times
}

/// Of nothing: not a number.
fn quantile(sorted: &[u64], share: f64) -> f64 {
    if sorted.is_empty() { f64::NAN } else { float(pick(sorted, share)) }
}

/// The least time in which so large a share was answered.
fn pick(sorted: &[u64], share: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a place in it")]
    let at = (count(sorted.len()) * share).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
}

fn count(number: usize) -> f64 {
    float(number as u64)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn float(number: u64) -> f64 {
    number as f64
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
