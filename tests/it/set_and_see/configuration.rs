//! The same for `bailiwick.toml`. Its reader tells the keys that it knows when it meets one that it does not.

use bailiwick::{
    config::{self, Report, Settings},
    identity::Asks,
    upstream::Credentials,
};
use secrecy::ExposeSecret as _;
use std::{collections::BTreeSet, fs};
use tempfile::TempDir;

const BASE: &str = r#"data = "state"

[proxy]
listen = "127.0.0.1:8600"

[proxy.tls]
certificate = "cert.pem"
key = "key.pem"
client-ca = "ca.pem"

[proxy.cors]
origins = ["https://reports.example"]

[proxy.limits]
connections = 10

[admin]
listen = "127.0.0.1:8601"

[[upstream]]
region = "us"
url = "http://127.0.0.1:9000"
client-id = "proxy"
client-secret = { env = "SECRET" }
client-certificate = "cert.pem"
client-key = "key.pem"
login = "https://login.example"
login-grants = ["client-credentials"]

[identity]

[[identity.static]]
token = { env = "TOKEN" }
user = "u-1"
client-id = "sofia"
client-secret = { env = "LOGIN" }

[[identity.client]]
client-id = "exporter"
client-secret = { env = "OWN" }

[[identity.certificate]]
name = "exporter.example"
service = "s-1"

[identity.jwt]
discovery = true
algorithms = ["RS256"]
issuer = "https://idp.example"
audience = "reports"

[identity.introspection]
url = "https://idp.example/introspect"
client-id = "proxy"
client-secret = { env = "ASKING" }

[identity.acting]
administrators = ["u-1"]

[directory]
file = "org.json"

[rules]

[policy]

[audit]

[log]
"#;

/// Section, and a place in it where a key can be written.
const SECTIONS: &[(&str, &str)] = &[
    ("", "data = \"state\"\n"),
    ("[proxy]", "[proxy]\n"),
    ("[proxy.tls]", "[proxy.tls]\n"),
    ("[proxy.cors]", "[proxy.cors]\n"),
    ("[proxy.limits]", "[proxy.limits]\n"),
    ("[admin]", "[admin]\n"),
    ("[[upstream]]", "[[upstream]]\n"),
    ("[identity]", "[identity]\n"),
    ("[[identity.static]]", "[[identity.static]]\n"),
    ("[[identity.client]]", "[[identity.client]]\n"),
    ("[[identity.certificate]]", "[[identity.certificate]]\n"),
    ("[identity.jwt]", "[identity.jwt]\n"),
    ("[identity.introspection]", INTROSPECTION),
    ("[identity.acting]", ACTING),
    ("[directory]", "[directory]\n"),
    ("[rules]", "[rules]\n"),
    ("[policy]", "[policy]\n"),
    ("[audit]", "[audit]\n"),
    ("[log]", "[log]\n"),
];

#[derive(Clone, Copy)]
enum Effect {
    Seen,
    /// With this other change beside it the file is refused, unless the key is set.
    Allows(&'static str, &'static str),
}
use Effect::{Allows, Seen};

type Edit = (&'static str, &'static str, &'static str, &'static str, Effect);

const LIMITS: &str = "[proxy.limits]\n";
const UPSTREAM: &str = "[[upstream]]\n";
const JWT: &str = "[identity.jwt]\n";
const IDENTITY: &str = "[identity]\n";
const INTROSPECTION: &str = "[identity.introspection]\n";
const ACTING: &str = "[identity.acting]\n";
const DIRECTORY: &str = "[directory]\n";

