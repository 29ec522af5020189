//! The only way out for a client's request.
//!
//! [`Upstreams::forward`] takes a [`Verified`], the [`Intent`] that recorded it and a [`Slot`] of the region's budget;
//! there is no other way to make a request. It never sees a client's header, path or token, follows no redirect and
//! repeats nothing, except once with a new token when the upstream no longer takes the old one.

mod arriving;
mod asker;
mod credential;
mod region;
mod request;

use crate::{
    audit::Intent,
    base::clock::Clock,
    egress::{EgressError, Times, Way},
    model::{
        login::Grant,
        refusal::{Code, Refusal},
    },
    policy::guard::Unguarded,
    telemetry::Metrics,
    verify::{Verified, VerifiedLink},
};
pub use arriving::Arriving;
pub use asker::AskerToken;
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
    pub credential: Credentials,
    /// The host that decides about log-ins, where they are passed on to it.
    pub login: Option<LoginHost>,
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

/// As whom a region is asked.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// As this proxy.
    Service { client_id: String, client_secret: SecretString },
    /// As whoever asks, with his own token.
    Asker,
}

/// Where clients and people of a region log in.
#[derive(Debug, Clone)]
pub struct LoginHost {
    /// Its `/oauth/token`.
    pub endpoint: http::Uri,
    /// Those that are passed on.
    pub grants: Vec<Grant>,
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
    /// With what the region is asked, where that is not this proxy's own credential.
    asker: Option<AskerToken>,
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

    /// Whether a region is asked with the asker's own token alone.
    pub fn needs_asker(&self, region: &str) -> bool {
        self.regions.get(region).is_some_and(Region::needs_asker)
    }

    /// Waits shortly for a place in the region's budget. `asker`: his own token, for a region that is asked with it.
    pub async fn enter(&self, region: &str, asker: Option<&AskerToken>) -> Result<Slot, Refusal> {
        let Some((name, known)) = self.regions.get_key_value(region) else {
            return Err(Refusal::new(Code::UpstreamUnavailable, "your region has no upstream; tell the operator")
                .because(format!("no upstream is configured for region `{region}`")));
        };
        let asker = known.needs_asker().then(|| AskerToken::of(asker, region)).transpose()?;
        match tokio::time::timeout(known.wait, known.budget.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Slot { region: name.clone(), asker, _permit: permit }),
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
