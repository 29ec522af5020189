//! The composition root: settings become wired services, and stop again in order.
//!
//! Nothing is decided here. A start either serves everything or says what is wrong, all of it at once.

mod loops;
mod reload;
mod schedules;
pub mod selftest;

use crate::{
    admin::{self, Admin},
    audit::{self, Recorder},
    base::{address, clock::Clock},
    config::{self, RulesFrom, Settings},
    directory::source,
    identity::{Identity, IdentityError, Logins},
    model::{finding::Severity, operation::Rules, org::Org, world::Policy},
    policy::outsourcers,
    proxy::{self, Proxy},
    rules::{self, Compiled},
    server::{self, Http2, Tls},
    store::{self, Store},
    telemetry::Metrics,
    upstream::{RegionSettings, UpstreamError, Upstreams},
    world::WorldStore,
};
use prometheus_client::registry::Registry;
use reload::Reloader;
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Why nothing is served. `Display` names every place and repair.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{}", list(.0))]
    Rules(Vec<rules::Problem>),
    #[error("{0}")]
    RulesFolder(rules::Unreadable),
    #[error("the rules contradict their own tests:\n{}", .0.join("\n"))]
    SelfTest(Vec<String>),
    #[error("{}", list(.0))]
    Directory(Vec<crate::directory::Problem>),
    #[error("the rules do not fit the organisation:\n{}", .0.join("\n"))]
    Misfit(Vec<String>),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Tls(#[from] server::TlsError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("region `{0}` of the directory has no [[upstream]]; add one with `region = \"{0}\"`")]
    NoUpstream(String),
    #[error(
        "the [[upstream]] of region `{region}` has the url `{url}`, which the directory gives to region `{other}`: one \
         region's people would be shown the other's rows; correct the `url`, or `upstream` of the region in the directory"
    )]
    CrossedUpstream { region: String, url: String, other: String },
    #[error(
        "the [[upstream]] of region `{region}` has the url `{url}`, and its name leads to {address}, where the proxy itself listens: \
         each question would be asked of itself; write the address of the upstream"
    )]
    Looped { region: String, url: String, address: SocketAddr },
    #[error(transparent)]
    Record(#[from] audit::StartError),
    #[error(transparent)]
    Store(#[from] store::OpenError),
    #[error("what was kept cannot be read: {0}")]
    Kept(#[from] store::Failed),
    #[error("cannot listen on {address}: {why}; stop the program that holds the port or choose another `listen`")]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error("cannot watch: {0}")]
    Watch(String),
    #[error("{0}")]
    Config(config::Report),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Several(Vec<StartError>),
}

impl StartError {
    /// Whether something outside could not be reached, rather than an input being wrong.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Listen { .. })
    }
}

impl StartError {
    /// This and what else was found.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut all = Vec::new();
        for error in [self, other] {
            match error {
                Self::Several(errors) => all.extend(errors),
                error => all.push(error),
            }
        }
        Self::Several(all)
    }
}

/// Two things that were read whatever is wrong with the other, so that all problems come at once.
pub fn both<A, B>(one: Result<A, StartError>, other: Result<B, StartError>) -> Result<(A, B), StartError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// The rules from where the settings say. Their own tests are run: a set that contradicts them is never served.
pub fn rules(from: &RulesFrom, policy: Policy) -> Result<Compiled, StartError> {
    let files = rule_files(from)?;
    let failed = selftest::failures(&compiled(from, files.clone(), selftest::policy())?);
    if !failed.is_empty() {
        return Err(StartError::SelfTest(failed));
    }
    compiled(from, files, policy)
}

/// The rules with the policy that their own tests expect.
pub fn rules_under_test(from: &RulesFrom) -> Result<Compiled, StartError> {
    compiled(from, rule_files(from)?, selftest::policy())
}

fn rule_files(from: &RulesFrom) -> Result<Vec<(String, String)>, StartError> {
    match from {
        RulesFrom::Shipped => Ok(rules::embedded()),
        RulesFrom::Folder(folder) => rules::read_dir(folder).map_err(StartError::RulesFolder),
    }
}

