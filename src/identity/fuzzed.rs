//! The reader of the `Authorization` header and the judge of signed tokens, for whoever looks for tokens that they take wrongly.

use super::{JwtSettings, KeysFrom, jwt::Verifier};
use crate::telemetry::Metrics;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The token that a header's value brings.
pub fn bearer(value: &str) -> Option<&str> {
    super::bearer::token(value).ok()
}

#[derive(Debug)]
pub struct Judge {
    verifier: Verifier,
    now: Timestamp,
}

impl Judge {
    /// `keys`: a JSON key set. `now`: seconds since 1970.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "whoever looks for tokens has to have keys")]
    pub fn new(keys: &str, issuer: &str, audience: &str, now: i64) -> Self {
        let file = std::env::temp_dir().join(format!("keys-{}.json", std::process::id()));
        std::fs::write(&file, keys).expect("keys are written");
        let settings = JwtSettings {
            keys: KeysFrom::File(file.clone()),
            algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            claim: "sub".to_owned(),
            role_claim: None,
            typ: Some("at+jwt".to_owned()),
            leeway: Duration::from_mins(1),
            max_lifetime: Duration::from_hours(24),
            needs_not_before: false,
        };
        let verifier = Verifier::new(&settings, Metrics::detached()).expect("the keys are keys");
        std::fs::remove_file(file).expect("the keys were there");
        Self { verifier, now: Timestamp::from_second(now).unwrap_or_default() }
    }

    /// With keys from a file nobody is asked, so it is known at once.
    pub fn believes(&self, token: &str) -> bool {
        let judged = pin!(self.verifier.verify(token, self.now, false));
        matches!(judged.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_)))
    }
}
