//! Signed tokens, checked against keys from a file.

use std::{path::PathBuf, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    /// PEM with one public key, or a JSON key set.
    pub key_file: PathBuf,
    pub algorithms: Vec<jsonwebtoken::Algorithm>,
    pub issuer: String,
    pub audience: String,
    /// The claim that holds the user id, or the client id of a service account.
    pub claim: String,
    /// The `typ` that the header must have, such as `at+jwt`; `None`: any but that of another kind of token.
    pub typ: Option<String>,
    pub leeway: Duration,
    pub max_lifetime: Duration,
}