/// Section, key, from, to.
const EDITS: &[Edit] = &[
    ("", "data", "data = \"state\"", "data = \"other\"", Seen),
    ("[proxy]", "listen", "127.0.0.1:8600", "127.0.0.1:8700", Seen),
    ("[proxy]", "prefix", "[proxy]\n", "[proxy]\nprefix = \"/gateway\"\n", Seen),
    ("[proxy]", "hosts", "[proxy]\n", "[proxy]\nhosts = [\"reports.example\"]\n", Seen),
    ("[proxy]", "http2", "[proxy]\n", "[proxy]\nhttp2 = \"off\"\n", Seen),
    ("[proxy]", "server-timing", "[proxy]\n", "[proxy]\nserver-timing = true\n", Seen),
    ("[proxy.tls]", "certificate", "certificate = \"cert.pem\"", "certificate = \"ca.pem\"", Seen),
    ("[proxy.tls]", "key", "key = \"key.pem\"", "key = \"ca.pem\"", Seen),
    ("[proxy.tls]", "client-ca", "client-ca = \"ca.pem\"", "client-ca = \"cert.pem\"", Seen),
    ("[proxy.tls]", "client-certificates", "[proxy.tls]\n", "[proxy.tls]\nclient-certificates = \"optional\"\n", Seen),
    ("[proxy.cors]", "origins", "https://reports.example", "https://other.example", Seen),
    ("[proxy.limits]", "connections", "connections = 10", "connections = 11", Seen),
    ("[proxy.limits]", "in-flight", LIMITS, "[proxy.limits]\nin-flight = 7\n", Seen),
    ("[proxy.limits]", "requests-per-connection", LIMITS, "[proxy.limits]\nrequests-per-connection = 7\n", Seen),
    ("[proxy.limits]", "streams", LIMITS, "[proxy.limits]\nstreams = 7\n", Seen),
    ("[proxy.limits]", "handshake-time", LIMITS, "[proxy.limits]\nhandshake-time = \"7s\"\n", Seen),
    ("[proxy.limits]", "body-rate", LIMITS, "[proxy.limits]\nbody-rate = 7\n", Seen),
    ("[proxy.limits]", "head-bytes", LIMITS, "[proxy.limits]\nhead-bytes = 7000\n", Seen),
    ("[proxy.limits]", "headers", LIMITS, "[proxy.limits]\nheaders = 9\n", Seen),
    ("[proxy.limits]", "url-bytes", LIMITS, "[proxy.limits]\nurl-bytes = 7000\n", Seen),
    ("[proxy.limits]", "body-bytes", LIMITS, "[proxy.limits]\nbody-bytes = 7000\n", Seen),
    ("[proxy.limits]", "json-depth", LIMITS, "[proxy.limits]\njson-depth = 7\n", Seen),
    ("[proxy.limits]", "head-time", LIMITS, "[proxy.limits]\nhead-time = \"7s\"\n", Seen),
    ("[proxy.limits]", "body-time", LIMITS, "[proxy.limits]\nbody-time = \"7s\"\n", Seen),
    ("[proxy.limits]", "total-time", LIMITS, "[proxy.limits]\ntotal-time = \"7s\"\n", Seen),
    ("[proxy.limits]", "idle-time", LIMITS, "[proxy.limits]\nidle-time = \"7s\"\n", Seen),
    ("[proxy.limits]", "drain-time", LIMITS, "[proxy.limits]\ndrain-time = \"7s\"\n", Seen),
    ("[admin]", "listen", "127.0.0.1:8601", "127.0.0.1:8701", Seen),
    ("[[upstream]]", "region", "region = \"us\"", "region = \"eu\"", Seen),
    ("[[upstream]]", "url", "127.0.0.1:9000", "127.0.0.1:9001", Seen),
    ("[[upstream]]", "client-id", "client-id = \"proxy\"", "client-id = \"other\"", Seen),
    ("[[upstream]]", "client-secret", "{ env = \"SECRET\" }", "{ file = \"keys.json\" }", Seen),
    (
        "[[upstream]]",
        "unsafe-plaintext",
        UPSTREAM,
        "[[upstream]]\nunsafe-plaintext = true\n",
        Allows("127.0.0.1:9000", "gateway.internal"),
    ),
    ("[[upstream]]", "ca-file", UPSTREAM, "[[upstream]]\nca-file = \"keys.json\"\n", Seen),
    ("[[upstream]]", "http2", UPSTREAM, "[[upstream]]\nhttp2 = \"off\"\n", Seen),
    (
        "[[upstream]]",
        "client-certificate",
        "client-certificate = \"cert.pem\"",
        "client-certificate = \"ca.pem\"",
        Seen,
    ),
    ("[[upstream]]", "client-key", "client-key = \"key.pem\"", "client-key = \"ca.pem\"", Seen),
    ("[[upstream]]", "connect-time", UPSTREAM, "[[upstream]]\nconnect-time = \"7ms\"\n", Seen),
    ("[[upstream]]", "first-byte-time", UPSTREAM, "[[upstream]]\nfirst-byte-time = \"7ms\"\n", Seen),
    ("[[upstream]]", "total-time", UPSTREAM, "[[upstream]]\ntotal-time = \"7ms\"\n", Seen),
    ("[[upstream]]", "concurrency", UPSTREAM, "[[upstream]]\nconcurrency = 7\n", Seen),
    ("[[upstream]]", "wait", UPSTREAM, "[[upstream]]\nwait = \"7ms\"\n", Seen),
    ("[[upstream]]", "gzip", UPSTREAM, "[[upstream]]\ngzip = true\n", Seen),
    ("[[upstream]]", "media-hosts", UPSTREAM, "[[upstream]]\nmedia-hosts = [\"https://files.example\"]\n", Seen),
    ("[[upstream]]", "forward-subject", UPSTREAM, "[[upstream]]\nforward-subject = true\n", Seen),
    (
        "[[upstream]]",
        "credential",
        "client-id = \"proxy\"\nclient-secret = { env = \"SECRET\" }\n",
        "credential = \"asker\"\n",
        Seen,
    ),
    ("[[upstream]]", "login", "https://login.example", "https://login.other.example", Seen),
    ("[[upstream]]", "login-grants", "[\"client-credentials\"]", "[\"saml2-bearer\", \"refresh-token\"]", Seen),
    ("[[upstream]]", "answer-bytes", UPSTREAM, "[[upstream]]\nanswer-bytes = 7000\n", Seen),
    (
        "[identity]",
        "unsafe-static-tokens",
        "[identity]\n",
        "[identity]\nunsafe-static-tokens = true\n",
        Allows("127.0.0.1:8600", "0.0.0.0:8600"),
    ),
    ("[[identity.static]]", "token", "{ env = \"TOKEN\" }", "{ env = \"LOGIN\" }", Seen),
    ("[[identity.static]]", "user", "user = \"u-1\"", "user = \"u-2\"", Seen),
    ("[[identity.static]]", "service", "user = \"u-1\"", "service = \"u-1\"", Seen),
    ("[[identity.static]]", "client-id", "client-id = \"sofia\"", "client-id = \"carl\"", Seen),
    ("[[identity.static]]", "client-secret", "{ env = \"LOGIN\" }", "{ env = \"SECRET\" }", Seen),
    ("[[identity.client]]", "client-id", "client-id = \"exporter\"", "client-id = \"other\"", Seen),
    ("[[identity.client]]", "client-secret", "{ env = \"OWN\" }", "{ env = \"OTHER\" }", Seen),
    ("[identity]", "token-lifetime", IDENTITY, "[identity]\ntoken-lifetime = \"7m\"\n", Seen),
    ("[[identity.certificate]]", "name", "exporter.example", "other.example", Seen),
    ("[[identity.certificate]]", "fingerprint", "name = \"exporter.example\"", FINGERPRINT, Seen),
    ("[[identity.certificate]]", "service", "service = \"s-1\"", "service = \"s-2\"", Seen),
    ("[identity]", "bpo-max-lifetime", IDENTITY, "[identity]\nbpo-max-lifetime = \"7m\"\n", Seen),
    ("[identity]", "failures-per-minute", IDENTITY, "[identity]\nfailures-per-minute = 7\n", Seen),
    ("[identity]", "logout-audience", IDENTITY, "[identity]\nlogout-audience = \"proxy\"\n", Seen),
    ("[identity.jwt]", "key-file", "discovery = true", "key-file = \"other.json\"", Seen),
    ("[identity.jwt]", "discovery", "discovery = true", "key-file = \"keys.json\"", Seen),
    ("[identity.jwt]", "key-hosts", JWT, "[identity.jwt]\nkey-hosts = [\"https://keys.example\"]\n", Seen),
    ("[identity.jwt]", "ca-file", JWT, "[identity.jwt]\nca-file = \"keys.json\"\n", Seen),
    ("[identity.jwt]", "keys-refresh", JWT, "[identity.jwt]\nkeys-refresh = \"7m\"\n", Seen),
    ("[identity.jwt]", "keys-apart", JWT, "[identity.jwt]\nkeys-apart = \"7s\"\n", Seen),
    ("[identity.jwt]", "algorithms", "[\"RS256\"]", "[\"ES256\"]", Seen),
    ("[identity.jwt]", "issuer", "https://idp.example", "https://other.example", Seen),
    ("[identity.jwt]", "audience", "audience = \"reports\"", "audience = \"others\"", Seen),
    ("[identity.jwt]", "claim", JWT, "[identity.jwt]\nclaim = \"uid\"\n", Seen),
    ("[identity.jwt]", "role-claim", JWT, "[identity.jwt]\nrole-claim = \"roles\"\n", Seen),
    ("[identity.jwt]", "type", JWT, "[identity.jwt]\ntype = \"at+jwt\"\n", Seen),
    ("[identity.jwt]", "leeway", JWT, "[identity.jwt]\nleeway = \"7s\"\n", Seen),
    ("[identity.jwt]", "not-before", JWT, "[identity.jwt]\nnot-before = \"optional\"\n", Seen),
    ("[identity.jwt]", "max-lifetime", JWT, "[identity.jwt]\nmax-lifetime = \"7h\"\n", Seen),
    ("[identity.introspection]", "url", "idp.example/introspect", "idp.example/other", Seen),
    (
        "[identity.introspection]",
        "users-me",
        "url = \"https://idp.example/introspect\"\nclient-id = \"proxy\"\nclient-secret = { env = \"ASKING\" }\n",
        "users-me = \"us\"\n",
        Seen,
    ),
    (
        "[identity.introspection]",
        "client-id",
        "client-id = \"proxy\"\nclient-secret = { env = \"ASKING\" }",
        "client-id = \"other\"\nclient-secret = { env = \"ASKING\" }",
        Seen,
    ),
    ("[identity.introspection]", "client-secret", "{ env = \"ASKING\" }", "{ env = \"LOGIN\" }", Seen),
    ("[identity.introspection]", "claim", INTROSPECTION, "[identity.introspection]\nclaim = \"uid\"\n", Seen),
    (
        "[identity.introspection]",
        "role-claim",
        INTROSPECTION,
        "[identity.introspection]\nrole-claim = \"/groups/all\"\n",
        Seen,
    ),
    ("[identity.introspection]", "issuer", INTROSPECTION, "[identity.introspection]\nissuer = \"x\"\n", Seen),
    ("[identity.introspection]", "audience", INTROSPECTION, "[identity.introspection]\naudience = \"x\"\n", Seen),
    ("[identity.introspection]", "ca-file", INTROSPECTION, "[identity.introspection]\nca-file = \"keys.json\"\n", Seen),
    ("[identity.introspection]", "max-age", INTROSPECTION, "[identity.introspection]\nmax-age = \"7s\"\n", Seen),
    ("[identity.introspection]", "kept", INTROSPECTION, "[identity.introspection]\nkept = 70\n", Seen),
    ("[identity.introspection]", "per-second", INTROSPECTION, "[identity.introspection]\nper-second = 7\n", Seen),
    ("[identity.introspection]", "leeway", INTROSPECTION, "[identity.introspection]\nleeway = \"7s\"\n", Seen),
    ("[identity.acting]", "administrators", "[\"u-1\"]", "[\"u-2\"]", Seen),
    ("[identity.acting]", "require-session", ACTING, "[identity.acting]\nrequire-session = false\n", Seen),
    ("[directory]", "file", "file = \"org.json\"", "file = \"other.json\"", Seen),
    ("[directory]", "poll", DIRECTORY, "[directory]\npoll = \"7s\"\n", Seen),
    ("[directory]", "warn-after", DIRECTORY, "[directory]\nwarn-after = \"7s\"\n", Seen),
    ("[directory]", "refuse-after", DIRECTORY, "[directory]\nrefuse-after = \"7h\"\n", Seen),
    ("[rules]", "path", "[rules]\n", "[rules]\npath = \"rules\"\n", Seen),
    ("[policy]", "role-conflict", "[policy]\n", "[policy]\nrole-conflict = \"refuse\"\n", Seen),
    ("[policy]", "assume", "[policy]\n", "[policy]\nassume = [\"same-segment\"]\n", Seen),
    ("[policy]", "facts", "[policy]\n", "[policy]\nfacts = \"facts.toml\"\n", Seen),
    ("[policy]", "facts-warn-after", "[policy]\n", "[policy]\nfacts-warn-after = \"7h\"\n", Seen),
    ("[policy]", "require-tests", "[policy]\n", "[policy]\nrequire-tests = true\n", Seen),
    ("[audit]", "path", "[audit]\n", "[audit]\npath = \"elsewhere\"\n", Seen),
    ("[audit]", "durability", "[audit]\n", "[audit]\ndurability = \"relaxed\"\n", Seen),
    ("[audit]", "queries", "[audit]\n", "[audit]\nqueries = \"digest\"\n", Seen),
    ("[audit]", "segment-bytes", "[audit]\n", "[audit]\nsegment-bytes = 70000\n", Seen),
    ("[log]", "format", "[log]\n", "[log]\nformat = \"json\"\n", Seen),
    ("[log]", "level", "[log]\n", "[log]\nlevel = \"debug\"\n", Seen),
];

