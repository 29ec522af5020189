//! What has no opinion: addresses, the clock, digests. Every other room may use it.

pub mod address;
pub mod clock;
pub mod crontab;
pub mod hash;
pub mod secret;
