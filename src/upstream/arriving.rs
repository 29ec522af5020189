//! An answer on its way. Nobody here reads it: its bytes go to the guard, as they come or whole.

use super::{
    Slot,
    region::{broken, too_large, too_late},
};
use crate::{
    model::refusal::Refusal,
    policy::guard::{Raw, Unguarded},
};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http_body::Body as _;
use hyper::body::Incoming;
use std::{
    future::{Future as _, poll_fn},
    io::Write as _,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::time::{Instant, Sleep};

/// How much packed text is unpacked at once: it may become a thousand times as much.
const PACKED: usize = 1024;

#[derive(Debug)]
pub struct Arriving {
    status: u16,
    body: Option<Incoming>,
    packed: Option<Packed>,
    /// When the whole exchange has to be over.
    alarm: Pin<Box<Sleep>>,
    /// Largest answer, or piece of one, that may be held.
    limit: usize,
    /// The place in the region's budget is given back only when the last byte was read.
    _slot: Option<Slot>,
}

/// What is left of gzip.
#[derive(Debug)]
pub(super) struct Packed {
    unread: Bytes,
    unpacked: MultiGzDecoder<Vec<u8>>,
}

impl Arriving {
    pub(super) fn new(
        status: u16,
        body: Incoming,
        packed: Option<Packed>,
        end: Instant,
        limit: usize,
        slot: Slot,
    ) -> Self {
        let alarm = Box::pin(tokio::time::sleep_until(end));
        Self { status, body: Some(body), packed, alarm, limit, _slot: Some(slot) }
    }

    /// An answer of no bytes.
    pub fn bare(status: u16) -> Self {
        let alarm = Box::pin(tokio::time::sleep_until(Instant::now()));
        Self { status, body: None, packed: None, alarm, limit: 0, _slot: None }
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
        self.poll_bytes(context).map_ok(Raw::new)
    }

    /// Reads it to its end, up to the limit.
    pub async fn whole(mut self) -> Result<Unguarded, Refusal> {
        let announced = self.body.as_ref().map_or(0, |body| body.size_hint().lower());
        if announced > u64::try_from(self.limit).unwrap_or(u64::MAX) {
            return Err(too_large(self.limit));
        }
        let mut read = Vec::new();
        while let Some(bytes) = poll_fn(|context| self.poll_bytes(context)).await {
            let bytes = bytes?;
            if bytes.len() > self.limit.saturating_sub(read.len()) {
                return Err(too_large(self.limit));
            }
            read.extend_from_slice(&bytes);
        }
        Ok(Unguarded::new(self.status, read))
    }

    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Refusal>>> {
        let ended = loop {
            match self.packed.as_mut().map(Packed::next) {
                Some(Ok(Some(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Some(Err(why)) => break Err(broken(self.status, &why)),
                Some(Ok(None)) | None => {}
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            if self.alarm.as_mut().poll(context).is_ready() {
                break Err(too_late("the whole exchange"));
            }
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => match (frame.into_data(), &mut self.packed) {
                    (Ok(data), Some(packed)) => packed.unread = data,
                    (Ok(data), None) => return Poll::Ready(Some(Ok(data))),
                    (Err(_), _) => {}
                },
                Some(Err(why)) => break Err(broken(self.status, &why.to_string())),
                None => {
                    break self
                        .packed
                        .take()
                        .map_or(Ok(Bytes::new()), |packed| packed.end().map_err(|why| broken(self.status, &why)));
                }
            }
        };
        self.body = None;
        self.packed = None;
        match ended {
            Ok(rest) if rest.is_empty() => Poll::Ready(None),
            ended => Poll::Ready(Some(ended)),
        }
    }
}

impl Default for Packed {
    fn default() -> Self {
        Self { unread: Bytes::new(), unpacked: MultiGzDecoder::new(Vec::new()) }
    }
}

impl Packed {
    /// Unpacks a little more; `None` when there is nothing to unpack.
    fn next(&mut self) -> Result<Option<Bytes>, String> {
        while !self.unread.is_empty() {
            let some = self.unread.split_to(self.unread.len().min(PACKED));
            self.unpacked.write_all(&some).map_err(|why| format!("not gzip: {why}"))?;
            let text = std::mem::take(self.unpacked.get_mut());
            if !text.is_empty() {
                return Ok(Some(text.into()));
            }
        }
        Ok(None)
    }

    /// The last of it, if it came to its end.
    fn end(self) -> Result<Bytes, String> {
        self.unpacked.finish().map(Bytes::from).map_err(|why| format!("gzip ends too early: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn pack(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    fn unpack(packed: &[u8]) -> Result<(Vec<u8>, usize), String> {
        let (mut all, mut largest) = (Vec::new(), 0);
        let mut reader = Packed { unread: Bytes::copy_from_slice(packed), ..Packed::default() };
        while let Some(some) = reader.next()? {
            largest = largest.max(some.len());
            all.extend_from_slice(&some);
        }
        all.extend_from_slice(&reader.end()?);
        Ok((all, largest))
    }

    #[test]
    fn what_unpacks_to_much_is_unpacked_little_by_little() {
        let text = vec![b'x'; 64 << 20];
        let (all, largest) = unpack(&pack(&text)).unwrap();
        assert_eq!(all.len(), text.len());
        assert!(largest < 4 << 20, "{largest} bytes at once");
    }

    #[test]
    fn what_is_cut_or_changed_is_no_answer() {
        let packed = pack(br#"{"results":[{"group":{"queueId":"q"}}]}"#);
        assert!(unpack(&packed).is_ok());
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "{end} of {} bytes", packed.len());
        }
        assert!(unpack(&[&packed[..], b"trailing"].concat()).is_err());
        assert!(unpack(b"{}").is_err());
    }
}
