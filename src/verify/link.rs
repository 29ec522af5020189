//! A file that this program fetches itself to show how it begins: every leg of its interaction is inside the scope, and it
//! lies where the configuration says that files lie.

use super::{Certificate, Step, Unproved, scope::Scope};
use crate::{
    base::hash,
    model::{
        contract::{Contract, Method},
        entitlement::{self, Action},
        org::Org,
        outgoing::Outgoing,
        part::Sighting,
    },
};
use http::Uri;
use jiff::Timestamp;

/// A link that may be followed by this program, and by nobody else. Only [`check_link`] makes one.
#[derive(Debug)]
pub struct VerifiedLink {
    uri: Uri,
    origin: Box<str>,
    /// As the record shows it: a link opens the file to whoever holds it, so there its digest stands.
    outgoing: Outgoing,
    certificate: Certificate,
}

impl VerifiedLink {
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
    /// Scheme and host.
    pub fn origin(&self) -> &str {
        &self.origin
    }
    pub fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// Proves that the file at `link`, which an answer to `contract` about the interaction that was `seen` names, may be
/// fetched for a preview. `media`: scheme and host of where the region's files lie.
pub fn check_link(
    contract: &Contract,
    link: &str,
    seen: &Sighting,
    media: &[Box<str>],
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<VerifiedLink, Unproved> {
    if !contract.part || contract.action != Action::Preview {
        return Err(Unproved::at("contract", "is not one of a preview"));
    }
    let scope = Scope::of(contract, given, org, now)?;
    if seen.legs.is_empty() {
        return Err(Unproved::at("legs", "nothing of the interaction is anybody's"));
    }
    if let Some(at) = seen.legs.iter().position(|leg| !scope.shows_leg(&given.entitlements, &seen.interaction, leg)) {
        return Err(Unproved::at(format!("legs, number {}", at + 1), "is outside the scope"));
    }
    let uri: Uri = link.parse().map_err(|_| Unproved::at("link", "is no address"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(Unproved::at("link", "names no host"));
    };
    // INVARIANT: what the URI type reads is what was written, so that what is fetched is what was judged
    let read = uri.to_string();
    let same = read == link && !authority.as_str().contains('@');
    let origin: Box<str> = format!("{scheme}://{authority}").into();
    if !same || !media.contains(&origin) {
        return Err(Unproved::at("link", "leads to where no files are fetched from"));
    }
    let outgoing = Outgoing {
        method: Method::Get,
        path: format!("{origin}{}", uri.path()),
        query: vec![("sha256".into(), hash::sha256_hex(link.as_bytes()))],
        body: None,
    };
    let clause = format!("{} legs for {}", seen.legs.len(), contract.action.as_str());
    let steps = vec![Step { clause, by: "link".into() }];
    Ok(VerifiedLink { uri, origin, outgoing, certificate: Certificate { steps } })
}
