//! The way out of a probe: one region, one bearer, a bounded number of calls.

use super::{Plan, ask::Ask};
use crate::{
    egress::{Door, DoorFailed},
    query::json::{self, Limits, Value},
    upstream::{Base, Credentials, RegionSettings},
};
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// Enough for a page of a hundred interactions.
const LONGEST_ANSWER: usize = 16 << 20;

/// Why a question has no answer, in words that hold nothing of the upstream's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered(pub(super) String);

#[derive(Debug)]
pub(super) struct Line {
    door: Door,
    base: Base,
    bearer: HeaderValue,
    calls: usize,
    most: usize,
    answered: usize,
    /// The first failure, for when nothing was ever answered.
    failed: Option<String>,
}

impl Line {
    pub(super) async fn open(settings: &RegionSettings, plan: &Plan) -> Result<Self, String> {
        let base = Base::new(&settings.url).ok_or("its `url` is no base address")?;
        let door = Door::new(&settings.way, settings.times, Arc::new(|| ())).map_err(|why| why.to_string())?;
        let (token, calls) = match &plan.token {
            Some(token) => (token.clone(), 0),
            None => (token(&door, &base, settings).await?, 1),
        };
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| "the token cannot stand in a header")?;
        bearer.set_sensitive(true);
        let door = door.reading(settings.max_answer_bytes.min(LONGEST_ANSWER));
        Ok(Self { door, base, bearer, calls, most: plan.most_calls, answered: 0, failed: None })
    }

    pub(super) fn calls(&self) -> usize {
        self.calls
    }

    /// Why no question at all was answered.
    pub(super) fn never_answered(&self) -> Option<String> {
        let why = || self.failed.clone().unwrap_or_else(|| "no question was asked".to_owned());
        (self.answered == 0).then(why)
    }

    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Value, Unanswered> {
        if self.calls >= self.most {
            return Err(self.unanswered(format!("the {} calls that may be made were made before it", self.most)));
        }
        let Some(to) = self.base.join(&ask.target(), ask.params()) else {
            return Err(self.unanswered("the question makes no address".to_owned()));
        };
        self.calls += 1;
        let path = ask.path();
        let reply = match self.door.ask(&to, &self.bearer, ask.body()).await {
            Ok(reply) => reply,
            Err(DoorFailed::Timeout) => return Err(self.unanswered(format!("`{path}` did not answer in time"))),
            Err(DoorFailed::Broken(why)) => return Err(self.unanswered(format!("`{path}` gave no answer: {why}"))),
        };
        if reply.status == 404 && ask.may_be_missing() {
            self.answered += 1;
            return Ok(Value::Null);
        }
        if !(200..300).contains(&reply.status) {
            let code = native_code(&reply.body).map(|code| format!(" (`{code}`)")).unwrap_or_default();
            return Err(self.unanswered(format!("`{path}` answered {}{code}", reply.status)));
        }
        let read = if ask.is_list() { json::parse } else { json::parse_object };
        match read(&reply.body, &Limits::answer(LONGEST_ANSWER)) {
            Ok(answer) => {
                self.answered += 1;
                Ok(answer)
            }
            // The error could quote the answer.
            Err(_) => Err(self.unanswered(format!("the answer of `{path}` cannot be read"))),
        }
    }

    fn unanswered(&mut self, why: String) -> Unanswered {
        self.failed.get_or_insert_with(|| why.clone());
        Unanswered(why)
    }
}

/// The code of the upstream's own error body, when it looks like one: a word such as `not.found` says nothing of data.
fn native_code(body: &[u8]) -> Option<String> {
    let body = json::parse_object(body, &Limits::default()).ok()?;
    let code = body.get("code")?.as_str()?;
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '.';
    (code.len() <= 60 && code.chars().all(plain)).then(|| code.to_owned())
}

/// A token of the region's own client credentials.
async fn token(door: &Door, base: &Base, settings: &RegionSettings) -> Result<SecretString, String> {
    let endpoint = base.join("/oauth/token", &[]).ok_or("its `url` carries no token path")?;
    let form = "grant_type=client_credentials";
    let Credentials::Service { client_id, client_secret } = &settings.credential else {
        return Err("it is asked with the token of who asks; name one to ask with".to_owned());
    };
    let reply = door.post_form(&endpoint, client_id, client_secret, form).await;
    let reply = reply.map_err(|why| format!("no token: {why}"))?;
    if reply.status != 200 {
        return Err(format!("the token endpoint answered {}", reply.status));
    }
    // The error's own text could quote the token.
    let answer = json::parse_object(&reply.body, &Limits::default());
    let answer = answer.map_err(|_| "the token endpoint's answer cannot be read")?;
    let token = answer.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    token.map(SecretString::from).ok_or_else(|| "the token endpoint gave no token".to_owned())
}
