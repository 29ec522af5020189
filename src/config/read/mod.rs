//! The file's keys, section by section.

mod front;
mod logins;
mod regions;
mod vouching;
mod who;

use super::{
    Environment,
    reader::{At, Reader, Section},
    report::{Problem, Report},
    settings::{Admin, Directory, Named, Proxy, RulesFrom, Settings},
};
use crate::{
    audit::{self, Durability, Queries},
    telemetry::log,
    world,
};
use jiff::SignedDuration;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use toml::de::DeTable;

const MIB: usize = 1024 * 1024;

/// Watching tells of changes within a second; where it cannot, this is how late one may be seen.
const MAX_POLL: Duration = Duration::from_mins(1);

/// Said beside what the TOML reader found.
const NOT_TOML: &str = "write valid TOML here; the rest of the file is read once it is";

/// What becomes of the facts file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FactsAre {
    Read,
    /// About to be written.
    About,
}

pub(super) fn parse(
    file: &Path,
    text: &str,
    environment: Environment<'_>,
    facts: FactsAre,
) -> Result<Settings, Report> {
    let reader = Reader::new(file, text, environment);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // Where the text cannot be read, everything else that seems wrong may only follow from that.
        for error in errors {
            reader.problem(error.span().unwrap_or(0..0), error.message(), NOT_TOML);
        }
        return Err(Report { problems: reader.into_problems(), named: Named::default() });
    }
    let (settings, named) = root(Section::root(&reader, table.get_ref()), facts);
    let problems: Vec<Problem> = reader.into_problems();
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(Report { problems, named }),
    }
}

/// The settings, `None` only after a problem was noted; and what they name.
fn root(root: Section<'_, '_>, facts: FactsAre) -> (Option<Settings>, Named) {
    let reader = root.reader();
    let data = root.path("data").unwrap_or_else(|| reader.path("data"));
    let (proxy, proxy_at) = front::proxy(root.section("proxy"));
    let admin = admin(root.section("admin"), proxy.listen);
    let upstream = regions::upstreams(&root, &proxy);
    let identity = who::identity(root.section("identity"), &proxy, &proxy_at, &upstream.regions);
    let directory = directory(root.section("directory"));
    let rules = rules(root.section("rules"));
    let (mut policy, vouching) = vouching::policy(root.section("policy"), &upstream.regions, facts);
    policy.media = Arc::new(upstream.media());
    let audit = audit(root.section("audit"), &data, &proxy);
    let log = log(root.section("log"));
    root.done();
    let named = Named {
        rules: rules.clone(),
        directory: directory.as_ref().map(|(directory, _)| directory.file.clone()),
        policy: policy.clone(),
    };
    let settings = directory.map(|(directory, world)| Settings {
        proxy,
        admin,
        upstream,
        identity,
        directory,
        world,
        rules,
        policy,
        vouching,
        audit,
        telemetry: log,
        data,
    });
    (settings, named)
}

fn address(section: &Section<'_, '_>, fallback: SocketAddr) -> At<SocketAddr> {
    let due = "an address and a port, such as `127.0.0.1:8600`";
    let Some((text, at)) = section.text("listen", due) else { return (fallback, 0..0) };
    let address = text.parse().unwrap_or_else(|_| {
        section.reader().problem(at.clone(), format!("`{text}` is no address to listen on"), format!("write {due}"));
        fallback
    });
    (address, at)
}

fn admin(section: Section<'_, '_>, proxy: SocketAddr) -> Admin {
    let (listen, at) = address(&section, Admin::default().listen);
    if listen == proxy && listen.port() != 0 {
        section.reader().problem(
            at,
            format!("`{listen}` is the proxy's own address"),
            "give the control side another port",
        );
    }
    section.done();
    Admin { listen }
}

fn directory(section: Section<'_, '_>) -> Option<(Directory, world::Settings)> {
    let file = section.path("file");
    if file.is_none() && !section.has_any(&["file"]) {
        section.missing("file", "`file = \"directory.json\"`: the organisation");
    }
    let default = world::Settings::default();
    let signed = |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    let warn_after = section.duration("warn-after").map_or(default.warn_after, signed);
    let refuse_after = section.duration("refuse-after").map_or(default.refuse_after, signed);
    let poll = section.duration("poll").unwrap_or(Duration::from_secs(30));
    if poll > MAX_POLL {
        let help = "whoever loses a right keeps it until the next reading: make `poll` a minute or less";
        section.reader().problem(section.at.clone(), "the directory is read too seldom", help);
    }
    if signed(poll) >= refuse_after {
        let help = "read the directory more often than it goes stale: make `poll` smaller";
        section.reader().problem(section.at.clone(), "the directory would be stale between two readings", help);
    }
    if warn_after > refuse_after {
        section.reader().problem(section.at.clone(), "`warn-after` is later than `refuse-after`", "make it smaller");
    }
    section.done();
    Some((Directory { file: file?, poll }, world::Settings { warn_after, refuse_after }))
}

fn rules(section: Section<'_, '_>) -> RulesFrom {
    let from = section.path("path").map_or(RulesFrom::Shipped, RulesFrom::Folder);
    section.done();
    from
}

fn audit(section: Section<'_, '_>, data: &Path, proxy: &Proxy) -> audit::Settings {
    let durability = [("strict", Durability::Strict), ("relaxed", Durability::Relaxed)];
    let queries = [("full", Queries::Full), ("digest", Queries::Digest)];
    let segment = section.count("segment-bytes", 64 * 1024, 4096 * MIB).unwrap_or(64 * MIB);
    let made = audit::Settings {
        folder: section.path("path").unwrap_or_else(|| data.join("audit")),
        durability: section.word("durability", &durability).unwrap_or_default(),
        queries: section.word("queries", &queries).unwrap_or_default(),
        segment_bytes: u64::try_from(segment).unwrap_or(u64::MAX),
        // Room for all that is under way, as much again for what has ended and is not yet on the disk, and for one answer of each
        // connection that is read slowly.
        slots: proxy.max_in_flight.saturating_mul(2).saturating_add(proxy.max_connections).max(64),
    };
    section.done();
    made
}

fn log(section: Section<'_, '_>) -> log::Settings {
    let formats = [("text", log::Format::Text), ("json", log::Format::Json)];
    let default = log::Settings::default();
    let level = section.text("level", "a level such as `info`, or `bailiwick=debug,warn`").and_then(|(text, at)| {
        if text.parse::<tracing_subscriber::filter::Targets>().is_ok() {
            return Some(text.to_owned());
        }
        section.reader().problem(
            at,
            format!("`{text}` is no log level"),
            "write one of error, warn, info, debug, trace",
        );
        None
    });
    let made = log::Settings {
        format: section.word("format", &formats).unwrap_or(default.format),
        level: level.unwrap_or(default.level),
    };
    section.done();
    made
}
