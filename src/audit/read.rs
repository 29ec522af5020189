//! Reading the record back: every line typed, or the place where it is not readable.

use super::{record::Record, segment};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// One line and where it stands.
#[derive(Debug, Clone)]
pub struct Line {
    pub segment: PathBuf,
    pub number: usize,
    pub record: Record,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read `{}`: {why}", path.display())]
    Io { path: PathBuf, why: std::io::Error },
    #[error("`{}` line {number} is not a line of the decision record: {why}", path.display())]
    Line { path: PathBuf, number: usize, why: String },
}

/// Every line of every segment of a folder, oldest first.
///
/// A last line without its line end was torn by a crash and never acknowledged: it is left out. A line that was
/// written again after a failed sync counts once.
pub fn read_dir(folder: &Path) -> Result<Vec<Line>, ReadError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |why| ReadError::Io { path, why }
    };
    let mut lines = Vec::new();
    let mut seen = HashSet::new();
    for (_, path) in segment::list(folder).map_err(io(folder))? {
        let bytes = fs::read(&path).map_err(io(&path))?;
        for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if !line.ends_with(b"\n") {
                continue;
            }
            let number = at + 1;
            let unreadable = |why: String| ReadError::Line { path: path.clone(), number, why };
            let text = std::str::from_utf8(line).map_err(|why| unreadable(why.to_string()))?;
            let record: Record = serde_json::from_str(text).map_err(|why| unreadable(why.to_string()))?;
            // a decision has one outcome, and one intent for each query that it sends
            let sent = match &record {
                Record::Intent(intent) => Some(intent.sent.digest.clone()),
                Record::Outcome(_) => None,
            };
            if seen.insert((record.decision(), sent)) {
                lines.push(Line { segment: path.clone(), number, record });
            }
        }
    }
    Ok(lines)
}
