//! What may be seen, and what is sent instead of what was asked. Pure: world and time are arguments.

pub mod guard;
