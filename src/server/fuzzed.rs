//! The head gate without a socket, for whoever looks for bytes that it lets through wrongly.

use super::{Fault, Settings, gate::Gate};
use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the gate lets through of a connection that is closed after its last byte.
#[derive(Debug)]
pub struct Passed {
    pub bytes: Vec<u8>,
    /// Why nothing more passed.
    pub fault: Option<Fault>,
    /// The last body is no body.
    pub broken: bool,
}

/// `step`: at most so many bytes come at once.
#[expect(clippy::missing_panics_doc, reason = "it panics where a fault is not announced")]
pub fn gate(bytes: &[u8], step: usize) -> Passed {
    let fault = Arc::new(OnceLock::new());
    let came = Came { rest: bytes, step };
    let mut gate = Gate::new(came, Arc::new(Settings::default()), fault.clone(), Arc::default());
    let mut context = Context::from_waker(Waker::noop());
    let (mut passed, mut broken) = (Vec::new(), false);
    loop {
        let mut space = [0_u8; 4096];
        let mut space = ReadBuf::new(&mut space);
        match Pin::new(&mut gate).poll_read(&mut context, &mut space) {
            Poll::Ready(Ok(())) if !space.filled().is_empty() => passed.extend_from_slice(space.filled()),
            Poll::Ready(Ok(())) | Poll::Pending => break,
            Poll::Ready(Err(_)) => {
                broken = true;
                break;
            }
        }
    }
    let fault = fault.get().copied();
    if fault.is_some() {
        let kept = passed.strip_suffix(super::gate::ANNOUNCEMENT).map(<[u8]>::to_vec);
        assert!(kept.is_some(), "a fault is announced last");
        passed = kept.unwrap_or_default();
    }
    Passed { bytes: passed, fault, broken }
}

struct Came<'a> {
    rest: &'a [u8],
    step: usize,
}

impl AsyncRead for Came<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let came = self.get_mut();
        let many = came.rest.len().min(came.step).min(space.remaining());
        let (now, later) = came.rest.split_at_checked(many).unwrap_or((came.rest, &[]));
        space.put_slice(now);
        came.rest = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Came<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
