//! One connection: set up, and then served in the protocol that its client has chosen. For HTTP/1 the gate stands in front,
//! hyper behind it, the handler at the end.

use super::{
    Handler, Http2, Peer, Settings,
    gate::Gate,
    http2,
    stream::{Paced, Stream, begins_with_http2},
    turn::Turn,
};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    pin::pin,
    sync::{Arc, OnceLock},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Who serves a connection, and within which limits.
pub(super) struct Served<H> {
    pub(super) handler: Arc<H>,
    pub(super) peer: Peer,
    pub(super) settings: Arc<Settings>,
    pub(super) shutdown: CancellationToken,
    /// Where what is under way is counted.
    pub(super) tasks: TaskTracker,
}

pub(super) async fn serve<H: Handler>(stream: TcpStream, mut served: Served<H>) {
    let set_up = tokio::select! {
        set_up = Box::pin(set_up(stream, &mut served.peer, &served.settings)) => set_up,
        // nothing was asked, so nothing is owed
        () = served.shutdown.cancelled() => return,
    };
    match set_up {
        Ok((stream, true)) => Box::pin(http2::serve(stream, served)).await,
        Ok((stream, false)) => Box::pin(http1(stream, served)).await,
        Err(error) => {
            tracing::debug!(%error, address = %served.peer.address, "a connection ended before it began");
        }
    }
}

/// Gives what to read and write, and whether it speaks HTTP/2.
async fn set_up(stream: TcpStream, peer: &mut Peer, settings: &Settings) -> io::Result<(Stream, bool)> {
    stream.set_nodelay(true)?;
    if let Some(tls) = &settings.tls {
        let (stream, http2, certificate) = timeout(settings.handshake_time, tls.accept(stream)).await??;
        peer.certificate = certificate;
        return Ok((stream, http2));
    }
    if settings.http2 != Http2::PriorKnowledge {
        return Ok((Box::new(stream), false));
    }
    let (http2, stream) = timeout(settings.idle_time, begins_with_http2(stream)).await??;
    Ok((Box::new(stream), http2))
}

async fn http1<H: Handler>(stream: Stream, served: Served<H>) {
    let Served { handler, peer, settings, shutdown, .. } = served;
    let fault = Arc::new(OnceLock::new());
    let stream = Paced::new(stream, settings.write_time);
    let turn = Arc::new(Turn::default());
    let gate = Gate::new(stream, Arc::clone(&settings), Arc::clone(&fault), Arc::clone(&turn));
    let client = peer.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, fault, peer) = (Arc::clone(&handler), Arc::clone(&fault), client.clone());
        let turn = Arc::clone(&turn);
        async move {
            turn.comes().await;
            // INVARIANT: the gate lets no client's `*` target through; it is how it announces a fault.
            let answer = match fault.get() {
                Some(fault) if request.uri().path() == "*" => handler.unreadable(*fault, peer).await,
                _ => handler.handle(request, peer).await,
            };
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The gate times heads; what is left for hyper is the time between two requests.
        .header_read_timeout(settings.idle_time)
        .max_headers(settings.headers.saturating_add(8))
        .serve_connection(TokioIo::new(gate), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer.address, "a connection ended early");
    }
}
