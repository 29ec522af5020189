//! Opaque tokens: whoever issued one says whether it is good and whose it is.
//!
//! What was said is kept by the digest of the whole token, for a short while and never past the token's end; what is not good is
//! kept too, apart, so that a flood of invented tokens drives out nobody's good one. Who cannot be asked vouches for nobody.

use super::{
    IdentityError,
    claims::{Claims, Roles, client, holds, instant, name},
    jwt::{Unproved, seconds},
};
use crate::{
    base::hash::{sha256, sha256_hex},
    egress::{Door, DoorFailed, Reply, Times, Trust},
    query::json::{self, Value},
    telemetry::{Event as _, Metrics, event::TokenAskedAbout},
};
use http::{HeaderValue, Uri};
use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};

const MOST_BYTES: usize = 256 * 1024;
/// Questions under way at once. The same token is asked about by one of them.
const LANES: usize = 16;
/// Requests that wait for a question; what comes after them is told to come again.
const WAITING: usize = 64;
const TIMES: Times =
    Times { connect: Duration::from_secs(2), first_byte: Duration::from_secs(5), whole: Duration::from_secs(5) };

#[derive(Debug, Clone)]
pub struct IntrospectionSettings {
    pub asks: Asks,
    pub trust: Trust,
    /// How long an answer is believed.
    pub max_age: Duration,
    /// Answers of each kind that are kept.
    pub kept: NonZeroUsize,
    /// Questions a second, on the average.
    pub a_second: u32,
    pub leeway: Duration,
}

/// Who is asked.
#[derive(Debug, Clone)]
pub enum Asks {
    /// An endpoint of RFC 7662.
    Endpoint {
        url: Uri,
        client_id: String,
        client_secret: SecretString,
        claim: String,
        /// Where the roles of the holder stand, by a name or as a JSON pointer.
        role_claim: Option<String>,
        /// Where it is set, the answer has to say so.
        issuer: Option<String>,
        audience: Option<String>,
    },
    /// A region's own `GET /api/v2/users/me`, as the holder of the token.
    UsersMe { region: String, url: Uri },
}

type Digest = [u8; 32];

#[derive(Debug)]
pub(super) struct Introspection {
    settings: IntrospectionSettings,
    door: Door,
    good: Lock<LruCache<Digest, (Claims, Timestamp)>>,
    bad: Lock<LruCache<Digest, Timestamp>>,
    lanes: [Mutex<()>; LANES],
    waiting: Semaphore,
    allowance: Lock<(f64, Instant)>,
    metrics: Metrics,
}

const BUSY: Unproved = Unproved::Unknown("too many tokens are asked about");
const NOT_GOOD: Unproved = Unproved::Bad("whoever issues such tokens says that this one is not good");
const NO_ANSWER: Unproved = Unproved::Unknown("whoever issues such tokens gives no answer that can be read");

impl Introspection {
    pub(super) fn new(settings: &IntrospectionSettings, metrics: Metrics) -> Result<Self, IdentityError> {
        let door = Door::new(&settings.trust, TIMES, Arc::new(|| {})).map_err(IdentityError::Provider)?;
        Ok(Self {
            door: door.reading(MOST_BYTES),
            good: Lock::new(LruCache::new(settings.kept)),
            bad: Lock::new(LruCache::new(settings.kept)),
            lanes: std::array::from_fn(|_| Mutex::new(())),
            waiting: Semaphore::new(WAITING),
            allowance: Lock::new((f64::from(settings.a_second), Instant::now())),
            settings: settings.clone(),
            metrics,
        })
    }

    /// The region whose people these tokens are of, where one is asked.
    pub(super) fn region(&self) -> Option<&str> {
        match &self.settings.asks {
            Asks::Endpoint { .. } => None,
            Asks::UsersMe { region, .. } => Some(region),
        }
    }

    pub(super) fn max_age(&self) -> SignedDuration {
        SignedDuration::try_from(self.settings.max_age).unwrap_or(SignedDuration::ZERO)
    }

    /// `may_ask`: without it only what is kept counts.
    pub(super) async fn verify(&self, token: &str, now: Timestamp, may_ask: bool) -> Result<Claims, Unproved> {
        let digest = sha256(token.as_bytes());
        if let Some(known) = self.known(&digest, now) {
            return known;
        }
        if !may_ask {
            return Err(Unproved::Bad("too much failed from there, so nobody is asked about this token"));
        }
        let _waits = self.waiting.try_acquire().map_err(|_| BUSY)?;
        let first = usize::from(digest.first().copied().unwrap_or_default());
        let _lane = match self.lanes.get(first % LANES) {
            Some(lane) => lane.lock().await,
            None => return Err(BUSY),
        };
        // whoever held the lane may have asked about this very token
        if let Some(known) = self.known(&digest, now) {
            return known;
        }
        if !self.allowed() {
            return Err(BUSY);
        }
        let said = self.ask(token, now).await;
        let failed = match &said {
            Err(Unproved::Unknown(why)) => Some((*why).to_owned()),
            _ => None,
        };
        TokenAskedAbout { failed }.emit(&self.metrics);
        self.keep(digest, &said, now);
        said
    }

