use super::*;
use crate::policy::guard::Unguarded;
use crate::{
    audit::{
        Durability, Queries, Recorder,
        tests::{draft, proved},
    },
    base::clock::FixedClock,
    egress::Trust,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize},
    },
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use uuid::Uuid;

/// What the fake answers to the next API call.
#[derive(Clone)]
enum Act {
    Answer(u16, Vec<(&'static str, &'static str)>, &'static [u8]),
    /// Takes the request and says nothing.
    Hang,
    /// Begins an answer and breaks off.
    Break,
}

struct Sent {
    bytes: Option<Bytes>,
    whole: bool,
}

impl Sent {
    fn whole(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes), whole: true }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        match self.bytes.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.whole => Poll::Ready(None),
            None => Poll::Ready(Some(Err(std::io::Error::other("broken")))),
        }
    }
}

fn ok(body: &'static [u8]) -> Act {
    Act::Answer(200, Vec::new(), body)
}

/// An upstream on loopback that gives tokens `t1`, `t2`, ... and follows a script.
struct Fake {
    url: http::Uri,
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Request<()>>>>,
    tokens: Arc<AtomicU64>,
    token_status: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    async fn start(acts: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/prefix", listener.local_addr().unwrap()).parse().unwrap();
        let fake = Self {
            url,
            script: Arc::new(Mutex::new(acts.iter().cloned().collect())),
            seen: Arc::default(),
            tokens: Arc::default(),
            token_status: Arc::new(AtomicUsize::new(200)),
            connections: Arc::default(),
        };
        let (script, seen, tokens) = (fake.script.clone(), fake.seen.clone(), fake.tokens.clone());
        let (token_status, connections) = (fake.token_status.clone(), fake.connections.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, seen, tokens, token_status) =
                    (script.clone(), seen.clone(), tokens.clone(), token_status.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (script, seen, tokens, token_status) =
                        (script.clone(), seen.clone(), tokens.clone(), token_status.clone());
                    async move {
                        let path = request.uri().path().to_owned();
                        let (head, _) = request.into_parts();
                        seen.lock().unwrap().push(Request::from_parts(head, ()));
                        if path == "/prefix/oauth/token" {
                            let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
                            let text =
                                format!(r#"{{"access_token":"t{number}","token_type":"bearer","expires_in":600}}"#);
                            let status = u16::try_from(token_status.load(Ordering::SeqCst)).unwrap();
                            let answer = Response::builder().status(status);
                            return answer.body(Sent::whole(Bytes::from(text)));
                        }
                        let act = script.lock().unwrap().pop_front().unwrap_or(ok(b"{}"));
                        match act {
                            Act::Answer(status, headers, body) => {
                                let mut answer = Response::builder().status(status);
                                for (name, value) in headers {
                                    answer = answer.header(name, value);
                                }
                                answer.body(Sent::whole(Bytes::from_static(body)))
                            }
                            Act::Hang => std::future::pending().await,
                            Act::Break => {
                                Response::builder().body(Sent { bytes: Some(Bytes::from_static(b"{")), whole: false })
                            }
                        }
                    }
                });
                tokio::spawn(async move {
                    let _closed = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        fake
    }

    fn calls(&self) -> Vec<Request<()>> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| request.uri().path() != "/prefix/oauth/token").cloned().collect()
    }
}

fn region(name: &str, url: &http::Uri) -> RegionSettings {
    RegionSettings {
        region: name.to_owned(),
        url: url.clone(),
        way: Way::default(),
        credential: Credentials::Service { client_id: "proxy".to_owned(), client_secret: SecretString::from("hush") },
        login: None,
        times: Times {
            connect: Duration::from_millis(300),
            first_byte: Duration::from_millis(300),
            whole: Duration::from_millis(900),
        },
        concurrency: 2,
        wait: Duration::from_millis(50),
        max_answer_bytes: 64,
        gzip: false,
        media_hosts: Vec::new(),
        forward_subject: false,
    }
}

struct Bench {
    upstreams: Arc<Upstreams>,
    recorder: Recorder,
    clock: Arc<FixedClock>,
    _folder: tempfile::TempDir,
}

fn bench(regions: Vec<RegionSettings>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let record = crate::audit::Settings {
        folder: folder.path().to_owned(),
        durability: Durability::Relaxed,
        queries: Queries::Digest,
        segment_bytes: 1 << 20,
        slots: 64,
    };
    let clock = FixedClock::at(Timestamp::UNIX_EPOCH);
    let upstreams = Upstreams::new(&Settings { regions }, clock.clone(), Metrics::detached()).unwrap();
    let recorder = Recorder::start(record, Metrics::detached()).unwrap();
    Bench { upstreams: Arc::new(upstreams), recorder, clock, _folder: folder }
}

impl Bench {
    async fn ask(&self, region: &str) -> Result<Unguarded, Refusal> {
        let verified = proved("c-1");
        let slot = self.upstreams.enter(region, None).await?;
        let intent = self.recorder.intend(draft(Uuid::now_v7(), region), &verified).await?;
        self.upstreams.forward(verified, intent, slot).await?.whole().await
    }
}

