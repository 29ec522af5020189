//! The look at interactions before a part of one is asked for, or something of them changed.

use super::{Proxy, exchange::Exchange};
use crate::{
    decision,
    model::{
        entitlement::Scope,
        refusal::{Code, Refusal},
    },
    policy::narrow::lost,
    query::Question,
    world::Pinned,
};
use std::sync::Arc;

impl Proxy {
    /// Puts to a question what is seen of its interaction. The look is a query like any other: narrowed, proved, recorded,
    /// guarded; nobody is answered with it.
    pub(super) async fn look(
        &self,
        question: &mut Question,
        pinned: &Pinned,
        scope: &Arc<Scope>,
        exchange: &mut Exchange,
    ) -> Result<(), Refusal> {
        let Some(first) = question.operation.first_look().cloned() else { return Ok(()) };
        exchange.enter("look");
        let Some(forward) = decision::look(&pinned.world, scope, question, exchange.now())? else { return Ok(()) };
        exchange.understood();
        let slot = self.upstreams.enter(&pinned.world.org.region(scope.region).id, exchange.asker()).await?;
        let intent = exchange.intend(&self.recorder, &forward).await?;
        let placed = |refusal: Refusal| match question.operation.look {
            Some(_) if question.named_job().is_some() => lost(&question.operation, refusal),
            // an id of a body is refused as one
            Some(_) if refusal.code == Code::ScopeOutside => {
                Refusal { in_path: question.interaction().is_some(), ..refusal }
            }
            _ => refusal,
        };
        let answer = self.fetch_whole(&first, forward.verified, intent, slot, exchange).await.map_err(placed)?;
        question.seen = Some(forward.plan.look(question, &answer).map_err(placed)?);
        Ok(())
    }
}
