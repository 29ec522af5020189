//! Bad input and a bad world around: each has a clear message with the place and the repair, an exit code or a status;
//! nothing is lost, nothing panics.

use super::house::{AGGREGATES, DETAILS, EU, House, PLATFORM, Plan, QUEUES, US, WEEK, until, write_files};
use bailiwick::{
    app,
    audit::{Record, Verdict},
    base::clock::SystemClock,
    config,
    sandbox::{Options, Sandbox, sample},
};
use serde_json::{Value, json};
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

fn question() -> Value {
    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] })
}

/// Files of a program that would serve, in a folder of their own.
struct Files {
    folder: tempfile::TempDir,
    config: PathBuf,
    _sandbox: Sandbox,
}

impl Files {
    async fn new(more: &str, own_rules: bool) -> Self {
        let options = Options { interactions: 10, directory: Some(sample::directory()), ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { more: more.to_owned(), own_rules, ..Plan::default() };
        let config = write_files(&plan, &sandbox, folder.path());
        Self { folder, config, _sandbox: sandbox }
    }

    fn change(&self, file: &str, change: impl Fn(String) -> String) {
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(text)).unwrap();
    }

    /// Runs a subcommand to its end: exit code and what it said.
    fn run(&self, command: &[&str]) -> (i32, String) {
        run(command, &self.config)
    }
}

fn run(command: &[&str], config: &Path) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
        .args(command)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = child.wait_with_output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    (
        ended.status.code().unwrap_or_else(|| {
            panic!(
                "{command:?} went on: {told}\n{}",
                fs::read_to_string(config).unwrap_or_default().chars().take(200).collect::<String>()
            )
        }),
        told,
    )
}

