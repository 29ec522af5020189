//! Every ending has its outcome line, and none takes the process with it.

use super::*;
use bailiwick::audit::{OutcomeRecord, Verdict};
use std::sync::atomic::{AtomicI64, Ordering};

/// A fault in the middle of a request: the reading of this clock that brings `left` to zero panics.
#[derive(Debug, Default)]
struct Faulty {
    clock: SystemClock,
    left: AtomicI64,
}

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        assert_ne!(self.left.fetch_sub(1, Ordering::AcqRel), 1, "the clock is broken");
        self.clock.now()
    }
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let clock = Arc::new(Faulty::default());
    let house = house_on(Arc::clone(&clock) as _, proxy::Settings::default(), server::Settings::default()).await;
    // The first reading opens the exchange, the second is in the middle of the phases.
    clock.left.store(2, Ordering::Release);
    let nothing = b"GET /v1/nothing HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer T\r\n\r\n".to_vec();
    let both = [nothing, request(BODY)].concat();
    let heard = answers(&house.say(house.proxy, &[(both, Duration::ZERO)], false).await);
    let [broken, fine] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((broken.status, broken.code().as_str()), (500, "proxy.internal"));
    assert!(!broken.body.contains("clock"));
    assert_eq!(fine.status, 200, "the connection survives");
    let outcome = house.outcome(broken.decision()).await;
    assert_eq!(
        (outcome.verdict, outcome.cause.as_deref()),
        (Verdict::Failed, Some("panic: assertion `left != right` failed: the clock is broken\n  left: 1\n right: 1"))
    );
}

async fn outcomes(house: &House) -> Vec<OutcomeRecord> {
    let only = |record| match record {
        Record::Outcome(outcome) => Some(*outcome),
        Record::Intent(_) => None,
    };
    house.record().await.into_iter().filter_map(only).collect()
}

