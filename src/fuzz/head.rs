//! The head gate: what it lets through, a second reader of HTTP takes from the stranger's own bytes in the same way.

use crate::server::fuzzed::{Passed, gate};
use std::str::from_utf8;

/// `bytes`: all that comes on a connection. However they are cut, the same is let through, and `httparse` reads it as it reads
/// them.
pub fn head(bytes: &[u8]) {
    let passed = gate(bytes, usize::MAX);
    let forwarded = compare(bytes, &passed.bytes);
    for step in [1, 7] {
        let Passed { bytes, fault, broken } = gate(bytes, step);
        assert_eq!((fault, broken), (passed.fault, passed.broken), "cut in pieces of {step}");
        let cut = requests(&bytes);
        assert_eq!(cut.len(), forwarded.len(), "cut in pieces of {step}");
        assert!(cut.iter().zip(&forwarded).all(|(one, other)| one.same_as(other)), "{cut:?} and {forwarded:?}");
    }
}

/// What was let through is what a second reader takes from what came.
pub(super) fn compare(came: &[u8], passed: &[u8]) -> Vec<Request> {
    let (forwarded, asked) = (requests(passed), requests(came));
    for (place, one) in forwarded.iter().enumerate() {
        let seen = asked.get(place);
        assert!(seen.is_some_and(|seen| one.same_as(seen)), "forwarded {one:?}, read by another as {seen:?}");
    }
    forwarded
}

#[derive(Debug)]
pub(super) struct Request {
    method: String,
    target: String,
    host: Vec<u8>,
    authorization: Option<Vec<u8>>,
    kind: Option<Vec<u8>>,
    body: Vec<u8>,
    /// Its body came to its end.
    whole: bool,
}

impl Request {
    fn same_as(&self, other: &Self) -> bool {
        let head = |one: &Self| {
            let Self { method, target, host, authorization, kind, .. } = one;
            (method.clone(), target.clone(), host.to_ascii_lowercase(), authorization.clone(), kind.clone())
        };
        head(self) == head(other) && (!self.whole || (other.whole && self.body == other.body))
    }
}

/// Every request in these bytes, up to the first that cannot be read.
fn requests(mut bytes: &[u8]) -> Vec<Request> {
    let mut found = Vec::new();
    while let Some((one, rest)) = request(bytes) {
        let whole = one.whole;
        found.push(one);
        if !whole {
            break;
        }
        bytes = rest;
    }
    found
}

fn request(bytes: &[u8]) -> Option<(Request, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(end) = request.parse(bytes).ok()? else { return None };
    let rest = bytes.get(end..)?;
    let values = |name: &str| -> Vec<Vec<u8>> {
        let all = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        all.map(|header| header.value.trim_ascii().to_vec()).collect()
    };
    let (body, whole, rest) = match (values("transfer-encoding").as_slice(), values("content-length").as_slice()) {
        ([], []) => (Vec::new(), true, rest),
        ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => chunked(rest),
        ([], [length]) => {
            let length: usize = from_utf8(length).ok()?.parse().ok()?;
            match rest.split_at_checked(length) {
                Some((body, rest)) => (body.to_vec(), true, rest),
                None => (rest.to_vec(), false, &[][..]),
            }
        }
        // stated in two ways: whoever reads one of them reads it otherwise than whoever reads the other
        _ => return None,
    };
    let target = request.path?;
    let target = target
        .find("://")
        .and_then(|at| target.get(at + 3..))
        .map_or(target, |rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    let one = |name: &str| match values(name).as_slice() {
        [value] => Some(value.clone()),
        _ => None,
    };
    let read = Request {
        method: request.method?.to_owned(),
        target: target.to_owned(),
        host: one("host").unwrap_or_default(),
        authorization: one("authorization"),
        kind: one("content-type"),
        body,
        whole,
    };
    Some((read, rest))
}

fn chunked(mut bytes: &[u8]) -> (Vec<u8>, bool, &[u8]) {
    let mut body = Vec::new();
    while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(bytes) {
        let Some(rest) = bytes.get(start..) else { break };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((data, rest)) = rest.split_at_checked(length) else { break };
        let Some(rest) = rest.strip_prefix(b"\r\n") else { break };
        bytes = rest;
        if length == 0 {
            return (body, true, bytes);
        }
        body.extend_from_slice(data);
    }
    (body, false, &[])
}