fn param<'r>(refusal: &'r Refusal, name: &str) -> Option<&'r str> {
    refusal.params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_proved_query_leaves_with_our_own_headers_and_credential_only() {
    let fake = Fake::start(&[ok(b"{\"a\":1}")]).await;
    let bench = bench(vec![region("eu", &fake.url)]);
    let answer = bench.ask("eu").await.unwrap();
    assert_eq!((answer.status(), answer.len()), (200, 7));
    let calls = fake.calls();
    let head = &calls[0];
    assert_eq!(head.uri().path(), "/prefix/api/v2/conversations/c-1");
    let mut names: Vec<&str> = head.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "authorization", "bailiwick-passed", "host", "user-agent"]);
    assert_eq!(head.headers()["authorization"], "Bearer t1");
    assert_eq!(head.headers()["accept-encoding"], "identity");
    let seen = fake.seen.lock().unwrap();
    // base64 of `proxy:hush`
    assert_eq!(seen[0].headers()["authorization"], "Basic cHJveHk6aHVzaA==");
}

#[tokio::test]
async fn one_token_serves_many_until_it_ends() {
    let fake = Fake::start(&[]).await;
    let bench = Arc::new(bench(vec![RegionSettings { concurrency: 16, ..region("eu", &fake.url) }]));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let bench = bench.clone();
        tasks.spawn(async move { bench.ask("eu").await.map(|_| ()) });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(fake.tokens.load(Ordering::SeqCst), 1, "fetched once for all");
    // 600 seconds, less a tenth up to a minute.
    bench.clock.set(Timestamp::from_second(539).unwrap());
    bench.ask("eu").await.unwrap();
    assert_eq!(fake.tokens.load(Ordering::SeqCst), 1);
    bench.clock.set(Timestamp::from_second(540).unwrap());
    bench.ask("eu").await.unwrap();
    assert_eq!(fake.tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_is_no_longer_taken_is_renewed_once() {
    let rejected = || Act::Answer(401, Vec::new(), b"{}");
    let fake = Fake::start(&[rejected(), ok(b"{}"), rejected(), rejected(), ok(b"{}")]).await;
    let bench = bench(vec![region("eu", &fake.url)]);
    assert!(bench.ask("eu").await.is_ok());
    assert_eq!(fake.calls()[1].headers()["authorization"], "Bearer t2");
    let refusal = bench.ask("eu").await.unwrap_err();
    assert_eq!(refusal.code, Code::UpstreamCredential);
    assert_eq!(fake.calls().len(), 4, "no third try");
}

#[tokio::test]
async fn a_credential_that_is_refused_is_told_and_asked_for_once_a_second() {
    let fake = Fake::start(&[]).await;
    fake.token_status.store(401, Ordering::SeqCst);
    let bench = bench(vec![region("eu", &fake.url)]);
    for _ in 0..3 {
        let refusal = bench.ask("eu").await.unwrap_err();
        assert_eq!(refusal.code, Code::UpstreamCredential);
        assert!(!format!("{refusal:?}").contains("hush"));
    }
    assert_eq!(fake.tokens.load(Ordering::SeqCst), 1);
    assert!(fake.calls().is_empty());
    fake.token_status.store(200, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(bench.ask("eu").await.is_ok(), "recovers by itself");
}

#[tokio::test]
async fn what_is_no_success_becomes_a_refusal_that_quotes_nothing() {
    let answer = |status, headers| Act::Answer(status, headers, b"{\"message\":\"queue q-hidden\"}");
    let fake = Fake::start(&[
        answer(429, vec![("retry-after", "17")]),
        answer(400, vec![]),
        answer(404, vec![]),
        answer(403, vec![]),
        answer(503, vec![]),
        answer(302, vec![("location", "http://127.0.0.1:1/")]),
    ])
    .await;
    let bench = bench(vec![region("eu", &fake.url)]);
    let due = [
        (Code::UpstreamRefused, "429"),
        (Code::UpstreamRefused, "400"),
        (Code::UpstreamRefused, "404"),
        (Code::UpstreamCredential, "403"),
        (Code::UpstreamUnavailable, "503"),
        (Code::UpstreamRefused, "302"),
    ];
    for (code, status) in due {
        let refusal = bench.ask("eu").await.unwrap_err();
        assert_eq!((refusal.code, param(&refusal, "upstream-status")), (code, Some(status)));
        assert!(!refusal.message.contains("hidden") && !format!("{:?}", refusal.params).contains("hidden"));
        assert_eq!(param(&refusal, "retry-after"), (status == "429").then_some("17"));
        assert!(refusal.cause.unwrap().contains("hidden"), "the record keeps the words");
    }
}

#[tokio::test]
async fn answers_that_cannot_be_guarded_are_refused() {
    let large: &'static [u8] = &[b'x'; 65];
    let fake = Fake::start(&[
        ok(large),
        Act::Answer(200, vec![("content-encoding", "gzip")], b"x"),
        Act::Answer(200, vec![("content-encoding", "identity")], b"x"),
        Act::Break,
        Act::Hang,
    ])
    .await;
    let bench = bench(vec![region("eu", &fake.url)]);
    assert_eq!(bench.ask("eu").await.unwrap_err().code, Code::AnswerTooLarge);
    assert_eq!(bench.ask("eu").await.unwrap_err().code, Code::AnswerUnreadable);
    assert!(bench.ask("eu").await.is_ok());
    assert_eq!(bench.ask("eu").await.unwrap_err().code, Code::UpstreamUnavailable);
    assert_eq!(bench.ask("eu").await.unwrap_err().code, Code::UpstreamTimeout);
    assert!(bench.ask("eu").await.is_ok(), "the connection's fault is not the next query's");
}

#[tokio::test]
async fn packed_answers_are_unpacked_where_they_were_asked_for() {
    let pack = |text: &[u8]| -> &'static [u8] {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, text).unwrap();
        Vec::leak(packed.finish().unwrap())
    };
    let packed = |body| Act::Answer(200, vec![("content-encoding", "GZIP")], body);
    let fake = Fake::start(&[
        packed(pack(br#"{"a":1}"#)),
        ok(b"{}"),
        packed(pack(&[b'x'; 65])),
        packed(b"no gzip"),
        Act::Answer(200, vec![("content-encoding", "br")], b"x"),
        Act::Answer(200, vec![("content-encoding", "gzip"), ("content-encoding", "gzip")], b"x"),
    ])
    .await;
    let bench = bench(vec![RegionSettings { gzip: true, ..region("eu", &fake.url) }]);
    let ask = async || bench.ask("eu").await.map(|answer| answer.len()).map_err(|refusal| refusal.code);
    assert_eq!(ask().await, Ok(7));
    assert_eq!(ask().await, Ok(2), "what is not packed is taken too");
    assert_eq!(ask().await, Err(Code::AnswerTooLarge));
    for _ in 0..3 {
        assert_eq!(ask().await, Err(Code::AnswerUnreadable));
    }
    assert_eq!(fake.calls()[0].headers()["accept-encoding"], "gzip");
}

#[tokio::test]
async fn nobody_there_is_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let bench = bench(vec![region("eu", &url)]);
    assert_eq!(bench.ask("eu").await.unwrap_err().code, Code::UpstreamUnavailable);
    assert_eq!(bench.upstreams.opened("eu"), 0);
    assert_eq!(bench.ask("us").await.unwrap_err().code, Code::UpstreamUnavailable);
}

#[tokio::test]
async fn only_the_askers_region_sees_a_connection() {
    let (eu, us) = (Fake::start(&[]).await, Fake::start(&[]).await);
    let bench = bench(vec![region("eu", &eu.url), region("us", &us.url)]);
    bench.ask("eu").await.unwrap();
    bench.ask("eu").await.unwrap();
    assert_eq!(us.connections.load(Ordering::SeqCst), 0);
    assert_eq!(bench.upstreams.opened("us"), 0);
    // One for tokens, one for queries, both kept.
    assert_eq!(bench.upstreams.opened("eu"), 2);
    assert_eq!(eu.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_full_region_refuses_after_a_short_wait() {
    let fake = Fake::start(&[]).await;
    let bench = bench(vec![region("eu", &fake.url)]);
    let held = [bench.upstreams.enter("eu", None).await.unwrap(), bench.upstreams.enter("eu", None).await.unwrap()];
    assert_eq!(bench.upstreams.enter("eu", None).await.unwrap_err().code, Code::Overloaded);
    drop(held);
    assert!(bench.ask("eu").await.is_ok());
}

#[tokio::test]
async fn an_intent_for_another_query_or_region_forwards_nothing() {
    let fake = Fake::start(&[]).await;
    let bench = bench(vec![region("eu", &fake.url), region("us", &fake.url)]);
    let slot = bench.upstreams.enter("eu", None).await.unwrap();
    let intent = bench.recorder.intend(draft(Uuid::now_v7(), "eu"), &proved("c-2")).await.unwrap();
    let refusal = bench.upstreams.forward(proved("c-1"), intent, slot).await.unwrap_err();
    assert_eq!(refusal.code, Code::Internal);
    let slot = bench.upstreams.enter("eu", None).await.unwrap();
    let intent = bench.recorder.intend(draft(Uuid::now_v7(), "us"), &proved("c-1")).await.unwrap();
    assert_eq!(bench.upstreams.forward(proved("c-1"), intent, slot).await.unwrap_err().code, Code::Internal);
    assert_eq!(fake.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let url: http::Uri = "http://127.0.0.1:1".parse().unwrap();
    let new =
        |regions| Upstreams::new(&Settings { regions }, FixedClock::at(Timestamp::UNIX_EPOCH), Metrics::detached());
    assert!(matches!(new(vec![region("eu", &url), region("eu", &url)]), Err(UpstreamError::Twice { .. })));
    assert!(matches!(new(vec![region("eu", &"/only/path".parse().unwrap())]), Err(UpstreamError::Url { .. })));
    let unreadable = RegionSettings { way: Way::from(&Trust::File("/nowhere".into())), ..region("eu", &url) };
    assert!(matches!(new(vec![unreadable]), Err(UpstreamError::Egress { .. })));
}
