//! The running sandbox: starting, switching, counting, stopping.

use super::{
    organisation::Organisation,
    sample,
    server::{self, Door, Received},
    service::Service,
    store::Store,
    tokens::Tokens,
    traits::{Disobedience, Traits},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What to make up, and how to behave at the start.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// Over all regions together, shared out by their queues.
    pub interactions: u32,
    /// The sandbox's present; everything happened in the thirty days before.
    pub now: Timestamp,
    pub traits: Traits,
    /// A directory file to serve instead of the sample.
    pub directory: Option<Value>,
    /// Client ids and secrets that `/oauth/token` knows.
    pub clients: Vec<(String, String)>,
    pub token_lifetime: Duration,
    /// Interactions have UUIDs as upstream, for clients that look at the form of an id.
    pub uuids: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            interactions: 50_000,
            // 2026-11-20T10:00:00Z
            now: Timestamp::constant(1_795_168_800, 0),
            traits: Traits::default(),
            directory: None,
            clients: vec![("bailiwick".to_owned(), "sandbox-secret".to_owned())],
            token_lifetime: Duration::from_hours(24),
            uuids: false,
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the directory file cannot be read by the sandbox: {0}")]
    Directory(#[from] serde_json::Error),
    #[error("the directory file names no region")]
    NoRegion,
    #[error("the sandbox's store cannot be made: {0}")]
    Store(#[from] rusqlite::Error),
    #[error("the sandbox cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
}

/// An upstream per region, serving on loopback until stopped or dropped.
#[derive(Debug)]
pub struct Sandbox {
    pub(super) service: Arc<Service>,
    tokens: Arc<Tokens>,
    doors: Vec<(Arc<Door>, SocketAddr)>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Makes up the data of every region and serves it.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let service = tokio::task::spawn_blocking({
            let options = options.clone();
            move || generate(&options)
        });
        let service = Arc::new(service.await.map_err(std::io::Error::other)??);
        let tokens = Arc::new(Tokens::new(&options.clients, options.token_lifetime));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut doors = Vec::new();
        for region in 0..service.stores.len() {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            let door = Arc::new(Door {
                region,
                service: Arc::clone(&service),
                tokens: Arc::clone(&tokens),
                connections: AtomicU64::new(0),
                requests: AtomicU64::new(0),
                recording: AtomicBool::new(false),
                received: Mutex::new(Vec::new()),
            });
            tasks.spawn(server::serve(listener, Arc::clone(&door), stop.clone(), tasks.clone()));
            doors.push((door, address));
        }
        Ok(Self { service, tokens, doors, stop, tasks })
    }

    /// Region ids, in the order of the directory file.
    pub fn regions(&self) -> Vec<&str> {
        self.service.stores.iter().map(|store| store.region.as_str()).collect()
    }

    /// `http://127.0.0.1:port` of a region's upstream.
    pub fn base_url(&self, region: &str) -> Option<String> {
        self.door(region).map(|(_, address)| format!("http://{address}"))
    }

    /// A bearer for asking the upstream directly.
    pub fn token(&self) -> String {
        self.tokens.issue("direct")
    }

    pub fn traits(&self) -> Traits {
        self.service.traits()
    }

    pub fn set_traits(&self, change: impl FnOnce(&mut Traits)) {
        change(&mut self.service.traits.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Changes how every region disobeys, from the next request on.
    pub fn disobey(&self, change: impl FnOnce(&mut Disobedience)) {
        change(&mut self.service.disobedience.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The file of an export, as whoever follows its link gets it.
    pub fn exported(&self, region: &str, id: &str) -> Option<String> {
        let place = self.service.stores.iter().position(|store| store.region == region)?;
        self.service.exported(place, id).ok()
    }

    /// Back to perfect obedience.
    pub fn obey(&self) {
        self.disobey(|faults| *faults = Disobedience::default());
    }

    /// Connections that a region has accepted so far.
    pub fn connections(&self, region: &str) -> u64 {
        self.door(region).map_or(0, |(door, _)| door.connections.load(Ordering::Relaxed))
    }

    /// Requests that a region has received so far, token requests among them.
    pub fn requests(&self, region: &str) -> u64 {
        self.door(region).map_or(0, |(door, _)| door.requests.load(Ordering::Relaxed))
    }

    /// Whether to keep what arrives, in every region.
    pub fn record(&self, on: bool) {
        for (door, _) in &self.doors {
            door.recording.store(on, Ordering::Relaxed);
        }
    }

    /// Takes what a region has received since recording began, or since the last call.
    pub fn take_received(&self, region: &str) -> Vec<Received> {
        let taken = |(door, _): &(Arc<Door>, SocketAddr)| {
            std::mem::take(&mut *door.received.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.door(region).map(taken).unwrap_or_default()
    }

    /// Accepts no more, lets requests in flight finish, and waits for that.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn door(&self, region: &str) -> Option<&(Arc<Door>, SocketAddr)> {
        let place = self.service.stores.iter().position(|store| store.region == region)?;
        self.doors.get(place)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The data of all regions, each made on a thread of its own.
fn generate(options: &Options) -> Result<Service, StartError> {
    let directory = options.directory.clone().unwrap_or_else(sample::directory);
    let organisation = Organisation::read(&directory)?;
    let parts: Vec<(String, Organisation)> =
        organisation.regions.iter().map(|region| (region.id.clone(), organisation.region(&region.id))).collect();
    if parts.is_empty() {
        return Err(StartError::NoRegion);
    }
    let all = parts.iter().map(|(_, part)| part.queues.len()).sum::<usize>().max(1);
    let mut left = options.interactions;
    let mut jobs = Vec::new();
    let count = parts.len();
    for (place, (region, part)) in parts.into_iter().enumerate() {
        let share = u64::from(options.interactions) * u64::try_from(part.queues.len()).unwrap_or(0)
            / u64::try_from(all).unwrap_or(1);
        let share = if place + 1 == count { left } else { u32::try_from(share).unwrap_or(left).min(left) };
        left -= share;
        jobs.push((region, part, share));
    }
    let now = options.now.as_millisecond();
    let stores = std::thread::scope(|scope| {
        let threads: Vec<_> = jobs
            .into_iter()
            .enumerate()
            .map(|(place, (region, part, share))| {
                let prefix =
                    if options.uuids { format!("{place:08x}-0000-4000-8000-000000") } else { format!("c-{region}-") };
                scope.spawn(move || Store::generate(&region, part, &prefix, options.seed, share, now))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err(rusqlite::Error::InvalidQuery)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Service::new(stores.into_iter().map(Arc::new).collect(), options.traits))
}
