//! The further pages of a list that is read from its beginning, and the looks at interactions of which its rows are.

use super::{Proxy, exchange::Exchange};
use crate::{
    decision::{self, Forward},
    model::{
        entitlement::Scope,
        operation::Operation,
        refusal::{Code, Refusal},
    },
    policy::guard::{GuardPlan, Guarded, Read, Unguarded},
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
    /// Reads a list to where it ends or is enough. Each page, and each look, is a query like any other: narrowed, proved,
    /// recorded, guarded.
    pub(super) async fn read_on(
        &self,
        asked: Asked<'_>,
        mut plan: GuardPlan,
        mut read: Read,
        exchange: &mut Exchange,
    ) -> Result<Guarded, Refusal> {
        let Asked { question, pinned, scope } = asked;
        let world = &pinned.world;
        loop {
            read = match read {
                Read::Done(guarded) => return Ok(guarded),
                Read::Look(gathered) => {
                    exchange.enter("look");
                    let look = decision::look_at_rows(world, scope, question, (&plan, &gathered), exchange.now())?;
                    let of = question.operation.look.as_ref().map_or(&question.operation, |look| &look.operation);
                    let looked = self.ask_on(asked, of, *look, exchange).await;
                    let (look, answer) = looked.map_err(not_of_the_list)?;
                    decision::judge_rows(world, scope, question, (&look, &answer), (&plan, gathered), exchange.now())?
                }
                Read::More(gathered) => {
                    exchange.enter("read-on");
                    let forward = decision::read_on(world, scope, question, &gathered, exchange.now())?;
                    let answer;
                    (plan, answer) = self.ask_on(asked, &question.operation, forward, exchange).await?;
                    plan.read(gathered, answer)?
                }
            };
        }
    }

    /// One more query for the same answer: its whole answer, and who judges it.
    async fn ask_on(
        &self,
        Asked { pinned, scope, .. }: Asked<'_>,
        operation: &Operation,
        forward: Forward,
        exchange: &mut Exchange,
    ) -> Result<(GuardPlan, Unguarded), Refusal> {
        let slot = self.upstreams.enter(&pinned.world.org.region(scope.region).id, exchange.asker()).await?;
        let intent = exchange.intend(&self.recorder, &forward).await?;
        let arriving = self.fetch(operation, forward.verified, intent, slot, exchange).await?;
        let answer = arriving.whole().await?;
        exchange.enter("guard");
        exchange.received(answer.len());
        Ok((forward.plan, answer))
    }
}

/// That a look finds nothing says nothing of the list, and least of all that there is none.
fn not_of_the_list(refusal: Refusal) -> Refusal {
    if refusal.code != Code::ScopeOutside {
        return refusal;
    }
    let says = "the upstream did not show the interactions of which this list is; ask again";
    Refusal::new(Code::AnswerUnreadable, says).because(refusal.cause.unwrap_or_default())
}