    #[cfg(test)]
    pub(super) fn kept_bad(&self) -> usize {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn known(&self, digest: &Digest, now: Timestamp) -> Option<Result<Claims, Unproved>> {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((claims, _)) = good.get(digest).filter(|(_, until)| now < *until) {
            return Some(Ok(claims.clone()));
        }
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        bad.get(digest).is_some_and(|until| now < *until).then_some(Err(NOT_GOOD))
    }

    fn keep(&self, digest: Digest, said: &Result<Claims, Unproved>, now: Timestamp) {
        let until = now.checked_add(self.max_age()).unwrap_or(now);
        match said {
            Ok(claims) => {
                let until = claims.expires_at.map_or(until, |end| end.min(until));
                let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
                good.put(digest, (claims.clone(), until));
            }
            Err(Unproved::Bad(_)) => {
                self.bad.lock().unwrap_or_else(PoisonError::into_inner).put(digest, until);
            }
            Err(Unproved::Unknown(_)) => {}
        }
    }

    /// Whether one more question may be asked now.
    fn allowed(&self) -> bool {
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *allowance;
        let most = f64::from(self.settings.a_second);
        let now = Instant::now();
        let left = now.duration_since(since).as_secs_f64().mul_add(most, left).min(most);
        let may = left >= 1.0;
        *allowance = (if may { left - 1.0 } else { left }, now);
        may
    }

    async fn ask(&self, token: &str, now: Timestamp) -> Result<Claims, Unproved> {
        match &self.settings.asks {
            Asks::Endpoint { url, client_id, client_secret, .. } => {
                let form =
                    format!("token={}&token_type_hint=access_token", utf8_percent_encode(token, NON_ALPHANUMERIC));
                let reply = self.door.post_form(url, client_id, client_secret, form).await;
                self.active(&answer(reply, &[])?, token, now)
            }
            Asks::UsersMe { url, .. } => {
                let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| NOT_GOOD)?;
                bearer.set_sensitive(true);
                let said = answer(self.door.ask(url, &bearer, None).await, &[400, 401, 403, 404])?;
                let named = name(said.get("id")).ok_or(NO_ANSWER)?;
                Ok(Claims {
                    name: named.into(),
                    subject: Some(named.into()),
                    client: None,
                    token: Some(sha256_hex(token.as_bytes()).into()),
                    session: None,
                    issued: None,
                    expires_at: None,
                    lifetime: None,
                    roles: Roles::Unasked,
                })
            }
        }
    }

    /// What RFC 7662 says of a token that is good.
    fn active(&self, said: &Value, token: &str, now: Timestamp) -> Result<Claims, Unproved> {
        let Asks::Endpoint { claim, role_claim, issuer, audience, .. } = &self.settings.asks else {
            return Err(NO_ANSWER);
        };
        match said.get("active").and_then(Value::as_bool) {
            Some(true) => {}
            Some(false) => return Err(NOT_GOOD),
            None => return Err(NO_ANSWER),
        }
        if issuer.as_deref().is_some_and(|due| said.get("iss").and_then(Value::as_str) != Some(due)) {
            return Err(Unproved::Bad("the token is of another issuer"));
        }
        if audience.as_deref().is_some_and(|due| !holds(said.get("aud"), due)) {
            return Err(Unproved::Bad("the token is for another audience"));
        }
        if said.get("token_type").and_then(Value::as_str).is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Unproved::Bad("the token is no bearer"));
        }
        let time = |claim: &str| match said.get(claim) {
            None | Some(Value::Null) => Ok(None),
            some => instant(some).map(Some).ok_or(NO_ANSWER),
        };
        let (expires, issued, not_before) = (time("exp")?, time("iat")?, time("nbf")?);
        let (second, leeway) = (now.as_second(), seconds(self.settings.leeway));
        if expires.is_some_and(|end| second.saturating_sub(leeway) >= end) {
            return Err(Unproved::Bad("the token has expired"));
        }
        if not_before.into_iter().chain(issued).any(|begin| begin > second.saturating_add(leeway)) {
            return Err(Unproved::Bad("the token is not valid yet"));
        }
        let named = name(said.get(claim)).ok_or(Unproved::Bad("whose the token is, is not said"))?;
        let text = |claim: &str| name(said.get(claim)).map(Box::from);
        let stamp = |time: Option<i64>| time.and_then(|time| Timestamp::from_second(time).ok());
        Ok(Claims {
            name: named.into(),
            subject: text("sub"),
            client: client(said),
            token: text("jti").or_else(|| Some(sha256_hex(token.as_bytes()).into())),
            session: text("sid"),
            issued: stamp(issued),
            expires_at: stamp(expires.map(|end| end.saturating_add(leeway))),
            lifetime: expires.map(|end| end.saturating_sub(issued.unwrap_or(second))),
            roles: Roles::read(said, role_claim.as_deref()),
        })
    }
}

/// `refusals`: the statuses by which the other side says that a token is not good.
fn answer(reply: Result<Reply, DoorFailed>, refusals: &[u16]) -> Result<Value, Unproved> {
    let reply = reply.map_err(|failed| match failed {
        DoorFailed::Timeout => Unproved::Unknown("whoever issues such tokens does not answer in time"),
        DoorFailed::Broken(_) => Unproved::Unknown("whoever issues such tokens cannot be reached"),
    })?;
    if refusals.contains(&reply.status) {
        return Err(NOT_GOOD);
    }
    if reply.status != 200 {
        return Err(NO_ANSWER);
    }
    json::parse_object(&reply.body, &json::Limits::answer(MOST_BYTES)).map_err(|_| NO_ANSWER)
}
