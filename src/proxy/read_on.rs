//! The further pages of a list that is read from its beginning.

use super::{Proxy, exchange::Exchange};
use crate::{
    decision,
    model::{entitlement::Scope, refusal::Refusal},
    policy::guard::{Guarded, Read},
    query::Question,
    world::Pinned,
};
use std::sync::Arc;

/// What was asked, and in which world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) question: &'a Question,
    pub(super) pinned: &'a Pinned,
    pub(super) scope: &'a Arc<Scope>,
}

impl Proxy {
    /// Reads a list to where it ends or is enough. Each page is a query like any other: narrowed, proved, recorded, guarded.
    pub(super) async fn read_on(
        &self,
        asked: Asked<'_>,
        mut read: Read,
        exchange: &mut Exchange,
    ) -> Result<Guarded, Refusal> {
        let Asked { question, pinned, scope } = asked;
        loop {
            let gathered = match read {
                Read::Done(guarded) => return Ok(guarded),
                Read::More(gathered) => gathered,
            };
            exchange.enter("read-on");
            let forward = decision::read_on(&pinned.world, scope, question, &gathered, exchange.now())?;
            let slot = self.upstreams.enter(&pinned.world.org.region(scope.region).id).await?;
            let intent = exchange.intend(&self.recorder, &forward).await?;
            let arriving = self.fetch(&question.operation, forward.verified, intent, slot, exchange).await?;
            let answer = arriving.whole().await?;
            exchange.enter("guard");
            exchange.received(answer.len());
            read = forward.plan.read(gathered, answer)?;
        }
    }
}
