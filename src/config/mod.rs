//! `bailiwick.toml` to validated settings, every problem at once and each with its place.
//!
//! Files say nothing by leaving something out but what a safe default says. Unknown and duplicate keys are refused.
//! References to files are relative to the folder of `bailiwick.toml`; secrets come from the environment or from files.

mod read;
mod reader;
mod report;
mod settings;

pub use report::{Place, Problem, Report};
pub use settings::{Admin, Directory, Named, Proxy, RulesFrom, Settings};

use std::path::Path;

/// Looks a name up in the environment. Passed in, so that tests need no environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads and validates a file.
pub fn load(file: &Path, environment: Environment<'_>) -> Result<Settings, Report> {
    let text = std::fs::read_to_string(file).map_err(|why| Report {
        problems: vec![Problem {
            help: Some("give the path of a `bailiwick.toml` that this user may read".to_owned()),
            ..Problem::whole(file, format!("cannot read the configuration: {why}"))
        }],
        named: Named::default(),
    })?;
    parse(file, &text, environment)
}

/// Validates a text as if it stood in `file`.
pub fn parse(file: &Path, text: &str, environment: Environment<'_>) -> Result<Settings, Report> {
    read::parse(file, text, environment)
}

#[cfg(test)]
mod tests;
