//! `bailiwick.toml` to validated settings, every problem at once and each with its place.
//!
//! Files say nothing by leaving something out but what a safe default says. Unknown and duplicate keys are refused.
//! References to files are relative to the folder of `bailiwick.toml`; secrets come from the environment or from files.

mod report;
mod settings;

pub use report::{Problem, Report};
pub use settings::{Admin, Directory, Proxy, RulesFrom, Settings};

use std::path::Path;

/// Looks a name up in the environment. Passed in, so that tests need no environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads and validates a file.
pub fn load(file: &Path, environment: Environment<'_>) -> Result<Settings, Report> {
    let _ = environment;
    Err(Report { problems: vec![Problem::whole(file, "not read")] })
}

/// Validates a text as if it stood in `file`.
pub fn parse(file: &Path, text: &str, environment: Environment<'_>) -> Result<Settings, Report> {
    let _ = (text, environment);
    Err(Report { problems: vec![Problem::whole(file, "not read")] })
}
