//! What happened, in the past tense. Each event owns its log line and its counters; nothing else logs.

use super::metrics::{CodeLabel, Metrics, OperationLabel, PartLabel, RegionLabel};
use crate::model::refusal::{Blame, Code};
use uuid::Uuid;

pub trait Event {
    fn emit(&self, metrics: &Metrics);
}

/// A proved query left for the upstream.
#[derive(Debug)]
pub struct QueryForwarded<'a> {
    pub decision: Uuid,
    pub operation: &'a str,
    pub region: &'a str,
}

impl Event for QueryForwarded<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.forwarded.get_or_create(&OperationLabel { operation: self.operation.to_owned() }).inc();
        tracing::debug!(decision = %self.decision, operation = self.operation, region = self.region, "query forwarded");
    }
}

/// Answered from the directory, or known to be empty.
#[derive(Debug)]
pub struct QueryAnsweredLocally<'a> {
    pub decision: Uuid,
    pub operation: &'a str,
}

impl Event for QueryAnsweredLocally<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.answered_locally.get_or_create(&OperationLabel { operation: self.operation.to_owned() }).inc();
        tracing::debug!(decision = %self.decision, operation = self.operation, "query answered without the upstream");
    }
}

/// A decision not to forward, or not to pass an answer on.
#[derive(Debug)]
pub struct QueryRefused<'a> {
    pub decision: Uuid,
    pub operation: Option<&'a str>,
    pub code: Code,
    pub cause: Option<&'a str>,
}

impl Event for QueryRefused<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.refused.get_or_create(&CodeLabel { code: self.code.as_str() }).inc();
        let (code, operation, cause) = (self.code.as_str(), self.operation.unwrap_or("-"), self.cause.unwrap_or("-"));
        match self.code.blame() {
            Blame::Proxy | Blame::Upstream => {
                tracing::warn!(decision = %self.decision, code, operation, cause, "query refused");
            }
            Blame::Asker | Blame::Administrator => {
                tracing::info!(decision = %self.decision, code, operation, cause, "query refused");
            }
        }
    }
}

/// The second reader could not prove what the rewriter made. Nothing was sent, and somebody must look.
#[derive(Debug)]
pub struct VerifyFailed<'a> {
    pub decision: Uuid,
    pub operation: &'a str,
    pub cause: &'a str,
}

impl Event for VerifyFailed<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.verify_failed.inc();
        tracing::error!(
            decision = %self.decision, operation = self.operation, cause = self.cause,
            "a narrowed query could not be proved and was not sent"
        );
    }
}

/// The guard took rows out of an answer.
#[derive(Debug)]
pub struct AnswerRowsDropped<'a> {
    pub decision: Uuid,
    pub operation: &'a str,
    pub rows: u64,
}

impl Event for AnswerRowsDropped<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.rows_dropped.get_or_create(&OperationLabel { operation: self.operation.to_owned() }).inc_by(self.rows);
        tracing::debug!(decision = %self.decision, operation = self.operation, rows = self.rows, "rows dropped from an answer");
    }
}

/// The upstream sent rows that the query left out: it does not do as its documentation says, and somebody must look.
#[derive(Debug)]
pub struct ForeignRowsReceived<'a> {
    pub decision: Uuid,
    pub operation: &'a str,
    pub rows: u64,
}

impl Event for ForeignRowsReceived<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.rows_foreign.get_or_create(&OperationLabel { operation: self.operation.to_owned() }).inc_by(self.rows);
        tracing::warn!(
            decision = %self.decision, operation = self.operation, rows = self.rows,
            "the upstream sent rows that nobody asked for; they were taken out"
        );
    }
}

/// Part of an answer has left, and what follows cannot be judged: the stream was aborted.
#[derive(Debug)]
pub struct AnswerBrokeOff<'a> {
    pub decision: Uuid,
    pub operation: &'a str,
    pub code: Code,
    pub cause: &'a str,
}

impl Event for AnswerBrokeOff<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.answers_broken_off.get_or_create(&OperationLabel { operation: self.operation.to_owned() }).inc();
        tracing::warn!(
            decision = %self.decision, operation = self.operation, code = self.code.as_str(), cause = self.cause,
            "an answer was cut after its first part had left"
        );
    }
}

/// Which part of what is in force changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Rules,
    Directory,
    /// Of the listener.
    Certificates,
}

impl Part {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Directory => "directory",
            Self::Certificates => "certificates",
        }
    }
}

/// A new world is in force.
#[derive(Debug)]
pub struct SnapshotSwapped<'a> {
    pub part: Part,
    pub version: &'a str,
}

impl Event for SnapshotSwapped<'_> {
    fn emit(&self, metrics: &Metrics) {
        let label = PartLabel { part: self.part.as_str() };
        metrics.snapshots_swapped.get_or_create(&label).inc();
        metrics.snapshot_broken.get_or_create(&label).set(0);
        tracing::info!(part = self.part.as_str(), version = self.version, "new snapshot in force");
    }
}

