//! One proof, one query.
use bailiwick::{audit::Intent, upstream::{Slot, Upstreams}, verify::Verified};

async fn twice(upstreams: &Upstreams, verified: Verified, intents: [Intent; 2], slots: [Slot; 2]) {
    let [first, second] = intents;
    let [here, there] = slots;
    let _ = upstreams.forward(verified, first, here).await;
    let _ = upstreams.forward(verified, second, there).await;
}

fn main() {}
