//! The guard over answers of every size, on every page, behind every form of a base path, whole, cut, broken or packed:
//! rows of others never pass, own rows always, and what cannot be read is not passed on.

use super::house::{AGGREGATES, DETAILS, House, Plan, US, WEEK};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    io::Write as _,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// What a reply does to the text of its answer.
type Packing = fn(Vec<u8>) -> Vec<u8>;

#[derive(Default)]
struct Script {
    answer: String,
    packing: Option<(Option<&'static str>, Packing)>,
    /// Paths that were asked for, log-ins left out, and whether an encoding was asked for.
    asked: Vec<(String, String)>,
}

/// An upstream that answers what it was told to, below any path.
struct Upstream {
    address: std::net::SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<Mutex<Script>> = Arc::default();
        let serving = script.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = serving.clone();
                let service = service_fn(move |request| reply(script.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, script }
    }

    fn says(&self, answer: String, packing: Option<(Option<&'static str>, Packing)>) {
        let mut script = self.script.lock().unwrap();
        (script.answer, script.packing) = (answer, packing);
    }

    fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

async fn reply(script: Arc<Mutex<Script>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let encoding = request.headers().get("accept-encoding").map_or("", |value| value.to_str().unwrap()).to_owned();
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    if path.ends_with("/oauth/token") {
        let token = json!({ "access_token": "t", "token_type": "bearer", "expires_in": 3_600 }).to_string();
        return Ok(Response::builder().header("content-type", "application/json").body(token.into()).unwrap());
    }
    let mut script = script.lock().unwrap();
    script.asked.push((path, encoding));
    let mut response = Response::builder().header("content-type", "application/json");
    let mut body = script.answer.clone().into_bytes();
    if let Some((encoding, packing)) = script.packing {
        body = packing(body);
        if let Some(encoding) = encoding {
            response = response.header("content-encoding", encoding);
        }
    }
    Ok(response.body(Full::new(body.into())).unwrap())
}

const MINE: [&str; 2] = ["q-pay-cards", "q-pay-disputes"];
const THEIRS: [&str; 3] = ["q-fraud-vip", "q-claims-motor", "q-of-nobody"];

fn group(queue: &str, number: usize) -> Value {
    json!({ "group": { "queueId": queue, "mediaType": format!("m-{number}") }, "data": [
        { "interval": WEEK, "metrics": [{ "metric": "tHandle", "stats": { "count": number, "sum": 1 } }] },
    ] })
}

fn interaction(queue: &str, number: usize) -> Value {
    json!({ "conversationId": format!("c-{number}"), "participants": [{ "participantId": "p", "userId": "ana", "sessions": [
        { "sessionId": "s", "segments": [
            { "queueId": queue, "segmentStart": "2026-11-10T09:00:00.000Z", "segmentEnd": "2026-11-10T09:05:00.000Z" },
        ] },
    ] }] })
}

/// Rows of which each third is mine, and which of them these are.
fn rows(many: usize, from: usize, row: fn(&str, usize) -> Value) -> (Vec<Value>, Vec<usize>) {
    let mine = |number: usize| number.is_multiple_of(3);
    let queue = |number: usize| if mine(number) { MINE[number % 2] } else { THEIRS[number % 3] };
    let numbers = || from..from + many;
    (numbers().map(|number| row(queue(number), number)).collect(), numbers().filter(|number| mine(*number)).collect())
}

fn gzip(body: Vec<u8>) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&body).unwrap();
    packed.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guard_judges_every_row_on_every_page_behind_every_base_path() {
    let (mut answers, mut judged, mut unread) = (0, 0, 0);
    for base in ["", "/", "/gateway", "/gateway/", "/one/two/"] {
        let upstream = Upstream::start().await;
        let url = format!("http://{}{base}", upstream.address);
        let house = House::of(Plan { upstream: Some((US, url)), interactions: 10, ..Plan::default() }).await;
        let below = base.trim_end_matches('/');
        for many in [1, 10, 11, 100, 10_000] {
            let (all, mine) = rows(many, 0, group);
            upstream.says(json!({ "results": all }).to_string(), None);
            let body = json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"] });
            let heard = house.post("sofia", AGGREGATES, &body).await;
            assert_eq!(heard.status, 200, "{base} {many}: {heard:?}");
            let got: Vec<String> = heard.json()["results"].as_array().unwrap().iter().map(Value::to_string).collect();
            let due: Vec<String> = mine.iter().map(|number| group(MINE[number % 2], *number).to_string()).collect();
            assert_eq!(got, due, "{base} {many}");
            for page in 1..=3 {
                let many = many.min(100);
                let (all, mine) = rows(many, 100 * page, interaction);
                upstream.says(json!({ "conversations": all, "totalHits": 300 }).to_string(), None);
                let body = json!({ "interval": WEEK, "paging": { "pageSize": 100, "pageNumber": page } });
                let heard = house.post("sofia", DETAILS, &body).await;
                assert_eq!(heard.status, 200, "{base} {many} page {page}: {heard:?}");
                let answer = heard.json();
                let got = answer["conversations"].as_array().unwrap().iter().map(|one| one["conversationId"].clone());
                let due: Vec<Value> = mine.iter().map(|number| json!(format!("c-{number}"))).collect();
                assert_eq!(got.collect::<Vec<_>>(), due, "{base} {many} page {page}");
                assert!(answer.get("totalHits").is_none() && THEIRS.iter().all(|queue| !heard.body.contains(queue)));
                judged += many;
                answers += 1;
            }
            judged += many;
            answers += 1;
        }
        // Nothing of what cannot be read passes, whatever of it could have been.
        let broken: [(&str, Option<&'static str>, Packing); 6] = [
            ("cut in half", None, |body| body[..body.len() / 2].to_vec()),
            ("without its last byte", None, |body| body[..body.len() - 1].to_vec()),
            ("more behind it", None, |body| [body, b"{}".to_vec()].concat()),
            ("packed, and so called", Some("gzip"), gzip),
            ("packed, and not so called", None, gzip),
            ("called packed, and plain", Some("gzip"), |body| body),
        ];
        for (how, encoding, packing) in broken {
            let (all, _) = rows(11, 0, group);
            upstream.says(json!({ "results": all }).to_string(), Some((encoding, packing)));
            let body = json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] });
            let heard = house.post("sofia", AGGREGATES, &body).await;
            assert_eq!(heard.status, 502, "{base} {how}: {heard:?}");
            assert!(MINE.iter().chain(&THEIRS).all(|queue| !heard.body.contains(queue)), "{base} {how}: {heard:?}");
            unread += 1;
        }
        let asked = upstream.asked();
        let due = [AGGREGATES, DETAILS].map(|path| format!("{below}{path}"));
        assert!(asked.iter().all(|(path, encoding)| due.contains(path) && encoding == "identity"), "{base}: {asked:?}");
    }
    println!("the guard behind 5 base paths: {answers} answers, {judged} rows judged, {unread} that could not be read");
}

