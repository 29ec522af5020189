//! The outgoing HTTP message, built from a proved query token by token.

use crate::{
    egress::{MARK, PASSED, SUBJECT},
    model::contract::Method,
    verify::Verified,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header, uri};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const AGENT: &str = concat!("bailiwick/", env!("CARGO_PKG_VERSION"));

/// Scheme, host and an optional path in front.
#[derive(Debug, Clone)]
pub struct Base {
    scheme: uri::Scheme,
    authority: uri::Authority,
    /// Without a slash at its end.
    prefix: String,
}

impl Base {
    /// `None` unless it is an absolute `http` or `https` address without a query.
    pub fn new(url: &Uri) -> Option<Self> {
        let scheme = url.scheme().filter(|scheme| matches!(scheme.as_str(), "http" | "https"))?.clone();
        let authority = url.authority().filter(|authority| !authority.as_str().contains('@'))?.clone();
        if url.query().is_some() {
            return None;
        }
        Some(Self { scheme, authority, prefix: url.path().trim_end_matches('/').to_owned() })
    }

    /// The address of `path`, which is already canonical and encoded.
    pub fn join(&self, path: &str, query: &[(Box<str>, String)]) -> Option<Uri> {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return None;
        }
        let mut text = format!("{}{path}", self.prefix);
        for (at, (name, value)) in query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.extend(utf8_percent_encode(name, ENCODED));
            text.push('=');
            text.extend(utf8_percent_encode(value, ENCODED));
        }
        let made = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(text.as_str())
            .build()
            .ok()?;
        // INVARIANT: what the URI type reads is what was written.
        (made.path_and_query().is_some_and(|read| read.as_str() == text)).then_some(made)
    }
}

/// The message. `None`: the parts make no valid one.
pub(super) fn build(
    base: &Base,
    verified: &Verified,
    token: &HeaderValue,
    encoding: &'static str,
    subject: Option<&str>,
) -> Option<Request<Full<Bytes>>> {
    let uri = base.join(verified.path(), verified.query())?;
    let method = match verified.method() {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::AUTHORIZATION, token.clone())
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, encoding)
        .header(header::USER_AGENT, AGENT)
        .header(PASSED, MARK);
    if let Some(subject) = subject {
        request = request.header(SUBJECT, HeaderValue::try_from(subject).ok()?);
    }
    let body = match &verified.outgoing().body {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            body.clone()
        }
        None => Bytes::new(),
    };
    request.body(Full::new(body)).ok()
}

/// Asks for a file as anybody would who holds its link.
pub(super) fn file_request(uri: &Uri) -> Option<Request<Full<Bytes>>> {
    let request = Request::get(uri.clone())
        .header(header::ACCEPT, "audio/wav")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, AGENT);
    request.body(Full::new(Bytes::new())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> Option<Base> {
        Base::new(&url.parse().unwrap())
    }

    #[test]
    fn a_prefix_stands_in_front() {
        let base = base("https://gateway.example/genesys/").unwrap();
        let uri = base.join("/api/v2/routing/queues", &[]).unwrap();
        assert_eq!(uri.to_string(), "https://gateway.example/genesys/api/v2/routing/queues");
    }

    #[test]
    fn values_cannot_break_out_of_their_place() {
        let base = base("http://127.0.0.1:1").unwrap();
        let query = [("id".into(), "a&b=c#d?e/f g+h%26,ü\r\n".to_owned())];
        let uri = base.join("/api/v2/users", &query).unwrap();
        assert_eq!(uri.query(), Some("id=a%26b%3Dc%23d%3Fe%2Ff%20g%2Bh%2526%2C%C3%BC%0D%0A"));
    }

    #[test]
    fn a_path_is_only_a_path() {
        let base = base("http://127.0.0.1:1").unwrap();
        for path in ["api", "/a?b", "/a#b", "/a b", "/a\r\nb", ""] {
            assert!(base.join(path, &[]).is_none(), "{path:?}");
        }
    }

    #[test]
    fn only_plain_addresses_are_bases() {
        for url in ["/path", "ftp://host", "http://user:pw@host", "http://host/?a=b", "host:80"] {
            assert!(base(url).is_none(), "{url}");
        }
    }
}
