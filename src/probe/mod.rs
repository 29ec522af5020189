//! Asks a live upstream the questions on which rules rest, so that what no document proves is seen and not believed.
//!
//! For each assumption a witness is looked for first: something in the upstream's own data whose answer would be another
//! one if the assumption did not hold. Then that is asked, with a question beside it that must find the witness. Without
//! a witness, or where the upstream does not answer, nothing is known: `holds` never follows from a lack of data.
//!
//! It reads only, with the region's own credential or a token that it is given, in small pages and a bounded number of
//! calls, and never through the data path of clients. What it writes down are words and counts.
//!
//! A new assumption gets a line in `QUESTIONS` and a file that finds its witnesses; one without a line is `unknown`.

mod ask;
mod criteria;
mod division;
mod entries;
mod interval;
mod leg;
mod line;
mod lists;
mod observed;
mod recordings;
mod sample;
mod segment;
mod trial;

#[cfg(test)]
mod tests;

use crate::{
    model::{
        assumption::Assumption,
        facts::{Fact, RegionFacts},
    },
    upstream::RegionSettings,
};
use jiff::Timestamp;
use line::Line;
use sample::Sample;
use secrecy::SecretString;
use trial::Part;

/// How much is asked, and about which time.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whole days in which interactions are looked for.
    pub from: Timestamp,
    pub until: Timestamp,
    /// No more calls than this to one region, the token's included.
    pub most_calls: usize,
    /// A bearer to ask with, instead of the region's own credential.
    pub token: Option<SecretString>,
    pub now: Timestamp,
}

/// What was seen, and what it cost.
#[derive(Debug, Clone)]
pub struct Probed {
    pub facts: RegionFacts,
    pub calls: usize,
    /// Interactions that were looked at for witnesses.
    pub looked_at: usize,
}

/// Nothing was learnt, because no question was answered.
#[derive(Debug, thiserror::Error)]
#[error("the upstream of region `{region}` could not be asked: {why}")]
pub struct NotAsked {
    pub region: String,
    pub why: String,
}

/// What is asked for one assumption.
type Question = fn(&Sample) -> Vec<Part>;

const QUESTIONS: [(Assumption, Question); 8] = [
    (Assumption::EntriesAnd, entries::parts),
    (Assumption::SameSegment, segment::parts),
    (Assumption::LegFilter, leg::parts),
    (Assumption::LegsContained, interval::parts),
    (Assumption::DivisionOfLeg, division::parts),
    (Assumption::IdsOnly, lists::parts),
    (Assumption::PartOfItsInteraction, recordings::parts),
    (Assumption::CriteriaAnd, criteria::parts),
];

/// Whether anything is asked for it. What is not can only be vouched for by name.
pub fn asks(assumption: Assumption) -> bool {
    QUESTIONS.iter().any(|(asked, _)| *asked == assumption)
}

/// Asks one region's upstream.
pub async fn region(settings: &RegionSettings, plan: &Plan) -> Result<Probed, NotAsked> {
    let not_asked = |why: String| NotAsked { region: settings.region.clone(), why };
    let mut line = Line::open(settings, plan).await.map_err(not_asked)?;
    let sample = sample::take(&mut line, plan).await;
    let mut facts = Vec::new();
    for assumption in Assumption::ALL {
        let question = QUESTIONS.iter().find(|(asked, _)| *asked == assumption);
        let judged = match question {
            Some((_, parts)) => trial::run(&mut line, parts(&sample)).await,
            None => trial::Judged::unknown("nothing is asked for it"),
        };
        facts.push(Fact { assumption, verdict: judged.verdict, evidence: judged.evidence });
    }
    let observations = observed::ask(&mut line, &sample).await;
    if let Some(why) = line.never_answered() {
        return Err(not_asked(why));
    }
    Ok(Probed {
        facts: RegionFacts {
            region: settings.region.clone(),
            url: settings.url.to_string(),
            asked_at: plan.now,
            facts,
            observations,
        },
        calls: line.calls(),
        looked_at: sample.interactions.len(),
    })
}
