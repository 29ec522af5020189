//! Tokens that stand in the configuration: for the demonstration and for tests.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

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

/// Found by digest: how long a look-up takes says nothing about how much of a token was right.
#[derive(Debug)]
pub(super) struct Statics {
    by_digest: HashMap<[u8; 32], Holder>,
}

impl Statics {
    /// Equal tokens are refused by the configuration.
    pub(super) fn new(tokens: &[StaticToken]) -> Self {
        let one = |token: &StaticToken| (digest(token.token.expose_secret()), token.holder.clone());
        Self { by_digest: tokens.iter().map(one).collect() }
    }

    pub(super) fn find(&self, token: &str) -> Option<&Holder> {
        self.by_digest.get(&digest(token))
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
