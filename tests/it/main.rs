mod compile_fail;
mod front;
mod json_suite;
