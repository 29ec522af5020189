//! `[[upstream]]`: where each region is, and what is sent there.

use super::{super::reader::Standing, At, MIB, Proxy, Section};
use crate::{
    base::address,
    egress::{Own, Times, Trust, Way},
    model::login::Grant,
    upstream::{self, Credentials, LoginHost, RegionSettings},
};
use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    ops::Range,
    time::Duration,
};

pub(super) fn upstreams(root: &Section<'_, '_>, proxy: &Proxy) -> upstream::Settings {
    let sections = root.sections("upstream");
    if sections.is_empty() {
        root.reader().problem_of_file(
            "no upstream",
            "add `[[upstream]]` with `region`, `url`, `client-id` and `client-secret` for each region",
        );
    }
    let mut seen = HashSet::new();
    let mut reached = HashMap::new();
    let mut regions: Vec<RegionSettings> = Vec::new();
    for section in sections {
        let region = section.needed("region", "`region = \"<id of a region of the directory>\"`");
        if let Some((name, at)) = &region
            && !seen.insert(*name)
        {
            let what = format!("region `{name}` has two upstreams");
            section.reader().problem(at.clone(), what, "leave one");
        }
        let (made, url) = one_upstream(section, region.map(|(name, _)| name), proxy);
        if let Some(at) = url
            && let Some(other) = reached.insert(address::canonical(&made.url.to_string()), made.region.clone())
            && other != made.region
        {
            let what = format!("regions `{other}` and `{}` have one upstream", made.region);
            root.reader().problem(
                at,
                what,
                "write the address of each region's own; nothing keeps the two apart there",
            );
        }
        regions.push(made);
    }
    upstream::Settings { regions }
}

/// What is missing or wrong is noted and filled with nothing: noted problems keep the settings from being used. And
/// where its address stands, if it has a good one.
fn one_upstream(
    section: Section<'_, '_>,
    region: Option<&str>,
    proxy: &Proxy,
) -> (RegionSettings, Option<Range<usize>>) {
    let default = Times::default();
    let plaintext = section.flag("unsafe-plaintext");
    let url = section.needed("url", "`url = \"https://api.example\"`");
    let at = url.as_ref().map(|(_, at)| at.clone());
    let url = url.and_then(|url| base_url(&section, url, plaintext));
    if let Some(own) = url.as_ref().filter(|url| leads_here(url, proxy.listen)) {
        let what = format!("`{own}` is the proxy's own address: each question would be asked of itself");
        section.reader().problem(at.clone().unwrap_or_default(), what, "write the address of the upstream");
    }
    let at = at.filter(|_| url.is_some());
    let way = way(&section);
    let credential = credential(&section, url.as_ref(), proxy);
    let login = login(&section, plaintext);
    let made = RegionSettings {
        region: region.unwrap_or_default().to_owned(),
        url: url.unwrap_or_default(),
        way,
        credential,
        login,
        times: Times {
            connect: section.duration("connect-time").unwrap_or(default.connect),
            first_byte: section.duration("first-byte-time").unwrap_or(default.first_byte),
            whole: section.duration("total-time").unwrap_or(default.whole),
        },
        concurrency: section.count("concurrency", 1, 10_000).unwrap_or(64),
        wait: section.duration("wait").unwrap_or(Duration::from_secs(2)),
        max_answer_bytes: section.count("answer-bytes", 1024, 1024 * MIB).unwrap_or(16 * MIB),
        gzip: section.flag("gzip"),
        media_hosts: media_hosts(&section, plaintext),
        forward_subject: section.flag("forward-subject"),
    };
    section.done();
    (made, at)
}

/// As whom a region is asked. Where something is wrong it is filled with nothing.
fn credential(section: &Section<'_, '_>, url: Option<&http::Uri>, proxy: &Proxy) -> Credentials {
    if section.word("credential", &[("service", false), ("asker", true)]) == Some(true) {
        for key in ["forward-subject", "client-id", "client-secret"] {
            section.meaningless(key, "the region is asked with the token of who asks");
        }
        return Credentials::Asker;
    }
    let client_id = section.needed("client-id", "`client-id = \"...\"`").map(|(text, _)| text.to_owned());
    let client_secret = section.secret("client-secret");
    if let Some((_, Standing::Literal, at)) = &client_secret
        && !(proxy.listen.ip().is_loopback() && url.is_some_and(loopback))
    {
        section.reader().problem(
            at.clone(),
            "a secret stands in the configuration",
            "write `{ env = \"NAME\" }` or `{ file = \"path\" }`; as it stands it is taken on loopback only",
        );
    }
    Credentials::Service {
        client_id: client_id.unwrap_or_default(),
        client_secret: client_secret.map(|(secret, _, _)| secret).unwrap_or_default(),
    }
}

