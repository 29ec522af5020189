//! What is wrong with a file: where, why, and how to repair it.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};
use std::{fmt, ops::Range};

/// How much of an endless source line is kept around the place.
const EXCERPT: usize = 2_000;

/// One reason why a file is not taken. Lines and columns count from 1; line 0 means the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    pub file: Box<str>,
    pub line: usize,
    pub column: usize,
    /// The object that it is about, such as a user's id.
    pub id: Option<Box<str>>,
    pub what: String,
    pub repair: String,
    #[serde(skip)]
    excerpt: Option<Box<Excerpt>>,
}

/// The source line (or the part of it that matters) and the marked place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    text: Box<str>,
    mark: Range<usize>,
}

impl Problem {
    /// A problem of the file as a whole: unreadable, missing.
    pub fn whole(file: &str, what: impl Into<String>, repair: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            id: None,
            what: what.into(),
            repair: repair.into(),
            excerpt: None,
        }
    }

    /// A problem at a place of the text.
    pub(super) fn at(source: &Source<'_>, span: Range<usize>, id: Option<&str>, what: String, repair: String) -> Self {
        let (line, column) = source.position(span.start);
        let excerpt = Some(Box::new(source.excerpt(span)));
        Self { file: source.name.into(), line, column, id: id.map(Into::into), what, repair, excerpt }
    }

    /// Several lines for a terminal: the sentence, the source line with a caret, the repair.
    pub fn report(&self) -> String {
        let title = Level::ERROR.primary_title(self.sentence());
        let help = Level::HELP.message(self.repair.clone());
        let Some(Excerpt { text, mark }) = self.excerpt.as_deref() else {
            let group = [title.elements([help])];
            return format!("{}: {}", self.file, Renderer::plain().decor_style(DecorStyle::Ascii).render(&group));
        };
        let snippet = Snippet::source(text.as_ref())
            .line_start(self.line)
            .path(self.file.as_ref())
            .annotation(AnnotationKind::Primary.span(mark.clone()));
        let group = [title.element(snippet).element(help)];
        Renderer::plain().decor_style(DecorStyle::Ascii).render(&group)
    }

    /// What is wrong, and with which object.
    pub fn sentence(&self) -> String {
        match &self.id {
            Some(id) if !id.is_empty() && !self.what.contains(&format!("`{id}`")) => {
                format!("{} (in `{id}`)", self.what)
            }
            _ => self.what.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}; {}", self.file, self.sentence(), self.repair),
            line => write!(f, "{}:{line}:{}: {}; {}", self.file, self.column, self.sentence(), self.repair),
        }
    }
}

impl std::error::Error for Problem {}

/// A named text, and where its lines begin.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    lines: std::cell::OnceCell<Vec<usize>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, lines: std::cell::OnceCell::new() }
    }

    /// Line starts are only counted once something is wrong.
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }

    fn line_of(&self, offset: usize) -> (usize, usize) {
        let line = self.lines().partition_point(|start| *start <= offset).max(1);
        (line, self.lines().get(line - 1).copied().unwrap_or(0))
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let (line, start) = self.line_of(offset);
        (line, self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1))
    }

    /// The byte offset of a line and column as a parser reports them.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.lines().get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let mut offset = (start + column.saturating_sub(1)).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let (line, start) = self.line_of(span.start);
        let end = self.lines().get(line).map_or(self.text.len(), |next| next - 1);
        let from = self.boundary(start.max(span.start.saturating_sub(EXCERPT)));
        let to = self.boundary(end.min(span.start + EXCERPT)).max(from);
        let text: Box<str> = self.text.get(from..to).unwrap_or_default().trim_end().into();
        let mut first = (span.start - from).min(text.len());
        let mut last = span.end.saturating_sub(from).min(text.len()).max(first);
        // The mark covers whole characters, and at least one where the line has one.
        while !text.is_char_boundary(first) {
            first -= 1;
        }
        if last == first && last < text.len() {
            last += 1;
        }
        while !text.is_char_boundary(last) {
            last += 1;
        }
        Excerpt { text, mark: first..last }
    }

    fn boundary(&self, mut offset: usize) -> usize {
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// The known word that was probably meant.
pub(super) fn closest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let fold = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    let folded = fold(word);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
