//! The asker's own token, for a region that is asked with it.

use crate::model::refusal::{Code, Refusal};
use http::HeaderValue;

/// A token that a region's upstream itself vouched for. It goes to that region and to no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskerToken {
    /// Marked sensitive, so that no log shows it.
    value: HeaderValue,
    region: Box<str>,
}

impl AskerToken {
    /// `region`: whose upstream knows it. `None`: it cannot stand in a header.
    pub fn new(token: &str, region: &str) -> Option<Self> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(Self { value, region: region.into() })
    }

    pub(super) fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// The token to ask a region with.
    pub(super) fn of(asker: Option<&Self>, region: &str) -> Result<Self, Refusal> {
        asker.filter(|token| *token.region == *region).cloned().ok_or_else(Self::none)
    }

    pub(super) fn none() -> Refusal {
        let says = "this region is asked with the token of who asks, and yours is none of its own; sign in there yourself, or log in at \
                    `/oauth/token` of this proxy";
        Refusal::new(Code::UpstreamAsker, says).because("no token of this region's own came with the request")
    }

    pub(super) fn over() -> Refusal {
        Refusal::new(Code::IdentityRequired, "the upstream no longer takes your token; sign in again to get one")
            .because("the upstream answered 401 to the asker's own token")
            .with("upstream-status", "401")
    }
}
