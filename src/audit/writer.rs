//! The one writer: a thread that encodes lines, appends them, and makes them durable in groups.
//!
//! While one group is being synced the next one gathers. An intent is answered when its group is durable, or at once
//! when it cannot be; an outcome is kept until it is durable, however long the disk takes to come back.

use super::{record::Record, segment::Segments};
use crate::telemetry::{
    Event as _, Metrics,
    event::{RecordFailed, RecordRecovered},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// How long outcomes wait for an intent to share its sync.
const GATHER: Duration = Duration::from_millis(20);
/// How often a failing disk is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// Lines in one group.
const GROUP: usize = 1024;
/// Tries to save what is left when the program ends while the disk fails.
const LAST_TRIES: u32 = 8;

pub(super) enum Message {
    Line { record: Box<Record>, permit: OwnedSemaphorePermit, durable: Option<Answer> },
    Close(oneshot::Sender<()>),
}

/// Tells an intent's maker that it is durable, or why it is not.
pub(super) type Answer = oneshot::Sender<Result<(), String>>;

/// Why nothing can be recorded now.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<String>>);

impl Trouble {
    pub(super) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, why: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), why)
    }
}

/// An encoded line that is not yet durable.
struct Held {
    line: Vec<u8>,
    answer: Option<Answer>,
    /// Given back when the line is durable.
    _permit: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    segments: Segments,
    metrics: Metrics,
    trouble: Arc<Trouble>,
    /// Not yet appended.
    fresh: Vec<Held>,
    /// Appended, not yet durable.
    unsynced: Vec<Held>,
}

impl Writer {
    pub(super) fn new(segments: Segments, metrics: Metrics, trouble: Arc<Trouble>) -> Self {
        Self { segments, metrics, trouble, fresh: Vec::new(), unsynced: Vec::new() }
    }

    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let first = match self.patience() {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => messages.recv_timeout(patience),
            };
            let mut closing = None;
            let idle = first.is_err();
            match first {
                Ok(message) => {
                    closing = self.take(message);
                    while closing.is_none() && self.fresh.len() < GROUP {
                        let Ok(message) = messages.try_recv() else { break };
                        closing = self.take(message);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.save(),
            }
            let urgent = idle || closing.is_some() || self.fresh.iter().any(|held| held.answer.is_some());
            self.write(urgent);
            if let Some(done) = closing {
                self.save();
                // Nobody may be waiting any more.
                let _gone = done.send(());
                return;
            }
        }
    }

    /// How long to wait for the next message; `None`: nothing is left to do until one comes.
    fn patience(&self) -> Option<Duration> {
        match (self.fresh.is_empty(), self.unsynced.is_empty()) {
            (true, true) => None,
            (true, false) => Some(GATHER),
            (false, _) => Some(RETRY),
        }
    }

    fn take(&mut self, message: Message) -> Option<oneshot::Sender<()>> {
        match message {
            Message::Close(done) => return Some(done),
            Message::Line { record, permit, durable } => match serde_json::to_vec(&record) {
                Ok(mut line) => {
                    line.push(b'\n');
                    self.fresh.push(Held { line, answer: durable, _permit: permit });
                }
                Err(why) => {
                    self.failed(&why.to_string());
                    tell(durable, Err(why.to_string()));
                }
            },
        }
        None
    }

    /// Appends what is fresh, and makes everything durable when somebody waits for it or nothing else is to do.
    fn write(&mut self, urgent: bool) {
        let result = self.append().and_then(|()| if urgent { self.segments.sync() } else { Ok(()) });
        match result {
            Ok(()) => {
                // Before anybody is told: whoever was answered finds the record well.
                if self.trouble.replace(None).is_some() {
                    RecordRecovered.emit(&self.metrics);
                }
                if urgent {
                    self.settle();
                }
            }
            Err(why) => self.give_up(&why.to_string()),
        }
    }

    fn append(&mut self) -> std::io::Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let lines: Vec<u8> = self.fresh.iter().flat_map(|held| held.line.iter().copied()).collect();
        self.segments.append(&lines)?;
        self.metrics.record_lines.inc_by(u64::try_from(self.fresh.len()).unwrap_or(u64::MAX));
        self.unsynced.append(&mut self.fresh);
        Ok(())
    }

    fn settle(&mut self) {
        if !self.unsynced.is_empty() {
            self.metrics.record_syncs.inc();
        }
        for held in self.unsynced.drain(..) {
            tell(held.answer, Ok(()));
        }
    }

    /// Whoever waits is told at once; everything else is kept and written again later.
    fn give_up(&mut self, why: &str) {
        self.failed(why);
        let held = std::mem::take(&mut self.unsynced).into_iter().chain(std::mem::take(&mut self.fresh));
        let mut kept = Vec::new();
        for mut held in held {
            match held.answer.take() {
                Some(answer) => tell(Some(answer), Err(why.to_owned())),
                None => kept.push(held),
            }
        }
        self.fresh = kept;
    }

    fn failed(&self, why: &str) {
        if self.trouble.replace(Some(why.to_owned())).is_none() {
            RecordFailed { why }.emit(&self.metrics);
        }
    }

    /// Everything that is left, with a few more tries.
    fn save(&mut self) {
        for _ in 0..LAST_TRIES {
            self.write(true);
            if self.fresh.is_empty() && self.unsynced.is_empty() {
                return;
            }
            std::thread::sleep(RETRY);
        }
        tracing::error!(lines = self.fresh.len(), "the last lines of the decision record could not be written");
    }
}

fn tell(answer: Option<Answer>, result: Result<(), String>) {
    if let Some(answer) = answer {
        // The asker may have left meanwhile.
        let _gone = answer.send(result);
    }
}
