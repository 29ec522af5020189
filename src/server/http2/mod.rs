//! A connection of HTTP/2: hyper reads the frames, each head is read once more by the rules for HTTP/1, and what a client may
//! hold open, give up or leave unread is bounded here.

mod head;
mod life;

use super::{Handler, Settings, connection::Served, stream::Paced};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, rt::Executor, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use life::{End, Going, Life};
use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tokio_util::task::TaskTracker;

/// What a client may send before somebody reads it: of one request, and of all of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// What is held of one answer that its client has not made room for.
const SEND_BUFFER: usize = 64 * 1024;
/// Heads larger than we take are read all the same up to this many times the limit, so that they get an answer.
const LARGER_HEADS: usize = 4;
/// What a field costs beside its bytes.
const FIELD: usize = 32;
/// How long a client may take to see that its connection is being closed.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) async fn serve<H, S>(stream: S, served: Served<H>)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Served { handler, peer, settings, shutdown, tasks } = served;
    let life = Life::new(&settings);
    let service = {
        let (life, settings, peer) = (Arc::clone(&life), Arc::clone(&settings), peer.clone());
        service_fn(move |request: Request<Incoming>| {
            let mut going = life.begin();
            let (handler, settings, peer) = (Arc::clone(&handler), Arc::clone(&settings), peer.clone());
            async move {
                let answer = match head::read(request, &settings) {
                    Ok(request) => handler.handle(request, peer).await,
                    Err(fault) => handler.unreadable(fault, peer).await,
                };
                going.answers();
                let (mut head, body) = answer.into_parts();
                // a word of HTTP/1, where an unread body ends the connection; here it ends its stream
                head.headers.remove(header::CONNECTION);
                Ok::<_, Infallible>(Response::from_parts(head, Answer { body, going }))
            }
        })
    };
    let most = settings.head_bytes.saturating_mul(LARGER_HEADS).saturating_add(settings.headers.saturating_mul(FIELD));
    let mut builder = http2::Builder::new(Tracked(tasks));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.streams)
        .max_header_list_size(u32::try_from(most).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    let stream = Paced::new(stream, settings.write_time).metered();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let said = tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, address = %peer.address, "a connection ended early");
            }
            return;
        }
        why = over(&life, &settings) => Goodbye::from(why),
        () = shutdown.cancelled() => Goodbye { why: "the program stops", time: None },
    };
    tracing::debug!(address = %peer.address, why = said.why, "a connection is being closed");
    connection.as_mut().graceful_shutdown();
    // what is under way ends first, unless it is what the connection ends for
    let ended = async {
        tokio::select! {
            _ended = connection.as_mut() => {}
            _over = long_enough(&life, &settings, GOODBYE) => {}
            () = life.restless.cancelled() => {}
        }
    };
    match said.time {
        Some(time) => drop(tokio::time::timeout(time, ended).await),
        None => ended.await,
    }
}

/// Why no further request is taken, and how long those under way may still take.
struct Goodbye {
    why: &'static str,
    time: Option<Duration>,
}

enum Over {
    Idle,
    Unread,
    Restless,
    Full,
}

impl From<Over> for Goodbye {
    fn from(over: Over) -> Self {
        match over {
            Over::Idle => Self { why: "nothing was asked for long", time: Some(GOODBYE) },
            Over::Unread => Self { why: "an answer was not read in time", time: Some(Duration::ZERO) },
            Over::Restless => Self { why: "too many requests were given up", time: Some(Duration::ZERO) },
            Over::Full => Self { why: "it had all the requests that it may have", time: None },
        }
    }
}

async fn over(life: &Life, settings: &Settings) -> Over {
    tokio::select! {
        over = long_enough(life, settings, settings.idle_time) => over,
        () = life.restless.cancelled() => Over::Restless,
        () = life.full.cancelled() => Over::Full,
    }
}

/// Ends when nothing was asked for so long, or an answer was not read in its time.
async fn long_enough(life: &Life, settings: &Settings, idle: Duration) -> Over {
    // What begins while nobody looks ends later by this at most.
    let pause = (settings.write_time / 4).max(Duration::from_millis(10));
    loop {
        let now = Instant::now();
        let soon = now + pause;
        let due = match life.end(settings) {
            End::Idle(since) if since + idle <= now => return Over::Idle,
            End::Unread(until) if until <= now => return Over::Unread,
            End::Idle(since) => soon.min(since + idle),
            End::Unread(until) => soon.min(until),
            End::None => soon,
        };
        tokio::time::sleep_until(due).await;
    }
}

/// Streams are tasks of their own; the server waits for them as for their connection.
#[derive(Debug, Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

/// An answer's body that tells how its client takes it.
struct Answer<B> {
    body: B,
    going: Going,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        if next.is_pending() {
            self.going.waits();
        } else {
            self.going.takes();
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
