//! One request and its decision, from the arrival to the last byte of the answer.
//!
//! An exchange writes its outcome line when it is dropped, so there is one for every ending: body delivered, body cut,
//! asker gone, panic caught. It carries facts for the record; no phase learns anything from it but the time, and the token with
//! which the asker's region may be asked.

mod asked;
mod ending;

use super::cors::Reader;
use crate::{
    audit::{
        self, Cache, Intent, IntentDraft, NoticeRecord, OutcomeRecord, Recorder, Reserved, ScopeRecord, Subject,
        Unavailable, Verdict, VersionsRecord,
    },
    base::clock::Clock,
    decision::Forward,
    identity,
    model::{
        operation::Operation,
        org::{Org, Principal},
        refusal::{Code, Notice, Refusal},
        world::World,
    },
    policy::guard::{Guarded, Rows},
    telemetry::{
        Event as _, Metrics,
        event::{
            AnswerBrokeOff, AnswerRowsDropped, ForeignRowsReceived, QueryAnsweredLocally, QueryForwarded, QueryRefused,
            VerifyFailed,
        },
        metrics::PhaseLabel,
    },
    upstream::AskerToken,
    verify::VerifiedLink,
    world::Scoped,
};
use asked::without_words;
use jiff::Timestamp;
use std::{sync::Arc, time::Instant};
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Exchange {
    id: Uuid,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    reserved: Result<Reserved, Unavailable>,
    head: bool,
    /// The client's body, or its end, has not been read.
    unread: bool,
    /// The page that a browser gives the answer to, if any.
    reader: Reader,
    began: Instant,
    phase: (&'static str, Instant),
    /// The outcome line as it stands now: nobody has got an answer yet.
    outcome: Option<OutcomeRecord>,
    /// The asked body, before it was understood.
    body: Option<String>,
    /// The rule, once it is found.
    governed: Option<Arc<Operation>>,
    region: String,
    scope: Option<Arc<ScopeRecord>>,
    notices: Vec<Notice>,
    /// The user for whom a service account asks.
    on_behalf: Option<String>,
    /// The asker's own token, where the upstream that is asked knows it.
    asker: Option<AskerToken>,
    /// The asker is told how long each phase took.
    timed: bool,
}

impl Exchange {
    pub(super) async fn open(
        recorder: &Recorder,
        clock: &Arc<dyn Clock>,
        metrics: &Metrics,
        head: bool,
        unread: bool,
        peer: String,
    ) -> Self {
        let reserved = recorder.reserve().await;
        let (id, now) = (Uuid::now_v7(), clock.now());
        metrics.in_flight.inc();
        let outcome = OutcomeRecord {
            decision: id,
            opened: now,
            time: now,
            subject: None,
            peer,
            operation: None,
            verdict: Verdict::Gone,
            code: None,
            cause: None,
            status: 0,
            asked: None,
            scope: None,
            versions: None,
            cache: Cache::None,
            upstream_status: None,
            rows_in: 0,
            rows_out: 0,
            rows_foreign: 0,
            job: None,
            bytes_in: 0,
            bytes_out: 0,
            phases: Vec::new(),
            notices: Vec::new(),
        };
        Self {
            id,
            clock: Arc::clone(clock),
            metrics: metrics.clone(),
            reserved,
            head,
            unread,
            reader: Reader::default(),
            began: Instant::now(),
            phase: ("admit", Instant::now()),
            outcome: Some(outcome),
            body: None,
            governed: None,
            region: String::new(),
            scope: None,
            notices: Vec::new(),
            on_behalf: None,
            asker: None,
            timed: false,
        }
    }

    /// A decision that cannot be recorded is not taken.
    pub(super) fn recordable(&self) -> Result<(), Refusal> {
        self.reserved.as_ref().map(|_| ()).map_err(|unavailable| unavailable.clone().into())
    }

    pub(super) fn decision(&self) -> Uuid {
        self.id
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When it was opened.
    pub(super) fn began(&self) -> tokio::time::Instant {
        self.began.into()
    }

    /// The same by the clock.
    pub(super) fn opened(&self) -> Timestamp {
        self.outcome.as_ref().map_or_else(|| self.clock.now(), |outcome| outcome.opened)
    }

    /// Ends the phase that was running and begins the next.
    pub(super) fn enter(&mut self, phase: &'static str) {
        self.end_phase();
        self.phase = (phase, Instant::now());
    }

    /// The phase that is running.
    pub(super) fn phase(&self) -> &'static str {
        self.phase.0
    }

    fn end_phase(&mut self) {
        let (phase, since) = self.phase;
        let took = since.elapsed();
        self.metrics.phase_seconds.get_or_create(&PhaseLabel { phase }).observe(took.as_secs_f64());
        self.note(|outcome| {
            outcome.phases.push((phase.to_owned(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX)));
        });
    }

    pub(super) fn note(&mut self, fact: impl FnOnce(&mut OutcomeRecord)) {
        if let Some(outcome) = &mut self.outcome {
            fact(outcome);
        }
    }

    pub(super) fn decided_in(&mut self, world: &World) {
        let versions = VersionsRecord::from(&world.version);
        self.note(|outcome| outcome.versions = Some(versions));
    }

    pub(super) fn identified(&mut self, subject: &identity::Subject, org: &Org) {
        let kind = match subject.principal {
            Principal::User(_) => "user",
            Principal::Service(_) => "service",
        };
        self.region = org.region(org.region_of(subject.principal)).id.to_string();
        let subject = Subject {
            kind: kind.to_owned(),
            id: org.principal_id(subject.principal).to_owned(),
            actor: None,
            session: subject.session.as_deref().map(|session| session.chars().take(MAX_CLIENT).collect()),
            client: subject.client.as_deref().map(|client| client.chars().take(MAX_CLIENT).collect()),
            method: subject.method.as_str().to_owned(),
        };
        self.note(|outcome| outcome.subject = Some(subject));
    }

    /// Keeps the asker's own token for what is asked for him.
    pub(super) fn carries(&mut self, token: Option<AskerToken>) {
        self.asker = token;
    }

    pub(super) fn asker(&self) -> Option<&AskerToken> {
        self.asker.as_ref()
    }

    /// Who has it asked for the subject.
    pub(super) fn acted_by(&mut self, actor: &str) {
        self.note(|outcome| {
            if let Some(subject) = &mut outcome.subject {
                subject.actor = Some(actor.to_owned());
            }
        });
    }

    /// A service account asks for the subject.
    pub(super) fn acts_for(&mut self, account: &str) {
        self.on_behalf = self.outcome.as_ref().and_then(|outcome| Some(outcome.subject.as_ref()?.id.clone()));
        self.acted_by(account);
    }

    pub(super) fn is_on_behalf(&self) -> bool {
        self.on_behalf.is_some()
    }

    pub(super) fn operation(&mut self, operation: &Arc<Operation>) {
        self.governed = Some(operation.clone());
        self.note(|outcome| outcome.operation = Some(operation.id.to_string()));
    }

    /// Says with every answer that the organisation may have changed since.
    pub(super) fn tell(&mut self, late: bool) {
        if late {
            let text = "the copy of the organisation was not confirmed for a while; recent changes may be missing";
            self.notices.push(Notice::new("directory.late", text));
        }
    }

    pub(super) fn tell_all<'n>(&mut self, notices: impl IntoIterator<Item = &'n Notice>) {
        self.notices.extend(notices.into_iter().cloned());
    }

    pub(super) fn scoped(&mut self, scoped: &Scoped, org: &Org) {
        self.scope = Some(Arc::clone(&scoped.record));
        self.region = org.region(scoped.scope.region).id.to_string();
    }

    /// Records what is about to be sent. Nothing leaves without it.
    pub(super) async fn intend(&mut self, recorder: &Recorder, forward: &Forward) -> Result<Intent, Refusal> {
        self.notices.extend(forward.notices.iter().cloned());
        let draft =
            self.draft().ok_or_else(|| Refusal::new(Code::Internal, INTERNAL).because("an intent before its facts"))?;
        let intent = recorder.intend(draft, &forward.verified).await?;
        let (decision, region) = (self.id, self.region.clone());
        let operation = self.outcome.as_ref().and_then(|outcome| outcome.operation.clone()).unwrap_or_default();
        QueryForwarded { decision, operation: &operation, region: &region }.emit(&self.metrics);
        Ok(intent)
    }

    /// The same for a file that is about to be fetched.
    pub(super) async fn intend_link(&mut self, recorder: &Recorder, link: &VerifiedLink) -> Result<Intent, Refusal> {
        let draft =
            self.draft().ok_or_else(|| Refusal::new(Code::Internal, INTERNAL).because("an intent before its facts"))?;
        let intent = recorder.intend_link(draft, link).await?;
        let (decision, region) = (self.id, self.region.clone());
        let operation = self.outcome.as_ref().and_then(|outcome| outcome.operation.clone()).unwrap_or_default();
        QueryForwarded { decision, operation: &operation, region: &region }.emit(&self.metrics);
        Ok(intent)
    }

    /// Records what is about to be shown again, with what was sent for it. Nothing is sent now.
    pub(super) async fn intend_kept(&mut self, recorder: &Recorder, forward: &Forward) -> Result<(), Refusal> {
        self.note(|outcome| outcome.cache = Cache::Kept);
        let draft =
            self.draft().ok_or_else(|| Refusal::new(Code::Internal, INTERNAL).because("an intent before its facts"))?;
        recorder.intend(draft, &forward.verified).await?;
        Ok(())
    }

    fn draft(&self) -> Option<IntentDraft> {
        let outcome = self.outcome.as_ref()?;
        Some(IntentDraft {
            decision: self.id,
            time: self.now(),
            subject: outcome.subject.clone()?,
            peer: outcome.peer.clone(),
            operation: outcome.operation.clone()?,
            region: self.region.clone(),
            asked: outcome.asked.clone()?,
            governed: self.governed.clone(),
            on_behalf: self.on_behalf.clone(),
            scope: self.scope.clone()?,
            versions: outcome.versions.clone()?,
            cache: outcome.cache,
            notices: self.notices.iter().map(NoticeRecord::from).collect(),
        })
    }

    /// The upstream began to answer.
    pub(super) fn answered(&mut self, status: u16) {
        self.note(|outcome| outcome.upstream_status = Some(status));
    }

    /// So much of the upstream's answer came, before anybody judged it.
    pub(super) fn received(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.note(|outcome| outcome.bytes_in = outcome.bytes_in.saturating_add(bytes));
    }

    fn guarded(&mut self, guarded: &Guarded) {
        let forwarded = self.outcome.as_ref().is_some_and(|outcome| outcome.upstream_status.is_some());
        let verdict = if forwarded { Verdict::Forwarded } else { Verdict::Local };
        self.note(|outcome| {
            outcome.verdict = verdict;
            outcome.job = guarded.job().map(str::to_owned);
        });
        self.rows(Rows { received: guarded.rows_in(), shown: guarded.rows_out(), foreign: guarded.rows_foreign() });
        self.notices.extend(guarded.notices().iter().cloned());
        if !forwarded {
            let operation = self.outcome.as_ref().and_then(|outcome| outcome.operation.clone()).unwrap_or_default();
            QueryAnsweredLocally { decision: self.id, operation: &operation }.emit(&self.metrics);
        }
    }

    /// How many rows came so far.
    pub(super) fn rows(&mut self, rows: Rows) {
        self.note(|outcome| {
            outcome.rows_in = rows.received;
            outcome.rows_out = rows.shown;
            outcome.rows_foreign = rows.foreign;
        });
    }

    /// The last row was judged.
    pub(super) fn tell_rows(&self) {
        let Some(outcome) = &self.outcome else { return };
        let (decision, operation) = (self.id, outcome.operation.as_deref().unwrap_or_default());
        if outcome.rows_in > outcome.rows_out {
            let rows = outcome.rows_in - outcome.rows_out;
            AnswerRowsDropped { decision, operation, rows }.emit(&self.metrics);
        }
        if outcome.rows_foreign > 0 {
            ForeignRowsReceived { decision, operation, rows: outcome.rows_foreign }.emit(&self.metrics);
        }
    }

    /// Part of the answer has left, and the rest cannot be judged.
    pub(super) fn broke_off(&mut self, refusal: &Refusal) {
        let cause = refusal.cause.clone().unwrap_or_else(|| refusal.message.to_string());
        let logged = audit::bounded(cause.clone(), LOGGED);
        let operation = self.outcome.as_ref().and_then(|outcome| outcome.operation.clone());
        let (decision, code) = (self.id, refusal.code);
        AnswerBrokeOff { decision, operation: operation.as_deref().unwrap_or_default(), code, cause: &logged }
            .emit(&self.metrics);
        self.note(|outcome| {
            outcome.verdict = Verdict::Cut;
            outcome.code = Some(code.as_str().to_owned());
            outcome.cause = Some(cause);
        });
    }

    fn refused(&mut self, refusal: &Refusal) {
        let verdict = if matches!(refusal.code, Code::Internal | Code::VerifyFailed) {
            Verdict::Failed
        } else {
            Verdict::Refused
        };
        let cause = refusal.cause.clone().unwrap_or_else(|| refusal.message.to_string());
        let cause = if refusal.code == Code::QueryMalformed { without_words(&cause) } else { cause };
        let (decision, code) = (self.id, refusal.code);
        let operation = self.outcome.as_ref().and_then(|outcome| outcome.operation.clone());
        let logged = audit::bounded(cause.clone(), LOGGED);
        QueryRefused { decision, operation: operation.as_deref(), code, cause: Some(&logged) }.emit(&self.metrics);
        if code == Code::VerifyFailed {
            VerifyFailed { decision, operation: operation.as_deref().unwrap_or_default(), cause: &logged }
                .emit(&self.metrics);
        }
        let scope = self.scope.clone();
        self.note(|outcome| {
            outcome.verdict = verdict;
            outcome.code = Some(code.as_str().to_owned());
            outcome.cause = Some(cause);
            outcome.scope = scope;
        });
    }

    pub(super) fn read_by(&mut self, reader: Reader) {
        self.reader = reader;
    }

    pub(super) fn tell_times(&mut self, timed: bool) {
        self.timed = timed;
    }

    /// The client's body was read to its end.
    pub(super) fn body_read(&mut self) {
        self.unread = false;
    }
}

/// Bytes of a cause in the log; the record keeps more.
const LOGGED: usize = 1024;
/// Characters of the names of client and session that a token carries.
const MAX_CLIENT: usize = 256;

const INTERNAL: &str = "the proxy made a mistake and answered nothing; give the decision id to its operator";
