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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Instant};

    const SOON: Duration = Duration::from_secs(1);

    fn told(path: &Path) -> (Watch, mpsc::Receiver<()>) {
        let (send, told) = mpsc::channel();
        let watch = watch(path, move || send.send(()).unwrap_or_default()).unwrap();
        (watch, told)
    }

    fn once(told: &mpsc::Receiver<()>, change: impl FnOnce()) {
        while told.recv_timeout(QUIET * 4).is_ok() {}
        let started = Instant::now();
        change();
        told.recv_timeout(SOON).unwrap();
        assert!(started.elapsed() < SOON);
    }

    #[test]
    fn writing_replacing_renaming_and_deleting_in_a_folder_are_told_within_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let file = inner.join("a.toml");
        fs::write(&file, "").unwrap();
        let (_watch, told) = told(folder.path());
        once(&told, || fs::write(&file, "half").unwrap());
        once(&told, || fs::write(inner.join("b.toml"), "").unwrap());
        once(&told, || fs::rename(inner.join("b.toml"), &file).unwrap());
        once(&told, || fs::rename(&file, inner.join("c.toml")).unwrap());
        once(&told, || fs::remove_file(inner.join("c.toml")).unwrap());
        let fresh = folder.path().join("fresh");
        once(&told, || fs::create_dir(&fresh).unwrap());
        once(&told, || fs::write(fresh.join("d.toml"), "").unwrap());
    }

    #[test]
    fn a_watched_file_is_told_when_an_editor_replaces_it_and_its_neighbours_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("directory.json");
        let copy = folder.path().join("directory.json.new");
        fs::write(&file, "{}").unwrap();
        let (_watch, told) = told(&file);
        fs::write(&copy, "{ }").unwrap();
        once(&told, || fs::rename(&copy, &file).unwrap());
        once(&told, || fs::write(&file, "{}").unwrap());
        while told.recv_timeout(QUIET * 4).is_ok() {}
        fs::write(folder.path().join("other.json"), "{}").unwrap();
        assert!(told.recv_timeout(QUIET * 6).is_err());
    }

    #[test]
    fn what_is_not_there_cannot_be_watched() {
        let told = watch(Path::new("/no/such/folder"), || {}).unwrap_err().to_string();
        assert!(told.starts_with("cannot watch `/no/such/folder`: "), "{told}");
    }
}
