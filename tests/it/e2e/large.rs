//! Answers larger than anybody would hold: judged and passed on while they arrive, in a process of its own whose memory is
//! read from outside; and answers that go wrong after a part of them has left.

use super::house::{AGGREGATES, WEEK, token};
use bailiwick::{audit::Verdict, sandbox::sample};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const MIB: usize = 1024 * 1024;

/// How an upstream ends what it began.
#[derive(Debug, Clone, Copy)]
enum End {
    /// As it should.
    Whole,
    /// The connection is closed.
    Broken,
    /// Well-formed HTTP, and no JSON.
    Garbage,
    /// The list of rows stands a second time.
    Twice,
}

/// A row of sofia's, a row of somebody else's, and so on, of a kilobyte each.
fn row(number: usize) -> String {
    let queue = if number.is_multiple_of(2) { "q-pay-cards" } else { "q-sales-new" };
    let padding = "x".repeat(900);
    format!(
        r#"{{"group":{{"queueId":"{queue}","mediaType":"voice"}},"data":[{{"interval":"{WEEK}","metrics":["{padding}"]}}]}}"#
    )
}

/// Answers every query with so many bytes of rows, in chunks.
fn upstream(bytes: usize, end: End, packed: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            thread::spawn(move || drop(answer(stream, bytes, end, packed)));
        }
    });
    address
}

fn answer(mut stream: TcpStream, bytes: usize, end: End, packed: bool) -> std::io::Result<()> {
    loop {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        if path.starts_with("/oauth") {
            let token = r#"{"access_token":"t","token_type":"bearer","expires_in":3600}"#;
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{token}",
                token.len()
            )?;
            continue;
        }
        let encoding = if packed { "Content-Encoding: gzip\r\n" } else { "" };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{encoding}Transfer-Encoding: chunked\r\n\r\n"
        )?;
        let mut packing = packed.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        let mut frame = |bytes: &[u8]| {
            if bytes.is_empty() {
                return Ok(());
            }
            write!(stream, "{:x}\r\n", bytes.len())?;
            stream.write_all(bytes)?;
            stream.write_all(b"\r\n")
        };
        let mut chunk = |text: &str| match &mut packing {
            Some(packing) => {
                packing.write_all(text.as_bytes())?;
                frame(&std::mem::take(packing.get_mut()))
            }
            None => frame(text.as_bytes()),
        };
        chunk(r#"{"results":["#)?;
        let (mut sent, mut number) = (0, 0);
        while sent < bytes {
            let rows: Vec<String> = (number..number + 64).map(row).collect();
            let text = format!("{}{}", if number > 0 { "," } else { "" }, rows.join(","));
            (sent, number) = (sent + text.len(), number + 64);
            chunk(&text)?;
        }
        match end {
            End::Whole => chunk("]}")?,
            End::Broken => return Ok(()),
            End::Garbage => chunk(", <html>]}")?,
            End::Twice => chunk(r#"],"results":[]}"#)?,
        }
        if let Some(packing) = packing {
            frame(&packing.finish()?)?;
        }
        write!(stream, "0\r\n\r\n")?;
    }
}

/// The program in a process of its own.
struct Proxy {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Proxy {
    fn before(upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("directory.json"), sample::directory().to_string()).unwrap();
        let regions = ["us-east-1", "eu-west-1"].iter().zip([upstream, SocketAddr::from(([127, 0, 0, 1], 9))]);
        let regions = regions.map(|(region, address)| {
            format!("[[upstream]]\nregion = \"{region}\"\nurl = \"http://{address}\"\nclient-id = \"c\"\nclient-secret = \"s\"\ntotal-time = \"5m\"\ngzip = true\n")
        });
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = format!(
            "[proxy]\nlisten = \"{address}\"\n[proxy.limits]\ntotal-time = \"5m\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[directory]\nfile = \"directory.json\"\n\
             [policy]\nassume = [\"entries-and\", \"same-segment\", \"leg-filter\", \"legs-contained\", \"ids-only\"]\n\
             {}[[identity.static]]\nuser = \"sofia\"\ntoken = \"{}\"\n",
            regions.collect::<String>(),
            token("sofia"),
        );
        let file = folder.path().join("bailiwick.toml");
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.arg("serve").arg("--config").arg(&file).current_dir(folder.path());
        let words = fs::File::create(folder.path().join("stderr")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(words).spawn().unwrap();
        let proxy = Self { child, address, folder };
        let since = Instant::now();
        while TcpStream::connect(address).is_err() {
            let words = || fs::read_to_string(proxy.folder.path().join("stderr")).unwrap();
            assert!(since.elapsed() < Duration::from_mins(1), "it does not listen: {}", words());
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }

    /// Most memory that the process ever had, in KiB.
    fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn ask(&self) -> Heard {
        let body = json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"] }).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        write!(
            stream,
            "POST {AGGREGATES} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            token("sofia"),
            body.len()
        )
        .unwrap();
        Heard::read(stream)
    }

