//! The face of the record: room for outcomes, intents made durable, and the proof that they are.

use super::{
    record::{
        Cache, IntentRecord, NoticeRecord, OutcomeRecord, Query, Record, ScopeRecord, StepRecord, Subject,
        VersionsRecord,
    },
    segment::Segments,
    writer::{Message, Trouble, Writer},
};
use crate::{
    model::{
        operation::Operation,
        outgoing::Outgoing,
        refusal::{Code, Refusal},
    },
    query::hide::hide,
    telemetry::Metrics,
    verify::{Certificate, Verified, VerifiedLink},
};
use jiff::Timestamp;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};
use uuid::Uuid;

/// How long a request waits for room in the record.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an intent may take to become durable.
const DURABLE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the segments stand.
    pub folder: PathBuf,
    pub durability: Durability,
    pub queries: Queries,
    /// A segment that has grown to this is closed and the next one begun.
    pub segment_bytes: u64,
    /// Decisions that may be open, or closed and not yet durable, at once.
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

/// What is kept of a query.
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

impl Unavailable {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
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
    /// By whose model of the body what is sent is kept.
    pub governed: Option<Arc<Operation>>,
    /// The user for whom a service account asks.
    pub on_behalf: Option<String>,
    pub scope: Arc<ScopeRecord>,
    pub versions: VersionsRecord,
    pub cache: Cache,
    pub notices: Vec<NoticeRecord>,
}

/// Proof that what is about to be sent stands in the record. Only [`Recorder::intend`] makes one.
#[derive(Debug)]
pub struct Intent {
    decision: Uuid,
    region: String,
    on_behalf: Option<String>,
    sent: Outgoing,
}

impl Intent {
    pub fn decision(&self) -> Uuid {
        self.decision
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// The user for whom a service account asks.
    pub fn on_behalf(&self) -> Option<&str> {
        self.on_behalf.as_deref()
    }

    /// Whether it speaks of this very query.
    pub fn covers(&self, verified: &Verified) -> bool {
        self.sent == *verified.outgoing()
    }

    /// Whether it speaks of this very file.
    pub fn covers_link(&self, link: &VerifiedLink) -> bool {
        self.sent == *link.outgoing()
    }
}

fn as_sent(sent: &Outgoing, governed: Option<&Operation>) -> Query {
    let body = sent.body.as_deref();
    let hidden = body.zip(governed).and_then(|(body, operation)| hide(operation, body));
    Query::new(sent.method.as_str(), &sent.path, &sent.query, hidden.as_deref().or(body))
}

/// Hands lines to the writer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    to: Sender<Message>,
    outcomes: Arc<Semaphore>,
    intents: Arc<Semaphore>,
    trouble: Arc<Trouble>,
    durability: Durability,
    queries: Queries,
}

impl Recorder {
    /// Opens the folder and starts the writer's thread.
    pub fn start(settings: Settings, metrics: Metrics) -> Result<Self, StartError> {
        let segments = Segments::open(&settings.folder, settings.segment_bytes)
            .map_err(|why| StartError::Folder { folder: settings.folder, why })?;
        let trouble = Arc::new(Trouble::default());
        let writer = Writer::new(segments, metrics, trouble.clone());
        let (to, messages) = mpsc::channel();
        std::thread::Builder::new()
            .name("decision-record".to_owned())
            .spawn(move || writer.run(&messages))
            .map_err(StartError::Thread)?;
        Ok(Self {
            to,
            outcomes: Arc::new(Semaphore::new(settings.slots)),
            intents: Arc::new(Semaphore::new(settings.slots)),
            trouble,
            durability: settings.durability,
            queries: settings.queries,
        })
    }

    /// Room for the outcome of a request that has just arrived. Waits shortly when there is none.
    pub async fn reserve(&self) -> Result<Reserved, Unavailable> {
        let permit = self.room(&self.outcomes).await?;
        Ok(Reserved { to: self.to.clone(), permit, queries: self.queries })
    }

