//! Pages of other origins: which of them a browser lets read what is answered here. Off unless origins are configured.
//!
//! No answer ever says that a browser may send what it keeps (cookies, certificates): who asks is known by a token that the page
//! itself has to hold.

use http::{HeaderMap, HeaderValue, header};

/// How long a browser may remember that it may ask.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("bailiwick-decision, bailiwick-notice, retry-after");
/// Longest list of fields that is let through.
const FIELDS: usize = 1024;

/// Origins whose pages may ask here, as browsers write them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origins(Vec<String>);

/// What a browser is told about one answer.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The answer depends on who reads it.
    varies: bool,
    origin: Option<HeaderValue>,
    /// The fields that the page wants to send.
    fields: Option<HeaderValue>,
}

impl Origins {
    pub(super) fn new(origins: &[String]) -> Self {
        Self(origins.to_vec())
    }

    pub(super) fn reader(&self, asked: &HeaderMap) -> Reader {
        let mut named = asked.get_all(header::ORIGIN).iter();
        let origin = match (named.next(), named.next()) {
            (Some(origin), None) => Some(origin),
            _ => None,
        };
        let known = |origin: &&HeaderValue| self.0.iter().any(|one| one.as_bytes() == origin.as_bytes());
        let fields = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|fields| are_fields(fields));
        Reader { varies: !self.0.is_empty(), origin: origin.filter(known).cloned(), fields: fields.cloned() }
    }
}

/// Names alone. Those that mean nothing here are left behind at the door, so each may be sent.
fn are_fields(value: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte);
    !value.is_empty() && value.len() <= FIELDS && value.as_bytes().iter().all(plain)
}

impl Reader {
    /// Writes what the browser is told. An answer that says which methods there are is one to its question whether it may ask.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        if !self.varies {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = &self.origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let Some(allow) = headers.get(header::ALLOW).cloned() else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            return;
        };
        headers.append(header::VARY, HeaderValue::from_static("access-control-request-headers"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Some(fields) = &self.fields {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fields.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(origins: &[&str], asked: &[(&'static str, &str)], preflight: bool) -> Vec<String> {
        let origins = Origins::new(&origins.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        let asked = asked
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in asked {
            map.append(name, value);
        }
        let mut headers = HeaderMap::new();
        if preflight {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        }
        origins.reader(&map).tell(&mut headers);
        headers.remove(header::ALLOW);
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn nothing_is_said_unless_origins_are_configured() {
        assert!(told(&[], &[("origin", "https://a.example")], false).is_empty());
        assert!(told(&[], &[("origin", "https://a.example")], true).is_empty());
    }

    #[test]
    fn a_configured_origin_is_named_and_others_are_not() {
        let one = &["https://a.example", "http://localhost:3000"][..];
        assert_eq!(
            told(one, &[("origin", "https://a.example")], false),
            [
                "access-control-allow-origin: https://a.example",
                "access-control-expose-headers: bailiwick-decision, bailiwick-notice, retry-after",
                "vary: origin",
            ]
        );
        for other in
            ["https://A.example", "https://a.example.evil", "http://a.example", "https://a.example:8443", "null", "*"]
        {
            assert_eq!(told(one, &[("origin", other)], false), ["vary: origin"], "{other}");
            assert_eq!(told(one, &[("origin", other)], true), ["vary: origin"], "{other}");
        }
        let twice = [("origin", "https://a.example"), ("origin", "https://a.example")];
        assert_eq!(told(one, &twice, false), ["vary: origin"]);
    }

    #[test]
    fn a_page_that_may_ask_is_told_what() {
        let one = &["https://a.example"][..];
        let asked =
            |fields| told(one, &[("origin", "https://a.example"), ("access-control-request-headers", fields)], true);
        assert_eq!(
            asked("authorization,purecloud-sdk"),
            [
                "access-control-allow-headers: authorization,purecloud-sdk",
                "access-control-allow-methods: POST, OPTIONS",
                "access-control-allow-origin: https://a.example",
                "access-control-max-age: 600",
                "vary: access-control-request-headers",
                "vary: origin",
            ]
        );
        assert!(!asked("x\";y").iter().any(|line| line.starts_with("access-control-allow-headers")));
    }
}
