//! `[proxy]`: the clients' listener, its certificate, and what is taken from them.

use super::{At, MIB, Proxy, Section, address};
use crate::server::{self, Clients, Files, Http2};

pub(super) fn proxy(section: Section<'_, '_>) -> At<Proxy> {
    let default = Proxy::default();
    let (listen, at) = address(&section, default.listen);
    let tls = tls(section.section("tls"));
    let limits = section.section("limits");
    let streams = limits.count("streams", 1, 10_000).and_then(|streams| u32::try_from(streams).ok());
    let proxy = Proxy {
        listen,
        prefix: prefix(&section),
        hosts: hosts(&section),
        http2: http2(&section, tls.is_some()),
        tls,
        origins: origins(section.section("cors")),
        server_timing: section.flag("server-timing"),
        max_connections: limits.count("connections", 1, 1_000_000).unwrap_or(default.max_connections),
        max_in_flight: limits.count("in-flight", 1, 100_000).unwrap_or(default.max_in_flight),
        max_requests_per_connection: limits
            .count("requests-per-connection", 1, 1_000_000_000)
            .unwrap_or(default.max_requests_per_connection),
        max_streams: streams.unwrap_or(default.max_streams),
        max_head_bytes: limits.count("head-bytes", 1024, MIB).unwrap_or(default.max_head_bytes),
        max_headers: limits.count("headers", 8, 1000).unwrap_or(default.max_headers),
        max_url_bytes: limits.count("url-bytes", 256, MIB).unwrap_or(default.max_url_bytes),
        max_body_bytes: limits.count("body-bytes", 1024, 64 * MIB).unwrap_or(default.max_body_bytes),
        max_json_depth: limits.count("json-depth", 4, 128).unwrap_or(default.max_json_depth),
        handshake_time: limits.duration("handshake-time").unwrap_or(default.handshake_time),
        head_time: limits.duration("head-time").unwrap_or(default.head_time),
        body_time: limits.duration("body-time").unwrap_or(default.body_time),
        min_body_rate: limits.count("body-rate", 1, MIB).unwrap_or(default.min_body_rate),
        total_time: limits.duration("total-time").unwrap_or(default.total_time),
        idle_time: limits.duration("idle-time").unwrap_or(default.idle_time),
        drain_time: limits.duration("drain-time").unwrap_or(default.drain_time),
    };
    limits.done();
    section.done();
    (proxy, at)
}

fn prefix(section: &Section<'_, '_>) -> Option<String> {
    let (text, at) = section.text("prefix", "a path such as `/gateway`")?;
    let path = text.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    if path.starts_with('/') && path.bytes().all(plain) && !path.contains("//") && !path.contains("/.") {
        return Some(path.to_owned());
    }
    section.reader().problem(at, format!("`{text}` is no prefix of a path"), "write a path such as `/gateway`");
    None
}

fn hosts(section: &Section<'_, '_>) -> Vec<String> {
    let due = "hosts such as `reports.example`, as requests name them";
    let host = |(text, at): At<&str>| {
        if server::is_host(text) {
            return Some(text.to_ascii_lowercase());
        }
        section.reader().problem(
            at,
            format!("`{text}` is no host"),
            "write a name or an address, with a port or without",
        );
        None
    };
    section.texts("hosts", due).into_iter().filter_map(host).collect()
}

/// `[proxy.cors]`: as browsers write an origin, so that the one is compared with the other to the letter.
fn origins(section: Section<'_, '_>) -> Vec<String> {
    let due = "origins such as `https://reports.example`";
    let origin = |(text, at): At<&str>| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |host: &&str| server::is_host(host) && !host.bytes().any(|byte| byte.is_ascii_uppercase());
        let Some(host) = host.filter(plain) else {
            let help = "write scheme and host in small letters, and a port that is not the usual one: `https://reports.example`";
            section.reader().problem(at, format!("`{text}` is no origin of a page"), help);
            return None;
        };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        if text.starts_with("http://") && !["localhost", "127.0.0.1", "[::1]"].contains(&name) {
            let what = "whoever stands between could change that page and read what it reads";
            section.reader().problem(at, what, "write `https://`");
            return None;
        }
        Some(text.to_owned())
    };
    let origins = section.texts("origins", due).into_iter().filter_map(origin).collect();
    section.done();
    origins
}

fn http2(section: &Section<'_, '_>, tls: bool) -> Http2 {
    let words = [("off", Http2::Off), ("negotiated", Http2::Negotiated), ("prior-knowledge", Http2::PriorKnowledge)];
    let Some(chosen) = section.placed_word("http2", &words) else { return Http2::default() };
    if tls && chosen.0 == Http2::PriorKnowledge {
        let what = "nothing is in the clear here, so nobody can begin with HTTP/2 in the clear";
        section.reader().problem(chosen.1, what, "write `negotiated`: with TLS both sides agree on it");
    }
    chosen.0
}

fn tls(section: Section<'_, '_>) -> Option<Files> {
    if !section.present() {
        return None;
    }
    let mut files = ["certificate", "key"].map(|key| {
        let file = section.file(key);
        if file.is_none() && !section.has_any(&[key]) {
            section.missing(key, &format!("`{key} = \"{key}.pem\"`"));
        }
        file
    });
    let authorities = section.file("client-ca");
    let words = [("required", true), ("optional", false)];
    let required = section.placed_word("client-certificates", &words);
    if let (false, Some((_, at))) = (section.has_any(&["client-ca"]), &required) {
        let what = "no authority says whose certificates are good";
        section.reader().problem(at.clone(), what, "name its certificate with `client-ca`");
    }
    let clients =
        authorities.map(|authorities| Clients { authorities, required: required.is_none_or(|(required, _)| required) });
    section.done();
    let [certificate, key] = &mut files;
    Some(Files { certificate: certificate.take()?, key: key.take()?, clients })
}
