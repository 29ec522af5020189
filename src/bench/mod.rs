//! Times one query, asked directly and through the proxy, in turns: at a fixed rate, and as fast as it goes.
//!
//! A client like any other: it sees nothing of the data path, and what it learns of the proxy's phases it reads from the
//! answers (`Server-Timing`). At a fixed rate each query has its due time, and it takes from that instant to the last byte of the
//! answer, whether a connection was free for it or not: an answer that comes late is not hidden by those that were not asked
//! meanwhile.

mod asker;
mod bounds;
mod figures;
mod load;
mod page;
mod phases;

#[cfg(test)]
mod tests;

pub use asker::{Target, Unusable};
pub use bounds::{Bound, NoBound};
pub use figures::{Comparison, Load, Measured, Of, Phase, Quantiles, Spread};
pub use page::page;

use asker::Asker;
use figures::Round;
use std::time::Duration;

/// The query, as it is sent to both sides.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: http::Method,
    /// Path and query parameters.
    pub path: String,
    pub body: Option<Vec<u8>>,
}

/// How it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Queries a second.
    pub rate: u32,
    /// Each round of each side.
    pub round: Duration,
    pub rounds: usize,
    /// Queries under way at once.
    pub connections: usize,
    /// Also as fast as it goes.
    pub full_speed: bool,
    /// How long one answer may take.
    pub patience: Duration,
}

/// Measures both sides, or the proxy alone.
pub async fn measure(
    asked: &Asked,
    direct: Option<&Target>,
    through: &Target,
    plan: &Plan,
) -> Result<Measured, Unusable> {
    let side = |target: &Target| Asker::new(asked, target, plan);
    let (direct, through) = (direct.map(side).transpose()?, side(through)?);
    for one in direct.iter().chain([&through]) {
        one.try_once().await?;
    }
    let (mut fixed, mut full) = (Vec::new(), Vec::new());
    for at in 0..plan.rounds {
        fixed.push(round(at, direct.as_ref(), &through, Some(plan.rate), plan).await);
    }
    for at in 0..if plan.full_speed { plan.rounds } else { 0 } {
        full.push(round(at, direct.as_ref(), &through, None, plan).await);
    }
    Ok(Measured::of(&fixed, &full))
}

/// One round: both sides after each other, so that what else the machine does meets both, and each goes first as often.
async fn round(at: usize, direct: Option<&Asker>, through: &Asker, rate: Option<u32>, plan: &Plan) -> Round {
    let run = |asker| load::run(asker, rate, plan);
    let Some(direct) = direct else { return Round { direct: None, through: run(through).await } };
    if at.is_multiple_of(2) {
        let first = run(direct).await;
        Round { direct: Some(first), through: run(through).await }
    } else {
        let first = run(through).await;
        Round { direct: Some(run(direct).await), through: first }
    }
}
