//! The bytes of a connection, in the clear or decrypted, and the pace that a client has to keep.

use super::meter::Meter;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

pub(super) type Stream = Box<dyn Duplex>;

/// How the connections begin that speak HTTP/2 without having agreed on it. No method of HTTP/1 begins so.
const PRIOR_KNOWLEDGE: &[u8] = b"PRI";

/// Whether the client begins with HTTP/2; what was read for that is read again by whoever takes the stream.
pub(super) async fn begins_with_http2<S>(mut stream: S) -> io::Result<(bool, Begun<S>)>
where
    S: AsyncRead + Unpin,
{
    let mut begun = Vec::new();
    while begun.len() < PRIOR_KNOWLEDGE.len() && PRIOR_KNOWLEDGE.starts_with(&begun) {
        let mut one = [0_u8; 1];
        if stream.read(&mut one).await? == 0 {
            break;
        }
        begun.extend_from_slice(&one);
    }
    Ok((begun == PRIOR_KNOWLEDGE, Begun { begun, stream }))
}

/// A stream of which the beginning was read already.
pub(super) struct Begun<S> {
    begun: Vec<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.begun.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, space);
        }
        let many = self.begun.len().min(space.remaining());
        space.put_slice(self.begun.get(..many).unwrap_or_default());
        self.begun.drain(..many);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A stream whose client has to take what is written within a time, and may not say more than its meter lets it.
pub(super) struct Paced<S> {
    stream: S,
    time: Duration,
    limit: Option<Pin<Box<Sleep>>>,
    meter: Option<Meter>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, time: Duration) -> Self {
        Self { stream, time, limit: None, meter: None }
    }

    /// The same for a connection of HTTP/2.
    pub(super) fn metered(self) -> Self {
        Self { meter: Some(Meter::default()), ..self }
    }

    fn timed<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.limit = None;
            return written;
        }
        let time = self.time;
        ready!(self.limit.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }

    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        if let (Some(meter), Poll::Ready(Ok(many))) = (&mut self.meter, written) {
            meter.wrote(*many);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = space.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, space))?;
        let came = space.filled().get(before..).unwrap_or_default();
        if self.meter.as_mut().is_none_or(|meter| meter.read(came)) {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the client says much and asks little")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(&written);
        self.timed(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(&written);
        self.timed(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.timed(context, shut)
    }
}
