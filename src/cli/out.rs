//! Where words leave the program, and the failures that end it.

use crate::app::StartError;
use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// A failure with its exit code.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
}

impl Failure {
    /// Wrong use or unreadable input.
    pub(super) fn input(message: impl Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// Something outside could not be reached.
    pub(super) fn unreachable(message: impl Display) -> Self {
        Self { code: 3, message: message.to_string() }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        if error.is_unreachable() { Self::unreachable(error) } else { Self::input(error) }
    }
}

pub(super) fn line(text: impl Display) {
    // A reader that has gone away, such as `head`, wants no more.
    let _gone = writeln!(io::stdout().lock(), "{text}");
}

pub(super) fn error(text: impl Display) {
    let _gone = writeln!(io::stderr().lock(), "{text}");
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure { code: 2, message: error.to_string() })?;
    line(text);
    Ok(())
}

/// A text table: columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|title| title.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let text: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(text.join("  ").trim_end());
    };
    print(&mut head.iter().copied());
    for row in rows {
        print(&mut row.iter().map(String::as_str));
    }
}
