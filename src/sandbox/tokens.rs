//! `POST /oauth/token`: client credentials, and the bearers that they bought.

use super::{lists::Params, problem::Problem};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Known clients and live bearers.
#[derive(Debug)]
pub(super) struct Tokens {
    clients: HashMap<String, String>,
    lifetime: Duration,
    live: Mutex<HashMap<String, (String, Instant)>>,
}

impl Tokens {
    pub(super) fn new(clients: &[(String, String)], lifetime: Duration) -> Self {
        Self { clients: clients.iter().cloned().collect(), lifetime, live: Mutex::new(HashMap::new()) }
    }

    /// Answers a token request: credentials in the header or in the form.
    pub(super) fn exchange(&self, authorization: Option<&str>, form: &str) -> Result<Value, Problem> {
        let form = Params::read(form)?;
        let basic = authorization.and_then(|header| header.strip_prefix("Basic ")).and_then(|encoded| {
            let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
            decoded.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        });
        let posted = || Some((form.first("client_id")?.to_owned(), form.first("client_secret")?.to_owned()));
        if form.first("grant_type") != Some("client_credentials") {
            return Err(Problem::bad("`grant_type` must be `client_credentials`"));
        }
        let (client, secret) = basic.or_else(posted).ok_or_else(Problem::unauthenticated)?;
        if self.clients.get(&client) != Some(&secret) {
            return Err(Problem::unauthenticated());
        }
        let token = self.issue(&client);
        Ok(json!({ "access_token": token, "token_type": "bearer", "expires_in": self.lifetime.as_secs() }))
    }

    pub(super) fn issue(&self, client: &str) -> String {
        let token = format!("sandbox-{}", uuid::Uuid::now_v7().simple());
        let until = Instant::now() + self.lifetime;
        self.live().insert(token.clone(), (client.to_owned(), until));
        token
    }

    /// The client of a bearer that is still good.
    pub(super) fn client(&self, authorization: Option<&str>) -> Option<String> {
        let token = authorization?.strip_prefix("Bearer ")?;
        let live = self.live();
        live.get(token).filter(|(_, until)| Instant::now() < *until).map(|(client, _)| client.clone())
    }

    pub(super) fn forget(&self) {
        self.live().clear();
    }

    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Instant)>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
