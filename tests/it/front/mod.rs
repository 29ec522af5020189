//! The front rooms over real sockets: an upstream on loopback that keeps what it was sent, a directory and rules of
//! their own, and clients that write raw bytes.

mod control;
mod corpus;
mod cors;
mod crowd;
mod endings;
mod floods;
mod frames;
mod http2;
mod mutants;
mod refusals;
mod tls;
mod upstream;

use bailiwick::{
    admin::{self, Admin},
    audit::{self, Durability, Queries, Record, Recorder},
    base::clock::{Clock, SystemClock},
    directory,
    egress::Times,
    identity::{self, Account, Holder, Identity, Login, Logins, Mark, StaticToken},
    model::{assumption::Assumption, world::Policy},
    proxy::{self, Parts, Proxy},
    rules,
    server::{self, serve},
    store::Store,
    telemetry::Metrics,
    upstream::{RegionSettings, Upstreams},
    world::{self, WorldStore},
};
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use upstream::Upstream;

/// Everything between a client's socket and the upstream's.
struct House {
    upstream: Upstream,
    upstreams: Arc<Upstreams>,
    proxy: SocketAddr,
    admin: SocketAddr,
    folder: tempfile::TempDir,
    draining: Arc<AtomicBool>,
    shutdown: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn house() -> House {
    house_with(proxy::Settings::default(), server::Settings::default()).await
}

async fn house_with(settings: proxy::Settings, server: server::Settings) -> House {
    house_on(Arc::new(SystemClock::default()), settings, server).await
}

async fn house_on(clock: Arc<dyn Clock>, settings: proxy::Settings, server: server::Settings) -> House {
    let upstream = Upstream::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let recorder = Recorder::start(
        audit::Settings {
            folder: folder.path().to_owned(),
            durability: Durability::Strict,
            queries: Queries::Full,
            segment_bytes: 1 << 30,
            slots: 64,
        },
        metrics.clone(),
    )
    .unwrap();
    let secret = |text: &str| secrecy::SecretString::from(text.to_owned());
    let token = |token: &str, user: &str| StaticToken { token: secret(token), holder: Holder::User(user.into()) };
    let identity = identity::Settings {
        statics: vec![token("T", "una"), token("N", "nobody"), token("G", "gone")],
        accounts: vec![Account { mark: Mark::Name("robot.example".into()), service: "robot".into() }],
        ..identity::Settings::default()
    };
    let login = |client: &str, with: &str| Login {
        client_id: client.into(),
        client_secret: secret("s3cret"),
        token: secret(with),
    };
    let region = RegionSettings {
        region: "r1".into(),
        url: format!("http://{}", upstream.address).parse().unwrap(),
        way: bailiwick::egress::Way::default(),
        credential: bailiwick::upstream::Credentials::Service {
            client_id: "proxy".into(),
            client_secret: secret("upstream-secret"),
        },
        login: None,
        times: Times::default(),
        concurrency: 8,
        wait: Duration::from_secs(1),
        max_answer_bytes: 1 << 20,
        gzip: false,
        media_hosts: Vec::new(),
        forward_subject: false,
    };
    let upstreams = bailiwick::upstream::Settings { regions: vec![region] };
    let upstreams = Arc::new(Upstreams::new(&upstreams, Arc::clone(&clock), metrics.clone()).unwrap());
    let world = Arc::new(world_of(&metrics));
    let identity = Arc::new(Identity::new(&identity, &metrics).unwrap());
    let proxy = Proxy::new(Parts {
        settings,
        world: Arc::clone(&world),
        identity: identity.clone(),
        logins: Logins::new([login("client", "T"), login("left", "G")]),
        recorder: recorder.clone(),
        upstreams: Arc::clone(&upstreams),
        store: Store::open(&folder.path().join("data")).unwrap(),
        clock: Arc::clone(&clock),
        metrics,
    });
    let draining = Arc::new(AtomicBool::new(false));
    let admin = Admin::new(admin::Parts {
        world,
        identity,
        recorder,
        clock,
        registry: Arc::new(registry),
        draining: Arc::clone(&draining),
    });
    let shutdown = CancellationToken::new();
    let proxy = listen(proxy, server.clone(), &shutdown).await;
    let admin = listen(admin, server, &shutdown).await;
    House { upstream, upstreams, proxy, admin, folder, draining, shutdown }
}

async fn listen<H: server::Handler>(
    handler: Arc<H>,
    settings: server::Settings,
    shutdown: &CancellationToken,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, handler, settings, shutdown.clone()));
    address
}

