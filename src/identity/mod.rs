//! Tokens to subjects. Says *who* asks, never what he may do.
//!
//! A token is one of those that stand in the configuration, a signed one whose key stands in a file or is published by its
//! issuer, or one that whoever issued it is asked about. Nothing in a token tells where its key is to be found. No token
//! reaches a log, a refusal or the record. Instead of a token, a service account may have a certificate, which the
//! connection has proved.

mod attempts;
mod bearer;
mod certificates;
mod claims;
mod ending;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod granting;
mod introspection;
mod issued;
mod jwt;
mod keys;
mod logins;
mod published;
mod relay;
mod sessions;
mod settings;
mod statics;
mod subject;

pub use certificates::{Account, Mark};
pub use introspection::{Asks, IntrospectionSettings};
pub use issued::OwnClient;
pub use jwt::{JwtSettings, KeysFrom};
pub use logins::{Login, Logins, WrongLogin};
pub use published::{IssuerKeys, origin};
pub use relay::{Granted, LoginRequest, RelaySettings};
pub use settings::{ActingSettings, Settings};
pub use statics::{Holder, StaticToken};
pub use subject::{Method, Subject};

use crate::{
    base::hash::sha256_hex,
    egress::EgressError,
    model::{
        org::{Org, Principal, UserIx},
        refusal::{Code, Refusal},
        session::{Presence, Whose},
    },
    store::{Failed, Store},
    telemetry::{Event as _, Metrics, event::LoginFailed},
    upstream::AskerToken,
};
use attempts::Attempts;
use claims::Claims;
use jiff::{SignedDuration, Timestamp};
use jwt::Unproved;
use sessions::Sessions;
use std::{net::IpAddr, time::Duration};
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot use the keys in `{file}`: {why}")]
    Keys { file: String, why: String },
    #[error("`algorithms` is empty; name those that your identity provider signs with, such as `RS256`")]
    NoAlgorithm,
    #[error(
        "algorithm `{0}` works with a shared secret; only signatures that this proxy cannot make itself are accepted"
    )]
    Symmetric(String),
    #[error("the identity provider cannot be asked: {0}")]
    Provider(EgressError),
}

/// What a token says, and who says that it is good.
struct Vouched<'a> {
    claims: Claims,
    method: Method,
    /// The region whose upstream itself knows the token.
    region: Option<&'a str>,
}

/// The keys and tokens by which askers are known.
#[derive(Debug)]
pub struct Identity {
    statics: statics::Statics,
    jwt: Option<jwt::Verifier>,
    accounts: Vec<Account>,
    introspection: Option<introspection::Introspection>,
    issued: issued::Issued,
    relays: Vec<relay::Relay>,
    attempts: Attempts,
    sessions: Sessions,
    bpo_max_lifetime: Duration,
    logout_audience: Option<String>,
    acting: ActingSettings,
    metrics: Metrics,
}

/// Of a token of the configuration, as a client is told.
const STATIC_LIFE: SignedDuration = SignedDuration::from_hours(1);

impl Identity {
    /// Reads the key file. Asks nobody yet.
    pub fn new(settings: &Settings, metrics: &Metrics) -> Result<Self, IdentityError> {
        let jwt = settings.jwt.as_ref().map(|jwt| jwt::Verifier::new(jwt, metrics.clone())).transpose()?;
        let introspection = settings.introspection.as_ref();
        let introspection = introspection.map(|one| introspection::Introspection::new(one, metrics.clone()));
        Ok(Self {
            statics: statics::Statics::new(&settings.statics),
            jwt,
            accounts: settings.accounts.clone(),
            introspection: introspection.transpose()?,
            issued: issued::Issued::new(&settings.clients, settings.token_lifetime),
            relays: settings.relays.iter().map(relay::Relay::new).collect::<Result<_, _>>()?,
            attempts: Attempts::new(settings.failures_per_minute),
            sessions: Sessions::default(),
            bpo_max_lifetime: settings.bpo_max_lifetime,
            logout_audience: settings.logout_audience.clone(),
            acting: settings.acting.clone(),
            metrics: metrics.clone(),
        })
    }

    /// Remembers in a store what was ended, and reads what is.
    pub async fn kept_in(self, store: Store) -> Result<Self, Failed> {
        Ok(Self { sessions: Sessions::open(store).await?, ..self })
    }

    /// Asks the issuer for its keys, where it publishes them. Whether they are those of now.
    pub async fn learn(&self) -> bool {
        match self.jwt.as_ref().and_then(jwt::Verifier::published) {
            Some(published) => published.ask().await,
            None => true,
        }
    }

