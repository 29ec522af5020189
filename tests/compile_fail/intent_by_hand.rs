//! Only the record says that a query was recorded.
use bailiwick::audit::Intent;

fn forge(sent: bailiwick::model::outgoing::Outgoing) -> Intent {
    Intent { decision: todo!(), region: String::new(), sent }
}

fn main() {}
