//! `[identity]`: who may ask, and by which tokens.

use super::{
    super::reader::{At, Standing},
    Proxy, Section,
    logins::{clients, refuse_unknowable, relay},
    regions::loopback,
};
use crate::{
    base::address,
    egress::Trust,
    identity::{
        self, Account, ActingSettings, Asks, Holder, IntrospectionSettings, IssuerKeys, JwtSettings, KeysFrom, Login,
        Mark, StaticToken,
    },
    upstream::RegionSettings,
};
use jsonwebtoken::Algorithm;
use secrecy::ExposeSecret as _;
use std::{collections::HashSet, num::NonZeroUsize, ops::Range, time::Duration};

pub(super) fn identity(
    section: Section<'_, '_>,
    proxy: &Proxy,
    proxy_at: &Range<usize>,
    regions: &[RegionSettings],
) -> identity::Settings {
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
                logins.push(Login { client_id, client_secret, token: token.clone() });
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
    let (clients, token_lifetime) = clients(&section, &logins, proxy);
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
    let asked = section.section("introspection");
    let introspection = if asked.present() { introspection(asked, proxy, regions) } else { None };
    let relays: Vec<_> = regions.iter().filter_map(relay).collect();
    let ways = ["static", "jwt", "introspection", "certificate", "client"];
    if relays.is_empty() && statics.is_empty() && jwt.is_none() && introspection.is_none() && !section.has_any(&ways) {
        reader.problem_of_file(
            "nobody could sign in",
            "add `[identity.jwt]` or `[identity.introspection]`, or `[[identity.static]]` for trying things out",
        );
    }
    refuse_unknowable(&section, introspection.as_ref(), regions);
    let default = identity::Settings::default();
    let failures = section.count("failures-per-minute", 1, 1_000_000).and_then(|many| u32::try_from(many).ok());
    let made = identity::Settings {
        statics,
        jwt,
        introspection,
        logins,
        clients,
        token_lifetime: token_lifetime.unwrap_or(default.token_lifetime),
        relays,
        accounts,
        bpo_max_lifetime: section.duration("bpo-max-lifetime").unwrap_or(default.bpo_max_lifetime),
        failures_per_minute: failures.unwrap_or(default.failures_per_minute),
        logout_audience: section
            .text("logout-audience", "what `aud` of a token of log-out has to hold")
            .map(|(text, _)| text.to_owned()),
        acting: acting(section.section("acting")),
    };
    section.done();
    made
}

fn acting(section: Section<'_, '_>) -> ActingSettings {
    let require_session = !section.has_any(&["require-session"]) | section.flag("require-session");
    let administrators = section.texts("administrators", "ids of users of the directory").into_iter();
    let administrators = administrators.map(|(id, _)| id.into()).collect();
    section.done();
    ActingSettings { require_session, administrators }
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
    let published = section.flag("discovery");
    if key_file.is_none() && !section.has_any(&["key-file"]) && !published {
        let due = "`key-file = \"keys.json\"`: a PEM public key or a JSON key set; or `discovery = true`: those that the issuer publishes";
        section.missing("key-file", due);
    }
    if published && section.has_any(&["key-file"]) {
        section.reader().problem(
            section.at.clone(),
            "keys of a file and of the issuer",
            "leave `key-file` or `discovery`",
        );
    }
    let algorithms = section.words("algorithms", &ALGORITHMS);
    if algorithms.as_ref().is_none_or(Vec::is_empty) {
        section.missing("algorithms", "`algorithms = [\"RS256\"]`: those that your identity provider signs with");
    }
    let issuer = section.needed("issuer", "`issuer = \"https://...\"`, exactly as tokens say it");
    let audience = section.needed("audience", "`audience = \"...\"`, exactly as tokens say it");
    let claim = section.text("claim", "the claim with the user's id").map_or("sub", |(text, _)| text);
    let role_claim = role_claim(&section);
    let typ = section.text("type", "the `typ` of the header, such as `at+jwt`").map(|(text, _)| text.to_owned());
    let leeway = section.duration("leeway").unwrap_or(Duration::from_mins(1));
    let max_lifetime = section.duration("max-lifetime").unwrap_or(Duration::from_hours(24));
    let needs_not_before = section.word("not-before", &[("required", true), ("optional", false)]).unwrap_or(true);
    let document = issuer.clone().filter(|_| published).and_then(|issuer| document(&section, issuer));
    let issuers = issuer_keys(&section, document);
    section.done();
    Some(JwtSettings {
        keys: if published { KeysFrom::Issuer(issuers?) } else { KeysFrom::File(key_file?) },
        algorithms: algorithms?,
        issuer: issuer?.0.to_owned(),
        audience: audience?.0.to_owned(),
        claim: claim.to_owned(),
        role_claim,
        typ,
        leeway,
        max_lifetime,
        needs_not_before,
    })
}

/// Where tokens name roles.
fn role_claim(section: &Section<'_, '_>) -> Option<String> {
    let due = "the claim with the roles, such as `roles`, or the way to it, such as `/realm_access/roles`";
    section.text("role-claim", due).map(|(text, _)| text.to_owned())
}

