//! A question in a link: base64 of its body in one parameter. What reads in two ways is refused.

use super::json::{self, Limits, Value};
use crate::model::{
    operation::{Link, Operation},
    refusal::{Code, Echo, Refusal},
};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The longest text of a parameter that is read.
pub const LONGEST: usize = 32_768;

/// The body that the parameters of a link hold.
pub fn read(link: &Link, params: &[(Box<str>, Vec<String>)], limits: &Limits) -> Result<Value, Refusal> {
    let malformed = |why: String| Refusal::new(Code::QueryMalformed, format!("`{}`: {why}", Echo(&link.param)));
    let [text] = params.iter().find(|(name, _)| *name == link.param).map(|(_, values)| &**values).unwrap_or_default()
    else {
        return Err(malformed("is missing; it holds base64 of the body that would be posted".to_owned()));
    };
    // one alphabet, padded, without bits left over
    let bytes = STANDARD.decode(text).map_err(|_| {
        malformed(
            "is not base64 with the letters `+` and `/` and its padding; percent-encode them in the link".to_owned(),
        )
    })?;
    json::parse_object(&bytes, limits).map_err(|error| malformed(format!("what it holds is not accepted: {error}")))
}

/// The link that asks for this body.
pub fn write(link: &Link, body: &Value) -> String {
    let text = STANDARD.encode(body.to_bytes());
    let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
    format!("{}?{}={encoded}", link.path, link.param)
}

/// The link of an operation that asks what another one is posted.
pub fn of(operation: &Operation) -> Option<(&std::sync::Arc<Operation>, &Link)> {
    let asks = operation.asks.as_ref()?;
    Some((asks, asks.linked.as_deref()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link { path: "/api/v2/users/search".into(), param: "q64".into() }
    }

    fn ask(text: &str) -> Result<String, Code> {
        let params = [("q64".into(), vec![text.to_owned()])];
        let read = read(&link(), &params, &Limits::default()).map_err(|refusal| refusal.code)?;
        Ok(String::from_utf8(read.to_bytes()).unwrap())
    }

    #[test]
    fn what_is_written_is_read_again() {
        for body in ["{}", r#"{"query":[{"type":"EXACT","fields":["name"],"value":"Zoë >>>??? ÿ"}]}"#] {
            let value = json::parse_object(body.as_bytes(), &Limits::default()).unwrap();
            let written = write(&link(), &value);
            let text = written.strip_prefix("/api/v2/users/search?q64=").unwrap();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'%'), "{text}");
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8().unwrap();
            assert_eq!(ask(&decoded).as_deref(), Ok(body));
        }
    }

    #[test]
    fn what_reads_in_two_ways_is_refused() {
        let odd = [
            "",
            "e30",
            "e30=e30=",
            "e30==",
            "e31=",
            "e30=\n",
            " e30=",
            "eyJhIjoi_v8ifQ==",
            "eyJhIjoi-v8ifQ==",
            "%65%33%30=",
            "{}",
            "W10=",
            "bnVsbA==",
            "e30KZTMw",
            "eyJhIjoxLCJhIjoyfQ==",
            "77u/e30=",
        ];
        for text in odd {
            assert_eq!(ask(text), Err(Code::QueryMalformed), "{text}");
        }
        assert_eq!(ask("e30="), Ok("{}".to_owned()));
        assert_eq!(read(&link(), &[], &Limits::default()).unwrap_err().code, Code::QueryMalformed);
    }
}
