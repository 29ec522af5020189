//! The laws, each the name of a test: the program's pure chain against the oracle.

mod case;
mod exhaustive;
mod mutants;
mod named;
mod program;
mod random;
mod shrink;
