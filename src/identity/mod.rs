//! Tokens to subjects. Says *who* asks, never what he may do.
//!
//! A token is one of those that stand in the configuration, a signed one whose key stands in a file or is published by its
//! issuer, or one that whoever issued it is asked about. Nothing in a token tells where its key is to be found. No token
//! reaches a log, a refusal or the record.

mod attempts;
mod bearer;
mod claims;
mod introspection;
mod jwt;
mod keys;
mod logins;
mod published;
mod statics;

pub use introspection::{Asks, IntrospectionSettings};
pub use jwt::{JwtSettings, KeysFrom};
pub use logins::{Login, Logins, WrongLogin};
pub use published::{IssuerKeys, origin};
pub use statics::{Holder, StaticToken};

use crate::{
    egress::EgressError,
    model::{
        org::{Org, Principal, UserIx},
        refusal::{Code, Refusal},
    },
    telemetry::{Event as _, Metrics, event::LoginFailed},
};
use attempts::Attempts;
use claims::Claims;
use jiff::Timestamp;
use jwt::Unproved;
use std::{net::IpAddr, time::Duration};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone)]
pub struct Settings {
    pub statics: Vec<StaticToken>,
    pub jwt: Option<JwtSettings>,
    pub introspection: Option<IntrospectionSettings>,
    /// Clients that log in here.
    pub logins: Vec<Login>,
    /// How long a token of an outsourcer may live.
    pub bpo_max_lifetime: Duration,
    /// Failures of one address within a minute, before it has to wait.
    pub failures_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            statics: Vec::new(),
            jwt: None,
            introspection: None,
            logins: Vec::new(),
            bpo_max_lifetime: Duration::from_mins(5),
            failures_per_minute: 120,
        }
    }
}

/// Who asks, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub principal: Principal,
    /// The OAuth client the token was issued to, where the token says so.
    pub client: Option<Box<str>>,
    pub method: Method,
    /// The provider's session, where the token names it.
    pub session: Option<Box<str>>,
    /// When the proof ends.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Static,
    Jwt,
    /// Whoever issued the token was asked.
    Introspection,
    /// Nobody asked now: he set it up, or was named, and it is asked for him.
    Schedule,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
            Self::Schedule => "schedule",
        }
    }
}

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

/// The keys and tokens by which askers are known.
#[derive(Debug)]
pub struct Identity {
    statics: statics::Statics,
    jwt: Option<jwt::Verifier>,
    introspection: Option<introspection::Introspection>,
    attempts: Attempts,
    bpo_max_lifetime: Duration,
    metrics: Metrics,
}

impl Identity {
    /// Reads the key file. Asks nobody yet.
    pub fn new(settings: &Settings, metrics: &Metrics) -> Result<Self, IdentityError> {
        let jwt = settings.jwt.as_ref().map(|jwt| jwt::Verifier::new(jwt, metrics.clone())).transpose()?;
        let introspection = settings.introspection.as_ref();
        let introspection = introspection.map(|one| introspection::Introspection::new(one, metrics.clone()));
        Ok(Self {
            statics: statics::Statics::new(&settings.statics),
            jwt,
            introspection: introspection.transpose()?,
            attempts: Attempts::new(settings.failures_per_minute),
            bpo_max_lifetime: settings.bpo_max_lifetime,
            metrics: metrics.clone(),
        })
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
        published.map_or((true, None), |published| (published.keys().is_some(), published.trouble()))
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
        if let Some(holder) = self.statics.find(token) {
            let principal = match holder {
                Holder::User(id) => org.index.users.get(id).copied().map(Principal::User),
                Holder::Service(id) => org.index.services.get(id).copied().map(Principal::Service),
            };
            let known = principal.ok_or_else(|| unknown("the configured holder is not in the directory"))?;
            return known_and_active(known, org).map(|principal| Subject {
                principal,
                client: None,
                method: Method::Static,
                session: None,
                expires_at: None,
            });
        }
        let (claims, method) = self.vouched(token, may_ask, now).await?;
        let principal = match (org.index.users.get(&claims.name), org.index.clients.get(&claims.name)) {
            (Some(user), None) => Principal::User(*user),
            (None, Some(service)) => Principal::Service(*service),
            (None, None) => return Err(unknown("no user and no client of this id is in the directory")),
            (Some(_), Some(_)) => return Err(unknown("a user and a client of the directory have this same id")),
        };
        let principal = known_and_active(principal, org)?;
        let region = self.introspection.as_ref().filter(|_| method == Method::Introspection);
        if region.and_then(introspection::Introspection::region).is_some_and(|asked| {
            *asked != *org.region(org.region_of(principal)).id
        }) {
            return Err(unknown("the region that knows this token is not that of its holder"));
        }
        if outsourced(principal, org) {
            self.short_enough(&claims)?;
        }
        Ok(Subject { principal, client: claims.client, method, session: claims.session, expires_at: claims.expires_at })
    }

    /// Who vouches for a token. One that is signed is not sent to anybody.
    async fn vouched(&self, token: &str, may_ask: bool, now: Timestamp) -> Result<(Claims, Method), Refusal> {
        let signed = token.bytes().filter(|byte| *byte == b'.').count() == 2;
        let (judged, method) = match (&self.jwt, &self.introspection) {
            (Some(verifier), other) if signed || other.is_none() => {
                (verifier.verify(token, now, may_ask).await, Method::Jwt)
            }
            (_, Some(introspection)) => (introspection.verify(token, now, may_ask).await, Method::Introspection),
            _ => return Err(required("the token is none of those configured")),
        };
        match judged {
            Ok(claims) => Ok((claims, method)),
            Err(Unproved::Bad(why)) => Err(required(why)),
            Err(Unproved::Unknown(why)) => Err(Refusal::new(
                Code::IdentityUnavailable,
                "whether your token is good cannot be found out now; ask again shortly",
            )
            .because(why)),
        }
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
        let says = format!("tokens of outsourcers may live for {most} seconds at most; ask your identity provider for shorter ones");
        Err(Refusal::new(Code::IdentityRequired, says).because(cause))
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
