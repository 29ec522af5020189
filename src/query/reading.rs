//! What the dialects read alike: which dimension a name means, and whether this asker may speak of it.

use crate::model::{
    body::{Access, Dialect, Dimension, FilterModel},
    refusal::Echo,
};

/// Why a filter is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadError {
    /// Path inside the filter.
    pub at: String,
    /// What is wrong, and what to do.
    pub why: String,
    /// It is about what the asker may see, not about how he wrote it.
    pub hidden: bool,
}

impl ReadError {
    pub(super) fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into(), hidden: false }
    }

    pub(super) fn hidden(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { hidden: true, ..Self::new(at, why) }
    }

    pub(super) fn unknown(at: &str, name: &str, known: &str) -> Self {
        let name = Echo(name);
        Self::new(format!("{at}.{name}"), format!("`{name}` is not known here; known are {known}"))
    }
}

/// Whether a mask keeps this asker from speaking of a dimension.
pub type Hides<'a> = &'a dyn Fn(&str, Dimension) -> bool;

/// What one filter is read with.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub model: &'a FilterModel,
    pub dialect: Dialect,
    pub hides: Hides<'a>,
}

impl<'a> Reading<'a> {
    /// The canonical spelling of a value: that of the closed list, where the dimension has one.
    pub(super) fn value<'v>(&self, name: &str, asked: &'v str, at: &str) -> Result<&'v str, ReadError>
    where
        'a: 'v,
    {
        let Some(words) = self.model.words.get(name) else { return Ok(asked) };
        words.iter().find(|word| word.eq_ignore_ascii_case(asked)).map(|word| &**word).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            let why = format!("`{}` is no value of `{name}`; known are {}", Echo(asked), known.join(", "));
            ReadError::new(format!("{at}.value"), why)
        })
    }

    /// The canonical name of an asked dimension, and the access that it carries.
    pub(super) fn dimension(&self, asked: &str, at: &str) -> Result<(&'a str, Option<Access>), ReadError> {
        let Some((name, kind)) = self.model.dimension(self.dialect, asked) else {
            let why = format!("`{}` is not a dimension of this filter", Echo(asked));
            return Err(ReadError::new(format!("{at}.dimension"), why));
        };
        match kind {
            Dimension::Access(access) => Ok((name, Some(access))),
            Dimension::Plain | Dimension::Masked if !(self.hides)(name, kind) => Ok((name, None)),
            Dimension::Plain | Dimension::Masked | Dimension::Hidden => {
                let why = format!("`{name}` may not be used in a filter by you");
                Err(ReadError::hidden(format!("{at}.dimension"), why))
            }
        }
    }
}
