//! Certificates of clients to service accounts. The connection has proved the certificate; here is said whose it is.

use super::{Identity, Method, Subject, required, unknown};
use crate::{
    model::{
        org::{Org, Principal},
        refusal::Refusal,
    },
    server::Certificate,
};
use jiff::Timestamp;

/// A service account that is known by its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub mark: Mark,
    /// Id of the account in the directory.
    pub service: Box<str>,
}

/// By what a certificate is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// One of its subject's alternative names, to the letter: any certificate of the authority that has it.
    Name(String),
    /// SHA-256, 64 small hexadecimal digits: this certificate and no other.
    Fingerprint(String),
}

impl Mark {
    fn is_of(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => certificate.names.contains(name),
            Self::Fingerprint(fingerprint) => *fingerprint == certificate.fingerprint,
        }
    }
}

impl Identity {
    /// The account that the certificate is of; `None` where it is nobody's: then only a token tells who asks.
    pub fn account(&self, certificate: &Certificate, org: &Org, now: Timestamp) -> Result<Option<Subject>, Refusal> {
        let mut named = self.accounts.iter().filter(|account| account.mark.is_of(certificate));
        let Some(first) = named.next() else { return Ok(None) };
        if named.any(|other| other.service != first.service) {
            return Err(required("the client's certificate is that of two accounts of the configuration"));
        }
        // a connection may have outlived the certificate that it began with
        if now >= certificate.not_after {
            return Err(required("the client's certificate has ended"));
        }
        let service = org.index.services.get(&*first.service).copied();
        let service = service.ok_or_else(|| unknown("the account of the certificate is not in the directory"))?;
        let principal = Principal::Service(service);
        self.not_ended(principal, None, org, now)?;
        Ok(Some(Subject {
            principal,
            client: None,
            method: Method::Certificate,
            session: None,
            expires_at: Some(certificate.not_after),
            roles: None,
            passes: None,
        }))
    }
}

impl Subject {
    /// The same asker by a token as by his certificate. Where the two say different things nobody is believed.
    pub fn agreeing(self, by_token: Self) -> Result<Self, Refusal> {
        if self.principal == by_token.principal {
            return Ok(by_token);
        }
        Err(required("the token is not of the account that the client's certificate is of"))
    }
}
