//! Who logs in at `/oauth/token`, and who decides about it.

use super::{super::reader::Standing, Proxy, Section};
use crate::{
    identity::{Asks, IntrospectionSettings, Login, OwnClient, RelaySettings},
    upstream::{Credentials, RegionSettings},
};
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// What log-ins of a region are passed on.
pub(super) fn relay(region: &RegionSettings) -> Option<RelaySettings> {
    let host = region.login.as_ref()?;
    let (endpoint, grants, trust) = (host.endpoint.clone(), host.grants.clone(), region.way.trust.clone());
    Some(RelaySettings { region: region.region.clone(), endpoint, trust, grants })
}

/// A token is believed for no longer, whatever is configured.
const LONGEST_OWN: Duration = Duration::from_hours(1);
/// Shorter secrets could be guessed from a token that is signed with what is made of them.
const SHORTEST_SECRET: usize = 24;

/// `[[identity.client]]`: clients that get tokens of this proxy, and how long these live.
pub(super) fn clients(
    section: &Section<'_, '_>,
    logins: &[Login],
    proxy: &Proxy,
) -> (Vec<OwnClient>, Option<Duration>) {
    let mut clients: Vec<OwnClient> = Vec::new();
    for one in section.sections("client") {
        let reader = one.reader();
        let id = one.needed("client-id", "`client-id = \"...\"`: that of a service account of the directory");
        let secret = one.secret("client-secret");
        if let Some((id, at)) = &id
            && (clients.iter().any(|known| known.client_id == *id) || logins.iter().any(|known| known.client_id == *id))
        {
            reader.problem(at.clone(), format!("client `{id}` logs in for two tokens"), "leave one");
        }
        if let Some((secret, standing, at)) = &secret {
            if secret.expose_secret().len() < SHORTEST_SECRET {
                let help =
                    format!("make it random and {SHORTEST_SECRET} characters or longer: its tokens are signed by it");
                reader.problem(at.clone(), "the secret of a client is short", help);
            }
            if *standing == Standing::Literal && !proxy.listen.ip().is_loopback() {
                let help =
                    "write `{ env = \"NAME\" }` or `{ file = \"path\" }`; as it stands it is taken on loopback only";
                reader.problem(at.clone(), "a secret stands in the configuration", help);
            }
        }
        one.done();
        if let (Some((id, _)), Some((client_secret, ..))) = (id, secret) {
            clients.push(OwnClient { client_id: id.to_owned(), client_secret });
        }
    }
    let lifetime = section.duration("token-lifetime");
    if lifetime.is_some_and(|lifetime| lifetime > LONGEST_OWN) {
        let help = "make it an hour or less: whoever finds a token has it for so long";
        section.reader().problem(section.at.clone(), "`token-lifetime` is too long", help);
    }
    (clients, lifetime)
}

/// Where a region is asked with the token of who asks, its own tokens have to be known here.
pub(super) fn refuse_unknowable(
    section: &Section<'_, '_>,
    introspection: Option<&IntrospectionSettings>,
    regions: &[RegionSettings],
) {
    let known = |region: &RegionSettings| {
        let asked = introspection.map(|one| &one.asks);
        region.login.is_some() || matches!(asked, Some(Asks::UsersMe { region: asked, .. }) if *asked == region.region)
    };
    for region in regions.iter().filter(|one| matches!(one.credential, Credentials::Asker) && !known(one)) {
        let what =
            format!("region `{}` is asked with the token of who asks, and nobody can come with one", region.region);
        let help =
            "write `users-me` of the region under `[identity.introspection]`, or `login` beside its `credential`";
        section.reader().problem_of_file(what, help);
    }
}
