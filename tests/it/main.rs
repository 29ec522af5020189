//! One binary of integration tests, a module for each area.

mod compile_fail;
mod demo;
#[cfg(test)]
mod e2e;
#[cfg(test)]
mod front;
mod json_suite;
mod laws;
mod layers;
mod oracle;
mod rule_tests;
mod tidy;
