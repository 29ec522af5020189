//! Tokens to subjects. Says *who* asks, never what he may do.

mod jwt;
mod logins;
mod statics;

pub use jwt::JwtSettings;
pub use logins::{Login, Logins};
pub use statics::{Holder, StaticToken};

use crate::model::{org::{Org, Principal}, refusal::{Code, Refusal}};
use jiff::Timestamp;

#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub statics: Vec<StaticToken>,
    pub jwt: Option<JwtSettings>,
}

/// Who asks, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub principal: Principal,
    /// The OAuth client the token was issued to, where the token says so.
    pub client: Option<Box<str>>,
    pub method: Method,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Static,
    Jwt,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Jwt => "jwt",
        }
    }
}

/// The keys and tokens by which askers are known.
#[derive(Debug)]
pub struct Identity {
    statics: statics::Statics,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot use the keys in `{file}`: {why}")]
    Keys { file: String, why: String },
}

impl Identity {
    pub fn new(settings: &Settings) -> Result<Self, IdentityError> {
        Ok(Self { statics: statics::Statics::new(&settings.statics) })
    }

    /// `authorization` is the value of the one `Authorization` header.
    pub fn identify(&self, authorization: Option<&str>, org: &Org, now: Timestamp) -> Result<Subject, Refusal> {
        let _ = (authorization, org, now, &self.statics);
        Err(Refusal::new(Code::IdentityRequired, "send a token"))
    }
}
