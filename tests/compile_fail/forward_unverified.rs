//! What is not proved does not leave.
use bailiwick::{audit::Intent, model::outgoing::Outgoing, upstream::{Slot, Upstreams}};

async fn send(upstreams: &Upstreams, outgoing: Outgoing, intent: Intent, slot: Slot) {
    let _ = upstreams.forward(outgoing, intent, slot).await;
}

fn main() {}
