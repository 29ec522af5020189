//! `bailiwick demo`: an embedded upstream, the sample organisation and the proxy in front, in one process.
//!
//! What it starts is what `serve` starts, from files that a new user would write. What is visible to whom is worked
//! out here a second time, plainly, from the directory file: never by the code that serves.

mod ask;
mod cases;
mod questions;
mod rows;
mod set_up;
mod tour;
mod visible;
mod welcome;

use super::{Format, failure::Failure, out, serve};
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Run the tour, print it and end: 0 when every count is the one due, else 1
    #[arg(long)]
    once: bool,
    /// What the interactions are made up from; the figures change with it
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many interactions to make up, in all regions together
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    interactions: u32,
    /// Port of the proxy; 0 takes a free one, and `--once` always does
    #[arg(long, value_name = "PORT", default_value_t = 8600)]
    port: u16,
    /// Port of the control listener
    #[arg(long, value_name = "PORT", default_value_t = 8601)]
    admin_port: u16,
    /// Where the configuration, the directory file and the record go; without it, a fresh temporary folder
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let runtime = serve::runtime()?;
    if arguments.once { runtime.block_on(once(arguments)) } else { runtime.block_on(stay(arguments)) }
}

async fn once(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let house = set_up::open(arguments, (0, 0)).await?;
    let toured = tour::walk(&house, arguments).await;
    let folder = house.folder.clone();
    house.close().await;
    if arguments.folder.is_none() {
        // Made for this tour alone. What cannot be removed stays in the temporary folder of the machine.
        let _left_behind = std::fs::remove_dir_all(&folder);
    }
    let tour = toured?;
    match arguments.format {
        Format::Json => out::json(&tour)?,
        Format::Text => tour.print(),
    }
    Ok(if tour.as_due() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn stay(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let house = set_up::open(arguments, (arguments.port, arguments.admin_port)).await?;
    let welcome = welcome::Welcome::of(&house)?;
    match arguments.format {
        Format::Json => out::json(&welcome)?,
        Format::Text => welcome.print(),
    }
    let set_up::House { sandbox, running, .. } = house;
    serve::until_stopped(running).await?;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
