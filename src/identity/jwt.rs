//! Signed tokens, checked against keys from a file or of the issuer.
//!
//! Header and claims are read strictly first, so that there is one reading; then the signature is verified over the same
//! bytes, and only then the claims are believed. Time is the caller's clock.

use super::{
    IdentityError,
    claims::{Claims, Roles, client, instant, name},
    keys::{Key, Keys},
    published::{IssuerKeys, Published},
};
use crate::{
    query::json::{self, Value},
    telemetry::Metrics,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation};
use serde::de::IgnoredAny;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Header fields by which a token would bring or point to its own key, or change how it is to be read.
const NEVER: [&str; 8] = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"];
/// Kinds of token that are not for asking anything.
const OTHER_KINDS: [&str; 4] = [LOGOUT, "dpop+jwt", "secevent+jwt", "id_token+jwt"];
const LOGOUT: &str = "logout+jwt";
/// The event that makes a token one of log-out.
const LOGGED_OUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const COMPULSORY: &[&str] = &["exp", "iss", "aud", "sub"];

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysFrom {
    /// PEM with one public key, or a JSON key set.
    File(PathBuf),
    /// Those that the issuer publishes.
    Issuer(IssuerKeys),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    pub keys: KeysFrom,
    pub algorithms: Vec<Algorithm>,
    pub issuer: String,
    pub audience: String,
    /// The claim that holds the user id, or the client id of a service account.
    pub claim: String,
    /// Where the roles of the holder stand, by a name or as a JSON pointer. With it only those count that stand there too.
    pub role_claim: Option<String>,
    /// The `typ` that the header must have, such as `at+jwt`; `None`: any but that of another kind of token.
    pub typ: Option<String>,
    pub leeway: Duration,
    pub max_lifetime: Duration,
    /// A token has to say from when on it is good; else its time of issue does.
    pub needs_not_before: bool,
}

#[derive(Debug)]
enum Source {
    File(Arc<Keys>),
    Issuer(Box<Published>),
}

#[derive(Debug)]
pub(super) struct Verifier {
    source: Source,
    settings: JwtSettings,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unproved {
    /// It is not good. Never quotes it.
    Bad(&'static str),
    /// Nobody can say whether it is.
    Unknown(&'static str),
}

impl From<&'static str> for Unproved {
    fn from(why: &'static str) -> Self {
        Self::Bad(why)
    }
}

/// A log-out that the provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoggedOut {
    pub(super) subject: Option<Box<str>>,
    pub(super) session: Option<Box<str>>,
    /// The user by the claim that names him in other tokens, where it stands here too.
    pub(super) user: Option<Box<str>>,
    pub(super) issued: Timestamp,
}

impl Verifier {
    pub(super) fn new(settings: &JwtSettings, metrics: Metrics) -> Result<Self, IdentityError> {
        if settings.algorithms.is_empty() {
            return Err(IdentityError::NoAlgorithm);
        }
        if let Some(shared) = settings.algorithms.iter().find(|one| AlgorithmFamily::Hmac.algorithms().contains(one)) {
            return Err(IdentityError::Symmetric(format!("{shared:?}")));
        }
        let source = match &settings.keys {
            KeysFrom::File(file) => Source::File(Arc::new(Keys::read(file, &settings.algorithms)?)),
            KeysFrom::Issuer(from) => {
                Source::Issuer(Box::new(Published::new(from, &settings.issuer, &settings.algorithms, metrics)?))
            }
        };
        Ok(Self { source, settings: settings.clone() })
    }

    /// The keys that are asked for, where they do not stand in a file.
    pub(super) fn published(&self) -> Option<&Published> {
        match &self.source {
            Source::File(_) => None,
            Source::Issuer(published) => Some(published),
        }
    }

    pub(super) fn settings(&self) -> &JwtSettings {
        &self.settings
    }

    /// `may_ask`: a key that is not known may be asked for.
    pub(super) async fn verify(&self, token: &str, now: Timestamp, may_ask: bool) -> Result<Claims, Unproved> {
        let payload = self.signed(token, now, may_ask, (&self.settings.audience, COMPULSORY, None)).await?;
        Ok(self.claims(&payload, now)?)
    }

