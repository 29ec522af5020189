//! bailiwick: a reverse proxy that enforces report access control.
//!
//! It stands between report tools and a contact-centre analytics API: it knows who asks, looks the person up in a
//! snapshot of the organisation, writes what that person may see into every query, refuses what cannot be narrowed,
//! proves the outgoing bytes with a second reader, judges every row of the answer, and records the decision.
//!
//! # The life of a request
//!
//! [`proxy::Proxy::handle`] holds it on one screen:
//!
//! 1. **admit**: canonical path, typed headers, limits;
//! 2. **pin** the [`world`]: rules, organisation and grants of one version;
//! 3. **identify**: the token becomes a principal of the directory;
//! 4. **read**: the operation that a rule governs, strict JSON;
//! 5. **scope**: the entitlements of this principal for this operation now;
//! 6. **decide**: narrow and verify, pure ([`decision`]);
//! 7. **enter**: a slot of the upstream's budget;
//! 8. **intend**: the decision is durable before the query leaves;
//! 9. **fetch**, 10. **guard**, 11. **respond**; the outcome is recorded however the exchange ends.
//!
//! # Layers, top to bottom
//!
//! A room uses only lower lines; rooms on one line do not see each other (`tests/it/layers.rs`).
//!
//! ```text
//! cli
//! app | fuzz (in tests and for a fuzzer alone)
//! config
//! proxy | admin
//! world
//! identity | directory | rules | probe | bench
//! upstream
//! audit
//! store | server | egress
//! telemetry
//! decision
//! policy
//! verify | query
//! model
//! base
//! (sandbox: beside the stack, sees base only)
//! ```

pub mod admin;
pub mod app;
pub mod audit;
pub mod base;
pub mod bench;
pub mod cli;
pub mod config;
pub mod decision;
pub mod directory;
pub mod egress;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod identity;
pub mod model;
pub mod policy;
pub mod probe;
pub mod proxy;
pub mod query;
pub mod rules;
pub mod sandbox;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod verify;
pub mod world;
