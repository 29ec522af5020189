//! Every token and secret of a full run, in each form in which one could be written down: none stands in a log, a record, a file
//! of the data folder, an answer, a metric or the output of a command, but where it is handed to its owner.
//!
//! The program is in a process of its own and says all that it can say (`trace`, of every library). One of its regions, who also
//! vouches for opaque tokens, quotes in every answer what it was sent.

use super::{
    house::{DETAILS, EU, Plan, US, now, send, token, write_files},
    tokens::Issuer,
};
use crate::commands::run;
use bailiwick::{
    base::hash::sha256_hex,
    sandbox::{Options, Sandbox},
};
use base64::{Engine as _, engine::general_purpose as base64_of};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Bytes by which a form is looked up; no form is shorter.
const KEY: usize = 8;

/// What must not be found: each secret in each form.
#[derive(Default)]
struct Needles {
    secrets: BTreeSet<String>,
    forms: HashMap<[u8; KEY], Vec<(Vec<u8>, String)>>,
    many: usize,
}

impl Needles {
    fn add(&mut self, secret: &str) {
        assert!(secret.len() >= KEY, "`{secret}` is too short to be told from other words");
        if !self.secrets.insert(secret.to_owned()) {
            return;
        }
        for form in forms(secret).into_iter().map(String::into_bytes) {
            let key = *form.first_chunk().expect("no form is shorter");
            self.forms.entry(key).or_default().push((form, secret.to_owned()));
            self.many += 1;
        }
    }

    /// A signed token, and its signature alone.
    fn add_signed(&mut self, token: &str) {
        self.add(token);
        self.add(token.rsplit('.').next().unwrap());
    }

    /// The secrets that stand in a text, each with the form and the words around it.
    fn found(&self, text: &[u8]) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (at, key) in text.windows(KEY).enumerate() {
            let Some(forms) = self.forms.get(key) else { continue };
            for (form, secret) in forms.iter().filter(|(form, _)| text[at..].starts_with(form)) {
                let around = &text[at.saturating_sub(160)..text.len().min(at + form.len() + 40)];
                let around = String::from_utf8_lossy(around).into_owned();
                found.entry(secret.clone()).or_insert_with(|| around);
            }
        }
        found
    }
}

/// A secret as programs write things down.
#[expect(clippy::format_collect, reason = "a few letters, written for people to read")]
fn forms(secret: &str) -> BTreeSet<String> {
    let bytes = secret.as_bytes();
    let escaped = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let hex: String = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let list = format!("{bytes:?}");
    let quoted = json!(secret).to_string();
    let mut all = BTreeSet::from([
        secret.to_owned(),
        bytes
            .iter()
            .map(
                |byte| {
                    if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02x}") }
                },
            )
            .collect(),
        bytes.iter().map(|byte| format!("%{byte:02X}")).collect(),
        bytes.iter().map(|byte| format!("%{byte:02x}")).collect(),
        bytes.iter().map(|byte| format!("\\u{byte:04x}")).collect(),
        bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect(),
        form_encoded(secret),
        escaped,
        hex.to_uppercase(),
        hex,
        list[1..list.len() - 1].to_owned(),
        quoted[1..quoted.len() - 1].to_owned(),
        secret.escape_default().to_string(),
    ]);
    // wherever it stands in what was encoded, so that pairs of `name:secret` and whole header fields are found too
    for before in 0..3 {
        let within = [&vec![b'x'; before], bytes].concat();
        for engine in [&base64_of::STANDARD_NO_PAD, &base64_of::URL_SAFE_NO_PAD] {
            let code = engine.encode(&within);
            let end = code.len() - usize::from(within.len() % 3 != 0);
            all.insert(code[[0, 2, 3][before]..end].to_owned());
        }
    }
    // something cut short is told as well; what comes first in a signed token is no secret
    if bytes.len() >= 32 && !secret.contains('.') {
        all.extend([secret[..bytes.len() / 2].to_owned(), secret[bytes.len() / 2..].to_owned()]);
    }
    all.retain(|form| form.len() >= KEY);
    all
}

/// As a form of a page has it.
fn form_encoded(text: &str) -> String {
    const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');
    utf8_percent_encode(text, FORM).to_string()
}

