//! An upstream that keeps what it was sent and answers what it was told to.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) after: Duration,
}

#[derive(Debug)]
struct State {
    sent: Vec<Sent>,
    reply: Reply,
}

#[derive(Debug, Clone)]
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let reply = Reply { status: 200, body: r#"{"results":[]}"#.to_owned(), after: Duration::ZERO };
        let state = Arc::new(Mutex::new(State { sent: Vec::new(), reply }));
        let upstream = Self { address: listener.local_addr().unwrap(), state };
        let serving = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                let service = service_fn(move |request| {
                    let serving = serving.clone();
                    async move { Ok::<_, Infallible>(serving.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        upstream
    }

    pub(super) fn replies(&self, status: u16, body: &str, after: Duration) {
        self.state.lock().unwrap().reply = Reply { status, body: body.to_owned(), after };
    }

    /// Queries that arrived since the last look.
    pub(super) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state.lock().unwrap().sent)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        let mut bytes = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        }
        if head.uri.path() == "/oauth/token" {
            return json(200, r#"{"access_token":"upstream-token","token_type":"bearer","expires_in":3600}"#);
        }
        let headers =
            head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let sent =
            Sent { line: format!("{} {}", head.method, head.uri), headers, body: String::from_utf8(bytes).unwrap() };
        let reply = {
            let mut state = self.state.lock().unwrap();
            state.sent.push(sent);
            state.reply.clone()
        };
        tokio::time::sleep(reply.after).await;
        json(reply.status, &reply.body)
    }
}

fn json(status: u16, body: &str) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(body.to_owned()));
    Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
}
