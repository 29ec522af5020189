//! Worlds that change while they are in use.

use super::house::{AGGREGATES, Heard, House, Plan, QUEUES, US, WEEK, send, token, until, write_files};
use bailiwick::{
    audit::Record,
    sandbox::{Options, Sandbox, sample},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const SWAPS: usize = 100;

/// The sample with a mark of its own: another text, another version, the same rights.
fn directory(mark: usize) -> String {
    let mut directory = sample::directory();
    directory["version"] = json!(format!("sample-{mark}"));
    if mark % 2 == 1 {
        directory["grants"].as_array_mut().unwrap().push(json!({
            "id": format!("gr-{mark}"), "beneficiary": "gus", "resources": [{ "kind": "queue", "id": "q-fraud-watch" }],
            "actions": ["view"], "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z",
        }));
    }
    directory.to_string()
}

/// The directory without somebody's membership of a queue.
fn without_member(queue: &str, person: &str) -> Value {
    let mut directory = sample::directory();
    for one in directory["queues"].as_array_mut().unwrap().iter_mut().filter(|one| one["id"] == queue) {
        one["members"].as_array_mut().unwrap().retain(|member| member != person);
    }
    directory
}

fn rules_file(house: &House) -> std::path::PathBuf {
    house.folder.path().join("rules/genesys/divisions.toml")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_hundred_swaps_while_requests_are_in_flight() {
    let house = Arc::new(House::of(Plan { own_rules: true, interactions: 500, ..Plan::default() }).await);
    let stop = Arc::new(AtomicBool::new(false));
    let failed = Arc::new(Mutex::new(Vec::new()));
    let mut askers = Vec::new();
    let body = json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] });
    for person in ["sofia", "carl", "ana", "dana"] {
        let (house, stop, failed, body) = (house.clone(), stop.clone(), failed.clone(), body.clone());
        askers.push(tokio::spawn(async move {
            let (mut asked, mut first) = (0_usize, None);
            while !stop.load(Ordering::Acquire) {
                let heard = house.try_ask(&token(person), &format!("POST {AGGREGATES}"), &body.to_string()).await;
                asked += 1;
                match heard {
                    // The rights are the same in every one of these worlds, so the answer is too.
                    Ok(heard)
                        if heard.status == 200 && *first.get_or_insert_with(|| heard.body.clone()) == heard.body => {}
                    other => failed.lock().unwrap().push(format!("{person}: {other:?}")),
                }
            }
            asked
        }));
    }
    let versions = |house: &House| {
        let pinned = house.running.world.pin();
        let version = &pinned.world.version;
        (version.rules.to_string(), version.directory.to_string(), version.grants.to_string())
    };
    // Every world that was ever in force, as the store tells it, whoever swapped it.
    let worlds = Arc::new(Mutex::new(BTreeSet::from([versions(&house)])));
    let watching = {
        let (house, stop, worlds) = (house.clone(), stop.clone(), worlds.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                let pinned = house.running.world.pin();
                let version = &pinned.world.version;
                worlds.lock().unwrap().insert((
                    version.rules.to_string(),
                    version.directory.to_string(),
                    version.grants.to_string(),
                ));
                std::thread::sleep(Duration::from_micros(200));
            }
        })
    };
    let rules = fs::read_to_string(rules_file(&house)).unwrap();
    for swap in 0..SWAPS {
        let before = versions(&house);
        // Few rule swaps: each runs every query test that stands in the rules.
        if swap % 10 == 9 {
            fs::write(rules_file(&house), format!("{rules}\n# {swap}\n")).unwrap();
        } else {
            house.write_directory(&directory(swap + 1));
        }
        let told = house.clone();
        // Most as a signal would, some left to the watches.
        if swap % 20 != 7 {
            tokio::task::spawn_blocking(move || told.running.reload()).await.unwrap();
        }
        until("the swap", || async { versions(&house) != before }).await;
        worlds.lock().unwrap().insert(versions(&house));
    }
    stop.store(true, Ordering::Release);
    let mut asked = 0;
    for asker in askers {
        asked += asker.await.unwrap();
    }
    watching.join().unwrap();
    let failed = failed.lock().unwrap().clone();
    assert!(failed.is_empty(), "{} of {asked} failed: {:?}", failed.len(), failed.first());
    let worlds = worlds.lock().unwrap().clone();
    assert!(worlds.len() > SWAPS / 2, "only {} worlds", worlds.len());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (mut lines, mut used) = (0, BTreeSet::new());
    for record in house.record() {
        let of = match record {
            Record::Intent(intent) => Some(intent.versions),
            Record::Outcome(outcome) => outcome.versions,
        };
        let of = of.expect("every decision names its world");
        let triple = (of.rules, of.directory, of.grants);
        assert!(worlds.contains(&triple), "a mixture that was never in force: {triple:?}");
        used.insert(triple);
        lines += 1;
    }
    assert!(lines >= 2 * asked);
    println!(
        "reload: {SWAPS} swaps, {} worlds seen, {asked} requests, none failed, {lines} lines name {} worlds",
        worlds.len(),
        used.len()
    );
    assert!(used.len() > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_that_is_gone_is_gone_with_the_next_request() {
    let house = House::new().await;
    let body = json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let queues = async |person: &str| -> Vec<String> {
        let rows = house.post(person, AGGREGATES, &body).await.json()["results"].as_array().unwrap().clone();
        rows.iter().filter_map(|row| row["group"]["queueId"].as_str().map(str::to_owned)).collect()
    };
    let others = house.post("carl", AGGREGATES, &body).await.body;
    assert_eq!(queues("sofia").await, ["q-pay-cards", "q-pay-disputes"]);
    house.received(US);
    house.write_directory(&without_member("q-pay-disputes", "sofia").to_string());
    house.running.reload();
    assert_eq!(queues("sofia").await, ["q-pay-cards"]);
    let sent = house.received(US).pop().unwrap();
    assert!(!String::from_utf8_lossy(&sent.body).contains("q-pay-disputes"));
    assert_eq!(house.get("sofia", QUEUES).await.json()["total"], 1);
    let named = json!({ "interval": WEEK, "metrics": ["tHandle"], "filter": { "type": "and", "predicates": [{ "dimension": "queueId", "value": "q-pay-disputes" }] } });
    assert_eq!(house.post("sofia", AGGREGATES, &named).await.code(), "scope.outside");
    assert_eq!(house.post("carl", AGGREGATES, &body).await.body, others, "others see what they saw");
    // By the file alone, nobody told: within a second.
    house.write_directory(&sample::text());
    let since = std::time::Instant::now();
    until("the membership", || async { queues("sofia").await.len() == 2 }).await;
    println!("reload: a changed file is in force after {} ms", since.elapsed().as_millis());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_leaves_the_old_world_and_says_so() {
    let house = House::of(Plan { own_rules: true, interactions: 500, ..Plan::default() }).await;
    let body = json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let before = house.post("sofia", AGGREGATES, &body).await.body;
    let versions = || house.running.world.pin().world.version.clone();
    let world = versions();
    let rules = fs::read_to_string(rules_file(&house)).unwrap();
    let ready = house.admin("/readyz").await;
    assert_eq!((ready.status, ready.json()), (200, json!({ "ready": true, "reasons": [] })));

    let dangling = {
        let mut directory = sample::directory();
        directory["queues"][0]["members"].as_array_mut().unwrap().push(json!("nobody-at-all"));
        directory.to_string()
    };
    for (text, part) in [("{", "directory.json"), (dangling.as_str(), "nobody-at-all"), ("", "directory.json")] {
        house.write_directory(text);
        house.running.reload();
        let ready = house.admin("/readyz").await;
        let reasons = ready.json()["reasons"].to_string();
        assert!(ready.status == 200 && reasons.contains("directory: ") && reasons.contains(part), "{ready:?}");
        assert_eq!(house.metric("bailiwick_snapshot_broken{part=\"directory\"}").await, 1);
        assert_eq!(house.post("sofia", AGGREGATES, &body).await.body, before);
        assert_eq!(versions(), world);
    }
    house.write_directory(&house.directory.to_string());
    house.running.reload();
    assert_eq!(house.admin("/readyz").await.json(), json!({ "ready": true, "reasons": [] }));

    // A text that cannot be read, a rule that cannot be, and rules that contradict their own tests.
    let contradiction = rules.replace("refuses = \"scope.outside\"", "refuses = \"scope.empty\"");
    assert_ne!(contradiction, rules);
    for (text, part) in
        [("[[rule", "divisions.toml"), ("[[rule]]\nid = \"x\"\n", "divisions.toml"), (&contradiction, "scope.empty")]
    {
        fs::write(rules_file(&house), text).unwrap();
        house.running.reload();
        let ready = house.admin("/readyz").await;
        let reasons = ready.json()["reasons"].to_string();
        assert!(ready.status == 200 && reasons.contains("rules: ") && reasons.contains(part), "{ready:?}");
        assert_eq!(house.metric("bailiwick_snapshot_broken{part=\"rules\"}").await, 1);
        assert_eq!(house.post("sofia", AGGREGATES, &body).await.body, before);
        assert_eq!(versions(), world);
    }
    fs::write(rules_file(&house), rules).unwrap();
    house.running.reload();
    assert_eq!(house.admin("/readyz").await.json(), json!({ "ready": true, "reasons": [] }));
    assert_eq!(versions(), world, "the same files are the same world");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_that_stands_in_the_file_wins_over_one_read_before() {
    let house = House::of(Plan { interactions: 200, ..Plan::default() }).await;
    let version = || house.running.world.pin().world.version.directory.to_string();
    let first = version();
    // Read by a signal before the watch looked, and taken back at once.
    house.write_directory(&without_member("q-pay-disputes", "sofia").to_string());
    house.running.reload();
    assert_ne!(version(), first);
    house.write_directory(&house.directory.to_string());
    until("what stands in the file", || async { version() == first }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_is_not_confirmed_goes_stale() {
    let house = House::of(Plan { interactions: 200, ..Plan::default() }).await;
    let body = json!({ "interval": WEEK, "metrics": ["tHandle"] });
    assert_eq!(house.post("sofia", AGGREGATES, &body).await.status, 200);
    fs::remove_file(house.folder.path().join("directory.json")).unwrap();
    house.running.reload();
    assert_eq!(house.post("sofia", AGGREGATES, &body).await.status, 200);
    house.clock.set(super::house::now() + Duration::from_mins(6));
    let ready = house.admin("/readyz").await;
    assert!(ready.status == 200 && ready.json()["reasons"].to_string().contains("last known to be right"), "{ready:?}");
    let late = |heard: &Heard| heard.notices().iter().any(|notice| notice.starts_with("directory.late; "));
    let heard = house.post("sofia", AGGREGATES, &body).await;
    assert!(heard.status == 200 && late(&heard), "{heard:?}");
    let refused = house.post("pat", AGGREGATES, &body).await;
    assert!(refused.status == 403 && late(&refused), "{refused:?}");
    assert!(house.metric("bailiwick_directory_age_seconds").await >= 360);
    house.clock.set(super::house::now() + Duration::from_mins(15));
    let heard = house.post("sofia", AGGREGATES, &body).await;
    assert_eq!((heard.status, heard.code().as_str()), (503, "directory.stale"), "{heard:?}");
    assert_eq!(house.admin("/readyz").await.status, 503);
    house.write_directory(&house.directory.to_string());
    house.running.reload();
    let heard = house.post("sofia", AGGREGATES, &body).await;
    assert!(heard.status == 200 && !late(&heard), "{heard:?}");
    assert_eq!(house.admin("/readyz").await.status, 200);
}

/// The program itself, as a process that is signalled; ended when dropped.
struct Process(std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_read_again_and_stop_and_the_log_tells() {
    let directory = sample::directory();
    let sandbox =
        Sandbox::start(Options { interactions: 500, directory: Some(directory.clone()), ..Options::default() })
            .await
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    // So seldom read by itself that only the signal can have done it within this test.
    let more = "[log]\nformat = \"json\"\n".to_owned();
    let file = write_files(&Plan { directory: directory.clone(), more, ..Plan::default() }, &sandbox, folder.path());
    let log = folder.path().join("log");
    let child = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
        .args(["serve", "--config"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let lines = || fs::read_to_string(&log).unwrap();
    until("serving", || async { lines().contains("\"serving\"") }).await;
    let address = |name: &str| -> std::net::SocketAddr {
        let text = lines();
        let line = text.lines().find(|line| line.contains("\"serving\"")).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        let found = line.get(name).or_else(|| line["fields"].get(name)).unwrap_or_else(|| panic!("{line}"));
        found.as_str().unwrap().parse().unwrap()
    };
    let (proxy, admin) = (address("proxy"), address("admin"));
    let client = super::house::client();
    let ask = async || send(&client, proxy, &token("sofia"), &format!("GET {QUEUES}"), "").await.unwrap();
    assert_eq!(ask().await.json()["total"], 2);
    let signal = |name: &str| {
        let sent = Command::new("kill").args([&format!("-{name}"), &process.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    fs::write(folder.path().join("directory.json"), without_member("q-pay-disputes", "sofia").to_string()).unwrap();
    signal("HUP");
    until("the new directory", || async { ask().await.json()["total"] == 1 }).await;
    fs::write(folder.path().join("directory.json"), "{ broken").unwrap();
    signal("HUP");
    until("the log", || async {
        lines().lines().any(|line| line.contains("directory.json") && line.contains("\"level\":\"ERROR\""))
    })
    .await;
    assert_eq!(ask().await.json()["total"], 1);
    let ready = send(&client, admin, "", "GET /readyz", "").await.unwrap();
    assert!(ready.json()["reasons"].to_string().contains("directory.json"), "{ready:?}");
    signal("TERM");
    let mut ended = None;
    until("the end", || {
        ended = ended.or(process.0.try_wait().unwrap());
        let over = ended.is_some();
        async move { over }
    })
    .await;
    assert_eq!(ended.unwrap().code(), Some(0), "{}", lines());
    for word in ["panicked", "token-of-", "secret-of-", "sandbox-secret"] {
        assert!(!lines().contains(word), "`{word}` in the log");
    }
}
