//! The program in a process of its own, and somebody who asks it and keeps all that he hears.

use crate::commands::run;
use bailiwick::egress::read_capped;
use base64::{Engine as _, engine::general_purpose as base64_of};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Bytes that the program gave away: where, and what may stand there, with the reason.
pub(super) struct Text {
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
    pub(super) due: Option<(String, &'static str)>,
}

/// The program, whose two outputs are files.
pub(super) struct Program {
    child: Child,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Program {
    pub(super) async fn start(folder: &Path, said: &Path, admin: SocketAddr) -> Self {
        let output = |name: &str| Stdio::from(fs::File::create(said.join(name)).unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.args(["serve", "--config", "bailiwick.toml"]).current_dir(folder).env("RUST_LOG", "trace");
        let child = command.stdout(output("stdout")).stderr(output("stderr")).spawn().unwrap();
        let program = Self { child };
        for _ in 0..600 {
            if TcpStream::connect(admin).await.is_ok() {
                return program;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not listen: {}", fs::read_to_string(said.join("stderr")).unwrap());
    }

    /// Ends it as a service manager does.
    pub(super) async fn stop(mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        for _ in 0..200 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not end");
    }
}

/// Somebody who asks in every way, and keeps all that he hears.
pub(super) struct Run {
    pub(super) to: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) clients: [Client<HttpConnector, Full<Bytes>>; 2],
    pub(super) texts: Vec<Text>,
    pub(super) statuses: BTreeMap<u16, usize>,
}

impl Run {
    pub(super) fn keep(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.texts.push(Text { place: place.to_owned(), bytes: bytes.into(), due: None });
    }

    /// Asks over both protocols, the control side over the one that it speaks. The status and the body of the last answer.
    pub(super) async fn ask(&mut self, line: &str, fields: &[(&str, &str)], body: &str) -> (u16, String) {
        let (method, target) = line.split_once(' ').unwrap();
        let mut last = (0, String::new());

        let protocols = if self.to == self.admin { 1 } else { 2 };
        for client in self.clients.clone().into_iter().take(protocols) {
            let build = || {
                let mut request = Request::builder().method(method).uri(format!("http://{}{target}", self.to));
                for (name, value) in fields {
                    request = request.header(*name, *value);
                }
                request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
            };
            // a connection that is closed after a body that was too large may be closed under the next request
            let mut answer = client.request(build()).await;
            for _ in 0..4 {
                if answer.is_err() {
                    answer = client.request(build()).await;
                }
            }
            let (head, body) = answer.unwrap_or_else(|why| panic!("{line}: {why:?}")).into_parts();
            let body = read_capped(body, 64 << 20).await.unwrap_or_default();
            let place = line.split(['?', ' ']).take(2).collect::<Vec<_>>().join(" ");
            self.keep(&format!("head of {place}"), format!("{:?} {:?}", head.status, head.headers));
            self.keep(&format!("body of {place}: {}", head.status), body.clone());
            *self.statuses.entry(head.status.as_u16()).or_default() += 1;
            last = (head.status.as_u16(), String::from_utf8_lossy(&body).into_owned());
        }
        last
    }

    /// Asks with a bearer.
    pub(super) async fn bear(&mut self, token: &str, line: &str, body: &str) -> (u16, String) {
        let bearer = format!("Bearer {token}");
        self.ask(line, &[("authorization", &bearer), ("content-type", "application/json")], body).await
    }

    /// Logs in with a form, and as Basic authorization says.
    pub(super) async fn log_in(&mut self, form: &str, basic: Option<&str>) -> u16 {
        let basic = basic.map(|pair| format!("Basic {}", base64_of::STANDARD.encode(pair)));
        let mut fields = vec![("content-type", "application/x-www-form-urlencoded")];
        fields.extend(basic.as_deref().map(|basic| ("authorization", basic)));
        self.ask("POST /oauth/token", &fields, form).await.0
    }

    /// What was said last in bodies may hold this secret.
    pub(super) fn due(&mut self, secret: &str, why: &'static str) {
        for text in self.texts.iter_mut().rev().take(4).filter(|text| text.place.starts_with("body")) {
            text.due = Some((secret.to_owned(), why));
        }
    }

    /// Writes bytes that are no request, or half of one.
    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.to).await.unwrap();
        let _refused = stream.write_all(bytes).await;
        let _closed = stream.shutdown().await;
        let mut heard = Vec::new();
        let _reset = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut heard)).await;
        self.keep("answer to broken bytes", heard);
    }

    pub(super) fn command(&mut self, folder: &Path, given: &[&str]) -> i32 {
        let (code, out, told) = run(folder, given);
        let place = given.iter().filter(|word| word.len() < 24).copied().collect::<Vec<_>>().join(" ");
        self.keep(&format!("output of `{place}`"), out);
        self.keep(&format!("errors of `{place}`"), told);
        code
    }
}
