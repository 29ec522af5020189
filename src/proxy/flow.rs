//! An answer that is judged while it arrives and passed on while it is judged.
//!
//! Until the commit point, every doubt is a refusal. After it, the asker has read a part: the stream is aborted, so that
//! no client takes the part for the whole.

use super::{Proxy, admission::Place, exchange::Exchange, read_on::Asked};
use crate::{
    model::refusal::{Code, Refusal},
    policy::guard::{Gathered, GuardPlan, Guarded, Rows, Sieve},
    upstream::Arriving,
};
use bytes::Bytes;
use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::time::{Instant, Sleep};

/// Judged bytes that are held before any is passed on. An answer that fits is judged to its end first.
const COMMIT: usize = 64 * 1024;

/// What follows the part that is held.
#[derive(Debug)]
pub struct Flow {
    arriving: Arriving,
    sieve: Sieve,
    /// The last byte of the upstream was read.
    ended: bool,
    /// The whole exchange has to be over then.
    end: Pin<Box<Sleep>>,
    received: u64,
    _place: Place,
}

impl Proxy {
    /// The part of the answer that is judged before any of it is passed on; and what follows, when that is not all.
    pub(super) async fn guard(
        &self,
        asked: Asked<'_>,
        plan: GuardPlan,
        mut arriving: Arriving,
        place: Place,
        exchange: &mut Exchange,
    ) -> Result<(Guarded, Option<Box<Flow>>), Refusal> {
        exchange.enter(if plan.is_of_change() { super::CHANGE } else { "guard" });
        exchange.answered(arriving.status());
        let mut sieve = match plan.sieve(arriving.status(), arriving.limit())? {
            Ok(sieve) => sieve,
            Err(plan) => {
                let answer = arriving.whole().await.map_err(|refusal| plan.unsure_of(refusal))?;
                exchange.received(answer.len());
                let read = plan.read(Gathered::default(), answer)?;
                return Ok((self.read_on(asked, read, exchange).await?, None));
            }
        };
        while sieve.held() < COMMIT {
            let Some(raw) = arriving.next().await else {
                sieve.end()?;
                return Ok((sieve.guarded(), None));
            };
            let raw = raw?;
            exchange.received(raw.len());
            sieve.push(&raw)?;
        }
        let end = Box::pin(tokio::time::sleep_until(exchange.began() + self.settings.total_time));
        let guarded = sieve.guarded();
        Ok((guarded, Some(Box::new(Flow { arriving, sieve, ended: false, end, received: 0, _place: place }))))
    }
}

impl Flow {
    /// Judged bytes, as many as are there; `None` after the last.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Refusal>>> {
        while !self.ended {
            if self.end.as_mut().poll(context).is_ready() {
                return Poll::Ready(Some(Err(too_slow(self.end.deadline()))));
            }
            let judged = match ready!(self.arriving.poll_next(context)) {
                Some(Ok(raw)) => {
                    self.received = self.received.saturating_add(raw.len() as u64);
                    self.sieve.push(&raw)
                }
                Some(Err(refusal)) => Err(refusal),
                None => {
                    self.ended = true;
                    self.sieve.end()
                }
            };
            if let Err(refusal) = judged {
                return Poll::Ready(Some(Err(refusal)));
            }
            if self.sieve.held() > 0 {
                return Poll::Ready(Some(Ok(self.sieve.take().into())));
            }
        }
        Poll::Ready(None)
    }

    /// Of the whole answer so far.
    pub(super) fn rows(&self) -> Rows {
        self.sieve.rows()
    }

    /// Bytes of the upstream since the last time.
    pub(super) fn received(&mut self) -> u64 {
        std::mem::take(&mut self.received)
    }
}

fn too_slow(deadline: Instant) -> Refusal {
    let late = Instant::now().saturating_duration_since(deadline);
    Refusal::new(Code::ProxyTimeout, "the exchange took longer than this proxy allows; ask for less at once")
        .because(format!("`total-time` ended {late:?} ago while the answer was passed on"))
}
