//! A request that the upstream does not serve, and its native error body.

use serde_json::{Value, json};

/// Status, native code and sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: u16,
    code: &'static str,
    message: String,
}

impl Problem {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "bad.request", message)
    }

    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new(400, "invalid.value", message)
    }

    pub(super) fn constraint(message: impl Into<String>) -> Self {
        Self::new(400, "constraint.validation", message)
    }

    pub(super) fn date(text: &str) -> Self {
        Self::new(400, "invalid.date", format!("`{text}` is no interval or instant of ISO 8601"))
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(401, "bad.credentials", "Invalid login credentials.")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "not.found", "The requested resource was not found.")
    }

    pub(super) fn too_many() -> Self {
        Self::new(429, "too.many.requests", "Rate limit exceeded the maximum.")
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "internal.server.error", message)
    }

    pub(super) fn body(&self, context: &str) -> Value {
        json!({
            "message": self.message, "code": self.code, "status": self.status,
            "messageParams": {}, "contextId": context, "details": [], "errors": [],
        })
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(format!("the sandbox's store failed: {error}"))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.status, self.code, self.message)
    }
}
