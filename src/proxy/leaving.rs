//! The answer on its way to the asker. The exchange ends with the last byte of it, or where it stops.

use super::{exchange::Exchange, flow::Flow};
use crate::audit::Verdict;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The answer's bytes, and the exchange that ends with them.
#[derive(Debug)]
pub struct Body {
    rest: Bytes,
    /// What follows `rest`, judged as it comes.
    flow: Option<Box<Flow>>,
    exchange: Exchange,
}

/// The answer ends before its end: whoever reads it must not take the part for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut; the record of the decision says why")]
pub struct Cut;

/// Frames are small, so that an asker who leaves half-way is noticed half-way.
const FRAME: usize = 64 * 1024;

impl Body {
    pub(super) fn new(rest: Bytes, flow: Option<Box<Flow>>, exchange: Exchange) -> Self {
        Self { rest, flow, exchange }
    }

    /// Counts the whole answer as delivered, where it was kept instead of sent.
    pub(super) fn kept(&mut self) {
        let many = std::mem::take(&mut self.rest).len() as u64;
        self.exchange.note(|outcome| outcome.bytes_out = outcome.bytes_out.saturating_add(many));
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        while self.rest.is_empty() {
            let Some(flow) = &mut self.flow else { return Poll::Ready(None) };
            let next = ready!(flow.poll_next(context));
            let (received, rows) = (flow.received(), flow.rows());
            self.exchange.received(usize::try_from(received).unwrap_or(usize::MAX));
            self.exchange.rows(rows);
            match next {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(refusal)) => {
                    self.flow = None;
                    self.exchange.tell_rows();
                    self.exchange.broke_off(&refusal);
                    return Poll::Ready(Some(Err(Cut)));
                }
                None => {
                    self.flow = None;
                    self.exchange.tell_rows();
                }
            }
        }
        let many = self.rest.len().min(FRAME);
        let data = self.rest.split_to(many);
        self.exchange.note(|outcome| outcome.bytes_out = outcome.bytes_out.saturating_add(many as u64));
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.flow.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.rest.len() as u64;
        if self.flow.is_none() {
            return SizeHint::with_exact(held);
        }
        let mut hint = SizeHint::new();
        hint.set_lower(held);
        hint
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            if self.flow.is_some() {
                self.exchange.tell_rows();
            }
            self.exchange.note(|outcome| {
                if matches!(outcome.verdict, Verdict::Forwarded | Verdict::Local) {
                    outcome.verdict = Verdict::Cut;
                }
            });
        }
    }
}