    /// A token of log-out: it says so by its event, and is none for asking.
    pub(super) async fn verify_logout(
        &self,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<LoggedOut, Unproved> {
        let payload = self.signed(token, now, true, (audience, &["exp", "iss", "aud"], Some(LOGOUT))).await?;
        if payload.get("nonce").is_some() {
            return Err("a token of log-out has no `nonce`".into());
        }
        if payload.get("events").and_then(|events| events.get(LOGGED_OUT)).is_none_or(|one| one.as_object().is_none()) {
            return Err("the token does not say that somebody logged out".into());
        }
        if name(payload.get("jti")).is_none() {
            return Err("the token has no id".into());
        }
        let issued = instant(payload.get("iat")).ok_or("the time of issue is missing or no time")?;
        self.in_time(&payload, issued, now)?;
        let text = |claim: &str| name(payload.get(claim)).map(Box::from);
        let (subject, session) = (text("sub"), text("sid"));
        if subject.is_none() && session.is_none() {
            return Err("the token says neither who logged out nor of which session".into());
        }
        let issued = Timestamp::from_second(issued).map_err(|_| "the time of issue is no time")?;
        Ok(LoggedOut { subject, session, user: text(&self.settings.claim), issued })
    }

    /// The claims of a token whose signature, issuer and audience are right. `typ`: the kind that it has to be, where that is
    /// not the kind for asking.
    async fn signed(
        &self,
        token: &str,
        now: Timestamp,
        may_ask: bool,
        (audience, required, typ): (&str, &[&str], Option<&str>),
    ) -> Result<Value, Unproved> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("the token does not have three parts".into());
        };
        if signature.is_empty() {
            return Err("the token has no signature".into());
        }
        let header = object(header).ok_or("the token's header is not strict JSON in base64url")?;
        let payload = object(payload).ok_or("the token's claims are not strict JSON in base64url")?;
        let algorithm = self.header(&header, typ)?;
        let id = header.get("kid").and_then(Value::as_str);
        let keys = self.keys(id, now, may_ask).await?;
        self.proved(token, keys.find(id)?, algorithm, (audience, required))?;
        // Exact text and one issuer: a list of issuers has no meaning.
        if payload.get("iss").and_then(Value::as_str) != Some(&self.settings.issuer) {
            return Err("the issuer is not the configured one".into());
        }
        Ok(payload)
    }

    async fn keys(&self, id: Option<&str>, now: Timestamp, may_ask: bool) -> Result<Arc<Keys>, Unproved> {
        const NONE: Unproved = Unproved::Unknown("no keys of the issuer are known");
        let published = match &self.source {
            Source::File(keys) => return Ok(keys.clone()),
            Source::Issuer(published) => published,
        };
        let known = published.keys();
        if known.as_ref().is_some_and(|keys| keys.find(id).is_ok()) || !may_ask {
            return known.ok_or(NONE);
        }
        published.ask_for_more(now).await;
        published.keys().ok_or(NONE)
    }

