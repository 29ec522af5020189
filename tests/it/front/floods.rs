//! Clients that send much and ask for little, or never read: each is cut, and others do not notice.

use super::{
    frames::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, QUERY, RESET, SETTINGS, Wire, block,
        frame,
    },
    http2::plain,
    *,
};

const SOON: Duration = Duration::from_secs(5);

async fn flooded() -> House {
    let short = Duration::from_millis(500);
    let settings = proxy::Settings { body_time: short, ..Default::default() };
    plain(settings, server::Settings { write_time: short, idle_time: Duration::from_secs(2), ..Default::default() })
        .await
}

/// Says the same until the other side has enough; gives how often it took it.
async fn flood(wire: &mut Wire<TcpStream>, many: usize, mut said: impl FnMut(usize) -> Vec<u8>) -> usize {
    for nth in 0..many {
        if !wire.say(&said(nth)).await {
            return nth;
        }
    }
    many
}

async fn others_are_served(house: &House) {
    let heard = house.ask_as("T", "POST /v1/query", BODY).await;
    assert_eq!(heard.status, 200, "{heard:?}");
}

fn head(stream: u32, flags: u8) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | flags, stream, &block(&QUERY))
}

#[tokio::test]
async fn requests_that_are_reset_at_once() {
    let house = flooded().await;
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_millis(300));
    for pause in [Duration::ZERO, Duration::from_micros(300)] {
        let mut wire = Wire::begin(house.proxy, b"").await;
        let cancel = 8_u32.to_be_bytes();
        let mut opened = 0;
        while opened < 20_000_u32 {
            let stream = 1 + 2 * opened;
            if !wire.say(&[head(stream, 0), frame(RESET, 0, stream, &cancel)].concat()).await {
                break;
            }
            opened += 1;
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        assert!(opened < 20_000, "the connection took them all");
        assert!(wire.is_closed(SOON).await);
    }
    others_are_served(&house).await;
    let record = house.record().await;
    assert!(record.len() < 500, "{} lines", record.len());
}

#[tokio::test]
async fn a_head_without_end() {
    let house = flooded().await;
    let mut wire = Wire::begin(house.proxy, b"").await;
    assert!(wire.say(&frame(HEADERS, 0, 1, &block(&QUERY))).await);
    let piece = frame(CONTINUATION, 0, 1, &block(&[("x", "y")]));
    assert!(flood(&mut wire, 100_000, |_| piece.clone()).await < 100_000);
    assert!(wire.is_closed(SOON).await);
    others_are_served(&house).await;
}

#[tokio::test]
async fn frames_that_ask_for_nothing() {
    let house = flooded().await;
    let floods: [(&str, Vec<u8>); 4] = [
        ("empty data", frame(DATA, 0, 1, b"")),
        ("settings", frame(SETTINGS, 0, 0, b"")),
        ("pings", frame(PING, 0, 0, b"12345678")),
        ("frames of no known kind", frame(0xbe, 0, 1, b"")),
    ];
    for (name, said) in floods {
        let mut wire = Wire::begin(house.proxy, b"").await;
        assert!(wire.say(&head(1, 0)).await);
        // never read: what is answered has nowhere to go
        let took = flood(&mut wire, 2_000, |_| said.repeat(50)).await;
        assert!(took < 2_000, "{name}: the connection took them all");
        assert!(wire.is_closed(SOON).await, "{name}");
    }
    others_are_served(&house).await;
}

#[tokio::test]
async fn answers_that_nobody_makes_room_for() {
    let house = flooded().await;
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    let mut wire = Wire::begin(house.proxy, &[0, 4, 0, 0, 0, 0]).await;
    let asked: Vec<u8> = (0..50)
        .flat_map(|nth| [head(1 + 2 * nth, 0), frame(DATA, END_STREAM, 1 + 2 * nth, BODY.as_bytes())].concat())
        .collect();
    assert!(wire.say(&asked).await);
    assert!(wire.is_closed(SOON).await);
    others_are_served(&house).await;
}

