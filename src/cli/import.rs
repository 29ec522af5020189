//! `bailiwick import`: payloads of the guides, SCIM and CSV become one directory file.

use super::{Format, failure::Failure, out};
use crate::{app::StartError, directory::import};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files with roles, users, divisions (JSON), SCIM users (JSON), queue ownership (CSV)
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// Where the directory file goes; without it, standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With `json`, what is wrong with the input and what was written are data too
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Serialize)]
struct Written {
    wrote: PathBuf,
    users: usize,
    queues: usize,
    roles: usize,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut inputs = Vec::with_capacity(arguments.inputs.len());
    for path in &arguments.inputs {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", path.display())))?;
        inputs.push((path.display().to_string(), text));
    }
    let file = import::import(inputs).map_err(|problems| Failure::from(StartError::Directory(problems)))?;
    match &arguments.output {
        None => out::json(&file)?,
        Some(path) => {
            let text = serde_json::to_string_pretty(&file).map_err(Failure::input)?;
            std::fs::write(path, text + "\n")
                .map_err(|error| Failure::input(format!("`{}` cannot be written: {error}", path.display())))?;
            let (users, queues, roles) = (file.users.len(), file.queues.len(), file.roles.len());
            match arguments.format {
                Format::Json => out::json(&Written { wrote: path.clone(), users, queues, roles })?,
                Format::Text => {
                    let path = path.display();
                    out::line(format!("wrote `{path}`: {users} users, {queues} queues, {roles} roles"));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
