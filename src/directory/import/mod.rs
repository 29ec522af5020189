//! The guides' payloads.