    /// The last outcome of the record, once it is there.
    fn outcome(&self, due: usize) -> bailiwick::audit::OutcomeRecord {
        let since = Instant::now();
        loop {
            let lines = bailiwick::audit::read_dir(&self.folder.path().join("data/audit")).unwrap_or_default();
            let mut outcomes: Vec<_> = lines
                .into_iter()
                .filter_map(|line| match line.record {
                    bailiwick::audit::Record::Outcome(outcome) => Some(*outcome),
                    bailiwick::audit::Record::Intent(_) => None,
                })
                .collect();
            if outcomes.len() >= due {
                return outcomes.swap_remove(due - 1);
            }
            assert!(since.elapsed() < Duration::from_secs(10), "{} outcomes", outcomes.len());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// An answer, counted while it is read: nobody here holds it either.
#[derive(Debug, Default)]
struct Heard {
    status: u16,
    bytes: usize,
    mine: usize,
    foreign: usize,
    /// The last chunk came.
    whole: bool,
}

impl Heard {
    fn read(stream: TcpStream) -> Self {
        let mut reader = BufReader::with_capacity(MIB, stream);
        let mut heard = Self::default();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        heard.status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = None;
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = Some(value.trim().parse::<usize>().unwrap());
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut kept = Vec::new();
        if let Some(length) = length {
            kept.resize(length, 0);
            reader.read_exact(&mut kept).unwrap();
            heard.take(&mut kept);
            heard.whole = true;
            return heard;
        }
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return heard;
            }
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            if reader.read_exact(&mut chunk).is_err() {
                return heard;
            }
            if size == 0 {
                heard.whole = true;
                return heard;
            }
            kept.extend_from_slice(&chunk[..size]);
            heard.take(&mut kept);
        }
    }

    /// Counts the rows whose names are whole, and keeps what may be half a name.
    fn take(&mut self, kept: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(kept);
        self.mine += text.matches("\"q-pay-cards\"").count();
        self.foreign += text.matches("\"q-sales-new\"").count();
        let keep = text.rfind('"').filter(|at| kept.len() - at < 16).unwrap_or(kept.len());
        self.bytes += keep;
        kept.drain(..keep);
    }
}

#[test]
fn two_hundred_mebibytes_take_no_more_memory_than_two() {
    let peak = |bytes: usize, packed: bool| {
        let proxy = Proxy::before(upstream(bytes, End::Whole, packed));
        let heard = proxy.ask();
        let rows = bytes.div_ceil(64 * row(0).len() + 63) * 64;
        assert_eq!((heard.status, heard.whole, heard.foreign), (200, true, 0));
        assert!(heard.mine.abs_diff(rows / 2) <= 64, "{} of {rows}", heard.mine);
        let outcome = proxy.outcome(1);
        assert_eq!((outcome.verdict, outcome.rows_out), (Verdict::Forwarded, heard.mine as u64));
        assert_eq!((outcome.rows_foreign, outcome.rows_in), (heard.mine as u64, 2 * heard.mine as u64));
        assert!(outcome.bytes_in >= bytes as u64, "counted unpacked");
        proxy.peak()
    };
    let (small, large, packed) = (peak(2 * MIB, false), peak(200 * MIB, false), peak(200 * MIB, true));
    println!(
        "peak memory: {small} KiB for an answer of 2 MiB, {large} KiB for one of 200 MiB, {packed} KiB for it in gzip"
    );
    assert!(large.max(packed) < small + 16 * 1024, "{small} KiB, then {large} and {packed} KiB");
}

/// Before a part of it has left, a broken answer is a refusal; after that, nobody can take the part for the whole.
#[test]
fn what_goes_wrong_late_is_cut_and_said() {
    for (end, cause) in [(End::Broken, "broke off"), (End::Garbage, "JSON"), (End::Twice, "JSON")] {
        let proxy = Proxy::before(upstream(2 * MIB, end, false));
        let heard = proxy.ask();
        assert_eq!((heard.status, heard.whole, heard.foreign), (200, false, 0), "{end:?}");
        let outcome = proxy.outcome(1);
        assert_eq!((outcome.verdict, outcome.code.as_deref()), (Verdict::Cut, Some("answer.unreadable")), "{end:?}");
        assert!(outcome.cause.as_deref().is_some_and(|why| why.contains(cause)), "{end:?}: {:?}", outcome.cause);

        let proxy = Proxy::before(upstream(20 * 1024, end, false));
        let heard = proxy.ask();
        assert_eq!((heard.status, heard.whole, heard.mine), (502, true, 0), "{end:?}");
    }
}
