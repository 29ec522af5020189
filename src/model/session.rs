//! Tokens that were ended before their time, and who was last seen to be signed in.

use jiff::Timestamp;

/// What of a token is compared with what was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// One token, by its id; of one that has none, the SHA-256 of it.
    Token,
    /// Every token of a user of the directory.
    User,
    /// Every token that was issued to a client.
    Client,
    /// Every token of one session of the identity provider.
    Session,
    /// Every token of whom the identity provider calls so.
    Subject,
}

impl Whose {
    pub const ALL: [Self; 5] = [Self::Token, Self::User, Self::Client, Self::Session, Self::Subject];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::User => "user",
            Self::Client => "client",
            Self::Session => "session",
            Self::Subject => "subject",
        }
    }

    /// The thing itself is over, and not only what was issued before.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Token | Self::Session)
    }
}

/// Tokens that are taken no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub whose: Whose,
    pub id: Box<str>,
    /// What was issued until then is over.
    pub at: Timestamp,
    /// By then no token of before can be left, as far as anybody knows.
    pub until: Timestamp,
}

/// By which token a user was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    pub user: Box<str>,
    pub token: Option<Box<str>>,
    pub client: Option<Box<str>>,
    pub session: Option<Box<str>>,
    pub subject: Option<Box<str>>,
    pub issued: Timestamp,
    pub until: Timestamp,
}
