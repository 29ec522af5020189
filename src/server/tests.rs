//! Raw bytes through real sockets, answered by a handler that says what it saw.

use super::*;
use http_body_util::{BodyExt as _, Full};
use std::sync::Mutex;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[derive(Debug, Default)]
struct Echo {
    seen: Mutex<Vec<String>>,
}

impl Echo {
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Handler for Echo {
    type Body = Full<Bytes>;

    async fn handle(&self, request: Request<Incoming>, _: Peer) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        if head.uri.path() == "/slow" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert_ne!(head.uri.path(), "/panic", "asked to");
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Err(_) => return answer(400, "broken body"),
            }
        }
        let mut names: Vec<&str> = head.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        let line = format!("{} {} [{}] {}", head.method, head.uri, names.join(","), String::from_utf8_lossy(&bytes));
        self.seen.lock().unwrap().push(line);
        answer(200, "fine")
    }

    async fn unreadable(&self, fault: Fault, _: Peer) -> Response<Full<Bytes>> {
        match fault {
            Fault::Malformed(why) => answer(400, why),
            Fault::TooLarge(why) => answer(413, why),
            Fault::Timeout(why) => answer(408, why),
        }
    }
}

fn answer(status: u16, text: &'static str) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(Bytes::from_static(text.as_bytes()))).unwrap()
}

struct Running {
    address: SocketAddr,
    echo: Arc<Echo>,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

async fn start(settings: Settings) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (echo, shutdown) = (Arc::new(Echo::default()), CancellationToken::new());
    let served = tokio::spawn(serve(listener, Arc::clone(&echo), settings, shutdown.clone()));
    Running { address, echo, shutdown, served }
}

impl Running {
    /// Sends everything, ends the sending side when told to, and reads until the other side closes.
    async fn say(&self, parts: &[&[u8]]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        for part in parts {
            if stream.write_all(part).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut heard = Vec::new();
        let reading = async {
            let mut space = [0_u8; 4096];
            while let Ok(many @ 1..) = stream.read(&mut space).await {
                heard.extend_from_slice(&space[..many]);
            }
        };
        tokio::time::timeout(Duration::from_secs(3), reading).await.expect("the connection ends");
        String::from_utf8(heard).unwrap()
    }
}

fn statuses(heard: &str) -> Vec<&str> {
    heard.split("HTTP/1.1 ").skip(1).map(|rest| rest.split(' ').next().unwrap()).collect()
}

#[tokio::test]
async fn requests_follow_each_other_until_one_closes() {
    let running = start(Settings::default()).await;
    let one = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
    let two = b"\r\nGET /b?c=d HTTP/1.1\r\nhost: h\r\nX_User: x\r\nTE: trailers\r\nConnection: close\r\n\r\n";
    let heard = running.say(&[&[&one[..], &two[..]].concat()]).await;
    assert_eq!(statuses(&heard), ["200", "200"]);
    assert_eq!(running.echo.seen(), ["POST /a [content-length,host] hi", "GET /b?c=d [connection,host] "]);
}

#[tokio::test]
async fn it_does_not_matter_how_the_bytes_are_cut() {
    let running = start(Settings::default()).await;
    let whole = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhiPOST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
    let parts: Vec<&[u8]> = whole.chunks(1).collect();
    let heard = running.say(&parts).await;
    assert_eq!(statuses(&heard), ["200", "200"]);
    assert_eq!(
        running.echo.seen(),
        ["POST /a [content-length,host] hi", "POST /b [connection,host,transfer-encoding] abcd"]
    );
}

#[tokio::test]
async fn a_fault_is_answered_and_ends_the_connection() {
    let running = start(Settings::default()).await;
    let good = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
    for bad in [
        "GARBAGE\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        "\x16\x03\x01",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let heard = running.say(&[format!("{good}{bad}GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()]).await;
        assert_eq!(statuses(&heard), ["200", "400"], "{bad:?}: {heard}");
    }
    assert!(running.echo.seen().iter().all(|line| line.starts_with("POST /a ")));
}

#[tokio::test]
async fn a_broken_chunked_body_breaks_the_body_and_nothing_follows() {
    let running = start(Settings::default()).await;
    let start = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "+1\r\na\r\n0\r\n\r\n",
        "1\na\r\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1;\0\r\na\r\n0\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
    ] {
        let heard = running.say(&[format!("{start}{body}GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()]).await;
        assert_eq!(statuses(&heard), ["400"], "{body:?}");
    }
    assert!(running.echo.seen().is_empty());
}

#[tokio::test]
async fn what_is_too_large_or_too_slow_is_told_so() {
    let settings = Settings {
        head_time: Duration::from_millis(100),
        idle_time: Duration::from_millis(400),
        ..Settings::default()
    };
    let running = start(settings).await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(9000));
    assert_eq!(statuses(&running.say(&[long.as_bytes()]).await), ["413"]);
    let wide = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "a".repeat(1_000_000));
    assert_eq!(statuses(&running.say(&[wide.as_bytes()]).await), ["413"]);
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(200));
    assert_eq!(statuses(&running.say(&[many.as_bytes()]).await), ["413"]);
    assert_eq!(statuses(&running.say(&[b"GET / HTTP/1.1\r\nHo"]).await), ["408"]);
    assert_eq!(running.say(&[]).await, "", "an idle connection is closed without a word");
}

#[tokio::test]
async fn a_panic_ends_its_connection_and_nothing_else() {
    let running = start(Settings::default()).await;
    assert_eq!(running.say(&[b"GET /panic HTTP/1.1\r\nHost: h\r\n\r\n"]).await, "");
    let heard = running.say(&[b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"]).await;
    assert_eq!(statuses(&heard), ["200"]);
}

#[tokio::test]
async fn what_is_under_way_ends_before_the_server_does() {
    let running = start(Settings::default()).await;
    let shutdown = running.shutdown.clone();
    let asked = running.say(&[b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"]);
    let (heard, ()) = tokio::join!(asked, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        shutdown.cancel();
    });
    assert_eq!(statuses(&heard), ["200"]);
    let address = running.address;
    tokio::time::timeout(Duration::from_secs(2), running.served).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn requests_of_one_connection_are_counted() {
    let running = start(Settings { requests_per_connection: 2, ..Settings::default() }).await;
    let heard = running.say(&[&b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3)]).await;
    assert_eq!(statuses(&heard), ["200", "200"]);
    assert!(heard.contains("connection: close"));
}
