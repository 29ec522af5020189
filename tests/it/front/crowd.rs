//! Many connections that ask nothing, or never finish asking, before a program in a process of its own: whoever asks meanwhile is
//! answered, and what the crowd took is given back.

use super::{upstream::Upstream, *};
use bailiwick::egress::read_capped;
use http_body_util::Full;
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Instant,
};

const IDLE: usize = 5000;
const SLOW: usize = 1000;
/// Questions while the crowd is there, and between two of them.
const ASKED: usize = 100;
const PAUSE: Duration = Duration::from_millis(20);

struct Program {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Program {
    async fn before(upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        write("directory.json", include_str!("directory.json"));
        write("rules/house.toml", include_str!("house.toml"));
        write("rules/models.toml", include_str!("models.toml"));
        write("rules/permissions.toml", PERMISSIONS);
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let assumed: Vec<_> = Assumption::ALL.iter().map(|one| format!("\"{}\"", one.name())).collect();
        write(
            "bailiwick.toml",
            &format!(
                "[proxy]\nlisten = \"{address}\"\n[proxy.limits]\nconnections = {}\nhead-time = \"60s\"\n\
                 [admin]\nlisten = \"127.0.0.1:0\"\n[directory]\nfile = \"directory.json\"\n[rules]\npath = \"rules\"\n\
                 [policy]\nassume = [{}]\n[[upstream]]\nregion = \"r1\"\nurl = \"http://{upstream}\"\nclient-id = \"c\"\n\
                 client-secret = \"s\"\n[[identity.static]]\nuser = \"una\"\ntoken = \"T\"\n",
                IDLE + SLOW + 500,
                assumed.join(", "),
            ),
        );
        let words = fs::File::create(folder.path().join("stderr")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.args(["serve", "--config", "bailiwick.toml"]).current_dir(folder.path());
        let child = command.stdout(Stdio::null()).stderr(words).spawn().unwrap();
        let program = Self { child, address, folder };
        let since = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let words = fs::read_to_string(program.folder.path().join("stderr")).unwrap();
            assert!(since.elapsed() < Duration::from_mins(1), "it does not listen: {words}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        program
    }

    /// Memory that the process has now, in KiB.
    fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Waits until it has no more than so many KiB: what nobody uses is given back after a second.
    async fn released(&self, most: usize) {
        for _ in 0..100 {
            if self.memory() <= most {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Asks at a fixed rate; each question is answered. The time that 99 of 100 take at most.
    async fn asked(&self) -> Duration {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let mut asking = tokio::task::JoinSet::new();
        let mut tick = tokio::time::interval(PAUSE);
        for _ in 0..ASKED {
            tick.tick().await;
            let client = client.clone();
            let request = Request::post(format!("http://{}/v1/query", self.address))
                .header("authorization", "Bearer T")
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from_static(BODY.as_bytes())))
                .unwrap();
            asking.spawn(async move {
                let began = Instant::now();
                let answer = client.request(request).await.expect("an answer");
                assert_eq!(answer.status(), 200);
                read_capped(answer.into_body(), 1 << 20).await.unwrap();
                began.elapsed()
            });
        }
        let mut took = asking.join_all().await;
        took.sort_unstable();
        took[ASKED * 99 / 100]
    }
}

/// Connections of which some ask nothing and some have begun to.
async fn crowd(address: SocketAddr, idle: usize, slow: usize) -> Vec<TcpStream> {
    let mut crowd = Vec::with_capacity(idle + slow);
    for nth in 0..idle + slow {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if nth < slow {
            stream.write_all(b"POST /v1/query HTTP/1.1\r\nHost: h\r\nX-Slow: ").await.unwrap();
        }
        crowd.push(stream);
    }
    crowd
}

/// One byte more of each head that was begun.
async fn drip(crowd: &mut [TcpStream], slow: usize) {
    for stream in crowd.iter_mut().take(slow) {
        stream.write_all(b"x").await.expect("it is still read");
    }
}

/// How many files this process may have open.
fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX)
}

#[tokio::test]
async fn whoever_asks_is_answered_beside_thousands_who_do_not() {
    // a tenth of the crowd shows little; where no more files may be open, that is said
    let part = if open_files() > 2 * (IDLE + SLOW) { 1 } else { 10 };
    let (idle, slow) = (IDLE / part, SLOW / part);
    if part > 1 {
        eprintln!(
            "LEFT OUT: only {} files may be open, so {idle} + {slow} connections instead of {IDLE} + {SLOW}",
            open_files()
        );
    }
    let upstream = Upstream::start().await;
    let program = Program::before(upstream.address).await;
    program.asked().await;
    let alone = program.asked().await;
    let before = program.memory();
    let mut peaks = Vec::new();
    let mut beside = Duration::ZERO;
    for _ in 0..2 {
        let mut there = crowd(program.address, idle, slow).await;
        drip(&mut there, slow).await;
        beside = beside.max(program.asked().await);
        drip(&mut there, slow).await;
        peaks.push(program.memory());
        drop(there);
        program.released(before + (peaks[0].saturating_sub(before)) / 4).await;
    }
    let after = program.memory();
    println!(
        "{idle} idle and {slow} slow connections: memory {before} KiB before, {} and {} KiB with them, {after} KiB after; \
         99 of 100 answers within {alone:?} alone, {beside:?} beside them",
        peaks[0], peaks[1]
    );
    let took = peaks[0].saturating_sub(before);
    assert!(took / (idle + slow) < 24, "{} KiB for each connection", took / (idle + slow));
    let kept = after.saturating_sub(before);
    assert!(kept < took / 4, "{kept} KiB of {took} KiB were not given back");
    assert!(upstream.sent().len() >= 4 * ASKED, "every question reached the upstream");
}
