//! The capped, timed and strict reading of a client's body.

use super::Settings;
use crate::{
    egress::{ReadFailed, read_capped},
    model::refusal::{Code, Refusal},
    query::json::{self, Limits, Value},
};
use hyper::body::Incoming;

/// The whole body, or a refusal. Nothing is forwarded while a byte of it is missing.
pub(super) async fn read(body: Incoming, limit: usize, settings: &Settings) -> Result<Vec<u8>, Refusal> {
    match tokio::time::timeout(settings.body_time, read_capped(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadFailed::TooLarge { limit })) => {
            let message = format!("the body is larger than {limit} bytes; ask for less at once");
            Err(Refusal::new(Code::RequestTooLarge, message).with("limit", limit.to_string()))
        }
        Ok(Err(ReadFailed::Broken(why))) => {
            Err(Refusal::new(Code::RequestMalformed, "the body did not arrive whole or is badly framed").because(why))
        }
        Err(_) => Err(Refusal::new(
            Code::RequestTimeout,
            format!("the body did not arrive within {} s; send it faster", settings.body_time.as_secs()),
        )),
    }
}

/// One strict JSON object.
pub(super) fn parse(bytes: &[u8], settings: &Settings) -> Result<Value, Refusal> {
    json::parse_object(bytes, &limits(settings))
        .map_err(|error| Refusal::new(Code::QueryMalformed, format!("the body is not accepted: {error}")))
}

/// What a body may hold, posted or in a link.
pub(super) fn limits(settings: &Settings) -> Limits {
    Limits { bytes: settings.body_bytes, depth: settings.json_depth, ..Limits::default() }
}
