//! Files that change while serving: everything is parsed and tests itself before one atomic swap. A bad file
//! keeps the old world, and says so in the log, the metrics and readiness.

use super::{StartError, fitting, reached, rules};
use crate::{
    base::clock::Clock,
    config::{RulesFrom, Settings},
    directory::source::{self, Update, Watch as DirectoryWatch},
    model::org::Org,
    rules::watch::{self, Watch as RulesWatch},
    server::Tls,
    telemetry::event::Part,
    world::WorldStore,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(super) struct Reloader {
    settings: Settings,
    world: Arc<WorldStore>,
    clock: Arc<dyn Clock>,
    tls: Option<Arc<Tls>>,
    /// One reading with its swap at a time: a file that was read earlier is never put in force later.
    reading: Arc<Mutex<()>>,
}

/// Held for as long as the program serves.
#[derive(Debug)]
pub(super) struct Watches {
    _directory: DirectoryWatch,
    _rules: Option<RulesWatch>,
    _certificates: Option<Polling>,
}

/// Certificates are read again so often. What renews them replaces links and whole folders, and none of that has to be noticed.
const CERTIFICATES: Duration = Duration::from_secs(5);

/// Ends when it is dropped.
#[derive(Debug)]
struct Polling(JoinHandle<()>);

impl Drop for Polling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn poll_certificates(reloader: &Arc<Reloader>) -> Polling {
    let to = reloader.clone();
    Polling(tokio::spawn(async move {
        loop {
            tokio::time::sleep(CERTIFICATES).await;
            let to = to.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || to.certificates()).await {
                tracing::error!(%error, "certificates could not be read again");
            }
        }
    }))
}

impl Reloader {
    pub(super) fn new(
        settings: &Settings,
        world: Arc<WorldStore>,
        clock: Arc<dyn Clock>,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        Self { settings: settings.clone(), world, clock, tls, reading: Arc::default() }
    }

    /// Connections that there are keep what they began with.
    pub(super) fn certificates(&self) {
        let Some(tls) = &self.tls else { return };
        match tls.reload() {
            Ok(version) => self.world.confirm_certificates(version.as_deref()),
            Err(error) => self.world.reject(Part::Certificates, error.to_string()),
        }
    }

    pub(super) fn rules(&self) {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = rules(&self.settings.rules, self.settings.policy.clone());
        let compiled =
            compiled.and_then(|compiled| fitting(&compiled.rules, &self.world.pin().world.org).map(|()| compiled));
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

    /// Whether this organisation can be served by the rules in force and the upstreams that there are.
    fn acceptable(&self, org: &Org) -> Result<(), StartError> {
        reached(&self.settings.upstream.regions, org)?;
        fitting(&self.world.pin().world.rules, org)
    }

    fn read_directory(&self) {
        match source::open(&self.settings.directory.file, &*self.clock) {
            Ok(org) => self.apply(Update::Changed(Arc::new(org))),
            Err(problems) => self.apply(Update::Rejected(problems)),
        }
    }

    /// While `reading` is held since the file was read.
    fn apply(&self, update: Update) {
        let in_force = self.world.pin().world.version.directory.clone();
        match update {
            Update::Changed(org) if org.version == in_force => {
                self.world.confirm_directory(&org.version, org.taken_at);
            }
            Update::Changed(org) => match self.acceptable(&org) {
                Ok(()) => self.world.swap_directory(org),
                Err(error) => self.world.reject(Part::Directory, error.to_string()),
            },
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
        reloader.reading.clone(),
        move |update| to.apply(update),
    )
    .map_err(|error| unwatchable(&error))?;
    let rules = match &settings.rules {
        RulesFrom::Shipped => None,
        RulesFrom::Folder(folder) => {
            let to = reloader.clone();
            Some(watch::watch(folder, move || to.rules()).map_err(|error| unwatchable(&error))?)
        }
    };
    let certificates = reloader.tls.is_some().then(|| poll_certificates(reloader));
    Ok(Watches { _directory: directory, _rules: rules, _certificates: certificates })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::clock::SystemClock, config, rules, sandbox::sample, server::Files, telemetry::Metrics};

    const CONFIG: &str = r#"
directory.file = "directory.json"
[[upstream]]
region = "us-east-1"
url = "http://127.0.0.1:1"
client-id = "c"
client-secret = "s"
[[upstream]]
region = "eu-west-1"
url = "http://127.0.0.1:2"
client-id = "c"
client-secret = "s"
[[identity.static]]
token = "t"
user = "sofia"
"#;

    #[test]
    fn a_region_without_an_upstream_is_not_put_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("directory.json");
        std::fs::write(&file, sample::text()).unwrap();
        let settings = config::parse(&folder.path().join("bailiwick.toml"), CONFIG, &|_| None).unwrap();
        let compiled = rules::compile(rules::embedded(), settings.policy.clone()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let one_region: serde_json::Value = ONE_REGION.parse().unwrap();
        std::fs::write(&file, one_region.to_string()).unwrap();
        let org = source::open(&file, &*clock).unwrap_or_else(|problems| panic!("{}", problems[0]));
        let world = WorldStore::new(Arc::new(compiled.rules), Arc::new(org), settings.world, Metrics::detached());
        let reloader = Reloader::new(&settings, Arc::new(world), clock.clone(), None);
        let in_force = || reloader.world.pin().world.version.directory.clone();
        let began_with = in_force();

        let mut two_regions = one_region;
        let regions = two_regions["regions"].as_array_mut().unwrap();
        regions.push(serde_json::json!({ "id": "ap-south-1", "upstream": "http://127.0.0.1:3" }));
        let root = serde_json::json!({ "id": "root-ap", "region": "ap-south-1" });
        two_regions["divisions"].as_array_mut().unwrap().push(root);
        std::fs::write(&file, two_regions.to_string()).unwrap();
        for _ in 0..2 {
            reloader.directory();
            assert_eq!(in_force(), began_with);
            let troubles = reloader.world.troubles(clock.now());
            let due = "directory: region `ap-south-1` of the directory has no [[upstream]]";
            assert!(troubles.iter().any(|why| why.starts_with(due)), "{troubles:?}");
        }
        std::fs::write(&file, ONE_REGION.replace("one", "two")).unwrap();
        reloader.directory();
        assert_ne!(in_force(), began_with);
        assert_eq!(reloader.world.troubles(clock.now()), Vec::<String>::new());
    }

    const ONE_REGION: &str = r#"{
        "version": "one",
        "regions": [{ "id": "us-east-1", "upstream": "http://127.0.0.1:1" }],
        "divisions": [{ "id": "root", "region": "us-east-1" }, { "id": "leaf", "parent": "root", "region": "us-east-1" }],
        "roles": [],
        "users": [{ "id": "sofia", "division": "leaf", "region": "us-east-1", "roles": [] }],
        "queues": []
    }"#;

