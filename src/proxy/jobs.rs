//! Jobs and definitions on their way: found by the id in the path, bound before their id is answered.

use super::{Proxy, exchange::Exchange};
use crate::{
    decision,
    model::{
        contract::ParamKind,
        definition::DefinitionStep,
        job::{Job, JobKind, JobStep},
        kept::Kept,
        operation::JobPart,
        org::{Org, Principal},
        refusal::{Code, Refusal},
        world::World,
    },
    policy::{guard::Guarded, local},
    query::Question,
};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

impl Proxy {
    /// Puts to a question what is kept of what it is about, whosever it is.
    pub(super) async fn find_kept(
        &self,
        question: &mut Question,
        holder: Principal,
        world: &World,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let org = &*world.org;
        let region = &org.region(org.region_of(holder)).id;
        if let Some(own) = &question.operation.own {
            let held =
                self.store.jobs_of(region, (holder_kind(holder), org.principal_id(holder)), &own.submit.id).await?;
            question.kept = Some(Kept::Own(held.into()));
            return Ok(());
        }
        if let Some(part) = question.operation.schedule.clone() {
            return self.find_schedule(question, &part, holder, org).await;
        }
        if let Some(part) = &question.operation.definition {
            question.kept = Some(match (part.step, question.ids.last()) {
                (DefinitionStep::Save, _) => Kept::New(Uuid::now_v7().to_string().into()),
                (DefinitionStep::List, _) => {
                    let wanted = decision::saved::wanted(world, holder, part, question, now)?;
                    let (found, total) = self.store.definitions(wanted).await?;
                    Kept::Definitions(found.into(), total)
                }
                (DefinitionStep::Executions, _) => {
                    let whose = (holder_kind(holder), org.principal_id(holder));
                    Kept::Executions(self.store.executions(region, whose, &part.asks.id).await?.into())
                }
                (_, Some((_, id))) => Kept::Definition(self.store.definition(region, id).await?.map(Arc::new)),
                (_, None) => Kept::Definition(None),
            });
            return Ok(());
        }
        let (Some(JobPart::Step { step, .. }), Some((_, id))) = (&question.operation.job, question.ids.last()) else {
            return Ok(());
        };
        let params = &question.operation.contract.params;
        let is_cursor = |name: &str| params.iter().any(|param| *param.name == *name && param.kind == ParamKind::Cursor);
        let cursor = question.params.iter().find(|(name, _)| is_cursor(name)).map(|(_, values)| values.join(","));
        let job = self.store.job(region, id, cursor.as_deref(), *step == JobStep::Results).await?;
        question.kept = job.map(|job| Kept::Job(Arc::new(job)));
        Ok(())
    }

    /// Keeps what an answer makes known of a job, before anybody learns it.
    pub(super) async fn keep(
        &self,
        question: &Question,
        sent: Option<Bytes>,
        guarded: &Guarded,
        (holder, org): (Principal, &Org),
        exchange: &Exchange,
    ) -> Result<(), Refusal> {
        if let (Some(id), Some(body)) = (guarded.job(), sent) {
            let job = bound(question, id, holder, org, JobKind::Sent(body), exchange);
            self.store.bind(job).await?;
        }
        if let (Some(cursor), Some(job)) = (guarded.cursor(), question.named_job())
            && !self.store.name_cursor(&job.region, &job.id, cursor).await?
        {
            return Err(Refusal::outside("the job was forgotten while its results were read").in_path());
        }
        self.forget_cancelled(question).await
    }

    /// What was cancelled takes no place any more.
    async fn forget_cancelled(&self, question: &Question) -> Result<(), Refusal> {
        let cancelled = matches!(question.operation.job, Some(JobPart::Step { step: JobStep::Cancel, .. }));
        if let Some(job) = question.named_job().filter(|_| cancelled) {
            self.store.forget(&job.region, &job.id).await?;
        }
        Ok(())
    }

    /// Nothing can match what was asked as a job: it gets an id all the same, and its results are the empty answer.
    pub(super) async fn answer_here(
        &self,
        question: &Question,
        guarded: Guarded,
        (holder, org): (Principal, &Org),
        exchange: &Exchange,
        now: Timestamp,
    ) -> Result<Guarded, Refusal> {
        if let Some(change) = decision::saved::change(org, holder, question, now) {
            self.store.change(change).await?;
            return Ok(guarded);
        }
        let Some(JobPart::Submit(_)) = &question.operation.job else {
            self.forget_cancelled(question).await?;
            self.note_execution(question, (holder, org), Some(guarded.rows_out()), exchange);
            return Ok(guarded);
        };
        let id = Uuid::now_v7().to_string();
        let notices = guarded.notices().to_vec();
        let kind = JobKind::Empty(guarded.into_body().into());
        self.store.bind(bound(question, &id, holder, org, kind, exchange)).await?;
        let submitted = local::job_submitted(&question.operation, &id, notices);
        submitted.ok_or_else(|| Refusal::new(Code::Internal, "a job that is none"))
    }
}

pub(super) fn holder_kind(holder: Principal) -> &'static str {
    match holder {
        Principal::User(_) => "user",
        Principal::Service(_) => "service",
    }
}

fn bound(question: &Question, id: &str, holder: Principal, org: &Org, kind: JobKind, exchange: &Exchange) -> Job {
    Job {
        id: id.into(),
        region: org.region(org.region_of(holder)).id.clone(),
        holder: (holder_kind(holder).into(), org.principal_id(holder).into()),
        operation: question.operation.id.clone(),
        submitted: exchange.now(),
        kind,
        cursor: None,
    }
}
