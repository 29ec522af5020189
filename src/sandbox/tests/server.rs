//! The listener, over plain sockets.

use super::{AGGREGATES, DETAILS, US, small};
use crate::sandbox::Sandbox;
use serde_json::{Value, json};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn send(sandbox: &Sandbox, region: &str, request: String) -> io::Result<Answer> {
    let address = sandbox.base_url(region).unwrap();
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("no answer"))?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

async fn call(sandbox: &Sandbox, method: &str, target: &str, body: &str) -> io::Result<Answer> {
    let token = sandbox.token();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    send(sandbox, US, request).await
}

async fn token(sandbox: &Sandbox, header: &str, form: &str) -> Answer {
    let length = form.len();
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: x\r\n{header}connection: close\r\ncontent-length: {length}\r\n\r\n{form}"
    );
    send(sandbox, US, request).await.unwrap()
}

fn details() -> String {
    json!({ "interval": "2026-11-05T00:00:00Z/2026-11-19T00:00:00Z", "segmentFilters": [
        { "type": "or", "predicates": [{ "dimension": "queueId", "value": "q-pay-cards" }] }] })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_bought_and_needed() {
    let sandbox = small().await;
    let header = "authorization: Basic YmFpbGl3aWNrOnNhbmRib3gtc2VjcmV0\r\n";
    let bought = token(&sandbox, header, "grant_type=client_credentials").await;
    assert_eq!(bought.status, 200);
    let bearer = bought.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bought.json()["expires_in"], json!(86_400));
    let form = "grant_type=client_credentials&client_id=bailiwick&client_secret=sandbox-secret";
    assert_eq!(token(&sandbox, "", form).await.status, 200);
    assert_eq!(token(&sandbox, "", &form.replace("-secret", "-guess")).await.status, 401);
    assert_eq!(token(&sandbox, "", "grant_type=password").await.status, 400);
    let me = |bearer: String| {
        format!(
            "GET /api/v2/users/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\nconnection: close\r\n\r\n"
        )
    };
    let answer = send(&sandbox, US, me(bearer.clone())).await.unwrap();
    assert_eq!((answer.status, answer.json()["id"].clone()), (200, json!("bailiwick")));
    let answer = send(&sandbox, US, me("other".into())).await.unwrap();
    assert_eq!((answer.status, answer.json()["code"].clone()), (401, json!("bad.credentials")));
    sandbox.disobey(|faults| faults.forget_tokens = true);
    assert_eq!(send(&sandbox, US, me(bearer)).await.unwrap().status, 401);
    sandbox.disobey(|faults| faults.refuse_tokens = true);
    assert_eq!(token(&sandbox, "", form).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_and_filtered() {
    let sandbox = small().await;
    let get = async |target: &str| call(&sandbox, "GET", target, "").await.unwrap().json();
    let queues = get("/api/v2/routing/queues?pageNumber=2&pageSize=10").await;
    // 53 in all: 8 in the other region, 2 deleted
    assert_eq!((queues["total"].clone(), queues["pageCount"].clone()), (json!(43), json!(5)));
    assert_eq!(queues["entities"].as_array().unwrap().len(), 10);
    assert_eq!(queues["nextUri"], json!("/api/v2/routing/queues?pageSize=10&pageNumber=3"));
    let named = get("/api/v2/routing/queues?id=q-pay-cards%2Cq-pay-disputes&id=q-eu-pay-cards").await;
    assert_eq!(named["total"], json!(2));
    sandbox.set_traits(|traits| traits.ids_only = false);
    assert_eq!(get("/api/v2/routing/queues?id=q-pay-cards").await["total"], json!(4));
    let users = get("/api/v2/users?divisionId=d-payments-us&pageSize=500").await;
    assert!(users["entities"].as_array().unwrap().iter().all(|user| user["division"]["id"] == "d-payments-us"));
    assert_eq!(get("/api/v2/authorization/divisions?name=claims*").await["total"], json!(1));
    assert_eq!(call(&sandbox, "GET", "/api/v2/users?pageSize=0", "").await.unwrap().status, 400);
    assert_eq!(call(&sandbox, "GET", "/api/v2/conversations/nope", "").await.unwrap().status, 404);
    assert_eq!(call(&sandbox, "PUT", "/api/v2/users", "").await.unwrap().status, 404);
    let one = get("/api/v2/conversations/c-us-east-1-000001").await;
    assert_eq!(one["participants"][0]["purpose"], json!("customer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn observations_speak_of_what_is_named() {
    let sandbox = small().await;
    let body = json!({ "filter": { "type": "or", "predicates": [{ "dimension": "queueId", "value": "q-pay-cards" }] },
        "metrics": ["oInteracting", "oMemberUsers"], "detailMetrics": ["oInteracting"] });
    let answer =
        call(&sandbox, "POST", "/api/v2/analytics/queues/observations/query", &body.to_string()).await.unwrap().json();
    let results = answer["results"].as_array().unwrap();
    assert!(results.len() > 1 && results.iter().all(|result| result["group"]["queueId"] == "q-pay-cards"));
    let members = results.last().unwrap();
    assert_eq!(members["data"][0], json!({ "metric": "oMemberUsers", "stats": { "count": 12 } }));
    let body = json!({ "filter": { "type": "or", "predicates": [{ "dimension": "userId", "value": "sofia" }] }, "metrics": ["oMemberQueues"] });
    let answer =
        call(&sandbox, "POST", "/api/v2/analytics/users/observations/query", &body.to_string()).await.unwrap().json();
    assert_eq!(
        answer,
        json!({ "results": [{ "group": { "userId": "sofia" }, "data": [{ "metric": "oMemberQueues", "stats": { "count": 2 } }] }] })
    );
    let body = json!({ "interval": "2026-11-10T00:00:00Z/2026-11-12T00:00:00Z", "granularity": "P1D", "groupBy": ["userId"],
        "metrics": ["tAgentRoutingStatus"], "filter": { "type": "or", "predicates": [{ "dimension": "userId", "value": "ana" }] } });
    let answer =
        call(&sandbox, "POST", "/api/v2/analytics/users/aggregates/query", &body.to_string()).await.unwrap().json();
    assert_eq!(
        (answer["results"].as_array().unwrap().len(), answer["results"][0]["data"].as_array().unwrap().len()),
        (1, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_is_counted_and_recorded() {
    let sandbox = small().await;
    sandbox.record(true);
    let body = json!({ "interval": "2026-11-10T00:00:00Z/2026-11-12T00:00:00Z", "metrics": ["nOffered"] }).to_string();
    call(&sandbox, "POST", AGGREGATES, &body).await.unwrap();
    assert_eq!((sandbox.connections(US), sandbox.requests(US)), (1, 1));
    assert_eq!((sandbox.connections("eu-west-1"), sandbox.requests("eu-west-1")), (0, 0));
    let received = sandbox.take_received(US);
    assert_eq!((received[0].target.as_str(), received[0].body.as_ref()), (AGGREGATES, body.as_bytes()));
    assert!(sandbox.take_received(US).is_empty());
    assert_eq!(call(&sandbox, "POST", AGGREGATES, "{").await.unwrap().status, 400);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disobedience_is_as_told() {
    let sandbox = small().await;
    let ask = async || call(&sandbox, "POST", DETAILS, &details()).await;
    let honest = ask().await.unwrap().json();
    let rows = |answer: &Value| answer["conversations"].as_array().unwrap().len();
    sandbox.disobey(|faults| faults.ignore_filters = true);
    assert!(ask().await.unwrap().json()["totalHits"].as_i64() > honest["totalHits"].as_i64());
    sandbox.obey();
    sandbox.disobey(|faults| faults.foreign_rows = true);
    assert!(rows(&ask().await.unwrap().json()) > rows(&honest));
    sandbox.obey();
    sandbox.disobey(|faults| faults.other_region = true);
    assert!(ask().await.unwrap().body.contains("q-eu-"));
    sandbox.obey();
    sandbox.disobey(|faults| (faults.false_totals, faults.extra_fields) = (true, true));
    let answer = ask().await.unwrap();
    assert_eq!(answer.json()["totalHits"].as_i64(), honest["totalHits"].as_i64().map(|hits| hits + 1_000));
    assert!(answer.json()["conversations"][0]["internalNote"].is_object());
    sandbox.obey();
    sandbox.disobey(|faults| faults.truncated = true);
    let answer = ask().await.unwrap();
    assert!(answer.head.contains(&format!("content-length: {}", honest.to_string().len())));
    assert_eq!(answer.body.len(), honest.to_string().len() / 2);
    sandbox.obey();
    sandbox.disobey(|faults| faults.invalid_json = true);
    assert!(serde_json::from_str::<Value>(&ask().await.unwrap().body).is_err());
    sandbox.obey();
    sandbox.disobey(|faults| faults.html = true);
    let answer = ask().await.unwrap();
    assert!(answer.status == 200 && answer.head.contains("text/html"));
    sandbox.obey();
    sandbox.disobey(|faults| faults.too_many = Some(3));
    let answer = ask().await.unwrap();
    assert!(answer.status == 429 && answer.head.contains("retry-after: 3"));
    sandbox.obey();
    sandbox.disobey(|faults| faults.server_error = true);
    assert_eq!(ask().await.unwrap().json()["code"], json!("internal.server.error"));
    sandbox.obey();
    sandbox.disobey(|faults| faults.drip = Some(Duration::from_millis(1)));
    assert_eq!(ask().await.unwrap().json(), honest);
    sandbox.obey();
    sandbox.disobey(|faults| faults.reset = true);
    assert!(ask().await.is_err());
    sandbox.obey();
    assert_eq!(ask().await.unwrap().json(), honest);
}
