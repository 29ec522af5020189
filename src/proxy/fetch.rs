//! The upstream's raw answer. Nobody here can read it.

use super::{Proxy, exchange::Exchange};
use crate::{
    audit::Intent,
    model::{
        operation::{Class, JobPart, Operation},
        refusal::{Code, Refusal},
    },
    policy::guard::Unguarded,
    upstream::Slot,
    verify::Verified,
};

impl Proxy {
    pub(super) async fn fetch(
        &self,
        operation: &Operation,
        verified: Verified,
        intent: Intent,
        slot: Slot,
        exchange: &mut Exchange,
    ) -> Result<Unguarded, Refusal> {
        exchange.enter("fetch");
        let answer =
            self.upstreams.forward(verified, intent, slot).await.map_err(|refusal| unknown(operation, refusal))?;
        exchange.answered(&answer);
        Ok(answer)
    }
}

/// What does not exist and what is not the asker's are one answer: an id that the upstream does not know is outside.
fn unknown(operation: &Operation, refusal: Refusal) -> Refusal {
    let missing = refusal.code == Code::UpstreamRefused
        && refusal
            .params
            .iter()
            .any(|(name, value)| *name == "upstream-status" && matches!(&**value, "403" | "404" | "410"));
    if (operation.class == Class::Read || matches!(operation.job, Some(JobPart::Step { .. }))) && missing {
        return Refusal::outside("the upstream knows no such id").in_path();
    }
    refusal
}
