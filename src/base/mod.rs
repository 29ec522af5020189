//! What has no opinion: the clock, digests. Every other room may use it.

pub mod clock;
pub mod hash;
