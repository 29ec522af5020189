//! `[identity]`: who may ask, and by which tokens.

use super::{Proxy, Section};
use crate::identity::{self, Account, Holder, JwtSettings, Mark, StaticToken};
use jsonwebtoken::Algorithm;
use secrecy::ExposeSecret as _;
use std::{collections::HashSet, ops::Range, time::Duration};

pub(super) fn identity(section: Section<'_, '_>, proxy: &Proxy, proxy_at: &Range<usize>) -> identity::Settings {
    let reader = section.reader();
    let open = section.flag("unsafe-static-tokens");
    let mut statics = Vec::new();
    let mut logins = Vec::new();
    let mut seen = HashSet::new();
    let mut first = None;
    for one in section.sections("static") {
        first.get_or_insert_with(|| one.at.clone());
        let token = one.secret("token");
        let user = one.text("user", "the id of a user of the directory");
        let service = one.text("service", "the id of a service account of the directory");
        let holder = match (user, service) {
            (Some((user, _)), None) => Some(Holder::User(user.into())),
            (None, Some((service, _))) => Some(Holder::Service(service.into())),
            _ => {
                reader.problem(
                    one.at.clone(),
                    "a static token stands for nobody, or for two",
                    "write `user` or `service`",
                );
                None
            }
        };
        if let Some((client_id, at)) = one.text("client-id", "the client id that an SDK logs in with") {
            let client_id = client_id.to_owned();
            let secret = one.secret("client-secret");
            if let (Some((client_secret, ..)), Some((token, ..))) = (secret, &token) {
                logins.push(identity::Login { client_id, client_secret, token: token.clone() });
            } else {
                reader.problem(
                    at,
                    "a client that logs in needs its secret and the token it gets",
                    "write `client-secret` and `token` beside it",
                );
            }
        }
        one.done();
        if let (Some((token, _, at)), Some(holder)) = (token, holder) {
            if !seen.insert(token.expose_secret().to_owned()) {
                reader.problem(at, "two static tokens are the same", "give each holder a token of its own");
            }
            statics.push(StaticToken { token, holder });
        }
    }
    if let Some(at) = first
        && !proxy.listen.ip().is_loopback()
        && !open
    {
        let at = if proxy_at.is_empty() { at } else { proxy_at.clone() };
        reader.problem(
            at,
            format!("static tokens would be taken on `{}`, which others can reach", proxy.listen),
            "listen on 127.0.0.1, use `[identity.jwt]`, or write `unsafe-static-tokens = true` under `[identity]`",
        );
    }
    let jwt = section.section("jwt");
    let jwt = if jwt.present() { jwt_settings(jwt) } else { None };
    let accounts = accounts(&section, proxy);
    if statics.is_empty() && jwt.is_none() && !section.has_any(&["static", "jwt", "certificate"]) {
        reader.problem_of_file(
            "nobody could sign in",
            "add `[identity.jwt]`, or `[[identity.static]]` for trying things out",
        );
    }
    section.done();
    identity::Settings { statics, jwt, logins, accounts }
}

/// `[[identity.certificate]]`: service accounts that are known by the certificate of their connection.
fn accounts(section: &Section<'_, '_>, proxy: &Proxy) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    for one in section.sections("certificate") {
        let reader = one.reader();
        let service = one.needed("service", "`service = \"...\"`: the id of a service account of the directory");
        let name = one.text("name", "an alternative name of the certificate's subject, a host or a URI");
        let fingerprint = one.text("fingerprint", "the SHA-256 of the certificate in hexadecimal digits");
        let mark = match (name, fingerprint) {
            (Some((name, at)), None) => {
                if name.contains('*') {
                    let what = format!("`{name}` is compared to the letter, and no account has all of its names");
                    reader.problem(at, what, "write the one name of the account");
                }
                Some(Mark::Name(name.to_owned()))
            }
            (None, Some((text, at))) => {
                let digits = text.replace(':', "").to_ascii_lowercase();
                if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    let help = "write the 64 digits that `openssl x509 -noout -fingerprint -sha256 -in FILE` prints";
                    reader.problem(at, format!("`{text}` is no SHA-256"), help);
                }
                Some(Mark::Fingerprint(digits))
            }
            _ => {
                let what = "a certificate is known by nothing, or by two things";
                reader.problem(one.at.clone(), what, "write `name` or `fingerprint`");
                None
            }
        };
        if let Some(mark) = &mark
            && accounts.iter().any(|known| known.mark == *mark)
        {
            reader.problem(one.at.clone(), "two accounts have one certificate", "give each of them its own");
        }
        if proxy.tls.as_ref().is_none_or(|files| files.clients.is_none()) {
            let what = "no client is asked for a certificate";
            reader.problem(
                one.at.clone(),
                what,
                "name under `[proxy.tls]` the `client-ca` that signs those of clients",
            );
        }
        one.done();
        if let (Some(mark), Some((service, _))) = (mark, service) {
            accounts.push(Account { mark, service: service.into() });
        }
    }
    accounts
}

const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

fn jwt_settings(section: Section<'_, '_>) -> Option<JwtSettings> {
    let key_file = section.file("key-file");
    if key_file.is_none() && !section.has_any(&["key-file"]) {
        section.missing("key-file", "`key-file = \"keys.json\"`: a PEM public key or a JSON key set");
    }
    let algorithms = section.words("algorithms", &ALGORITHMS);
    if algorithms.as_ref().is_none_or(Vec::is_empty) {
        section.missing("algorithms", "`algorithms = [\"RS256\"]`: those that your identity provider signs with");
    }
    let issuer = section.needed("issuer", "`issuer = \"https://...\"`, exactly as tokens say it");
    let audience = section.needed("audience", "`audience = \"...\"`, exactly as tokens say it");
    let claim = section.text("claim", "the claim with the user's id").map_or("sub", |(text, _)| text);
    let typ = section.text("type", "the `typ` of the header, such as `at+jwt`").map(|(text, _)| text.to_owned());
    let leeway = section.duration("leeway").unwrap_or(Duration::from_mins(1));
    let max_lifetime = section.duration("max-lifetime").unwrap_or(Duration::from_hours(24));
    section.done();
    Some(JwtSettings {
        key_file: key_file?,
        algorithms: algorithms?,
        issuer: issuer?.0.to_owned(),
        audience: audience?.0.to_owned(),
        claim: claim.to_owned(),
        typ,
        leeway,
        max_lifetime,
    })
}
