//! One binary of integration tests, a module for each area.
#![cfg(test)]

mod compile_fail;
mod demo;
mod e2e;
mod front;
mod json_suite;
mod laws;
mod layers;
mod oracle;
mod rule_tests;
mod tidy;