/// Bytes that the program gave away: where, and what may stand there, with the reason.
struct Text {
    place: String,
    bytes: Vec<u8>,
    due: Option<(String, &'static str)>,
}

/// A region and a provider that quotes in each answer all that it was sent.
struct Quoting {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    given: Arc<Mutex<Vec<String>>>,
}

impl Quoting {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, given) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let all = (Arc::clone(&asked), Arc::clone(&given));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (asked, given) = all.clone();
                let service = service_fn(move |request| Self::answer(request, asked.clone(), given.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, asked, given }
    }

    async fn answer(
        request: Request<Incoming>,
        asked: Arc<AtomicUsize>,
        given: Arc<Mutex<Vec<String>>>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = super::house::read(body).await.unwrap();
        let sent = format!("{:?} {body}", head.headers.get("authorization"));
        let nth = asked.fetch_add(1, Ordering::Relaxed);
        let (status, said) = match head.uri.path() {
            "/oauth/token" if nth % 7 == 6 => (400, json!({ "error": "invalid_client", "error_description": sent })),
            "/oauth/token" => {
                let token = format!("quoting-{}", uuid::Uuid::new_v5(&uuid::Uuid::nil(), &nth.to_be_bytes()).simple());
                given.lock().unwrap().push(token.clone());
                (200, json!({ "access_token": token, "token_type": "bearer", "expires_in": 3_600, "said": sent }))
            }
            "/introspect" if body.contains("opaque-good") => {
                (200, json!({ "active": true, "sub": "carl", "said": sent }))
            }
            "/introspect" if body.contains("opaque-ended") => (200, json!({ "active": false, "said": sent })),
            "/introspect" if body.contains("opaque-odd") => (200, json!({ "active": sent })),
            "/introspect" => (500, json!({ "message": sent })),
            _ => {
                let status = [200, 400, 401, 403, 404, 409, 429, 500, 503, 302][nth % 10];
                let code = if nth.is_multiple_of(2) { "bad.request".to_owned() } else { sent.clone() };
                (status, json!({ "message": sent, "code": code, "status": status, "contextId": sent }))
            }
        };
        let quoted = sent.replace(|char: char| !char.is_ascii_graphic(), "");
        let answer = Response::builder().status(status).header("content-type", "application/json");
        let answer = answer.header("x-quoted", &quoted).header("location", format!("http://127.0.0.1:1/{quoted}"));
        let answer = answer.header("www-authenticate", format!("Bearer {quoted}")).header("retry-after", &quoted);
        Ok(answer.body(Full::new(Bytes::from(said.to_string()))).unwrap())
    }
}

