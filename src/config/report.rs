//! Everything that is wrong with a file, each with place, caret and repair.

use std::{ops::Range, path::{Path, PathBuf}};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: PathBuf,
    /// The file's text, when there is a place to show in it.
    pub text: Option<String>,
    pub at: Option<Range<usize>>,
    pub what: String,
    /// What was meant, or what to do.
    pub help: Option<String>,
}

impl Problem {
    pub fn whole(file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), text: None, at: None, what: what.into(), help: None }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{}: {}", problem.file.display(), problem.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
