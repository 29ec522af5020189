//! The examples do what they say.

use super::house::{client, now, send};
use bailiwick::{
    app,
    base::clock::FixedClock,
    config,
    sandbox::{Options, Sandbox, sample},
};
use std::{path::Path, process::Command};

#[path = "../../../examples/explain.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod explain;

use explain::Explained;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/serve/bailiwick.toml");

#[test]
fn explain_tells_what_is_sent_and_what_is_refused() {
    let now = "2026-11-20T10:00:00Z".parse().unwrap();
    let world = explain::world(&sample::text(), now).unwrap();
    let asked = |person: &str, filter: &str| {
        let query =
            format!(r#"{{"interval":"2026-11-01T00:00:00Z/2026-11-08T00:00:00Z","metrics":["tHandle"]{filter}}}"#);
        explain::explain(&world, person, &query, now).unwrap()
    };
    let Explained::Sent { body, proof } = asked("sofia", "") else { panic!("nothing is sent") };
    assert!(body.contains("q-pay-cards") && body.contains("q-pay-disputes") && !proof.is_empty(), "{body} {proof:?}");
    let foreign = r#","filter":{"type":"and","predicates":[{"dimension":"queueId","value":"q-claims-motor"}]}"#;
    let Explained::Refused { code, message } = asked("sofia", foreign) else { panic!("it is not refused") };
    assert_eq!(code, "scope.outside");
    assert!(!message.contains("q-claims-motor"), "{message}");
    assert!(explain::explain(&world, "nobody-at-all", "{}", now).is_err());
}

#[test]
fn the_folder_to_start_from_is_accepted_by_check() {
    let done = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
        .args(["check", "--config", FILE])
        .env("UPSTREAM_SECRET", "s")
        .env("SOFIA_TOKEN", "t")
        .output()
        .unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{told}");
    let done = Command::new(env!("CARGO_BIN_EXE_bailiwick")).args(["check", "--config", FILE]).env_clear().output();
    let told = String::from_utf8_lossy(&done.unwrap().stderr).into_owned();
    assert!(told.contains("the environment variable `SOFIA_TOKEN` is not set"), "{told}");
}

/// Another upstream, by files alone.
#[test]
fn the_folder_before_an_index_is_accepted_and_its_tests_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/opensearch");
    let file = format!("{folder}/bailiwick.toml");
    for (arguments, due) in [
        (vec!["check", "--config", &file], "1 operations, 5 rule tests passed"),
        (vec!["test", &format!("{folder}/rules")], "5 passed, 0 failed"),
    ] {
        let done = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
            .args(&arguments)
            .env("UPSTREAM_SECRET", "s")
            .env("LENA_TOKEN", "t")
            .output()
            .unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert_eq!(done.status.code(), Some(0), "{told}");
        assert!(told.contains(due), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_to_start_from_serves() {
    let sandbox = Sandbox::start(Options { interactions: 300, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(FILE).unwrap();
    let environment = |name: &str| match name {
        "UPSTREAM_SECRET" => Some("sandbox-secret".to_owned()),
        "SOFIA_TOKEN" => Some("token-of-sofia".to_owned()),
        _ => None,
    };
    let mut settings = config::parse(Path::new(FILE), &text, &environment).unwrap_or_else(|report| panic!("{report}"));
    // Everything as it stands there, but for addresses and the places of records and store.
    let anywhere = "127.0.0.1:0".parse().unwrap();
    (settings.proxy.listen, settings.admin.listen) = (anywhere, anywhere);
    settings.audit.folder = folder.path().to_owned();
    settings.data = folder.path().to_owned();
    for region in &mut settings.upstream.regions {
        region.url = sandbox.base_url(&region.region).unwrap().parse().unwrap();
    }
    let running = app::start(settings, FixedClock::at(now())).await.unwrap();
    let client = client();
    let line = "GET /api/v2/routing/queues";
    let heard = send(&client, running.proxy, "token-of-sofia", line, "").await.unwrap();
    let names: Vec<_> = heard.json()["entities"].as_array().unwrap().iter().map(|queue| queue["id"].clone()).collect();
    assert_eq!((heard.status, names), (200, vec!["q-pay-cards".into(), "q-pay-disputes".into()]));
    let stranger = send(&client, running.proxy, "another", line, "").await.unwrap();
    assert_eq!((stranger.status, stranger.code().as_str()), (401, "identity.required"));
    running.stop().await;
}
