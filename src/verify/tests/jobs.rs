//! Steps of a job: whose it is, and that what was sent for it is inside the scope of now.

use super::fixture::*;
use crate::{
    model::{
        body::Access,
        contract::{Contract, Method, Param, ParamKind, Segment},
        entitlement::Entitlement,
        job::{Job, JobKind, JobStep},
        org::{Principal, ServiceIx},
        outgoing::{Outgoing, Residual},
    },
    verify::{JobUnproved, check_job},
};
use bytes::Bytes;
use std::sync::Arc;

type Change = fn(&mut About);

/// A request about a job that a test may change before it is checked.
struct About {
    contract: Contract,
    outgoing: Outgoing,
    job: Job,
    entitlements: Vec<Entitlement>,
    holder: Principal,
}

impl About {
    fn new(step: JobStep) -> Self {
        let submit = aggregates();
        let body = with_filter(&flat("or", &[is("queueId", "qa")]));
        let mut contract = submit.clone();
        contract.operation = "aggregates.step".into();
        contract.method = if step == JobStep::Cancel { Method::Delete } else { Method::Get };
        contract.template.segments.push(Segment::Param { name: "jobId".into(), access: Access::Job });
        contract.body = None;
        contract.words = vec![];
        contract.params = vec![Param { name: "cursor".into(), kind: ParamKind::Cursor }];
        contract.job = Some((step, Arc::new(submit.clone())));
        let job = Job {
            id: "j-1".into(),
            region: "us-east-1".into(),
            holder: ("user".into(), "me".into()),
            operation: submit.operation,
            submitted: now(),
            kind: JobKind::Sent(Bytes::from(body)),
            cursor: None,
        };
        let outgoing = Outgoing { method: contract.method, path: "/aggregates/j-1".into(), query: vec![], body: None };
        Self { contract, outgoing, job, entitlements: vec![whole()], holder: HOLDER }
    }

    fn check(self) -> Result<usize, JobUnproved> {
        let scope = scope(self.holder, self.contract.action, self.entitlements);
        let residual = Residual { keys: true, ..Residual::default() };
        let checked = check_job(&self.contract, self.outgoing, residual, (&self.job, &[]), &scope, &org(), now());
        checked.map(|verified| verified.certificate().steps.len())
    }
}

#[test]
fn the_steps_of_ones_own_job() {
    for step in JobStep::ALL {
        let steps = About::new(step).check().unwrap();
        assert_eq!(steps > 1, step == JobStep::Results, "{step:?}");
    }
    let mut placed = About::new(JobStep::Results);
    placed.job.cursor = Some("next".into());
    placed.outgoing.query.push(("cursor".into(), "next".into()));
    assert!(placed.check().is_ok());
}

#[test]
fn whatever_is_not_of_ones_own_job_is_a_fault() {
    let changes: [(&str, Change); 12] = [
        ("another person's", |about| about.job.holder.1 = "ann".into()),
        ("another kind of holder", |about| about.job.holder.0 = "service".into()),
        ("of another region", |about| about.job.region = "eu-west-1".into()),
        ("of another operation", |about| about.job.operation = "details".into()),
        ("another job", |about| about.outgoing.path = "/aggregates/j-2".into()),
        ("a longer path", |about| about.outgoing.path.push_str("/results")),
        ("another method", |about| about.outgoing.method = Method::Post),
        ("a body", |about| about.outgoing.body = Some(Bytes::from_static(b"{}"))),
        ("a place that was never named", |about| about.outgoing.query.push(("cursor".into(), "x".into()))),
        ("another place", |about| {
            about.job.cursor = Some("next".into());
            about.outgoing.query.push(("cursor".into(), "other".into()));
        }),
        ("an unknown parameter", |about| about.outgoing.query.push(("pageSize".into(), "5".into()))),
        ("a contract without a job", |about| about.contract.job = None),
    ];
    for step in JobStep::ALL {
        for (what, change) in changes {
            let mut about = About::new(step);
            change(&mut about);
            let checked = about.check();
            assert!(matches!(checked, Err(JobUnproved::Fault(_))), "{what}, {step:?}: {checked:?}");
        }
        let mut nobody = About::new(step);
        nobody.holder = Principal::Service(ServiceIx::new(9));
        assert!(matches!(nobody.check(), Err(JobUnproved::Fault(_))));
    }
    let mut nothing = About::new(JobStep::Results);
    nothing.job.kind = JobKind::Empty(Bytes::from_static(b"{}"));
    assert!(matches!(nothing.check(), Err(JobUnproved::Fault(_))));
}

#[test]
fn results_need_the_rights_of_now() {
    let of = |step: JobStep, entitlements: Vec<Entitlement>| About { entitlements, ..About::new(step) }.check();
    assert!(of(JobStep::Results, vec![queues(&["qa"])]).is_ok());
    for less in [vec![queues(&["qb"])], vec![boxed("qa", ME)]] {
        assert!(matches!(of(JobStep::Results, less.clone()), Err(JobUnproved::ScopeChanged(_))), "{less:?}");
        // how far it is, and that it ends, tells nothing of its rows
        assert!(of(JobStep::Status, less.clone()).is_ok() && of(JobStep::Cancel, less).is_ok());
    }
}

/// No step goes without its job, however it came to be asked.
#[test]
fn a_step_is_never_proved_without_its_job() {
    let about = About::new(JobStep::Status);
    let mut plain = Try::new(about.contract, vec![whole()], None);
    plain.outgoing = about.outgoing;
    plain.refused("without the job", "is proved with the job");
}
