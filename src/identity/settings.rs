//! What the configuration says of who may ask.

use super::{Account, IntrospectionSettings, JwtSettings, Login, OwnClient, RelaySettings, StaticToken};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Settings {
    pub statics: Vec<StaticToken>,
    pub jwt: Option<JwtSettings>,
    pub introspection: Option<IntrospectionSettings>,
    /// Clients that log in here for a token of the configuration.
    pub logins: Vec<Login>,
    /// Clients that log in here for a token of this proxy's own.
    pub clients: Vec<OwnClient>,
    /// How long such a token lives.
    pub token_lifetime: Duration,
    /// Regions whose login hosts decide about log-ins.
    pub relays: Vec<RelaySettings>,
    /// Service accounts that are known by a certificate.
    pub accounts: Vec<Account>,
    /// How long a token of an outsourcer may live.
    pub bpo_max_lifetime: Duration,
    /// Failures of one address within a minute, before it has to wait.
    pub failures_per_minute: u32,
    /// For whom a token of log-out is; else for whom other tokens are.
    pub logout_audience: Option<String>,
    pub acting: ActingSettings,
}

/// When a service account acts for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActingSettings {
    /// The person has to be seen here with a token of his own that is not over; else he must only not have logged out.
    pub require_session: bool,
    /// People who administer this proxy: no account acts for them.
    pub administrators: Vec<Box<str>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            statics: Vec::new(),
            jwt: None,
            introspection: None,
            logins: Vec::new(),
            clients: Vec::new(),
            token_lifetime: Duration::from_mins(15),
            relays: Vec::new(),
            accounts: Vec::new(),
            bpo_max_lifetime: Duration::from_mins(5),
            failures_per_minute: 120,
            logout_audience: None,
            acting: ActingSettings { require_session: true, administrators: Vec::new() },
        }
    }
}
