//! Tokens that stand in the configuration: for the demonstration and for tests.

use secrecy::SecretString;

#[derive(Debug, Clone)]
pub struct StaticToken {
    pub token: SecretString,
    pub holder: Holder,
}

/// Whom a token stands for, by id of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    User(Box<str>),
    /// A service account, by its own id.
    Service(Box<str>),
}

#[derive(Debug)]
pub(super) struct Statics {}

impl Statics {
    pub(super) fn new(tokens: &[StaticToken]) -> Self {
        let _ = tokens;
        Self {}
    }
}
