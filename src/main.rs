//! Parses arguments, runs the subcommand, gives its exit code.

use std::process::ExitCode;

/// Gives back to the system what a crowd of connections took; the system's own allocator keeps it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    bailiwick::cli::run()
}
