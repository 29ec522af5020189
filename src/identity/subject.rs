//! Who asks, once that is proved.

use crate::{
    model::{
        org::{Principal, RoleIx},
        set::Set,
        world::Claimed,
    },
    upstream::AskerToken,
};
use jiff::Timestamp;

/// Who asks, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub principal: Principal,
    /// The OAuth client the token was issued to, where the token says so.
    pub client: Option<Box<str>>,
    pub method: Method,
    /// The provider's session, where the token names it.
    pub session: Option<Box<str>>,
    /// When the proof ends.
    pub expires_at: Option<Timestamp>,
    /// His roles that the token names, where those count that it names; `None`: all of the directory's do.
    pub roles: Option<Set<RoleIx>>,
    /// The token, where it is one of an upstream's own, which may be asked with it.
    pub passes: Option<AskerToken>,
}

impl Subject {
    /// What the token says of its holder's roles.
    pub fn claimed(&self) -> Option<Claimed> {
        self.roles.as_ref().map(|roles| Claimed { holder: self.principal, roles: roles.clone() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Static,
    Jwt,
    /// Whoever issued the token was asked.
    Introspection,
    /// This proxy issued the token.
    Issued,
    /// The token was got here from a region's login host.
    Relayed,
    Certificate,
    /// Nobody asked now: he set it up, or was named, and it is asked for him.
    Schedule,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
            Self::Issued => "issued",
            Self::Relayed => "relayed",
            Self::Certificate => "certificate",
            Self::Schedule => "schedule",
        }
    }
}
