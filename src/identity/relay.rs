//! Log-ins that a region's own login host decides: a request is built anew from what was read, and the answer from its typed fields.
//!
//! Nothing of either is logged or recorded. Of the tokens of clients is remembered whose they are, for nobody else can be asked about
//! them; people's tokens are known by introspection.

use super::{
    IdentityError, bearer,
    claims::{Claims, Roles, instant},
};
use crate::{
    base::hash::{sha256, sha256_hex},
    egress::{Door, DoorFailed, Reply, Times, Trust},
    model::login::Grant,
    query::json::{self, Value},
};
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

const MOST_BYTES: usize = 64 * 1024;
/// Log-ins of one region under way at once.
const AT_ONCE: usize = 16;
/// Clients' tokens that are remembered; of more, the one that was used longest ago is forgotten, and its client logs in anew.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);
/// The longest life that is believed, in seconds.
const LONGEST: i64 = 7 * 24 * 3600;
const TIMES: Times =
    Times { connect: Duration::from_secs(2), first_byte: Duration::from_secs(8), whole: Duration::from_secs(8) };

/// A log-in, read.
#[derive(Debug)]
pub struct LoginRequest {
    pub grant: Grant,
    pub client: String,
    /// Public clients have none.
    pub secret: Option<SecretString>,
    /// Those of [`Grant::fields`] that were sent.
    pub fields: Vec<(&'static str, SecretString)>,
}

/// What somebody gets who logged in.
#[derive(Debug)]
pub struct Granted {
    pub token: SecretString,
    pub expires_in: u32,
    pub refresh: Option<SecretString>,
}

#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Id of the region in the directory.
    pub region: String,
    /// The login host's `/oauth/token`.
    pub endpoint: Uri,
    pub trust: Trust,
    pub grants: Vec<Grant>,
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotGranted {
    /// The login host says no.
    Refused(u16),
    /// It cannot be asked, or says nothing that can be read.
    Unknown(&'static str),
}

type Digest = [u8; 32];

#[derive(Debug)]
pub(super) struct Relay {
    pub(super) settings: RelaySettings,
    door: Door,
    places: Semaphore,
    clients: Mutex<LruCache<Digest, Claims>>,
}

impl Relay {
    pub(super) fn new(settings: &RelaySettings) -> Result<Self, IdentityError> {
        let door = Door::new(&settings.trust, TIMES, Arc::new(|| {})).map_err(IdentityError::Provider)?;
        Ok(Self {
            settings: settings.clone(),
            door: door.reading(MOST_BYTES),
            places: Semaphore::new(AT_ONCE),
            clients: Mutex::new(LruCache::new(REMEMBERED)),
        })
    }

    pub(super) async fn ask(&self, asked: &LoginRequest, now: Timestamp) -> Result<Granted, NotGranted> {
        let _place = self.places.try_acquire().map_err(|_| NotGranted::Unknown("too many log in there at once"))?;
        let reply = match &asked.secret {
            Some(secret) => self.door.post_form(&self.settings.endpoint, &asked.client, secret, form(asked)).await,
            None => self.door.post_open_form(&self.settings.endpoint, form(asked)).await,
        };
        let granted = granted(reply, self.settings.grants.contains(&Grant::Refresh))?;
        if asked.grant == Grant::ClientCredentials {
            self.remember(&asked.client, &granted, now);
        }
        Ok(granted)
    }

    fn remember(&self, client: &str, granted: &Granted, now: Timestamp) {
        let token = granted.token.expose_secret().as_bytes();
        let lifetime = i64::from(granted.expires_in);
        let claims = Claims {
            name: client.into(),
            subject: None,
            client: Some(client.into()),
            token: Some(sha256_hex(token).into()),
            session: None,
            issued: Some(now),
            expires_at: now.checked_add(SignedDuration::from_secs(lifetime)).ok(),
            lifetime: Some(lifetime),
            roles: Roles::Unasked,
        };
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).put(sha256(token), claims);
    }

    /// Whose a client's token is that was got here.
    pub(super) fn holder(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = sha256(token.as_bytes());
        let claims = clients.get(&digest)?.clone();
        if claims.expires_at.is_some_and(|end| now < end) {
            return Some(claims);
        }
        clients.pop(&digest);
        None
    }
}

fn form(asked: &LoginRequest) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut form = format!("grant_type={}", encoded(asked.grant.word()));
    let public = asked.secret.is_none().then_some(("client_id", asked.client.as_str()));
    let fields = asked.fields.iter().map(|(name, value)| (*name, value.expose_secret()));
    for (name, value) in public.into_iter().chain(fields) {
        form.extend(["&", name, "=", &encoded(value)]);
    }
    form
}

