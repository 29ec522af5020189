//! The laws, each the name of a test: the program's pure chain against the oracle.

mod answers;
mod attributes;
mod budget;
pub(crate) mod case;
mod counts;
mod cut;
mod exhaustive;
mod faults;
mod forms;
mod groups;
mod guard;
mod jobs;
mod joined;
pub(crate) mod lists;
mod mutants;
mod named;
mod outsourcers;
mod pages;
mod people;
pub(crate) mod program;
mod random;
mod rights;
mod shrink;
mod told;
mod unreadable;
mod way;
mod wrong_bytes;
