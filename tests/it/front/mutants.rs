//! Changed requests: whatever is forwarded, a second reader of HTTP reads in the same way. `BAILIWICK_CASES` sets how many.
//!
//! The second reader is the one that fuzzing holds the gate against. It takes more than the gate does; but where it
//! takes something else, or nothing, the proxy and somebody in front of it could be made to disagree.

#[path = "../../../src/fuzz/http.rs"]
mod http;

use super::{
    corpus::{cases, parts},
    *,
};
use percent_encoding::percent_decode_str;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};
use std::collections::{BTreeMap, btree_map::Entry};

const USUAL: usize = 1000;
/// One house has the changed requests of so many connections, one after the other for each of them.
const BATCH: usize = 1000;
const AT_ONCE: usize = 32;

/// What a second reader makes of a request, and what the record says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: String,
    authorization: Option<String>,
}

/// Every whole request in these bytes, up to the first that cannot be read.
fn second_reader(bytes: &[u8]) -> Vec<Read> {
    http::requests(bytes).into_iter().filter(|one| one.whole).map(read).collect()
}

fn read(request: http::Request) -> Read {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
    };
    let mut query: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    query.sort();
    Read {
        path: decoded(path),
        query,
        authorization: request.field("authorization").map(|value| String::from_utf8_lossy(value).into_owned()),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        method: request.method,
    }
}

/// What is put in somewhere.
const PIECES: [&[u8]; 34] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b"\x0c",
    b"\x7f",
    b"\x80",
    b"\xff",
    b":",
    b",",
    b";",
    b"%",
    b"%00",
    b"%2f",
    b"#",
    b"?",
    b"&",
    b"//",
    b"/../",
    b"\\",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"1\r\nx\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 112\r\n",
    b"Host: evil.test\r\n",
    b"Authorization: Bearer N\r\n",
    b"Connection: content-length\r\n",
    b"POST /v1/query HTTP/1.1\r\n",
];

fn mutant(seeds: &[Vec<u8>], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = seeds.choose(random).unwrap().clone();
    for _ in 0..random.random_range(1..=3) {
        if bytes.is_empty() {
            break;
        }
        // heads are what is read in two ways: most changes are made there
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let reach = if random.random_bool(0.8) { head } else { bytes.len() };
        let at = random.random_range(0..reach);
        match random.random_range(0..9) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => drop(bytes.remove(at)),
            3 | 4 => {
                let piece = PIECES.choose(random).unwrap();
                bytes.splice(at..at, piece.iter().copied());
            }
            5 => {
                // a line once more, or elsewhere
                let line = line(&bytes, at);
                let there = line_start(&bytes, random.random_range(0..reach));
                bytes.splice(there..there, line);
            }
            6 => {
                let start = line_start(&bytes, at);
                let end = (start + line(&bytes, at).len()).min(bytes.len());
                bytes.drain(start..end);
            }
            7 => {
                // the beginning of this and the end of another
                let other = seeds.choose(random).unwrap();
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.extend_from_slice(seeds.choose(random).unwrap()),
        }
    }
    bytes
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1)
}

fn line(bytes: &[u8], at: usize) -> Vec<u8> {
    let start = line_start(bytes, at);
    let end = bytes[start..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| start + end + 1);
    bytes[start..end].to_vec()
}

#[tokio::test]
async fn what_is_forwarded_is_read_in_one_way() {
    let many = std::env::var("BAILIWICK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    let whole =
        |case: &serde_json::Value| -> Vec<u8> { parts(case).into_iter().flat_map(|(bytes, _)| bytes).collect() };
    let cases = cases("http_cases.json");
    let seeds: Vec<Vec<u8>> = cases.iter().map(whole).filter(|bytes| bytes.len() < 4096).collect();
    // those that are forwarded bring forth more that are
    let fine: Vec<Vec<u8>> = cases.iter().filter(|case| case["expect"] != "reject").map(whole).collect();
    let seeds: Vec<Vec<u8>> = seeds.iter().cloned().chain(fine.iter().cycle().take(seeds.len()).cloned()).collect();
    let mut random = SmallRng::seed_from_u64(20_261_130);
    let (mut made, mut forwarded) = (0, 0);
    while made < many {
        let mutants: Vec<Vec<u8>> = (0..BATCH.min(many - made)).map(|_| mutant(&seeds, &mut random)).collect();
        made += mutants.len();
        forwarded += batch(&mutants).await;
    }
    println!("{made} changed requests, {forwarded} forwarded");
    assert!(forwarded * 20 > made, "{forwarded} of {made} were forwarded: too few to show anything");
}

/// How many were forwarded.
async fn batch(mutants: &[Vec<u8>]) -> usize {
    let short = Duration::from_millis(150);
    let server = server::Settings { head_time: short, idle_time: short, ..Default::default() };
    let house = Arc::new(house_with(proxy::Settings { body_time: short, ..Default::default() }, server).await);
    let mut said: BTreeMap<String, &Vec<u8>> = BTreeMap::new();
    for some in mutants.chunks(AT_ONCE) {
        let mut talking = tokio::task::JoinSet::new();
        for bytes in some {
            let stream = loop {
                // the system gives a port again soon; the record knows a connection by it
                let stream = TcpStream::connect(house.proxy).await.unwrap();
                if let Entry::Vacant(place) = said.entry(stream.local_addr().unwrap().to_string()) {
                    place.insert(bytes);
                    break stream;
                }
            };
            talking.spawn(talk(stream, bytes.clone()));
        }
        talking.join_all().await;
    }
    let is_known = |(scheme, token): (&str, &str)| scheme.eq_ignore_ascii_case("bearer") && token == "T";
    let mut arrived = house.upstream.sent().len();
    let (mut forwarded, mut reached) = (0, BTreeMap::new());
    for record in house.record().await {
        let Record::Intent(intent) = record else { continue };
        let bytes = said[&intent.peer];
        let asked = intent.asked.text.as_ref().expect("the text of what was asked");
        let mut query = asked.query.clone();
        query.sort();
        let same = |read: &Read| {
            let body = asked.body.as_deref().unwrap_or_default();
            (&*read.method, &*read.path, &read.query, &*read.body) == (&*asked.method, &*asked.path, &query, body)
                && read.authorization.as_deref().and_then(|value| value.split_once(' ')).is_some_and(is_known)
        };
        let read = second_reader(bytes);
        // requests of one connection are recorded in their order
        let reached: &mut usize = reached.entry(intent.peer.clone()).or_default();
        let Some(at) = read.iter().skip(*reached).position(same) else {
            panic!("forwarded: {asked:?}\nread by another: {read:?}\nin: {:?}", String::from_utf8_lossy(bytes));
        };
        *reached += at + 1;
        forwarded += 1;
        arrived = arrived.saturating_sub(1);
    }
    assert_eq!(arrived, 0, "every arrival is recorded");
    forwarded
}

async fn talk(mut stream: TcpStream, bytes: Vec<u8>) {
    let (mut reading, mut writing) = stream.split();
    let say = async {
        let _refused = writing.write_all(&bytes).await;
    };
    let hear = async {
        let mut space = [0_u8; 4096];
        while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_secs(4), reading.read(&mut space)).await {}
    };
    tokio::join!(say, hear);
}
