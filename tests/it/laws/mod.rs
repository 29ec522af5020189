//! The laws, each the name of a test: the program's pure chain against the oracle.

pub(crate) mod case;
mod exhaustive;
mod forms;
mod guard;
mod mutants;
mod named;
mod pages;
pub(crate) mod program;
mod random;
mod rights;
mod shrink;
