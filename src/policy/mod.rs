//! What may be seen, and what is sent instead of what was asked. Pure: world and time are arguments.

mod apart;
pub mod conjoin;
pub mod definitions;
pub mod extent;
pub mod guard;
pub mod judge;
pub mod lint;
pub mod local;
pub mod masks;
pub mod narrow;
pub mod outsourcers;
pub mod placeholders;
pub mod scope;
pub mod time;
pub mod together;
