//! `POST /oauth/token`: the log-in of client libraries, for clients that the configuration knows.
//!
//! It is no operation: nothing is forwarded and no data of an upstream is in the answer.

use super::{Proxy, body, exchange::Exchange, front_door::Call, params, respond::Service};
use crate::model::refusal::{Code, Refusal};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

const FORM_BYTES: usize = 16 * 1024;
/// What client libraries plan with. A token of the configuration ends when it is taken out of it.
const EXPIRES_IN: u32 = 3600;

impl Proxy {
    pub(super) async fn log_in(&self, call: Call, exchange: &mut Exchange) -> Result<Service, Refusal> {
        exchange.enter("log-in");
        let (from, now) = (call.from, exchange.now());
        self.identity.may_log_in(from, now)?;
        let _place = self.logging_in.enter()?;
        let bytes = body::read(call.body, FORM_BYTES, &self.settings).await?;
        exchange.body_read();
        let form =
            std::str::from_utf8(&bytes).map_err(|_| Refusal::new(Code::RequestMalformed, "the form is not UTF-8"))?;
        let form = params::read(form)?;
        if field(&form, "grant_type")? != Some("client_credentials") {
            return Err(refuse("this proxy only knows `grant_type=client_credentials`"));
        }
        let (client, secret) = match &call.authorization {
            Some(authorization) => basic(authorization)?,
            None => match (field(&form, "client_id")?, field(&form, "client_secret")?) {
                (Some(client), Some(secret)) => (client.to_owned(), SecretString::from(secret.to_owned())),
                _ => return Err(refuse("send the client's id and secret, as Basic authorization or in the form")),
            },
        };
        let token = self.logins.token(&client, &secret).map_err(|wrong| {
            let says = "the client's id or secret is not right; ask the administrator of the proxy for a client";
            self.identity.counted(refuse(says).because(wrong.to_string()), from, now)
        })?;
        // Whoever left, or is not in the directory, gets none: the first request would be refused anyway.
        let bearer = SecretString::from(format!("Bearer {}", token.expose_secret()));
        let pinned = self.world.pin();
        let subject = self.identity.identify(Some(bearer.expose_secret()), from, &pinned.world.org, now).await?;
        exchange.identified(&subject, &pinned.world.org);
        Ok(Service::Token { token: token.clone(), expires_in: EXPIRES_IN })
    }
}

/// The one value of a form field.
fn field<'a>(form: &'a params::Pairs, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = form.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(Refusal::new(Code::RequestMalformed, "a field of the form stands twice")),
    }
}

fn basic(authorization: &SecretString) -> Result<(String, SecretString), Refusal> {
    let read = || {
        let (scheme, value) = authorization.expose_secret().split_once(' ')?;
        let decoded = BASE64_STANDARD
            .decode(value.trim_start_matches(' '))
            .ok()
            .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (client, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some((client.to_owned(), SecretString::from(secret.to_owned())))
    };
    read().ok_or_else(|| refuse("the authorization of a log-in is `Basic` with the client's id and secret"))
}

fn refuse(why: &'static str) -> Refusal {
    Refusal::new(Code::IdentityRequired, why)
}
