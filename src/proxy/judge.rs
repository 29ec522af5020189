//! The guard at work; and, for a preview, the one thing that is fetched after an answer: the file that it names.

use super::{Proxy, admission::Place, exchange::Exchange, flow::Flow, read_on::Asked};
use crate::{
    decision,
    model::{entitlement::Scope, refusal::Refusal},
    policy::guard::{File, GuardPlan, Guarded},
    query::Question,
    upstream::Arriving,
    world::Pinned,
};
use std::sync::Arc;

impl Proxy {
    /// What of an answer the asker gets; and what follows, when that is not all.
    pub(super) async fn judge(
        &self,
        question: &Question,
        plan: GuardPlan,
        answer: Arriving,
        (place, pinned, scope): (Place, &Pinned, &Arc<Scope>),
        exchange: &mut Exchange,
    ) -> Result<(Guarded, Option<Box<Flow>>), Refusal> {
        if question.operation.own.is_some() {
            return self.judge_exports(question, plan, answer, (pinned, scope), exchange).await;
        }
        if question.operation.preview.is_none() {
            return self.guard(Asked { question, pinned, scope }, plan, answer, place, exchange).await;
        }
        exchange.enter("guard");
        exchange.answered(answer.status());
        let answer = answer.whole().await?;
        exchange.received(answer.len());
        let link = match plan.file(&answer)? {
            File::At(link) => link,
            File::Pending(guarded) => return Ok((guarded, None)),
        };
        let link = decision::link(&pinned.world, scope, question, &link, exchange.now())?;
        exchange.enter("intend");
        let slot = self.upstreams.enter(&pinned.world.org.region(scope.region).id, exchange.asker()).await?;
        let intent = exchange.intend_link(&self.recorder, &link).await?;
        exchange.enter("fetch");
        let file = self.upstreams.follow(link, intent, slot).await?;
        exchange.answered(file.status());
        exchange.received(file.len());
        exchange.enter("guard");
        Ok((plan.preview(&file)?, None))
    }

    /// One page of the asker's own exports: what was sent for them is read and proved for those that it shows, not for all
    /// that he has.
    async fn judge_exports(
        &self,
        question: &Question,
        plan: GuardPlan,
        answer: Arriving,
        (pinned, scope): (&Pinned, &Arc<Scope>),
        exchange: &mut Exchange,
    ) -> Result<(Guarded, Option<Box<Flow>>), Refusal> {
        exchange.enter("guard");
        exchange.answered(answer.status());
        let answer = answer.whole().await?;
        exchange.received(answer.len());
        let page = plan.export_page(&answer)?;
        let region = &pinned.world.org.region(scope.region).id;
        let jobs = self.store.jobs(region, page.with_files(&plan)).await?;
        let plan = decision::files(&pinned.world, scope, question, plan, &jobs, exchange.now());
        Ok((plan.exports(page), None))
    }
}
