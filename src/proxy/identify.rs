//! Who asks. Before this nothing was looked up, so that somebody unknown learns nothing.

use super::{Proxy, exchange::Exchange, front_door::Call};
use crate::{identity::Subject, model::refusal::Refusal, server::Peer, world::Pinned};
use secrecy::ExposeSecret;

impl Proxy {
    pub(super) fn identify(
        &self,
        call: &Call,
        peer: &Peer,
        pinned: &Pinned,
        exchange: &mut Exchange,
    ) -> Result<Subject, Refusal> {
        exchange.enter("identify");
        exchange.decided_in(&pinned.world);
        let org = &pinned.world.org;
        let authorization = call.authorization.as_ref().map(ExposeSecret::expose_secret);
        let now = exchange.now();
        let account = peer.certificate.as_deref().map(|proved| self.identity.account(proved, org, now)).transpose()?;
        let subject = match account.flatten() {
            None => self.identity.identify(authorization, org, now)?,
            Some(account) if authorization.is_none() => account,
            Some(account) => account.agreeing(self.identity.identify(authorization, org, now)?)?,
        };
        exchange.identified(&subject, org);
        Ok(subject)
    }
}
