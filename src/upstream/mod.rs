//! The only way out for a client's request.
//!
//! [`Upstreams::forward`] takes a [`Verified`], the [`Intent`] that recorded it and a [`Slot`] of the region's budget;
//! there is no other way to make a request. It never sees a client's header, path or token.

use crate::{
    audit::Intent,
    base::clock::Clock,
    egress::{EgressError, Times, Trust},
    model::refusal::{Code, Refusal},
    policy::guard::Unguarded,
    telemetry::Metrics,
    verify::Verified,
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;

#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub regions: Vec<RegionSettings>,
}

#[derive(Debug, Clone)]
pub struct RegionSettings {
    /// Id of the region in the directory.
    pub region: String,
    /// Base URL; may have a path in front of the API's own paths.
    pub url: http::Uri,
    pub trust: Trust,
    pub client_id: String,
    pub client_secret: SecretString,
    pub times: Times,
    /// Queries of this region that may be under way at once.
    pub concurrency: usize,
    /// How long a query waits for its turn.
    pub wait: Duration,
    pub max_answer_bytes: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("upstream of region `{region}`: {why}")]
    Egress { region: String, why: EgressError },
    #[error("region `{region}` has two upstreams; leave one")]
    Twice { region: String },
}

/// Leave to have one query under way in one region.
#[derive(Debug)]
pub struct Slot {
    region: Arc<str>,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// The upstream of each region.
#[derive(Debug)]
pub struct Upstreams {}

impl Upstreams {
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Self, UpstreamError> {
        let _ = (settings, clock, metrics);
        Ok(Self {})
    }

    pub fn regions(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }

    /// Connections opened to a region's upstream so far, for tests and for the metrics page.
    pub fn opened(&self, region: &str) -> u64 {
        let _ = region;
        0
    }

    /// Waits shortly for a place in the region's budget.
    pub async fn enter(&self, region: &str) -> Result<Slot, Refusal> {
        let _ = region;
        Err(Refusal::new(Code::Overloaded, "too much is under way"))
    }

    /// Sends a proved and recorded query, and reads the answer up to the limit.
    pub async fn forward(&self, verified: Verified, intent: Intent, slot: Slot) -> Result<Unguarded, Refusal> {
        let _ = (verified, intent, slot);
        Err(Refusal::new(Code::UpstreamUnavailable, "the upstream cannot be reached"))
    }
}