/// A changed file was not put in force; the old world goes on.
#[derive(Debug)]
pub struct SnapshotRejected<'a> {
    pub part: Part,
    pub why: &'a str,
}

impl Event for SnapshotRejected<'_> {
    fn emit(&self, metrics: &Metrics) {
        let label = PartLabel { part: self.part.as_str() };
        metrics.snapshots_rejected.get_or_create(&label).inc();
        metrics.snapshot_broken.get_or_create(&label).set(1);
        tracing::error!(
            part = self.part.as_str(),
            why = self.why,
            "a change was rejected; the old snapshot stays in force"
        );
    }
}

/// A connection to a region's upstream was opened.
#[derive(Debug)]
pub struct ConnectionOpened<'a> {
    pub region: &'a str,
}

impl Event for ConnectionOpened<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.upstream_connections.get_or_create(&RegionLabel { region: self.region.to_owned() }).inc();
        tracing::debug!(region = self.region, "connection to the upstream opened");
    }
}

#[derive(Debug)]
pub struct TokenFetched<'a> {
    pub region: &'a str,
}

impl Event for TokenFetched<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.upstream_tokens.get_or_create(&RegionLabel { region: self.region.to_owned() }).inc();
        tracing::debug!(region = self.region, "service token fetched");
    }
}

#[derive(Debug)]
pub struct TokenFetchFailed<'a> {
    pub region: &'a str,
    pub why: &'a str,
}

impl Event for TokenFetchFailed<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.upstream_token_failures.get_or_create(&RegionLabel { region: self.region.to_owned() }).inc();
        tracing::warn!(region = self.region, why = self.why, "no service token could be fetched");
    }
}

/// The keys of an issuer were read.
#[derive(Debug)]
pub struct KeysPublished<'a> {
    pub issuer: &'a str,
    pub keys: usize,
}

impl Event for KeysPublished<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.key_fetches.inc();
        metrics.keys_late.set(0);
        tracing::debug!(issuer = self.issuer, keys = self.keys, "the issuer's keys were read");
    }
}

/// The keys of an issuer could not be read; those of before stay.
#[derive(Debug)]
pub struct KeysKept<'a> {
    pub issuer: &'a str,
    pub why: &'a str,
}

impl Event for KeysKept<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.key_fetches.inc();
        metrics.keys_late.set(1);
        tracing::error!(issuer = self.issuer, why = self.why, "the issuer's keys cannot be read; those of before stay");
    }
}

/// An issuer publishes a key that is not used.
#[derive(Debug)]
pub struct KeysPassedOver<'a> {
    pub issuer: &'a str,
    pub why: &'a str,
}

impl Event for KeysPassedOver<'_> {
    fn emit(&self, _: &Metrics) {
        tracing::warn!(issuer = self.issuer, why = self.why, "a key of the issuer is passed over");
    }
}

/// Somebody who vouches for tokens was asked about one.
#[derive(Debug)]
pub struct TokenAskedAbout {
    /// `None`: he says that it is not good, or that it is.
    pub failed: Option<String>,
}

impl Event for TokenAskedAbout {
    fn emit(&self, metrics: &Metrics) {
        metrics.introspections.inc();
        if let Some(why) = &self.failed {
            metrics.introspection_failures.inc();
            tracing::warn!(why, "nobody could say whether a token is good");
        }
    }
}

/// A session, a token, or all of somebody were ended.
#[derive(Debug)]
pub struct SessionEnded<'a> {
    pub kind: &'static str,
    pub id: &'a str,
}

impl Event for SessionEnded<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.sessions_ended.inc();
        tracing::info!(kind = self.kind, id = self.id, "tokens were ended");
    }
}

/// A log-in, or a token, was not good.
#[derive(Debug)]
pub struct LoginFailed {
    /// More failed from there than may.
    pub throttled: bool,
}

impl Event for LoginFailed {
    fn emit(&self, metrics: &Metrics) {
        metrics.logins_failed.inc();
        if self.throttled {
            metrics.logins_throttled.inc();
        }
    }
}

/// The decision record cannot be written; queries are refused until it can.
#[derive(Debug)]
pub struct RecordFailed<'a> {
    pub why: &'a str,
}

impl Event for RecordFailed<'_> {
    fn emit(&self, metrics: &Metrics) {
        metrics.record_failures.inc();
        metrics.record_available.set(0);
        tracing::error!(why = self.why, "decisions cannot be recorded; queries are refused until they can");
    }
}

#[derive(Debug)]
pub struct RecordRecovered;

impl Event for RecordRecovered {
    fn emit(&self, metrics: &Metrics) {
        metrics.record_available.set(1);
        tracing::info!("decisions can be recorded again");
    }
}
