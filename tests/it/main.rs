mod json_suite;
mod rule_tests;
