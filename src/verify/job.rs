//! What is asked about a job: it is the holder's own, and its results answer a question that is inside his scope of now.

use super::{Certificate, Step, Unproved, Verified, check, check_change, part, request, scope::Scope};
use crate::model::{
    body::Access,
    contract::{Contract, Effect, ParamKind},
    entitlement,
    job::{Job, JobStep},
    org::{Org, Principal},
    outgoing::{Outgoing, Residual},
    part::Sighting,
};
use jiff::Timestamp;

/// Why a request about a job is not proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobUnproved {
    /// What was sent for it is not inside the scope any more.
    ScopeChanged(Unproved),
    Fault(Unproved),
}

impl From<Unproved> for JobUnproved {
    fn from(unproved: Unproved) -> Self {
        Self::Fault(unproved)
    }
}

/// As [`check`], for a step of `job`; `seen` is what was seen of the interactions that it names.
pub fn check_job(
    contract: &Contract,
    outgoing: Outgoing,
    residual: Residual,
    (job, seen): (&Job, &[Sighting]),
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<Verified, JobUnproved> {
    let Some((step, submit)) = &contract.job else {
        return Err(Unproved::at("contract", "is not about a job").into());
    };
    let named = submit.effect == Effect::Changes;
    if !residual.links.is_empty() && !named {
        return Err(Unproved::at("residual", "only links to what was seen may pass").into());
    }
    let scope = Scope::of(contract, given, org, now)?;
    let ids = request::hold_path(&scope, contract, &outgoing)?;
    request::hold_query(&scope, contract, &outgoing)?;
    if outgoing.body.is_some() {
        return Err(Unproved::at("body", "a step of a job has none").into());
    }
    if !matches!(&*ids, [(Access::Job, id)] if **id == *job.id) {
        return Err(Unproved::at("path", "does not name the job").into());
    }
    drop(ids);
    hold_owner(submit, job, given, org)?;
    let cursors = contract.params.iter().filter(|param| param.kind == ParamKind::Cursor);
    for param in cursors {
        let sent = outgoing.query.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value.as_str());
        if sent.is_some() && sent != job.cursor.as_deref() {
            return Err(Unproved::at(format!("query {}", param.name), "not named by results of this job").into());
        }
    }
    let mut steps = vec![Step { clause: "a job of the holder's own".into(), by: "path".into() }];
    if *step == JobStep::Results {
        let sent = job.outgoing(submit).ok_or_else(|| Unproved::at("job", "nothing was sent for it"))?;
        let proved = if named {
            check_change(submit, sent, Residual::default(), seen, given, org, now)
        } else {
            check(submit, sent, residual.clone(), given, org, now)
        };
        let proved = proved.map_err(JobUnproved::ScopeChanged)?;
        let sent = proved.certificate.steps.into_iter();
        steps.extend(sent.map(|step| Step { by: format!("job: {}", step.by), ..step }));
        steps.extend(part::links(&scope, contract, &residual, seen, given)?);
    }
    Ok(Verified { outgoing, residual, certificate: Certificate { steps } })
}

pub(super) fn hold_owner(submit: &Contract, job: &Job, given: &entitlement::Scope, org: &Org) -> Result<(), Unproved> {
    let holder = match given.holder {
        Principal::User(user) => org.users.get(user.index()).map(|user| ("user", &user.id, user.region)),
        Principal::Service(one) => org.services.get(one.index()).map(|one| ("service", &one.id, one.region)),
    };
    let Some((kind, id, region)) = holder else {
        return Err(Unproved::at("holder", "not in this organisation"));
    };
    let wall = org.regions.get(region.index()).is_some_and(|region| region.id == job.region);
    let own = (&*job.holder.0, &*job.holder.1) == (kind, &**id);
    if !own || !wall || job.operation != submit.operation {
        return Err(Unproved::at("job", "was submitted by somebody else, elsewhere, or for another operation"));
    }
    Ok(())
}
