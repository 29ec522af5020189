//! Dangerous set-ups that the organisation alone shows. A finding warns; it never changes what is visible.
//!
//! One file per theme; codes are stable. What many people share is one finding that names the first few, so
//! that a large organisation stays readable.

mod divisions;
mod grants;
mod lines;
mod outsourcers;
mod queues;
mod reach;
mod regions;
mod roles;
mod services;

use super::file::DirectoryFile;
use crate::model::{
    finding::{Finding, Severity},
    org::{Assignment, DivisionIx, Org, RoleIx},
};
use std::collections::BTreeMap;

pub(super) fn all(file: &DirectoryFile, org: &Org) -> Vec<Finding> {
    let held = Held::of(org);
    let mut out = Vec::new();
    divisions::find(org, &held, &mut out);
    regions::find(org, &mut out);
    roles::find(file, org, &held, &mut out);
    reach::find(org, &held, &mut out);
    outsourcers::find(file, org, &held, &mut out);
    queues::find(file, org, &mut out);
    lines::find(file, org, &mut out);
    grants::find(org, &mut out);
    services::find(org, &mut out);
    out.sort();
    out.dedup();
    out
}

fn finding(
    code: &'static str,
    severity: Severity,
    at: String,
    why: impl Into<String>,
    repair: impl Into<String>,
) -> Finding {
    Finding { code, severity, at, why: why.into(), repair: repair.into() }
}

fn warning(code: &'static str, at: String, why: impl Into<String>, repair: impl Into<String>) -> Finding {
    finding(code, Severity::Warning, at, why, repair)
}

/// Who holds each pair of role and division, in the order of the tables.
struct Held<'o> {
    pairs: BTreeMap<(RoleIx, DivisionIx), Holders<'o>>,
}

#[derive(Default)]
struct Holders<'o> {
    /// The first few, and how many there are.
    names: Few<'o>,
    /// An outsourcer among them.
    bpo: Few<'o>,
}

impl<'o> Held<'o> {
    fn of(org: &'o Org) -> Self {
        let mut held = Self { pairs: BTreeMap::new() };
        for user in &org.users {
            held.note(&user.id, user.bpo, &user.assignments);
        }
        for service in &org.services {
            held.note(&service.id, false, &service.assignments);
        }
        held
    }

    fn note(&mut self, id: &'o str, bpo: bool, assignments: &[Assignment]) {
        for assignment in assignments {
            let holders = self.pairs.entry((assignment.role, assignment.division)).or_default();
            holders.names.push(id);
            if bpo {
                holders.bpo.push(id);
            }
        }
    }
}

/// The first few of many ids, for a sentence.
#[derive(Debug, Clone, Default)]
struct Few<'o> {
    first: Vec<&'o str>,
    count: usize,
}

impl<'o> Few<'o> {
    const SHOWN: usize = 3;

    fn of(ids: impl IntoIterator<Item = &'o str>) -> Self {
        let mut few = Self::default();
        ids.into_iter().for_each(|id| few.push(id));
        few
    }

    fn push(&mut self, id: &'o str) {
        // Two ways to the same pair follow one another.
        if self.first.last() == Some(&id) {
            return;
        }
        self.count += 1;
        if self.first.len() < Self::SHOWN {
            self.first.push(id);
        }
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl std::fmt::Display for Few<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (nth, id) in self.first.iter().enumerate() {
            write!(f, "{}`{id}`", if nth == 0 { "" } else { ", " })?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