/// The program, whose two outputs are files.
struct Program {
    child: Child,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Program {
    async fn start(folder: &Path, said: &Path, admin: SocketAddr) -> Self {
        let output = |name: &str| Stdio::from(fs::File::create(said.join(name)).unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.args(["serve", "--config", "bailiwick.toml"]).current_dir(folder).env("RUST_LOG", "trace");
        let child = command.stdout(output("stdout")).stderr(output("stderr")).spawn().unwrap();
        let program = Self { child };
        for _ in 0..600 {
            if TcpStream::connect(admin).await.is_ok() {
                return program;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not listen: {}", fs::read_to_string(said.join("stderr")).unwrap());
    }

    /// Ends it as a service manager does.
    async fn stop(mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        for _ in 0..200 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not end");
    }
}

/// Somebody who asks in every way, and keeps all that he hears.
struct Run {
    to: SocketAddr,
    admin: SocketAddr,
    clients: [Client<HttpConnector, Full<Bytes>>; 2],
    texts: Vec<Text>,
    statuses: BTreeMap<u16, usize>,
}

impl Run {
    fn keep(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.texts.push(Text { place: place.to_owned(), bytes: bytes.into(), due: None });
    }

    /// Asks over both protocols, the control side over the one that it speaks. The status and the body of the last answer.
    async fn ask(&mut self, line: &str, fields: &[(&str, &str)], body: &str) -> (u16, String) {
        let (method, target) = line.split_once(' ').unwrap();
        let mut last = (0, String::new());

        let protocols = if self.to == self.admin { 1 } else { 2 };
        for client in self.clients.clone().into_iter().take(protocols) {
            let build = || {
                let mut request = Request::builder().method(method).uri(format!("http://{}{target}", self.to));
                for (name, value) in fields {
                    request = request.header(*name, *value);
                }
                request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
            };
            // a connection that is closed after a body that was too large may be closed under the next request
            let mut answer = client.request(build()).await;
            for _ in 0..4 {
                if answer.is_err() {
                    answer = client.request(build()).await;
                }
            }
            let (head, body) = answer.unwrap_or_else(|why| panic!("{line}: {why:?}")).into_parts();
            let body = bailiwick::egress::read_capped(body, 64 << 20).await.unwrap_or_default();
            let place = line.split(['?', ' ']).take(2).collect::<Vec<_>>().join(" ");
            self.keep(&format!("head of {place}"), format!("{:?} {:?}", head.status, head.headers));
            self.keep(&format!("body of {place}: {}", head.status), body.clone());
            *self.statuses.entry(head.status.as_u16()).or_default() += 1;
            last = (head.status.as_u16(), String::from_utf8_lossy(&body).into_owned());
        }
        last
    }

    /// Asks with a bearer.
    async fn bear(&mut self, token: &str, line: &str, body: &str) -> (u16, String) {
        let bearer = format!("Bearer {token}");
        self.ask(line, &[("authorization", &bearer), ("content-type", "application/json")], body).await
    }

    /// Logs in with a form, and as Basic authorization says.
    async fn log_in(&mut self, form: &str, basic: Option<&str>) -> u16 {
        let basic = basic.map(|pair| format!("Basic {}", base64_of::STANDARD.encode(pair)));
        let mut fields = vec![("content-type", "application/x-www-form-urlencoded")];
        fields.extend(basic.as_deref().map(|basic| ("authorization", basic)));
        self.ask("POST /oauth/token", &fields, form).await.0
    }

    /// What was said last in bodies may hold this secret.
    fn due(&mut self, secret: &str, why: &'static str) {
        for text in self.texts.iter_mut().rev().take(4).filter(|text| text.place.starts_with("body")) {
            text.due = Some((secret.to_owned(), why));
        }
    }

    /// Writes bytes that are no request, or half of one.
    async fn raw(&mut self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.to).await.unwrap();
        let _refused = stream.write_all(bytes).await;
        let _closed = stream.shutdown().await;
        let mut heard = Vec::new();
        let _reset = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut heard)).await;
        self.keep("answer to broken bytes", heard);
    }

    fn command(&mut self, folder: &Path, given: &[&str]) -> i32 {
        let (code, out, told) = run(folder, given);
        let place = given.iter().filter(|word| word.len() < 24).copied().collect::<Vec<_>>().join(" ");
        self.keep(&format!("output of `{place}`"), out);
        self.keep(&format!("errors of `{place}`"), told);
        code
    }
}

/// Every file below a folder.
fn files(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { files(&entry, all) } else { all.push(entry) }
    }
}

