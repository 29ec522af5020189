//! The capped, timed and strict reading of a client's body.

use super::Settings;
use crate::{
    egress::{ReadFailed, read_capped},
    model::refusal::{Code, Refusal},
    query::json::{self, Limits, Value},
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// So long a body may take to get going; after that it has to keep its rate.
const GETTING_GOING: Duration = Duration::from_secs(5);

/// The whole body, or a refusal. Nothing is forwarded while a byte of it is missing.
pub(super) async fn read(body: Incoming, limit: usize, settings: &Settings) -> Result<Vec<u8>, Refusal> {
    let paced = Paced::new(body, settings.body_rate);
    match tokio::time::timeout(settings.body_time, read_capped(paced, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadFailed::TooLarge { limit })) => {
            let message = format!("the body is larger than {limit} bytes; ask for less at once");
            Err(Refusal::new(Code::RequestTooLarge, message).with("limit", limit.to_string()))
        }
        Ok(Err(ReadFailed::Broken(why))) if why == TOO_SLOW => {
            let rate = settings.body_rate;
            let message = format!("the body arrives at less than {rate} bytes a second; send it faster");
            Err(Refusal::new(Code::RequestTimeout, message))
        }
        Ok(Err(ReadFailed::Broken(why))) => {
            Err(Refusal::new(Code::RequestMalformed, "the body did not arrive whole or is badly framed").because(why))
        }
        Err(_) => Err(Refusal::new(
            Code::RequestTimeout,
            format!("the body did not arrive within {} s; send it faster", settings.body_time.as_secs()),
        )),
    }
}

/// One strict JSON object.
pub(super) fn parse(bytes: &[u8], settings: &Settings) -> Result<Value, Refusal> {
    json::parse_object(bytes, &limits(settings))
        .map_err(|error| Refusal::new(Code::QueryMalformed, format!("the body is not accepted: {error}")))
}

/// What a body may hold, posted or in a link.
pub(super) fn limits(settings: &Settings) -> Limits {
    Limits { bytes: settings.body_bytes, depth: settings.json_depth, ..Limits::default() }
}

const TOO_SLOW: &str = "too slow";

#[derive(Debug, thiserror::Error)]
enum Ill<E> {
    #[error("{}", TOO_SLOW)]
    TooSlow,
    #[error("trailers are not accepted")]
    Trailers,
    #[error("{0}")]
    Broken(E),
}

/// A body of data alone that keeps its rate. What follows the data as trailers could be read as fields of the head.
struct Paced<B> {
    body: B,
    began: Instant,
    received: usize,
    /// Bytes a second.
    rate: usize,
    alarm: Pin<Box<Sleep>>,
}

impl<B> Paced<B> {
    fn new(body: B, rate: usize) -> Self {
        let began = Instant::now();
        let alarm = Box::pin(sleep_until(began + GETTING_GOING));
        Self { body, began, received: 0, rate: rate.max(1), alarm }
    }

    /// When the next bytes have to be there.
    fn due(&self) -> Instant {
        let millis = self.received.saturating_mul(1000) / self.rate;
        self.began + GETTING_GOING + Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Paced<B> {
    type Data = Bytes;
    type Error = Ill<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.alarm.as_mut().poll(context));
            return Poll::Ready(Some(Err(Ill::TooSlow)));
        };
        Poll::Ready(match next {
            None => None,
            Some(Err(why)) => Some(Err(Ill::Broken(why))),
            Some(Ok(frame)) => match frame.data_ref() {
                None => Some(Err(Ill::Trailers)),
                Some(data) => {
                    self.received = self.received.saturating_add(data.len());
                    let due = self.due();
                    self.alarm.as_mut().reset(due);
                    Some(Ok(frame))
                }
            },
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full};

    #[tokio::test]
    async fn a_body_is_data_alone() {
        let fields = http::HeaderMap::from_iter([(http::header::HOST, http::HeaderValue::from_static("h"))]);
        for trailers in [http::HeaderMap::new(), fields] {
            let body = Full::new(Bytes::from_static(b"{}")).with_trailers(async move { Some(Ok(trailers)) });
            let why = read_capped(Paced::new(Box::pin(body), 1), 10).await.unwrap_err();
            assert_eq!(why.to_string(), "broke off: trailers are not accepted");
        }
        let body = Full::new(Bytes::from_static(b"{}"));
        assert_eq!(read_capped(Paced::new(body, 1), 10).await.unwrap(), b"{}");
    }

    #[tokio::test]
    async fn a_body_that_drips_is_cut() {
        let mut paced = Paced::new(Never, 10);
        assert_eq!(paced.due(), paced.began + GETTING_GOING);
        paced.received = 25;
        assert_eq!(paced.due(), paced.began + GETTING_GOING + Duration::from_millis(2500));
        // the time is over
        paced.alarm.as_mut().reset(Instant::now());
        let why = read_capped(paced, 10).await.unwrap_err();
        assert_eq!(why.to_string(), format!("broke off: {TOO_SLOW}"));
    }

    /// A body of which nothing comes.
    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
}
