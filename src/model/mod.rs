//! Plain data that every other room speaks: ids, the compiled organisation, entitlements, operations,
//! contracts, outgoing requests, refusals. No behaviour beyond look-ups and set algebra; no I/O, no clock.

pub mod aggregation;
pub mod answer;
pub mod assumption;
pub mod body;
pub mod change;
pub mod contract;
pub mod definition;
pub mod entitlement;
pub mod export;
pub mod facts;
pub mod finding;
pub mod job;
pub mod kept;
pub mod login;
pub mod operation;
pub mod org;
pub mod outgoing;
pub mod part;
pub mod refusal;
pub mod routes;
pub mod schedule;
pub mod session;
pub mod set;
pub mod world;
