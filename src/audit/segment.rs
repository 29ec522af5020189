//! Segment files: numbered, only ever appended to, closed at a size. A segment is never reopened for writing.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

const EXTENSION: &str = "jsonl";

/// The segments of one folder, from the writer's side.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    limit: u64,
    next: u64,
    current: Option<Segment>,
}

#[derive(Debug)]
struct Segment {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines.
    written: u64,
    /// Bytes known to be on the disk.
    durable: u64,
}

impl Segments {
    /// Makes the folder and looks where its numbering stands.
    pub(super) fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        // What people asked, and what they may see, is for the auditor alone.
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let last = list(folder)?.into_iter().map(|(number, _)| number).max().unwrap_or(0);
        let mut made = Self { folder: folder.to_owned(), limit, next: last.saturating_add(1), current: None };
        // Whether the folder can be written shows at the start, not at the first query.
        made.current()?;
        Ok(made)
    }

    /// Appends whole lines. On an error nothing of them counts as written.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|segment| segment.written >= self.limit) {
            self.sync()?;
            self.current = None;
        }
        let segment = self.current()?;
        match segment.file.write_all(lines) {
            Ok(()) => {
                segment.written = segment.written.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
                Ok(())
            }
            Err(why) => {
                // Cut the torn part off; where that fails too, the segment is left with a torn tail and a new one begun.
                if segment.file.set_len(segment.written).is_err() {
                    self.abandon();
                }
                Err(why)
            }
        }
    }

    /// Makes everything appended so far durable. After an error nobody knows what is on the disk, so the lines that
    /// were not durable must be written again, into a new segment.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let Some(segment) = &mut self.current else { return Ok(()) };
        if segment.durable == segment.written {
            return Ok(());
        }
        if let Err(why) = segment.file.sync_data() {
            self.abandon();
            return Err(why);
        }
        segment.durable = segment.written;
        Ok(())
    }

    fn abandon(&mut self) {
        if let Some(segment) = self.current.take()
            && segment.durable == 0
        {
            // Nothing in it is needed. A file that cannot be removed only costs its name.
            let _left_behind = fs::remove_file(&segment.path);
        }
    }

    fn current(&mut self) -> io::Result<&mut Segment> {
        let segment = match self.current.take() {
            Some(segment) => segment,
            None => self.begin()?,
        };
        Ok(self.current.insert(segment))
    }

    fn begin(&mut self) -> io::Result<Segment> {
        loop {
            let path = self.folder.join(format!("{:010}.{EXTENSION}", self.next));
            match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    self.next = self.next.saturating_add(1);
                    // The name must survive a crash as well as the lines.
                    File::open(&self.folder)?.sync_all()?;
                    return Ok(Segment { file, path, written: 0, durable: 0 });
                }
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => self.next = self.next.saturating_add(1),
                Err(why) => return Err(why),
            }
        }
    }
}

/// The segments of a folder in the order in which they were begun.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = number
            && path.extension().is_some_and(|extension| extension == EXTENSION)
        {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn nobody_else_on_the_machine_reads_the_record() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("data/audit");
        let mut segments = Segments::open(&folder, 1 << 20).unwrap();
        segments.append(b"{}\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        let files = list(&folder).unwrap();
        assert!(!files.is_empty() && files.iter().all(|(_, path)| mode(path) == 0o600), "{files:?}");
    }
}
