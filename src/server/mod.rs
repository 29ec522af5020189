//! Listeners and connections: accepts, decrypts, reads each request head strictly, hands requests to a [`Handler`], drains.
//!
//! It knows TLS, HTTP/1 and HTTP/2 and nothing else: not who asks, not what may be asked, and no code of a refusal.
//!
//! ```no_run
//! # use bailiwick::server::{Handler, Settings, serve};
//! # use std::sync::Arc;
//! # use tokio_util::sync::CancellationToken;
//! # async fn run<H: Handler>(handler: Arc<H>) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8600").await?;
//! let shutdown = CancellationToken::new();
//! serve(listener, handler, Settings::default(), shutdown).await;
//! # Ok(()) }
//! ```

mod chunks;
mod connection;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod gate;
mod head;
mod http2;
mod meter;
mod panics;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod turn;

pub use head::Fault;
pub use panics::{Panicked, catch};
pub use tls::{Certificate, Clients, Files, Tls, TlsError};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use std::{error::Error, future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What answers requests. One for the data path, one for the administrators' side.
pub trait Handler: Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static;

    fn handle(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Answers what could not be read as a request; the connection ends with this answer.
    fn unreadable(&self, fault: Fault, peer: Peer) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub address: SocketAddr,
    /// Where the client has proved one.
    pub certificate: Option<Arc<Certificate>>,
}

/// Which connections may speak HTTP/2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Http2 {
    Off,
    /// Those that choose it while TLS is set up.
    #[default]
    Negotiated,
    /// And those in the clear that begin with it.
    PriorKnowledge,
}

/// What one listener does, and its limits. Every one of them is finite.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Without it everything is in the clear.
    pub tls: Option<Arc<Tls>>,
    pub http2: Http2,
    /// Hosts that requests may be for, without or with their port. Empty: any.
    pub hosts: Vec<String>,
    /// Connections served at once, those that are being set up included; further ones wait in the backlog.
    pub connections: usize,
    pub requests_per_connection: u64,
    /// Requests under way at once on one connection of HTTP/2.
    pub streams: u32,
    pub target_bytes: usize,
    pub head_bytes: usize,
    pub headers: usize,
    /// From the acceptance of a connection until TLS is set up.
    pub handshake_time: Duration,
    /// From the first byte of a head to its last.
    pub head_time: Duration,
    /// Between two requests of one connection.
    pub idle_time: Duration,
    /// How long a client may leave an answer unread before the connection is cut.
    pub write_time: Duration,
    /// How long a client may take to read one answer, however steadily he does: from its first byte to its last.
    pub answer_time: Duration,
    /// How long requests under way may take once shutdown has begun.
    pub drain_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tls: None,
            http2: Http2::default(),
            hosts: Vec::new(),
            connections: 4096,
            requests_per_connection: 10_000,
            streams: 100,
            target_bytes: 8 * 1024,
            head_bytes: 32 * 1024,
            headers: 100,
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_mins(1),
            write_time: Duration::from_secs(30),
            answer_time: Duration::from_mins(5),
            drain_time: Duration::from_secs(20),
        }
    }
}

/// Whether this is a host, with or without a port, as requests name one.
pub fn is_host(text: &str) -> bool {
    head::host(text).is_ok()
}

/// Serves until `shutdown` is cancelled and what was under way has ended or run out of time.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    settings: Settings,
    shutdown: CancellationToken,
) {
    let settings = Arc::new(settings);
    let places = Arc::new(Semaphore::new(settings.connections));
    let open = TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        // A place is taken before the connection, so that those too many wait in the backlog and cost nothing.
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, address, place)) = accepted else { continue };
        let served = connection::Served {
            handler: Arc::clone(&handler),
            peer: Peer { address, certificate: None },
            settings: Arc::clone(&settings),
            shutdown: shutdown.clone(),
            tasks: open.clone(),
        };
        let cut = cut.clone();
        open.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = connection::serve(stream, served) => {}
            }
            drop(place);
        });
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(settings.drain_time, open.wait()).await.is_err() {
        tracing::warn!(connections = open.len(), "cutting connections that did not end in time");
        cut.cancel();
        open.wait().await;
    }
}

type Accepted = (tokio::net::TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            // Out of descriptors: trying again at once would only burn the processor.
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}
