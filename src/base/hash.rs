//! Digests.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// SHA-256 of the bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of the bytes, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a string cannot fail.
        let _ignored = write!(text, "{byte:02x}");
    }
    text
}

/// The first twelve hex digits: enough to name a version in a log line.
pub fn short(bytes: &[u8]) -> String {
    let mut text = sha256_hex(bytes);
    text.truncate(12);
    text
}