    /// Records what is about to be sent. Strict: returns when it is on the disk.
    pub async fn intend(&self, draft: IntentDraft, verified: &Verified) -> Result<Intent, Unavailable> {
        self.write(draft, verified.outgoing(), verified.certificate()).await
    }

    /// The same for a file that is about to be fetched.
    pub async fn intend_link(&self, draft: IntentDraft, link: &VerifiedLink) -> Result<Intent, Unavailable> {
        self.write(draft, link.outgoing(), link.certificate()).await
    }

    async fn write(
        &self,
        draft: IntentDraft,
        sent: &Outgoing,
        certificate: &Certificate,
    ) -> Result<Intent, Unavailable> {
        let permit = self.room(&self.intents).await?;
        let intent = Intent {
            decision: draft.decision,
            region: draft.region.clone(),
            on_behalf: draft.on_behalf.clone(),
            sent: sent.clone(),
        };
        let as_sent = as_sent(sent, draft.governed.as_deref());
        let record = Box::new(Record::Intent(Box::new(self.line(draft, as_sent, certificate))));
        let (durable, waiting) = match self.durability {
            Durability::Strict => {
                let (answer, waiting) = oneshot::channel();
                (Some(answer), Some(waiting))
            }
            Durability::Relaxed => (None, None),
        };
        self.to.send(Message::Line { record, permit, durable }).map_err(|_| ended())?;
        if let Some(waiting) = waiting {
            match timeout(DURABLE, waiting).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(why))) => return Err(Unavailable { why }),
                Ok(Err(_)) => return Err(ended()),
                Err(_) => return Err(Unavailable::new("the disk of the record does not answer in time")),
            }
        }
        Ok(intent)
    }

    /// Why decisions cannot be recorded now, for readiness.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.get()
    }

    /// Writes what is queued and ends the writer. Intents are unavailable from then on.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.to.send(Message::Close(done)).is_ok() {
            // An error means that the writer has already ended.
            let _ended = closed.await;
        }
    }

    async fn room(&self, of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Unavailable> {
        match timeout(PATIENCE, of.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(ended()),
            Err(_) => Err(self.trouble().map_or_else(
                || Unavailable::new("too many decisions wait to be recorded"),
                |why| Unavailable::new(format!("too many decisions wait to be recorded: {why}")),
            )),
        }
    }

    fn line(&self, draft: IntentDraft, sent: Query, certificate: &Certificate) -> IntentRecord {
        let steps = certificate.steps.iter();
        IntentRecord {
            decision: draft.decision,
            time: draft.time,
            subject: draft.subject,
            peer: draft.peer,
            operation: draft.operation,
            region: draft.region,
            asked: kept(draft.asked, self.queries),
            sent: kept(sent, self.queries),
            scope: draft.scope,
            certificate: steps.map(|step| StepRecord { clause: step.clause.clone(), by: step.by.clone() }).collect(),
            versions: draft.versions,
            cache: draft.cache,
            notices: draft.notices,
        }
    }
}

fn ended() -> Unavailable {
    Unavailable::new("the writer of the decision record has ended")
}

fn kept(query: Query, queries: Queries) -> Query {
    match queries {
        Queries::Full => query,
        Queries::Digest => query.without_text(),
    }
}

/// Room for one outcome line.
#[derive(Debug)]
pub struct Reserved {
    to: Sender<Message>,
    permit: OwnedSemaphorePermit,
    queries: Queries,
}

impl Reserved {
    /// Hands the outcome over. Never waits.
    pub fn record(self, outcome: OutcomeRecord) {
        let mut outcome = outcome.bounded();
        outcome.asked = outcome.asked.map(|query| kept(query, self.queries));
        let record = Box::new(Record::Outcome(Box::new(outcome)));
        if self.to.send(Message::Line { record, permit: self.permit, durable: None }).is_err() {
            tracing::error!("an outcome came after the decision record was closed");
        }
    }
}
