//! An embedded upstream for the demo, the examples and the tests, and the organisation that it serves.
//!
//! It keeps the habits of the real thing that access control must survive, and can be told to break them.
//! It shares nothing with the program but `base`: what it answers is evidence, not agreement.

pub mod sample;

mod activity;
mod aggregates;
mod attribute;
mod batches;
mod callbacks;
mod condition;
mod conversation;
mod details;
mod dimension;
mod documents;
mod evaluations;
mod exports;
mod facets;
mod families;
mod filter;
mod interval;
mod jobs;
mod lists;
mod memberships;
mod metric;
mod objects;
mod opensearch;
mod organisation;
mod people;
mod platform;
mod problem;
mod properties;
mod queue_observations;
mod recordings;
mod reply;
mod running;
mod schema;
mod searches;
mod server;
mod service;
mod sql;
mod stage;
mod store;
mod story;
mod tokens;
mod traits;
mod truth;
mod user_details;
mod users;

#[cfg(test)]
mod tests;

pub use callbacks::Callback;
pub use properties::Mark;
pub use running::{Options, Sandbox, StartError};
pub use server::Received;
pub use traits::{Disobedience, Traits};
pub use truth::{Bounds, Counts, LegId, LegRow, Pick, TruthError};