async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A token of this issuer that is good from now on; its times are of the sandbox's clock.
fn signed(issuer: &Issuer, person: &str, (from, until): (i64, i64), more: &Value) -> String {
    let ahead = Timestamp::now().as_second() - now().as_second();
    issuer.token_with(person, from + ahead, until + ahead, more)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_full_run_is_written_down_or_told() {
    let sandbox =
        Sandbox::start(Options { now: Timestamp::now(), interactions: 400, ..Options::default() }).await.unwrap();
    sandbox.record(true);
    let quoting = Quoting::start().await;
    let (issuer, stranger, folder) = (Issuer::new(), Issuer::new(), tempfile::tempdir().unwrap());
    // not beside the files that are watched: each line would be an event of which there is a line
    let said = tempfile::tempdir().unwrap();
    let (proxy, admin) = (free().await, free().await);
    let more = format!(
        "[proxy]\nlisten = \"{proxy}\"\nhttp2 = \"prior-knowledge\"\n[proxy.limits]\nbody-bytes = 4096\n[admin]\nlisten = \"{admin}\"\n\
         [log]\nlevel = \"trace\"\nformat = \"json\"\n[audit]\nqueries = \"full\"\n[identity]\nfailures-per-minute = 400\n{}\
         [identity.introspection]\nurl = \"http://{}/introspect\"\nclient-id = \"proxy\"\nclient-secret = \"secret-of-the-proxy-there\"\n\
         [identity.acting]\nrequire-session = false\n",
        issuer.section(folder.path()),
        quoting.address,
    );
    let plan =
        Plan { more, media: true, upstream: Some((EU, format!("http://{}", quoting.address))), ..Plan::default() };
    write_files(&plan, &sandbox, folder.path());
    let program = Program::start(folder.path(), said.path(), admin).await;
    let client = |http2| Client::builder(TokioExecutor::new()).http2_only(http2).build_http();
    let clients = [client(false), client(true)];
    let mut run = Run { to: proxy, admin, clients, texts: Vec::new(), statuses: BTreeMap::new() };
    let mut needles = Needles::default();
    for list in ["users", "serviceAccounts"] {
        for holder in plan.directory[list].as_array().unwrap() {
            let id = holder["id"].as_str().unwrap();
            needles.add(&token(id));
            needles.add(&format!("secret-of-{id}"));
        }
    }
    for secret in ["sandbox-secret", "secret-of-the-proxy-there"] {
        needles.add(secret);
    }

    // who asks, by each kind of token, good and not
    let query = json!({
        "interval": format!("{0}/{1}", Timestamp::now() - jiff::SignedDuration::from_hours(24 * 8), Timestamp::now() - jiff::SignedDuration::from_hours(24)),
        "paging": { "pageSize": 100, "pageNumber": 1 },
    });
    let text = query.to_string();
    let details = format!("POST {DETAILS}");
    let good = signed(&issuer, "carl", (-60, 3_600), &json!({ "sid": "s-1" }));
    let ended = signed(&issuer, "sofia", (-60, 3_600), &json!({}));
    let mistaken = signed(&issuer, "olga", (-60, 3_600), &json!({}));
    let opaque = [
        "opaque-good-5/6+7~8==",
        "opaque-ended-0123456789abcdef",
        "opaque-odd-0123456789abcdef",
        "opaque-broken-0123456789abcdef",
    ];
    let bad = [
        signed(&issuer, "carl", (-7_200, -3_600), &json!({})),
        signed(&stranger, "carl", (-60, 3_600), &json!({})),
        signed(&issuer, "not-anybody-here", (-60, 3_600), &json!({})),
        signed(&issuer, "carl", (-60, 3_600), &json!({ "aud": "others", "jti": "j" })),
    ];
    for token in bad.iter().chain([&good, &ended, &mistaken]) {
        needles.add_signed(token);
    }
    opaque.iter().for_each(|token| needles.add(token));
    let statics =
        [token("sofia"), token("carl"), token("svc-acme"), token("nobody"), "mistyped-token-0123456789".to_owned()];
    needles.add(&statics[4]);
    for bearer in bad
        .iter()
        .chain([&good, &ended, &mistaken])
        .map(String::as_str)
        .chain(opaque)
        .chain(statics.iter().map(String::as_str))
    {
        for (line, body) in [
            (details.as_str(), text.as_str()),
            (details.as_str(), "{\"interval\": 7}"),
            (details.as_str(), "{"),
            (details.as_str(), &text.repeat(80)),
            ("GET /api/v2/users/me", ""),
            ("GET /api/v2/routing/queues", ""),
            ("GET /api/v2/not/an/operation", ""),
            ("DELETE /api/v2/users/carl", ""),
            ("PUT /", "{}"),
        ] {
            run.bear(bearer, line, body).await;
        }
        // a token in a place where none belongs
        for (fields, line) in [
            (vec![("authorization", format!("Token {bearer}"))], "GET /api/v2/users/me".to_owned()),
            (vec![("authorization", format!("Bearer {bearer} {bearer}"))], "GET /api/v2/users/me".to_owned()),
            (
                vec![("authorization", format!("Bearer {bearer}")), ("authorization", "Bearer other".to_owned())],
                "GET /api/v2/users/me".to_owned(),
            ),
            (
                vec![("cookie", format!("session={bearer}")), ("x-api-key", bearer.to_owned())],
                "GET /api/v2/users/me".to_owned(),
            ),
            (
                vec![
                    ("authorization", format!("Bearer {}", token("svc-acme"))),
                    ("gen-usersubject", bearer.to_owned()),
                ],
                "GET /api/v2/users/me".to_owned(),
            ),
            (
                vec![("authorization", format!("Bearer {}", token("carl"))), ("bailiwick-region", bearer.to_owned())],
                "GET /api/v2/users/me".to_owned(),
            ),
            (vec![], format!("GET /api/v2/users/me?access_token={}", form_encoded(bearer))),
            (
                vec![("authorization", format!("Bearer {}", token("carl")))],
                format!("GET /api/v2/routing/queues?access_token={}", form_encoded(bearer)),
            ),
        ] {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            run.ask(&line, &fields, "").await;
        }
        run.raw(
            format!("GET /api/v2/users/me HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {bearer}\r\n broken\r\n\r\n")
                .as_bytes(),
        )
        .await;
        run.raw(
            format!(
                "POST {DETAILS} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {bearer}\r\ncontent-length: 99\r\n\r\n{{"
            )
            .as_bytes(),
        )
        .await;
    }
    for person in ["bea", "carl", "dana"] {
        let bearer = format!("Bearer {}", token("svc-acme"));
        run.ask(&details, &[("authorization", &bearer), ("gen-usersubject", person)], &text).await;
    }

    // log-ins
    let account = "svc-acme";
    let pair = |secret: &str| format!("client-of-{account}:{secret}");
    let form = |secret: &str| {
        format!("grant_type=client_credentials&client_id=client-of-{account}&client_secret={}", form_encoded(secret))
    };
    let right = format!("secret-of-{account}");
    for (body, basic) in [(form(&right), None), ("grant_type=client_credentials".to_owned(), Some(pair(&right)))] {
        assert_eq!(run.log_in(&body, basic.as_deref()).await, 200);
        run.due(&token(account), "the token that its client logged in for");
    }
    let wrong = "mistyped-secret-%&+ä";
    needles.add(wrong);
    for secret in [wrong, &right] {
        let both = (form(secret), Some(pair(secret)));
        for (body, basic) in [
            (form(secret).replace("client_id=client-of-", "client_id=x-"), None),
            (form(secret).replace("grant_type=client_credentials", "grant_type=password"), None),
            (format!("{}&{}", form(secret), form(secret)), None),
            (format!("{}&scope=%zz", form(secret)), None),
            (json!({ "client_secret": secret }).to_string(), None),
            (form(&secret.repeat(4_000)), None),
            (String::new(), Some(format!("nobody:{secret}"))),
            ("grant_type=client_credentials".to_owned(), Some(secret.to_owned())),
            both,
        ] {
            let basic = basic.as_deref();
            let status = run.log_in(&body, basic).await;
            if status == 200 {
                run.due(&token(account), "the token that its client logged in for");
            }
        }
    }
    assert_eq!(run.log_in(&form(wrong), None).await, 401);
    assert_eq!(run.log_in("grant_type=client_credentials", Some(&pair(wrong))).await, 401);

    // files by links that whoever has them may follow
    let raw = sandbox.evaluate(US, DETAILS, &query).unwrap();
    let (base, bearer) = (sandbox.base_url(US).unwrap(), sandbox.token());
    let upstream: SocketAddr = base.strip_prefix("http://").unwrap().parse().unwrap();
    let (mut links, mut cut) = (0, 0);
    for one in raw["conversations"].as_array().unwrap().iter().take(60) {
        let path = format!("/api/v2/conversations/{}/recordings", one["conversationId"].as_str().unwrap());
        let own = send(&super::house::client(), upstream, &bearer, &format!("GET {path}"), "").await.unwrap().json();
        let link = own[0]["mediaUris"]["0"]["mediaUri"].as_str().unwrap();
        let signature = link.rsplit('=').next().unwrap();
        needles.add(signature);
        let (status, told) = run.bear(&token("carl"), &format!("GET {path}"), "").await;
        if status == 200 && told.contains(signature) {
            run.due(signature, "the link of a recording, for who may play it");
            links += 1;
        }
        let preview = format!("GET {path}/{}/preview", own[0]["id"].as_str().unwrap());
        cut += usize::from(run.bear(&token("rolf"), &preview, "").await.0 == 200);
    }
    assert!(links > 0 && cut > 0, "{links} links, {cut} previews");

    // a region that quotes what it is sent, with each status
    for person in ["elsa", "eva", "dana-eu"] {
        for _ in 0..14 {
            run.bear(&token(person), &details, &text).await;
            run.bear(&token(person), "GET /api/v2/routing/queues", "").await;
        }
    }

    // ends
    let digest = sha256_hex(statics[0].as_bytes());
    for given in [
        &["token", "revoke", "--token", &digest][..],
        &["token", "revoke", "--token", &sha256_hex(ended.as_bytes()), "--format", "json"],
        &["token", "revoke", "--token", &mistaken],
        &["token", "revoke", "--token", &token("ines"), "--format", "json"],
        &["token", "revoke", "--session", "s-1"],
        &["token", "list"],
        &["token", "list", "--format", "json"],
    ] {
        assert_eq!(run.command(folder.path(), given), 0, "{given:?}");
    }
    run.to = admin;
    let event = json!({ "jti": "l-1", "events": { "http://schemas.openid.net/event/backchannel-logout": {} } });
    let logout = [
        signed(&issuer, "carl", (-1, 120), &event),
        signed(&stranger, "carl", (-1, 120), &event),
        "no-token-at-all".to_owned(),
    ];
    for token in &logout {
        if token.contains('.') {
            needles.add_signed(token);
        } else {
            needles.add(token);
        }
        for kind in ["application/x-www-form-urlencoded", "text/plain"] {
            run.ask("POST /v1/sessions/backchannel", &[("content-type", kind)], &format!("logout_token={token}")).await;
        }
    }
    for named in [digest, token("rolf"), signed(&issuer, "rolf", (-60, 3_600), &json!({})), good.clone()] {
        if named.contains('.') {
            needles.add_signed(&named);
        }
        for body in [
            json!({ "token": named }),
            json!({ "token": named, "user": "x" }),
            json!({ "tokn": named }),
            json!({ "user": named }),
        ] {
            run.ask("POST /v1/sessions/revoke", &[("content-type", "application/json")], &body.to_string()).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    run.to = proxy;
    for over in [&statics[0], &ended, &mistaken, &token("ines"), &token("rolf"), &good] {
        assert_eq!(run.bear(over, "GET /api/v2/users/me", "").await.0, 401, "{over} was ended");
    }
    // more failures than one address may have
    let mut refused = 0;
    while run.bear(&bad[1], "GET /api/v2/users/me", "").await.0 != 429 {
        refused += 1;
        assert!(refused < 400, "nobody has to wait");
    }
    run.log_in(&form(wrong), None).await;

    // the other side, and commands over the same folder
    run.to = admin;
    for path in ["/", "/livez", "/readyz", "/metrics", "/nothing"] {
        run.ask(&format!("GET {path}"), &[], "").await;
    }
    fs::write(folder.path().join("query.json"), &text).unwrap();
    for format in ["text", "json"] {
        assert_eq!(run.command(folder.path(), &["check", "--format", format]), 0);
        for person in ["carl", "rolf", "nobody", "svc-acme"] {
            let given = [
                "explain",
                "--as",
                person,
                "--operation",
                &details,
                "--query",
                "query.json",
                "--config",
                "bailiwick.toml",
                "--format",
                format,
            ];
            run.command(folder.path(), &given);
        }
        run.command(folder.path(), &["probe", "--format", format]);
    }
    program.stop().await;
    // a configuration that cannot be used
    let settings = fs::read_to_string(folder.path().join("bailiwick.toml")).unwrap();
    let (wrong, mut told) = (folder.path().join("wrong"), 0);
    fs::create_dir(&wrong).unwrap();
    for name in ["directory.json", "keys.pem"] {
        fs::copy(folder.path().join(name), wrong.join(name)).unwrap();
    }
    let carl = format!("token = \"{}\"", token("carl"));
    for (old, new) in [
        (carl.as_str(), format!("token = \"{}\"", token("sofia"))),
        (&carl, carl.replace("token =", "tokn =")),
        (&carl, carl.replace("token =", "tolken = 7\nToken =")),
        (&carl, carl[..carl.len() - 1].to_owned()),
        (&carl, carl.replace("= ", "= [") + "]"),
        (&carl, carl.replace('"', "\"\"\"\n").replacen("\"\"\"\n", "\"\"\"", 1)),
        (&carl, format!("{carl} 7")),
        (&carl, format!("{carl}\n{carl}")),
        (&carl, carl.replace("= ", "= { literal = ") + ", more = 1 }"),
        (&carl, carl.replace("= ", "= { litteral = ") + " }"),
        ("client-secret = \"secret-of-carl\"", "client-sceret = \"secret-of-carl\"".to_owned()),
        ("client-secret = \"sandbox-secret\"", "client-secret = \"sandbox-secret".to_owned()),
        ("url = \"http://127.0.0.1", "url = \"https://far.example".to_owned()),
        ("[proxy]\nlisten = \"127.0.0.1", "[proxy]\nlisten = \"0.0.0.0".to_owned()),
    ] {
        assert!(settings.contains(old), "no `{old}`");
        fs::write(wrong.join("bailiwick.toml"), settings.replacen(old, &new, 1)).unwrap();
        for given in [&["check"][..], &["check", "--format", "json"], &["serve", "--config", "bailiwick.toml"]] {
            if new.contains("0.0.0.0")
                || new.contains("far.example")
                || given[0] == "check"
                || !matches!(run.command(&wrong, &["check"]), 0)
            {
                told += usize::from(run.command(&wrong, given) == 2);
            }
        }
    }
    assert!(told >= 30, "{told} configurations are refused");

    // what the upstreams handed out and were sent
    for one in sandbox.take_received(US).iter().chain(&sandbox.take_received(EU)) {
        for (_, value) in one.headers.iter().filter(|(name, _)| name == "authorization") {
            needles.add(value.split_once(' ').unwrap().1);
        }
    }
    let given = quoting.given.lock().unwrap().clone();
    given.iter().for_each(|token| needles.add(token));
    assert!(!given.is_empty() && quoting.asked.load(Ordering::Relaxed) > 40);

    for name in ["stdout", "stderr"] {
        run.keep(name, fs::read(said.path().join(name)).unwrap());
    }
    let mut kept = Vec::new();
    files(&folder.path().join("data"), &mut kept);
    for file in kept {
        run.keep(&format!("file {}", file.strip_prefix(folder.path()).unwrap().display()), fs::read(&file).unwrap());
    }
    judge(&needles, &run);
}

/// Says every place in which a secret stands and is not due, and that what is due is there.
fn judge(needles: &Needles, run: &Run) {
    let (mut leaks, mut due) = (BTreeMap::new(), BTreeMap::new());
    for text in &run.texts {
        let found = needles.found(&text.bytes);
        if let Some((secret, why)) = &text.due {
            assert!(
                found.contains_key(secret),
                "{}: {why} is not there, so that nothing has to be allowed",
                text.place
            );
            *due.entry(*why).or_insert(0) += 1;
        }
        let allowed = |secret: &String| text.due.as_ref().is_some_and(|(due, _)| due == secret);
        for (secret, around) in found.into_iter().filter(|(secret, _)| !allowed(secret)) {
            leaks.entry((text.place.clone(), secret)).or_insert(around);
        }
    }
    // each form of each kind of secret is found where it stands, in the middle of what else is written
    let mut planted = 0;
    for secret in needles.secrets.iter().step_by(needles.secrets.len() / 40) {
        for form in forms(secret) {
            let text = [run.texts[0].bytes.as_slice(), b"{\"x\":\"", form.as_bytes(), b"\"}"].concat();
            assert!(needles.found(&text).contains_key(secret), "`{secret}` as `{form}` is not found");
            planted += 1;
        }
        let pair = base64_of::STANDARD.encode(format!("client:{secret}"));
        assert!(needles.found(pair.as_bytes()).contains_key(secret), "`{secret}` in `{pair}` is not found");
    }
    let places: BTreeSet<_> = run.texts.iter().map(|text| &text.place).collect();
    let bytes: usize = run.texts.iter().map(|text| text.bytes.len()).sum();
    println!(
        "secrets: {} in {} forms, searched for in {bytes} bytes of {} texts of {} places; answers {:?}; allowed {due:?}; {planted} \
         planted and found",
        needles.secrets.len(),
        needles.many,
        run.texts.len(),
        places.len(),
        run.statuses
    );
    for status in [200, 400, 401, 403, 404, 413, 429, 502] {
        assert!(run.statuses.contains_key(&status), "no answer was {status}");
    }
    let told: Vec<_> =
        leaks.iter().map(|((place, secret), around)| format!("{place}: `{secret}`:\n    {around}")).collect();
    assert!(leaks.is_empty(), "{} secrets stand where they do not belong:\n{}", told.len(), told.join("\n"));
}
