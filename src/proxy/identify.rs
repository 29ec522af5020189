//! Who asks. Before this nothing was looked up, so that somebody unknown learns nothing.

use super::{Proxy, exchange::Exchange, front_door::Call};
use crate::{identity::Subject, model::refusal::Refusal, world::Pinned};
use secrecy::ExposeSecret;

impl Proxy {
    pub(super) async fn identify(
        &self,
        call: &Call,
        pinned: &Pinned,
        exchange: &mut Exchange,
    ) -> Result<Subject, Refusal> {
        exchange.enter("identify");
        exchange.decided_in(&pinned.world);
        let org = &pinned.world.org;
        let authorization = call.authorization.as_ref().map(ExposeSecret::expose_secret);
        let subject = self.identity.identify(authorization, call.from, org, exchange.now()).await?;
        exchange.identified(&subject, org);
        Ok(subject)
    }
}
