//! Time as an argument. Only the edges of the program read the machine's clock.

use jiff::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// A source of "now" that never goes back.
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> Timestamp;
}

/// The machine's clock, held at its highest reading: setting it back revives nothing.
#[derive(Debug, Default)]
pub struct SystemClock {
    highest: AtomicI64,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = Timestamp::now().as_microsecond();
        let highest = self.highest.fetch_max(micros, Ordering::AcqRel).max(micros);
        Timestamp::from_microsecond(highest).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands where it is put. For tests and for rule files' fixtures.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.as_microsecond())))
    }

    pub fn set(&self, now: Timestamp) {
        self.0.fetch_max(now.as_microsecond(), Ordering::AcqRel);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Acquire)).unwrap_or(Timestamp::MAX)
    }
}
