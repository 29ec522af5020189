//! The file's keys, section by section.

use super::{
    Environment,
    reader::{At, Reader, Section, Standing},
    report::{Problem, Report},
    settings::{Admin, Directory, Named, Proxy, RulesFrom, Settings},
};
use crate::{
    audit::{self, Durability, Queries},
    base::address,
    egress::{Times, Trust},
    identity::{self, Holder, JwtSettings, StaticToken},
    model::{
        assumption::Assumption,
        world::{Policy, RoleConflict},
    },
    telemetry::log,
    upstream::{self, RegionSettings},
    world,
};
use jiff::SignedDuration;
use jsonwebtoken::Algorithm;
use secrecy::ExposeSecret as _;
use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    ops::Range,
    path::Path,
    time::Duration,
};
use toml::de::DeTable;

const MIB: usize = 1024 * 1024;

/// Said beside what the TOML reader found.
const NOT_TOML: &str = "write valid TOML here; the rest of the file is read once it is";

pub(super) fn parse(file: &Path, text: &str, environment: Environment<'_>) -> Result<Settings, Report> {
    let reader = Reader::new(file, text, environment);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // Where the text cannot be read, everything else that seems wrong may only follow from that.
        for error in errors {
            reader.problem(error.span().unwrap_or(0..0), error.message(), NOT_TOML);
        }
        return Err(Report { problems: reader.into_problems(), named: Named::default() });
    }
    let (settings, named) = root(Section::root(&reader, table.get_ref()));
    let problems: Vec<Problem> = reader.into_problems();
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(Report { problems, named }),
    }
}

/// The settings, `None` only after a problem was noted; and what they name.
fn root(root: Section<'_, '_>) -> (Option<Settings>, Named) {
    let reader = root.reader();
    let data = root.path("data").unwrap_or_else(|| reader.path("data"));
    let (proxy, proxy_at) = proxy(root.section("proxy"));
    let admin = admin(root.section("admin"), proxy.listen);
    let upstream = upstreams(&root, &proxy);
    let identity = identity(root.section("identity"), &proxy, &proxy_at);
    let directory = directory(root.section("directory"));
    let rules = rules(root.section("rules"));
    let policy = policy(root.section("policy"));
    let audit = audit(root.section("audit"), &data, &proxy);
    let log = log(root.section("log"));
    root.done();
    let named = Named {
        rules: rules.clone(),
        directory: directory.as_ref().map(|(directory, _)| directory.file.clone()),
        policy: policy.clone(),
    };
    let settings = directory.map(|(directory, world)| Settings {
        proxy,
        admin,
        upstream,
        identity,
        directory,
        world,
        rules,
        policy,
        audit,
        telemetry: log,
        data,
    });
    (settings, named)
}

fn address(section: &Section<'_, '_>, fallback: SocketAddr) -> At<SocketAddr> {
    let due = "an address and a port, such as `127.0.0.1:8600`";
    let Some((text, at)) = section.text("listen", due) else { return (fallback, 0..0) };
    let address = text.parse().unwrap_or_else(|_| {
        section.reader().problem(at.clone(), format!("`{text}` is no address to listen on"), format!("write {due}"));
        fallback
    });
    (address, at)
}

fn proxy(section: Section<'_, '_>) -> At<Proxy> {
    let default = Proxy::default();
    let (listen, at) = address(&section, default.listen);
    let prefix = section.text("prefix", "a path such as `/gateway`").and_then(|(text, at)| {
        let path = text.trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if path.starts_with('/') && path.bytes().all(plain) && !path.contains("//") && !path.contains("/.") {
            return Some(path.to_owned());
        }
        section.reader().problem(at, format!("`{text}` is no prefix of a path"), "write a path such as `/gateway`");
        None
    });
    let limits = section.section("limits");
    let proxy = Proxy {
        listen,
        prefix,
        max_connections: limits.count("connections", 1, 1_000_000).unwrap_or(default.max_connections),
        max_in_flight: limits.count("in-flight", 1, 100_000).unwrap_or(default.max_in_flight),
        max_requests_per_connection: limits
            .count("requests-per-connection", 1, 1_000_000_000)
            .unwrap_or(default.max_requests_per_connection),
        max_head_bytes: limits.count("head-bytes", 1024, MIB).unwrap_or(default.max_head_bytes),
        max_headers: limits.count("headers", 8, 1000).unwrap_or(default.max_headers),
        max_url_bytes: limits.count("url-bytes", 256, MIB).unwrap_or(default.max_url_bytes),
        max_body_bytes: limits.count("body-bytes", 1024, 64 * MIB).unwrap_or(default.max_body_bytes),
        max_json_depth: limits.count("json-depth", 4, 128).unwrap_or(default.max_json_depth),
        head_time: limits.duration("head-time").unwrap_or(default.head_time),
        body_time: limits.duration("body-time").unwrap_or(default.body_time),
        total_time: limits.duration("total-time").unwrap_or(default.total_time),
        idle_time: limits.duration("idle-time").unwrap_or(default.idle_time),
        drain_time: limits.duration("drain-time").unwrap_or(default.drain_time),
    };
    limits.done();
    section.done();
    (proxy, at)
}

