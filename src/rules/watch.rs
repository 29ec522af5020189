//! Tells when a rules folder, or a directory file, changes on disk.
//!
//! It says only *that* something changed. The reader reads everything anew, and a half-written file is a problem that
//! keeps the old world until its next change; so deletion, renaming and writing in pieces need nothing special.

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{EventKind, RecommendedWatcher, RecursiveMode},
};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Changes that follow each other this closely are told as one.
const QUIET: Duration = Duration::from_millis(120);

/// Watches until it is dropped.
pub struct Watch {
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// A place that cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch `{}`: {cause}; check that it exists and that this program may read it", path.display())]
pub struct Unwatchable {
    pub path: PathBuf,
    pub cause: String,
}

/// Calls `changed` after each burst of changes below a folder, or of one file. A file is watched through the folder
/// that holds it, since editors replace files instead of writing into them.
pub fn watch(path: &Path, changed: impl Fn() + Send + 'static) -> Result<Watch, Unwatchable> {
    let unwatchable = |cause: String| Unwatchable { path: path.to_owned(), cause };
    let path = fs::canonicalize(path).map_err(|cause: io::Error| unwatchable(cause.to_string()))?;
    let (folder, mode, file) = if path.is_dir() {
        (path.clone(), RecursiveMode::Recursive, None)
    } else {
        let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
        (folder, RecursiveMode::NonRecursive, Some(path.clone()))
    };
    let concerns = move |told: &PathBuf| file.as_ref().is_none_or(|file| file == told);
    let told = move |events: DebounceEventResult| {
        // An error (a queue that ran over) may hide a change: it counts as one.
        let matters = events.map_or(true, |events| {
            events.iter().any(|event| !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(&concerns))
        });
        if matters {
            changed();
        }
    };
    let mut debouncer = new_debouncer(QUIET, None, told).map_err(|cause| unwatchable(cause.to_string()))?;
    debouncer.watch(&folder, mode).map_err(|cause| unwatchable(cause.to_string()))?;
    Ok(Watch { _debouncer: debouncer })
}
