//! The ways to log in at `/oauth/token`.

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    ClientCredentials,
    AuthorizationCode,
    Saml,
    Refresh,
}

impl Grant {
    pub const ALL: [Self; 4] = [Self::ClientCredentials, Self::AuthorizationCode, Self::Saml, Self::Refresh];

    /// As the configuration says it.
    pub fn short(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client-credentials",
            Self::AuthorizationCode => "authorization-code",
            Self::Saml => "saml2-bearer",
            Self::Refresh => "refresh-token",
        }
    }

    /// As `grant_type` says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::Saml => "urn:ietf:params:oauth:grant-type:saml2-bearer",
            Self::Refresh => "refresh_token",
        }
    }

    /// What else stands in its form; and whether it has to.
    pub fn fields(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::ClientCredentials => &[],
            Self::AuthorizationCode => &[("code", true), ("redirect_uri", true), ("code_verifier", false)],
            Self::Saml => &[("assertion", true), ("orgName", false)],
            Self::Refresh => &[("refresh_token", true)],
        }
    }
}