fn admin(section: Section<'_, '_>, proxy: SocketAddr) -> Admin {
    let (listen, at) = address(&section, Admin::default().listen);
    if listen == proxy && listen.port() != 0 {
        section.reader().problem(
            at,
            format!("`{listen}` is the proxy's own address"),
            "give the control side another port",
        );
    }
    section.done();
    Admin { listen }
}

fn upstreams(root: &Section<'_, '_>, proxy: &Proxy) -> upstream::Settings {
    let sections = root.sections("upstream");
    if sections.is_empty() {
        root.reader().problem_of_file(
            "no upstream",
            "add `[[upstream]]` with `region`, `url`, `client-id` and `client-secret` for each region",
        );
    }
    let mut seen = HashSet::new();
    let mut reached = HashMap::new();
    let mut regions: Vec<RegionSettings> = Vec::new();
    for section in sections {
        let region = section.needed("region", "`region = \"<id of a region of the directory>\"`");
        if let Some((name, at)) = &region
            && !seen.insert(*name)
        {
            let what = format!("region `{name}` has two upstreams");
            section.reader().problem(at.clone(), what, "leave one");
        }
        let (made, url) = one_upstream(section, region.map(|(name, _)| name), proxy);
        if let Some(at) = url
            && let Some(other) = reached.insert(address::canonical(&made.url.to_string()), made.region.clone())
            && other != made.region
        {
            let what = format!("regions `{other}` and `{}` have one upstream", made.region);
            root.reader().problem(
                at,
                what,
                "write the address of each region's own; nothing keeps the two apart there",
            );
        }
        regions.push(made);
    }
    upstream::Settings { regions }
}

/// What is missing or wrong is noted and filled with nothing: noted problems keep the settings from being used. And
/// where its address stands, if it has a good one.
fn one_upstream(
    section: Section<'_, '_>,
    region: Option<&str>,
    proxy: &Proxy,
) -> (RegionSettings, Option<Range<usize>>) {
    let default = Times::default();
    let plaintext = section.flag("unsafe-plaintext");
    let url = section.needed("url", "`url = \"https://api.example\"`");
    let at = url.as_ref().map(|(_, at)| at.clone());
    let url = url.and_then(|url| base_url(&section, url, plaintext));
    let at = at.filter(|_| url.is_some());
    let trust = section.file("ca-file").map_or(Trust::System, Trust::File);
    let client_id = section.needed("client-id", "`client-id = \"...\"`").map(|(text, _)| text.to_owned());
    let client_secret = section.secret("client-secret");
    if let Some((_, Standing::Literal, at)) = &client_secret
        && !(proxy.listen.ip().is_loopback() && url.as_ref().is_some_and(loopback))
    {
        section.reader().problem(
            at.clone(),
            "a secret stands in the configuration",
            "write `{ env = \"NAME\" }` or `{ file = \"path\" }`; as it stands it is taken on loopback only",
        );
    }
    let made = RegionSettings {
        region: region.unwrap_or_default().to_owned(),
        url: url.unwrap_or_default(),
        trust,
        client_id: client_id.unwrap_or_default(),
        client_secret: client_secret.map(|(secret, _, _)| secret).unwrap_or_default(),
        times: Times {
            connect: section.duration("connect-time").unwrap_or(default.connect),
            first_byte: section.duration("first-byte-time").unwrap_or(default.first_byte),
            whole: section.duration("total-time").unwrap_or(default.whole),
        },
        concurrency: section.count("concurrency", 1, 10_000).unwrap_or(64),
        wait: section.duration("wait").unwrap_or(Duration::from_secs(2)),
        max_answer_bytes: section.count("answer-bytes", 1024, 1024 * MIB).unwrap_or(16 * MIB),
    };
    section.done();
    (made, at)
}