fn is_clear(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    for word in
        ["panicked", "RUST_BACKTRACE", "stack backtrace", "token-of-", "secret-of-", "Err(", "Some(", "sandbox-secret"]
    {
        assert!(!told.contains(word), "`{word}` is in:\n{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_exit_code_three() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for section in ["proxy", "admin"] {
        let files = Files::new(&format!("[{section}]\nlisten = \"{address}\"\n"), false).await;
        let (code, told) = files.run(&["serve"]);
        assert_eq!(code, 3, "{told}");
        is_clear(&told, &["cannot listen on", &address, "choose another `listen`"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_cannot_be_read_is_exit_code_two_with_its_place() {
    let files = Files::new("", false).await;
    let (code, told) = run(&["serve"], &files.folder.path().join("nowhere.toml"));
    assert_eq!(code, 2, "{told}");
    is_clear(&told, &["nowhere.toml", "cannot read the configuration"]);
    let good = fs::read_to_string(&files.config).unwrap();
    for (wrong, parts) in [
        ("[proxy\n", vec!["bailiwick.toml:1:"]),
        ("[proxy]\nlisten = 7\n", vec!["bailiwick.toml:2:", "`listen`"]),
        ("[proxy]\nlisen = \"127.0.0.1:1\"\n", vec!["bailiwick.toml:2:1", "did you mean `listen`?", "^"]),
        ("[policy]\nassume = [\"entries-or\"]\n", vec!["bailiwick.toml:2:", "`entries-or`"]),
    ] {
        fs::write(
            &files.config,
            format!("{wrong}{}", good.replace("[proxy]", "[telemetry-x]").replace("[policy]", "[policy-x]")),
        )
        .unwrap();
        for command in ["serve", "check"] {
            let (code, told) = files.run(&[command]);
            assert_eq!(code, 2, "{command} {wrong}: {told}");
            is_clear(&told, &parts);
        }
    }
    // Two problems are told at once.
    fs::write(&files.config, format!("{good}\n[log]\nlevle = \"info\"\nformat = \"xml\"\n")).unwrap();
    let (code, told) = files.run(&["serve"]);
    assert_eq!(code, 2);
    is_clear(&told, &["`levle`", "`xml`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_refuses_what_a_start_would_refuse_and_finds_the_configuration_itself() {
    let files = Files::new("", false).await;
    let here = |command: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
            .args(command)
            .current_dir(files.config.parent().unwrap())
            .env_clear()
            .output()
            .unwrap();
        (
            done.status.code().unwrap(),
            String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap(),
        )
    };
    let users = serde_json::from_str::<Value>(&sample::text()).unwrap()["users"].as_array().unwrap().len();
    let (code, told) = here(&["check"]);
    assert_eq!(code, 0, "{told}");
    is_clear(&told, &[&format!("{users} users")]);

    // A region that nothing leads to.
    let mut two: Value = sample::text().parse().unwrap();
    two["regions"].as_array_mut().unwrap().push(json!({ "id": "ap", "upstream": "http://127.0.0.1:2" }));
    two["divisions"].as_array_mut().unwrap().push(json!({ "id": "root-ap", "region": "ap" }));
    fs::write(files.folder.path().join("directory.json"), two.to_string()).unwrap();
    for command in ["serve", "check"] {
        let (code, told) = here(&[command]);
        assert_eq!(code, 2, "{command}: {told}");
        is_clear(&told, &["region `ap`", "[[upstream]]"]);
    }

    // Addresses that were swapped: each region's people would be shown the other's rows.
    let mut swapped: Value = sample::text().parse().unwrap();
    let config = fs::read_to_string(&files.config).unwrap();
    let url = |region: &str| {
        let (_, rest) = config.split_once(&format!("region = \"{region}\"\nurl = \"")).unwrap();
        rest.split_once('"').unwrap().0
    };
    for (region, other) in [(0, 1), (1, 0)] {
        let id = swapped["regions"][other]["id"].as_str().unwrap().to_owned();
        swapped["regions"][region]["upstream"] = json!(format!("{}/", url(&id)));
    }
    fs::write(files.folder.path().join("directory.json"), swapped.to_string()).unwrap();
    for command in ["serve", "check"] {
        let (code, told) = here(&[command]);
        assert_eq!(code, 2, "{command}: {told}");
        is_clear(&told, &["which the directory gives to region", "correct the `url`"]);
    }

    // Without a configuration, one line says what such a file has to accept.
    fs::remove_file(&files.config).unwrap();
    let (code, told) = here(&["check"]);
    assert_eq!(code, 0, "{told}");
    is_clear(&told, &["stay closed until a configuration accepts", "entries-and"]);
    assert!(!told.contains("closed: "), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_directories_that_cannot_be_read_are_exit_code_two_with_their_place() {
    let files = Files::new("", true).await;
    let rules = "rules/genesys/divisions.toml";
    let good = fs::read_to_string(files.folder.path().join(rules)).unwrap();
    let line = 1 + good.lines().position(|line| line == "class = \"list\"").unwrap();
    for (old, new, parts) in [
        ("class = \"list\"", "class = \"lost\"", vec![format!("divisions.toml:{line}:"), "`lost`".to_owned()]),
        ("class = \"list\"", "clas = \"list\"", vec![format!("divisions.toml:{line}:"), "`clas`".to_owned()]),
        ("class = \"list\"", "class = \"list", vec![format!("divisions.toml:{line}:")]),
        (
            "refuses = \"scope.outside\"",
            "refuses = \"scope.empty\"",
            vec!["contradict".to_owned(), "divisions.toml:".to_owned()],
        ),
    ] {
        assert!(good.contains(old), "{old}");
        files.change(rules, |_| good.replacen(old, new, 1));
        let (code, told) = files.run(&["serve"]);
        assert_eq!(code, 2, "{new}: {told}");
        is_clear(&told, &parts.iter().map(String::as_str).collect::<Vec<_>>());
    }
    files.change(rules, |_| good.clone());
    fs::rename(files.folder.path().join("rules"), files.folder.path().join("elsewhere")).unwrap();
    let (code, told) = files.run(&["serve"]);
    assert_eq!(code, 2, "{told}");
    is_clear(&told, &["rules"]);
    fs::rename(files.folder.path().join("elsewhere"), files.folder.path().join("rules")).unwrap();

    let pretty = sample::text();
    let member = 1 + pretty.lines().position(|line| line.trim() == "\"sofia\",").unwrap();
    let divisions = 1 + pretty.lines().position(|line| line.trim() == "\"divisions\": [").unwrap();
    for (old, new, parts) in [
        ("\"sofia\",", "\"sofie\",", vec![format!("directory.json:{member}"), "`sofie`".to_owned()]),
        ("\"divisions\": [", "\"divisons\": [", vec![format!("directory.json:{divisions}"), "`divisons`".to_owned()]),
        ("\"version\": \"sample-1\",", "\"version\": \"sample-1\"", vec!["directory.json:3".to_owned()]),
    ] {
        assert!(pretty.contains(old), "{old}");
        fs::write(files.folder.path().join("directory.json"), pretty.replacen(old, new, 1)).unwrap();
        for command in ["serve", "check"] {
            let (code, told) = files.run(&[command]);
            assert_eq!(code, 2, "{command} {new}: {told}");
            is_clear(&told, &parts.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    fs::remove_file(files.folder.path().join("directory.json")).unwrap();
    let (code, told) = files.run(&["serve"]);
    assert_eq!(code, 2, "{told}");
    is_clear(&told, &["directory.json", "cannot be read"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_is_down_is_told_and_costs_its_region_only() {
    // Taken and given back: nobody listens there now.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house =
        House::of(Plan { upstream: Some((US, format!("http://{nobody}"))), interactions: 300, ..Plan::default() })
            .await;
    for (path, body) in [(AGGREGATES, question()), (DETAILS, json!({ "interval": WEEK }))] {
        let heard = house.post("sofia", path, &body).await;
        assert_eq!((heard.status, heard.code().as_str()), (502, "upstream.unavailable"), "{heard:?}");
        is_clear(&heard.body, &["the upstream cannot be reached; ask again shortly"]);
        assert!(!heard.body.contains("127.0.0.1") && !heard.body.contains("refused"), "{}", heard.body);
        assert_eq!(heard.header("retry-after"), None);
        let (intent, outcome) = house.lines(heard.decision()).await;
        assert!(intent.is_some());
        assert_eq!((outcome.verdict, outcome.status), (Verdict::Refused, 502));
    }
    assert_eq!(house.get("sofia", QUEUES).await.status, 502);
    // What needs no upstream has its answer, and so has Europe.
    assert_eq!(house.post("nobody", AGGREGATES, &question()).await.code(), "permission.missing");
    assert_eq!(house.post("eva", AGGREGATES, &question()).await.status, 200);
    assert_eq!(house.admin("/readyz").await.status, 200);
    assert!(house.sandbox.connections(EU) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_json_are_refused_with_the_reason() {
    let house = House::of(Plan { interactions: 300, ..Plan::default() }).await;
    let deep = format!("{{\"filter\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let bodies = [
        "",
        "not json",
        "{",
        "{\"interval\":",
        "[]",
        "null",
        "\"text\"",
        "{}{}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":\"\\ud800\"}",
        "{\"interval\":1,\"interval\":2}",
        "{\"interval\":1,\"\\u0069nterval\":2}",
        "{\"$serde_json::private::Number\":\"1\"}",
        "{\"a\":NaN}",
        "\u{feff}{}",
        &deep,
    ];
    for path in [AGGREGATES, DETAILS, PLATFORM] {
        for body in bodies {
            let heard = house.ask("sofia", &format!("POST {path}"), body).await;
            assert_eq!((heard.status, heard.code().as_str()), (400, "query.malformed"), "{body:.60}: {heard:?}");
            is_clear(&heard.body, &[]);
            let (intent, outcome) = house.lines(heard.decision()).await;
            assert!(intent.is_none() && outcome.verdict == Verdict::Refused);
        }
    }
    assert!(house.received(US).is_empty());
    assert_eq!(house.sandbox.connections(US), 0);
    assert_eq!(house.post("sofia", AGGREGATES, &question()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_recorded_is_not_forwarded() {
    let more = "[audit]\nsegment-bytes = 65_536\n".to_owned();
    let house = House::of(Plan { more, interactions: 300, ..Plan::default() }).await;
    assert_eq!(house.post("sofia", AGGREGATES, &question()).await.status, 200);
    let (folder, aside) = (house.folder.path().join("data/audit"), house.folder.path().join("data/aside"));
    fs::rename(&folder, &aside).unwrap();
    // The open segment is still there; the next one cannot be begun.
    let mut answered = 1;
    let refused = loop {
        let heard = house.post("sofia", AGGREGATES, &question()).await;
        if heard.status != 200 {
            break heard;
        }
        answered += 1;
        assert!(answered < 500, "the record went on without its folder");
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "audit.unavailable"), "{refused:?}");
    is_clear(&refused.body, &[]);
    assert!(!refused.body.contains("No such file"), "{}", refused.body);
    house.received(US);
    for (path, body) in [(AGGREGATES, question()), (DETAILS, json!({ "interval": WEEK }))] {
        let heard = house.post("sofia", path, &body).await;
        assert_eq!((heard.status, heard.code().as_str()), (503, "audit.unavailable"));
    }
    assert!(house.received(US).is_empty(), "something was forwarded that is not in the record");
    let ready = house.admin("/readyz").await;
    assert!(ready.status == 503 && ready.json()["reasons"].to_string().contains("record: "), "{ready:?}");
    assert_eq!(house.metric("bailiwick_record_available").await, 0);
    fs::rename(&aside, &folder).unwrap();
    until("the record", || async { house.post("sofia", AGGREGATES, &question()).await.status == 200 }).await;
    assert_eq!(house.admin("/readyz").await.status, 200);
    assert_eq!(house.metric("bailiwick_record_available").await, 1);
    // Nothing of what was answered is lost.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let forwarded = house
        .record()
        .into_iter()
        .filter(|record| matches!(record, Record::Outcome(outcome) if outcome.verdict == Verdict::Forwarded));
    assert_eq!(forwarded.count(), answered + 1);
}

/// A name tells only when it is looked up whether it leads back: that is done before anything is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_whose_name_leads_back_is_not_served() {
    let files = Files::new("", false).await;
    let mut settings = config::load(&files.config, &|_| None).unwrap_or_else(|why| panic!("{why}"));
    // nobody else takes it between these two lines and the start
    settings.proxy.listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let upstream = settings.upstream.regions.iter_mut().find(|one| one.region == EU).unwrap();
    upstream.url = format!("http://localhost:{}", settings.proxy.listen.port()).parse().unwrap();
    let started = app::start(settings, Arc::new(SystemClock::default())).await;
    let told = started.map(drop).unwrap_err().to_string();
    assert!(told.contains(&format!("region `{EU}`")) && told.contains("where the proxy itself listens"), "{told}");
}

/// What no name tells: somebody between, who leads back. The first request that comes back ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_through_somebody_else_ends_at_its_first_turn() {
    let between = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", between.local_addr().unwrap());
    let house = House::of(Plan { upstream: Some((US, url)), interactions: 10, ..Plan::default() }).await;
    let proxy = house.running.proxy;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = between.accept().await {
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(proxy).await.unwrap();
                // ends when either side does
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    let heard = house.post("sofia", AGGREGATES, &question()).await;
    assert!((500..600).contains(&heard.status), "{heard:?}");
    let (_, outcome) = house.lines(heard.decision()).await;
    assert_eq!(outcome.verdict, Verdict::Refused);
    let mut codes: Vec<_> = house
        .record()
        .into_iter()
        .filter_map(|record| match record {
            Record::Outcome(one) if one.decision != outcome.decision => Some((one.code, one.operation)),
            _ => None,
        })
        .collect();
    codes.dedup();
    assert_eq!(codes, [(Some("request.loop".to_owned()), None)], "{codes:?}");
}
