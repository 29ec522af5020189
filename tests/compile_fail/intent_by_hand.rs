//! Only the record says that a query was recorded.
use bailiwick::audit::Intent;

fn forge() -> Intent {
    Intent { decision: uuid::Uuid::nil(), region: String::new(), sent: String::new() }
}

fn main() {}
