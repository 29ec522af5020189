//! `bailiwick bench` against a running house, and `Server-Timing`: said with what is answered, and only where it is switched on.

use super::house::{AGGREGATES, DETAILS, House, Plan, WEEK, token};
use crate::commands;
use serde_json::{Value, json};
use std::fs;

async fn house(timed: bool) -> House {
    let more = format!("[proxy]\nlisten = \"127.0.0.1:0\"\nserver-timing = {timed}\n");
    House::of(Plan { interactions: 200, more, ..Plan::default() }).await
}

fn by_queue() -> Value {
    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["nConnected"] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_timed_and_its_phases_are_told() {
    let house = house(true).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("q.json"), by_queue().to_string()).unwrap();
    fs::write(folder.path().join("token"), token("sofia")).unwrap();
    fs::write(folder.path().join("wrong"), "not-a-token").unwrap();
    let (operation, proxy) = (format!("POST {AGGREGATES}"), format!("http://{}", house.running.proxy));
    let base = ["bench", "--operation", &operation, "--query", "q.json", "--through", &proxy, "--token-file"];
    let short = ["--rate", "40", "--seconds", "1", "--rounds", "2", "--connections", "4"];
    let run = |token: &str, more: &[&str]| {
        let all: Vec<&str> = base.iter().copied().chain([token]).chain(short).chain(more.iter().copied()).collect();
        tokio::task::block_in_place(|| commands::run(folder.path(), &all))
    };
    let more = ["--format", "json", "--page", "page.html", "--check", "failed=0", "--check", "p50=30s"];
    let (code, out, told) = run("token", &more);
    assert_eq!(code, 0, "{out}{told}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let through = &report["fixed"]["through"];
    assert_eq!((&through["answered"], &through["failed"], &report["broken"]), (&json!(80), &json!({}), &json!([])));
    assert!(through["times"]["p50"]["median"].as_f64().unwrap() > 0.0, "{out}");
    let phases: Vec<_> = report["phases"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for due in ["identify", "read", "scope", "decide", "intend", "guard"] {
        assert!(phases.contains(&due), "{phases:?}");
    }
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("Where the time goes") && page.contains(&operation), "{page}");

    let (code, out, _) = run("token", &["--check", "p50=0us", "--full-speed"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("broken: p50 at most 0 us") && out.contains("as fast as it goes"), "{out}");
    // each query went to the upstream: eighty and the one before them, twice, and those at full speed
    let asked = house.received(super::house::US).len();
    assert!(asked > 162, "{asked}");

    let (code, out, told) = run("wrong", &[]);
    assert_eq!((code, out.as_str()), (3, ""), "{told}");
    assert!(told.contains("the first answer was of status 401"), "{told}");
    let (code, _, told) = run("token", &["--check", "added-p50=1ms"]);
    assert!(code == 2 && told.contains("`--direct`"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_and_proxies_that_were_not_told_to_say_no_times() {
    for timed in [true, false] {
        let house = house(timed).await;
        let answered = house.ask("sofia", &format!("POST {AGGREGATES}"), &by_queue().to_string()).await;
        assert_eq!((answered.status, answered.header("server-timing").is_some()), (200, timed));
        let foreign = json!({ "interval": WEEK, "segmentFilters": [{ "type": "or", "predicates":
            [{ "dimension": "queueId", "value": "no-such-queue" }] }] });
        let refused = house.ask("sofia", &format!("POST {DETAILS}"), &foreign.to_string()).await;
        assert_eq!((refused.status, refused.header("server-timing")), (403, None), "{}", refused.body);
    }
}