fn granted(reply: Result<Reply, DoorFailed>, refreshes: bool) -> Result<Granted, NotGranted> {
    const NO_ANSWER: NotGranted = NotGranted::Unknown("the login host gives no answer that can be read");
    let reply = reply.map_err(|failed| match failed {
        DoorFailed::Timeout => NotGranted::Unknown("the login host does not answer in time"),
        DoorFailed::Broken(_) => NotGranted::Unknown("the login host cannot be reached"),
    })?;
    match reply.status {
        200 => {}
        status @ (400 | 401 | 403) => return Err(NotGranted::Refused(status)),
        _ => return Err(NO_ANSWER),
    }
    let said = json::parse_object(&reply.body, &json::Limits::answer(MOST_BYTES)).map_err(|_| NO_ANSWER)?;
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    // what cannot be a bearer here is of no use to anybody
    let token = text("access_token").filter(|token| bearer::is_token(token)).ok_or(NO_ANSWER)?;
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(NO_ANSWER);
    }
    let lives = instant(said.get("expires_in")).filter(|lives| (1..=LONGEST).contains(lives)).ok_or(NO_ANSWER)?;
    let refresh = text("refresh_token").filter(|_| refreshes).filter(|token| bearer::is_token(token));
    Ok(Granted {
        token: SecretString::from(token),
        expires_in: u32::try_from(lives).map_err(|_| NO_ANSWER)?,
        refresh: refresh.map(SecretString::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, refreshes: bool) -> Result<(String, u32, Option<String>), NotGranted> {
        let said = granted(Ok(Reply { status, body: body.as_bytes().to_vec() }), refreshes)?;
        let refresh = said.refresh.map(|token| token.expose_secret().to_owned());
        Ok((said.token.expose_secret().to_owned(), said.expires_in, refresh))
    }

    #[test]
    fn an_answer_is_its_typed_fields() {
        let good = r#"{"access_token":"t-1","token_type":"Bearer","expires_in":86399,"refresh_token":"r-1","error":"x","more":{}}"#;
        assert_eq!(read(200, good, true), Ok(("t-1".to_owned(), 86_399, Some("r-1".to_owned()))));
        assert_eq!(read(200, good, false), Ok(("t-1".to_owned(), 86_399, None)));
        for (from, to) in [
            ("\"t-1\"", "\"t 1\""),
            ("\"t-1\"", "\"\""),
            ("\"t-1\"", "7"),
            ("\"Bearer\"", "\"mac\""),
            ("\"token_type\":\"Bearer\",", ""),
            ("86399", "0"),
            ("86399", "-1"),
            ("86399", "604801"),
            ("86399", "\"86399\""),
            (",\"expires_in\":86399", ""),
            ("\"more\"", "\"access_token\""),
        ] {
            assert!(good.contains(from), "{from}");
            assert!(matches!(read(200, &good.replace(from, to), true), Err(NotGranted::Unknown(_))), "{from} {to}");
        }
        for status in [400, 401, 403] {
            assert_eq!(read(status, good, true), Err(NotGranted::Refused(status)));
        }
        for status in [201, 204, 302, 404, 429, 500, 503] {
            assert!(matches!(read(status, good, true), Err(NotGranted::Unknown(_))), "{status}");
        }
    }

    #[test]
    fn a_form_is_built_of_what_was_read() {
        let asked = |secret: Option<&str>, fields: &[(&'static str, &str)]| LoginRequest {
            grant: Grant::AuthorizationCode,
            client: "app&x".to_owned(),
            secret: secret.map(SecretString::from),
            fields: fields.iter().map(|(name, value)| (*name, SecretString::from(*value))).collect(),
        };
        assert_eq!(form(&asked(Some("s"), &[("code", "a&b=c")])), "grant_type=authorization%5Fcode&code=a%26b%3Dc");
        assert_eq!(
            form(&asked(None, &[("code", "a"), ("code_verifier", "v")])),
            "grant_type=authorization%5Fcode&client_id=app%26x&code=a&code_verifier=v"
        );
    }
}
