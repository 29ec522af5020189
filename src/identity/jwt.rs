//! Signed tokens, checked against keys from a file.
//!
//! Header and claims are read strictly first, so that there is one reading; then the signature is verified over the same
//! bytes, and only then the claims are believed. Time is the caller's clock.

use super::{IdentityError, keys::Keys};
use crate::query::json::{self, Value};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation};
use serde::de::IgnoredAny;
use std::{path::PathBuf, time::Duration};

/// Header fields by which a token would bring or point to its own key, or change how it is to be read.
const NEVER: [&str; 8] = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"];
/// Kinds of token that are not for asking anything.
const OTHER_KINDS: [&str; 4] = ["logout+jwt", "dpop+jwt", "secevent+jwt", "id_token+jwt"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    /// PEM with one public key, or a JSON key set.
    pub key_file: PathBuf,
    pub algorithms: Vec<Algorithm>,
    pub issuer: String,
    pub audience: String,
    /// The claim that holds the user id, or the client id of a service account.
    pub claim: String,
    /// The `typ` that the header must have, such as `at+jwt`; `None`: any but that of another kind of token.
    pub typ: Option<String>,
    pub leeway: Duration,
    pub max_lifetime: Duration,
}

/// What a good token says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    /// A user id of the directory, or the client id of a service account.
    pub(super) name: Box<str>,
    pub(super) client: Option<Box<str>>,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Verifier {
    keys: Keys,
    settings: JwtSettings,
}

impl Verifier {
    pub(super) fn new(settings: &JwtSettings) -> Result<Self, IdentityError> {
        if settings.algorithms.is_empty() {
            return Err(IdentityError::NoAlgorithm);
        }
        if let Some(shared) = settings.algorithms.iter().find(|one| AlgorithmFamily::Hmac.algorithms().contains(one)) {
            return Err(IdentityError::Symmetric(format!("{shared:?}")));
        }
        let keys = Keys::read(&settings.key_file, &settings.algorithms)?;
        Ok(Self { keys, settings: settings.clone() })
    }

    /// Why a token is not good never quotes it.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, &'static str> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("the token does not have three parts");
        };
        if signature.is_empty() {
            return Err("the token has no signature");
        }
        let header = object(header).ok_or("the token's header is not strict JSON in base64url")?;
        let payload = object(payload).ok_or("the token's claims are not strict JSON in base64url")?;
        let algorithm = self.header(&header)?;
        let key = self.keys.find(header.get("kid").and_then(Value::as_str))?;
        if !key.algorithms.contains(&algorithm) {
            return Err("the token's algorithm is not one of its key");
        }
        jsonwebtoken::decode::<IgnoredAny>(token, &key.decoding, &self.validation(algorithm))
            .map_err(|_| "the signature, the issuer or the audience is not right, or a claim is missing")?;
        self.claims(&payload, now)
    }

    /// Everything explicit; the times are compared by us, with a clock that never goes back.
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.algorithms = vec![algorithm];
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.validate_aud = true;
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }

    fn header(&self, header: &Value) -> Result<Algorithm, &'static str> {
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
        // Exact text and one issuer: a list of issuers has no meaning.
        if payload.get("iss").and_then(Value::as_str) != Some(&self.settings.issuer) {
            return Err("the issuer is not the configured one");
        }
        let expires = instant(payload.get("exp")).ok_or("the expiry is missing or no time")?;
        let not_before = instant(payload.get("nbf")).ok_or("the not-before is missing or no time")?;
        let issued = match payload.get("iat") {
            None => not_before,
            some => instant(some).ok_or("the time of issue is no time")?,
        };
        let (now, leeway) = (now.as_second(), seconds(self.settings.leeway));
        if now.saturating_sub(leeway) >= expires {
            return Err("the token has expired");
        }
        if not_before > now.saturating_add(leeway) || issued > now.saturating_add(leeway) {
            return Err("the token is not valid yet");
        }
        let lifetime = seconds(self.settings.max_lifetime);
        if expires.saturating_sub(issued) > lifetime || expires.saturating_sub(now) > lifetime.saturating_add(leeway) {
            return Err("the token lives longer than `max-lifetime` allows");
        }
        if name(payload.get("sub")).is_none() {
            return Err("the token names no subject");
        }
        let named = name(payload.get(&self.settings.claim)).ok_or("the claim with the user is missing or no id")?;
        let client = ["azp", "client_id"].iter().find_map(|claim| name(payload.get(claim)));
        let until = expires.saturating_add(leeway);
        let expires_at = Timestamp::from_second(until).map_err(|_| "the expiry is no time")?;
        Ok(Claims { name: named.into(), client: client.map(Into::into), expires_at })
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

/// Whole seconds since 1970, or a number with a fraction, which is cut off.
fn instant(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    let seconds = value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        (0.0..9e15).contains(&float).then_some(float as i64)
    })?;
    (seconds >= 0).then_some(seconds)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// An id: a text that is not empty and holds no control character.
fn name(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty() && !text.contains(char::is_control))
}