/// Nobody of them is known, and none reads its refusal; who asks meanwhile is answered.
#[tokio::test]
async fn refusals_that_nobody_reads_keep_no_place() {
    let house = plain(proxy::Settings::default(), server::Settings::default()).await;
    let unknown: Vec<(&str, &str)> = QUERY.iter().copied().filter(|(name, _)| *name != "authorization").collect();
    let mut wires = Vec::new();
    for _ in 0..8 {
        // SETTINGS_INITIAL_WINDOW_SIZE = 0
        let mut wire = Wire::begin(house.proxy, &[0, 4, 0, 0, 0, 0]).await;
        let heads: Vec<u8> =
            (0..100).flat_map(|nth| frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * nth, &block(&unknown))).collect();
        assert!(wire.say(&heads).await);
        wires.push(wire);
    }
    let began = std::time::Instant::now();
    others_are_served(&house).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(wires);
}

/// Forms of log-ins that never end take no place of those who ask.
#[tokio::test]
async fn log_ins_that_never_end() {
    let settings = proxy::Settings { in_flight: 64, ..proxy::Settings::default() };
    let house = plain(settings, server::Settings::default()).await;
    let mut streams = Vec::new();
    for _ in 0..128 {
        let mut stream = TcpStream::connect(house.proxy).await.unwrap();
        let head = "POST /oauth/token HTTP/1.1\r\nHost: proxy.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    others_are_served(&house).await;
}

#[tokio::test]
async fn more_requests_at_once_than_a_connection_may_have() {
    let settings = server::Settings { streams: 10, ..Default::default() };
    let house = plain(proxy::Settings::default(), settings).await;
    house.upstream.replies(200, r#"{"results":[]}"#, Duration::from_millis(500));
    let mut wire = Wire::begin(house.proxy, b"").await;
    let heads: Vec<u8> = (0..40).flat_map(|nth| head(1 + 2 * nth, 0)).collect();
    assert!(wire.say(&heads).await);
    let refused = |frame: &Frame| frame.kind == RESET && frame.payload == 7_u32.to_be_bytes();
    let mut many = 0;
    while many < 30 {
        let frame = wire.hear(SOON).await.expect("a stream is refused");
        assert_ne!(frame.kind, GOAWAY);
        many += usize::from(refused(&frame));
    }
}

#[tokio::test]
async fn a_small_head_that_becomes_a_large_one() {
    let house = flooded().await;
    let mut wire = Wire::begin(house.proxy, b"").await;
    // a literal that enters the table, and is referred to again and again
    let long = "a".repeat(4000);
    let length = [0x7f, 0xa1, 0x1e];
    let entry = [&[0x40, 1, b'x'], &length[..], long.as_bytes()].concat();
    let bomb = [block(&QUERY), entry, vec![0xbe; 10_000]].concat();
    assert!(bomb.len() < 16 * 1024);
    wire.say(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb)).await;
    let heard = wire.hear_answer(1, SOON).await;
    assert!(!heard.iter().any(Frame::is_fine), "{heard:?}");
    assert!(heard.iter().any(|frame| frame.ends(1)) || wire.is_closed(SOON).await);
    assert!(house.upstream.sent().is_empty());
    others_are_served(&house).await;
}

#[tokio::test]
async fn bodies_that_drip() {
    let house = flooded().await;
    let mut wire = Wire::begin(house.proxy, b"").await;
    let heads: Vec<u8> = (0..20).flat_map(|nth| head(1 + 2 * nth, 0)).collect();
    assert!(wire.say(&heads).await);
    for byte in BODY.as_bytes().iter().take(4) {
        let drops: Vec<u8> = (0..20).flat_map(|nth| frame(DATA, 0, 1 + 2 * nth, &[*byte])).collect();
        assert!(wire.say(&drops).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut ended = std::collections::BTreeSet::new();
    while ended.len() < 20 {
        let frame = wire.hear(SOON).await.expect("every one of them is ended");
        assert!(!frame.is_fine());
        if frame.stream != 0 && frame.kind == HEADERS {
            ended.insert(frame.stream);
        }
    }
    assert!(house.upstream.sent().is_empty());
    let record = house.record().await;
    let late = |record: &&Record| matches!(record, Record::Outcome(outcome) if outcome.code.as_deref() == Some("request.timeout"));
    assert_eq!(record.iter().filter(late).count(), 20);
}