const FINGERPRINT: &str = "fingerprint = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"";

/// What was seen of the base file's upstream.
const FACTS: &str =
    "[[upstream]]\nregion = \"us\"\nurl = \"http://127.0.0.1:9000\"\nasked-at = \"2026-11-20T10:00:00Z\"\n";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["keys.json", "other.json", "cert.pem", "key.pem", "ca.pem"] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    fs::write(folder.path().join("facts.toml"), FACTS).unwrap();
    folder
}

fn read(folder: &TempDir, text: &str) -> Result<Settings, Report> {
    let environment = |name: &str| {
        ["SECRET", "TOKEN", "LOGIN", "ASKING", "OWN", "OTHER"]
            .contains(&name)
            .then(|| format!("the {name}, which nobody guesses"))
    };
    config::parse(&folder.path().join("bailiwick.toml"), text, &environment)
}

/// Everything that the settings say, secrets included.
fn seen(settings: &Settings) -> String {
    let upstream = settings.upstream.regions.iter().filter_map(|region| match &region.credential {
        Credentials::Service { client_secret, .. } => Some(client_secret.expose_secret()),
        Credentials::Asker => None,
    });
    let clients = settings.identity.clients.iter().map(|one| one.client_secret.expose_secret());
    let tokens = settings.identity.statics.iter().map(|one| one.token.expose_secret());
    let logins = settings.identity.logins.iter().map(|one| one.client_secret.expose_secret());
    let asking = settings.identity.introspection.iter().filter_map(|one| match &one.asks {
        Asks::Endpoint { client_secret, .. } => Some(client_secret.expose_secret()),
        Asks::UsersMe { .. } => None,
    });
    let secrets: Vec<_> = upstream.chain(clients).chain(tokens).chain(logins).chain(asking).collect();
    format!("{settings:#?}{secrets:?}")
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` is not in the base file");
    text.replacen(from, to, 1)
}

/// The keys of a section, as its reader tells them; the place of the key that it does not know is checked beside.
fn known(folder: &TempDir, section: &str, place: &str) -> BTreeSet<String> {
    let text = replaced(BASE, place, &format!("{place}zzzzzzzzzz = 1\n"));
    let report = read(folder, &text).expect_err(section);
    let unknown = |problem: &&config::Problem| problem.what.starts_with("unknown key `zzzzzzzzzz`");
    let problem = report.problems.iter().find(unknown).unwrap_or_else(|| panic!("{section}: {report}"));
    let line = text.lines().position(|line| line.starts_with("zzzzzzzzzz")).unwrap() + 1;
    let shown = problem.to_string();
    assert!(shown.contains(&format!("bailiwick.toml:{line}:1")) && shown.contains("^^^^^^^^^^"), "{shown}");
    let help = problem.help.as_deref().unwrap();
    let keys = help.split_once(": ").unwrap_or_else(|| panic!("{section}: {help}")).1;
    keys.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_of_the_configuration_is_seen_when_it_is_set() {
    let folder = folder();
    let base = seen(&read(&folder, BASE).unwrap_or_else(|report| panic!("{report}")));
    for (section, place) in SECTIONS {
        for key in known(&folder, section, place) {
            let inner =
                if section.is_empty() { key.clone() } else { format!("{}.{key}", section.trim_matches(['[', ']'])) };
            let names = [format!("[{inner}]"), format!("[[{inner}]]")];
            let set = EDITS.iter().any(|edit| (edit.0, edit.1) == (*section, key.as_str()));
            let is_section = SECTIONS.iter().any(|(section, _)| names.iter().any(|name| name == section));
            assert!(set || is_section, "nobody sets `{key}` of `{section}`: add an edit that shows what it does");
        }
    }
    for (section, key, from, to, effect) in EDITS {
        let name = format!("`{key}` of `{section}`");
        match effect {
            Seen => {
                let settings = read(&folder, &replaced(BASE, from, to)).unwrap_or_else(|why| panic!("{name}: {why}"));
                assert_ne!(seen(&settings), base, "{name} does nothing");
            }
            Allows(before, after) => {
                let other = replaced(BASE, before, after);
                assert!(read(&folder, &other).is_err(), "{name}: nothing that it could allow");
                read(&folder, &replaced(&other, from, to)).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
        }
    }
    println!("{} keys of bailiwick.toml set and seen", EDITS.len());
}
