//! The first reading: method, canonical path, parameters, and the few header fields that mean something.
//!
//! What is not typed here does not exist for anything behind: no header map, no raw path and no query string leaves
//! this file. It does not know who asks or which operations there are.

use super::{
    exchange::Exchange,
    params::{self, Pairs},
    path::Path,
    question,
};
use crate::{
    audit::Query,
    egress::{PASSED, SUBJECT},
    model::{
        contract,
        refusal::{Code, Refusal},
    },
};
use http::{HeaderMap, HeaderName, Method, Request, header};
use hyper::body::Incoming;
use secrecy::SecretString;
use std::net::IpAddr;

#[derive(Debug)]
pub(super) struct FrontDoor {
    prefix: Vec<String>,
    needs_content_type: bool,
}

/// What is at the door.
#[derive(Debug)]
pub(super) enum Admitted {
    Call(Call),
    /// A browser asks whether it may ask, and whoever else what may be asked here.
    Preflight(Path),
    /// `POST /oauth/token`: a client wants to be known.
    Token(Call),
}

/// Names another region than the asker's own.
const REGION: HeaderName = HeaderName::from_static("bailiwick-region");

/// One request, read canonically.
#[derive(Debug)]
pub(super) struct Call {
    /// As it was sent, for the record.
    pub(super) verb: Method,
    /// What is asked for; `None`: a method that no operation has.
    pub(super) method: Option<contract::Method>,
    pub(super) path: Path,
    pub(super) params: Pairs,
    /// The region that is asked, where the request names one.
    pub(super) region: Option<Box<str>>,
    /// The user for whom it is asked, where the request names one; what that means, who asks decides.
    pub(super) subject: Option<Box<str>>,
    /// Where it comes from.
    pub(super) from: IpAddr,
    /// The value of the one `Authorization` field.
    pub(super) authorization: Option<SecretString>,
    pub(super) body: Incoming,
}

impl FrontDoor {
    /// `prefix` is a path such as `/gateway` that clients put in front of every path.
    pub(super) fn new(prefix: Option<&str>, needs_content_type: bool) -> Self {
        Self { prefix: segments(prefix), needs_content_type }
    }

    pub(super) fn admit(
        &self,
        request: Request<Incoming>,
        from: IpAddr,
        exchange: &mut Exchange,
    ) -> Result<Admitted, Refusal> {
        let (head, body) = request.into_parts();
        let path = Path::read(head.uri.path())?.without(&self.prefix);
        exchange.asked(Query::new::<&str>(head.method.as_str(), &path.text(), &[], None));
        if head.headers.contains_key(PASSED) {
            return Err(looped());
        }
        if head.method == Method::OPTIONS {
            return Ok(Admitted::Preflight(path));
        }
        let is_token = head.method == Method::POST && path.is(&["oauth", "token"]);
        let params = params::read(head.uri.query().unwrap_or_default())?;
        let method = question::method(head.method.as_str());
        let authorization =
            once(&head.headers, &header::AUTHORIZATION)?.map(|value| SecretString::from(value.to_owned()));
        let region = once(&head.headers, &REGION)?.map(Into::into);
        let subject = once(&head.headers, &SUBJECT)?.map(Into::into);
        identity_encoding(&head.headers)?;
        let due = if is_token { "application/x-www-form-urlencoded" } else { "application/json" };
        self.content_type(&head.headers, due, method.is_some_and(has_body))?;
        let call = Call { verb: head.method, method, path, params, region, subject, from, authorization, body };
        Ok(if is_token { Admitted::Token(call) } else { Admitted::Call(call) })
    }

    fn content_type(&self, headers: &HeaderMap, due: &'static str, has_body: bool) -> Result<(), Refusal> {
        match once(headers, &header::CONTENT_TYPE)? {
            Some(value) if is_media_type(value, due) => Ok(()),
            // Of what is not there nothing has to be said: a body that comes all the same is refused as such.
            _ if !has_body => Ok(()),
            // Real clients leave it out; the body is read as what it has to be.
            None if !self.needs_content_type => Ok(()),
            _ => Err(Refusal::new(
                Code::RequestMediaType,
                format!("this body has to be `{due}` in UTF-8; say so in Content-Type"),
            )),
        }
    }
}

/// What a proxy of this kind asks is asked of an upstream: here it would be asked again, without end.
fn looped() -> Refusal {
    let says = "this request comes from a proxy like this one; the `url` of its `[[upstream]]` leads to a proxy and has to lead to \
                the upstream";
    Refusal::new(Code::RequestLooped, says).because(format!("the field `{PASSED}` is there"))
}

/// What such a method sends is read: it has to be JSON.
fn has_body(method: contract::Method) -> bool {
    matches!(method, contract::Method::Post | contract::Method::Put | contract::Method::Patch)
}

/// The segments of a prefix that the configuration names.
pub(super) fn segments(prefix: Option<&str>) -> Vec<String> {
    prefix.unwrap_or_default().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The one value of a field; several are a request with two meanings.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::new(Code::RequestMalformed, format!("there are several `{name}` fields; send one")));
    }
    first
        .map(|value| {
            value.to_str().map_err(|_| Refusal::new(Code::RequestMalformed, format!("the `{name}` field is not ASCII")))
        })
        .transpose()
}

fn identity_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    match once(headers, &header::CONTENT_ENCODING)? {
        None => Ok(()),
        Some(value) if value.eq_ignore_ascii_case("identity") => Ok(()),
        Some(_) => {
            Err(Refusal::new(Code::RequestMediaType, "compressed bodies are not accepted; send the body as it is"))
        }
    }
}

/// Exactly the type, with at most `charset=utf-8` beside it.
fn is_media_type(value: &str, due: &str) -> bool {
    let mut parts = value.split(';').map(|part| part.trim_matches([' ', '\t']));
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(due));
    let charset =
        |part: &str| part.eq_ignore_ascii_case("charset=utf-8") || part.eq_ignore_ascii_case("charset=\"utf-8\"");
    named && parts.next().is_none_or(charset) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_media_type_passes() {
        for fine in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_media_type(fine, "application/json"), "{fine}");
        }
        for wrong in [
            "",
            "text/json",
            "application/vnd.x+json",
            "application/jsonx",
            "application/json, text/plain",
            "application/json; charset=utf-7",
            "application/json; charset=utf-8; charset=utf-7",
            "application/json; boundary=x",
            "application/json;",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!is_media_type(wrong, "application/json"), "{wrong}");
        }
    }

    #[test]
    fn a_field_stands_once() {
        let mut headers = HeaderMap::new();
        assert_eq!(once(&headers, &header::AUTHORIZATION), Ok(None));
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        assert_eq!(once(&headers, &header::AUTHORIZATION), Ok(Some("Bearer a")));
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        assert!(once(&headers, &header::AUTHORIZATION).is_err());
    }

    #[test]
    fn only_plain_bodies_pass() {
        let mut headers = HeaderMap::new();
        for (value, fine) in [("identity", true), ("gzip", false), ("", false), ("identity, gzip", false)] {
            headers.insert(header::CONTENT_ENCODING, value.parse().unwrap());
            assert_eq!(identity_encoding(&headers).is_ok(), fine, "{value}");
        }
    }
}