/// Where answers may come packed, the same rows are judged, and a packed answer that is cut or broken is not passed on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packed_answers_are_judged_row_by_row() {
    let upstream = Upstream::start().await;
    let url = format!("http://{}/gateway/", upstream.address);
    let limits = "gzip = true";
    let house = House::of(Plan { upstream: Some((US, url)), limits, interactions: 10, ..Plan::default() }).await;
    let body = json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"] });
    for many in [1, 10, 11, 100, 10_000] {
        let (all, mine) = rows(many, 0, group);
        upstream.says(json!({ "results": all }).to_string(), Some((Some("gzip"), gzip)));
        let heard = house.post("sofia", AGGREGATES, &body).await;
        assert_eq!(heard.status, 200, "{many}: {heard:?}");
        let got: Vec<String> = heard.json()["results"].as_array().unwrap().iter().map(Value::to_string).collect();
        let due: Vec<String> = mine.iter().map(|number| group(MINE[number % 2], *number).to_string()).collect();
        assert_eq!(got, due, "{many}");
    }
    let broken: [(&str, Packing); 3] = [
        ("cut in half", |body| {
            let packed = gzip(body);
            packed[..packed.len() / 2].to_vec()
        }),
        ("not packed", |body| body),
        ("packed, and half of it inside", |body| gzip(body[..body.len() / 2].to_vec())),
    ];
    for (how, packing) in broken {
        let (all, _) = rows(11, 0, group);
        upstream.says(json!({ "results": all }).to_string(), Some((Some("gzip"), packing)));
        let heard = house.post("sofia", AGGREGATES, &body).await;
        assert_eq!(heard.status, 502, "{how}: {heard:?}");
        assert!(MINE.iter().chain(&THEIRS).all(|queue| !heard.body.contains(queue)), "{how}: {heard:?}");
    }
}
