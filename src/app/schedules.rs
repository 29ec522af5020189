//! Looks for schedules that are due, in each region by itself, for as long as this program serves.

use crate::{proxy::Proxy, server};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two looks. What is due is said by the clock, not by this.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(proxy: Arc<Proxy>, region: String, shutdown: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = look.tick() => {}
        }
        tokio::select! {
            // a run that is cut stands in the record as gone, and in the store as begun
            () = shutdown.cancelled() => return,
            ended = server::catch(Box::pin(proxy.run_due(&region))) => match ended {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::error!(%error, region, "schedules could not be run"),
                Err(panicked) => tracing::error!(panic = panicked.0, region, "schedules could not be run"),
            },
        }
    }
}
