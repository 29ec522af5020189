//! One strict reading of an HTTP/1 head, and the canonical head that hyper gets instead of the client's bytes; and the rules
//! for fields that HTTP/2 shares with it.
//!
//! What two readers could read differently is a [`Fault`]. Hop-by-hop fields end here; field names are written in
//! lower case, values without surrounding white space.

use super::Settings;

/// Why the bytes are not a request. The texts are constants: nothing a client sent is echoed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Malformed(&'static str),
    TooLarge(&'static str),
    Timeout(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) canonical: Vec<u8>,
    pub(super) framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

pub(super) const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];

/// Fields that end at this hop, or that would have another proxy speak for the client.
const DROPPED: [&str; 8] = [
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "trailer",
    "http2-settings",
    "upgrade-insecure-requests",
];

/// Fields that decide something. Their spelling with `_` and a `Connection` that names them are refused.
const DECIDING: [&str; 12] = [
    "authorization",
    "bailiwick-passed",
    "bailiwick-region",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "gen-usersubject",
    "host",
    "transfer-encoding",
    "upgrade",
];

/// Reads a whole head, its empty line included. `close` has the canonical head end the connection.
pub(super) fn read(bytes: &[u8], settings: &Settings, close: bool) -> Result<Head, Fault> {
    let text = bytes.strip_suffix(b"\r\n\r\n").ok_or(Fault::Malformed("the head has no end"))?;
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line = RequestLine::read(lines.next().unwrap_or_default(), settings)?;
    let mut fields = Fields::default();
    for (count, line) in lines.enumerate() {
        if count >= settings.headers {
            return Err(Fault::TooLarge("the head has too many fields"));
        }
        fields.add(line)?;
    }
    fields.finish(&line, settings, close)
}

struct RequestLine<'a> {
    method: &'a str,
    /// In origin form.
    target: &'a str,
    /// Of an absolute form: must be the host.
    authority: Option<&'a str>,
    old: bool,
}

impl<'a> RequestLine<'a> {
    fn read(line: &'a [u8], settings: &Settings) -> Result<Self, Fault> {
        const BAD: Fault = Fault::Malformed("the request line is not `METHOD /path HTTP/1.1`");
        let line = std::str::from_utf8(line)
            .ok()
            .filter(|line| line.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
            .ok_or(BAD)?;
        let mut parts = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BAD);
        };
        if !METHODS.contains(&method) {
            return Err(Fault::Malformed("the method is not one that this proxy speaks"));
        }
        let old = match version {
            "HTTP/1.1" => false,
            "HTTP/1.0" => true,
            _ => return Err(Fault::Malformed("the version is neither `HTTP/1.1` nor `HTTP/1.0`")),
        };
        if target.len() > settings.target_bytes {
            return Err(Fault::TooLarge("the path with its query is too long"));
        }
        let (authority, target) =
            origin_form(target).ok_or(Fault::Malformed("the target is not a path that starts with `/`"))?;
        if !is_target(target) {
            return Err(Fault::Malformed("the path holds a character that has to be percent-encoded, or a broken `%`"));
        }
        Ok(Self { method, target, authority, old })
    }
}

fn origin_form(target: &str) -> Option<(Option<&str>, &str)> {
    if target.starts_with('/') {
        return Some((None, target));
    }
    let (scheme, rest) = target.split_at_checked(7)?;
    if !scheme.eq_ignore_ascii_case("http://") {
        return None;
    }
    let (authority, path) = rest.split_at_checked(rest.find('/')?)?;
    Some((Some(authority), path))
}

