//! Raw connections of HTTP/2 that two readers could read differently (`tests/corpora/http2_cases.json`), in the clear and within
//! TLS; and what a client gets that does it right.

use super::{
    corpus::{cases, is_rebuilt, parts},
    frames::{DATA, END_HEADERS, END_STREAM, Frame, HEADERS, PING, QUERY, Wire, block, frame},
    tls::Authority,
    *,
};
use bailiwick::{audit::Verdict, server::Http2};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::io::{AsyncRead, AsyncWrite};

pub(super) async fn plain(settings: proxy::Settings, server: server::Settings) -> House {
    let server = server::Settings { http2: Http2::PriorKnowledge, hosts: vec!["proxy.test".into()], ..server };
    house_with(settings, server).await
}

const WAIT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn every_case_has_an_outcome_that_is_due() {
    let settings = || proxy::Settings { body_time: Duration::from_millis(700), ..Default::default() };
    let house = plain(settings(), server::Settings::default()).await;
    let cases = cases("http2_cases.json");
    let mut failed = BTreeMap::new();
    for case in &cases {
        let wire = Wire::open(house.proxy).await;
        failed.extend(run(&house, case, wire).await);
    }
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), cases.len());
    arrivals_are_recorded(&house).await;

    let authority = Authority::new();
    let server = server::Settings {
        tls: Some(authority.tls("proxy.test", None)),
        hosts: vec!["proxy.test".into()],
        ..Default::default()
    };
    let house = house_with(settings(), server).await;
    for case in &cases {
        let wire = Wire::over(authority.connect(house.proxy, &[b"h2"], None).await.unwrap());
        failed.extend(run(&house, case, wire).await);
    }
    assert!(failed.is_empty(), "{} of {} failed within TLS: {failed:#?}", failed.len(), cases.len());
    arrivals_are_recorded(&house).await;
    println!("{} cases in the clear and within TLS", cases.len());
}