/// Within a folder a file is known by its path from there; a problem names the file as its reader can open it.
fn compiled(from: &RulesFrom, files: Vec<(String, String)>, policy: Policy) -> Result<Compiled, StartError> {
    rules::compile(files, policy).map_err(|problems| {
        StartError::Rules(match from {
            RulesFrom::Shipped => problems,
            RulesFrom::Folder(folder) => problems.into_iter().map(|problem| problem.under(folder)).collect(),
        })
    })
}

/// The organisation of a directory file.
pub fn organisation(file: &Path, clock: &dyn Clock) -> Result<Org, StartError> {
    source::open(file, clock).map_err(StartError::Directory)
}

fn list<P: std::fmt::Display>(problems: &[P]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A program that serves.
#[derive(Debug)]
pub struct Running {
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    pub world: Arc<WorldStore>,
    pub upstreams: Arc<Upstreams>,
    pub recorder: Recorder,
    reloader: Arc<Reloader>,
    draining: Arc<AtomicBool>,
    shutdown: CancellationToken,
    /// The control side outlives the data path, so that readiness can be seen going away.
    admin_shutdown: CancellationToken,
    serving: Vec<JoinHandle<()>>,
    control: JoinHandle<()>,
    _watches: reload::Watches,
}

/// What rules and organisation only show together.
pub fn fitting(rules: &Rules, org: &Org) -> Result<(), StartError> {
    let misfits = outsourcers::misfits(rules, org);
    if misfits.is_empty() { Ok(()) } else { Err(StartError::Misfit(misfits)) }
}

/// Where each region is reached, who may ask, and by which certificate clients know us.
#[derive(Debug)]
pub struct Doors {
    pub upstreams: Upstreams,
    pub identity: Identity,
    pub tls: Option<Tls>,
}

/// Whatever of the settings is read before anything listens.
pub fn doors(settings: &Settings, org: &Org, clock: &Arc<dyn Clock>, metrics: &Metrics) -> Result<Doors, StartError> {
    let upstreams = Upstreams::new(&settings.upstream, clock.clone(), metrics.clone());
    let upstreams = upstreams
        .map_err(StartError::Upstream)
        .and_then(|upstreams| reached(&settings.upstream.regions, org).map(|()| upstreams));
    let identity = Identity::new(&settings.identity, metrics).map_err(StartError::Identity);
    let http2 = settings.proxy.http2 != Http2::Off;
    let tls = settings.proxy.tls.clone().map(|files| Tls::open(files, http2)).transpose().map_err(StartError::Tls);
    let (upstreams, (identity, tls)) = both(upstreams, both(identity, tls))?;
    Ok(Doors { upstreams, identity, tls })
}

/// Starts everything; the listeners are open when this returns.
pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    for doubt in settings.doubts(clock.now()).iter().filter(|doubt| doubt.severity >= Severity::Warning) {
        tracing::warn!(code = doubt.code, "{}: {}; {}", doubt.at, doubt.why, doubt.repair);
    }
    let (compiled, org) =
        both(rules(&settings.rules, settings.policy.clone()), organisation(&settings.directory.file, &*clock))?;
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let ((), doors) = both(fitting(&compiled.rules, &org), doors(&settings, &org, &clock, &metrics))?;
    let Doors { upstreams, identity, tls } = doors;
    let (upstreams, tls) = (Arc::new(upstreams), tls.map(Arc::new));
    let recorder = Recorder::start(settings.audit.clone(), metrics.clone())?;
    let store = Store::open(&settings.data)?;
    let identity = Arc::new(identity.kept_in(store.clone()).await?);
    // who cannot be asked now is asked again while serving: nothing is let in meanwhile
    identity.learn().await;
    let world = Arc::new(WorldStore::new(Arc::new(compiled.rules), Arc::new(org), settings.world, metrics.clone()));
    let proxy_listener = listen(settings.proxy.listen).await?;
    loops::refuse(&settings.upstream.regions, address(&proxy_listener, settings.proxy.listen)).await?;
    let admin_listener = listen(settings.admin.listen).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let reloader = Arc::new(Reloader::new(&settings, world.clone(), clock.clone(), tls.clone()));
    let watches = reload::watch(&settings, &reloader)?;
    let proxy = Proxy::new(proxy::Parts {
        settings: proxy_settings(&settings.proxy),
        world: world.clone(),
        identity: identity.clone(),
        logins: Logins::new(settings.identity.logins.clone()),
        recorder: recorder.clone(),
        upstreams: upstreams.clone(),
        store,
        clock: clock.clone(),
        metrics,
    });
    let admin = Admin::new(admin::Parts {
        world: world.clone(),
        identity: identity.clone(),
        recorder: recorder.clone(),
        clock,
        registry: Arc::new(registry),
        draining: draining.clone(),
    });
    let (shutdown, admin_shutdown) = (CancellationToken::new(), CancellationToken::new());
    let addresses = (address(&proxy_listener, settings.proxy.listen), address(&admin_listener, settings.admin.listen));
    let limits = server::Settings { tls, ..server_settings(&settings.proxy) };
    let (learning, reading) = (identity.clone(), identity);
    let (until, until_then) = (shutdown.clone(), shutdown.clone());
    let mut serving = vec![
        tokio::spawn(async move { learning.keep_learning(until).await }),
        tokio::spawn(async move { reading.keep_reading(until_then).await }),
        tokio::spawn(server::serve(proxy_listener, proxy.clone(), limits, shutdown.clone())),
    ];
    let runs = |region: String| tokio::spawn(schedules::run(proxy.clone(), region, shutdown.clone()));
    serving.extend(settings.upstream.regions.iter().map(|one| runs(one.region.clone())));
    let control =
        tokio::spawn(server::serve(admin_listener, admin, server::Settings::default(), admin_shutdown.clone()));
    Ok(Running {
        proxy: addresses.0,
        admin: addresses.1,
        world,
        upstreams,
        recorder,
        reloader,
        draining,
        shutdown,
        admin_shutdown,
        serving,
        control,
        _watches: watches,
    })
}

