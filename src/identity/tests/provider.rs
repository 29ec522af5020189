//! An identity provider on loopback that says what it is told to say, and counts what it is asked.

use crate::{
    egress::Trust,
    identity::{Asks, IntrospectionSettings, IssuerKeys, JwtSettings, KeysFrom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(super) const DOCUMENT: &str = "/.well-known/openid-configuration";
pub(super) const KEYS: &str = "/keys";
pub(super) const INTROSPECT: &str = "/introspect";
pub(super) const ME: &str = "/api/v2/users/me";

/// Status, further head lines, body.
type Said = (u16, String, String);

#[derive(Default)]
struct State {
    pages: HashMap<String, Said>,
    /// What is said of each token.
    tokens: HashMap<String, Value>,
    /// Path of each request.
    asked: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Provider {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// A key that signs, and as it is published.
pub(super) struct Signing {
    pub(super) id: &'static str,
    key: EncodingKey,
    pub(super) published: Value,
}

impl Signing {
    pub(super) fn new(id: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let point = pair.public_key_raw();
        let half = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        let published = json!({ "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256", "x": half(1), "y": half(33) });
        Self { id, key: EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap(), published }
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_as("JWT", claims)
    }

    pub(super) fn sign_as(&self, typ: &str, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), typ: Some(typ.into()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let serving = provider.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().answer(stream));
            }
        });
        provider.page(DOCUMENT, 200, &json!({ "issuer": provider.issuer(), "jwks_uri": provider.url(KEYS) }));
        provider
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn page(&self, path: &str, status: u16, body: &Value) {
        self.says(path, status, "", &body.to_string());
    }

    pub(super) fn says(&self, path: &str, status: u16, head: &str, body: &str) {
        let said = (status, head.to_owned(), body.to_owned());
        self.state.lock().unwrap().pages.insert(path.to_owned(), said);
    }

    pub(super) fn publish(&self, keys: &[&Signing]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.published).collect();
        self.page(KEYS, 200, &json!({ "keys": keys }));
    }

    /// What introspection, or the page about oneself, says of a token.
    pub(super) fn token(&self, token: &str, says: Value) {
        self.state.lock().unwrap().tokens.insert(token.to_owned(), says);
    }

    /// How often a path was asked for since the last such question.
    pub(super) fn asked(&self, path: &str) -> usize {
        let asked = &mut self.state.lock().unwrap().asked;
        let before = asked.len();
        asked.retain(|one| one != path);
        before - asked.len()
    }

    /// Whatever was asked and not counted.
    pub(super) fn asked_at_all(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut read = Vec::new();
        let mut piece = [0; 4096];
        let (head, body) = loop {
            let many = stream.read(&mut piece).await.unwrap_or(0);
            read.extend_from_slice(&piece[..many]);
            let text = String::from_utf8_lossy(&read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let due =
                    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
                if body.len() >= due {
                    break (head.to_owned(), body.to_owned());
                }
            }
            if many == 0 {
                return;
            }
        };
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let (status, more, body) = {
            let mut state = self.state.lock().unwrap();
            state.asked.push(path.clone());
            let bearer = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
            let form = body.strip_prefix("token=").and_then(|rest| rest.split('&').next());
            let form =
                form.map(|token| percent_encoding::percent_decode_str(token).decode_utf8().unwrap().into_owned());
            let said = |token: Option<&str>| token.and_then(|token| state.tokens.get(token)).map(Value::to_string);
            match state.pages.get(&path) {
                Some(page) => page.clone(),
                None if path == INTROSPECT => {
                    let none = json!({ "active": false }).to_string();
                    (200, String::new(), said(form.as_deref()).unwrap_or(none))
                }
                None if path == ME => match said(bearer) {
                    Some(body) => (200, String::new(), body),
                    None => (401, String::new(), "{}".to_owned()),
                },
                None => (404, String::new(), String::new()),
            }
        };
        let answer =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n{body}", body.len());
        let _sent = stream.write_all(answer.as_bytes()).await;
    }
}

/// Tokens that this provider signs, for `reports`.
pub(super) fn signed(provider: &Provider) -> JwtSettings {
    let from = IssuerKeys {
        document: provider.url(DOCUMENT).parse().unwrap(),
        hosts: vec![provider.issuer().into()],
        trust: Trust::System,
        refresh: Duration::from_mins(5),
        apart: Duration::from_secs(30),
    };
    JwtSettings {
        keys: KeysFrom::Issuer(from),
        algorithms: vec![Algorithm::ES256, Algorithm::RS256],
        issuer: provider.issuer(),
        audience: "reports".to_owned(),
        claim: "sub".to_owned(),
        role_claim: None,
        typ: None,
        leeway: Duration::from_secs(10),
        max_lifetime: Duration::from_hours(24),
        needs_not_before: true,
    }
}

/// Tokens about which this provider is asked.
pub(super) fn opaque(provider: &Provider) -> IntrospectionSettings {
    let asks = Asks::Endpoint {
        url: provider.url(INTROSPECT).parse().unwrap(),
        client_id: "proxy".to_owned(),
        client_secret: "secret".to_owned().into(),
        claim: "sub".to_owned(),
        role_claim: None,
        issuer: None,
        audience: None,
    };
    IntrospectionSettings {
        asks,
        trust: Trust::System,
        max_age: Duration::from_mins(1),
        kept: NonZeroUsize::new(16).unwrap(),
        a_second: 50,
        leeway: Duration::from_secs(5),
    }
}
