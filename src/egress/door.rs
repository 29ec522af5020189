//! A typed HTTP client for small exchanges, such as fetching a token.

use super::{
    MARK, PASSED,
    body::read_capped,
    connector::{Connector, EgressError, OnOpen, Way, connector},
};
use base64::Engine as _;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::Full;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// How long each part may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub connect: Duration,
    pub first_byte: Duration,
    pub whole: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), first_byte: Duration::from_secs(15), whole: Duration::from_secs(30) }
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum DoorFailed {
    #[error("no answer in time")]
    Timeout,
    #[error("{0}")]
    Broken(String),
}

#[derive(Debug, Clone)]
pub struct Door {
    client: Client<Connector, Full<Bytes>>,
    times: Times,
    max_bytes: usize,
}

impl Door {
    pub fn new(way: impl Into<Way>, times: Times, opened: OnOpen) -> Result<Self, EgressError> {
        let connector = connector(&way.into(), times.connect, opened)?;
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Ok(Self { client, times, max_bytes: 64 * 1024 })
    }

    /// The same door for longer answers.
    #[must_use]
    pub fn reading(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Reads what is there for everybody.
    pub async fn read(&self, from: &Uri) -> Result<Reply, DoorFailed> {
        let request = Request::get(from.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Full::new(Bytes::new()))
            .map_err(|why| DoorFailed::Broken(why.to_string()))?;
        self.exchange(request).await
    }

    /// Asks as the holder of a bearer, which is a header's whole value: by `POST` where there is a body, else by `GET`.
    pub async fn ask(&self, to: &Uri, bearer: &header::HeaderValue, body: Option<String>) -> Result<Reply, DoorFailed> {
        let mut bearer = bearer.clone();
        bearer.set_sensitive(true);
        let request = if body.is_some() {
            Request::post(to.clone()).header(header::CONTENT_TYPE, "application/json")
        } else {
            Request::get(to.clone())
        };
        let request = request
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity")
            .header(PASSED, MARK)
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|why| DoorFailed::Broken(why.to_string()))?;
        self.exchange(request).await
    }

    /// Posts a form with a name and a password.
    pub async fn post_form(
        &self,
        to: &Uri,
        name: &str,
        password: &SecretString,
        form: impl Into<Bytes>,
    ) -> Result<Reply, DoorFailed> {
        let pair = SecretString::from(format!("{name}:{}", password.expose_secret()));
        let basic = base64::engine::general_purpose::STANDARD.encode(pair.expose_secret());
        let mut basic = header::HeaderValue::try_from(format!("Basic {basic}"))
            .map_err(|_| DoorFailed::Broken("the credential cannot stand in a header".to_owned()))?;
        basic.set_sensitive(true);
        self.form(Request::post(to.clone()).header(header::AUTHORIZATION, basic), form).await
    }

    /// Posts a form that says itself who sends it.
    pub async fn post_open_form(&self, to: &Uri, form: impl Into<Bytes>) -> Result<Reply, DoorFailed> {
        self.form(Request::post(to.clone()), form).await
    }

    async fn form(&self, request: http::request::Builder, form: impl Into<Bytes>) -> Result<Reply, DoorFailed> {
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(PASSED, MARK)
            .body(Full::new(form.into()))
            .map_err(|why| DoorFailed::Broken(why.to_string()))?;
        self.exchange(request).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, DoorFailed> {
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|why| DoorFailed::Broken(causes(&why)))?;
            let status = answer.status().as_u16();
            let body = read_capped(answer.into_body(), self.max_bytes)
                .await
                .map_err(|why| DoorFailed::Broken(why.to_string()))?;
            Ok(Reply { status, body })
        };
        tokio::time::timeout(self.times.whole, exchange).await.unwrap_or(Err(DoorFailed::Timeout))
    }
}

/// An error with everything behind it, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        at = cause.source();
    }
    text
}
