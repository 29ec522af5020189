//! `bailiwick serve`: the proxy, until it is told to stop.

use super::out::Failure;
use crate::{
    app::{self, Running},
    base::clock::SystemClock,
    config::{self, Settings},
    telemetry::log,
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// Where a command looks for the configuration when none is named.
const HERE: &str = "bailiwick.toml";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = HERE)]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.config)?;
    log::init(&settings.telemetry);
    let runtime = runtime()?;
    runtime.block_on(async {
        let running = app::start(settings, Arc::new(SystemClock::default())).await?;
        tracing::info!(proxy = %running.proxy, admin = %running.admin, "serving");
        until_stopped(running).await
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn settings(file: &Path) -> Result<Settings, Failure> {
    config::load(file, &|name| std::env::var(name).ok()).map_err(Failure::input)
}

/// What `serve` would start from in this folder: the named configuration, else the one that lies here, if any.
pub(super) fn settings_here(named: Option<&Path>) -> Result<Option<Settings>, Failure> {
    match named {
        Some(file) => settings(file).map(Some),
        None => Path::new(HERE).exists().then(|| settings(Path::new(HERE))).transpose(),
    }
}

pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::unreachable(format!("no runtime: {why}")))
}

/// SIGHUP reads the files again, SIGTERM and SIGINT drain.
pub(super) async fn until_stopped(running: Running) -> Result<(), Failure> {
    let listen = |kind: SignalKind| {
        signal(kind).map_err(|why| Failure::unreachable(format!("signals cannot be received: {why}")))
    };
    let (mut hangup, mut term, mut interrupt) =
        (listen(SignalKind::hangup())?, listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    loop {
        tokio::select! {
            _ = hangup.recv() => running.reload(),
            _ = term.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("stopping: what is under way is being ended");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}
