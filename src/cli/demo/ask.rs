//! A small HTTP client for loopback: one question, one answer.

use super::Failure;
use crate::egress::read_capped;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Serialize;
use serde_json::Value;

const LARGEST_ANSWER: usize = 64 << 20;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// What the proxy says it narrowed or lost.
    pub(super) notices: Vec<String>,
    pub(super) body: Value,
}

#[derive(Debug)]
pub(super) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Browser {
    pub(super) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(super) async fn ask(&self, base: &str, token: &str, asked: &Asked) -> Result<Reply, Failure> {
        let url = format!("{base}{}", asked.target);
        let failed = |why: &dyn std::fmt::Display| Failure::unreachable(format!("`{url}` did not answer: {why}"));
        let body = asked.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(asked.method.as_str())
            .uri(&url)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if asked.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::from(body)).map_err(|why| failed(&why))?;
        let response = self.client.request(request).await.map_err(|why| failed(&why))?;
        let status = response.status().as_u16();
        let notices = response
            .headers()
            .get_all("bailiwick-notice")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .map(str::to_owned)
            .collect();
        let bytes = read_capped(response.into_body(), LARGEST_ANSWER).await.map_err(|why| failed(&why))?;
        let text = String::from_utf8_lossy(&bytes);
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).map_err(|why| failed(&why))? };
        Ok(Reply { status, notices, body })
    }
}
