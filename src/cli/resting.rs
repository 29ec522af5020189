//! What `check` says of assumptions: what each means, who vouches for it, and what rests on it.

use super::out;
use crate::{
    config::{Settings, Vouching},
    model::{
        assumption::Assumption,
        facts::Verdict,
        operation::{Operation, Rules},
    },
    probe,
};
use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resting {
    name: &'static str,
    meaning: &'static str,
    accepted: bool,
    /// Named under `[policy] assume`.
    assumed: bool,
    facts: Vec<Known>,
    /// Operations that are closed without it.
    operations: Vec<String>,
    /// Operations of which some questions are refused without it.
    some_questions_of: Vec<String>,
}

/// What one region's facts say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    region: String,
    asked_at: Timestamp,
    verdict: &'static str,
    evidence: String,
}

/// An operation that rests on assumptions which nobody vouched for.
#[derive(Debug, Serialize)]
pub(super) struct Closed {
    pub(super) operation: String,
    pub(super) needs: Vec<&'static str>,
    /// Those of them about which `probe` can ask.
    pub(super) asked: Vec<&'static str>,
}

pub(super) fn resting(rules: &Rules, settings: Option<&Settings>) -> Vec<Resting> {
    Assumption::ALL.into_iter().map(|one| of(one, rules, settings.map(|settings| &settings.vouching))).collect()
}

fn of(assumption: Assumption, rules: &Rules, vouching: Option<&Vouching>) -> Resting {
    let which = |rests: &dyn Fn(&Operation) -> bool| {
        rules.operations.iter().filter(|one| rests(one)).map(|one| one.id.to_string()).collect()
    };
    let regions =
        vouching.and_then(|vouching| vouching.facts.as_ref()).into_iter().flat_map(|known| &known.facts.regions);
    let known = regions.flat_map(|region| {
        region.facts.iter().filter(|fact| fact.assumption == assumption).map(|fact| Known {
            region: region.region.clone(),
            asked_at: region.asked_at,
            verdict: fact.verdict.word(),
            evidence: fact.evidence.clone(),
        })
    });
    Resting {
        name: assumption.name(),
        meaning: assumption.meaning(),
        accepted: rules.policy.accepted.contains(&assumption),
        assumed: vouching.is_some_and(|vouching| vouching.assumed.contains(&assumption)),
        facts: known.collect(),
        operations: which(&|one| one.needs.contains(&assumption)),
        some_questions_of: which(&|one| one.rests.contains(&assumption) && !one.needs.contains(&assumption)),
    }
}

pub(super) fn closed(rules: &Rules) -> Vec<Closed> {
    let closed = rules.operations.iter().filter(|operation| !operation.unproved.is_empty());
    closed
        .map(|operation| Closed {
            operation: operation.id.to_string(),
            needs: operation.unproved.iter().map(|assumption| assumption.name()).collect(),
            asked: operation.unproved.iter().filter(|one| probe::asks(**one)).map(|one| one.name()).collect(),
        })
        .collect()
}

/// One line for each that is accepted, or is not and something rests on it.
pub(super) fn print(all: &[Resting], closed: &[Closed]) {
    for one in all {
        let rests = match (one.operations.len(), one.some_questions_of.len()) {
            (0, 0) if !one.accepted => continue,
            (0, 0) => "nothing rests on it".to_owned(),
            (all, 0) => format!("{all} operations rest on it"),
            (0, some) => format!("single questions of {some} operations rest on it"),
            (all, some) => format!("{all} operations rest on it, and single questions of {some} others"),
        };
        let Resting { name, meaning, .. } = one;
        if one.accepted {
            out::line(format!("accepted: {name} ({}): {meaning}; {rests}", one.vouched()));
        } else {
            out::line(format!("not accepted: {name} ({}): {meaning}; {rests}", one.doubt()));
        }
    }
    for Closed { operation, needs, asked } in closed {
        let why = |need: &&str| match all.iter().find(|one| one.name == *need) {
            Some(one) if !one.facts.is_empty() => format!("{need}: {}", one.doubt()),
            _ => (*need).to_owned(),
        };
        let needs = needs.iter().map(why).collect::<Vec<_>>().join(", ");
        out::line(format!("closed: {operation} (needs {needs}); {}", advice(asked)));
    }
}

/// What opens an operation. `asked`: those of its needs about which `probe` can ask.
fn advice(asked: &[&str]) -> String {
    let asked: Vec<_> = asked.iter().map(|name| format!("`{name}`")).collect();
    let probe = match asked.as_slice() {
        [] => "; `bailiwick probe` asks nothing about it".to_owned(),
        asked => format!(", or ask with `bailiwick probe` about {}", asked.join(", ")),
    };
    format!("accept by name under `[policy] assume` once you vouch for it{probe}")
}

impl Resting {
    /// Who vouches for it.
    fn vouched(&self) -> String {
        let word = self.assumed.then(|| "by `assume`".to_owned());
        let held = self.facts.iter().filter(|known| known.verdict == Verdict::Holds.word());
        let seen: Vec<String> =
            held.map(|known| format!("{} on {}", known.region, known.asked_at.strftime("%F"))).collect();
        let facts = (!seen.is_empty()).then(|| format!("seen in {}", seen.join(", ")));
        word.into_iter().chain(facts).collect::<Vec<_>>().join(", ")
    }

    /// Why it does not count.
    fn doubt(&self) -> String {
        let of = |verdict: Verdict| -> Vec<&str> {
            let such = self.facts.iter().filter(|known| known.verdict == verdict.word());
            such.map(|known| known.region.as_str()).collect()
        };
        let (contrary, unknown) = (of(Verdict::DoesNotHold), of(Verdict::Unknown));
        if !contrary.is_empty() {
            format!("seen not to hold in {}", contrary.join(", "))
        } else if !unknown.is_empty() {
            format!("asked and not known in {}", unknown.join(", "))
        } else if !self.facts.is_empty() {
            "not asked in every region".to_owned()
        } else {
            "nobody vouches for it".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::world::Policy, rules};

    #[test]
    fn probe_is_advised_for_what_it_asks_and_for_nothing_else() {
        let rules = rules::compile(rules::embedded(), Policy::default()).map_err(|_| "problems").unwrap().rules;
        let closed = closed(&rules);
        let of = |id: &str| closed.iter().find(|one| one.operation == id).unwrap();
        let (details, export) = (of("conversations.details.query"), of("exports.submit"));
        assert!(details.asked.contains(&"same-segment") && details.asked.len() == details.needs.len());
        assert!(export.needs.contains(&"view-filter") && !export.asked.contains(&"view-filter"), "{export:?}");
        assert!(advice(&["same-segment"]).ends_with(", or ask with `bailiwick probe` about `same-segment`"));
        assert!(advice(&[]).ends_with("; `bailiwick probe` asks nothing about it"));
    }
}
