//! The world in force. A swap makes one new world; requests that hold the old one finish in it.

use super::pinned::Pinned;
use crate::{
    model::{operation::Rules, org::Org},
    telemetry::{
        Event as _, Metrics,
        event::{Part, SnapshotRejected, SnapshotSwapped},
    },
};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// From this age of the directory on, readiness says so.
    pub warn_after: SignedDuration,
    /// From this age on, everything is refused.
    pub refuse_after: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { warn_after: SignedDuration::from_mins(5), refuse_after: SignedDuration::from_mins(15) }
    }
}

/// Why the newest file of a part is not in force.
#[derive(Debug, Default)]
struct Troubles {
    rules: Option<String>,
    directory: Option<String>,
    certificates: Option<String>,
}

#[derive(Debug)]
pub struct WorldStore {
    current: ArcSwap<Pinned>,
    /// One swap at a time, so that two never build on the same predecessor.
    swapping: Mutex<Troubles>,
    settings: Settings,
    metrics: Metrics,
}

impl WorldStore {
    pub fn new(rules: Arc<Rules>, org: Arc<Org>, settings: Settings, metrics: Metrics) -> Self {
        let confirmed = Arc::new(AtomicI64::new(org.taken_at.as_microsecond()));
        let pinned = Pinned::new(rules, org, settings.refuse_after, confirmed);
        Self { current: ArcSwap::from_pointee(pinned), swapping: Mutex::default(), settings, metrics }
    }

    /// The world for one request.
    pub fn pin(&self) -> Arc<Pinned> {
        self.current.load_full()
    }

    pub fn swap_rules(&self, rules: Arc<Rules>) {
        let mut troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.pin();
        let version = rules.version.clone();
        self.current.store(Arc::new(old.with_rules(rules)));
        troubles.rules = None;
        SnapshotSwapped { part: Part::Rules, version: &version }.emit(&self.metrics);
    }

    pub fn swap_directory(&self, org: Arc<Org>) {
        let mut troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.pin();
        let version = org.version.clone();
        self.current.store(Arc::new(old.with_org(org)));
        troubles.directory = None;
        SnapshotSwapped { part: Part::Directory, version: &version }.emit(&self.metrics);
    }

    /// The source was read again at `now`, is valid and says the same as the directory with this version.
    pub fn confirm_directory(&self, version: &str, now: Timestamp) {
        let mut troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.pin();
        if &*current.world.version.directory == version {
            current.confirm(now);
            if troubles.directory.take().is_some() {
                SnapshotSwapped { part: Part::Directory, version }.emit(&self.metrics);
            }
        }
    }

    /// The rule files were read again, are valid and say the same as the rules with this version.
    pub fn confirm_rules(&self, version: &str) {
        let mut troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        if &*self.pin().world.version.rules == version && troubles.rules.take().is_some() {
            SnapshotSwapped { part: Part::Rules, version }.emit(&self.metrics);
        }
    }

    /// The certificates of the listener were read again and are good. They are no part of the world, but readiness speaks of
    /// them too; `version`: they were put in force.
    pub fn confirm_certificates(&self, version: Option<&str>) {
        let mut troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.certificates.take().is_some() || version.is_some() {
            let version = version.unwrap_or("as before");
            SnapshotSwapped { part: Part::Certificates, version }.emit(&self.metrics);
        }
    }

    /// A change that cannot be put in force; the world stays.
    pub fn reject(&self, part: Part, why: impl Into<String>) {
        let why = why.into();
        let mut troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match part {
            Part::Rules => &mut troubles.rules,
            Part::Directory => &mut troubles.directory,
            Part::Certificates => &mut troubles.certificates,
        };
        // what is read again every few seconds is told once
        if part != Part::Certificates || place.as_ref() != Some(&why) {
            SnapshotRejected { part, why: &why }.emit(&self.metrics);
        }
        *place = Some(why);
    }

    /// Why the newest files are not in force, for readiness. Empty: all is well.
    pub fn troubles(&self, now: Timestamp) -> Vec<String> {
        let pinned = self.pin();
        let mut found = Vec::new();
        let age = pinned.age(now);
        if age >= self.settings.warn_after {
            let limit = self.settings.refuse_after.as_secs();
            found.push(format!("directory: last known to be right {}s ago; refused from {limit}s on", age.as_secs()));
        }
        let troubles = self.swapping.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(troubles.rules.iter().map(|why| format!("rules: {why}")));
        found.extend(troubles.directory.iter().map(|why| format!("directory: {why}")));
        found.extend(troubles.certificates.iter().map(|why| format!("certificates: {why}")));
        found
    }

    /// Whether the directory is so old that somebody should know: worth a header. Sets the metric.
    pub fn late(&self, now: Timestamp) -> bool {
        let age = self.pin().age(now);
        self.metrics.directory_age.set(age.as_secs());
        age >= self.settings.warn_after
    }

    /// Whether anything can be decided at all.
    pub fn serves(&self, now: Timestamp) -> bool {
        self.pin().fresh(now).is_ok()
    }
}

impl Pinned {
    fn with_rules(&self, rules: Arc<Rules>) -> Self {
        self.next(rules, self.world.org.clone(), self.confirmed())
    }

    fn with_org(&self, org: Arc<Org>) -> Self {
        let confirmed = Arc::new(AtomicI64::new(org.taken_at.as_microsecond()));
        self.next(self.world.rules.clone(), org, confirmed)
    }

    fn confirm(&self, now: Timestamp) {
        self.confirmed().fetch_max(now.as_microsecond(), Ordering::AcqRel);
    }
}
