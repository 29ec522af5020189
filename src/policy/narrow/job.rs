//! Jobs: submitted like a query, and from then on a matter of whose they are.

use super::{Asking, Narrowed, Outcome, asked, body, fields};
use crate::{
    model::{
        answer::Shape,
        contract::{Param, ParamKind},
        job::{Job, JobKind, JobStep},
        operation::{JobPart, Operation},
        org::Principal,
        outgoing::{Outgoing, Residual},
        refusal::{Code, Notice, Refusal},
    },
    policy::{guard::GuardPlan, local, outsourcers, time},
    query::{self, json::Limits},
};
use std::sync::Arc;

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    match &asking.operation.job {
        Some(JobPart::Submit(_)) => body::narrow(asking),
        Some(JobPart::Step { step, submit }) => about(asking, *step, submit),
        None => Err(Refusal::new(Code::Internal, "this operation has no job").because("a `job` without its part")),
    }
}

/// A job that is not the asker's is not there, whoever else's it may be.
fn about(asking: &Asking<'_>, step: JobStep, submit: &Arc<Operation>) -> Result<Outcome, Refusal> {
    let job = bound(asking, submit).ok_or_else(|| Refusal::outside("no job of the asker's").in_path())?;
    let query = params(asking, job)?;
    if let JobKind::Empty(answer) = &job.kind {
        return Ok(Outcome::Local(match step {
            JobStep::Status => local::job_done(),
            JobStep::Results => local::job_results(answer),
            JobStep::Cancel => local::job_cancelled(),
        }));
    }
    let outgoing = Outgoing { method: asking.operation.contract.method, path: asking.path(), query, body: None };
    let asked = Asking { operation: submit, ..*asking };
    let (plan, residual, notices) = match step {
        JobStep::Results if submit.look.is_some() => super::change::fetched(&asked)?,
        JobStep::Results => results(&asked, job)?,
        JobStep::Status | JobStep::Cancel => {
            let plan = GuardPlan::new(submit, &asking.world.org, asking.scope, asked.whole_extent(), asking.now);
            (plan, Residual::default(), Vec::new())
        }
    };
    Ok(Outcome::Send(Box::new(Narrowed { outgoing, residual, plan: plan.with_step(step), notices })))
}

/// How the results are judged: as the answer to the question that was sent, by the scope of now.
fn results(asking: &Asking<'_>, job: &Job) -> Result<(GuardPlan, Residual, Vec<Notice>), Refusal> {
    if asking.scope.entitlements.is_empty() {
        return Err(scope_changed("nothing is in the asker's scope now"));
    }
    let (Some(model), JobKind::Sent(bytes)) = (asking.operation.body(), &job.kind) else {
        return Err(broken("nothing was sent for it"));
    };
    let read = query::json::parse_object(bytes, &Limits::own(bytes));
    let read = read.map_err(|error| broken(&format!("what was sent cannot be read: {error}")))?;
    let hidden = |refusal: Refusal| scope_changed(&refusal.message);
    let mut body = query::body::read(model, &read, &|field, kind| asking.hides(field, kind)).map_err(hidden)?;
    let bpo = asking.org.is_bpo(asking.scope.holder);
    let grouped = fields::group_by(asking, &body, bpo).map_err(hidden)?;
    fields::sort(asking, &body, bpo).map_err(hidden)?;
    fields::metrics(asking, &body, bpo).map_err(hidden)?;
    outsourcers::refuse_mixed_totals(asking.org, asking.operation, &grouped, &body).map_err(hidden)?;
    let columns = fields::columns(asking, &body);
    let interval = match &asking.operation.contract.time {
        Some(rule) => Some(time::read(rule, &mut body, asking.now)?),
        None => None,
    };
    let shows_legs = matches!(asking.operation.answer.shape, Shape::Conversations | Shape::Conversation);
    // as when it was submitted: the scope's own entries are no filters of the asker's
    asked::forget_scope_entries(asking, model, interval, &mut body);
    let unfiltered = body.filters.iter().all(|slot| slot.filters.is_empty());
    let counted = asking.count(interval, shows_legs && unfiltered)?;
    let plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, counted.extent, asking.now)
        .with_groups(grouped, columns)
        .with_window(counted.windows);
    Ok((plan, Residual { legs: shows_legs, keys: true, windows: counted.windows, links: Vec::new() }, counted.notices))
}

fn bound<'a>(asking: &Asking<'a>, submit: &Operation) -> Option<&'a Job> {
    let (_, id) = asking.question.ids.last()?;
    let (org, holder) = (asking.org, asking.scope.holder);
    let kind = match holder {
        Principal::User(_) => "user",
        Principal::Service(_) => "service",
    };
    asking.question.named_job().filter(|job| {
        *job.id == **id
            && job.operation == submit.id
            && job.region == org.region(asking.scope.region).id
            && (&*job.holder.0, &*job.holder.1) == (kind, org.principal_id(holder))
    })
}

/// A place in the results is taken only as these results named it.
fn params(asking: &Asking<'_>, job: &Job) -> Result<Vec<(Box<str>, String)>, Refusal> {
    let mut sent = Vec::new();
    for Param { name, kind } in &asking.operation.contract.params {
        let Some((_, values)) = asking.question.params.iter().find(|(known, _)| known == name) else { continue };
        let value = values.join(",");
        if *kind == ParamKind::Cursor && job.cursor.as_deref() != Some(value.as_str()) {
            return Err(Refusal::outside("a place that no results of this job named").in_path());
        }
        sent.push((name.clone(), value));
    }
    Ok(sent)
}

/// What this proxy kept itself does not say what it should.
fn broken(cause: &str) -> Refusal {
    Refusal::new(
        Code::Internal,
        "what is kept of this job cannot be used; tell the operator the decision id, and submit it again",
    )
    .because(cause.to_owned())
}

/// What is refused of the interactions that were asked for once is refused of all of it: they were visible then.
pub fn lost(operation: &Operation, refusal: Refusal) -> Refusal {
    match (&operation.job, refusal.code) {
        (Some(JobPart::Step { .. }), Code::ScopeOutside | Code::InteractionMixed) => {
            scope_changed(&refusal.cause.unwrap_or_else(|| refusal.message.to_string()))
        }
        _ => refusal,
    }
}

/// Not a fault of anybody: the question was lawful when it was asked.
pub fn scope_changed(cause: &str) -> Refusal {
    Refusal::new(
        Code::JobScopeChanged,
        "your rights have changed since this job was submitted, and its results are not all yours now; submit it again",
    )
    .because(cause.to_owned())
}
