//! Tokens of this proxy's own, for clients of its configuration: short-lived, and kept nowhere.
//!
//! A token says which client got it and when it ends, signed with a key that is made of the client's secret: every process with the
//! same configuration believes it, after a restart too, and a changed secret ends it.

use super::{
    claims::{Claims, Roles},
    jwt::seconds,
    logins::WrongLogin,
};
use crate::base::hash::sha256;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use secrecy::{ExposeSecret as _, SecretString};
use std::{collections::HashMap, time::Duration};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// With what every such token begins.
const MARK: &str = "bailiwick_";
/// How far the clocks of two processes may be apart, in seconds.
const APART: i64 = 60;

/// A client that gets tokens of this proxy, by the id of a service account's client in the directory.
#[derive(Debug, Clone)]
pub struct OwnClient {
    pub client_id: String,
    pub client_secret: SecretString,
}

/// Issues such tokens and reads them again. Without clients there are none.
#[derive(Debug)]
pub(super) struct Issued {
    clients: HashMap<String, SecretString>,
    lifetime: Duration,
}

impl Issued {
    pub(super) fn new(clients: &[OwnClient], lifetime: Duration) -> Self {
        let one = |client: &OwnClient| (client.client_id.clone(), client.client_secret.clone());
        Self { clients: clients.iter().map(one).collect(), lifetime }
    }

    /// Whether a client's secret is right. [`WrongLogin::Client`]: it gets its tokens elsewhere, or nowhere.
    pub(super) fn prove(&self, client: &str, secret: &SecretString) -> Result<(), WrongLogin> {
        let due = self.clients.get(client).ok_or(WrongLogin::Client)?;
        let same = due.expose_secret().as_bytes().ct_eq(secret.expose_secret().as_bytes());
        if bool::from(same) { Ok(()) } else { Err(WrongLogin::Secret(client.to_owned())) }
    }

    /// A token for a client that has proved who it is, and how many seconds it lives: no more than `most`.
    pub(super) fn issue(&self, client: &str, most: Duration, now: Timestamp) -> Option<(SecretString, u32)> {
        let lives = self.lifetime.min(most).as_secs();
        let ends = now.as_second().checked_add(i64::try_from(lives).ok()?)?;
        let says = format!("{}.{ends}.{}.{client}", now.as_second(), Uuid::now_v7().simple());
        let says = format!("{MARK}{}", URL_SAFE_NO_PAD.encode(says));
        let key = EncodingKey::from_secret(&self.key(client)?);
        let signature = crypto::sign(says.as_bytes(), &key, Algorithm::HS256).ok()?;
        Some((SecretString::from(format!("{says}.{signature}")), u32::try_from(lives).ok()?))
    }

    /// What a token says; `None`: it is none of these.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Option<Result<Claims, &'static str>> {
        token.starts_with(MARK).then(|| self.claims(token, now))
    }

    fn claims(&self, token: &str, now: Timestamp) -> Result<Claims, &'static str> {
        const FORM: &str = "the token is none that this proxy makes";
        const NOT_OURS: &str = "the token was not issued to a client that is configured now, by its secret of now";
        let (says, signature) = token.split_once('.').ok_or(FORM)?;
        let text = says.strip_prefix(MARK).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(FORM)?;
        let mut parts = std::str::from_utf8(&text).map_err(|_| FORM)?.splitn(4, '.');
        let (Some(issued), Some(ends), Some(id), Some(client)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(FORM);
        };
        let key = DecodingKey::from_secret(&self.key(client).ok_or(NOT_OURS)?);
        if !crypto::verify(signature, says.as_bytes(), &key, Algorithm::HS256).unwrap_or(false) {
            return Err(NOT_OURS);
        }
        let (issued, ends): (i64, i64) = (issued.parse().map_err(|_| FORM)?, ends.parse().map_err(|_| FORM)?);
        let lifetime = ends.saturating_sub(issued);
        if now.as_second() >= ends || lifetime > seconds(self.lifetime) {
            return Err("the token has ended, or lives longer than `token-lifetime` allows now");
        }
        if issued > now.as_second().saturating_add(APART) {
            return Err("the token is not valid yet");
        }
        Ok(Claims {
            name: client.into(),
            subject: None,
            client: Some(client.into()),
            token: Some(id.into()),
            session: None,
            issued: Timestamp::from_second(issued).ok(),
            expires_at: Timestamp::from_second(issued)
                .ok()
                .and_then(|issued| issued.checked_add(SignedDuration::from_secs(lifetime)).ok()),
            lifetime: Some(lifetime),
            roles: Roles::Unasked,
        })
    }

    /// Nobody learns a secret by a key that is made of it, as long as the secret cannot be guessed.
    fn key(&self, client: &str) -> Option<[u8; 32]> {
        let secret = self.clients.get(client)?;
        Some(sha256(&[b"bailiwick: tokens of a client\0", secret.expose_secret().as_bytes()].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuing(secret: &str, minutes: u64) -> Issued {
        let client = |id: &str, secret: &str| OwnClient { client_id: id.to_owned(), client_secret: secret.into() };
        Issued::new(&[client("robot", secret), client("other", secret)], Duration::from_mins(minutes))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_is_its_clients_until_it_ends() {
        let issued = issuing("one", 15);
        let (token, lives) = issued.issue("robot", Duration::MAX, at(1_000)).unwrap();
        assert_eq!(lives, 900);
        let token = token.expose_secret();
        let claims = issued.read(token, at(1_000)).unwrap().unwrap();
        assert_eq!((&*claims.name, claims.lifetime, claims.expires_at), ("robot", Some(900), Some(at(1_900))));
        // another process with the same configuration, whose clock is a little behind
        assert!(issuing("one", 15).read(token, at(941)).unwrap().is_ok());
        assert!(issuing("one", 15).read(token, at(939)).unwrap().is_err());
        assert!(issued.read(token, at(1_899)).unwrap().is_ok());
        assert!(issued.read(token, at(1_900)).unwrap().is_err());
        // by another secret, and with a shorter life allowed
        assert!(issuing("two", 15).read(token, at(1_000)).unwrap().is_err());
        assert!(issuing("one", 14).read(token, at(1_000)).unwrap().is_err());
        let (again, lives) = issued.issue("robot", Duration::from_mins(5), at(1_000)).unwrap();
        assert_eq!(lives, 300);
        assert_ne!(again.expose_secret(), token);
        assert!(issued.issue("nobody", Duration::MAX, at(1_000)).is_none());
    }

    #[test]
    fn nothing_of_a_token_can_be_changed() {
        let issued = issuing("one", 15);
        let (token, _) = issued.issue("robot", Duration::MAX, at(1_000)).unwrap();
        let token = token.expose_secret();
        for at_byte in MARK.len()..token.len() {
            let mut changed = token.to_owned().into_bytes();
            changed[at_byte] = if changed[at_byte] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(issued.read(&changed, at(1_000)).unwrap().is_err(), "{at_byte}");
        }
        let (says, signature) = token.split_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode("1000.1900.x.other");
        for forged in [format!("{MARK}{other}.{signature}"), format!("{says}."), says.to_owned(), MARK.to_owned()] {
            assert!(issued.read(&forged, at(1_000)).unwrap().is_err(), "{forged}");
        }
        assert!(issued.read("opaque", at(1_000)).is_none());
    }
}
