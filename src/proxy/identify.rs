//! Who asks. Before this nothing was looked up, so that somebody unknown learns nothing.

use super::{Proxy, exchange::Exchange, front_door::Call};
use crate::{
    identity::Subject,
    model::{org::Principal, refusal::Refusal, world::Claimed},
    policy::scope::Acting,
    server::Peer,
    world::Pinned,
};
use secrecy::ExposeSecret;

/// Who asks, and for whom.
pub(super) struct Asker {
    pub(super) subject: Subject,
    /// What the token says of its holder's roles.
    pub(super) claimed: Option<Claimed>,
    /// The account that asks for the subject.
    pub(super) acting: Option<Acting>,
}

impl Proxy {
    pub(super) async fn identify(
        &self,
        call: &Call,
        peer: &Peer,
        pinned: &Pinned,
        exchange: &mut Exchange,
    ) -> Result<Asker, Refusal> {
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
        let claimed = subject.claimed();
        // of a person's own request the field is not looked at
        let (Principal::Service(account), Some(named)) = (subject.principal, &call.subject) else {
            exchange.carries(subject.passes.clone());
            return Ok(Asker { subject, claimed, acting: None });
        };
        let acting = self.identity.act_for((account, claimed.as_ref()), named, org, exchange.now()).await?;
        let subject = Subject { principal: Principal::User(acting.subject), roles: None, passes: None, ..subject };
        exchange.identified(&subject, org);
        exchange.acts_for(&org.service(account).id);
        Ok(Asker { subject, claimed, acting: Some(acting) })
    }
}
