//! What has to outlive the process: whose a job is, and what people keep here. `SQLite` in the data folder, written and read by one thread.
//!
//! Whatever [`Store`] says is kept stands on the disk by then. Several processes may share the file.

mod definitions;
mod jobs;
mod schedules;
mod sessions;
#[cfg(test)]
mod tests;

use crate::model::{
    definition::{Definition, DefinitionChange, Execution, Wanted},
    job::Job,
    refusal::{Code, Refusal},
    schedule::{Run, Schedule, ScheduleChange},
    session::{Ended, Presence},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Tasks that wait for the thread; whoever comes after them waits for a place.
const WAITING: usize = 1024;
/// Notes of what people asked that wait; what comes after them is lost.
const NOTES: usize = 256;
/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(5);

type Task = Box<dyn FnOnce(&mut Connection) + Send>;

#[derive(Debug, Clone)]
pub struct Store {
    tasks: mpsc::Sender<Task>,
    /// What nobody waits for has a thread and a connection of its own: it holds up nothing that is bound before an answer.
    notes: mpsc::Sender<Task>,
}

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the store `{file}` cannot be opened: {why}")]
pub struct OpenError {
    pub file: String,
    pub why: String,
}

/// Something was not kept, or could not be looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("{0}")]
    Store(String),
    /// The upstream gave an id that is somebody's already.
    #[error("the job `{0}` is already bound to another question")]
    Taken(Box<str>),
    #[error("results of the job `{0}` name more places than are kept")]
    Places(Box<str>),
    #[error("its owner keeps as many as may be kept: {0}")]
    Full(u32),
    #[error("as much is ended as can be kept at once, {0}; what is over by itself makes room")]
    TooManyEnded(u32),
    #[error("it was changed or taken away since it was read")]
    Changed,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        let cause = failed.to_string();
        let refusal = match failed {
            Failed::Store(_) | Failed::TooManyEnded(_) => Refusal::new(
                Code::StoreUnavailable,
                "this proxy could not keep or look up what this is about, so it answers nothing; ask again",
            ),
            Failed::Places(_) => Refusal::new(
                Code::AnswerUnreadable,
                "the results of this job have more pages than are followed; ask for more rows a page",
            ),
            Failed::Full(most) => Refusal::new(
                Code::DefinitionsFull,
                format!("you keep {most} of these, and no more are kept of one person; remove some"),
            ),
            Failed::Changed => Refusal::new(
                Code::DefinitionChanged,
                "somebody changed this meanwhile, so nothing was done; read it again, and then decide",
            ),
            Failed::Taken(_) => Refusal::new(Code::AnswerUnreadable, "the upstream gave an id that is not a new job's"),
        };
        refusal.because(cause)
    }
}