/// Where an issuer has its document.
fn document(section: &Section<'_, '_>, (issuer, at): At<&str>) -> Option<http::Uri> {
    let base = provider_url(section, (issuer, at.clone()))?;
    let document = format!("{}/.well-known/openid-configuration", base.to_string().trim_end_matches('/'));
    document.parse().ok()
}

/// An address whose answers are believed: on the way nobody may change them.
fn provider_url(section: &Section<'_, '_>, (text, at): At<&str>) -> Option<http::Uri> {
    let Some(url) = address::base(text) else {
        let help = "write `https://host` or `https://host/path`, with no escapes or dots in the path";
        section.reader().problem(at, format!("`{text}` is no address that can be asked"), help);
        return None;
    };
    if url.scheme_str() == Some("http") && !loopback(&url) {
        section.reader().problem(at, "whoever is on the way could change the answer", "write `https://`");
        return None;
    }
    Some(url)
}

/// The keys of these settings are asked for whether the issuer publishes its keys or not, so that each is known.
fn issuer_keys(section: &Section<'_, '_>, document: Option<http::Uri>) -> Option<IssuerKeys> {
    let listed = section.texts("key-hosts", "hosts such as `https://keys.example`").into_iter();
    let listed = listed.filter_map(|host| provider_url(section, host)).filter_map(|url| identity::origin(&url));
    let own = document.as_ref().and_then(identity::origin);
    let mut hosts: Vec<Box<str>> = own.into_iter().chain(listed).map(Box::from).collect();
    hosts.sort();
    hosts.dedup();
    let trust = section.file("ca-file").map_or(Trust::System, Trust::File);
    let refresh = section.duration("keys-refresh").unwrap_or(Duration::from_mins(5));
    let apart = section.duration("keys-apart").unwrap_or(Duration::from_secs(30));
    Some(IssuerKeys { document: document?, hosts, trust, refresh, apart })
}

/// An answer is believed for no longer, whatever is configured.
const OLDEST: Duration = Duration::from_mins(5);

fn introspection(section: Section<'_, '_>, proxy: &Proxy, regions: &[RegionSettings]) -> Option<IntrospectionSettings> {
    let max_age = section.duration("max-age").unwrap_or(Duration::from_mins(1));
    if max_age > OLDEST {
        let help = "a token that was ended is taken for so long: make it five minutes or less";
        section.reader().problem(section.at.clone(), "`max-age` is too long", help);
    }
    let kept = section.count("kept", 16, 1_000_000).and_then(NonZeroUsize::new);
    let a_second = section.count("per-second", 1, 100_000).and_then(|many| u32::try_from(many).ok());
    let leeway = section.duration("leeway").unwrap_or(Duration::from_secs(5));
    let trust = section.file("ca-file").map_or(Trust::System, Trust::File);
    let url = section.text("url", "the address of an endpoint of RFC 7662");
    let region = section.text("users-me", "the id of a region whose `GET /api/v2/users/me` is asked");
    let mut trust_of = None;
    let asks = match (url, region) {
        (Some(url), None) => endpoint(&section, url, proxy),
        (None, Some((name, at))) => {
            let known = regions.iter().find(|one| one.region == name);
            if known.is_none() {
                let what = format!("region `{name}` has no [[upstream]]");
                section.reader().problem(at, what, "name one that has");
            }
            trust_of = known.map(|one| one.way.trust.clone());
            known.and_then(|one| {
                let url = format!("{}/api/v2/users/me", one.url.to_string().trim_end_matches('/'));
                Some(Asks::UsersMe { region: name.to_owned(), url: url.parse().ok()? })
            })
        }
        _ => {
            let help = "write `url` of an endpoint of RFC 7662, or `users-me = \"<region>\"`";
            section.reader().problem(section.at.clone(), "nobody, or two, to ask about a token", help);
            None
        }
    };
    section.done();
    let trust = trust_of.filter(|_| trust == Trust::System).unwrap_or(trust);
    let kept = kept.unwrap_or(NonZeroUsize::MIN.saturating_add(9_999));
    Some(IntrospectionSettings { asks: asks?, trust, max_age, kept, a_second: a_second.unwrap_or(50), leeway })
}

fn endpoint(section: &Section<'_, '_>, url: At<&str>, proxy: &Proxy) -> Option<Asks> {
    let url = provider_url(section, url);
    let client_id = section.needed("client-id", "`client-id = \"...\"`: the proxy's own name there");
    let client_secret = section.secret("client-secret");
    if let Some((_, Standing::Literal, at)) = &client_secret
        && !(proxy.listen.ip().is_loopback() && url.as_ref().is_some_and(loopback))
    {
        let help = "write `{ env = \"NAME\" }` or `{ file = \"path\" }`; as it stands it is taken on loopback only";
        section.reader().problem(at.clone(), "a secret stands in the configuration", help);
    }
    let text = |key, due| section.text(key, due).map(|(text, _)| text.to_owned());
    let claim = text("claim", "the field with the user's id");
    let role_claim = role_claim(section);
    let (issuer, audience) = (text("issuer", "what `iss` has to be"), text("audience", "what `aud` has to hold"));
    Some(Asks::Endpoint {
        url: url?,
        client_id: client_id?.0.to_owned(),
        client_secret: client_secret?.0,
        claim: claim.unwrap_or_else(|| "sub".to_owned()),
        role_claim,
        issuer,
        audience,
    })
}
