//! `bailiwick.toml` to validated settings, every problem at once and each with its place.
//!
//! Files say nothing by leaving something out but what a safe default says. Unknown and duplicate keys are refused.
//! References to files are relative to the folder of `bailiwick.toml`; secrets come from the environment or from files.

pub mod facts;
mod read;
mod reader;
mod report;
mod settings;
mod veil;
mod vouching;

pub use report::{Place, Problem, Report};
pub use settings::{Admin, Directory, Named, Proxy, RulesFrom, Settings};
pub use vouching::{FactsFile, Vouching};

use std::path::Path;

/// Looks a name up in the environment. Passed in, so that tests need no environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads and validates a file.
pub fn load(file: &Path, environment: Environment<'_>) -> Result<Settings, Report> {
    parse(file, &text(file)?, environment)
}

/// The same for whoever is about to write the facts: the file that `[policy] facts` names is not read, so that one that
/// is missing, outdated or contradicts `assume` does not stand in its own way.
pub fn load_without_facts(file: &Path, environment: Environment<'_>) -> Result<Settings, Report> {
    read::parse(file, &text(file)?, environment, read::FactsAre::About)
}

fn text(file: &Path) -> Result<String, Report> {
    std::fs::read_to_string(file).map_err(|why| Report {
        problems: vec![Problem {
            help: Some("give the path of a `bailiwick.toml` that this user may read".to_owned()),
            ..Problem::whole(file, format!("cannot read the configuration: {why}"))
        }],
        named: Named::default(),
    })
}

/// Validates a text as if it stood in `file`.
pub fn parse(file: &Path, text: &str, environment: Environment<'_>) -> Result<Settings, Report> {
    read::parse(file, text, environment, read::FactsAre::Read)
}

#[cfg(test)]
mod tests;