/// RFC 3986: path and query characters, every `%` followed by two hexadecimal digits.
pub(super) fn is_target(target: &str) -> bool {
    let mut bytes = target.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => {
                bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~/?:@!$&'()*+,;=".contains(&byte),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// The fields of a head: those that decide something, and by name those that are for whoever reads the request.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) kept: Vec<(String, String)>,
    pub(super) host: Option<String>,
    pub(super) length: Option<u64>,
    chunked: bool,
    expect: bool,
    close: bool,
}

impl Fields {
    fn add(&mut self, line: &[u8]) -> Result<(), Fault> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Fault::Malformed("a field is folded over several lines"));
        }
        let colon =
            line.iter().position(|byte| *byte == b':').ok_or(Fault::Malformed("a line of the head has no colon"))?;
        let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let value = trim(value.split_first().map_or(&[][..], |(_, value)| value));
        self.take(field_name(name)?, value)
    }

    /// One field; its name is a token in lower case.
    pub(super) fn take(&mut self, name: String, value: &[u8]) -> Result<(), Fault> {
        if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(Fault::Malformed("a field holds a control character"));
        }
        let dashed = name.replace('_', "-");
        if name.contains('_') {
            // Some servers read `_` as `-`: a twin of a deciding field is refused, any other is left behind.
            return if DECIDING.contains(&dashed.as_str()) {
                Err(Fault::Malformed("a field that decides something is spelt with `_`"))
            } else {
                Ok(())
            };
        }
        let Some(value) = std::str::from_utf8(value).ok().filter(|value| value.is_ascii()) else {
            return if DECIDING.contains(&dashed.as_str()) {
                Err(Fault::Malformed("a field that decides something is not ASCII"))
            } else {
                Ok(())
            };
        };
        match name.as_str() {
            "host" => set(&mut self.host, host(value)?, "there are several Host fields"),
            "content-length" => set(&mut self.length, length(value)?, "there are several Content-Length fields"),
            "transfer-encoding" if self.chunked => Err(Fault::Malformed("there are several Transfer-Encoding fields")),
            "transfer-encoding" if value == "chunked" => {
                self.chunked = true;
                Ok(())
            }
            "transfer-encoding" => Err(Fault::Malformed("the transfer coding is not exactly `chunked`")),
            "expect" if self.expect => Err(Fault::Malformed("there are several Expect fields")),
            "expect" if value.eq_ignore_ascii_case("100-continue") => {
                self.expect = true;
                Ok(())
            }
            "expect" => Err(Fault::Malformed("the expectation is not `100-continue`")),
            "upgrade" => Err(Fault::Malformed("this proxy does not change protocols; leave the Upgrade field out")),
            "connection" => self.connection(value),
            dropped if DROPPED.contains(&dropped) => Ok(()),
            _ => {
                self.keep(name, value);
                Ok(())
            }
        }
    }

    fn connection(&mut self, value: &str) -> Result<(), Fault> {
        for option in value.split(',').map(|option| option.trim_ascii().to_ascii_lowercase()) {
            match option.as_str() {
                "close" => self.close = true,
                option if DECIDING.contains(&option) => {
                    return Err(Fault::Malformed("the Connection field names a field that decides something"));
                }
                // Nothing of a client's head reaches the upstream, so there is nothing to take out for this hop.
                _ => {}
            }
        }
        Ok(())
    }

    fn keep(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.kept.push((name.into(), value.into()));
    }

    fn finish(mut self, line: &RequestLine<'_>, settings: &Settings, close: bool) -> Result<Head, Fault> {
        let host = self.host.take().ok_or(Fault::Malformed("there is no Host field"))?;
        ours(&host, settings)?;
        if line.authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(&host)) {
            return Err(Fault::Malformed("the target names another host than the Host field"));
        }
        let length = self.length.unwrap_or(0);
        if self.chunked && (self.length.is_some() || line.old) {
            return Err(Fault::Malformed("the length of the body is stated in two ways"));
        }
        if takes_no_body(line.method) && (self.chunked || length > 0) {
            return Err(NO_BODY);
        }
        let framing = if self.chunked { Framing::Chunked } else { Framing::Length(length) };
        self.keep("host", host);
        if self.chunked {
            self.keep("transfer-encoding", "chunked");
        } else if self.length.is_some() {
            self.keep("content-length", length.to_string());
        }
        if self.expect && (self.chunked || length > 0) && !line.old {
            self.keep("expect", "100-continue");
        }
        // A chunked body ends its connection: nothing after it has to be found.
        if close || self.close || self.chunked || line.old {
            self.keep("connection", "close");
        }
        let version = if line.old { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut canonical = format!("{} {} {version}\r\n", line.method, line.target).into_bytes();
        for (name, value) in &self.kept {
            for part in [name, ": ", value, "\r\n"] {
                canonical.extend_from_slice(part.as_bytes());
            }
        }
        canonical.extend_from_slice(b"\r\n");
        Ok(Head { canonical, framing })
    }
}

pub(super) const NO_BODY: Fault = Fault::Malformed("this method takes no body");

pub(super) fn takes_no_body(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// Whether the host is one that this listener answers for. Without a list every host is.
pub(super) fn ours(host: &str, settings: &Settings) -> Result<(), Fault> {
    let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
    let known = |one: &String| one.eq_ignore_ascii_case(host) || one.eq_ignore_ascii_case(name);
    if settings.hosts.is_empty() || settings.hosts.iter().any(known) {
        return Ok(());
    }
    Err(Fault::Malformed("the request names a host that this proxy does not answer for"))
}

fn set<T>(slot: &mut Option<T>, value: T, several: &'static str) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(Fault::Malformed(several));
    }
    *slot = Some(value);
    Ok(())
}

