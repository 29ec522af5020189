//! Starts the sandbox, writes what a new user would write, and starts the proxy from it as `serve` would.

use super::{super::serve, Arguments, Failure};
use crate::{
    app::{self, Running, StartError},
    base::clock::{Clock as _, SystemClock},
    sandbox::{Options, Sandbox, sample},
    telemetry::log,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Everything that runs, and where.
#[derive(Debug)]
pub(super) struct House {
    pub(super) sandbox: Sandbox,
    pub(super) running: Running,
    pub(super) folder: PathBuf,
    pub(super) directory: Value,
    /// The sandbox's present. Everything happened in the thirty days before.
    pub(super) now: Timestamp,
}

impl House {
    pub(super) async fn close(self) {
        self.running.stop().await;
        self.sandbox.stop().await;
    }
}

/// The first line of a configuration that may be written over.
const MADE: &str = "# Made by `bailiwick demo`; written anew at each start.";

pub(super) async fn open(arguments: &Arguments, (port, admin_port): (u16, u16)) -> Result<House, Failure> {
    // Before the data is made up, and before anything is written.
    free(port, "--port")?;
    free(admin_port, "--admin-port")?;
    let folder = folder(arguments.folder.as_deref())?;
    let defaults = Options::default();
    let later = days_since(defaults.now);
    let mut directory = sample::directory();
    move_dates(&mut directory, later);
    let now = defaults.now + later;
    let sandbox = Sandbox::start(Options {
        seed: arguments.seed,
        interactions: arguments.interactions,
        now,
        directory: Some(directory.clone()),
        ..defaults.clone()
    })
    .await
    .map_err(Failure::unreachable)?;
    for region in directory.pointer_mut("/regions").and_then(Value::as_array_mut).into_iter().flatten() {
        let url = region.get("id").and_then(Value::as_str).and_then(|id| sandbox.base_url(id));
        if let (Some(region), Some(url)) = (region.as_object_mut(), url) {
            region.insert("upstream".to_owned(), url.into());
        }
    }
    let text = serde_json::to_string_pretty(&directory).map_err(Failure::input)?;
    write(&folder.join("directory.json"), &(text + "\n"))?;
    let file = folder.join("bailiwick.toml");
    write(&file, &configuration(&sandbox, &directory, &defaults.clients, (port, admin_port)))?;
    let settings = serve::settings(&file).map_err(StartError::Config)?;
    log::init(&settings.telemetry);
    let running = Box::pin(app::start(settings, Arc::new(SystemClock::default()))).await.map_err(named)?;
    Ok(House { sandbox, running, folder, directory, now })
}

/// Whole days, so that the same seed gives the same figures every day.
fn days_since(then: Timestamp) -> SignedDuration {
    let day = DAY.as_secs();
    let seconds = SystemClock::default().now().as_second() - then.as_second();
    SignedDuration::from_secs(seconds.div_euclid(day) * day)
}

/// Grants and moves of the sample happen around its present, and stay there.
fn move_dates(value: &mut Value, later: SignedDuration) {
    match value {
        Value::String(text) => {
            if let Ok(instant) = text.parse::<Timestamp>() {
                *text = (instant + later).to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_dates(item, later)),
        Value::Object(members) => members.values_mut().for_each(|member| move_dates(member, later)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn free(port: u16, option: &str) -> Result<(), Failure> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let taken = |why| {
        Failure::unreachable(format!(
            "cannot listen on {address}: {why}; stop the program that holds the port or give another with `{option}`"
        ))
    };
    TcpListener::bind(address).map(drop).map_err(taken)
}

fn named(error: StartError) -> Failure {
    match error {
        StartError::Listen { address, why } => Failure::unreachable(format!(
            "cannot listen on {address}: {why}; stop the program that holds the port or give others with `--port` and `--admin-port`"
        )),
        other => other.into(),
    }
}

/// The working folder, made when it is not there. One with somebody's own files in it is left alone.
fn folder(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = wanted.map_or_else(
        || std::env::temp_dir().join(format!("bailiwick-demo-{}", uuid::Uuid::now_v7().simple())),
        Path::to_owned,
    );
    let unusable = |why: std::io::Error| {
        Failure::input(format!("`{}` cannot be used: {why}; give another with `--folder`", folder.display()))
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(unusable)?;
    let folder = folder.canonicalize().map_err(unusable)?;
    let made = fs::read_to_string(folder.join("bailiwick.toml")).is_ok_and(|text| text.starts_with(MADE));
    for name in ["bailiwick.toml", "directory.json"] {
        if !made && folder.join(name).exists() {
            return Err(Failure::input(format!(
                "`{}` has a `{name}` that the demo did not write; give an empty folder with `--folder`",
                folder.display()
            )));
        }
    }
    Ok(folder)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|why| Failure::input(format!("`{}` cannot be written: {why}", file.display())))
}

fn configuration(
    sandbox: &Sandbox,
    directory: &Value,
    clients: &[(String, String)],
    (port, admin_port): (u16, u16),
) -> String {
    let quoted = |text: &str| json!(text).to_string();
    let mut text = format!(
        "{MADE}\n\n[proxy]\nlisten = \"127.0.0.1:{port}\"\n\n[admin]\nlisten = \"127.0.0.1:{admin_port}\"\n\n\
         [directory]\nfile = \"directory.json\"\n\n[policy]\nrole-conflict = \"refuse\"\n\
         # What the sandbox keeps. Of a real upstream, accept only what you have seen.\n\
         assume = [\"entries-and\", \"same-segment\", \"leg-filter\", \"legs-contained\", \"ids-only\", \"view-filter\", \
         \"part-of-its-interaction\", \"criteria-and\"]\n\n[log]\nlevel = \"warn\"\n"
    );
    // Writing to a string cannot fail.
    for region in sandbox.regions() {
        let (id, secret) = clients.first().map_or(("", ""), |(id, secret)| (id, secret));
        let url = sandbox.base_url(region).unwrap_or_default();
        let (region, url, id, secret) = (quoted(region), quoted(&url), quoted(id), quoted(secret));
        let _written = write!(
            text,
            "\n[[upstream]]\nregion = {region}\nurl = {url}\nclient-id = {id}\nclient-secret = {secret}\n\
             # Where recordings lie: the beginning of one is fetched from here for who may hear no more.\nmedia-hosts = [{url}]\n"
        );
    }
    for (kind, list) in [("user", "users"), ("service", "serviceAccounts")] {
        for one in directory.get(list).and_then(Value::as_array).into_iter().flatten() {
            let id = one.get("id").and_then(Value::as_str).unwrap_or_default();
            // The crowd has numbers for names, and needs no tokens.
            if id.starts_with("u-") {
                continue;
            }
            let client = one.pointer("/clientIds/0").and_then(Value::as_str).unwrap_or(id);
            let (token, holder, client, secret) =
                (quoted(&token(id)), quoted(id), quoted(client), quoted(&format!("{client}-secret")));
            let _written = write!(
                text,
                "\n[[identity.static]]\n{kind} = {holder}\ntoken = {token}\nclient-id = {client}\nclient-secret = {secret}\n"
            );
        }
    }
    text
}

/// The bearer of one of the cast.
pub(super) fn token(id: &str) -> String {
    format!("demo-{id}")
}
