//! Every metric of the program, registered in a registry that is passed in.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Bounded label sets only: ids of operations, codes, regions from the configuration. Never a person, never an id asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OperationLabel {
    pub operation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CodeLabel {
    pub code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RegionLabel {
    pub region: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PartLabel {
    pub part: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PhaseLabel {
    pub phase: &'static str,
}

/// Cheap to clone: the values are shared.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub forwarded: Family<OperationLabel, Counter>,
    pub answered_locally: Family<OperationLabel, Counter>,
    pub refused: Family<CodeLabel, Counter>,
    pub rows_dropped: Family<OperationLabel, Counter>,
    pub rows_foreign: Family<OperationLabel, Counter>,
    pub answers_broken_off: Family<OperationLabel, Counter>,
    pub verify_failed: Counter,
    pub snapshots_swapped: Family<PartLabel, Counter>,
    pub snapshots_rejected: Family<PartLabel, Counter>,
    pub snapshot_broken: Family<PartLabel, Gauge>,
    pub directory_age: Gauge,
    pub upstream_connections: Family<RegionLabel, Counter>,
    pub upstream_tokens: Family<RegionLabel, Counter>,
    pub upstream_token_failures: Family<RegionLabel, Counter>,
    pub key_fetches: Counter,
    pub keys_late: Gauge,
    pub introspections: Counter,
    pub introspection_failures: Counter,
    pub sessions_ended: Counter,
    pub logins_failed: Counter,
    pub logins_throttled: Counter,
    pub record_failures: Counter,
    pub record_available: Gauge,
    pub record_lines: Counter,
    pub record_syncs: Counter,
    pub in_flight: Gauge,
    pub phase_seconds: Family<PhaseLabel, Histogram>,
}

/// From 10 microseconds to 40 seconds.
fn phase_histogram() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(0.000_01, 2.0, 22))
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let made = Self {
            forwarded: Family::default(),
            answered_locally: Family::default(),
            refused: Family::default(),
            rows_dropped: Family::default(),
            rows_foreign: Family::default(),
            answers_broken_off: Family::default(),
            verify_failed: Counter::default(),
            snapshots_swapped: Family::default(),
            snapshots_rejected: Family::default(),
            snapshot_broken: Family::default(),
            directory_age: Gauge::default(),
            upstream_connections: Family::default(),
            upstream_tokens: Family::default(),
            upstream_token_failures: Family::default(),
            key_fetches: Counter::default(),
            keys_late: Gauge::default(),
            introspections: Counter::default(),
            introspection_failures: Counter::default(),
            sessions_ended: Counter::default(),
            logins_failed: Counter::default(),
            logins_throttled: Counter::default(),
            record_failures: Counter::default(),
            record_available: Gauge::default(),
            record_lines: Counter::default(),
            record_syncs: Counter::default(),
            in_flight: Gauge::default(),
            phase_seconds: Family::new_with_constructor(phase_histogram),
        };
        let all = registry.sub_registry_with_prefix("bailiwick");
        all.register("queries_forwarded", "Queries sent to an upstream, by operation", made.forwarded.clone());
        all.register(
            "queries_answered_locally",
            "Queries answered without the upstream",
            made.answered_locally.clone(),
        );
        all.register("queries_refused", "Refusals, by code", made.refused.clone());
        all.register("answer_rows_dropped", "Rows the guard took out of answers", made.rows_dropped.clone());
        all.register(
            "answer_rows_foreign",
            "Of those, rows that nobody asked for: the upstream does not do as it is told",
            made.rows_foreign.clone(),
        );
        all.register(
            "answers_broken_off",
            "Answers that were cut after their first part had left",
            made.answers_broken_off.clone(),
        );
        all.register(
            "verify_failed",
            "Narrowed queries the second reader could not prove: an alarm",
            made.verify_failed.clone(),
        );
        all.register("snapshots_swapped", "New worlds put in force, by what changed", made.snapshots_swapped.clone());
        all.register("snapshots_rejected", "Changes that were not put in force", made.snapshots_rejected.clone());
        all.register("snapshot_broken", "1 while the newest file is not in force", made.snapshot_broken.clone());
        all.register(
            "directory_age_seconds",
            "Seconds since the directory was last known to be right",
            made.directory_age.clone(),
        );
        all.register("upstream_connections_opened", "Connections opened, by region", made.upstream_connections.clone());
        all.register("upstream_tokens_fetched", "Service tokens fetched, by region", made.upstream_tokens.clone());
        all.register(
            "upstream_token_failures",
            "Service tokens that could not be fetched",
            made.upstream_token_failures.clone(),
        );
        all.register("key_fetches", "Times that an issuer was asked for its keys", made.key_fetches.clone());
        all.register("keys_late", "1 while the keys of the issuer could not be read anew", made.keys_late.clone());
        all.register(
            "introspections",
            "Times that somebody was asked whether a token is good",
            made.introspections.clone(),
        );
        all.register(
            "introspection_failures",
            "Of those, times that nobody could say",
            made.introspection_failures.clone(),
        );
        all.register(
            "sessions_ended",
            "Sessions, tokens, users and clients whose tokens were ended here",
            made.sessions_ended.clone(),
        );
        all.register("logins_failed", "Requests whose token or log-in was not good", made.logins_failed.clone());
        all.register("logins_throttled", "Of those, from where too many failed", made.logins_throttled.clone());
        all.register(
            "record_failures",
            "Writes or syncs of the decision record that failed",
            made.record_failures.clone(),
        );
        all.register("record_available", "1 while decisions can be recorded", made.record_available.clone());
        all.register("record_lines", "Lines written to the decision record", made.record_lines.clone());
        all.register("record_syncs", "Groups of lines made durable", made.record_syncs.clone());
        all.register("requests_in_flight", "Requests under way", made.in_flight.clone());
        all.register("phase_seconds", "Duration of each phase of a request", made.phase_seconds.clone());
        made.record_available.set(1);
        made
    }

    /// A set of its own, for tests and for commands that serve nothing.
    pub fn detached() -> Self {
        Self::register(&mut Registry::default())
    }
}

/// The text that `/metrics` answers.
pub fn render(registry: &Registry) -> String {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => text,
        // Only a failing writer can fail, and a string does not.
        Err(_) => String::new(),
    }
}