    /// Asks the issuer for its keys from time to time, until the end.
    pub async fn keep_learning(&self, shutdown: CancellationToken) {
        let Some(published) = self.jwt.as_ref().and_then(jwt::Verifier::published) else { return };
        loop {
            let late = published.trouble().is_some();
            let pause = if late { published.apart().min(published.refresh_after()) } else { published.refresh_after() };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            published.ask().await;
        }
    }

    /// Whether signed tokens can be judged at all; and what is not as it should be.
    pub fn readiness(&self) -> (bool, Option<String>) {
        let published = self.jwt.as_ref().and_then(jwt::Verifier::published);
        let (keys, trouble) =
            published.map_or((true, None), |published| (published.keys().is_some(), published.trouble()));
        let Some((since, too_long)) = self.sessions.blind() else { return (keys, trouble) };
        let unread = format!("what other processes ended cannot be read for {}s", since.as_secs());
        let troubles = [trouble, Some(unread)].into_iter().flatten().collect::<Vec<_>>();
        (keys && !too_long, Some(troubles.join("; ")))
    }

    /// `authorization` is the value of the one `Authorization` header.
    pub async fn identify(
        &self,
        authorization: Option<&str>,
        from: IpAddr,
        org: &Org,
        now: Timestamp,
    ) -> Result<Subject, Refusal> {
        let may_ask = self.attempts.wait(from, now).is_none();
        let subject = self.known(authorization, may_ask, org, now).await;
        subject.map_err(|refusal| self.counted(refusal, from, now))
    }

    /// Whether a log-in from there may be tried.
    pub fn may_log_in(&self, from: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        self.attempts.wait(from, now).map_or(Ok(()), |seconds| {
            LoginFailed { throttled: true }.emit(&self.metrics);
            Err(throttled(seconds))
        })
    }

    /// A refusal counts against where it comes from; beyond the limit it says how long to wait.
    pub fn counted(&self, refusal: Refusal, from: IpAddr, now: Timestamp) -> Refusal {
        if !matches!(refusal.code, Code::IdentityRequired | Code::IdentityUnknown) {
            return refusal;
        }
        let wait = self.attempts.wait(from, now);
        LoginFailed { throttled: wait.is_some() }.emit(&self.metrics);
        if let Some(seconds) = wait {
            return throttled(seconds).because(refusal.cause.unwrap_or_default());
        }
        self.attempts.failed(from, now);
        refusal
    }

    async fn known(
        &self,
        authorization: Option<&str>,
        may_ask: bool,
        org: &Org,
        now: Timestamp,
    ) -> Result<Subject, Refusal> {
        let Some(value) = authorization else {
            return Err(required("no `Authorization` header"));
        };
        let token = bearer::token(value).map_err(required)?;
        let ended = self.sessions.is_over(Whose::Token, &sha256_hex(token.as_bytes()), None, now);
        if let Some(holder) = self.statics.find(token) {
            let principal = match holder {
                Holder::User(id) => org.index.users.get(id).copied().map(Principal::User),
                Holder::Service(id) => org.index.services.get(id).copied().map(Principal::Service),
            };
            let known = principal.ok_or_else(|| unknown("the configured holder is not in the directory"))?;
            let principal = known_and_active(known, org)?;
            if ended {
                return Err(required(ENDED));
            }
            self.not_ended(principal, None, org, now)?;
            if let Principal::User(user) = principal {
                let until = now.checked_add(STATIC_LIFE).unwrap_or(now);
                let user = org.user(user).id.clone();
                let (token, client, session, subject) = (None, None, None, None);
                self.sessions.saw(Presence { user, token, client, session, subject, issued: now, until });
            }
            return Ok(Subject {
                principal,
                client: None,
                method: Method::Static,
                session: None,
                expires_at: None,
                roles: None,
                passes: None,
            });
        }
        let Vouched { claims, method, region } = self.vouched(token, may_ask, now).await?;
        let principal = match (org.index.users.get(&claims.name), org.index.clients.get(&claims.name)) {
            (Some(user), None) => Principal::User(*user),
            (None, Some(service)) => Principal::Service(*service),
            (None, None) => return Err(unknown("no user and no client of this id is in the directory")),
            (Some(_), Some(_)) => return Err(unknown("a user and a client of the directory have this same id")),
        };
        let principal = known_and_active(principal, org)?;
        if region.is_some_and(|asked| *asked != *org.region(org.region_of(principal)).id) {
            return Err(unknown("the region that knows this token is not that of its holder"));
        }
        if outsourced(principal, org) {
            self.short_enough(&claims)?;
        }
        if ended || self.sessions.ends(&claims, now) {
            return Err(required(ENDED));
        }
        self.not_ended(principal, claims.issued, org, now)?;
        let roles = claims.roles.of(principal, org)?;
        if let Principal::User(user) = principal {
            let known_for =
                self.introspection.as_ref().map_or(SignedDuration::ZERO, introspection::Introspection::max_age);
            let until = claims.expires_at.or_else(|| now.checked_add(known_for).ok()).unwrap_or(now);
            self.sessions.saw(Presence {
                user: org.user(user).id.clone(),
                token: claims.token.clone(),
                client: claims.client.clone(),
                session: claims.session.clone(),
                subject: claims.subject.clone(),
                issued: claims.issued.unwrap_or(now),
                until,
            });
        }
        let Claims { client, session, expires_at, .. } = claims;
        let passes = region.and_then(|region| AskerToken::new(token, region));
        Ok(Subject { principal, client, method, session, expires_at, roles, passes })
    }

