//! Where words leave the program.

use super::failure::Failure;
use std::{
    fmt::Display,
    io::{self, Write as _},
};

pub(super) fn line(text: impl Display) {
    // A reader that has gone away, such as `head`, wants no more.
    let _gone = writeln!(io::stdout().lock(), "{text}");
}

pub(super) fn error(text: impl Display) {
    let _gone = writeln!(io::stderr().lock(), "{text}");
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::input)?;
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
