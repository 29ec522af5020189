//! Bounds that the figures have to keep, such as `added-p50=2ms`.

use super::figures::{Comparison, Measured, Of};
use std::{fmt, str::FromStr};

/// A figure, and what it may be at most; `throughput` is the one that it has to be at least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    figure: Figure,
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Through(Of),
    Added(Of),
    Failed,
    Throughput,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no bound; write such as `added-p50=2ms`, `p99=50ms`, `failed=0` or `throughput=0.5` (p50, p90, p99, p99.9, max)"
)]
pub struct NoBound(String);

impl FromStr for Bound {
    type Err = NoBound;

    fn from_str(text: &str) -> Result<Self, NoBound> {
        let read = || {
            let (name, limit) = text.split_once('=')?;
            let of = |name: &str| Of::ALL.into_iter().find(|of| of.name() == name);
            let figure = match name {
                "failed" => Figure::Failed,
                "throughput" => Figure::Throughput,
                _ => match name.strip_prefix("added-") {
                    Some(name) => Figure::Added(of(name)?),
                    None => Figure::Through(of(name)?),
                },
            };
            let limit = match figure {
                Figure::Failed | Figure::Throughput => limit.parse().ok()?,
                Figure::Through(_) | Figure::Added(_) => micros(limit)?,
            };
            (f64::is_finite(limit) && limit >= 0.0).then_some(Self { figure, limit })
        };
        read().ok_or_else(|| NoBound(text.to_owned()))
    }
}

fn micros(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| c.is_ascii_alphabetic())?)?;
    let factor = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

impl Bound {
    /// Whether it speaks of both sides.
    pub fn compares(self) -> bool {
        matches!(self.figure, Figure::Added(_) | Figure::Throughput)
    }

    /// Whether it speaks of what goes at full speed.
    pub fn at_full_speed(self) -> bool {
        self.figure == Figure::Throughput
    }

    /// What is measured instead, where the bound is broken. A figure that nobody could measure breaks it.
    pub fn broken(self, measured: &Measured) -> Option<f64> {
        let fixed = &measured.fixed;
        let found = match self.figure {
            Figure::Through(of) => fixed.through.times.get(of).median,
            Figure::Added(of) => fixed.added.as_ref().map_or(f64::NAN, |added| added.get(of).median),
            Figure::Failed => {
                #[expect(clippy::cast_precision_loss, reason = "a count of failures")]
                let failed = all(measured).map(|one| one.through.failed()).sum::<u64>() as f64;
                failed
            }
            Figure::Throughput => {
                let ratio = measured.full.as_ref().and_then(|full| full.throughput);
                ratio.map_or(f64::NAN, |ratio| ratio.median)
            }
        };
        let kept = if self.figure == Figure::Throughput { found >= self.limit } else { found <= self.limit };
        (!kept).then_some(found)
    }
}

fn all(measured: &Measured) -> impl Iterator<Item = &Comparison> {
    [Some(&measured.fixed), measured.full.as_ref()].into_iter().flatten()
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        match self.figure {
            Figure::Through(of) => write!(f, "{} at most {limit} us", of.name()),
            Figure::Added(of) => write!(f, "added {} at most {limit} us", of.name()),
            Figure::Failed => write!(f, "at most {limit} failed"),
            Figure::Throughput => write!(f, "throughput at least {limit} of the direct one"),
        }
    }
}
