//! Logs and metrics. Nothing here decides anything, and no secret, token or personal datum becomes a label.

pub mod event;
pub mod log;
pub mod metrics;

pub use event::Event;
pub use metrics::Metrics;

#[cfg(test)]
mod tests;