    #[test]
    fn what_a_signal_put_in_force_is_not_confirmed_by_a_watch_that_read_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("directory.json");
        let (first, second) = (sample::text(), sample::text().replace("sample-1", "sample-2"));
        std::fs::write(&file, &first).unwrap();
        let settings = config::parse(&folder.path().join("bailiwick.toml"), CONFIG, &|_| None).unwrap();
        let compiled = rules::compile(rules::embedded(), settings.policy.clone()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let org = source::open(&file, &*clock).unwrap();
        let world = WorldStore::new(Arc::new(compiled.rules), Arc::new(org), settings.world, Metrics::detached());
        let reloader = Reloader::new(&settings, Arc::new(world), clock.clone(), None);
        let in_force = || reloader.world.pin().world.version.directory.clone();
        let began_with = in_force();

        std::fs::write(&file, &second).unwrap();
        reloader.directory();
        assert_ne!(in_force(), began_with);
        std::fs::write(&file, &first).unwrap();
        reloader.apply(Update::Confirmed { version: began_with.clone(), at: clock.now() });
        assert_eq!(in_force(), began_with, "the file says the first again");
    }

    #[test]
    fn certificates_that_are_no_good_are_told_until_they_are_good() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let renew = || {
            let made = rcgen::generate_simple_self_signed(["proxy.test".to_owned()]).unwrap();
            std::fs::write(file("cert.pem"), made.cert.pem()).unwrap();
            made.signing_key.serialize_pem()
        };
        std::fs::write(file("key.pem"), renew()).unwrap();
        std::fs::write(file("directory.json"), sample::text()).unwrap();
        let settings = config::parse(&file("bailiwick.toml"), CONFIG, &|_| None).unwrap();
        let compiled = rules::compile(rules::embedded(), settings.policy.clone()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let org = source::open(&file("directory.json"), &*clock).unwrap();
        let world = WorldStore::new(Arc::new(compiled.rules), Arc::new(org), settings.world, Metrics::detached());
        let files = Files { certificate: file("cert.pem"), key: file("key.pem"), clients: None };
        let tls = Arc::new(Tls::open(files, true).unwrap());
        let reloader = Reloader::new(&settings, Arc::new(world), clock.clone(), Some(tls));
        let troubles = || {
            reloader.certificates();
            reloader.world.troubles(clock.now())
        };
        assert_eq!(troubles(), Vec::<String>::new());
        let key = renew();
        let told = troubles();
        assert!(told.len() == 1 && told[0].starts_with("certificates: the key in `"), "{told:?}");
        std::fs::write(file("key.pem"), key).unwrap();
        assert_eq!(troubles(), Vec::<String>::new());
    }
}
