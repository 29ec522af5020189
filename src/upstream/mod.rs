//! The only way out for a client's request.
//!
//! [`Upstreams::forward`] takes a [`Verified`], the [`Intent`] that recorded it and a [`Slot`] of the region's budget;
//! there is no other way to make a request. It never sees a client's header, path or token, follows no redirect and
//! repeats nothing, except once with a new token when the upstream no longer takes the old one.

mod arriving;
mod credential;
mod region;
mod request;

use crate::{
    audit::Intent,
    base::clock::Clock,
    egress::{EgressError, Times, Way},
    model::refusal::{Code, Refusal},
    policy::guard::Unguarded,
    telemetry::Metrics,
    verify::{Verified, VerifiedLink},
};
pub use arriving::Arriving;
use region::Region;
pub use request::Base;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
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
    /// Whose certificates are believed there, and whether it may be HTTP/2.
    pub way: Way,
    pub client_id: String,
    pub client_secret: SecretString,
    pub times: Times,
    /// Queries of this region that may be under way at once.
    pub concurrency: usize,
    /// How long a query waits for its turn.
    pub wait: Duration,
    /// Largest answer, or piece of one, that is held.
    pub max_answer_bytes: usize,
    /// Answers may come packed.
    pub gzip: bool,
    /// Scheme and host of where files lie that this program may fetch itself. Empty: from nowhere.
    pub media_hosts: Vec<Box<str>>,
    /// The upstream is told for whom a service account asks.
    pub forward_subject: bool,
}

impl Settings {
    /// Of each region, where files lie that may be fetched.
    pub fn media(&self) -> BTreeMap<Box<str>, Vec<Box<str>>> {
        self.regions.iter().map(|one| (one.region.as_str().into(), one.media_hosts.clone())).collect()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("upstream of region `{region}`: {why}")]
    Egress { region: String, why: EgressError },
    #[error(
        "upstream of region `{region}`: `{url}` is not a base address; write it as `https://host` or `https://host/prefix`"
    )]
    Url { region: String, url: String },
    #[error("region `{region}` has two upstreams; leave one")]
    Twice { region: String },
}

/// Leave to have one query under way in one region. Given back when dropped.
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
pub struct Upstreams {
    regions: BTreeMap<Arc<str>, Region>,
}

impl Upstreams {
    /// Opens no connection yet.
    #[expect(clippy::needless_pass_by_value, reason = "whoever wires the rooms hands each its own")]
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Self, UpstreamError> {
        let mut regions = BTreeMap::new();
        for one in &settings.regions {
            let made = Region::new(one, clock.clone(), metrics.clone())?;
            if regions.insert(Arc::from(one.region.as_str()), made).is_some() {
                return Err(UpstreamError::Twice { region: one.region.clone() });
            }
        }
        Ok(Self { regions })
    }

    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.keys().map(|region| &**region)
    }

    /// Connections opened to a region's upstream so far.
    pub fn opened(&self, region: &str) -> u64 {
        self.regions.get(region).map_or(0, |region| region.opened.load(Ordering::Acquire))
    }

    /// Waits shortly for a place in the region's budget.
    pub async fn enter(&self, region: &str) -> Result<Slot, Refusal> {
        let Some((name, known)) = self.regions.get_key_value(region) else {
            return Err(Refusal::new(Code::UpstreamUnavailable, "your region has no upstream; tell the operator")
                .because(format!("no upstream is configured for region `{region}`")));
        };
        match tokio::time::timeout(known.wait, known.budget.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Slot { region: name.clone(), _permit: permit }),
            Ok(Err(_)) | Err(_) => {
                Err(Refusal::new(Code::Overloaded, "too many queries are under way in your region; ask again shortly")
                    .because(format!("no place in the budget of region `{region}` within {:?}", known.wait)))
            }
        }
    }

    /// Sends a proved and recorded query. Anything but a success is a refusal; its parameter `upstream-status` tells the
    /// upstream's own status, `retry-after` how long it asks to be left alone.
    pub async fn forward(&self, verified: Verified, intent: Intent, slot: Slot) -> Result<Arriving, Refusal> {
        let Some(region) = self.regions.get(slot.region()) else {
            return Err(misused("the slot is of a region that has no upstream"));
        };
        // INVARIANT: what leaves is what the record says, where the record says.
        if intent.region() != slot.region() || !intent.covers(&verified) {
            return Err(misused("the recorded intent speaks of another query"));
        }
        region.exchange(&verified, intent.on_behalf(), slot).await
    }
}

impl Upstreams {
    /// Fetches the beginning of a file, up to the limit of an answer. No credential goes with it, and no redirect is followed.
    pub async fn follow(&self, link: VerifiedLink, intent: Intent, slot: Slot) -> Result<Unguarded, Refusal> {
        let Some(region) = self.regions.get(slot.region()) else {
            return Err(misused("the slot is of a region that has no upstream"));
        };
        // INVARIANT: what leaves is what the record says, where the record says.
        if intent.region() != slot.region() || !intent.covers_link(&link) {
            return Err(misused("the recorded intent speaks of another file"));
        }
        let file = region.file(&link).await;
        drop(slot);
        file
    }
}

fn misused(cause: &'static str) -> Refusal {
    Refusal::new(Code::Internal, "a fault of this proxy; tell the operator the decision id").because(cause)
}

#[cfg(test)]
mod tests;
