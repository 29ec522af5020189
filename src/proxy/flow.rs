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
use std::task::{Context, Poll, ready};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// Judged bytes that are held before any is passed on. An answer that fits is judged to its end first.
const COMMIT: usize = 64 * 1024;

/// What follows the part that is held: read and judged by a task of its own, which ends when the exchange has to, however
/// slowly somebody reads. With it the upstream's place, connection and memory are given back.
#[derive(Debug)]
pub struct Flow {
    pieces: mpsc::Receiver<Piece>,
    rows: Rows,
    received: u64,
    ended: bool,
}

/// Judged bytes, and how much has come by then.
#[derive(Debug)]
struct Piece {
    judged: Result<Bytes, Refusal>,
    last: bool,
    rows: Rows,
    received: u64,
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
                return Ok((self.read_on(asked, *plan, read, exchange).await?, None));
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
        let guarded = sieve.guarded();
        let flow = Flow::begin(arriving, sieve, place, exchange.began() + self.settings.total_time);
        Ok((guarded, Some(Box::new(flow))))
    }
}

impl Flow {
    fn begin(arriving: Arriving, sieve: Sieve, place: Place, end: Instant) -> Self {
        Self::run(sieve.rows(), place, end, |pieces| judge_on(arriving, sieve, pieces))
    }

    /// `held` is given back when the judging ends, at `end` at the latest.
    fn run<J: Future<Output = ()> + Send + 'static>(
        rows: Rows,
        held: impl Send + 'static,
        end: Instant,
        judging: impl FnOnce(mpsc::Sender<Piece>) -> J,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(1);
        let late = sender.clone();
        let judging = judging(sender);
        tokio::spawn(async move {
            let _held = held;
            if timeout_at(end, judging).await.is_err() {
                // where nobody has read the last piece, its end tells
                let _told = late.try_send(Piece { judged: Err(too_slow()), last: true, rows, received: 0 });
            }
        });
        Self { pieces, rows, received: 0, ended: false }
    }

    /// Judged bytes, as many as are there; `None` after the last.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Refusal>>> {
        while !self.ended {
            let Some(piece) = ready!(self.pieces.poll_recv(context)) else {
                self.ended = true;
                return Poll::Ready(Some(Err(too_slow())));
            };
            self.ended = piece.last;
            // what came too late counts nothing
            if piece.rows.received >= self.rows.received {
                self.rows = piece.rows;
            }
            self.received = self.received.saturating_add(piece.received);
            match piece.judged {
                Ok(bytes) if bytes.is_empty() => {}
                judged => return Poll::Ready(Some(judged)),
            }
        }
        Poll::Ready(None)
    }

    /// Of the whole answer so far.
    pub(super) fn rows(&self) -> Rows {
        self.rows
    }

    /// Bytes of the upstream since the last time.
    pub(super) fn received(&mut self) -> u64 {
        std::mem::take(&mut self.received)
    }
}

/// Reads and judges to the end, or until nobody takes the pieces any more.
async fn judge_on(mut arriving: Arriving, mut sieve: Sieve, pieces: mpsc::Sender<Piece>) {
    let (mut received, mut last) = (0, false);
    while !last {
        let judged = match arriving.next().await {
            Some(Ok(raw)) => {
                received += raw.len() as u64;
                sieve.push(&raw)
            }
            Some(Err(refusal)) => Err(refusal),
            None => {
                last = true;
                sieve.end()
            }
        };
        last |= judged.is_err();
        let judged = judged.map(|()| Bytes::from(sieve.take()));
        if !last && judged.as_ref().is_ok_and(Bytes::is_empty) {
            continue;
        }
        let piece = Piece { judged, last, rows: sieve.rows(), received: std::mem::take(&mut received) };
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

fn too_slow() -> Refusal {
    Refusal::new(Code::ProxyTimeout, "the exchange took longer than this proxy allows; ask for less at once")
        .because("`total-time` ended while the answer was passed on")
}

#[cfg(test)]
mod tests {
    use super::{super::admission::Admission, *};
    use std::{future::poll_fn, sync::Arc, time::Duration};
    use tokio::sync::Semaphore;

    /// An upstream that never comes to its end, read by somebody who takes what he likes. Gives the upstream's places too.
    fn flow(admission: &Admission, end: Instant) -> (Flow, Arc<Semaphore>) {
        let slots = Arc::new(Semaphore::new(1));
        let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
        let rows = Rows::default();
        let flow = Flow::run(rows, admission.enter().unwrap(), end, |pieces| async move {
            let _slot = slot;
            let judged = || Piece { judged: Ok(Bytes::from_static(b"row")), last: false, rows, received: 3 };
            while pieces.send(judged()).await.is_ok() {}
        });
        (flow, slots)
    }

    #[tokio::test]
    async fn whoever_reads_slowly_holds_no_place_beyond_the_end_of_his_exchange() {
        let admission = Admission::new(1);
        let (mut flow, slots) = flow(&admission, Instant::now());
        // nobody reads: both places come back all the same
        drop(slots.acquire().await.unwrap());
        while admission.enter().is_err() {
            tokio::task::yield_now().await;
        }
        let mut heard = Vec::new();
        while let Some(piece) = poll_fn(|context| flow.poll_next(context)).await {
            heard.push(piece.map_err(|refusal| refusal.code));
        }
        // what was judged by then, and never an end that could be taken for that of the answer
        assert_eq!(heard.last(), Some(&Err(Code::ProxyTimeout)));
        assert!(heard.len() <= 2, "{heard:?}");
    }

    #[tokio::test]
    async fn until_the_end_of_his_exchange_both_places_are_his() {
        let admission = Admission::new(1);
        let (mut flow, slots) = flow(&admission, Instant::now() + Duration::from_hours(24));
        for _ in 0..100 {
            let piece = poll_fn(|context| flow.poll_next(context)).await;
            assert_eq!(piece.unwrap().unwrap(), "row");
            assert!(admission.enter().is_err() && slots.try_acquire().is_err());
        }
        // who leaves gives them back
        drop(flow);
        drop(slots.acquire().await.unwrap());
        while admission.enter().is_err() {
            tokio::task::yield_now().await;
        }
    }
}
