//! What is wrong with a file: where, what, and what was probably meant. Never stops at the first.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::{collections::BTreeSet, fmt, ops::Range, path::Path, sync::Arc};

/// One file, as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// Path from the rules folder, with `/`.
    pub name: Box<str>,
    pub text: Box<str>,
    /// Where each line begins.
    lines: Box<[usize]>,
}

/// The name alone: a problem that is printed for debugging should not bring its whole file.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

impl Source {
    pub(super) fn new(name: String, text: String) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text: text.into(), lines }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1;
        (line, column)
    }
}

/// An error in a file. `Display` gives the report with file, line, column and caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub source: Arc<Source>,
    /// Bytes of the text; empty when the whole file is meant.
    pub span: Range<usize>,
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl Problem {
    pub fn line(&self) -> usize {
        self.source.position(self.span.start).0
    }

    pub fn column(&self) -> usize {
        self.source.position(self.span.start).1
    }

    /// The same problem, its file named by its path through `folder`.
    #[must_use]
    pub fn under(mut self, folder: &Path) -> Self {
        let name = folder.join(&*self.source.name).display().to_string().into();
        self.source = Arc::new(Source { name, ..Source::clone(&self.source) });
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snippet = Snippet::source(&*self.source.text)
            .path(&*self.source.name)
            .annotation(AnnotationKind::Primary.span(self.span.clone()).label(""));
        let title = Level::ERROR.primary_title(self.message.as_str()).element(snippet);
        let report = match &self.help {
            Some(help) => vec![title.element(Level::HELP.message(help.as_str()))],
            None => vec![title],
        };
        f.write_str(&Renderer::plain().render(&report))
    }
}

impl std::error::Error for Problem {}

/// Collects the problems of one load. The same problem at the same place counts once: a family is read for each
/// rule that uses it.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    seen: BTreeSet<(Box<str>, usize, String)>,
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        let key = (problem.source.name.clone(), problem.span.start, problem.message.clone());
        if self.seen.insert(key) {
            self.found.push(problem);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In order of file and place.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by(|a, b| (&a.source.name, a.span.start).cmp(&(&b.source.name, b.span.start)));
        self.found
    }
}

/// "did you mean `x`?" when one of the candidates is close.
pub(super) fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let near = |candidate: &&str| strsim::normalized_damerau_levenshtein(word, candidate);
    candidates
        .into_iter()
        .map(|candidate| (near(&candidate), candidate))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
