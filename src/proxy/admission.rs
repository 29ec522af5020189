//! How many requests may be under way. One too many is told so at once instead of waiting in memory.

use crate::model::refusal::{Code, Refusal};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
}

/// Held while a request is under way.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "its end gives the place back")] OwnedSemaphorePermit);

impl Admission {
    pub(super) fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)) }
    }

    pub(super) fn enter(&self) -> Result<Place, Refusal> {
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map(Place)
            .map_err(|_| Refusal::new(Code::Overloaded, "too many requests are under way; ask again shortly"))
    }
}
