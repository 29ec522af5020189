//! A region's service token: fetched by client credentials, kept in memory until shortly before it ends, fetched by one
//! request while the others wait.

use super::request::Base;
use crate::{
    base::clock::Clock,
    egress::{Door, DoorFailed},
    model::refusal::{Code, Refusal},
    telemetry::{
        Event as _, Metrics,
        event::{TokenFetchFailed, TokenFetched},
    },
};
use http::{HeaderValue, Uri};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// After a failure nobody asks again for so long, so that a credential endpoint in trouble is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// A token that says nothing of its life is used for so long.
const UNTOLD: i64 = 300;

#[derive(Debug)]
pub(super) struct Credential {
    region: String,
    door: Door,
    endpoint: Uri,
    client_id: String,
    client_secret: SecretString,
    kept: Mutex<Kept>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Kept {
    token: Option<Token>,
    fetched: u64,
    failed: Option<(Instant, Refusal)>,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Marked sensitive, so that no log shows it.
    pub(super) value: HeaderValue,
    number: u64,
    use_until: Timestamp,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<i64>,
}

impl Credential {
    /// `None`: the base address cannot carry the token path.
    pub(super) fn new(
        region: &str,
        (client_id, client_secret): (String, SecretString),
        base: &Base,
        door: Door,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Option<Self> {
        Some(Self {
            region: region.to_owned(),
            door,
            endpoint: base.join("/oauth/token", &[])?,
            client_id,
            client_secret,
            kept: Mutex::default(),
            clock,
            metrics,
        })
    }

    /// The token to use now. `rejected`: one that the upstream has just refused.
    pub(super) async fn token(&self, rejected: Option<&Token>) -> Result<Token, Refusal> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = &kept.token
            && self.clock.now() < token.use_until
            && rejected.is_none_or(|rejected| rejected.number != token.number)
        {
            return Ok(token.clone());
        }
        if let Some((when, refusal)) = &kept.failed
            && when.elapsed() < LEFT_ALONE
        {
            return Err(refusal.clone());
        }
        kept.token = None;
        match self.fetch(kept.fetched.saturating_add(1)).await {
            Ok(token) => {
                TokenFetched { region: &self.region }.emit(&self.metrics);
                kept.fetched = token.number;
                kept.failed = None;
                kept.token = Some(token.clone());
                Ok(token)
            }
            Err(refusal) => {
                let why = refusal.cause.as_deref().unwrap_or_default();
                TokenFetchFailed { region: &self.region, why }.emit(&self.metrics);
                kept.failed = Some((Instant::now(), refusal.clone()));
                Err(refusal)
            }
        }
    }

    async fn fetch(&self, number: u64) -> Result<Token, Refusal> {
        let form = "grant_type=client_credentials";
        let reply = match self.door.post_form(&self.endpoint, &self.client_id, &self.client_secret, form).await {
            Ok(reply) => reply,
            Err(DoorFailed::Timeout) => {
                return Err(Refusal::new(
                    Code::UpstreamTimeout,
                    "the upstream did not answer in time; ask again shortly",
                )
                .because("no service token in time"));
            }
            Err(DoorFailed::Broken(why)) => {
                return Err(Refusal::new(
                    Code::UpstreamUnavailable,
                    "the upstream cannot be reached; ask again shortly",
                )
                .because(format!("no service token: {why}")));
            }
        };
        match reply.status {
            200 => {}
            429 | 500.. => {
                return Err(Refusal::new(
                    Code::UpstreamUnavailable,
                    "the upstream cannot be used now; ask again shortly",
                )
                .with("upstream-status", reply.status.to_string())
                .because(format!("the token endpoint answered {}", reply.status)));
            }
            status => return Err(refused(format!("the token endpoint answered {status}"))),
        }
        let text = std::str::from_utf8(&reply.body).map_err(|_| refused("the token endpoint's answer is no text"))?;
        // The error's own text could quote the token.
        let answer: Answer =
            serde_json::from_str(text).map_err(|_| refused("the token endpoint's answer is not a token"))?;
        if answer.token_type.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(refused("the token endpoint gave a token that is no bearer token"));
        }
        self.token_of(&answer, number).ok_or_else(|| refused("the token cannot stand in a header"))
    }

    fn token_of(&self, answer: &Answer, number: u64) -> Option<Token> {
        use secrecy::ExposeSecret as _;
        let token = answer.access_token.expose_secret();
        if token.is_empty() {
            return None;
        }
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        let life = answer.expires_in.unwrap_or(UNTOLD).clamp(0, 7 * 24 * 3600);
        // A tenth of its life, and no more than a minute, is left for the way.
        let margin = (life / 10).min(60);
        let use_until = self.clock.now().checked_add(SignedDuration::from_secs(life - margin)).ok()?;
        Some(Token { value, number, use_until })
    }
}

/// The upstream does not take this proxy's own credential.
pub(super) fn refused(cause: impl Into<String>) -> Refusal {
    Refusal::new(
        Code::UpstreamCredential,
        "the upstream does not accept this proxy's credential; tell the operator the decision id",
    )
    .because(cause)
}
