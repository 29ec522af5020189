//! One region's listener: HTTP/1.1 over loopback, with counters and a record of what arrived.

use super::{
    lists::Params,
    problem::Problem,
    recordings,
    reply::Reply,
    service::{Operation, Question, Service},
    tokens::Tokens,
    traits::Disobedience,
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    /// Path and query, not decoded.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// What every connection of one region shares.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) region: usize,
    pub(super) service: Arc<Service>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) recording: AtomicBool,
    pub(super) received: Mutex<Vec<Received>>,
}

/// More than any query needs.
const LARGEST_BODY: usize = 16 << 20;

/// Accepts until `stop` is cancelled, then lets requests in flight finish.
pub(super) async fn serve(listener: TcpListener, door: Arc<Door>, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // out of file descriptors, most likely: no reason to spin
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        door.connections.fetch_add(1, Ordering::Relaxed);
        tasks.spawn(connection(stream, peer, Arc::clone(&door), stop.clone()));
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, door: Arc<Door>, stop: CancellationToken) {
    let quiet = stream.set_nodelay(true).is_ok();
    if door.service.disobedience().reset {
        // closing then sends a reset: nothing is left to linger
        let _unsupported = stream.set_zero_linger();
    }
    let served = Arc::clone(&door);
    let service = service_fn(move |request| Arc::clone(&served).handle(request));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(Duration::from_secs(2), connection.as_mut()).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, quiet, "sandbox connection ended");
    }
}

impl Door {
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Reply>> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let context = format!("sandbox-{}-{number}", self.region);
        let (head, body) = request.into_parts();
        let body = match read_all(body).await {
            Ok(body) => body,
            Err(problem) => {
                return respond(problem.status, &problem.body(&context), &context, &Disobedience::default());
            }
        };
        self.record(&head, &body);
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let authorization = text(header::AUTHORIZATION);
        let faults = self.service.disobedience();
        if head.uri.path() == "/oauth/token" && head.method == "POST" {
            let form = String::from_utf8_lossy(&body);
            let exchanged = self
                .tokens
                .exchange(authorization.as_deref(), &form)
                .and_then(|token| if faults.refuse_tokens { Err(Problem::unauthenticated()) } else { Ok(token) });
            return finish(exchanged, &context, &Disobedience::default());
        }
        if faults.forget_tokens {
            self.tokens.forget();
        }
        if let Some(delay) = faults.delay {
            tokio::time::sleep(delay).await;
        }
        if faults.reset {
            return Err(io::Error::other("reset on purpose"));
        }
        if recordings::is_file(head.uri.path()) {
            return self.file(&head, &context, &faults);
        }
        let Some(client) = self.tokens.client(authorization.as_deref()) else {
            return finish(Err(Problem::unauthenticated()), &context, &Disobedience::default());
        };
        if faults.too_many.is_some() {
            return finish(Err(Problem::too_many()), &context, &faults);
        }
        if faults.server_error {
            return finish(Err(Problem::internal("An unexpected error occurred.")), &context, &faults);
        }
        let question = question(&head, &body, client);
        let status = match question.as_ref().map(|question| question.operation) {
            Ok(Operation::Job(part)) => part.status(),
            Ok(Operation::Callbacks(part)) => part.status(),
            Ok(Operation::Recording(_)) if faults.transcoding => 202,
            _ => 200,
        };
        let door = Arc::clone(&self);
        let work = move || door.service.answer(door.region, &question?);
        let answer =
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Problem::internal("the sandbox failed")));
        match answer {
            Ok(answer) => respond(status, &answer, &context, &faults),
            answer => finish(answer, &context, &faults),
        }
    }

    /// A file of a recording: whoever has its link gets it.
    fn file(&self, head: &http::request::Parts, context: &str, faults: &Disobedience) -> io::Result<Response<Reply>> {
        let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        if faults.moved_files {
            let moved =
                Response::builder().status(StatusCode::FOUND).header(header::LOCATION, format!("{target}&again"));
            return moved.body(Reply::new(&Bytes::new(), faults)).map_err(io::Error::other);
        }
        let region = self.service.stores.get(self.region).map(|store| store.region.as_str()).unwrap_or_default();
        match recordings::file(region, &target) {
            Some(file) => {
                let answer = Response::builder().header(header::CONTENT_TYPE, "audio/wav");
                answer.body(Reply::new(&Bytes::from(file), faults)).map_err(io::Error::other)
            }
            None => finish(Err(Problem::not_found()), context, faults),
        }
    }

    fn record(&self, head: &http::request::Parts, body: &Bytes) {
        if !self.recording.load(Ordering::Relaxed) {
            return;
        }
        let header = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let received = Received {
            method: head.method.to_string(),
            target: head.uri.to_string(),
            headers: head.headers.iter().map(header).collect(),
            body: body.clone(),
        };
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    }
}

fn question(head: &http::request::Parts, body: &Bytes, client: String) -> Result<Question, Problem> {
    let (operation, id) = Operation::of(head.method.as_str(), head.uri.path()).ok_or_else(Problem::not_found)?;
    let body = if head.method == "POST" || head.method == "PATCH" {
        let text = std::str::from_utf8(body).map_err(|_| Problem::bad("the body is no UTF-8"))?;
        serde_json::from_str(text).map_err(|error| Problem::bad(format!("the body is no JSON: {error}")))?
    } else {
        Value::Null
    };
    let params = Params::read(head.uri.query().unwrap_or_default())?;
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    Ok(Question { operation, id: id.to_owned(), params, body, client, address: format!("http://{host}") })
}

async fn read_all(mut body: Incoming) -> Result<Bytes, Problem> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad("the body broke off"))?;
        if let Some(data) = frame.data_ref() {
            if all.len() + data.len() > LARGEST_BODY {
                return Err(Problem::bad("the body is too large"));
            }
            all.extend_from_slice(data);
        }
    }
    Ok(all.freeze())
}

fn finish(answer: Result<Value, Problem>, context: &str, faults: &Disobedience) -> io::Result<Response<Reply>> {
    match answer {
        Ok(answer) => respond(200, &answer, context, faults),
        Err(problem) => respond(problem.status, &problem.body(context), context, faults),
    }
}

fn respond(status: u16, body: &Value, context: &str, faults: &Disobedience) -> io::Result<Response<Reply>> {
    let mut status = StatusCode::from_u16(status).map_err(io::Error::other)?;
    let (kind, text) = if faults.html {
        status = StatusCode::OK;
        ("text/html; charset=utf-8", "<!doctype html><title>Maintenance</title><p>We will be back soon.".to_owned())
    } else if faults.invalid_json {
        ("application/json", format!("{body}]}}"))
    } else {
        ("application/json", if status == StatusCode::NO_CONTENT { String::new() } else { body.to_string() })
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, kind)
        .header(header::CACHE_CONTROL, "no-cache, no-store, must-revalidate")
        .header("ININ-Correlation-Id", context)
        .header("inin-ratelimit-allowed", "300")
        .header("inin-ratelimit-count", "1")
        .header("inin-ratelimit-reset", "60");
    if let Some(seconds) = faults.too_many.filter(|_| status == StatusCode::TOO_MANY_REQUESTS) {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(Reply::new(&Bytes::from(text), faults)).map_err(io::Error::other)
}
