//! The organisation: reading it from a file, compiling it into one immutable snapshot, watching the file.
//!
//! Text goes through [`read()`] (strict: duplicate and unknown keys, wrong values, all at once with line and
//! column) and [`compile()`] (references, trees, regions, outsourcers; findings) into [`Org`]. A file that is
//! not wholly right gives problems and no snapshot: whoever holds the previous one keeps it.
//!
//! ```
//! let text = r#"{
//!   "regions": [{"id": "us", "upstream": "https://api.example.com"}],
//!   "divisions": [{"id": "d-1", "region": "us"}],
//!   "users": [{"id": "ada", "region": "us", "division": "d-2"}]
//! }"#;
//! let problems = bailiwick::directory::load(text, "directory.json", jiff::Timestamp::UNIX_EPOCH).unwrap_err();
//! assert!(problems[0].to_string().starts_with("directory.json:4:55: there is no division `d-2`"));
//! ```
//!
//! It never decides who may see what (that is `policy`), never guesses a missing right, and never compares
//! names: only whole ids count. (`bindings` looks the queues of older permission objects up by name, once, while a file
//! is loaded; what is not clear there is closed.)

mod bindings;
mod compile;
pub mod file;
mod findings;
pub mod import;
mod places;
mod problem;
mod read;
mod shape;
pub mod source;
mod tree;

pub use compile::compile;
pub use places::Places;
pub use problem::Problem;
pub use read::read;

use crate::{base::hash, model::org::Org};
use jiff::Timestamp;

/// Text to snapshot: the same way at start, at every reload and in `check`.
pub fn load(text: &str, name: &str, taken_at: Timestamp) -> Result<Org, Vec<Problem>> {
    let (file, places) = read(text, name)?;
    compile(&file, &places, &hash::sha256_hex(text.as_bytes()), taken_at)
}

/// The JSON schema of a directory file, for editors and for the reader's own check.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(file::DirectoryFile)
}

#[cfg(test)]
mod tests;
