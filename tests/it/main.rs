//! One binary of integration tests, a module for each area.
#![cfg(test)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::too_many_lines,
    clippy::struct_field_names,
    clippy::needless_pass_by_value,
    clippy::match_wildcard_for_single_variants,
    clippy::match_same_arms,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::format_push_string,
    reason = "tests print what they counted, stop at the first thing that is wrong, and are read from top to bottom"
)]

mod bypass;
mod commands;
mod compile_fail;
mod conditions;
mod contract;
mod demo;
mod e2e;
mod front;
mod json_suite;
mod laws;
mod layers;
mod options;
mod oracle;
mod rule_files;
mod rule_tests;
mod set_and_see;
mod tidy;
