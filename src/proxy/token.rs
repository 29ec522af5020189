//! `POST /oauth/token`: the log-in of client libraries. Who gets a token, `identity` says.
//!
//! It is no operation: no query is forwarded and no data of an upstream is in the answer. The form is read strictly, and nothing of
//! it stands in the record.

use super::{Proxy, body, exchange::Exchange, front_door::Call, params, respond::Service};
use crate::{
    identity::{Granted, LoginRequest, WrongLogin},
    model::{
        login::Grant,
        refusal::{Code, Refusal},
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

const FORM_BYTES: usize = 64 * 1024;
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
        let asked = read(&params::read(form)?, call.authorization.as_ref())?;
        let granted = self.grant(&asked, call.region.as_deref(), exchange).await;
        let granted = granted.map_err(|refusal| self.identity.counted(refusal, from, now))?;
        if asked.grant == Grant::ClientCredentials {
            // Whoever left, or is not in the directory, gets none: the first request would be refused anyway.
            let bearer = SecretString::from(format!("Bearer {}", granted.token.expose_secret()));
            let pinned = self.world.pin();
            let subject = self.identity.identify(Some(bearer.expose_secret()), from, &pinned.world.org, now).await?;
            exchange.identified(&subject, &pinned.world.org);
        }
        Ok(Service::Token(granted))
    }

    /// A token of the configuration, one of this proxy's own, or one of a region's login host: by who knows the client.
    async fn grant(&self, asked: &LoginRequest, named: Option<&str>, exchange: &Exchange) -> Result<Granted, Refusal> {
        let fixed = asked.secret.as_ref().filter(|_| asked.grant == Grant::ClientCredentials);
        match fixed.map(|secret| self.logins.token(&asked.client, secret)) {
            Some(Ok(token)) => return Ok(Granted { token: token.clone(), expires_in: EXPIRES_IN, refresh: None }),
            Some(Err(why @ WrongLogin::Secret(_))) => {
                let says = "the client's id or secret is not right; ask the administrator of the proxy for a client";
                return Err(refuse(says).because(why.to_string()));
            }
            Some(Err(WrongLogin::Client)) | None => {}
        }
        let org = &self.world.pin().world.org;
        match self.identity.issue(asked, org, exchange.now()) {
            Some(issued) => issued,
            None => self.identity.relay(asked, named, org, exchange.now()).await,
        }
    }
}

/// Reads a form: each field once, none but those of its grant, and one way to say who asks.
fn read(form: &params::Pairs, authorization: Option<&SecretString>) -> Result<LoginRequest, Refusal> {
    let named = field(form, "grant_type")?;
    let grant = Grant::ALL.into_iter().find(|grant| Some(grant.word()) == named);
    let grant = grant.ok_or_else(|| refuse("this proxy does not know this `grant_type`"))?;
    let (id, secret) = (field(form, "client_id")?, field(form, "client_secret")?);
    let (client, secret) = match (authorization, id, secret) {
        (Some(authorization), id, None) => {
            let (client, secret) = basic(authorization)?;
            if id.is_some_and(|id| id != client) {
                return Err(malformed("the form names another client than the authorization"));
            }
            (client, Some(secret))
        }
        (Some(_), _, Some(_)) => return Err(malformed("the client's secret is sent twice; send it once")),
        (None, Some(client), Some(secret)) => (client.to_owned(), Some(SecretString::from(secret))),
        // a public client proves that the code is its own, or has a token to refresh
        (None, Some(client), None) if is_public(grant, form)? => (client.to_owned(), None),
        _ => return Err(refuse("send the client's id and secret, as Basic authorization or in the form")),
    };
    if client.is_empty() || client.contains(':') {
        return Err(refuse("no client has such an id"));
    }
    let mut fields = Vec::new();
    for (name, due) in grant.fields() {
        match field(form, name)?.filter(|value| !value.is_empty()) {
            Some(value) => fields.push((*name, SecretString::from(value))),
            None if *due => return Err(malformed(format!("`{name}` is missing in the form"))),
            None => {}
        }
    }
    let of_all = ["grant_type", "client_id", "client_secret"];
    let known = |name: &str| of_all.contains(&name) || grant.fields().iter().any(|(field, _)| *field == name);
    if form.iter().any(|(name, _)| !known(name)) {
        return Err(malformed(format!("the form has a field that `{}` does not know; leave it out", grant.word())));
    }
    Ok(LoginRequest { grant, client, secret, fields })
}

fn is_public(grant: Grant, form: &params::Pairs) -> Result<bool, Refusal> {
    Ok(match grant {
        Grant::AuthorizationCode => field(form, "code_verifier")?.is_some_and(|verifier| !verifier.is_empty()),
        Grant::Refresh => true,
        Grant::ClientCredentials | Grant::Saml => false,
    })
}

/// The one value of a form field.
fn field<'a>(form: &'a params::Pairs, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = form.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(malformed("a field of the form stands twice")),
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

fn malformed(why: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Code::RequestMalformed, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(form: &str, basic: Option<&str>) -> Result<LoginRequest, Code> {
        let basic = basic.map(|pair| SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair))));
        read(&params::read(form).unwrap(), basic.as_ref()).map_err(|refusal| refusal.code)
    }

    #[test]
    fn one_reading_of_a_form_and_of_who_sends_it() {
        let read = asked("grant_type=client_credentials", Some("c:s:t")).unwrap();
        assert_eq!((&*read.client, read.secret.unwrap().expose_secret()), ("c", "s:t"));
        let saml = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Asaml2-bearer&assertion=PD94&orgName=acme";
        let read = asked(saml, Some("c:s")).unwrap();
        let fields: Vec<_> = read.fields.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        assert_eq!((read.grant, fields), (Grant::Saml, vec![("assertion", "PD94"), ("orgName", "acme")]));
        let code = "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Fa.example&client_id=c";
        let read = asked(&format!("{code}&code_verifier=v"), None).unwrap();
        assert!(read.secret.is_none() && read.fields.len() == 3);
        assert!(asked("grant_type=refresh_token&refresh_token=r&client_id=c", None).is_ok());
        for (form, basic, due) in [
            ("", Some("c:s"), Code::IdentityRequired),
            ("grant_type=password&username=a&password=b", Some("c:s"), Code::IdentityRequired),
            ("grant_type=client_credentials", None, Code::IdentityRequired),
            ("grant_type=client_credentials&client_id=c", None, Code::IdentityRequired),
            ("grant_type=client_credentials&client_id=c%3Ad&client_secret=s", None, Code::IdentityRequired),
            ("grant_type=client_credentials&client_id=d", Some("c:s"), Code::RequestMalformed),
            ("grant_type=client_credentials&client_id=c&client_secret=s", Some("c:s"), Code::RequestMalformed),
            ("grant_type=client_credentials&grant_type=client_credentials", Some("c:s"), Code::RequestMalformed),
            ("grant_type=client_credentials&code=x", Some("c:s"), Code::RequestMalformed),
            ("grant_type=client_credentials&scope=all", Some("c:s"), Code::RequestMalformed),
            ("grant_type=authorization_code&code=x", Some("c:s"), Code::RequestMalformed),
            (code, None, Code::IdentityRequired),
        ] {
            assert_eq!(asked(form, basic).err(), Some(due), "{form} {basic:?}");
        }
    }
}
