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

/// Why a client gets no token, for the record: the asker is told one sentence for both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongLogin {
    /// An id that nobody configured may be a secret in the wrong field: it is not repeated.
    #[error("no client of the configuration has this id")]
    Client,
    #[error("the secret is not that of client `{0}`")]
    Secret(String),
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

    pub fn token(&self, client: &str, secret: &SecretString) -> Result<&SecretString, WrongLogin> {
        let (client, (due, token)) = self.clients.get_key_value(client).ok_or(WrongLogin::Client)?;
        let same = due.expose_secret().as_bytes().ct_eq(secret.expose_secret().as_bytes());
        if bool::from(same) { Ok(token) } else { Err(WrongLogin::Secret(client.clone())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_gives_the_token() {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let logins = Logins::new([Login { client_id: "c".into(), client_secret: secret("s"), token: secret("t") }]);
        assert_eq!(logins.token("c", &secret("s")).map(ExposeSecret::expose_secret), Ok("t"));
        for (client, wrong) in [("c", "S"), ("c", ""), ("c", "ss"), ("d", "s"), ("", "")] {
            let due = if client == "c" { WrongLogin::Secret("c".into()) } else { WrongLogin::Client };
            assert_eq!(logins.token(client, &secret(wrong)).map(ExposeSecret::expose_secret), Err(due));
        }
    }
}
