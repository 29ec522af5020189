//! A region that quotes what it is sent, in answers of every status, and vouches for opaque tokens.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::TcpListener;

/// A region and a provider that quotes in each answer all that it was sent.
pub(super) struct Quoting {
    pub(super) address: SocketAddr,
    pub(super) asked: Arc<AtomicUsize>,
    pub(super) given: Arc<Mutex<Vec<String>>>,
}

impl Quoting {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, given) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let all = (Arc::clone(&asked), Arc::clone(&given));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (asked, given) = all.clone();
                let service = service_fn(move |request| Self::answer(request, asked.clone(), given.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, asked, given }
    }

    async fn answer(
        request: Request<Incoming>,
        asked: Arc<AtomicUsize>,
        given: Arc<Mutex<Vec<String>>>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = crate::e2e::house::read(body).await.unwrap();
        let sent = format!("{:?} {body}", head.headers.get("authorization"));
        let nth = asked.fetch_add(1, Ordering::Relaxed);
        let (status, said) = match head.uri.path() {
            "/oauth/token" if nth % 7 == 6 => (400, json!({ "error": "invalid_client", "error_description": sent })),
            "/oauth/token" => {
                let token = format!("quoting-{}", uuid::Uuid::new_v5(&uuid::Uuid::nil(), &nth.to_be_bytes()).simple());
                given.lock().unwrap().push(token.clone());
                (200, json!({ "access_token": token, "token_type": "bearer", "expires_in": 3_600, "said": sent }))
            }
            "/introspect" if body.contains("opaque-good") => {
                (200, json!({ "active": true, "sub": "carl", "said": sent }))
            }
            "/introspect" if body.contains("opaque-ended") => (200, json!({ "active": false, "said": sent })),
            "/introspect" if body.contains("opaque-odd") => (200, json!({ "active": sent })),
            "/introspect" => (500, json!({ "message": sent })),
            _ => {
                let status = [200, 400, 401, 403, 404, 409, 429, 500, 503, 302][nth % 10];
                let code = if nth.is_multiple_of(2) { "bad.request".to_owned() } else { sent.clone() };
                (status, json!({ "message": sent, "code": code, "status": status, "contextId": sent }))
            }
        };
        let quoted = sent.replace(|char: char| !char.is_ascii_graphic(), "");
        let answer = Response::builder().status(status).header("content-type", "application/json");
        let answer = answer.header("x-quoted", &quoted).header("location", format!("http://127.0.0.1:1/{quoted}"));
        let answer = answer.header("www-authenticate", format!("Bearer {quoted}")).header("retry-after", &quoted);
        Ok(answer.body(Full::new(Bytes::from(said.to_string()))).unwrap())
    }
}
