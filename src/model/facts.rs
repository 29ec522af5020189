//! What upstreams were seen to do about assumptions, and which of these count. Plain data: `bailiwick probe` asks,
//! the configuration names the file.

use super::assumption::Assumption;
use jiff::Timestamp;

/// What asking has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    /// Nothing was found whose answer would tell the two worlds apart, or it was not answered.
    Unknown,
}

impl Verdict {
    pub const ALL: [Self; 3] = [Self::Holds, Self::DoesNotHold, Self::Unknown];

    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does-not-hold",
            Self::Unknown => "unknown",
        }
    }
}

/// One assumption of one upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub assumption: Assumption,
    pub verdict: Verdict,
    /// In words and counts; names nobody and nothing of the upstream's data.
    pub evidence: String,
}

/// Something that no rule rests on and whoever writes rules wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub question: String,
    pub seen: String,
}

/// What one region's upstream was seen to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionFacts {
    pub region: String,
    /// The base address that was asked.
    pub url: String,
    pub asked_at: Timestamp,
    pub facts: Vec<Fact>,
    pub observations: Vec<Observation>,
}

impl RegionFacts {
    /// What is not written down is not known.
    pub fn verdict(&self, assumption: Assumption) -> Verdict {
        let found = self.facts.iter().find(|fact| fact.assumption == assumption);
        found.map_or(Verdict::Unknown, |fact| fact.verdict)
    }
}

/// A facts file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub regions: Vec<RegionFacts>,
}

impl Facts {
    /// Whether it was seen to hold in every one of these regions. Rules are one set for all regions, so what one upstream
    /// does says nothing about another's.
    pub fn hold(&self, assumption: Assumption, regions: &[&str]) -> bool {
        let holds = |region: &&str| {
            let known = self.regions.iter().find(|known| known.region == *region);
            known.is_some_and(|known| known.verdict(assumption) == Verdict::Holds)
        };
        !regions.is_empty() && regions.iter().all(holds)
    }

    /// The regions in which the contrary was seen, with what was seen.
    pub fn against(&self, assumption: Assumption) -> impl Iterator<Item = (&RegionFacts, &Fact)> {
        let contrary = move |fact: &&Fact| fact.assumption == assumption && fact.verdict == Verdict::DoesNotHold;
        self.regions.iter().flat_map(move |region| region.facts.iter().filter(contrary).map(move |fact| (region, fact)))
    }

    /// Puts newer facts of a region in the place of the old ones.
    pub fn replace(&mut self, newer: RegionFacts) {
        match self.regions.iter_mut().find(|known| known.region == newer.region) {
            Some(known) => *known = newer,
            None => self.regions.push(newer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str, verdicts: &[(Assumption, Verdict)]) -> RegionFacts {
        let fact = |(assumption, verdict): &(Assumption, Verdict)| Fact {
            assumption: *assumption,
            verdict: *verdict,
            evidence: String::new(),
        };
        RegionFacts {
            region: name.to_owned(),
            url: format!("https://{name}.example"),
            asked_at: Timestamp::UNIX_EPOCH,
            facts: verdicts.iter().map(fact).collect(),
            observations: Vec::new(),
        }
    }

    #[test]
    fn what_holds_holds_in_every_region_and_there_is_one() {
        let (one, other) = (Assumption::IdsOnly, Assumption::EntriesAnd);
        let facts = Facts {
            regions: vec![
                region("us", &[(one, Verdict::Holds), (other, Verdict::Holds)]),
                region("eu", &[(one, Verdict::Holds), (other, Verdict::Unknown)]),
            ],
        };
        assert!(facts.hold(one, &["us", "eu"]) && facts.hold(one, &["eu"]) && facts.hold(other, &["us"]));
        assert!(!facts.hold(other, &["us", "eu"]), "unknown in one region");
        assert!(!facts.hold(one, &["us", "eu", "ap"]), "nobody asked in one region");
        assert!(!facts.hold(one, &[]) && !Facts::default().hold(one, &["us"]));
        assert!(!facts.hold(Assumption::LegFilter, &["us"]), "not written down");
    }

    #[test]
    fn the_contrary_in_one_region_is_told_and_newer_facts_replace_it() {
        let no = region("eu", &[(Assumption::IdsOnly, Verdict::DoesNotHold)]);
        let mut facts = Facts { regions: vec![region("us", &[(Assumption::IdsOnly, Verdict::Holds)]), no] };
        let against: Vec<_> = facts.against(Assumption::IdsOnly).map(|(region, _)| region.region.as_str()).collect();
        assert_eq!(against, ["eu"]);
        facts.replace(region("eu", &[(Assumption::IdsOnly, Verdict::Holds)]));
        assert!(facts.against(Assumption::IdsOnly).next().is_none() && facts.hold(Assumption::IdsOnly, &["us", "eu"]));
        assert_eq!(facts.regions.len(), 2);
    }
}