fn base_url(section: &Section<'_, '_>, (text, at): At<&str>, plaintext: bool) -> Option<http::Uri> {
    let parsed: Option<http::Uri> = text.parse().ok().filter(|url: &http::Uri| {
        url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && url.query().is_none()
            && !text.contains('#')
            && matches!(url.scheme_str(), Some("http" | "https"))
    });
    let Some(url) = parsed else {
        let help = "write `https://host` or `https://host/prefix`";
        section.reader().problem(at, format!("`{text}` is no base address of an upstream"), help);
        return None;
    };
    if url.scheme_str() == Some("http") && !loopback(&url) && !plaintext {
        section.reader().problem(
            at,
            "queries, answers and the credential would travel unencrypted",
            "write `https://`, or `unsafe-plaintext = true` beside it where another layer protects them",
        );
        return None;
    }
    Some(url)
}

fn loopback(url: &http::Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

fn identity(section: Section<'_, '_>, proxy: &Proxy, proxy_at: &Range<usize>) -> identity::Settings {
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
    if statics.is_empty() && jwt.is_none() && !section.has_any(&["static", "jwt"]) {
        reader.problem_of_file(
            "nobody could sign in",
            "add `[identity.jwt]`, or `[[identity.static]]` for trying things out",
        );
    }
    section.done();
    identity::Settings { statics, jwt, logins }
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

/// Watching tells of changes within a second; where it cannot, this is how late one may be seen.
const MAX_POLL: Duration = Duration::from_mins(1);

fn directory(section: Section<'_, '_>) -> Option<(Directory, world::Settings)> {
    let file = section.path("file");
    if file.is_none() && !section.has_any(&["file"]) {
        section.missing("file", "`file = \"directory.json\"`: the organisation");
    }
    let default = world::Settings::default();
    let signed = |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    let warn_after = section.duration("warn-after").map_or(default.warn_after, signed);
    let refuse_after = section.duration("refuse-after").map_or(default.refuse_after, signed);
    let poll = section.duration("poll").unwrap_or(Duration::from_secs(30));
    if poll > MAX_POLL {
        let help = "whoever loses a right keeps it until the next reading: make `poll` a minute or less";
        section.reader().problem(section.at.clone(), "the directory is read too seldom", help);
    }
    if signed(poll) >= refuse_after {
        let help = "read the directory more often than it goes stale: make `poll` smaller";
        section.reader().problem(section.at.clone(), "the directory would be stale between two readings", help);
    }
    if warn_after > refuse_after {
        section.reader().problem(section.at.clone(), "`warn-after` is later than `refuse-after`", "make it smaller");
    }
    section.done();
    Some((Directory { file: file?, poll }, world::Settings { warn_after, refuse_after }))
}

fn rules(section: Section<'_, '_>) -> RulesFrom {
    let from = section.path("path").map_or(RulesFrom::Shipped, RulesFrom::Folder);
    section.done();
    from
}

fn policy(section: Section<'_, '_>) -> Policy {
    let conflicts = [("separate", RoleConflict::Separate), ("refuse", RoleConflict::Refuse)];
    let names = Assumption::ALL.map(|one| (one.name(), one));
    let mut accepted = section.words("assume", &names).unwrap_or_default();
    accepted.sort_unstable();
    accepted.dedup();
    let made = Policy {
        role_conflict: section.word("role-conflict", &conflicts).unwrap_or_default(),
        accepted,
        require_tests: section.flag("require-tests"),
    };
    section.done();
    made
}

fn audit(section: Section<'_, '_>, data: &Path, proxy: &Proxy) -> audit::Settings {
    let durability = [("strict", Durability::Strict), ("relaxed", Durability::Relaxed)];
    let queries = [("full", Queries::Full), ("digest", Queries::Digest)];
    let segment = section.count("segment-bytes", 64 * 1024, 4096 * MIB).unwrap_or(64 * MIB);
    let made = audit::Settings {
        folder: section.path("path").unwrap_or_else(|| data.join("audit")),
        durability: section.word("durability", &durability).unwrap_or_default(),
        queries: section.word("queries", &queries).unwrap_or_default(),
        segment_bytes: u64::try_from(segment).unwrap_or(u64::MAX),
        // Room for all that is under way, and as much again for what has ended and is not yet on the disk.
        slots: proxy.max_in_flight.saturating_mul(2).max(64),
    };
    section.done();
    made
}

fn log(section: Section<'_, '_>) -> log::Settings {
    let formats = [("text", log::Format::Text), ("json", log::Format::Json)];
    let default = log::Settings::default();
    let level = section.text("level", "a level such as `info`, or `bailiwick=debug,warn`").and_then(|(text, at)| {
        if text.parse::<tracing_subscriber::filter::Targets>().is_ok() {
            return Some(text.to_owned());
        }
        section.reader().problem(
            at,
            format!("`{text}` is no log level"),
            "write one of error, warn, info, debug, trace",
        );
        None
    });
    let made = log::Settings {
        format: section.word("format", &formats).unwrap_or(default.format),
        level: level.unwrap_or(default.level),
    };
    section.done();
    made
}
