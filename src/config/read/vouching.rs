//! `[policy]`: how roles combine, and what is vouched for about the upstream, by name or by facts.

use super::{
    super::{
        facts,
        vouching::{FactsFile, Vouching},
    },
    At, FactsAre, Section,
};
use crate::{
    base::address,
    model::{
        assumption::Assumption,
        facts::Facts,
        world::{Policy, RoleConflict},
    },
    upstream::RegionSettings,
};
use std::{ops::Range, sync::Arc, time::Duration};

/// Facts older than this are a finding, unless something else is said.
const WARN_AFTER: Duration = Duration::from_hours(90 * 24);

pub(super) fn policy(
    section: Section<'_, '_>,
    upstreams: &[RegionSettings],
    facts_are: FactsAre,
) -> (Policy, Vouching) {
    let conflicts = [("separate", RoleConflict::Separate), ("refuse", RoleConflict::Refuse)];
    let names = Assumption::ALL.map(|one| (one.name(), one));
    let assumed: Vec<At<Assumption>> = section.placed_words("assume", &names).unwrap_or_default();
    let path = section.text("facts", "the path of a facts file, relative to the folder of this file");
    let warn_after = section.duration("facts-warn-after").unwrap_or(WARN_AFTER);
    let facts = path.map(|(text, at)| {
        let file = section.reader().path(text);
        let known = match facts_are {
            FactsAre::Read => read(&section, &file, at, upstreams),
            FactsAre::About => Facts::default(),
        };
        FactsFile { file, facts: known }
    });
    if let Some(FactsFile { file, facts }) = &facts {
        contradictions(&section, &assumed, facts, &file.display().to_string());
    }
    let mut assumed: Vec<Assumption> = assumed.into_iter().map(|(assumption, _)| assumption).collect();
    assumed.sort_unstable();
    assumed.dedup();
    let vouching = Vouching { assumed, facts, warn_after };
    let regions: Vec<&str> = upstreams.iter().map(|upstream| upstream.region.as_str()).collect();
    let made = Policy {
        role_conflict: section.word("role-conflict", &conflicts).unwrap_or_default(),
        accepted: vouching.accepted(&regions),
        require_tests: section.flag("require-tests"),
        media: Arc::default(),
    };
    section.done();
    (made, vouching)
}

/// The facts, held against the upstreams that there are: what was seen of another one says nothing of these.
fn read(section: &Section<'_, '_>, file: &std::path::Path, at: Range<usize>, upstreams: &[RegionSettings]) -> Facts {
    let facts = match facts::read(file) {
        Ok(facts) => facts,
        Err(problems) => {
            section.reader().adopt(problems);
            return Facts::default();
        }
    };
    for known in &facts.regions {
        let upstream = upstreams.iter().find(|upstream| upstream.region == known.region);
        let what = match upstream {
            None => format!("the facts speak of a region `{}`, which has no [[upstream]]", known.region),
            Some(upstream) => {
                let (there, here) = (address::canonical(&known.url), address::canonical(&upstream.url.to_string()));
                if there == here {
                    continue;
                }
                format!("the facts of region `{}` are about another upstream: `{there}`, not `{here}`", known.region)
            }
        };
        section.reader().problem(at.clone(), what, "ask this one with `bailiwick probe`, into a new file");
    }
    facts
}

/// Nobody vouches for what was seen to be otherwise.
fn contradictions(section: &Section<'_, '_>, assumed: &[At<Assumption>], facts: &Facts, file: &str) {
    for (assumption, at) in assumed {
        for (region, fact) in facts.against(*assumption) {
            let what = format!(
                "`{}` is assumed, and `{file}` says that it does not hold in region `{}`, asked at {}: {}",
                assumption.name(),
                region.region,
                region.asked_at,
                fact.evidence
            );
            let help = "take it out of `assume`; if the upstream is another one now, ask again with `bailiwick probe`";
            section.reader().problem(at.clone(), what, help);
        }
    }
}
