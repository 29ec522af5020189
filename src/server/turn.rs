//! Whose turn it is on a connection: the next request waits until the answer before it was written to its last byte.
//!
//! Without that, a request that comes while an answer is being read would end the time of that answer and begin a new one.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Between the gate, which writes, and the service, which answers.
#[derive(Debug, Default)]
pub(super) struct Turn {
    waits: AtomicBool,
    written: Notify,
}

impl Turn {
    /// Ends when nothing of an earlier answer is left to write. hyper asks the gate to flush only when it holds nothing
    /// more for it, and it holds no byte of an answer that nobody has made yet.
    pub(super) async fn comes(&self) {
        self.waits.store(true, Ordering::Release);
        self.written.notified().await;
    }

    /// Everything that hyper held was written. `true`: an answer ends here, and its time with it.
    pub(super) fn written(&self) -> bool {
        let waits = self.waits.swap(false, Ordering::AcqRel);
        if waits {
            self.written.notify_one();
        }
        waits
    }
}
