//! An answer on its way. Nobody here reads it: its bytes go to the guard, as they come or whole.

use super::{
    Slot,
    region::{broken, too_large, too_late},
};
use crate::{
    egress::{ReadFailed, read_capped},
    model::refusal::Refusal,
    policy::guard::{Raw, Unguarded},
};
use http_body::Body as _;
use hyper::body::Incoming;
use std::{
    future::{Future as _, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};
use tokio::time::{Instant, Sleep, timeout_at};

#[derive(Debug)]
pub struct Arriving {
    status: u16,
    body: Option<Incoming>,
    /// When the whole exchange has to be over.
    end: Instant,
    alarm: Pin<Box<Sleep>>,
    /// Largest answer that is held whole.
    limit: usize,
    /// The place in the region's budget is given back only when the last byte was read.
    _slot: Option<Slot>,
}

impl Arriving {
    pub(super) fn new(status: u16, body: Incoming, end: Instant, limit: usize, slot: Slot) -> Self {
        let alarm = Box::pin(tokio::time::sleep_until(end));
        Self { status, body: Some(body), end, alarm, limit, _slot: Some(slot) }
    }

    /// An answer of no bytes.
    pub fn bare(status: u16) -> Self {
        let end = Instant::now();
        Self { status, body: None, end, alarm: Box::pin(tokio::time::sleep_until(end)), limit: 0, _slot: None }
    }

    /// For the record and the metrics.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Largest answer, or piece of one, that may be held.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The next bytes; `None` when the last have come.
    pub async fn next(&mut self) -> Option<Result<Raw, Refusal>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Raw, Refusal>>> {
        while let Some(body) = &mut self.body {
            if self.alarm.as_mut().poll(context).is_ready() {
                self.body = None;
                return Poll::Ready(Some(Err(too_late("the whole exchange"))));
            }
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(Raw::new(data))));
                    }
                }
                Some(Err(why)) => {
                    self.body = None;
                    return Poll::Ready(Some(Err(broken(self.status, &why.to_string()))));
                }
                None => self.body = None,
            }
        }
        Poll::Ready(None)
    }

    /// Reads it to its end, up to the limit.
    pub async fn whole(self) -> Result<Unguarded, Refusal> {
        let Some(body) = self.body else { return Ok(Unguarded::new(self.status, Vec::new())) };
        let read = pin!(read_capped(body, self.limit));
        match timeout_at(self.end, read).await {
            Ok(Ok(body)) => Ok(Unguarded::new(self.status, body)),
            Ok(Err(ReadFailed::TooLarge { limit })) => Err(too_large(limit)),
            Ok(Err(ReadFailed::Broken(why))) => Err(broken(self.status, &why)),
            Err(_) => Err(too_late("the whole exchange")),
        }
    }
}
