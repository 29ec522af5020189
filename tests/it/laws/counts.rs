//! What a run of drawn cases was worth: outcomes by code, forbidden parts, rows, sources per person.

use super::{
    case::Organisation,
    program::{Answered, Got},
    random::judges_shares,
};
use bailiwick::model::refusal::Code;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) all: usize,
    pub(super) by_outcome: BTreeMap<String, usize>,
    pub(super) forbidden: usize,
    pub(super) rows: usize,
    pub(super) noticed: usize,
    /// Answers in which an interaction that crosses a window's edge took a place on a page.
    pub(super) displaced: usize,
    /// What was sent would be refused as a list that names a dead queue.
    pub(super) stale: usize,
    pub(super) drawn: BTreeMap<&'static str, usize>,
    pub(super) people: usize,
    pub(super) organisations: usize,
    pub(super) failures: BTreeMap<String, usize>,
}

impl Counts {
    pub(super) fn percent(&self, part: usize) -> f64 {
        100.0 * part as f64 / self.all.max(1) as f64
    }
    pub(super) fn of(&self, outcome: &str) -> usize {
        self.by_outcome.get(outcome).copied().unwrap_or(0)
    }
    pub(super) fn note(&mut self, got: &Got) {
        self.all += 1;
        let outcome = match got {
            Got::Refused { code, .. } => code.as_str().to_owned(),
            Got::Answered(Answered { sent: None, .. }) => "answered locally".to_owned(),
            Got::Answered(_) => "answered".to_owned(),
        };
        *self.by_outcome.entry(outcome).or_default() += 1;
    }
    /// What the drawing has to be worth: answers and refusals of many kinds, much that is forbidden, much that is
    /// shown, and people with several sources each.
    pub(super) fn show_enough(&self) {
        let answered = self.of("answered") + self.of("answered locally");
        let refused: BTreeMap<&str, usize> = self
            .by_outcome
            .iter()
            .filter(|(outcome, _)| !outcome.starts_with("answered"))
            .map(|(code, count)| (code.as_str(), *count))
            .collect();
        assert_eq!(answered + refused.values().sum::<usize>(), self.all, "every case has one outcome");
        for code in [Code::VerifyFailed, Code::Internal, Code::AnswerUnreadable] {
            assert!(!refused.contains_key(code.as_str()), "{}", code.as_str());
        }
        if !judges_shares() {
            return;
        }
        assert!(self.percent(self.forbidden) >= 30.0, "too few cases with forbidden parts");
        assert!(self.percent(self.rows) >= 30.0, "too few cases with rows");
        assert!(self.percent(self.noticed) >= 5.0, "too few cases with notices");
        assert!(self.percent(answered) >= 60.0, "too few answers");
        assert!(refused.len() >= 12, "too few kinds of refusals: {refused:?}");
        for code in [
            Code::ScopeOutside,
            Code::QueryDeadQueue,
            Code::QueryTooComplex,
            Code::MetricUnscopable,
            Code::DivisionChoose,
            Code::RegionCrossRegionScan,
            Code::DivisionParentScan,
            Code::ScopeEmpty,
            Code::PermissionMissing,
        ] {
            assert!(refused.contains_key(code.as_str()), "no case is refused `{}`", code.as_str());
        }
        let each = |what: &str| self.drawn.get(what).copied().unwrap_or(0) as f64 / self.people.max(1) as f64;
        for (what, least, most) in [("roles", 1.0, 4.0), ("groups", 1.0, 5.0), ("grants", 0.2, 2.0)] {
            assert!((least..=most).contains(&each(what)), "{what} per person: {:.2}", each(what));
        }
        let of_organisation =
            |what: &str| self.drawn.get(what).copied().unwrap_or(0) as f64 / self.organisations as f64;
        for (what, least) in [("folders", 1.0), ("restricted queues", 1.0), ("dead queues", 1.0), ("grants", 3.0)] {
            assert!(of_organisation(what) >= least, "{what} per organisation: {:.2}", of_organisation(what));
        }
    }
    pub(super) fn print(&self, law: &str) {
        println!("{law}: {} cases", self.all);
        for (outcome, count) in &self.by_outcome {
            println!("  {outcome:<28} {count:>8} {:>5.1} %", self.percent(*count));
        }
        for (class, count) in &self.failures {
            println!("  FAILS {count:>8} {class}");
        }
        if self.people > 0 {
            println!(
                "  with forbidden parts {:.1} %, with rows {:.1} %, with notices {:.1} %, with a place taken {}",
                self.percent(self.forbidden),
                self.percent(self.rows),
                self.percent(self.noticed),
                self.displaced
            );
            for (what, count) in &self.drawn {
                println!(
                    "  {what}: {:.2} per person, {:.2} per organisation",
                    *count as f64 / self.people as f64,
                    *count as f64 / self.organisations.max(1) as f64
                );
            }
        }
    }

    pub(super) fn tally(&mut self, organisation: &Organisation) {
        let directory = &organisation.directory;
        self.people += directory.users.len();
        self.organisations += 1;
        for user in &directory.users {
            let mut add = |what, count| *self.drawn.entry(what).or_default() += count;
            add("roles", user.roles.len());
            add("groups", directory.groups_of(&user.id).len());
            add("grants", directory.grants.iter().filter(|grant| grant.beneficiary == user.id).count());
        }
        let mut add = |what, count| *self.drawn.entry(what).or_default() += count;
        add("folders", directory.folders.len());
        add("restricted queues", directory.queues.iter().filter(|queue| queue.restricted).count());
        let dead = |queue: &&crate::oracle::data::Queue| !matches!(queue.state.as_deref(), None | Some("active"));
        add("dead queues", directory.queues.iter().filter(dead).count());
    }
}
