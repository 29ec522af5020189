//! The upstream's raw answer. Nobody here can read it.

use super::{Proxy, exchange::Exchange};
use crate::{audit::Intent, model::refusal::Refusal, policy::guard::Unguarded, upstream::Slot, verify::Verified};

impl Proxy {
    pub(super) async fn fetch(&self, verified: Verified, intent: Intent, slot: Slot, exchange: &mut Exchange) -> Result<Unguarded, Refusal> {
        exchange.enter("fetch");
        let answer = self.upstreams.forward(verified, intent, slot).await?;
        exchange.answered(&answer);
        Ok(answer)
    }
}
