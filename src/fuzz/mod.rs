//! What has to hold for any bytes that a stranger sends: one function for each reader of them, which panics where it does not.
//!
//! The fuzz targets (`tests/fuzz`) call them with what a fuzzer makes up, the tests with the bytes that are kept beside the
//! targets. In no other build.

#![expect(clippy::missing_panics_doc, reason = "they panic where it does not hold: that is what they are for")]

mod head;
mod http;
mod json;
mod path;
#[cfg(test)]
mod replay;
mod token;

pub use head::head;
pub use json::json;
pub use path::path;
pub use token::token;