fn world_of(metrics: &Metrics) -> WorldStore {
    let org = directory::load(include_str!("directory.json"), "directory.json", Timestamp::now())
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(directory::Problem::report).collect::<String>()));
    let files = [
        ("house.toml", include_str!("house.toml")),
        ("models.toml", include_str!("models.toml")),
        ("permissions.toml", PERMISSIONS),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
    let policy = Policy { accepted: Assumption::ALL.to_vec(), ..Policy::default() };
    let compiled = rules::compile(files, policy).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    WorldStore::new(Arc::new(compiled.rules), Arc::new(org), world::Settings::default(), metrics.clone())
}

const PERMISSIONS: &str =
    "[expand]\n\"analytics:conversationAggregate:view\" = [\"analytics:conversationAggregate:view\"]\n";

/// One answer, read.
#[derive(Debug, Clone)]
struct Heard {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    fn decision(&self) -> uuid::Uuid {
        self.header("bailiwick-decision").expect("a decision id").parse().unwrap()
    }
}

/// Every answer in what one connection said. Interim answers are left out.
fn answers(mut text: &str) -> Vec<Heard> {
    let mut found = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
            .collect();
        let length =
            headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
        let (body, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        text = after;
        if status != 100 {
            found.push(Heard { status, headers, body: body.to_owned() });
        }
    }
    found
}

const BODY: &str = r#"{"interval":"2024-01-01/2024-01-02","filter":{"type":"and","predicates":[{"dimension":"queueId","value":"q1"}]}}"#;

impl House {
    /// Sends raw bytes, and hears until the other side closes or nothing more comes.
    async fn say(&self, address: SocketAddr, parts: &[(Vec<u8>, Duration)], end: bool) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut reading, mut writing) = stream.split();
        let speak = async {
            for (part, pause) in parts {
                if writing.write_all(part).await.is_err() {
                    return;
                }
                tokio::time::sleep(*pause).await;
            }
            if end {
                let _gone = writing.shutdown().await;
            }
        };
        let hear = async {
            let mut heard = Vec::new();
            let mut space = vec![0_u8; 64 * 1024];
            while let Ok(Ok(many @ 1..)) = tokio::time::timeout(Duration::from_secs(4), reading.read(&mut space)).await
            {
                heard.extend_from_slice(&space[..many]);
            }
            heard
        };
        let ((), heard) = tokio::join!(speak, hear);
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// One request on a connection of its own.
    async fn ask(&self, request_line: &str, headers: &str, body: &str) -> Heard {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let raw =
            format!("{request_line} HTTP/1.1\r\nHost: proxy.test\r\nConnection: close\r\n{headers}{length}\r\n{body}");
        let heard = self.say(self.proxy, &[(raw.into_bytes(), Duration::ZERO)], false).await;
        answers(&heard).pop().unwrap_or_else(|| panic!("no answer to {request_line}: {heard:?}"))
    }

    async fn ask_as(&self, token: &str, request_line: &str, body: &str) -> Heard {
        self.ask(request_line, &format!("Authorization: Bearer {token}\r\n"), body).await
    }

    /// The lines of one decision, once its outcome is there.
    async fn lines(&self, decision: uuid::Uuid) -> Vec<Record> {
        for _ in 0..100 {
            let lines = audit::read_dir(self.folder.path()).unwrap();
            let lines: Vec<Record> =
                lines.into_iter().map(|line| line.record).filter(|record| record.decision() == decision).collect();
            if lines.iter().any(|record| matches!(record, Record::Outcome(_))) {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no outcome line of {decision}");
    }

    async fn outcome(&self, decision: uuid::Uuid) -> audit::OutcomeRecord {
        let mut lines = self.lines(decision).await;
        match lines.pop() {
            Some(Record::Outcome(outcome)) => *outcome,
            other => panic!("the outcome comes last: {other:?}"),
        }
    }

    /// Every line of the record, of every decision.
    async fn record(&self) -> Vec<Record> {
        tokio::time::sleep(Duration::from_millis(150)).await;
        audit::read_dir(self.folder.path()).unwrap().into_iter().map(|line| line.record).collect()
    }
}
