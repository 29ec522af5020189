//! The parts of one question, asked one after the other.

use super::{Proxy, exchange::Exchange};
use crate::{decision::Split, model::refusal::Refusal, policy::guard::Guarded, query::Question};

impl Proxy {
    /// Each part has its own intent, and is judged before the next one is asked. One that fails fails the whole: half an
    /// answer would be taken for all of it.
    pub(super) async fn ask_parts(
        &self,
        question: &Question,
        split: Split,
        region: &str,
        exchange: &mut Exchange,
    ) -> Result<Guarded, Refusal> {
        let (parts, together) = split.into_parts();
        let mut whole = together.whole();
        for part in parts {
            exchange.enter("intend");
            let slot = self.upstreams.enter(region, exchange.asker()).await?;
            let intent = exchange.intend(&self.recorder, &part).await?;
            let answer = self.fetch_whole(&question.operation, part.verified, intent, slot, exchange).await?;
            exchange.enter("guard");
            whole.add(part.plan.guard(answer)?)?;
        }
        whole.end()
    }
}
