//! What many connections that ask nothing cost those who ask: `cargo bench --bench crowd`.
//!
//! The program runs in a process of its own. Five rounds, each of them alone and beside 5,000 idle connections and 1,000 that
//! never end their head, in turns; a query is asked at a fixed rate and counts from its due time. Exits 1 when the middle ratio of
//! the slowest hundredth is more than 2, or when anything failed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::let_underscore_must_use,
    reason = "a bench stops at the first thing that is wrong, and prints what it measured"
)]

use bailiwick::bench::{Asked, Measured, Of, Plan, Target, measure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    fs,
    net::SocketAddr,
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

const IDLE: usize = 5_000;
const SLOW: usize = 1_000;
const ROUNDS: usize = 5;
const PLAN: Plan = Plan {
    rate: 100,
    round: Duration::from_secs(5),
    rounds: 1,
    connections: 8,
    full_speed: false,
    patience: Duration::from_secs(10),
};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let upstream = upstream().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    write("directory.json", include_str!("../tests/it/front/directory.json"));
    write("rules/house.toml", include_str!("../tests/it/front/house.toml"));
    write("rules/models.toml", include_str!("../tests/it/front/models.toml"));
    write(
        "rules/permissions.toml",
        "[expand]\n\"analytics:conversationAggregate:view\" = [\"analytics:conversationAggregate:view\"]\n",
    );
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    write(
        "bailiwick.toml",
        &format!(
            "[proxy]\nlisten = \"{address}\"\n[proxy.limits]\nconnections = {}\nhead-time = \"120s\"\nidle-time = \"120s\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[directory]\nfile = \"directory.json\"\n[rules]\npath = \"rules\"\n\
             [policy]\nassume = [\"leg-filter\", \"legs-contained\"]\n[[upstream]]\nregion = \"r1\"\nurl = \"http://{upstream}\"\n\
             client-id = \"c\"\nclient-secret = \"s\"\n[[identity.static]]\nuser = \"una\"\ntoken = \"T\"\n",
            IDLE + SLOW + 100,
        ),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.args(["serve", "--config", "bailiwick.toml"]).current_dir(folder.path());
    let _program = Program(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut ratios, mut failed) = (Vec::new(), 0);
    for round in 1..=ROUNDS {
        let (alone, beside) = if round % 2 == 0 {
            let beside = in_a_crowd(address).await;
            (ask(address).await, beside)
        } else {
            (ask(address).await, in_a_crowd(address).await)
        };
        failed += alone.fixed.through.failed() + beside.fixed.through.failed();
        let slowest = |measured: &Measured| measured.fixed.through.times.get(Of::P99).median;
        let ratio = slowest(&beside) / slowest(&alone);
        println!(
            "round {round}: p99 {:.0} us alone, {:.0} us beside the crowd: {ratio:.2}",
            slowest(&alone),
            slowest(&beside)
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
    println!("{IDLE} idle and {SLOW} slow connections: p99 {middle:.2} times the quiet one, {failed} failed");
    if middle <= 2.0 && failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

async fn ask(address: SocketAddr) -> Measured {
    let asked = Asked {
        method: http::Method::POST,
        path: "/v1/query".to_owned(),
        body: Some(br#"{"interval":"2024-01-01/2024-01-02","filter":{"type":"and","predicates":[{"dimension":"queueId","value":"q1"}]}}"#.to_vec()),
    };
    let target = Target {
        base: format!("http://{address}"),
        token: Some("T".to_owned().into()),
        way: bailiwick::egress::Way::default(),
    };
    measure(&asked, None, &target, &PLAN).await.unwrap()
}

async fn in_a_crowd(address: SocketAddr) -> Measured {
    let mut crowd = Vec::with_capacity(IDLE + SLOW);
    for nth in 0..IDLE + SLOW {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if nth < SLOW {
            stream.write_all(b"POST /v1/query HTTP/1.1\r\nHost: h\r\nX-Slow: ").await.unwrap();
        }
        crowd.push(stream);
    }
    let dripping = tokio::spawn(async move {
        loop {
            for stream in crowd.iter_mut().take(SLOW) {
                stream.write_all(b"x").await.unwrap();
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let measured = ask(address).await;
    dripping.abort();
    let _ended = dripping.await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    measured
}

/// Answers everything, log-ins among it.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: Request<Incoming>| async move {
                let body = match request.uri().path() {
                    "/oauth/token" => r#"{"access_token":"a","token_type":"bearer","expires_in":86400}"#,
                    _ => r#"{"results":[]}"#,
                };
                let answer = Response::builder().header("content-type", "application/json");
                Ok::<_, Infallible>(answer.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap())
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
