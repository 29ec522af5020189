//! The validated settings, one struct for each module that has any.

use super::vouching::Vouching;
use crate::{
    audit, identity,
    model::{
        finding::{Finding, Severity},
        world::Policy,
    },
    server, telemetry, upstream, world,
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

    /// What is doubtful about the facts that it rests on, and about the way in.
    pub fn doubts(&self, now: jiff::Timestamp) -> Vec<Finding> {
        let regions: Vec<&str> = self.upstream.regions.iter().map(|upstream| upstream.region.as_str()).collect();
        let mut found = self.vouching.findings(&regions, now);
        found.extend(self.proxy.in_the_clear());
        found.extend(self.admin.in_reach());
        found
    }
}

/// The clients' listener and what it takes from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    pub listen: SocketAddr,
    /// Path in front of `/api/v2/...` that is taken off, such as `/gateway`.
    pub prefix: Option<String>,
    /// Hosts that requests may be for. Empty: any.
    pub hosts: Vec<String>,
    pub tls: Option<server::Files>,
    pub http2: server::Http2,
    /// Origins whose pages may read what is answered.
    pub origins: Vec<String>,
    /// Answers say how long each phase took.
    pub server_timing: bool,
    pub max_connections: usize,
    /// Requests under way at once.
    pub max_in_flight: usize,
    pub max_requests_per_connection: usize,
    /// Requests under way at once on one connection of HTTP/2.
    pub max_streams: u32,
    pub max_head_bytes: usize,
    pub max_headers: usize,
    pub max_url_bytes: usize,
    pub max_body_bytes: usize,
    pub max_json_depth: usize,
    /// How long TLS may take to be set up.
    pub handshake_time: Duration,
    pub head_time: Duration,
    pub body_time: Duration,
    /// Bytes a second that a body has to bring.
    pub min_body_rate: usize,
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
            hosts: Vec::new(),
            tls: None,
            http2: server::Http2::default(),
            origins: Vec::new(),
            server_timing: false,
            max_connections: 1024,
            max_in_flight: 256,
            max_requests_per_connection: 10_000,
            max_streams: 100,
            max_head_bytes: 16 * 1024,
            max_headers: 64,
            max_url_bytes: 8 * 1024,
            max_body_bytes: 1024 * 1024,
            max_json_depth: 64,
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(15),
            min_body_rate: 1024,
            total_time: Duration::from_mins(1),
            idle_time: Duration::from_mins(1),
            drain_time: Duration::from_secs(10),
        }
    }
}

impl Proxy {
    fn in_the_clear(&self) -> Option<Finding> {
        let clear = self.tls.is_none() && !self.listen.ip().is_loopback();
        clear.then(|| Finding {
            code: "N01",
            severity: Severity::Warning,
            at: format!("`[proxy] listen = \"{}\"`", self.listen),
            why: "others can reach it, and tokens and answers travel unencrypted there".to_owned(),
            repair: "give it a certificate with `[proxy.tls]`, or let it be reached only through what has one"
                .to_owned(),
        })
    }
}

impl Admin {
    fn in_reach(&self) -> Option<Finding> {
        (!self.listen.ip().is_loopback()).then(|| Finding {
            code: "N02",
            severity: Severity::Warning,
            at: format!("`[admin] listen = \"{}\"`", self.listen),
            why: "others can reach the control side, which asks nobody who he is".to_owned(),
            repair: "listen on 127.0.0.1, and let what reaches it (the log-outs of an identity provider) come through something that \
                     passes one path on"
                .to_owned(),
        })
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8601)) }
    }
}
