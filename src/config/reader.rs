//! Reading tables key by key: what is not asked for is unknown, what is wrong is noted, and reading goes on.

use super::{
    Environment,
    report::{Place, Problem},
};
use secrecy::SecretString;
use std::{
    cell::RefCell,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One file and what was found wrong with it.
pub(super) struct Reader<'a> {
    file: &'a Path,
    text: Arc<str>,
    environment: Environment<'a>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path, text: &str, environment: Environment<'a>) -> Self {
        Self { file, text: text.into(), environment, problems: RefCell::default() }
    }

    pub(super) fn problem(&self, at: Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            place: Some(Place { text: self.text.clone(), at }),
            what: what.into(),
            help: Some(help.into()).filter(|help: &String| !help.is_empty()),
        });
    }

    pub(super) fn problem_of_file(&self, what: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { help: Some(help.into()), ..Problem::whole(self.file, what) });
    }

    /// Problems of another file that this one names.
    pub(super) fn adopt(&self, problems: Vec<Problem>) {
        self.problems.borrow_mut().extend(problems);
    }

    /// In the order of their places, those of other files last.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        let place = |problem: &Problem| problem.place.as_ref().map_or(usize::MAX, |place| place.at.start);
        problems.sort_by_key(|problem| (problem.file != self.file, place(problem)));
        problems
    }

    /// Relative paths are relative to the folder of the file.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.file.parent().map_or_else(|| PathBuf::from(text), |folder| folder.join(text))
    }
}

/// One table. Keys are registered as they are read; [`Section::done`] notes those that nobody asked for.
pub(super) struct Section<'r, 't> {
    reader: &'r Reader<'r>,
    /// As people write it, such as `[proxy.limits]`.
    pub(super) name: String,
    table: Option<&'t DeTable<'t>>,
    pub(super) at: Range<usize>,
    known: RefCell<Vec<&'static str>>,
}

/// A value and its place.
pub(super) type At<T> = (T, Range<usize>);

impl<'r, 't> Section<'r, 't> {
    pub(super) fn root(reader: &'r Reader<'r>, table: &'t DeTable<'t>) -> Self {
        Self { reader, name: String::new(), table: Some(table), at: 0..0, known: RefCell::default() }
    }

    pub(super) fn present(&self) -> bool {
        self.table.is_some()
    }

    pub(super) fn reader(&self) -> &'r Reader<'r> {
        self.reader
    }

    fn get(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.borrow_mut().push(key);
        self.table?.iter().find(|(name, _)| &**name.get_ref() == key).map(|(_, value)| value)
    }

    /// Notes keys that were never asked for.
    pub(super) fn done(self) {
        let known = self.known.into_inner();
        for (key, _) in self.table.into_iter().flat_map(DeTable::iter) {
            if known.iter().any(|known| known == key.get_ref()) {
                continue;
            }
            let place = if self.name.is_empty() { "here".to_owned() } else { format!("in `{}`", self.name) };
            let near = Some(key.get_ref()).filter(|key| !key.is_empty()).and_then(|key| nearest(key, &known));
            let help = near
                .map_or_else(|| format!("known {place}: {}", quoted(&known)), |near| format!("did you mean `{near}`?"));
            let what = match &**key.get_ref() {
                "" => format!("a key {place} is empty"),
                key => format!("unknown key `{key}` {place}"),
            };
            self.reader.problem(key.span(), what, help);
        }
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, due: &str) {
        let found = if value.get_ref().as_str() == Some("") { "empty" } else { value.get_ref().type_str() };
        self.reader.problem(value.span(), format!("`{key}` is {found}"), format!("write {due}"));
    }

    /// Notes that a compulsory key is missing.
    pub(super) fn missing(&self, key: &str, due: &str) {
        let what = format!("`{key}` is missing in `{}`", self.name);
        if self.at.is_empty() {
            self.reader.problem_of_file(what, format!("add {due}"));
        } else {
            self.reader.problem(self.at.clone(), what, format!("add {due}"));
        }
    }

