//! Who asks. Before this nothing was looked up, so that somebody unknown learns nothing.

use super::{Proxy, exchange::Exchange, front_door::Call};
use crate::{
    identity::Subject,
    model::{org::Principal, refusal::Refusal},
    policy::scope::Acting,
    server::Peer,
    world::Pinned,
};
use secrecy::ExposeSecret;

impl Proxy {
    pub(super) async fn identify(
        &self,
        call: &Call,
        peer: &Peer,
        pinned: &Pinned,
        exchange: &mut Exchange,
    ) -> Result<(Subject, Option<Acting>), Refusal> {
        exchange.enter("identify");
        exchange.decided_in(&pinned.world);
        let org = &pinned.world.org;
        let authorization = call.authorization.as_ref().map(ExposeSecret::expose_secret);
        let now = exchange.now();
        let account = peer.certificate.as_deref().map(|proved| self.identity.account(proved, org, now)).transpose()?;
        let subject = match account.flatten() {
            None => self.identity.identify(authorization, call.from, org, now).await?,
            Some(account) if authorization.is_none() => account,
            Some(account) => account.agreeing(self.identity.identify(authorization, call.from, org, now).await?)?,
        };
        exchange.identified(&subject, org);
        // of a person's own request the field is not looked at
        let (Principal::Service(account), Some(named)) = (subject.principal, &call.subject) else {
            return Ok((subject, None));
        };
        let acting = self.identity.act_for(account, named, org, exchange.now()).await?;
        let subject = Subject { principal: Principal::User(acting.subject), ..subject };
        exchange.identified(&subject, org);
        exchange.acts_for(&org.service(account).id);
        Ok((subject, Some(acting)))
    }
}
