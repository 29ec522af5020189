//! An intent speaks of a proved query.
use bailiwick::{audit::{IntentDraft, Recorder}, model::outgoing::Outgoing};

async fn intend(recorder: &Recorder, draft: IntentDraft, outgoing: &Outgoing) {
    let _ = recorder.intend(draft, outgoing).await;
}

fn main() {}