    pub(super) fn text(&self, key: &'static str, due: &str) -> Option<At<&'t str>> {
        let value = self.get(key)?;
        let Some(text) = value.get_ref().as_str().filter(|text| !text.is_empty()) else {
            self.wrong(value, key, due);
            return None;
        };
        Some((text, value.span()))
    }

    /// Notes a key that means nothing beside another one.
    pub(super) fn meaningless(&self, key: &'static str, why: &str) {
        if let Some(value) = self.get(key) {
            self.reader.problem(value.span(), format!("`{key}` has no meaning here: {why}"), "take it out");
        }
    }

    /// Whether any of these keys stands here, right or wrong.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        self.table.is_some_and(|table| table.iter().any(|(name, _)| keys.contains(&&**name.get_ref())))
    }

    pub(super) fn needed(&self, key: &'static str, due: &str) -> Option<At<&'t str>> {
        if self.present() && !self.has_any(&[key]) {
            self.missing(key, due);
        }
        self.text(key, due)
    }

    pub(super) fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.get(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong(value, key, "`true` or `false`");
            false
        })
    }

    pub(super) fn count(&self, key: &'static str, from: usize, to: usize) -> Option<usize> {
        let value = self.get(key)?;
        let number = value.get_ref().as_integer().and_then(|number| {
            usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| (from..=to).contains(number))
        });
        if number.is_none() {
            self.wrong(value, key, &format!("a whole number from {from} to {to}"));
        }
        number
    }

    /// `500ms`, `10s`, `15m`, `24h`.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        let value = self.get(key)?;
        let duration = value.get_ref().as_str().and_then(duration);
        if duration.is_none() {
            // The text was read as a text; what is wrong is what stands in it.
            let what = value.get_ref().as_str().map_or_else(
                || format!("`{key}` is {}", value.get_ref().type_str()),
                |text| format!("`{key}` is no time: \"{text}\""),
            );
            let help = "write a whole number from 1 and a unit, `ms`, `s`, `m` or `h`, such as `500ms` or `30s`";
            self.reader.problem(value.span(), what, help);
        }
        duration
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        self.placed_word(key, words).map(|(word, _)| word)
    }

    /// The same, with its place.
    pub(super) fn placed_word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<At<T>> {
        let value = self.get(key)?;
        Some((self.one_of(value, key, words)?, value.span()))
    }

    /// A list of such words.
    pub(super) fn words<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<Vec<T>> {
        let placed = self.placed_words(key, words)?;
        Some(placed.into_iter().map(|(word, _)| word).collect())
    }

    /// The same, each with its place.
    pub(super) fn placed_words<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<Vec<At<T>>> {
        let value = self.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, key, "a list, such as `[\"one\", \"two\"]`");
            return None;
        };
        Some(items.iter().filter_map(|item| Some((self.one_of(item, key, words)?, item.span()))).collect())
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&self, key: &'static str, due: &str) -> Vec<At<&'t str>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, key, &format!("a list of {due}"));
            return Vec::new();
        };
        let text = |item: &'t Spanned<DeValue<'t>>| {
            let text = item.get_ref().as_str().filter(|text| !text.is_empty());
            if text.is_none() {
                self.wrong(item, key, &format!("a list of {due}"));
            }
            Some((text?, item.span()))
        };
        items.iter().filter_map(text).collect()
    }

    fn one_of<T: Copy>(&self, value: &Spanned<DeValue<'_>>, key: &str, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<&'static str> = words.iter().map(|(name, _)| *name).collect();
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value, key, &format!("one of {}", quoted(&names)));
            return None;
        };
        let found = words.iter().find(|(name, _)| *name == text).map(|(_, word)| *word);
        if found.is_none() {
            let help = nearest(text, &names)
                .map_or_else(|| format!("known: {}", quoted(&names)), |near| format!("did you mean `{near}`?"));
            self.reader.problem(value.span(), format!("`{text}` is no value of `{key}`"), help);
        }
        found
    }

    /// A path, not yet looked at.
    pub(super) fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.text(key, "a path, relative to the folder of this file").map(|(text, _)| self.reader.path(text))
    }

    /// A file that must be readable now.
    pub(super) fn file(&self, key: &'static str) -> Option<PathBuf> {
        let (text, at) = self.text(key, "the path of a file, relative to the folder of this file")?;
        let path = self.reader.path(text);
        match std::fs::File::open(&path) {
            Ok(_) => Some(path),
            Err(why) => {
                self.unreadable(at, &path, &why);
                None
            }
        }
    }

    fn unreadable(&self, at: Range<usize>, path: &Path, why: &std::io::Error) {
        let help = "paths are relative to the folder of this file";
        self.reader.problem(at, format!("cannot read `{}`: {why}", path.display()), help);
    }

    /// A secret by reference, or as it stands; the second tells whether it stands there.
    pub(super) fn secret(&self, key: &'static str) -> Option<(SecretString, Standing, Range<usize>)> {
        const DUE: &str = "`{ env = \"NAME\" }` or `{ file = \"path\" }`";
        let Some(value) = self.get(key) else {
            self.missing(key, &format!("`{key} = {DUE}`"));
            return None;
        };
        let at = value.span();
        if let Some(text) = value.get_ref().as_str() {
            return self.filled(key, text, at.clone()).map(|secret| (secret, Standing::Literal, at));
        }
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, key, DUE);
            return None;
        };
        let inner = Section {
            reader: self.reader,
            name: key.to_owned(),
            table: Some(table),
            at: at.clone(),
            known: RefCell::default(),
        };
        let ways = [inner.text("env", DUE), inner.text("file", DUE), inner.text("literal", DUE)];
        inner.done();
        let (text, standing) = match ways {
            [Some((name, at)), None, None] => {
                let Some(text) = (self.reader.environment)(name) else {
                    let what = format!("the environment variable `{name}` is not set");
                    self.reader.problem(at, what, "set it before the start");
                    return None;
                };
                (text, Standing::Referred)
            }
            [None, Some((name, at)), None] => {
                let path = self.reader.path(name);
                match std::fs::read_to_string(&path) {
                    Ok(text) => (text.trim_end_matches(['\r', '\n']).to_owned(), Standing::Referred),
                    Err(why) => {
                        self.unreadable(at, &path, &why);
                        return None;
                    }
                }
            }
            [None, None, Some((text, _))] => (text.to_owned(), Standing::Literal),
            _ => {
                self.reader.problem(at, format!("`{key}` does not say where the secret is"), format!("write {DUE}"));
                return None;
            }
        };
        self.filled(key, &text, at.clone()).map(|secret| (secret, standing, at))
    }

    fn filled(&self, key: &str, text: &str, at: Range<usize>) -> Option<SecretString> {
        if text.trim().is_empty() {
            self.reader.problem(at, format!("the secret of `{key}` is empty"), "give one that is not");
            return None;
        }
        Some(SecretString::from(text.to_owned()))
    }

    pub(super) fn section(&self, key: &'static str) -> Section<'r, 't> {
        let name = self.inner_name(key);
        let value = self.get(key);
        let table = value.and_then(|value| {
            let table = value.get_ref().as_table();
            if table.is_none() {
                self.wrong(value, key, &format!("a table `[{name}]`"));
            }
            table
        });
        let at = value.map_or(0..0, Spanned::span);
        Section { reader: self.reader, name: format!("[{name}]"), table, at, known: RefCell::default() }
    }

    /// `[[key]]`, each with its place.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'r, 't>> {
        let name = self.inner_name(key);
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, key, &format!("one table `[[{name}]]` for each"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let table = item.get_ref().as_table();
            if table.is_none() {
                self.wrong(item, key, &format!("one table `[[{name}]]` for each"));
            }
            found.push(Section {
                reader: self.reader,
                name: format!("[[{name}]]"),
                table,
                at: item.span(),
                known: RefCell::default(),
            });
        }
        found
    }

    fn inner_name(&self, key: &str) -> String {
        let outer = self.name.trim_matches(['[', ']']);
        if outer.is_empty() { key.to_owned() } else { format!("{outer}.{key}") }
    }
}

/// Where a secret's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// In the environment or in a file of its own.
    Referred,
    /// In the configuration itself.
    Literal,
}

/// A whole number and a unit; never nothing.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The known word that a person most likely meant.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let close = |other: &str| distance(word, other) <= 2.max(other.len() / 4);
    known.iter().copied().filter(|other| close(other)).min_by_key(|other| distance(word, other))
}

/// How many letters have to be changed, added or left out.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut above_left = at;
        let mut before = at + 1;
        let mut next = vec![before];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let changed = above_left + usize::from(*other != letter);
            before = changed.min(before + 1).min(above + 1);
            above_left = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("lisen", "listen"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("lisen", &["path", "listen"]), Some("listen"));
        assert_eq!(nearest("colour", &["path", "listen"]), None);
    }

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("15m"), Some(Duration::from_mins(15)));
        for text in ["", "s", "10", "0s", "-1s", "1.5s", "10 s", "1d", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
