//! Listeners and connections: accepts, reads each request head strictly, hands requests to a [`Handler`], drains.
//!
//! It knows HTTP/1 and nothing else: not who asks, not what may be asked, and no code of a refusal.
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
mod gate;
mod head;
mod panics;
#[cfg(test)]
mod tests;
mod turn;

pub use head::Fault;
pub use panics::{Panicked, catch};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use std::{error::Error, future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What answers requests. One for the data path, one for the administrators' side.
pub trait Handler: Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    fn handle(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Answers what could not be read as a request; the connection ends with this answer.
    fn unreadable(&self, fault: Fault, peer: Peer) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub address: SocketAddr,
}

/// Limits of one listener. Every one of them is finite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Connections served at once; further ones wait in the backlog.
    pub connections: usize,
    pub requests_per_connection: u64,
    pub target_bytes: usize,
    pub head_bytes: usize,
    pub headers: usize,
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
            connections: 4096,
            requests_per_connection: 10_000,
            target_bytes: 8 * 1024,
            head_bytes: 32 * 1024,
            headers: 100,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_mins(1),
            write_time: Duration::from_secs(30),
            answer_time: Duration::from_mins(5),
            drain_time: Duration::from_secs(20),
        }
    }
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
        let served =
            connection::serve(stream, Arc::clone(&handler), Peer { address }, Arc::clone(&settings), shutdown.clone());
        let cut = cut.clone();
        open.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = served => {}
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
