//! `bailiwick serve`: the proxy, until it is told to stop.

use super::failure::Failure;
use crate::{
    app::{self, Running, StartError},
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
pub(super) const HERE: &str = "bailiwick.toml";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = HERE)]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.config).map_err(with_its_files)?;
    log::init(&settings.telemetry);
    let runtime = runtime()?;
    runtime.block_on(async {
        let running = Box::pin(app::start(settings, Arc::new(SystemClock::default()))).await?;
        tracing::info!(proxy = %running.proxy, admin = %running.admin, "serving");
        until_stopped(running).await
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn settings(file: &Path) -> Result<Settings, config::Report> {
    config::load(file, &|name| std::env::var(name).ok())
}

/// Adds what is wrong with the files that a wrong configuration names, so that all problems come at once.
fn with_its_files(report: config::Report) -> StartError {
    let named = &report.named;
    let rules = app::rules(&named.rules, named.policy.clone());
    let org = named.directory.as_deref().map(|file| app::organisation(file, &SystemClock::default())).transpose();
    let files = app::both(rules, org).err();
    files.into_iter().fold(StartError::Config(report), StartError::and)
}

/// What `serve` would start from in this folder: the named configuration, else the one that lies here, if any.
pub(super) fn settings_here(named: Option<&Path>) -> Result<Option<Settings>, config::Report> {
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
