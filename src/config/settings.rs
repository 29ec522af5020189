//! The validated settings, one struct for each module that has any.

use super::vouching::Vouching;
use crate::{
    audit, identity,
    model::{finding::Finding, world::Policy},
    telemetry, upstream, world,
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What `serve` starts from.
#[derive(Debug, Clone)]
pub struct Settings {
    pub proxy: Proxy,
    pub admin: Admin,
    pub upstream: upstream::Settings,
    pub identity: identity::Settings,
    pub directory: Directory,
    pub world: world::Settings,
    pub rules: RulesFrom,
    pub policy: Policy,
    /// Where `policy.accepted` comes from.
    pub vouching: Vouching,
    pub audit: audit::Settings,
    pub telemetry: telemetry::log::Settings,
    /// The data folder.
    pub data: PathBuf,
}

/// The files that a configuration names, and how their rules are read: known even where the rest of it is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub rules: RulesFrom,
    pub directory: Option<PathBuf>,
    pub policy: Policy,
}

impl Settings {
    pub fn named(&self) -> Named {
        let (rules, policy) = (self.rules.clone(), self.policy.clone());
        Named { rules, directory: Some(self.directory.file.clone()), policy }
    }

    /// What is doubtful about the facts that it rests on.
    pub fn doubts(&self, now: jiff::Timestamp) -> Vec<Finding> {
        let regions: Vec<&str> = self.upstream.regions.iter().map(|upstream| upstream.region.as_str()).collect();
        self.vouching.findings(&regions, now)
    }
}

/// The clients' listener and what it takes from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    pub listen: SocketAddr,
    /// Path in front of `/api/v2/...` that is taken off, such as `/gateway`.
    pub prefix: Option<String>,
    pub max_connections: usize,
    /// Requests under way at once.
    pub max_in_flight: usize,
    pub max_requests_per_connection: usize,
    pub max_head_bytes: usize,
    pub max_headers: usize,
    pub max_url_bytes: usize,
    pub max_body_bytes: usize,
    pub max_json_depth: usize,
    pub head_time: Duration,
    pub body_time: Duration,
    /// From the first byte of a request to the last of its answer.
    pub total_time: Duration,
    pub idle_time: Duration,
    /// How long requests under way may take to end when the program stops.
    pub drain_time: Duration,
}

/// The control listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    pub listen: SocketAddr,
}

/// Where the organisation comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    pub file: PathBuf,
    /// How often the file is read again even when no change was noticed.
    pub poll: Duration,
}

/// Where the rules come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RulesFrom {
    /// Those that the program was built with.
    #[default]
    Shipped,
    Folder(PathBuf),
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8600)),
            prefix: None,
            max_connections: 1024,
            max_in_flight: 256,
            max_requests_per_connection: 10_000,
            max_head_bytes: 16 * 1024,
            max_headers: 64,
            max_url_bytes: 8 * 1024,
            max_body_bytes: 1024 * 1024,
            max_json_depth: 64,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(15),
            total_time: Duration::from_mins(1),
            idle_time: Duration::from_mins(1),
            drain_time: Duration::from_secs(10),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8601)) }
    }
}
