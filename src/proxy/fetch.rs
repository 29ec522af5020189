//! The upstream's raw answer. Nobody here can read it.

use super::{Proxy, exchange::Exchange};
use crate::{
    audit::Intent,
    model::{
        job::JobStep,
        operation::{Class, JobPart, Operation},
        refusal::{Code, Refusal},
    },
    policy::guard::{Unguarded, is_unsure, unsure},
    upstream::{Arriving, Slot},
    verify::Verified,
};

impl Proxy {
    /// The answer when its head has come.
    pub(super) async fn fetch(
        &self,
        operation: &Operation,
        verified: Verified,
        intent: Intent,
        slot: Slot,
        exchange: &mut Exchange,
    ) -> Result<Arriving, Refusal> {
        exchange.enter(if operation.class == Class::Write { super::CHANGE } else { "fetch" });
        match self.upstreams.forward(verified, intent, slot).await {
            Err(refusal) if is_cancelled_before(operation, &refusal) => Ok(Arriving::bare(204)),
            answer => answer.map_err(|refusal| unknown(operation, unsure_of(operation, refusal))),
        }
    }

    /// The whole answer, for what is not passed on as it is.
    pub(super) async fn fetch_whole(
        &self,
        operation: &Operation,
        verified: Verified,
        intent: Intent,
        slot: Slot,
        exchange: &mut Exchange,
    ) -> Result<Unguarded, Refusal> {
        let arriving = self.fetch(operation, verified, intent, slot, exchange).await?;
        exchange.answered(arriving.status());
        let answer = arriving.whole().await.map_err(|refusal| unsure_of(operation, refusal))?;
        exchange.received(answer.len());
        Ok(answer)
    }
}

/// Of a change that was sent nobody may be told that it failed, unless the upstream said so.
fn unsure_of(operation: &Operation, refusal: Refusal) -> Refusal {
    if operation.class == Class::Write && is_unsure(&refusal) { unsure(&refusal) } else { refusal }
}

/// What the upstream no longer knows is cancelled: the question was bound here, and may be asked again.
fn is_cancelled_before(operation: &Operation, refusal: &Refusal) -> bool {
    let gone = |(name, status): &(&str, String)| *name == "upstream-status" && matches!(&**status, "404" | "410");
    matches!(operation.job, Some(JobPart::Step { step: JobStep::Cancel, .. })) && refusal.params.iter().any(gone)
}

/// What does not exist and what is not the asker's are one answer: an id that the upstream does not know is outside.
fn unknown(operation: &Operation, refusal: Refusal) -> Refusal {
    let status = refusal.params.iter().find(|(name, _)| *name == "upstream-status").map(|(_, value)| &**value);
    let results = matches!(operation.job, Some(JobPart::Step { step: JobStep::Results, .. }));
    if refusal.code == Code::UpstreamRefused && results && status == Some("400") {
        let says = "the upstream does not give these results now; ask for the status of the job, and once it is done for its results from \
                    the first page on";
        return Refusal::new(Code::JobUnfinished, says).because(refusal.cause.unwrap_or_default());
    }
    let by_id = match operation.class {
        Class::Read => true,
        // of a list, the id is that of what stands above it
        Class::NoData | Class::List => {
            operation.contract.template.segments.iter().any(|segment| segment.access().is_some())
        }
        // what it names was seen, so that it is not there is no secret
        Class::Write => false,
        Class::Query | Class::Job | Class::Export => matches!(operation.job, Some(JobPart::Step { .. })),
    };
    if by_id && refusal.code == Code::UpstreamRefused && matches!(status, Some("403" | "404" | "410")) {
        return Refusal::outside("the upstream knows no such id").in_path();
    }
    refusal
}
