//! Bodies of answers: at once, in drips, or broken off.

use super::traits::Disobedience;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// A body in pieces.
#[derive(Debug)]
pub(super) struct Reply {
    pieces: VecDeque<Bytes>,
    pause: Option<Duration>,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Ends with an error after the last piece.
    broken: bool,
    left: u64,
}

impl Reply {
    pub(super) fn new(text: &Bytes, faults: &Disobedience) -> Self {
        let promised = text.len();
        let sent = if faults.truncated { promised / 2 } else { promised };
        let step = if faults.drip.is_some() { 512 } else { sent.max(1) };
        let mut rest = text.slice(..sent);
        let mut pieces = VecDeque::new();
        while !rest.is_empty() {
            pieces.push_back(rest.split_to(step.min(rest.len())));
        }
        let left = u64::try_from(promised).unwrap_or(u64::MAX);
        Self { pieces, pause: faults.drip, waiting: None, broken: faults.truncated, left }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(pause) = self.pause.filter(|_| !self.pieces.is_empty()) {
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(pause)));
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.waiting = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => {
                self.left = self.left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if self.broken => {
                // waits once, so that what stands before has left
                let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(20))));
                if waiting.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.broken = false;
                Poll::Ready(Some(Err(io::Error::other("broken off on purpose"))))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.broken
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