fn request(body: &str) -> Vec<u8> {
    format!(
        "POST /v1/query HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer T\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn an_asker_who_leaves_while_the_upstream_works_is_gone() {
    let house = house().await;
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_secs(2));
    let mut stream = TcpStream::connect(house.proxy).await.unwrap();
    stream.write_all(&request(BODY)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let outcomes = outcomes(&house).await;
    assert_eq!(outcomes.len(), 1);
    assert_eq!((outcomes[0].verdict, outcomes[0].status), (Verdict::Gone, 0));
    assert_eq!(house.record().await.len(), 2, "the intent stands beside it");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_to_its_end_is_cut() {
    let server = server::Settings { write_time: Duration::from_millis(300), ..Default::default() };
    let house = house_with(proxy::Settings::default(), server).await;
    let row = format!(r#"{{"group":{{"queueId":"q1"}},"data":["{}"]}}"#, "x".repeat(1000));
    let rows = vec![row; 900].join(",");
    house.upstream.replies(200, &format!(r#"{{"results":[{rows}]}}"#), Duration::ZERO);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(house.proxy).await.unwrap();
    // Many requests at once, and never a read: the socket's buffers fill and the rest has nowhere to go.
    stream.write_all(&request(r#"{"groupBy":["queueId"]}"#).repeat(12)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let outcomes = outcomes(&house).await;
    let cut: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Cut).collect();
    assert_eq!(cut.len(), 1, "{:?}", outcomes.iter().map(|outcome| outcome.verdict).collect::<Vec<_>>());
    assert!(cut[0].bytes_out < 900_000);
    drop(stream);
}

#[tokio::test]
async fn a_body_that_stops_or_is_cut_off_is_never_forwarded() {
    let settings = proxy::Settings { body_time: Duration::from_millis(300), ..Default::default() };
    let house = house_with(settings, server::Settings::default()).await;
    let whole = request(BODY);
    let half = whole[..whole.len() - 20].to_vec();
    let slow = house.say(house.proxy, &[(half.clone(), Duration::ZERO)], false).await;
    assert_eq!((answers(&slow)[0].status, answers(&slow)[0].code().as_str()), (408, "request.timeout"));
    house.say(house.proxy, &[(half, Duration::ZERO)], true).await;
    let verdicts: Vec<_> = outcomes(&house).await.iter().map(|outcome| outcome.verdict).collect();
    assert_eq!(verdicts.len(), 2);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Refused | Verdict::Gone)), "{verdicts:?}");
    assert!(house.upstream.sent().is_empty());
}

#[tokio::test]
async fn chunked_bodies_and_expectations_are_honoured() {
    let house = house().await;
    let start = "POST /v1/query HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer T\r\n";
    let chunked = format!("{start}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    let heard = house.say(house.proxy, &[(chunked.into_bytes(), Duration::ZERO)], false).await;
    assert_eq!(answers(&heard)[0].status, 200);
    assert_eq!(answers(&heard)[0].header("connection"), Some("close"));
    let expecting =
        format!("{start}Connection: close\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", BODY.len());
    let parts = [(expecting.into_bytes(), Duration::from_millis(100)), (BODY.as_bytes().to_vec(), Duration::ZERO)];
    let heard = house.say(house.proxy, &parts, false).await;
    assert!(heard.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), "{heard}");
    assert_eq!(house.upstream.sent().len(), 2);
    // Nobody is asked for a body that is not wanted.
    let unknown =
        format!("POST /v1/query HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", BODY.len());
    let heard = house.say(house.proxy, &[(unknown.into_bytes(), Duration::ZERO)], false).await;
    assert!(heard.starts_with("HTTP/1.1 401"), "{heard}");
}

/// A connection that ends with an answer says so in it: a client that pools it would lose its next question.
#[tokio::test]
async fn a_body_that_nobody_read_ends_the_connection_and_the_client_is_told() {
    let house = house().await;
    for (lines, body, closes) in [
        ("Authorization: Bearer T\r\n", BODY.to_owned(), None),
        ("", BODY.to_owned(), Some("close")),
        ("Authorization: Bearer T\r\n", format!("{{\"x\":\"{}\"}}", "y".repeat(2 << 20)), Some("close")),
    ] {
        let start = format!("POST /v1/query HTTP/1.1\r\nHost: h\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
        let heard = house.say(house.proxy, &[((start + &body).into_bytes(), Duration::ZERO)], false).await;
        assert_eq!(answers(&heard)[0].header("connection"), closes, "{lines}: {}", answers(&heard)[0].status);
    }
}

#[tokio::test]
async fn what_cannot_be_read_has_its_decision_too() {
    let house = house().await;
    let heard = house
        .say(house.proxy, &[(b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(), Duration::ZERO)], false)
        .await;
    let heard = &answers(&heard)[0];
    assert_eq!((heard.status, heard.code().as_str()), (400, "request.malformed"));
    assert_eq!(house.outcome(heard.decision()).await.verdict, Verdict::Refused);
}

#[tokio::test]
async fn too_many_at_once_are_told_so() {
    let settings = proxy::Settings { in_flight: 1, ..Default::default() };
    let house = house_with(settings, server::Settings::default()).await;
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_millis(500));
    let (first, second) = tokio::join!(house.ask_as("T", "POST /v1/query", BODY), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        house.ask_as("T", "POST /v1/query", BODY).await
    });
    assert_eq!((first.status, second.status, second.code().as_str()), (200, 503, "proxy.overloaded"));
}

#[tokio::test]
async fn an_answer_has_to_come_in_time() {
    let settings = proxy::Settings { total_time: Duration::from_millis(200), ..Default::default() };
    let house = house_with(settings, server::Settings::default()).await;
    house.upstream.replies(200, "{}", Duration::from_secs(5));
    let heard = house.ask_as("T", "POST /v1/query", BODY).await;
    assert_eq!((heard.status, heard.code().as_str()), (504, "proxy.timeout"));
    assert_eq!(house.lines(heard.decision()).await.len(), 2);
    let outcome = house.outcome(heard.decision()).await;
    assert_eq!(outcome.cause.as_deref(), Some("`total-time` of 200ms ended in the phase `fetch`"));
}
