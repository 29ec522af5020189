//! The laws, each the name of a test: the program's pure chain against the oracle.

mod answers;
pub(crate) mod case;
mod counts;
mod exhaustive;
mod faults;
pub(crate) mod lists;
mod mutants;
mod named;
pub(crate) mod program;
mod random;
mod shrink;