async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    house: &House,
    case: &Value,
    mut wire: Wire<S>,
) -> Option<(String, String)> {
    for (part, pause) in parts(case) {
        if !wire.say(&part).await {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    let heard = wire.hear_answer(1, WAIT).await;
    let sent = house.upstream.sent();
    let answered = heard.iter().any(Frame::is_fine);
    let refused = heard.iter().any(|frame| frame.ends(1)) && !answered;
    let outcome = match (sent.len(), answered) {
        (0, false) if refused => "reject",
        (1, true) => "forward",
        _ => "neither refused nor answered once",
    };
    let also = case["also_acceptable"].as_array().map(Vec::as_slice).unwrap_or_default();
    let due = std::iter::once(&case["expect"]).chain(also).filter_map(Value::as_str);
    let is_due = due
        .into_iter()
        .any(|due| due == outcome || due.strip_prefix(outcome).is_some_and(|rest| rest.starts_with('-')));
    if is_due && sent.iter().all(is_rebuilt) {
        return None;
    }
    let kinds: Vec<_> = heard.iter().map(|frame| (frame.kind, frame.stream)).collect();
    Some((
        case["id"].to_string(),
        format!("{outcome}, {} sent, {kinds:?} (due: {}) {}", sent.len(), case["expect"], case["name"]),
    ))
}

/// As many as reached the upstream in the cases: the controls among them did.
async fn arrivals_are_recorded(house: &House) {
    let record = house.record().await;
    let intents = record.iter().filter(|record| matches!(record, Record::Intent(_))).count();
    let forwarded = record
        .iter()
        .filter(|record| matches!(record, Record::Outcome(outcome) if outcome.verdict == Verdict::Forwarded))
        .count();
    assert!(intents >= 2 && forwarded == intents, "{forwarded} forwarded, {intents} recorded");
}

fn asks(stream: u32, body: &str) -> Vec<u8> {
    let head = frame(HEADERS, END_HEADERS, stream, &block(&QUERY));
    [head, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
}

#[tokio::test]
async fn requests_of_one_connection_are_answered_side_by_side() {
    let house = plain(proxy::Settings::default(), server::Settings::default()).await;
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_millis(300));
    let mut wire = Wire::begin(house.proxy, b"").await;
    let began = std::time::Instant::now();
    let many: Vec<u8> = (0..6).flat_map(|nth| asks(1 + 2 * nth, BODY)).collect();
    assert!(wire.say(&many).await);
    let mut fine = 0;
    while fine < 6 {
        fine += usize::from(wire.hear(WAIT).await.expect("an answer").is_fine());
    }
    assert!(began.elapsed() < Duration::from_millis(1200), "{:?}", began.elapsed());
    assert_eq!(house.upstream.sent().len(), 6);
    // and HTTP/1 is spoken beside it
    assert_eq!(house.ask_as("T", "POST /v1/query", BODY).await.status, 200);
}

#[tokio::test]
async fn a_refusal_has_its_decision_and_its_line() {
    let house = plain(proxy::Settings::default(), server::Settings::default()).await;
    let stream = TcpStream::connect(house.proxy).await.unwrap();
    let (mut client, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    let driving = tokio::spawn(connection);
    for (token, path, status, code) in [
        ("T", "/v1/other", 404, "operation.unknown"),
        ("wrong", "/v1/query", 401, "identity.required"),
        ("T", "/v1//query", 400, "request.malformed"),
        ("T", "/v1/query", 200, ""),
    ] {
        let request = hyper::Request::post(format!("http://proxy.test{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(http_body_util::Full::new(bytes::Bytes::from_static(BODY.as_bytes())))
            .unwrap();
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.headers().get("connection").is_none());
        let decision = answer.headers()["bailiwick-decision"].to_str().unwrap().parse().unwrap();
        assert_eq!(house.outcome(decision).await.code.unwrap_or_default(), code);
    }
    driving.abort();
}

#[tokio::test]
async fn a_head_that_is_too_large_is_told_so_and_recorded() {
    let house = plain(proxy::Settings::default(), server::Settings { head_bytes: 2048, ..Default::default() }).await;
    let mut wire = Wire::begin(house.proxy, b"").await;
    let filler = "a".repeat(120);
    let fields: Vec<(&str, &str)> =
        QUERY.iter().copied().chain(std::iter::repeat_n(("x", filler.as_str()), 30)).collect();
    assert!(wire.say(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields))).await);
    let heard = wire.hear_answer(1, WAIT).await;
    assert!(heard.iter().any(|frame| frame.kind == HEADERS && !frame.is_fine()), "{heard:?}");
    let record = house.record().await;
    let [Record::Outcome(outcome)] = record.as_slice() else { panic!("{record:?}") };
    assert_eq!((outcome.status, outcome.code.as_deref()), (413, Some("request.too-large")));
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed_and_one_under_way_is_not() {
    let server = server::Settings {
        idle_time: Duration::from_millis(300),
        write_time: Duration::from_millis(200),
        ..Default::default()
    };
    let house = plain(proxy::Settings::default(), server).await;
    let mut wire = Wire::begin(house.proxy, b"").await;
    assert!(wire.is_closed(WAIT).await);
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_millis(900));
    let mut wire = Wire::begin(house.proxy, b"").await;
    assert!(wire.say(&asks(1, BODY)).await);
    assert!(wire.hear_answer(1, WAIT).await.iter().any(Frame::is_fine));
    assert!(wire.say(&frame(PING, 0, 0, b"12345678")).await);
    assert!(wire.is_closed(WAIT).await);
    // nobody is waited for who only begins
    let server = server::Settings { idle_time: Duration::from_millis(200), ..Default::default() };
    let house = plain(proxy::Settings::default(), server).await;
    let mut wire = Wire::open(house.proxy).await;
    assert!(wire.say(b"PR").await && wire.is_closed(WAIT).await);
}

#[tokio::test]
async fn what_is_under_way_ends_before_the_proxy_does() {
    let house = plain(proxy::Settings::default(), server::Settings::default()).await;
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_millis(400));
    let mut wire = Wire::begin(house.proxy, b"").await;
    assert!(wire.say(&asks(1, BODY)).await);
    tokio::time::sleep(Duration::from_millis(150)).await;
    house.shutdown.cancel();
    let mut heard = Vec::new();
    while let Some(frame) = wire.hear(WAIT).await {
        heard.push(frame);
    }
    assert!(heard.iter().any(Frame::is_fine), "{heard:?}");
    assert!(TcpStream::connect(house.proxy).await.is_err());
}
