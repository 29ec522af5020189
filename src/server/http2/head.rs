//! One strict reading of an HTTP/2 head, by the rules for HTTP/1: what comes out looks like a request whose head went through
//! the gate. What is malformed for HTTP/2 itself was reset before by whoever reads the frames.

use super::super::{
    Settings,
    head::{self, Fault, Fields, METHODS, NO_BODY},
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header, request::Parts, uri::PathAndQuery};
use http_body::Body;

/// Of one connection only; HTTP/2 has its own ways to say this.
const CONNECTION_SPECIFIC: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

pub(super) fn read<B: Body>(request: Request<B>, settings: &Settings) -> Result<Request<B>, Fault> {
    let (mut head, body) = request.into_parts();
    line(&head, settings)?;
    if head::takes_no_body(head.method.as_str()) && !body.is_end_stream() {
        return Err(NO_BODY);
    }
    let fields = fields(&head.headers, settings)?;
    let host = host(&head.uri, fields.host)?;
    head::ours(&host, settings)?;
    let mut headers = HeaderMap::with_capacity(fields.kept.len().saturating_add(2));
    for (name, value) in fields.kept {
        headers.append(known_name(&name)?, known_value(&value)?);
    }
    headers.insert(header::HOST, known_value(&host)?);
    if let Some(length) = fields.length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    // the host stands in its field, and nobody behind has to ask which of two names counts
    let target = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    head.uri = Uri::from(target);
    head.headers = headers;
    Ok(Request::from_parts(head, body))
}

fn line(head: &Parts, settings: &Settings) -> Result<(), Fault> {
    if !METHODS.contains(&head.method.as_str()) {
        return Err(Fault::Malformed("the method is not one that this proxy speaks"));
    }
    if !matches!(head.uri.scheme_str(), Some("http" | "https")) {
        return Err(Fault::Malformed("the scheme is neither `http` nor `https`"));
    }
    let target = head.uri.path_and_query().map_or("", PathAndQuery::as_str);
    if target.len() > settings.target_bytes {
        return Err(Fault::TooLarge("the path with its query is too long"));
    }
    if !target.starts_with('/') {
        return Err(Fault::Malformed("the target is not a path that starts with `/`"));
    }
    if !head::is_target(target) {
        return Err(Fault::Malformed("the path holds a character that has to be percent-encoded, or a broken `%`"));
    }
    Ok(())
}

fn fields(headers: &HeaderMap, settings: &Settings) -> Result<Fields, Fault> {
    if headers.len() > settings.headers {
        return Err(Fault::TooLarge("the head has too many fields"));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len())).sum();
    if bytes > settings.head_bytes {
        return Err(Fault::TooLarge("the head is too large"));
    }
    let mut fields = Fields::default();
    for (name, value) in headers {
        let (name, value) = (name.as_str(), value.as_bytes());
        if CONNECTION_SPECIFIC.contains(&name) || (name == "te" && value != b"trailers") {
            return Err(Fault::Malformed("the head holds a field that HTTP/2 does not have"));
        }
        if matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']) {
            return Err(Fault::Malformed("the value of a field begins or ends with white space"));
        }
        fields.take(head::field_name(name.as_bytes())?, value)?;
    }
    Ok(fields)
}

/// The authority, or the field of old where there is none; never two that differ.
fn host(uri: &Uri, field: Option<String>) -> Result<String, Fault> {
    match (uri.authority(), field) {
        (Some(authority), field) => {
            let authority = head::host(authority.as_str())?;
            if field.is_some_and(|field| !field.eq_ignore_ascii_case(&authority)) {
                return Err(Fault::Malformed("`:authority` and the Host field name two hosts"));
            }
            Ok(authority)
        }
        (None, Some(field)) => Ok(field),
        (None, None) => Err(Fault::Malformed("there is neither an `:authority` nor a Host field")),
    }
}

fn known_name(name: &str) -> Result<HeaderName, Fault> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Fault::Malformed("the name of a field is not a token"))
}

fn known_value(value: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(value).map_err(|_| Fault::Malformed("a field holds a control character"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::{Empty, Full};

    fn request(method: &str, uri: &str, fields: &[(&str, &[u8])]) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        request.body(Full::from("{}")).unwrap()
    }

    fn why(request: Request<Full<Bytes>>, settings: &Settings) -> String {
        format!("{:?}", read(request, settings).expect_err("a fault"))
    }

    #[test]
    fn a_head_looks_as_if_it_had_come_through_the_gate() {
        let fields: [(&str, &[u8]); 6] = [
            ("authorization", b"Bearer t"),
            ("content-length", b"2"),
            ("expect", b"100-continue"),
            ("te", b"trailers"),
            ("x_user", b"boss"),
            ("host", b"H.example"),
        ];
        let read = read(request("POST", "https://h.example/a?b=c", &fields), &Settings::default()).unwrap();
        assert_eq!(read.uri(), "/a?b=c");
        let mut kept: Vec<_> = read.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        kept.sort();
        assert_eq!(kept, ["authorization: \"Bearer t\"", "content-length: \"2\"", "host: \"h.example\""]);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let settings = Settings { hosts: vec!["h".into()], ..Settings::default() };
        let fields: [(&str, &[u8]); 12] = [
            ("transfer-encoding", b"chunked"),
            ("connection", b"close"),
            ("te", b"gzip"),
            ("transfer_encoding", b"chunked"),
            ("x", b" a"),
            ("x", b"a\t"),
            ("content-length", b"+2"),
            ("content-length", b"02"),
            ("content-length", b"2, 2"),
            ("host", b"other"),
            ("host", b""),
            ("expect", b"200-ok"),
        ];
        for (name, value) in fields {
            why(request("POST", "http://h/a", &[(name, value)]), &settings);
        }
        let twice: [(&str, &[u8]); 2] = [("content-length", b"2"), ("content-length", b"2")];
        why(request("POST", "http://h/a", &twice), &settings);
        for (method, uri) in [
            ("post", "http://h/a"),
            ("TRACE", "http://h/a"),
            ("POST", "gopher://h/a"),
            ("POST", "http://u@h/a"),
            ("POST", "http://h:0/a"),
            ("POST", "http://evil/a"),
            ("POST", "/a"),
            ("POST", "http://h/a|b"),
            ("POST", "http://h/%zz"),
            ("GET", "http://h/a"),
        ] {
            why(request(method, uri, &[]), &settings);
        }
        for fine in ["http://h/a", "https://H:8600/a"] {
            read(request("POST", fine, &[]), &settings).unwrap_or_else(|why| panic!("{fine}: {why:?}"));
        }
        let get = Request::get("http://h/a").body(Empty::<Bytes>::new()).unwrap();
        read(get, &settings).unwrap();
    }

    #[test]
    fn limits_are_those_of_http_1() {
        let settings = Settings { headers: 2, head_bytes: 64, target_bytes: 16, ..Settings::default() };
        let long = [b'a'; 70];
        assert!(why(request("POST", "http://h/a", &[("x", &long)]), &settings).contains("too large"));
        let many: [(&str, &[u8]); 3] = [("x", b"1"), ("x", b"2"), ("x", b"3")];
        assert!(why(request("POST", "http://h/a", &many), &settings).contains("too many"));
        assert!(why(request("POST", "http://h/aaaaaaaaaaaaaaaaaaaa", &[]), &settings).contains("too long"));
    }
}