impl Running {
    /// Reads rules, directory and certificates again, as a file change would.
    pub fn reload(&self) {
        self.reloader.rules();
        self.reloader.directory();
        self.reloader.certificates();
    }

    /// Readiness goes first, then what is under way ends, then the record is closed.
    pub async fn stop(self) {
        self.draining.store(true, Ordering::Release);
        self.shutdown.cancel();
        for task in self.serving {
            log_join(task.await);
        }
        self.recorder.close().await;
        self.admin_shutdown.cancel();
        log_join(self.control.await);
    }
}

/// Each region of the directory has an upstream, and none of them the one that the directory gives to another.
fn reached(upstreams: &[RegionSettings], org: &Org) -> Result<(), StartError> {
    for region in &org.regions {
        let id = &*region.id;
        let Some(upstream) = upstreams.iter().find(|one| one.region == id) else {
            return Err(StartError::NoUpstream(id.to_owned()));
        };
        let url = upstream.url.to_string();
        let there = Some(address::canonical(&url));
        if address::stated(&region.upstream) != there
            && let Some(other) = org.regions.iter().find(|other| address::stated(&other.upstream) == there)
        {
            return Err(StartError::CrossedUpstream { region: id.to_owned(), url, other: other.id.to_string() });
        }
    }
    Ok(())
}

fn log_join(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a listener ended by a fault");
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|why| StartError::Listen { address, why })
}

fn address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

/// What the proxy is told of its own section.
pub fn proxy_settings(settings: &config::Proxy) -> proxy::Settings {
    proxy::Settings {
        prefix: settings.prefix.clone(),
        in_flight: settings.max_in_flight,
        body_bytes: settings.max_body_bytes,
        json_depth: settings.max_json_depth,
        body_time: settings.body_time,
        body_rate: settings.min_body_rate,
        origins: settings.origins.clone(),
        server_timing: settings.server_timing,
        total_time: settings.total_time,
        ..proxy::Settings::default()
    }
}

fn server_settings(settings: &config::Proxy) -> server::Settings {
    server::Settings {
        http2: settings.http2,
        hosts: settings.hosts.clone(),
        connections: settings.max_connections,
        requests_per_connection: settings.max_requests_per_connection as u64,
        streams: settings.max_streams,
        target_bytes: settings.max_url_bytes,
        head_bytes: settings.max_head_bytes,
        headers: settings.max_headers,
        handshake_time: settings.handshake_time,
        head_time: settings.head_time,
        idle_time: settings.idle_time,
        drain_time: settings.drain_time,
        ..server::Settings::default()
    }
}