/// A token of RFC 9110, in lower case.
pub(super) fn field_name(name: &[u8]) -> Result<String, Fault> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(Fault::Malformed("the name of a field is not a token"));
    }
    Ok(String::from_utf8_lossy(name).to_ascii_lowercase())
}

fn length(value: &str) -> Result<u64, Fault> {
    const BAD: Fault = Fault::Malformed("the Content-Length is not one plain decimal number");
    let plain = !value.is_empty() && value.len() <= 15 && value.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (value.len() > 1 && value.starts_with('0')) {
        return Err(BAD);
    }
    value.parse().map_err(|_| BAD)
}

/// `name`, `name:port`, `[address]`, `[address]:port`.
pub(super) fn host(value: &str) -> Result<String, Fault> {
    const BAD: Fault = Fault::Malformed("the Host field is not one host with an optional port");
    let (name, port) = match value.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(BAD)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| BAD)?;
            (None, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(BAD)?) })
        }
        None => match value.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(value), None),
        },
    };
    let named = |name: &str| {
        !name.is_empty()
            && name.len() <= 255
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let numbered =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    if name.is_none_or(named) && port.is_none_or(numbered) { Ok(value.to_owned()) } else { Err(BAD) }
}

/// Optional white space is space and tab only; `trim_ascii` would also take form feeds.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<(String, Framing), Fault> {
        read(text.as_bytes(), &Settings::default(), false)
            .map(|head| (String::from_utf8(head.canonical).unwrap(), head.framing))
    }

    #[test]
    fn writes_one_canonical_head() {
        let (text, framing) = head(
            "POST /a?b=c HTTP/1.1\r\nHOST: h:80\r\nConTent-Length: 3\r\nTE: x\r\nX-A: \t b \r\nKeep-Alive: 1\r\n\r\n",
        )
        .unwrap();
        assert_eq!(text, "POST /a?b=c HTTP/1.1\r\nx-a: b\r\nhost: h:80\r\ncontent-length: 3\r\n\r\n");
        assert_eq!(framing, Framing::Length(3));
        let (text, framing) =
            head("POST http://H/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        assert_eq!(text, "POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
        assert_eq!(framing, Framing::Chunked);
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        let fields = [
            "Host: a\r\nHost: a",
            "Host: a, b",
            "Host: u@h",
            "Host: h:0",
            "Host: h:99999",
            "Host: [::1",
            "Host: ",
            "X: y",
            "Host: h\r\nContent-Length: 01",
            "Host: h\r\nContent-Length: +1",
            "Host: h\r\nContent-Length: 1, 1",
            "Host: h\r\nContent-Length: 1\r\nContent-Length: 1",
            "Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            "Host: h\r\nTransfer-Encoding: Chunked",
            "Host: h\r\nTransfer-Encoding: gzip, chunked",
            "Host: h\r\nContent_Length: 1",
            "Host: h\r\n folded",
            "Host : h",
            "Host: h\r\nX Y: z",
            "Host: h\r\nX",
            "Host: h\r\nExpect: 200",
            "Host: h\r\nUpgrade: h2c",
            "Host: h\r\nConnection: authorization",
            "Host: h\r\nX: \x0c\x01",
        ];
        for field in fields {
            assert!(head(&format!("POST /a HTTP/1.1\r\n{field}\r\n\r\n")).is_err(), "{field}");
        }
        let lines = [
            "post /a HTTP/1.1",
            "TRACE /a HTTP/1.1",
            "CONNECT h:80 HTTP/1.1",
            "GET  /a HTTP/1.1",
            "GET /a  HTTP/1.1",
            "GET /a HTTP/1.2",
            "GET /a",
            "GET a HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET /ä HTTP/1.1",
            "GET /% HTTP/1.1",
            "GET /%0 HTTP/1.1",
            "GET /a\\b HTTP/1.1",
            "GET http://other/a HTTP/1.1",
            "GET https://h/a HTTP/1.1",
            "GET http://u@h/a HTTP/1.1",
        ];
        for line in lines {
            assert!(head(&format!("{line}\r\nHost: h\r\n\r\n")).is_err(), "{line}");
        }
        assert!(head("GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n").is_err());
        assert!(head("POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
