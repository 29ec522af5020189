//! A sandbox, the program in front of it, and somebody who asks.

use bailiwick::{
    app::{self, Running, StartError},
    audit::{self, IntentRecord, OutcomeRecord, Record},
    base::clock::{Clock, FixedClock},
    config,
    sandbox::{Options, Received, Sandbox, sample},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use serde_json::Value;
use std::{fmt::Write as _, fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

pub(super) const US: &str = "us-east-1";
pub(super) const EU: &str = "eu-west-1";

pub(super) const AGGREGATES: &str = "/api/v2/analytics/conversations/aggregates/query";
pub(super) const DETAILS: &str = "/api/v2/analytics/conversations/details/query";
pub(super) const QUEUE_OBSERVATIONS: &str = "/api/v2/analytics/queues/observations/query";
pub(super) const USER_AGGREGATES: &str = "/api/v2/analytics/users/aggregates/query";
pub(super) const USER_DETAILS: &str = "/api/v2/analytics/users/details/query";
pub(super) const USER_OBSERVATIONS: &str = "/api/v2/analytics/users/observations/query";
pub(super) const PLATFORM: &str = "/api/v2/analytics/query";
pub(super) const EXPORTS: &str = "/api/v2/analytics/reporting/exports";
pub(super) const QUEUES: &str = "/api/v2/routing/queues";
pub(super) const USERS: &str = "/api/v2/users";
pub(super) const DIVISIONS: &str = "/api/v2/authorization/divisions";

/// A week in the middle of what the sandbox makes up.
pub(super) const WEEK: &str = "2026-11-08T00:00:00Z/2026-11-15T00:00:00Z";

/// What the sandbox keeps at its start.
pub(super) const KEPT: [&str; 10] = [
    "entries-and",
    "same-segment",
    "leg-filter",
    "legs-contained",
    "ids-only",
    "view-filter",
    "part-of-its-interaction",
    "division-of-case",
    "person-filter",
    "criteria-and",
];

/// How a house is built.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) interactions: u32,
    /// Interactions have UUIDs for ids.
    pub(super) uuids: bool,
    pub(super) assume: Vec<&'static str>,
    /// More text for the configuration, sections and all.
    pub(super) more: String,
    /// Rules are read from a folder, so that they can change.
    pub(super) own_rules: bool,
    /// What stands in the directory instead of the sample.
    pub(super) directory: Value,
    /// Base URL of a region's upstream instead of the sandbox's.
    pub(super) upstream: Option<(&'static str, String)>,
    /// More lines for the section of every upstream.
    pub(super) limits: &'static str,
    /// Further clients and secrets that the sandbox's `/oauth/token` knows.
    pub(super) clients: Vec<(String, String)>,
    /// Log-ins that are passed on to the sandbox. Empty: none.
    pub(super) login_grants: &'static str,
    /// As whom regions are asked: lines of the section of every upstream.
    pub(super) credential: &'static str,
    /// What is changed in the rules: file, old text, new text.
    pub(super) rules: Vec<(&'static str, &'static str, &'static str)>,
    /// Files of recordings may be fetched from the sandbox.
    pub(super) media: bool,
    /// Rule files instead of the shipped ones: name and text. The list of permissions stays.
    pub(super) files: Vec<(&'static str, &'static str)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            interactions: 2_000,
            uuids: false,
            assume: KEPT.to_vec(),
            more: String::new(),
            own_rules: false,
            directory: sample::directory(),
            upstream: None,
            limits: "",
            clients: Vec::new(),
            login_grants: "",
            credential: OWN,
            rules: Vec::new(),
            media: false,
            files: Vec::new(),
        }
    }
}

/// Everything between a client's socket and the sandbox's store.
pub(super) struct House {
    pub(super) sandbox: Sandbox,
    pub(super) running: Running,
    pub(super) folder: tempfile::TempDir,
    pub(super) clock: Arc<FixedClock>,
    pub(super) directory: Value,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// One answer, read.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn notices(&self) -> Vec<&str> {
        let all = self.headers.iter().filter(|(known, _)| known == "bailiwick-notice");
        all.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn decision(&self) -> uuid::Uuid {
        self.header("bailiwick-decision").expect("a decision id").parse().unwrap()
    }

    /// Status, code and body without what is different for every decision.
    pub(super) fn refusal(&self) -> (u16, String, Value) {
        let mut body = self.json();
        assert_eq!(body["contextId"], self.decision().to_string());
        body["contextId"] = Value::Null;
        (self.status, self.code(), body)
    }
}

/// The instant at which the sandbox's world stands still.
pub(super) fn now() -> Timestamp {
    Options::default().now
}

/// The token of a user, or of a service account.
pub(super) fn token(person: &str) -> String {
    format!("token-of-{person}")
}

/// Writes what the program starts from, and says where the configuration stands.
pub(super) fn write_files(plan: &Plan, sandbox: &Sandbox, folder: &std::path::Path) -> PathBuf {
    fs::write(folder.join("directory.json"), plan.directory.to_string()).unwrap();
    if plan.own_rules {
        let governs =
            |name: &str| ["genesys/", "platform/", "opensearch/"].iter().any(|folder| name.starts_with(folder));
        let own = plan.files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let shipped = bailiwick::rules::embedded().into_iter();
        for (name, mut text) in shipped.filter(|(name, _)| plan.files.is_empty() || !governs(name)).chain(own) {
            for (_, old, new) in plan.rules.iter().filter(|(file, ..)| *file == name.as_str()) {
                assert!(text.contains(old), "{name} has no `{old}`");
                text = text.replacen(old, new, 1);
            }
            let file = folder.join("rules").join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let sample = folder.join("rules/sample");
        fs::create_dir_all(&sample).unwrap();
        fs::write(sample.join("directory.json"), sample::text()).unwrap();
    }
    let file = folder.join("bailiwick.toml");
    fs::write(&file, configuration(plan, sandbox)).unwrap();
    file
}

/// The proxy's own credential in the sandbox.
pub(super) const OWN: &str = "client-id = \"bailiwick\"\nclient-secret = \"sandbox-secret\"";

/// Whoever asks brings his own.
pub(super) const ASKER: &str = "credential = \"asker\"";

fn configuration(plan: &Plan, sandbox: &Sandbox) -> String {
    let mut text = String::new();
    let mut has = |section: &str, lines: &str| {
        if !plan.more.contains(section) {
            writeln!(text, "{section}\n{lines}").unwrap();
        }
    };
    has("[proxy]", "listen = \"127.0.0.1:0\"");
    has("[admin]", "listen = \"127.0.0.1:0\"");
    has("[directory]", "file = \"directory.json\"");
    has("[policy]", &format!("assume = {:?}", plan.assume));
    if plan.own_rules {
        has("[rules]", "path = \"rules\"");
    }
    for region in sandbox.regions() {
        let own = plan.upstream.as_ref().filter(|(changed, _)| *changed == region).map(|(_, url)| url.clone());
        let url = own.unwrap_or_else(|| sandbox.base_url(region).unwrap());
        writeln!(text, "[[upstream]]\nregion = \"{region}\"\nurl = \"{url}\"\n{}\n{}", plan.credential, plan.limits)
            .unwrap();
        if !plan.login_grants.is_empty() {
            writeln!(text, "login = \"{url}\"\nlogin-grants = [{}]", plan.login_grants).unwrap();
        }
        if plan.media {
            writeln!(text, "media-hosts = [{:?}]", sandbox.base_url(region).unwrap()).unwrap();
        }
    }
    for (kind, list) in [("user", "users"), ("service", "serviceAccounts")] {
        for holder in plan.directory[list].as_array().into_iter().flatten() {
            let id = holder["id"].as_str().unwrap();
            writeln!(
                text,
                "[[identity.static]]\n{kind} = \"{id}\"\ntoken = \"{}\"\nclient-id = \"client-of-{id}\"\nclient-secret = \"secret-of-{id}\"",
                token(id)
            )
            .unwrap();
        }
    }
    text + &plan.more
}

pub(super) fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends one request, and reads the whole answer.
pub(super) async fn send(
    client: &Client<HttpConnector, Full<Bytes>>,
    to: SocketAddr,
    bearer: &str,
    line: &str,
    body: &str,
) -> Result<Heard, String> {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(format!("http://{to}{target}"));
    if !bearer.is_empty() {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let (head, body) = client.request(request).await.map_err(|error| format!("{error:?}"))?.into_parts();
    let headers =
        head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    Ok(Heard { status: head.status.as_u16(), headers, body: read(body).await? })
}

pub(super) async fn read(mut body: Incoming) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("{error:?}"))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
    }
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

impl House {
    pub(super) async fn new() -> Self {
        Self::of(Plan::default()).await
    }

    pub(super) async fn of(plan: Plan) -> Self {
        Self::try_of(plan).await.unwrap_or_else(|why| panic!("{why}"))
    }

    pub(super) async fn try_of(plan: Plan) -> Result<Self, StartError> {
        let clients = Options::default().clients.into_iter().chain(plan.clients.clone()).collect();
        let options = Options {
            clients,
            seed: plan.seed,
            interactions: plan.interactions,
            uuids: plan.uuids,
            directory: Some(plan.directory.clone()),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.record(true);
        let folder = tempfile::tempdir().unwrap();
        let file = write_files(&plan, &sandbox, folder.path());
        let settings = config::load(&file, &|_| None).unwrap_or_else(|why| panic!("{why}"));
        let clock = FixedClock::at(now());
        let as_clock: Arc<dyn Clock> = clock.clone();
        let running = Box::pin(app::start(settings, as_clock)).await?;
        Ok(Self { sandbox, running, folder, clock, directory: plan.directory, client: client() })
    }

    /// The same house with a new process in it.
    pub(super) async fn restarted(self) -> Self {
        let Self { sandbox, running, folder, clock, directory, client } = self;
        running.stop().await;
        let settings = config::load(&folder.path().join("bailiwick.toml"), &|_| None);
        let as_clock: Arc<dyn Clock> = clock.clone();
        let running = Box::pin(app::start(settings.unwrap_or_else(|why| panic!("{why}")), as_clock)).await.unwrap();
        Self { sandbox, running, folder, clock, directory, client }
    }

    /// Asks the proxy with any bearer.
    pub(super) async fn try_ask(&self, bearer: &str, line: &str, body: &str) -> Result<Heard, String> {
        send(&self.client, self.running.proxy, bearer, line, body).await
    }

    /// Status, type and bytes of any answer, the sandbox's own too.
    pub(super) async fn bytes(&self, url: &str, bearer: &str) -> (u16, String, Vec<u8>) {
        let request = Request::builder().uri(url).header("authorization", format!("Bearer {bearer}"));
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let (head, mut body) = self.client.request(request).await.unwrap().into_parts();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            bytes.extend_from_slice(frame.unwrap().data_ref().map_or(&[], |data| data));
        }
        let kind = head.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (head.status.as_u16(), kind.unwrap_or_default(), bytes)
    }

    /// Asks the proxy as somebody of the directory.
    pub(super) async fn ask(&self, person: &str, line: &str, body: &str) -> Heard {
        let heard = self.try_ask(&token(person), line, body).await;
        heard.unwrap_or_else(|why| panic!("{person} {line}: no answer: {why}"))
    }

    /// The same with further fields in the head.
    pub(super) async fn ask_with(&self, person: &str, line: &str, fields: &[(&str, &str)]) -> Heard {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(format!("http://{}{target}", self.running.proxy));
        request = request.header("authorization", format!("Bearer {}", token(person)));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let (head, body) = self.client.request(request).await.unwrap().into_parts();
        let headers =
            head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        Heard { status: head.status.as_u16(), headers, body: read(body).await.unwrap() }
    }

    pub(super) async fn post(&self, person: &str, path: &str, body: &Value) -> Heard {
        self.ask(person, &format!("POST {path}"), &body.to_string()).await
    }

    pub(super) async fn get(&self, person: &str, target: &str) -> Heard {
        self.ask(person, &format!("GET {target}"), "").await
    }

    pub(super) async fn admin(&self, path: &str) -> Heard {
        send(&self.client, self.running.admin, "", &format!("GET {path}"), "").await.unwrap()
    }

    /// A counter or gauge by the line that it has in the metrics.
    pub(super) async fn metric(&self, line: &str) -> u64 {
        let text = self.admin("/metrics").await.body;
        let found = text.lines().find_map(|one| one.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or(0)
    }

    /// What a region's upstream was asked since the last call, log-ins left out.
    pub(super) fn received(&self, region: &str) -> Vec<Received> {
        let all = self.sandbox.take_received(region);
        all.into_iter().filter(|one| one.target != "/oauth/token").collect()
    }

    /// Where nobody of the United States may cause a connection.
    pub(super) fn assert_no_connection_to(&self, region: &str) {
        assert_eq!(self.sandbox.connections(region), 0, "connections that the upstream of {region} saw");
        assert_eq!(self.running.upstreams.opened(region), 0, "connections that were opened to {region}");
    }

    /// The lines of one decision, once its outcome is there.
    pub(super) async fn lines(&self, decision: uuid::Uuid) -> (Option<IntentRecord>, OutcomeRecord) {
        for _ in 0..250 {
            let (mut intent, mut outcome) = (None, None);
            for record in self.record().into_iter().filter(|record| record.decision() == decision) {
                match record {
                    Record::Intent(one) => intent = Some(*one),
                    Record::Outcome(one) => outcome = Some(*one),
                }
            }
            if let Some(outcome) = outcome {
                return (intent, outcome);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no outcome line of {decision}");
    }

    /// Every line that is in the record now.
    pub(super) fn record(&self) -> Vec<Record> {
        let lines = audit::read_dir(&self.folder.path().join("data/audit")).unwrap();
        lines.into_iter().map(|line| line.record).collect()
    }

    /// Puts another directory in the place of the old one, as editors do.
    pub(super) fn write_directory(&self, text: &str) {
        let fresh = self.folder.path().join("directory.json.new");
        fs::write(&fresh, text).unwrap();
        fs::rename(fresh, self.folder.path().join("directory.json")).unwrap();
    }
}

/// Waits until something holds, or says that it never did.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come to be in ten seconds");
}
