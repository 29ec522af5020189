//! Counts the frames of an HTTP/2 connection by their heads alone: a client that sends little else than frames that ask for
//! nothing is cut, whatever each of them costs.

/// Frames that ask for nothing, before the first request.
const FREE: u64 = 1000;
/// And for each request.
const EACH: u64 = 20;
/// A client may say that it has taken something once for so many bytes that were written.
const TAKEN: u64 = 64;

const PREFACE: usize = 24;
const HEAD: usize = 9;

#[derive(Debug)]
pub(super) struct Meter {
    /// Bytes that are no head: the rest of the preface or of a frame.
    skip: usize,
    head: [u8; HEAD],
    have: usize,
    requests: u64,
    idle: u64,
    taken: u64,
    wrote: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { skip: PREFACE, head: [0; HEAD], have: 0, requests: 0, idle: 0, taken: 0, wrote: 0 }
    }
}

impl Meter {
    /// Bytes that came. `false`: too many of the frames so far asked for nothing.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.skip > 0 {
                let many = self.skip.min(bytes.len());
                self.skip = self.skip.saturating_sub(many);
                bytes = bytes.get(many..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.have) {
                *place = *byte;
            }
            self.have = self.have.saturating_add(1);
            if self.have == HEAD {
                self.have = 0;
                self.frame();
            }
        }
        let fair = FREE.saturating_add(self.requests.saturating_mul(EACH));
        self.idle <= fair && self.taken <= fair.saturating_add(self.wrote / TAKEN)
    }

    fn frame(&mut self) {
        let [high, middle, low, kind, ..] = self.head;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.skip = length;
        let counted = match kind {
            // DATA with something in it
            0 if length > 0 => return,
            // HEADERS
            1 => &mut self.requests,
            // WINDOW_UPDATE
            8 => &mut self.taken,
            _ => &mut self.idle,
        };
        *counted = counted.saturating_add(1);
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.wrote = self.wrote.saturating_add(bytes as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 1], payload].concat()
    }

    fn begun() -> Meter {
        let mut meter = Meter::default();
        assert!(meter.read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        meter
    }

    #[test]
    fn frames_that_ask_for_nothing_have_an_end() {
        for kind in [0, 2, 3, 4, 6, 8, 9, 200] {
            let mut meter = begun();
            let frames = frame(kind, if kind == 0 { b"" } else { b"12345678" });
            let many = (0..2 * FREE).take_while(|_| meter.read(&frames)).count();
            assert_eq!(many as u64, FREE, "{kind}");
        }
    }

    #[test]
    fn each_request_and_what_is_written_let_more_pass() {
        let mut meter = begun();
        // cut anywhere
        let asked: Vec<u8> =
            (0..100).flat_map(|_| [frame(1, b"head"), frame(0, b"body"), frame(6, b"pingpong")].concat()).collect();
        assert!(asked.chunks(7).all(|part| meter.read(part)));
        assert_eq!((meter.requests, meter.idle), (100, 100));
        meter.wrote(10_000 * 64);
        assert!((0..10_000).all(|_| meter.read(&frame(8, b"size"))));
    }
}