    fn proved(
        &self,
        token: &str,
        key: &Key,
        algorithm: Algorithm,
        (audience, required): (&str, &[&str]),
    ) -> Result<(), &'static str> {
        if !key.algorithms.contains(&algorithm) {
            return Err("the token's algorithm is not one of its key");
        }
        jsonwebtoken::decode::<IgnoredAny>(token, &key.decoding, &self.validation(algorithm, audience, required))
            .map(|_| ())
            .map_err(|_| "the signature, the issuer or the audience is not right, or a claim is missing")
    }

    /// Everything explicit; the times are compared by us, with a clock that never goes back.
    fn validation(&self, algorithm: Algorithm, audience: &str, required: &[&str]) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.algorithms = vec![algorithm];
        validation.set_required_spec_claims(required);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[audience]);
        validation.validate_aud = true;
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }

    pub(super) fn header(&self, header: &Value, other: Option<&str>) -> Result<Algorithm, &'static str> {
        let members = header.as_object().unwrap_or_default();
        if members.iter().any(|(name, _)| NEVER.contains(&&**name)) {
            return Err("the token's header brings a key or an extension");
        }
        if header.get("kid").is_some_and(|id| id.as_str().is_none_or(str::is_empty)) {
            return Err("the token's key id is not a text");
        }
        if header.get("cty").is_some() {
            return Err("a token inside a token");
        }
        let typ = match header.get("typ") {
            None => None,
            Some(Value::Text(text)) => Some(kind_of(text)),
            Some(_) => return Err("the token's type is not a text"),
        };
        match (&self.settings.typ, &typ) {
            // providers that are older than this kind's name leave it out, or say `JWT`
            _ if other.is_some() => {
                if typ.as_deref().is_some_and(|typ| typ != "jwt" && Some(typ) != other) {
                    return Err("the token is of another type");
                }
            }
            (Some(due), Some(typ)) if kind_of(due) == *typ => {}
            (Some(_), _) => return Err("the token is of another type"),
            (None, Some(typ)) if OTHER_KINDS.contains(&typ.as_str()) => return Err("the token is of another type"),
            (None, _) => {}
        }
        let name = header.get("alg").and_then(Value::as_str).ok_or("the token names no algorithm")?;
        let algorithm: Algorithm = name.parse().map_err(|_| "the token's algorithm is not known")?;
        if self.settings.algorithms.contains(&algorithm) {
            Ok(algorithm)
        } else {
            Err("the token's algorithm is not one of those configured")
        }
    }

    fn claims(&self, payload: &Value, now: Timestamp) -> Result<Claims, &'static str> {
        if payload.get("events").is_some() {
            return Err("the token tells of an event, and is none for asking");
        }
        let time = |claim: &str, why| payload.get(claim).map(|time| instant(Some(time)).ok_or(why)).transpose();
        let (begins, issued) =
            (time("nbf", "the not-before is no time")?, time("iat", "the time of issue is no time")?);
        let (not_before, issued) = match (begins, issued) {
            (Some(begins), issued) => (begins, issued.unwrap_or(begins)),
            (None, Some(issued)) if !self.settings.needs_not_before => (issued, issued),
            (None, _) if self.settings.needs_not_before => return Err("the not-before is missing"),
            (None, _) => return Err("neither the not-before nor the time of issue is there"),
        };
        let expires = self.in_time(payload, not_before.max(issued), now)?;
        let (leeway, lifetime) = (seconds(self.settings.leeway), seconds(self.settings.max_lifetime));
        let left = expires.saturating_sub(now.as_second());
        if expires.saturating_sub(issued) > lifetime || left > lifetime.saturating_add(leeway) {
            return Err("the token lives longer than `max-lifetime` allows");
        }
        let subject = name(payload.get("sub")).ok_or("the token names no subject")?;
        let named = name(payload.get(&self.settings.claim)).ok_or("the claim with the user is missing or no id")?;
        let until = expires.saturating_add(leeway);
        let text = |claim: &str| name(payload.get(claim)).map(Box::from);
        Ok(Claims {
            name: named.into(),
            subject: Some(subject.into()),
            client: client(payload),
            token: text("jti"),
            session: text("sid"),
            issued: Timestamp::from_second(issued).ok(),
            expires_at: Some(Timestamp::from_second(until).map_err(|_| "the expiry is no time")?),
            lifetime: Some(expires.saturating_sub(issued)),
            roles: Roles::read(payload, self.settings.role_claim.as_deref()),
        })
    }

    /// The expiry of what began at `from`, compared by our own clock.
    fn in_time(&self, payload: &Value, from: i64, now: Timestamp) -> Result<i64, &'static str> {
        let expires = instant(payload.get("exp")).ok_or("the expiry is missing or no time")?;
        let (now, leeway) = (now.as_second(), seconds(self.settings.leeway));
        if now.saturating_sub(leeway) >= expires {
            return Err("the token has expired");
        }
        if from > now.saturating_add(leeway) {
            return Err("the token is not valid yet");
        }
        Ok(expires)
    }
}

fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    json::parse_object(&bytes, &json::Limits::default()).ok()
}

/// `application/at+jwt`, `AT+JWT` and `at+jwt` are the same.
fn kind_of(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or_else(|| lower.clone(), ToOwned::to_owned)
}

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
