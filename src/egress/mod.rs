//! Doors for everything that is not a client's request, and the parts that every way out is made of:
//! TLS, time limits, counted connections, capped reading. Knows no query and no answer of a query.

mod body;
mod connector;
mod door;

pub use body::{ReadFailed, read_beginning, read_capped};
pub use connector::{Connector, EgressError, OnOpen, Own, Trust, Way, connector};
pub(crate) use door::causes;
pub use door::{Door, DoorFailed, Reply, Times};

/// On everything that is asked of an upstream: whatever carries it came from here, and is not to be asked once more.
pub const PASSED: http::HeaderName = http::HeaderName::from_static("bailiwick-passed");
/// Its value says nothing: that it is there is all.
pub const MARK: http::HeaderValue = http::HeaderValue::from_static("1");

/// Names the user for whom a service account asks, both here and upstream.
pub const SUBJECT: http::HeaderName = http::HeaderName::from_static("gen-usersubject");

#[cfg(test)]
mod tests;