    /// Who vouches for a token. One that is signed is not sent to anybody.
    async fn vouched(&self, token: &str, may_ask: bool, now: Timestamp) -> Result<Vouched<'_>, Refusal> {
        if let Some(read) = self.issued.read(token, now) {
            let claims = read.map_err(required)?;
            return Ok(Vouched { claims, method: Method::Issued, region: None });
        }
        if let Some((claims, region)) = self.relayed(token, now) {
            return Ok(Vouched { claims, method: Method::Relayed, region: Some(region) });
        }
        let signed = token.bytes().filter(|byte| *byte == b'.').count() == 2;
        let (judged, method) = match (&self.jwt, &self.introspection) {
            (Some(verifier), other) if signed || other.is_none() => {
                (verifier.verify(token, now, may_ask).await, Method::Jwt)
            }
            (_, Some(introspection)) => (introspection.verify(token, now, may_ask).await, Method::Introspection),
            _ => return Err(required("the token is none of those configured")),
        };
        let asked = self.introspection.as_ref().filter(|_| method == Method::Introspection);
        let region = asked.and_then(introspection::Introspection::region);
        judged.map(|claims| Vouched { claims, method, region }).map_err(unproved)
    }

    fn short_enough(&self, claims: &Claims) -> Result<(), Refusal> {
        let most = jwt::seconds(self.bpo_max_lifetime);
        if claims.lifetime.is_some_and(|lifetime| lifetime <= most) {
            return Ok(());
        }
        let cause = claims.lifetime.map_or_else(
            || "whoever vouches for the token does not say how long it lives".to_owned(),
            |lifetime| format!("the token lives for {lifetime}s"),
        );
        let says = format!(
            "tokens of outsourcers may live for {most} seconds at most; ask your identity provider for shorter ones"
        );
        Err(Refusal::new(Code::IdentityRequired, says).because(cause))
    }
}

const ENDED: &str = "the token was ended before its time, by a log-out or by an administrator";

fn unproved(why: Unproved) -> Refusal {
    match why {
        Unproved::Bad(why) => required(why),
        Unproved::Unknown(why) => Refusal::new(
            Code::IdentityUnavailable,
            "whether your token is good cannot be found out now; ask again shortly",
        )
        .because(why),
    }
}

/// An outsourcer's person, or an account that acts for any.
fn outsourced(principal: Principal, org: &Org) -> bool {
    let bpo = |user: &UserIx| org.user(*user).bpo;
    match principal {
        Principal::User(user) => bpo(&user),
        Principal::Service(service) => {
            let account = org.service(service);
            let groups = &account.acts_for_groups;
            account.acts_for_users.iter().any(bpo) || groups.iter().any(|one| org.group(*one).members.iter().any(bpo))
        }
    }
}

fn throttled(seconds: i64) -> Refusal {
    Refusal::new(
        Code::IdentityThrottled,
        "too many sign-ins failed from your address; wait, and then send a token that is valid",
    )
    .with("retry-after", seconds.to_string())
}

fn known_and_active(principal: Principal, org: &Org) -> Result<Principal, Refusal> {
    match principal {
        Principal::User(user) if !org.user(user).active => Err(unknown("the account is not active")),
        Principal::User(_) | Principal::Service(_) => Ok(principal),
    }
}

/// The asker learns nothing of what was wrong with a token; the record does.
fn required(cause: impl Into<String>) -> Refusal {
    Refusal::new(
        Code::IdentityRequired,
        "send `Authorization: Bearer` with a token that is valid now; sign in again to get one",
    )
    .because(cause)
}

fn unknown(cause: &'static str) -> Refusal {
    Refusal::new(
        Code::IdentityUnknown,
        "your sign-in is good, but this proxy knows no active account of yours; ask the administrator of your organisation",
    )
    .because(cause)
}

#[cfg(test)]
mod tests;
