//! Rules, organisation and grants, pinned as one version; the scopes derived from them, remembered for that version only.

mod pinned;
mod store;

pub use pinned::{Pinned, Scoped};
pub use store::{Settings, WorldStore};

#[cfg(test)]
mod tests;
