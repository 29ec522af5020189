//! Files that change while serving: everything is parsed and tests itself before one atomic swap. A bad file
//! keeps the old world, and says so in the log, the metrics and readiness.

use super::{StartError, rule_files, tested_rules};
use crate::{
    base::clock::Clock,
    config::{RulesFrom, Settings},
    directory::source::{self, Update, Watch as DirectoryWatch},
    rules::watch::{self, Watch as RulesWatch},
    telemetry::event::Part,
    world::WorldStore,
};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct Reloader {
    settings: Settings,
    world: Arc<WorldStore>,
    clock: Arc<dyn Clock>,
    /// One reading with its swap at a time: a file that was read earlier is never put in force later.
    reading: Mutex<()>,
}

/// Held for as long as the program serves.
#[derive(Debug)]
pub(super) struct Watches {
    _directory: DirectoryWatch,
    _rules: Option<RulesWatch>,
}

impl Reloader {
    pub(super) fn new(settings: &Settings, world: Arc<WorldStore>, clock: Arc<dyn Clock>) -> Self {
        Self { settings: settings.clone(), world, clock, reading: Mutex::new(()) }
    }

    pub(super) fn rules(&self) {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled =
            rule_files(&self.settings.rules).and_then(|files| tested_rules(files, self.settings.policy.clone()));
        match compiled {
            Ok(compiled) => {
                if compiled.rules.version == self.world.pin().world.version.rules {
                    self.world.confirm_rules(&compiled.rules.version);
                } else {
                    self.world.swap_rules(Arc::new(compiled.rules));
                }
            }
            Err(error) => self.world.reject(Part::Rules, error.to_string()),
        }
    }

    pub(super) fn directory(&self) {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.read_directory();
    }

    fn told(&self, update: Update) {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.apply(update);
    }

    fn read_directory(&self) {
        match source::open(&self.settings.directory.file, &*self.clock) {
            Ok(org) => self.apply(Update::Changed(Arc::new(org))),
            Err(problems) => self.apply(Update::Rejected(problems)),
        }
    }

    fn apply(&self, update: Update) {
        let in_force = self.world.pin().world.version.directory.clone();
        match update {
            Update::Changed(org) if org.version == in_force => {
                self.world.confirm_directory(&org.version, org.taken_at);
            }
            Update::Changed(org) => self.world.swap_directory(org),
            Update::Confirmed { version, at } if version == in_force => self.world.confirm_directory(&version, at),
            // The watch confirms what it read last; a signal may have put another text in force since.
            Update::Confirmed { .. } => self.read_directory(),
            Update::Rejected(problems) => {
                let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
                self.world.reject(Part::Directory, text.join("\n"));
            }
        }
    }
}

pub(super) fn watch(settings: &Settings, reloader: &Arc<Reloader>) -> Result<Watches, StartError> {
    let unwatchable = |error: &dyn std::fmt::Display| StartError::Watch(error.to_string());
    let version = reloader.world.pin().world.version.directory.clone();
    let to = reloader.clone();
    let directory = DirectoryWatch::start(
        settings.directory.file.clone(),
        reloader.clock.clone(),
        settings.directory.poll,
        version,
        move |update| to.told(update),
    )
    .map_err(|error| unwatchable(&error))?;
    let rules = match &settings.rules {
        RulesFrom::Shipped => None,
        RulesFrom::Folder(folder) => {
            let to = reloader.clone();
            Some(watch::watch(folder, move || to.rules()).map_err(|error| unwatchable(&error))?)
        }
    };
    Ok(Watches { _directory: directory, _rules: rules })
}
