//! One side: a client with its connections, and the prepared query.

use super::{Asked, Plan, phases};
use crate::egress::{self, Connector, EgressError, Way};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{sync::Arc, time::Duration};

/// Whom to ask, and as whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// Scheme and host, and a path in front of the operation's own if there is one.
    pub base: String,
    pub token: Option<SecretString>,
    pub way: Way,
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("`{base}` is no base address; write it as `http://127.0.0.1:8600` or `https://host/prefix`")]
    Address { base: String },
    #[error("the token for `{base}` cannot stand in a header")]
    Token { base: String },
    #[error(transparent)]
    Tls(#[from] EgressError),
    #[error("`{base}` cannot be measured: the first answer was {said}")]
    First { base: String, said: String },
}

/// What became of one query.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) bytes: usize,
    pub(super) phases: Vec<(String, Duration)>,
}

#[derive(Debug, Clone)]
pub(super) struct Asker {
    client: Client<Connector, Full<Bytes>>,
    base: String,
    method: http::Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    patience: Duration,
}

impl Asker {
    pub(super) fn new(asked: &Asked, target: &Target, plan: &Plan) -> Result<Self, Unusable> {
        let base = target.base.trim_end_matches('/').to_owned();
        let uri: Option<Uri> = format!("{base}{}", asked.path).parse().ok();
        let whole = |uri: &Uri| uri.authority().is_some() && matches!(uri.scheme_str(), Some("http" | "https"));
        let Some(uri) = uri.filter(whole) else { return Err(Unusable::Address { base }) };
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if asked.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(token) = &target.token {
            let bearer = SecretString::from(format!("Bearer {}", token.expose_secret()));
            let bearer = HeaderValue::try_from(bearer.expose_secret());
            let Ok(mut bearer) = bearer else { return Err(Unusable::Token { base }) };
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(plan.connections)
            .build(egress::connector(&target.way, plan.patience, Arc::new(|| ()))?);
        let body = asked.body.clone().unwrap_or_default().into();
        Ok(Self { client, base, method: asked.method.clone(), uri, headers, body, patience: plan.patience })
    }

    /// Asks once, so that a wrong token or address is told before anything is measured.
    pub(super) async fn try_once(&self) -> Result<(), Unusable> {
        let said = match self.ask().await {
            Ok(answered) if (200..300).contains(&answered.status) => return Ok(()),
            Ok(answered) => format!("of status {}", answered.status),
            Err(why) => why,
        };
        Err(Unusable::First { base: self.base.clone(), said })
    }

    /// From here to the last byte of the answer.
    pub(super) async fn ask(&self) -> Result<Answered, String> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|why| egress::causes(&why))?;
            let (status, phases) = (answer.status().as_u16(), phases::read(answer.headers()));
            let (mut body, mut bytes) = (answer.into_body(), 0);
            while let Some(frame) = body.frame().await {
                bytes += frame.map_err(|why| egress::causes(&why))?.data_ref().map_or(0, Bytes::len);
            }
            Ok(Answered { status, bytes, phases })
        };
        tokio::time::timeout(self.patience, exchange).await.unwrap_or_else(|_| Err("none in time".to_owned()))
    }
}
