//! The command line: one file for each subcommand. The only room that prints.
//!
//! Exit codes: 0 fine, findings of `check` included, 1 a refusal (of an unreadable question too) or a failed test, 2 wrong use or unreadable input, 3 could not reach what it needed.

mod bench;
mod check;
mod compare;
mod coverage;
mod demo;
mod docs;
mod explain;
mod failure;
mod import;
mod out;
mod probe;
mod resting;
mod serve;
mod test;
mod token;

use clap::{Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(
    name = "bailiwick",
    version,
    about = "A reverse proxy that enforces report access control",
    propagate_version = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: an embedded upstream, a sample organisation and the proxy in front of it
    Demo(demo::Arguments),
    /// Serve the proxy and its control listener
    Serve(serve::Arguments),
    /// Validate every file: configuration, rules and their tests, directory
    Check(check::Arguments),
    /// Run the query tests that stand in rule files
    Test(test::Arguments),
    /// Say what somebody may see through an operation, and what would be sent for a query
    Explain(explain::Arguments),
    /// Ask the live upstreams, read-only, what rules rest on, and write down what was seen
    Probe(probe::Arguments),
    /// Time a query of your own, directly and through the proxy
    Bench(bench::Arguments),
    /// Convert payloads of the access-control guides and SCIM into a directory file
    Import(import::Arguments),
    /// End tokens before their time, and list what was ended
    Token(token::Arguments),
    /// Print generated references
    Docs(docs::Arguments),
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Command {
    /// How this command was asked to print.
    fn format(&self) -> Format {
        match self {
            Self::Demo(arguments) => arguments.format,
            Self::Check(arguments) => arguments.format,
            Self::Test(arguments) => arguments.format,
            Self::Explain(arguments) => arguments.format,
            Self::Probe(arguments) => arguments.format,
            Self::Bench(arguments) => arguments.format,
            Self::Import(arguments) => arguments.format,
            Self::Token(arguments) => arguments.format(),
            Self::Serve(_) | Self::Docs(_) => Format::Text,
        }
    }
}

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap knows where each goes.
            let code = if error.use_stderr() { 2 } else { 0 };
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::from(2),
            };
        }
    };
    // One crypto provider for the whole process, chosen before anything can ask for one.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a crypto provider was installed already");
    }
    let format = arguments.command.format();
    let ended = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Probe(arguments) => probe::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => {
            out::error(&failure.message);
            if failure.count() > 1 {
                out::error(format!("{} problems", failure.count()));
            }
            let code = ExitCode::from(failure.code);
            if format == Format::Json && out::json(&failure.into_problems()).is_err() {
                out::error("the problems cannot be written as JSON");
            }
            code
        }
    }
}
