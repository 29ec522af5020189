//! Clients that log in with an id and a secret and get a token of the configuration.

use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use subtle::ConstantTimeEq as _;

#[derive(Debug, Clone)]
pub struct Login {
    pub client_id: String,
    pub client_secret: SecretString,
    /// The token it gets: one of the static tokens.
    pub token: SecretString,
}

/// Says which token a client's credentials give. Empty: none do.
#[derive(Debug, Default)]
pub struct Logins {
    clients: HashMap<String, (SecretString, SecretString)>,
}

impl Logins {
    pub fn new(logins: impl IntoIterator<Item = Login>) -> Self {
        let clients = logins.into_iter().map(|login| (login.client_id, (login.client_secret, login.token))).collect();
        Self { clients }
    }

    pub fn token(&self, client: &str, secret: &SecretString) -> Option<&SecretString> {
        let (due, token) = self.clients.get(client)?;
        let same = due.expose_secret().as_bytes().ct_eq(secret.expose_secret().as_bytes());
        bool::from(same).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_gives_the_token() {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let logins = Logins::new([Login { client_id: "c".into(), client_secret: secret("s"), token: secret("t") }]);
        assert_eq!(logins.token("c", &secret("s")).map(ExposeSecret::expose_secret), Some("t"));
        for (client, wrong) in [("c", "S"), ("c", ""), ("c", "ss"), ("d", "s"), ("", "")] {
            assert!(logins.token(client, &secret(wrong)).is_none());
        }
    }
}
