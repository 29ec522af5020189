//! A request as it would leave: built from parsed tokens, never copied from the client.

use bytes::Bytes;

/// Not yet proved. Only `verify` turns it into something that may be forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub method: super::contract::Method,
    /// Canonical path, percent-encoded, built from the template.
    pub path: String,
    /// Decoded names and values, in the order they are sent.
    pub query: Vec<(Box<str>, String)>,
    /// Shared: whoever proves, records and sends it reads the same bytes.
    pub body: Option<Bytes>,
}

/// The part of the scope that the bytes do not say and the guard must enforce on the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Residual {
    /// Every leg of every row is judged on the answer.
    pub legs: bool,
    /// Every row's keys are judged on the answer.
    pub keys: bool,
    /// An entitlement with a data window is used: the guard judges each leg's time.
    pub windows: bool,
    /// Links pass that these actions open: every leg that the answer speaks of is inside the scope for each.
    pub links: Vec<super::entitlement::Action>,
}
