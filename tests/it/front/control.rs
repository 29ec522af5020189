//! The administrators' side says what it knows, and nothing of the data path can be reached through it.

use super::*;
use std::sync::atomic::Ordering;

async fn get(house: &House, path: &str) -> Heard {
    let raw = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
    let heard = house.say(house.admin, &[(raw.into_bytes(), Duration::ZERO)], false).await;
    answers(&heard).remove(0)
}

#[tokio::test]
async fn readiness_has_reasons() {
    let house = house().await;
    assert_eq!(get(&house, "/livez").await.status, 200);
    let ready = get(&house, "/readyz").await;
    assert_eq!((ready.status, ready.json()), (200, serde_json::json!({"ready": true, "reasons": []})));
    house.draining.store(true, Ordering::Release);
    let ready = get(&house, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.json()["reasons"][0].as_str().unwrap().starts_with("stopping"));
}

#[tokio::test]
async fn metrics_count_what_the_data_path_did() {
    let house = house().await;
    house.ask_as("T", "POST /v1/query", BODY).await;
    house.ask_as("T", "POST /v1/nothing", BODY).await;
    let text = get(&house, "/metrics").await.body;
    assert!(text.contains("bailiwick_queries_forwarded_total{operation=\"query\"} 1"), "{text}");
    assert!(text.contains("bailiwick_queries_refused_total{code=\"operation.unknown\"} 1"), "{text}");
    assert!(text.contains("bailiwick_requests_in_flight 0"), "{text}");
}

#[tokio::test]
async fn neither_side_answers_for_the_other() {
    let house = house().await;
    assert_eq!(get(&house, "/v1/query").await.status, 404);
    assert_eq!(get(&house, "/").await.status, 200);
    assert_eq!(house.ask_as("T", "GET /metrics", "").await.code(), "operation.unknown");
}
