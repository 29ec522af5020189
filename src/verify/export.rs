//! The list of one's own exports: the request asks for no more than a page, every export that may be shown is the
//! holder's, and a file may be fetched only while what was sent for it is inside his scope of now.

use super::{Certificate, Step, Unproved, Verified, check, job::hold_owner, request, scope::Scope};
use crate::model::{
    contract::Contract,
    entitlement,
    job::Job,
    org::Org,
    outgoing::{Outgoing, Residual},
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What may be shown of a list in which everybody's exports stand.
#[derive(Debug, Clone, Default)]
pub struct OwnRows {
    /// Exports of the holder's own.
    ids: BTreeSet<Box<str>>,
    /// Those of them whose file he may fetch now: none, until what was sent for it is proved.
    open: BTreeSet<Box<str>>,
}

impl OwnRows {
    pub fn is_own(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains(id)
    }
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Opens the files of those of `jobs` that are inside the scope of now. `asking`: the holder's scope for asking for an
    /// export now; without the right to ask for one no file is his to fetch.
    #[must_use]
    pub fn open(
        mut self,
        contract: &Contract,
        jobs: &[Job],
        asking: &entitlement::Scope,
        org: &Org,
        now: Timestamp,
    ) -> Self {
        let inside = |job: &Job| -> Option<Verified> {
            let submit = contract.own.as_deref()?;
            hold_owner(submit, job, asking, org).ok()?;
            let (sent, residual) = (job.outgoing(submit)?, Residual { keys: true, ..Residual::default() });
            check(submit, sent, residual, asking, org, now).ok()
        };
        let open = jobs.iter().filter(|job| self.ids.contains(&job.id) && inside(job).is_some());
        self.open = open.map(|job| job.id.clone()).collect();
        self
    }
}

/// As [`super::check`], for the list of what is bound to its asker.
pub fn check_own(
    contract: &Contract,
    outgoing: Outgoing,
    own: &[Job],
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<(Verified, OwnRows), Unproved> {
    let submit = contract.own.as_deref().ok_or_else(|| Unproved::at("contract", "is no list of one's own"))?;
    let scope = Scope::of(contract, given, org, now)?;
    request::hold_path(&scope, contract, &outgoing)?;
    request::hold_query(&scope, contract, &outgoing)?;
    if outgoing.body.is_some() {
        return Err(Unproved::at("body", "a list has none"));
    }
    let mut rows = OwnRows::default();
    for job in own {
        hold_owner(submit, job, given, org)?;
        rows.ids.insert(job.id.clone());
    }
    let clause = format!("{} exports of the holder's own", rows.ids.len());
    let certificate = Certificate { steps: vec![Step { clause, by: "answer: ids".into() }] };
    Ok((Verified { outgoing, residual: Residual { keys: true, ..Residual::default() }, certificate }, rows))
}
