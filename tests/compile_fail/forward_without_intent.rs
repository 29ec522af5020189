//! What is not recorded does not leave.
use bailiwick::{upstream::{Slot, Upstreams}, verify::Verified};

async fn send(upstreams: &Upstreams, verified: Verified, slot: Slot) {
    let _ = upstreams.forward(verified, slot).await;
}

fn main() {}
