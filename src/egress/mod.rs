//! Doors for everything that is not a client's request, and the parts that every way out is made of:
//! TLS, time limits, counted connections, capped reading. Knows no query and no answer of a query.

mod body;
mod connector;
mod door;

pub use body::{ReadFailed, read_beginning, read_capped};
pub use connector::{Connector, EgressError, OnOpen, Trust, connector};
pub(crate) use door::causes;
pub use door::{Door, DoorFailed, Reply, Times};

#[cfg(test)]
mod tests;
