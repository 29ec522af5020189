use super::*;
use crate::{
    audit::{Durability, Queries},
    egress::{Trust, Way},
    model::{assumption::Assumption, world::RoleConflict},
};
use secrecy::ExposeSecret as _;
use std::time::Duration;

const SMALLEST: &str = r#"
[[upstream]]
region = "eu"
url = "https://api.example"
client-id = "proxy"
client-secret = { env = "SECRET" }

[[identity.static]]
token = { env = "TOKEN" }
user = "u-1"

[directory]
file = "directory.json"
"#;

fn environment(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("hush".to_owned()),
        "TOKEN" => Some("t-1".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Settings, Report> {
    parse(Path::new("/etc/b/bailiwick.toml"), text, &environment)
}

fn problems(text: &str) -> Vec<String> {
    read(text).unwrap_err().problems.into_iter().map(|problem| problem.what).collect()
}

#[test]
fn the_directory_is_read_at_least_every_minute() {
    let every = |poll: &str| {
        let text =
            SMALLEST.replace("file = \"directory.json\"", &format!("file = \"directory.json\"\npoll = \"{poll}\""));
        read(&text).map(|settings| settings.directory.poll).map_err(|report| report.problems[0].what.clone())
    };
    assert_eq!(every("1m"), Ok(Duration::from_mins(1)));
    assert_eq!(every("61s"), Err("the directory is read too seldom".to_owned()));
}

#[test]
fn the_smallest_file_has_safe_defaults() {
    let settings = read(SMALLEST).unwrap();
    assert_eq!(settings.proxy.listen.to_string(), "127.0.0.1:8600");
    assert_eq!(settings.admin.listen.to_string(), "127.0.0.1:8601");
    assert_eq!(settings.rules, RulesFrom::Shipped);
    assert_eq!(settings.directory.file, Path::new("/etc/b/directory.json"));
    assert_eq!(settings.audit.folder, Path::new("/etc/b/data/audit"));
    assert_eq!((settings.audit.durability, settings.audit.queries), (Durability::Strict, Queries::Full));
    assert_eq!(settings.world.refuse_after.as_mins(), 15);
    assert_eq!(settings.policy.role_conflict, RoleConflict::Separate);
    assert!(settings.policy.accepted.is_empty());
    let upstream = &settings.upstream.regions[0];
    assert_eq!((upstream.region.as_str(), &upstream.way), ("eu", &Way { http2: true, ..Way::default() }));
    assert_eq!(secret_of(upstream), "hush");
    assert_eq!(settings.identity.statics.len(), 1);
    assert!(!format!("{settings:?}").contains("hush"), "a secret is shown");
}

#[test]
fn everything_can_be_said() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("keys.json", "{}"), ("ca.pem", ""), ("secret", "from-file\n")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let text = r#"
data = "state"
[proxy]
listen = "0.0.0.0:80"
prefix = "/gateway/"
[proxy.limits]
body-bytes = 2_000_000
total-time = "90s"
[admin]
listen = "127.0.0.1:81"
[[upstream]]
region = "us"
url = "http://gateway.internal/genesys"
unsafe-plaintext = true
client-id = "proxy"
client-secret = { file = "secret" }
ca-file = "ca.pem"
connect-time = "500ms"
concurrency = 8
[identity.jwt]
key-file = "keys.json"
algorithms = ["RS256", "EdDSA"]
issuer = "https://idp.example"
audience = "reports"
claim = "uid"
type = "at+jwt"
leeway = "30s"
max-lifetime = "1h"
[directory]
file = "org.json"
warn-after = "2m"
refuse-after = "4m"
[rules]
path = "rules"
[policy]
role-conflict = "refuse"
assume = ["same-segment", "entries-and", "entries-and"]
[audit]
path = "record"
durability = "relaxed"
queries = "digest"
segment-bytes = 1000000
[log]
format = "json"
level = "bailiwick=debug,warn"
"#;
    let settings =
        parse(&folder.path().join("bailiwick.toml"), text, &environment).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(settings.proxy.prefix.as_deref(), Some("/gateway"));
    assert_eq!((settings.proxy.max_body_bytes, settings.proxy.total_time), (2_000_000, Duration::from_secs(90)));
    let upstream = &settings.upstream.regions[0];
    assert_eq!(secret_of(upstream), "from-file");
    assert_eq!((upstream.times.connect, upstream.concurrency), (Duration::from_millis(500), 8));
    assert_eq!(upstream.way.trust, Trust::File(folder.path().join("ca.pem")));
    let jwt = settings.identity.jwt.unwrap();
    assert_eq!((jwt.claim.as_str(), jwt.typ.as_deref(), jwt.algorithms.len()), ("uid", Some("at+jwt"), 2));
    assert_eq!(settings.policy.accepted, [Assumption::EntriesAnd, Assumption::SameSegment]);
    assert_eq!(settings.rules, RulesFrom::Folder(folder.path().join("rules")));
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let found = problems(
        r#"
[proxy]
lisen = "127.0.0.1:1"
listen = "localhost"
[[upstream]]
region = 7
url = "ftp://x"
client-secret = { env = "NOPE" }
[policy]
assume = ["entries-or"]
[directory]
refuse-after = "15"
"#,
    );
    let expected = [
        "unknown key `lisen` in `[proxy]`",
        "`localhost` is no address to listen on",
        "`client-id` is missing in `[[upstream]]`",
        "`region` is integer",
        "`ftp://x` is no base address of an upstream",
        "the environment variable `NOPE` is not set",
        "`entries-or` is no value of `assume`",
        "`file` is missing in `[directory]`",
        "`refuse-after` is no time: \"15\"",
        "nobody could sign in",
    ];
    for one in expected {
        assert!(found.iter().any(|what| what == one), "{one} is not among {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_problem_shows_file_line_column_caret_and_repair() {
    let text = SMALLEST.replace("[directory]", "[proxy]\nlisen = \"127.0.0.1:1\"\n[directory]");
    let report = read(&text).unwrap_err();
    assert_eq!(report.problems[0].place.as_ref().unwrap().line_and_column(), (13, 1));
    let shown = report.to_string();
    for part in ["unknown key `lisen` in `[proxy]`", "/etc/b/bailiwick.toml:13:1", "^^^^^", "did you mean `listen`?"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
}

#[test]
fn a_text_that_is_no_toml_is_told_with_its_place() {
    let report = read("[proxy]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n").unwrap_err();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].place.as_ref().unwrap().line_and_column().0, 3);
    assert!(report.problems[0].what.contains("duplicate"), "{}", report.problems[0].what);
    assert!(read("[proxy\n").is_err());
    assert!(read("").is_err());
}

#[test]
fn secrets_in_the_file_are_for_loopback_only() {
    let literal = SMALLEST.replace("{ env = \"SECRET\" }", "\"hush\"");
    assert_eq!(problems(&literal), ["a secret stands in the configuration"]);
    let here = literal.replace("https://api.example", "http://127.0.0.1:9000");
    assert!(read(&here).is_ok());
    let both = here.replace("[directory]", "[proxy]\nlisten = \"0.0.0.0:8600\"\n[identity]\n[directory]");
    // `[identity]` after `[[identity.static]]` is allowed by TOML; the two problems are the secret and the tokens.
    assert!(problems(&both).iter().any(|what| what == "a secret stands in the configuration"));
}

#[test]
fn static_tokens_need_loopback_or_a_word() {
    let open = format!("[proxy]\nlisten = \"0.0.0.0:8600\"\n{SMALLEST}");
    assert_eq!(problems(&open), ["static tokens would be taken on `0.0.0.0:8600`, which others can reach"]);
    let said = format!("[identity]\nunsafe-static-tokens = true\n{open}");
    assert!(read(&said).is_ok(), "{:?}", read(&said).err());
}

#[test]
fn log_ins_that_could_not_be_meant_are_told() {
    let client = |lines: &str| format!("{SMALLEST}\n[[identity.client]]\n{lines}\n");
    let region = |lines: &str| SMALLEST.replace("client-id = \"proxy\"", &format!("client-id = \"proxy\"\n{lines}"));
    let asker =
        SMALLEST.replace("client-id = \"proxy\"\nclient-secret = { env = \"SECRET\" }", "credential = \"asker\"");
    let login = "login = \"https://login.example\"";
    for (text, due) in [
        (client("client-id = \"c\"\nclient-secret = { env = \"SECRET\" }"), "the secret of a client is short"),
        (client("client-id = \"c\""), "`client-secret` is missing in `[[identity.client]]`"),
        (region(login), "`login-grants` is missing in `[[upstream]]`"),
        (region(&format!("{login}\nlogin-grants = []")), "`login-grants` is missing in `[[upstream]]`"),
        (region("login-grants = [\"client-credentials\"]"), "`login` is missing in `[[upstream]]`"),
        (region(&format!("{login}\nlogin-grants = [\"password\"]")), "`password` is no value of `login-grants`"),
        (
            region("login = \"http://login.example\"\nlogin-grants = [\"client-credentials\"]"),
            "queries, answers and the credential would travel unencrypted",
        ),
        (asker.clone(), "region `eu` is asked with the token of who asks, and nobody can come with one"),
        (
            asker.replace(
                "credential",
                "forward-subject = true\nlogin = \"https://l.example\"\nlogin-grants = [\"saml2-bearer\"]\ncredential",
            ),
            "`forward-subject` has no meaning here: the region is asked with the token of who asks",
        ),
        (
            SMALLEST.replace("[[identity.static]]", "[identity]\ntoken-lifetime = \"61m\"\n[[identity.static]]"),
            "`token-lifetime` is too long",
        ),
    ] {
        let found = problems(&text);
        assert!(found.iter().any(|what| what == due), "{due}: {found:?}");
    }
    assert!(
        read(&asker.replace("credential", &format!("{login}\nlogin-grants = [\"saml2-bearer\"]\ncredential"))).is_ok()
    );
}

#[test]
fn plain_http_leaves_the_machine_only_with_a_word() {
    let plain = SMALLEST.replace("https://", "http://");
    assert_eq!(problems(&plain), ["queries, answers and the credential would travel unencrypted"]);
}

#[test]
fn the_proxy_does_not_ask_itself() {
    let told = |listen: &str, url: &str| {
        let settings = SMALLEST.replace("https://api.example", url);
        let settings = format!("[proxy]\nlisten = \"{listen}\"\n[identity]\nunsafe-static-tokens = true\n{settings}");
        read(&settings).err().map(|report| report.problems.into_iter().map(|problem| problem.what).collect::<Vec<_>>())
    };
    for (listen, url) in [
        ("127.0.0.1:8600", "http://127.0.0.1:8600"),
        ("127.0.0.1:8600", "http://localhost:8600/api"),
        ("127.0.0.1:8600", "http://[::1]:8600"),
        ("[::1]:8600", "http://127.0.0.1:8600"),
        ("0.0.0.0:8600", "http://127.0.0.1:8600"),
        ("192.0.2.1:443", "https://192.0.2.1"),
        ("192.0.2.1:8600", "https://[::ffff:192.0.2.1]:8600"),
    ] {
        let told = told(listen, url).unwrap_or_else(|| panic!("{listen} {url}"));
        assert!(told.len() == 1 && told[0].contains("is the proxy's own address"), "{listen} {url}: {told:?}");
    }
    for (listen, url) in [
        ("127.0.0.1:8600", "http://127.0.0.1:8601"),
        ("127.0.0.1:0", "http://127.0.0.1:8600"),
        ("192.0.2.1:8600", "https://192.0.2.2:8600"),
        ("192.0.2.1:8600", "https://192.0.2.1"),
    ] {
        assert_eq!(told(listen, url), None, "{listen} {url}");
    }
}

#[test]
fn what_the_way_in_cannot_mean_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["cert.pem", "key.pem", "ca.pem"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let told = |front: &str| -> Vec<String> {
        let read = parse(&folder.path().join("bailiwick.toml"), &format!("{front}\n{SMALLEST}"), &environment);
        read.err().map(|report| report.problems.into_iter().map(|problem| problem.what).collect()).unwrap_or_default()
    };
    let tls = "[proxy.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";
    let account = "[[identity.certificate]]\nservice = \"s\"\n";
    for (front, due) in [
        ("[proxy]\nhosts = [\"a b\"]", "`a b` is no host"),
        ("[proxy.tls]\ncertificate = \"cert.pem\"", "`key` is missing in `[proxy.tls]`"),
        (&format!("{tls}client-certificates = \"optional\""), "no authority says whose certificates are good"),
        (
            &format!("proxy.http2 = \"prior-knowledge\"\n{tls}"),
            "nothing is in the clear here, so nobody can begin with HTTP/2 in the clear",
        ),
        (&format!("{account}name = \"a\""), "no client is asked for a certificate"),
        (&format!("{tls}{account}name = \"a\""), "no client is asked for a certificate"),
        (&format!("{tls}client-ca = \"ca.pem\"\n{account}"), "a certificate is known by nothing, or by two things"),
        (
            &format!("{tls}client-ca = \"ca.pem\"\n{account}name = \"*.a\""),
            "`*.a` is compared to the letter, and no account has all of its names",
        ),
        (&format!("{tls}client-ca = \"ca.pem\"\n{account}fingerprint = \"ab\""), "`ab` is no SHA-256"),
        (
            &format!("{tls}client-ca = \"ca.pem\"\n{account}name = \"a\"\n{account}name = \"a\""),
            "two accounts have one certificate",
        ),
        ("proxy.cors.origins = [\"*\"]", "`*` is no origin of a page"),
        ("proxy.cors.origins = [\"null\"]", "`null` is no origin of a page"),
        ("proxy.cors.origins = [\"https://A.example\"]", "`https://A.example` is no origin of a page"),
        ("proxy.cors.origins = [\"https://a.example/\"]", "`https://a.example/` is no origin of a page"),
        (
            "proxy.cors.origins = [\"http://a.example\"]",
            "whoever stands between could change that page and read what it reads",
        ),
    ] {
        assert_eq!(told(front), [due], "{front}");
    }
    for fine in [
        &format!("{tls}client-ca = \"ca.pem\"\n{account}fingerprint = \"{}\"", "AB:".repeat(31) + "cd"),
        "proxy.cors.origins = [\"https://a.example\", \"https://a.example:8443\", \"http://localhost:3000\"]",
        "[proxy]\nhttp2 = \"prior-knowledge\"\nhosts = [\"a.example\", \"[::1]:8600\"]",
    ] {
        assert!(told(fine).is_empty(), "{fine}: {:?}", told(fine));
    }
    let half = SMALLEST.replace("client-id", "client-key = \"bailiwick.toml\"\nclient-id");
    assert!(problems(&half).iter().any(|what| what.starts_with("`client-certificate` is missing")));
}

#[test]
fn a_listener_in_the_clear_that_others_reach_is_a_finding() {
    let codes = |listen: &str| -> Vec<&str> {
        let text = format!("[proxy]\nlisten = \"{listen}\"\n[identity]\nunsafe-static-tokens = true\n{SMALLEST}");
        let settings = read(&text).unwrap_or_else(|why| panic!("{why}"));
        settings.doubts(jiff::Timestamp::UNIX_EPOCH).into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes("0.0.0.0:8600"), ["N01"]);
    assert!(codes("127.0.0.1:8600").is_empty());
    assert_eq!(codes("127.0.0.1:8600\"\n[admin]\nlisten = \"0.0.0.0:8601"), ["N02"]);
}

#[test]
fn nothing_is_said_twice() {
    let twice = format!(
        "{SMALLEST}\n[[upstream]]\nregion = \"eu\"\nurl = \"https://b\"\nclient-id = \"c\"\nclient-secret = {{ env = \"SECRET\" }}\n\
         [[identity.static]]\ntoken = {{ env = \"TOKEN\" }}\nservice = \"s\"\n"
    );
    assert_eq!(problems(&twice), ["region `eu` has two upstreams", "two static tokens are the same"]);
}

#[test]
fn one_upstream_is_one_regions() {
    let upstream = |region: &str, url: &str| {
        format!(
            "[[upstream]]\nregion = \"{region}\"\nurl = \"{url}\"\nclient-id = \"c\"\nclient-secret = {{ env = \"SECRET\" }}\n"
        )
    };
    let both = |us: &str| format!("{SMALLEST}\n{}{}", upstream("us", us), upstream("asia", "https://c.example"));
    assert!(read(&both("https://b.example")).is_ok());
    assert_eq!(problems(&both("HTTPS://C.example:443/")), ["regions `us` and `asia` have one upstream"]);
}

#[test]
fn a_file_that_is_not_there() {
    let report = load(Path::new("/nowhere/bailiwick.toml"), &environment).unwrap_err();
    assert!(report.to_string().contains("cannot read the configuration"), "{report}");
}

fn secret_of(upstream: &crate::upstream::RegionSettings) -> &str {
    match &upstream.credential {
        crate::upstream::Credentials::Service { client_secret, .. } => client_secret.expose_secret(),
        crate::upstream::Credentials::Asker => panic!("no credential of our own"),
    }
}
