//! What is proved, and a table of leaking mutants of each proved request: every one is refused here alone.

mod borders;
mod changes;
mod fixture;
mod jobs;
mod json;
mod mutants;
mod parts;
mod plain;
mod proved;
mod scan;
mod searches;
mod small_world;
mod whose;
mod words;
