//! The file source: one directory file, read at start, watched afterwards.
//!
//! A change is noticed by the system's file events, by a look at the file's metadata every half second (for
//! file systems without events) and by a full read at every poll. A file that is half written or wrong is
//! reported; the previous snapshot stays with whoever holds it, and ages.
//!
//! It never swaps anything itself: the callback gets what happened.

use super::{Problem, load};
use crate::{
    base::{clock::Clock, hash},
    model::org::Org,
};
use jiff::Timestamp;
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer, notify};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

/// A full read happens at least this often, whatever the setting.
const LONGEST_POLL: Duration = Duration::from_mins(1);
/// How long events may gather before the file is read.
const SETTLE: Duration = Duration::from_millis(60);
const GLANCE: Duration = Duration::from_millis(500);

/// What a look at the file brought.
#[derive(Debug, Clone)]
pub enum Update {
    /// Another valid text: here is its snapshot.
    Changed(Arc<Org>),
    /// The text of the last snapshot that the watch made, or began with, still stands; it was valid at this instant.
    Confirmed { version: Box<str>, at: Timestamp },
    /// The file cannot be used. Told once for each wrong text; the previous snapshot stays.
    Rejected(Vec<Problem>),
}

/// Reads and compiles the file once.
pub fn open(path: &Path, clock: &dyn Clock) -> Result<Org, Vec<Problem>> {
    let name = path.display().to_string();
    let text = text(path, &name).map_err(|problem| vec![problem])?;
    load(&text, &name, clock.now())
}

fn text(path: &Path, name: &str) -> Result<String, Problem> {
    let bytes = fs::read(path).map_err(|fault| {
        Problem::whole(
            name,
            format!("the directory cannot be read: {fault}"),
            "check the path and the file's permissions",
        )
    })?;
    String::from_utf8(bytes).map_err(|fault| {
        let at = fault.utf8_error().valid_up_to();
        Problem::whole(name, format!("byte {at} is no UTF-8 text"), "save the file as UTF-8")
    })
}

/// Watches one file until dropped.
#[derive(Debug)]
pub struct Watch {
    /// Said before the files may go away: a watch that was dropped reports nothing.
    dropped: Arc<AtomicBool>,
    /// Closing it ends the thread.
    _wake: mpsc::Sender<Hint>,
    _events: Option<Debouncer<notify::RecommendedWatcher, RecommendedCache>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Release);
    }
}

impl Watch {
    /// Calls back from a thread of its own. `current` is the version of the snapshot in use; a file that
    /// changed since is reported at once. `alone` is held from the reading until the callback has ended: who
    /// else reads the file under it never sees an older text told after his.
    pub fn start(
        path: PathBuf,
        clock: Arc<dyn Clock>,
        poll: Duration,
        current: Box<str>,
        alone: Arc<Mutex<()>>,
        on_update: impl FnMut(Update) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::channel();
        let name = path.display().to_string();
        let mut watcher = Watcher { name, path, clock, current, alone, rejected: None, seen: None, on_update };
        let events = events(&watcher.path, wake.clone());
        let dropped = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&dropped);
        thread::Builder::new()
            .name("directory-watch".to_owned())
            .spawn(move || watcher.run(&woken, poll.min(LONGEST_POLL), &ended))?;
        Ok(Self { dropped, _wake: wake, _events: events })
    }
}

/// What an event says about the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    /// Something happened beside it: its metadata will tell.
    Look,
    /// It was written: read it even if size and time look the same.
    Written,
}

/// File events of the folder that holds the file: editors replace files, and a replaced file is another inode.
/// Without events (too many watches, odd file systems) the glance is enough.
fn events(path: &Path, wake: mpsc::Sender<Hint>) -> Option<Debouncer<notify::RecommendedWatcher, RecommendedCache>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().map(ToOwned::to_owned);
    let mut events = new_debouncer(SETTLE, None, move |events: DebounceEventResult| {
        let ours = |event: &DebouncedEvent| {
            !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == name.as_deref())
        };
        let hint = if events.is_ok_and(|events| events.iter().any(ours)) { Hint::Written } else { Hint::Look };
        // The receiver is gone only when the watch ends.
        wake.send(hint).unwrap_or_default();
    })
    .ok()?;
    events.watch(folder, notify::RecursiveMode::NonRecursive).ok()?;
    Some(events)
}

/// What tells two states of a file apart without reading it.
type Stamp = (Option<SystemTime>, u64);

struct Watcher<F> {
    path: PathBuf,
    name: String,
    clock: Arc<dyn Clock>,
    current: Box<str>,
    alone: Arc<Mutex<()>>,
    /// Digest of the text (or the message) that was last refused.
    rejected: Option<String>,
    seen: Option<Stamp>,
    on_update: F,
}

impl<F: FnMut(Update)> Watcher<F> {
    fn run(&mut self, woken: &mpsc::Receiver<Hint>, poll: Duration, ended: &AtomicBool) {
        let mut read_at: Option<Instant> = None;
        let mut hint = Hint::Look;
        loop {
            let stamp = fs::metadata(&self.path).ok().map(|about| (about.modified().ok(), about.len()));
            if hint == Hint::Written || stamp != self.seen || read_at.is_none_or(|at| at.elapsed() >= poll) {
                self.seen = stamp;
                read_at = Some(Instant::now());
                self.look();
            }
            hint = match woken.recv_timeout(GLANCE.min(poll)) {
                Ok(hint) => hint,
                Err(mpsc::RecvTimeoutError::Timeout) => Hint::Look,
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            };
            if ended.load(Ordering::Acquire) {
                return;
            }
        }
    }

    fn look(&mut self) {
        let alone = Arc::clone(&self.alone);
        let _reading = alone.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let (digest, loaded) = match text(&self.path, &self.name) {
            Ok(text) => {
                let digest = hash::sha256_hex(text.as_bytes());
                if *digest == *self.current {
                    self.rejected = None;
                    return (self.on_update)(Update::Confirmed { version: self.current.clone(), at: now });
                }
                if self.rejected.as_deref() == Some(&*digest) {
                    return;
                }
                (digest, load(&text, &self.name, now))
            }
            Err(problem) => (problem.what.clone(), Err(vec![problem])),
        };
        match loaded {
            Ok(org) => {
                self.current = org.version.clone();
                self.rejected = None;
                (self.on_update)(Update::Changed(Arc::new(org)));
            }
            Err(problems) if self.rejected.as_deref() != Some(&*digest) => {
                self.rejected = Some(digest);
                (self.on_update)(Update::Rejected(problems));
            }
            Err(_) => {}
        }
    }
}
