//! The look at an interaction before a part of it is asked for.

use super::{Proxy, exchange::Exchange};
use crate::{
    decision,
    model::{entitlement::Scope, refusal::Refusal},
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
        let Some(part) = question.operation.part.clone() else { return Ok(()) };
        exchange.enter("look");
        let Some(forward) = decision::look(&pinned.world, scope, question, exchange.now())? else { return Ok(()) };
        exchange.understood();
        let slot = self.upstreams.enter(&pinned.world.org.region(scope.region).id).await?;
        let intent = exchange.intend(&self.recorder, &forward).await?;
        let answer = self.fetch_whole(&part.look, forward.verified, intent, slot, exchange).await?;
        let seen = forward.plan.see(&part.named, &question.ids, &answer)?;
        question.seen = Some(Arc::new(seen));
        Ok(())
    }
}
