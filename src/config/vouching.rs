//! Who vouches for what about the upstreams, and what is doubtful about it.

use crate::model::{
    assumption::Assumption,
    facts::{Facts, Verdict},
    finding::{Finding, Severity},
};
use jiff::{SignedDuration, Timestamp};
use std::{path::PathBuf, time::Duration};

/// Who vouches for what about the upstreams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouching {
    /// Named under `[policy] assume`.
    pub assumed: Vec<Assumption>,
    pub facts: Option<FactsFile>,
    /// Facts older than this are a finding.
    pub warn_after: Duration,
}

/// The file that `[policy] facts` names, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsFile {
    pub file: PathBuf,
    pub facts: Facts,
}

impl Vouching {
    /// Whether the facts say that it holds in every region.
    pub fn seen(&self, assumption: Assumption, regions: &[&str]) -> bool {
        self.facts.as_ref().is_some_and(|known| known.facts.hold(assumption, regions))
    }

    /// Named or seen, and nowhere seen to be otherwise.
    pub fn accepted(&self, regions: &[&str]) -> Vec<Assumption> {
        let against =
            |assumption| self.facts.as_ref().is_some_and(|known| known.facts.against(assumption).next().is_some());
        let vouched = |assumption| self.assumed.contains(&assumption) || self.seen(assumption, regions);
        Assumption::ALL.into_iter().filter(|one| vouched(*one) && !against(*one)).collect()
    }

    /// Facts that are old, and what is assumed although asking did not show it.
    pub fn findings(&self, regions: &[&str], now: Timestamp) -> Vec<Finding> {
        let Some(FactsFile { file, facts }) = &self.facts else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let at = |region: &str| format!("facts of region `{region}` in `{}`", file.display());
        let warn_after = SignedDuration::try_from(self.warn_after).unwrap_or(SignedDuration::MAX);
        for known in &facts.regions {
            let age = now.duration_since(known.asked_at);
            let why = if age > warn_after {
                format!("they are of {}: the upstream may do otherwise since", known.asked_at)
            } else if age.is_negative() {
                format!("they are of {}, which is still to come: their age says nothing", known.asked_at)
            } else {
                continue;
            };
            let repair = "ask again with `bailiwick probe`".to_owned();
            found.push(Finding { code: "F01", severity: Severity::Warning, at: at(&known.region), why, repair });
        }
        for region in regions.iter().filter(|region| !facts.regions.iter().any(|known| known.region == **region)) {
            found.push(Finding {
                code: "F02",
                severity: Severity::Warning,
                at: at(region),
                why: "there are none, so that nothing is opened by what was seen in other regions".to_owned(),
                repair: format!("ask with `bailiwick probe --region {region}`"),
            });
        }
        for assumption in &self.assumed {
            let open = |known: &&crate::model::facts::RegionFacts| known.verdict(*assumption) == Verdict::Unknown;
            for known in facts.regions.iter().filter(open) {
                found.push(Finding {
                    code: "F03",
                    severity: Severity::Info,
                    at: format!("`{}` under `[policy] assume`", assumption.name()),
                    why: format!(
                        "asking region `{}` did not show it, so that your word alone opens what needs it",
                        known.region
                    ),
                    repair: "read the evidence in the facts file; ask about days with more data by `--interval`"
                        .to_owned(),
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::{Fact, RegionFacts};

    const NOW: &str = "2026-11-20T10:00:00Z";

    fn vouching(assumed: &[Assumption], regions: &[(&str, &str, Verdict)]) -> Vouching {
        let region = |(region, asked_at, verdict): &(&str, &str, Verdict)| RegionFacts {
            region: (*region).to_owned(),
            url: "https://a.example".to_owned(),
            asked_at: asked_at.parse().unwrap(),
            facts: vec![Fact { assumption: Assumption::IdsOnly, verdict: *verdict, evidence: String::new() }],
            observations: Vec::new(),
        };
        let facts = Facts { regions: regions.iter().map(region).collect() };
        let facts = (!regions.is_empty()).then(|| FactsFile { file: "facts.toml".into(), facts });
        Vouching { assumed: assumed.to_vec(), facts, warn_after: Duration::from_hours(24) }
    }

    #[test]
    fn a_word_or_facts_of_every_region_open_and_the_contrary_closes() {
        let all = ["us", "eu"];
        let ids = [Assumption::IdsOnly];
        let (yes, no, unknown) = (Verdict::Holds, Verdict::DoesNotHold, Verdict::Unknown);
        for (assumed, us, eu, open) in [
            (true, yes, yes, true),
            (false, yes, yes, true),
            (true, unknown, unknown, true),
            (false, yes, unknown, false),
            (false, unknown, unknown, false),
            (true, yes, no, false),
            (true, no, no, false),
            (false, no, yes, false),
        ] {
            let assumed = if assumed { &ids[..] } else { &[] };
            let vouching = vouching(assumed, &[("us", NOW, us), ("eu", NOW, eu)]);
            assert_eq!(vouching.accepted(&all) == ids, open, "{assumed:?} {us:?} {eu:?}");
        }
        assert_eq!(vouching(&ids, &[]).accepted(&all), ids);
        assert!(vouching(&[], &[("us", NOW, yes)]).accepted(&all).is_empty(), "one region was not asked");
        assert_eq!(vouching(&[], &[("us", NOW, yes)]).accepted(&["us"]), ids);
    }

    #[test]
    fn old_facts_facts_to_come_and_missing_ones_are_findings() {
        let codes = |assumed: &[Assumption], regions: &[(&str, &str, Verdict)]| -> Vec<&str> {
            let found = vouching(assumed, regions).findings(&["us", "eu"], NOW.parse().unwrap());
            found.into_iter().map(|finding| finding.code).collect()
        };
        let fresh = ("us", "2026-11-19T10:00:00Z", Verdict::Holds);
        let old = ("eu", "2026-11-19T09:59:59Z", Verdict::Holds);
        let to_come = ("eu", "2026-11-20T10:00:01Z", Verdict::Unknown);
        assert_eq!(codes(&[], &[]), [""; 0]);
        assert_eq!(codes(&[], &[fresh, old]), ["F01"]);
        assert_eq!(codes(&[Assumption::IdsOnly], &[fresh, to_come]), ["F01", "F03"]);
        assert_eq!(codes(&[Assumption::IdsOnly], &[fresh]), ["F02"]);
    }
}
