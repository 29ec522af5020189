//! Everything that is wrong with a file, each with its place, a caret and the repair.

use super::{settings::Named, veil::veiled};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};

/// Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub problems: Vec<Problem>,
    /// For the problems of the files that it names all the same.
    pub named: Named,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: PathBuf,
    /// The file's text and the place in it, when there is one to show.
    pub place: Option<Place>,
    pub what: String,
    /// What was meant, or what to do.
    pub help: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub text: std::sync::Arc<str>,
    /// In bytes.
    pub at: Range<usize>,
}

impl Place {
    /// Line and column, both from 1, the column in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.text.get(..self.at.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl Problem {
    pub fn whole(file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, what: what.into(), help: None }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.display().to_string();
        let title = Level::ERROR.primary_title(&self.what);
        let help = self.help.as_ref().map(|help| Level::HELP.message(help));
        let group = match &self.place {
            Some(place) => {
                let end = place.at.end.min(place.text.len());
                let span = place.at.start.min(end)..end;
                let snippet =
                    Snippet::source(veiled(&place.text)).path(&file).annotation(AnnotationKind::Primary.span(span));
                title.element(snippet)
            }
            None => title.element(annotate_snippets::Origin::path(&file)),
        };
        let report = [group.elements(help)];
        f.write_str(&Renderer::plain().render(&report))
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