/// Where log-ins are passed on to, and which.
fn login(section: &Section<'_, '_>, plaintext: bool) -> Option<LoginHost> {
    let words = Grant::ALL.map(|grant| (grant.short(), grant));
    let host = section.text("login", "the address of the region's login host, such as `https://login.mypurecloud.com`");
    let grants = section.words("login-grants", &words);
    match (&host, &grants) {
        (None, None) => return None,
        (Some(_), Some(grants)) if !grants.is_empty() => {}
        (Some(_), _) => {
            section
                .missing("login-grants", "`login-grants = [\"client-credentials\"]`: the log-ins that are passed on");
        }
        (None, Some(_)) => section.missing("login", "`login = \"https://login...\"`: where they are passed on to"),
    }
    let base = base_url(section, host?, plaintext)?;
    let endpoint = format!("{}/oauth/token", base.to_string().trim_end_matches('/')).parse().ok()?;
    Some(LoginHost { endpoint, grants: grants? })
}

fn way(section: &Section<'_, '_>) -> Way {
    let trust = section.file("ca-file").map_or(Trust::System, Trust::File);
    let (certificate, key) = (section.file("client-certificate"), section.file("client-key"));
    for (there, other) in [("client-certificate", "client-key"), ("client-key", "client-certificate")] {
        if section.has_any(&[there]) && !section.has_any(&[other]) {
            section.missing(other, &format!("`{other} = \"{other}.pem\"` beside `{there}`"));
        }
    }
    let own = certificate.zip(key).map(|(certificate, key)| Own { certificate, key });
    let http2 = section.word("http2", &[("off", false), ("negotiated", true)]).unwrap_or(true);
    Way { trust, own, http2 }
}

/// Where files may be fetched from, in the one spelling that links are compared with.
fn media_hosts(section: &Section<'_, '_>, plaintext: bool) -> Vec<Box<str>> {
    let due = "hosts such as `https://files.example`";
    let host = |(text, at): At<&str>| {
        let origin = text.strip_suffix('/').unwrap_or(text);
        let small = !origin.bytes().any(|byte| byte.is_ascii_uppercase());
        let url = address::base(origin).filter(|url| {
            let alone = url
                .authority()
                .is_some_and(|host| origin == format!("{}://{host}", url.scheme_str().unwrap_or_default()));
            alone && small && !origin.contains('[')
        });
        let Some(url) = url else {
            section.reader().problem(
                at,
                format!("`{text}` is no host that files lie on"),
                "write scheme and host in small letters and no path, such as `https://files.example`",
            );
            return None;
        };
        if url.scheme_str() == Some("http") && !loopback(&url) && !plaintext {
            section.reader().problem(at, "recordings would travel unencrypted", "write `https://`");
            return None;
        }
        Some(origin.into())
    };
    let mut hosts: Vec<Box<str>> = section.texts("media-hosts", due).into_iter().filter_map(host).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn base_url(section: &Section<'_, '_>, (text, at): At<&str>, plaintext: bool) -> Option<http::Uri> {
    let Some(url) = address::base(text) else {
        let help = "write `https://host` or `https://host/prefix`, with no escapes or dots in the prefix and IP addresses in full";
        section.reader().problem(at, format!("`{text}` is no base address of an upstream"), help);
        return None;
    };
    if url.scheme_str() == Some("http") && !loopback(&url) && !plaintext {
        section.reader().problem(
            at,
            "queries, answers and the credential would travel unencrypted",
            "write `https://`, or `unsafe-plaintext = true` beside it where another layer protects them",
        );
        return None;
    }
    Some(url)
}

/// As far as an address tells without asking anybody for the place of a name.
fn leads_here(url: &http::Uri, listen: SocketAddr) -> bool {
    let usual = if url.scheme_str() == Some("http") { 80 } else { 443 };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let (ours, theirs) = (listen.ip().to_canonical(), host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical()));
    let same = theirs == Some(ours) || (ours.is_loopback() || ours.is_unspecified()) && loopback(url);
    same && listen.port() != 0 && url.port_u16().unwrap_or(usual) == listen.port()
}

pub(super) fn loopback(url: &http::Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}
