//! One connection: the gate in front, hyper behind it, the handler at the end.

use super::{Handler, Peer, Settings, gate::Gate, turn::Turn};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

pub(super) async fn serve<H: Handler>(
    stream: TcpStream,
    handler: Arc<H>,
    peer: Peer,
    settings: Arc<Settings>,
    shutdown: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let fault = Arc::new(OnceLock::new());
    let turn = Arc::new(Turn::default());
    let gate = Gate::new(stream, Arc::clone(&settings), Arc::clone(&fault), Arc::clone(&turn));
    let service = service_fn(move |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        let fault = Arc::clone(&fault);
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
