//! The decision record: two lines for each decision, one place, durable before anything is forwarded.
//!
//! [`Recorder::intend`] is the only maker of [`Intent`], and without one nothing leaves for an upstream. The
//! outcome's room is taken when a request opens ([`Recorder::reserve`]), so that a request that ends badly never
//! waits to say so. Secrets never get here: no type of this room holds a header or a token.

mod read;
mod record;
mod recorder;
mod reference;
mod segment;
mod writer;

pub use read::{Line, ReadError, read_dir};
pub use record::{
    Cache, EntitlementRecord, IntentRecord, NoticeRecord, OutcomeRecord, Query, QueryText, Record, ScopeRecord,
    StepRecord, Subject, Verdict, VersionsRecord, bounded,
};
pub use reference::reference;

pub use recorder::{Durability, Intent, IntentDraft, Queries, Recorder, Reserved, Settings, StartError, Unavailable};

#[cfg(test)]
pub(crate) mod tests;
