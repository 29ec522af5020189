//! Log-ins at `/oauth/token`: who gets a token, and from whom.

use super::{
    Claims, Identity,
    logins::WrongLogin,
    outsourced,
    relay::{Granted, LoginRequest, NotGranted, Relay},
};
use crate::model::{
    login::Grant,
    org::{Org, Principal},
    refusal::{Code, Refusal},
};
use jiff::Timestamp;
use std::time::Duration;

/// One sentence for whatever is wrong with a log-in, so that nothing is told of who is known.
fn wrong(cause: impl Into<String>) -> Refusal {
    Refusal::new(
        Code::IdentityRequired,
        "the client's id or secret, or what it logs in with, is not right; ask the administrator of the proxy for a client",
    )
    .because(cause)
}

impl Identity {
    /// What a client gets that has a secret here. `None`: it has none, and may log in elsewhere.
    pub fn issue(&self, asked: &LoginRequest, org: &Org, now: Timestamp) -> Option<Result<Granted, Refusal>> {
        let secret = asked.secret.as_ref().filter(|_| asked.grant == Grant::ClientCredentials)?;
        match self.issued.prove(&asked.client, secret) {
            Ok(()) => {}
            Err(WrongLogin::Client) => return None,
            Err(why @ WrongLogin::Secret(_)) => return Some(Err(wrong(why.to_string()))),
        }
        let service = org.index.clients.get(&*asked.client).copied();
        let Some(service) = service else {
            return Some(Err(wrong("no service account of the directory has this client")));
        };
        let short = outsourced(Principal::Service(service), org);
        let most = if short { self.bpo_max_lifetime } else { Duration::MAX };
        let issued = self.issued.issue(&asked.client, most, now);
        let granted = issued.map(|(token, expires_in)| Granted { token, expires_in, refresh: None });
        Some(
            granted.ok_or_else(|| {
                Refusal::new(Code::Internal, "a fault of this proxy; tell the operator the decision id")
            }),
        )
    }

    /// Passes a log-in on to the login host of a region: that of the client's account, the one that is named, or the only one.
    pub async fn relay(
        &self,
        asked: &LoginRequest,
        named: Option<&str>,
        org: &Org,
        now: Timestamp,
    ) -> Result<Granted, Refusal> {
        let relay = self.relay_for(asked, named, org)?;
        relay.ask(asked, now).await.map_err(|why| match why {
            NotGranted::Refused(status) => wrong(format!("the login host answered {status}")),
            NotGranted::Unknown(why) => Refusal::new(
                Code::IdentityUnavailable,
                "the login host of your region cannot be asked now; try again shortly",
            )
            .because(why),
        })
    }

    fn relay_for(&self, asked: &LoginRequest, named: Option<&str>, org: &Org) -> Result<&Relay, Refusal> {
        let home = match (asked.grant, org.index.clients.get(&*asked.client)) {
            // a client is an account here, or nobody
            (Grant::ClientCredentials, None) => return Err(wrong(WrongLogin::Client.to_string())),
            (Grant::ClientCredentials, Some(account)) => Some(&*org.region(org.service(*account).region).id),
            _ => None,
        };
        if let (Some(home), Some(named)) = (home, named)
            && home != named
        {
            return Err(wrong("the client's account is of another region than the one that is named"));
        }
        let mut relays = self.relays.iter();
        let relay = match (home.or(named), self.relays.len()) {
            (Some(region), _) => relays.find(|relay| relay.settings.region == region),
            (None, 0 | 1) => relays.next(),
            (None, _) => {
                let says = "log-ins are passed on to several regions; name yours by the header `bailiwick-region`";
                return Err(Refusal::new(Code::IdentityRequired, says));
            }
        };
        let relay = relay.ok_or_else(|| wrong(WrongLogin::Client.to_string()))?;
        if relay.settings.grants.contains(&asked.grant) {
            return Ok(relay);
        }
        let says = format!("log-ins by `{}` are not passed on to this region", asked.grant.word());
        Err(Refusal::new(Code::IdentityRequired, says))
    }

    /// Whose a token is that a client got by such a log-in, and of which region.
    pub(super) fn relayed(&self, token: &str, now: Timestamp) -> Option<(Claims, &str)> {
        self.relays.iter().find_map(|relay| Some((relay.holder(token, now)?, relay.settings.region.as_str())))
    }
}
