//! Parses arguments, runs the subcommand, gives its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    bailiwick::cli::run()
}
