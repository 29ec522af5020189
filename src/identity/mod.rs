//! Tokens to subjects. Says *who* asks, never what he may do.
//!
//! A token is either one of those that stand in the configuration or a signed one whose key stands in a file. Nothing
//! in a token tells where its key is to be found. No token reaches a log, a refusal or the record. Instead of a token, a
//! service account may have a certificate, which the connection has proved.

mod bearer;
mod certificates;
mod jwt;
mod keys;
mod logins;
mod statics;

pub use certificates::{Account, Mark};
pub use jwt::JwtSettings;
pub use logins::{Login, Logins, WrongLogin};
pub use statics::{Holder, StaticToken};

use crate::model::{
    org::{Org, Principal},
    refusal::{Code, Refusal},
};
use jiff::Timestamp;

#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub statics: Vec<StaticToken>,
    pub jwt: Option<JwtSettings>,
    /// Clients that log in here.
    pub logins: Vec<Login>,
    /// Service accounts that are known by a certificate.
    pub accounts: Vec<Account>,
}

/// Who asks, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub principal: Principal,
    /// The OAuth client the token was issued to, where the token says so.
    pub client: Option<Box<str>>,
    pub method: Method,
    /// When the proof ends.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Static,
    Jwt,
    Certificate,
    /// Nobody asked now: he set it up, or was named, and it is asked for him.
    Schedule,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Jwt => "jwt",
            Self::Certificate => "certificate",
            Self::Schedule => "schedule",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot use the keys in `{file}`: {why}")]
    Keys { file: String, why: String },
    #[error("`algorithms` is empty; name those that your identity provider signs with, such as `RS256`")]
    NoAlgorithm,
    #[error(
        "algorithm `{0}` works with a shared secret; only signatures that this proxy cannot make itself are accepted"
    )]
    Symmetric(String),
}

/// The keys and tokens by which askers are known.
#[derive(Debug)]
pub struct Identity {
    statics: statics::Statics,
    jwt: Option<jwt::Verifier>,
    accounts: Vec<Account>,
}

impl Identity {
    /// Reads the key file.
    pub fn new(settings: &Settings) -> Result<Self, IdentityError> {
        let jwt = settings.jwt.as_ref().map(jwt::Verifier::new).transpose()?;
        Ok(Self { statics: statics::Statics::new(&settings.statics), jwt, accounts: settings.accounts.clone() })
    }

    /// `authorization` is the value of the one `Authorization` header.
    pub fn identify(&self, authorization: Option<&str>, org: &Org, now: Timestamp) -> Result<Subject, Refusal> {
        let Some(value) = authorization else {
            return Err(required("no `Authorization` header"));
        };
        let token = bearer::token(value).map_err(required)?;
        if let Some(holder) = self.statics.find(token) {
            let principal = match holder {
                Holder::User(id) => org.index.users.get(id).copied().map(Principal::User),
                Holder::Service(id) => org.index.services.get(id).copied().map(Principal::Service),
            };
            let known = principal.ok_or_else(|| unknown("the configured holder is not in the directory"))?;
            return known_and_active(known, org).map(|principal| Subject {
                principal,
                client: None,
                method: Method::Static,
                expires_at: None,
            });
        }
        let Some(verifier) = &self.jwt else {
            return Err(required("the token is none of those configured"));
        };
        let claims = verifier.verify(token, now).map_err(required)?;
        let principal = match (org.index.users.get(&claims.name), org.index.clients.get(&claims.name)) {
            (Some(user), None) => Principal::User(*user),
            (None, Some(service)) => Principal::Service(*service),
            (None, None) => return Err(unknown("no user and no client of this id is in the directory")),
            (Some(_), Some(_)) => return Err(unknown("a user and a client of the directory have this same id")),
        };
        known_and_active(principal, org).map(|principal| Subject {
            principal,
            client: claims.client,
            method: Method::Jwt,
            expires_at: Some(claims.expires_at),
        })
    }
}

fn known_and_active(principal: Principal, org: &Org) -> Result<Principal, Refusal> {
    match principal {
        Principal::User(user) if !org.user(user).active => Err(unknown("the account is not active")),
        Principal::User(_) | Principal::Service(_) => Ok(principal),
    }
}

/// The asker learns nothing of what was wrong with a token; the record does.
fn required(cause: impl Into<String>) -> Refusal {
    Refusal::new(
        Code::IdentityRequired,
        "send `Authorization: Bearer` with a token that is valid now; sign in again to get one",
    )
    .because(cause)
}

fn unknown(cause: &'static str) -> Refusal {
    Refusal::new(
        Code::IdentityUnknown,
        "your sign-in is good, but this proxy knows no active account of yours; ask the administrator of your organisation",
    )
    .because(cause)
}

#[cfg(test)]
mod tests;
