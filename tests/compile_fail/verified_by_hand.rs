//! Only the second reader says that a query is proved.
use bailiwick::{model::outgoing::{Outgoing, Residual}, verify::{Certificate, Verified}};

fn forge(outgoing: Outgoing) -> Verified {
    Verified { outgoing, residual: Residual::default(), certificate: Certificate::default() }
}

fn main() {}
