//! One canonical reading of a path: split at slashes, percent-decoded once, and nothing left that could be read again.
//!
//! It never repairs: a path that is not already canonical is refused, so that nothing behind reads another path.

use crate::model::refusal::{Code, Refusal};

/// The decoded segments of a canonical path. `/` has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    segments: Vec<String>,
}

impl Path {
    pub(super) fn read(raw: &str) -> Result<Self, Refusal> {
        let rest = raw.strip_prefix('/').ok_or_else(|| refuse("the path does not start with `/`"))?;
        if rest.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        Ok(Self { segments: rest.split('/').map(segment).collect::<Result<_, _>>()? })
    }

    /// Without a prefix that the configuration names; unchanged when it does not start with it.
    pub(super) fn without(mut self, prefix: &[String]) -> Self {
        if !prefix.is_empty() && self.segments.starts_with(prefix) {
            self.segments.drain(..prefix.len());
        }
        self
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub(super) fn is(&self, segments: &[&str]) -> bool {
        self.segments.iter().eq(segments.iter())
    }

    /// For the record: the decoded path. No segment holds a slash, so it reads in one way.
    pub(super) fn text(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

fn segment(raw: &str) -> Result<String, Refusal> {
    if raw.is_empty() {
        return Err(refuse("the path has an empty segment or ends in `/`"));
    }
    let decoded = decode(raw)?;
    if decoded == "." || decoded == ".." {
        return Err(refuse("the path has a dot segment"));
    }
    let odd = |letter: char| matches!(letter, '/' | '\\' | ';' | '?' | '#' | '%') || letter.is_control();
    if decoded.contains(odd) {
        return Err(refuse("the path holds a `/`, `\\`, `;`, `?`, `#`, `%` or control character inside a segment"));
    }
    Ok(decoded)
}

/// Decodes once. A letter that needs no encoding must not be encoded: otherwise one path has several spellings.
fn decode(raw: &str) -> Result<String, Refusal> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let byte = hex_pair(&mut bytes)
            .ok_or_else(|| refuse("the path has a `%` that is not followed by two hexadecimal digits"))?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            return Err(refuse("the path percent-encodes a character that needs no encoding"));
        }
        decoded.push(byte);
    }
    String::from_utf8(decoded).map_err(|_| refuse("the path is not UTF-8 once it is decoded"))
}

/// The byte that two hexadecimal digits stand for.
pub(super) fn hex_pair(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high * 16 + low).ok()
}

fn refuse(why: &'static str) -> Refusal {
    Refusal::new(Code::RequestMalformed, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_paths_are_read() {
        let path = Path::read("/gate/api/v2/users/a%20b@c").unwrap();
        assert_eq!(path.segments(), ["gate", "api", "v2", "users", "a b@c"]);
        assert_eq!(path.text(), "/gate/api/v2/users/a b@c");
        let path = path.without(&["gate".to_owned()]);
        assert!(path.is(&["api", "v2", "users", "a b@c"]));
        assert!(Path::read("/").unwrap().segments().is_empty());
    }

    #[test]
    fn everything_that_reads_in_two_ways_is_refused() {
        for raw in [
            "",
            "a",
            "//a",
            "/a//b",
            "/a/",
            "/.",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a/%2E",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a;b",
            "/a%3Bb",
            "/a%00",
            "/a%0d%0a",
            "/a%09",
            "/%2561",
            "/%25",
            "/quer%79",
            "/%c0%ae",
            "/%ff",
            "/%",
            "/%4",
            "/%zz",
            "/a%3fb",
            "/a%23b",
            "/%c2%85",
        ] {
            assert_eq!(Path::read(raw).map_err(|refusal| refusal.code), Err(Code::RequestMalformed), "{raw}");
        }
    }
}