impl Store {
    /// Opens `bailiwick.sqlite` in the folder, and makes it where there is none.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let file = folder.join("bailiwick.sqlite");
        let failed = |why: String| OpenError { file: file.display().to_string(), why };
        private(folder, &file).map_err(|error| failed(error.to_string()))?;
        let worker = |name: &str, synchronous: &str, room: usize| {
            let connection = connect(&file, synchronous).map_err(|error| failed(error.to_string()))?;
            worker(name, connection, room).map_err(|error| failed(error.to_string()))
        };
        // a job is bound before its id is answered: on the disk, not in a cache of the system; a note may be lost with it
        Ok(Self { tasks: worker("store", "full", WAITING)?, notes: worker("store-notes", "normal", NOTES)? })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        on(&self.tasks, work).await
    }

    /// Keeps whose a new job is. The same job may be bound twice, to the same question of the same person.
    pub async fn bind(&self, job: Job) -> Result<(), Failed> {
        self.run(move |connection| jobs::bind(connection, &job)).await
    }

    /// The job of a region by its id, with `cursor` where its own results named it. What was sent for it is long, and
    /// given only where it is needed.
    pub async fn job(
        &self,
        region: &str,
        id: &str,
        cursor: Option<&str>,
        with_body: bool,
    ) -> Result<Option<Job>, Failed> {
        let (region, id, cursor) = (region.to_owned(), id.to_owned(), cursor.map(str::to_owned));
        self.run(move |connection| jobs::find(connection, &region, &id, cursor.as_deref(), with_body)).await
    }

    /// Every job of one operation that a holder has in a region, without what was sent for it.
    pub async fn jobs_of(
        &self,
        region: &str,
        (kind, holder): (&str, &str),
        operation: &str,
    ) -> Result<Vec<Job>, Failed> {
        let (region, operation) = (region.to_owned(), operation.to_owned());
        let holder = (kind.to_owned(), holder.to_owned());
        self.run(move |connection| jobs::of_holder(connection, &region, (&holder.0, &holder.1), &operation)).await
    }

    /// These jobs, whosever they are, with what was sent for them.
    pub async fn jobs(&self, region: &str, ids: Vec<Box<str>>) -> Result<Vec<Job>, Failed> {
        let region = region.to_owned();
        self.run(move |connection| {
            let found = ids.iter().map(|id| jobs::find(connection, &region, id, None, true));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    /// Keeps, changes or takes away a definition.
    pub async fn change(&self, change: DefinitionChange) -> Result<(), Failed> {
        self.run(move |connection| match &change {
            DefinitionChange::Put(one) => definitions::put(connection, one),
            DefinitionChange::Remove(one) => definitions::remove(connection, one),
        })
        .await
    }

    /// The definition of a region by its id, whosever it is.
    pub async fn definition(&self, region: &str, id: &str) -> Result<Option<Definition>, Failed> {
        let (region, id) = (region.to_owned(), id.to_owned());
        self.run(move |connection| definitions::find(connection, &region, &id)).await
    }

    /// The wanted part of a list of definitions, by name, and how many are visible in all.
    pub async fn definitions(&self, wanted: Wanted) -> Result<(Vec<Definition>, usize), Failed> {
        self.run(move |connection| definitions::around(connection, &wanted)).await
    }

    /// Sets up, changes or takes away a schedule.
    pub async fn reschedule(&self, change: ScheduleChange) -> Result<(), Failed> {
        self.run(move |connection| match &change {
            ScheduleChange::Put(one) => schedules::put(connection, one),
            ScheduleChange::Remove(one) => schedules::remove(connection, one),
            ScheduleChange::Leave(one, person) => schedules::leave(connection, one, person),
        })
        .await
    }

    /// The schedule of a region by its id, whosever it is.
    pub async fn schedule(&self, region: &str, id: &str) -> Result<Option<Schedule>, Failed> {
        let (region, id) = (region.to_owned(), id.to_owned());
        self.run(move |connection| schedules::find(connection, &region, &id)).await
    }

    /// A part, by name, of the schedules that somebody set up or receives, and how many they are.
    pub async fn schedules(
        &self,
        (region, operation): (&str, &str),
        (kind, holder): (&str, &str),
        (skip, take): (usize, usize),
    ) -> Result<(Vec<Schedule>, usize), Failed> {
        let (region, operation) = (region.to_owned(), operation.to_owned());
        let (kind, holder) = (kind.to_owned(), holder.to_owned());
        self.run(move |connection| schedules::around(connection, (&region, &operation), (&kind, &holder), (skip, take)))
            .await
    }

    /// What of a region is to be run by now.
    pub async fn due(&self, region: &str, now: Timestamp, most: u32) -> Result<Vec<Schedule>, Failed> {
        let region = region.to_owned();
        self.run(move |connection| schedules::due(connection, &region, now, most)).await
    }

    /// Begins the runs of a schedule that is due, and says when it is due next. `false`: somebody else did.
    pub async fn begin(&self, one: Schedule, next: Option<Timestamp>, runs: Vec<Run>) -> Result<bool, Failed> {
        self.run(move |connection| schedules::begin(connection, &one, next, &runs)).await
    }

    /// Has a schedule that was begun run once more, for those whose runs were given up.
    pub async fn put_off(&self, one: Schedule, until: Timestamp, given_up: Vec<Run>) -> Result<(), Failed> {
        self.run(move |connection| schedules::put_off(connection, &one, until, &given_up)).await
    }

    /// Writes how a run ended.
    pub async fn end(&self, run: Run) -> Result<(), Failed> {
        self.run(move |connection| schedules::end(connection, &run)).await
    }

    /// Runs of a schedule for one reader, the newest first; or the one of that id, with what it answered.
    pub async fn runs(
        &self,
        (region, schedule): (&str, &str),
        (kind, reader): (&str, &str),
        id: Option<&str>,
    ) -> Result<Vec<Run>, Failed> {
        let (region, schedule) = (region.to_owned(), schedule.to_owned());
        let (kind, reader, id) = (kind.to_owned(), reader.to_owned(), id.map(str::to_owned));
        self.run(move |connection| schedules::runs(connection, (&region, &schedule), (&kind, &reader), id.as_deref()))
            .await
    }

    /// Notes what somebody asked. Nobody waits for it: an answer is not held back for what is only told later, and a note
    /// that finds no place is lost.
    pub fn note(&self, execution: Execution) {
        let task = move |connection: &mut Connection| {
            if let Err(error) = definitions::note(connection, &execution) {
                tracing::warn!(%error, "an execution was not noted");
            }
        };
        if self.notes.try_send(Box::new(task)).is_err() {
            tracing::warn!("an execution was not noted: too much is to be kept");
        }
    }

    /// What a holder asked of an operation, the newest first.
    pub async fn executions(
        &self,
        region: &str,
        (kind, holder): (&str, &str),
        operation: &str,
    ) -> Result<Vec<Execution>, Failed> {
        let (region, operation) = (region.to_owned(), operation.to_owned());
        let holder = (kind.to_owned(), holder.to_owned());
        // after what was noted before
        let read = move |connection: &mut Connection| {
            definitions::executions(connection, &region, (&holder.0, &holder.1), &operation)
        };
        on(&self.notes, read).await
    }

    /// Keeps that tokens are over, for every process that shares the file.
    pub async fn end_tokens(&self, one: Ended, now: Timestamp) -> Result<(), Failed> {
        self.run(move |connection| sessions::end(connection, &one, now)).await
    }

    /// What was ended since a number was read, and the number to read on from.
    pub async fn ended_since(&self, number: i64) -> Result<(Vec<Ended>, i64), Failed> {
        self.run(move |connection| sessions::ended_since(connection, number)).await
    }

    /// Notes that a user was seen. Nobody waits for it.
    pub fn saw(&self, presence: Presence) {
        let task = move |connection: &mut Connection| {
            if let Err(error) = sessions::seen(connection, &presence) {
                tracing::warn!(%error, "who was seen was not noted");
            }
        };
        if self.notes.try_send(Box::new(task)).is_err() {
            tracing::warn!("who was seen was not noted: too much is to be kept");
        }
    }

    /// By which token a user was last seen.
    pub async fn presence(&self, user: &str) -> Result<Option<Presence>, Failed> {
        let user = user.to_owned();
        // after what was noted before
        on(&self.notes, move |connection| sessions::presence(connection, &user)).await
    }

    /// Forgets a job that was cancelled.
    pub async fn forget(&self, region: &str, id: &str) -> Result<(), Failed> {
        let (region, id) = (region.to_owned(), id.to_owned());
        self.run(move |connection| jobs::forget(connection, &region, &id)).await
    }

    /// Keeps a place that results of a job named, unless the job is forgotten by now.
    pub async fn name_cursor(&self, region: &str, id: &str, cursor: &str) -> Result<bool, Failed> {
        let (region, id, cursor) = (region.to_owned(), id.to_owned(), cursor.to_owned());
        self.run(move |connection| jobs::name_cursor(connection, &region, &id, &cursor)).await
    }
}

/// A thread that does one task after the other.
fn worker(name: &str, mut connection: Connection, room: usize) -> io::Result<mpsc::Sender<Task>> {
    let (tasks, mut waiting) = mpsc::channel::<Task>(room);
    let work = move || {
        while let Some(task) = waiting.blocking_recv() {
            task(&mut connection);
        }
    };
    std::thread::Builder::new().name(name.into()).spawn(work)?;
    Ok(tasks)
}

async fn on<T: Send + 'static>(
    tasks: &mpsc::Sender<Task>,
    work: impl FnOnce(&mut Connection) -> Result<T, Failed> + Send + 'static,
) -> Result<T, Failed> {
    let gone = || Failed::Store("its thread has ended".to_owned());
    let (answer, answered) = oneshot::channel();
    let task = move |connection: &mut Connection| {
        // whoever asked may be gone by now
        let _gone = answer.send(work(connection));
    };
    tasks.send(Box::new(task)).await.map_err(|_| gone())?;
    answered.await.map_err(|_| gone())?
}

/// What people asked stands here as it was sent, numbers and all, for a job is proved by it: it is nobody else's on this
/// machine, whoever made the file and with whatever mode. `SQLite` gives its side files the mode of the file itself.
fn private(folder: &Path, file: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    let beside = ["-wal", "-shm"].map(|end| format!("{}{end}", file.display()));
    for file in std::iter::once(file).chain(beside.iter().map(Path::new).filter(|file| file.exists())) {
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(file, Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn connect(file: &Path, synchronous: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.execute_batch(jobs::TABLES)?;
    connection.execute_batch(definitions::TABLES)?;
    connection.execute_batch(schedules::TABLES)?;
    connection.execute_batch(sessions::TABLES)?;
    Ok(connection)
}
