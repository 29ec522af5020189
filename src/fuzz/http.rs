//! A second reader of HTTP/1: `httparse`, with as little beside it as framing takes.

use std::str::from_utf8;

/// One request as it is read; its target in origin form.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, Vec<u8>)>,
    /// So far as it came.
    pub(crate) body: Vec<u8>,
    /// Its body came to its end.
    pub(crate) whole: bool,
}

impl Request {
    /// The value of a field that stands once.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        match *self.values(name) {
            [value] => Some(value),
            _ => None,
        }
    }

    fn values(&self, name: &str) -> Vec<&[u8]> {
        let all = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        all.map(|(_, value)| value.as_slice()).collect()
    }
}

/// Every request in these bytes, up to the first that cannot be read or does not end.
pub(crate) fn requests(mut bytes: &[u8]) -> Vec<Request> {
    let mut found = Vec::new();
    while let Some((one, rest)) = request(bytes) {
        bytes = if one.whole { rest } else { &[] };
        found.push(one);
    }
    found
}

fn request(bytes: &[u8]) -> Option<(Request, &[u8])> {
    let mut space = [httparse::EMPTY_HEADER; 200];
    let mut head = httparse::Request::new(&mut space);
    let httparse::Status::Complete(end) = head.parse(bytes).ok()? else { return None };
    let rest = bytes.get(end..)?;
    let target = head.path?;
    let absolute = target.find("://").and_then(|at| target.get(at + 3..));
    let target = absolute.map_or(target, |rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    let headers = head.headers.iter().map(|one| (one.name.to_owned(), one.value.trim_ascii().to_vec())).collect();
    let (method, target) = (head.method?.to_owned(), target.to_owned());
    let mut read = Request { method, target, headers, body: Vec::new(), whole: true };
    let rest = match (read.values("transfer-encoding").as_slice(), read.values("content-length").as_slice()) {
        ([], []) => rest,
        ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => {
            let (body, whole, rest) = chunked(rest);
            (read.body, read.whole) = (body, whole);
            rest
        }
        ([], [length]) => {
            let length: usize = from_utf8(length).ok()?.parse().ok()?;
            let split = rest.split_at_checked(length);
            let (body, rest) = split.unwrap_or((rest, &[]));
            (read.body, read.whole) = (body.to_vec(), split.is_some());
            rest
        }
        // stated in two ways: whoever reads one of them reads it otherwise than whoever reads the other
        _ => return None,
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
