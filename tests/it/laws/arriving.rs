//! An answer is judged while it arrives: in whatever pieces it comes, what is shown is the same, and what is no JSON of an
//! answer is refused as if it had been read whole.

use super::{guard, program};
use crate::oracle::questions::Kind;
use bailiwick::{
    policy::guard::{GuardPlan, Raw, Unguarded},
    query::json,
};
use bytes::Bytes;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

fn plan() -> GuardPlan {
    let asked = serde_json::json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"] });
    let question = program::question(Kind::Aggregates, asked.to_string().as_bytes());
    guard::planned(&guard::organisation(), "sofia", Kind::Aggregates, question)
}

/// What is shown when the answer comes in these pieces.
fn arrives<'t>(plan: &GuardPlan, pieces: impl IntoIterator<Item = &'t [u8]>) -> Option<Vec<u8>> {
    let mut sieve = plan.clone().sieve(200, usize::MAX).ok()?.ok()?;
    let mut shown = Vec::new();
    for piece in pieces {
        sieve.push(&Raw::new(Bytes::copy_from_slice(piece))).ok()?;
        shown.extend(sieve.take());
    }
    sieve.end().ok()?;
    shown.extend(sieve.take());
    Some(shown)
}

const ANSWERS: [&str; 9] = [
    r#"{"results":[]}"#,
    r#" { "results" : [ {"group":{"queueId":"cards","mediaType":"voice"},"data":[]} , {"group":{"queueId":"motor"}} ] } "#,
    r#"{"a":{"results":[{"group":{"queueId":"motor"}}]},"results":[{"group":{"queueId":"cards"},"data":[{"x":"]},{["}]}],"b":[1,2]}"#,
    r#"{"a\"results\":[":1,"re\u0073ults":[{"group":{"queueId":"cards","mediaType":"a\\"}},null,7,"text",[],{}]}"#,
    r#"{"a":[{"results":[1]}],"b":"\"results\":[","results":[{"group":{"queueId":"c\u0061rds"}}]}"#,
    r"{}",
    r#"{"results":null}"#,
    r#"{"results":{"results":[]}}"#,
    r#"[{"results":[]}]"#,
];

#[test]
fn pieces_make_no_difference() {
    let plan = plan();
    let mut shown = 0;
    for answer in ANSWERS {
        let whole = plan
            .guard(Unguarded::new(200, answer.as_bytes().to_vec()))
            .ok()
            .map(bailiwick::policy::guard::Guarded::into_body);
        for size in 1..=answer.len() {
            assert_eq!(arrives(&plan, answer.as_bytes().chunks(size)), whole, "{answer} by {size}");
        }
        shown += usize::from(whole.is_some());
    }
    assert_eq!(shown, 6, "the last three are no answers");
}

/// Texts that are nearly answers: the strict reader says of the whole what the pieces have to say together.
#[test]
fn what_is_no_json_is_refused_in_pieces_too() {
    let plan = plan();
    let mut random = SmallRng::seed_from_u64(7);
    let (mut fine, mut refused) = (0_u32, 0_u32);
    for number in 0..40_000 {
        let mut text = ANSWERS[number % ANSWERS.len()].as_bytes().to_vec();
        for _ in 0..random.random_range(0..3) {
            let at = random.random_range(0..text.len());
            let piece = b"{}[],:\"\\ 1e.-ntf"[random.random_range(0..16)];
            match random.random_range(0..4) {
                0 => text[at] = piece,
                1 => text.insert(at, piece),
                2 if text.len() > 1 => drop(text.remove(at)),
                _ => {
                    let to = random.random_range(at..text.len());
                    let copy = text[at..to].to_vec();
                    text.splice(at..at, copy);
                }
            }
        }
        let size = random.random_range(1..=text.len());
        let shown = arrives(&plan, text.chunks(size));
        let read = json::parse(&text, &json::Limits::answer(1 << 20)).ok();
        let rows = read
            .as_ref()
            .map(|answer| (answer.as_object().is_some(), answer.get("results").map(json::Value::as_array)));
        let words = String::from_utf8_lossy(&text);
        match rows {
            // no list where the rows would be is an answer without rows
            Some((true, None)) => assert!(shown.is_some(), "{words}"),
            Some((true, Some(Some(rows)))) => {
                let shown = json::parse(&shown.unwrap_or_else(|| panic!("{words}")), &json::Limits::default()).unwrap();
                let visible = |row: &&json::Value| {
                    let alone = json::Value::object([("results", json::Value::array([(*row).clone()]))]).to_bytes();
                    plan.guard(Unguarded::new(200, alone)).unwrap().rows_out() == 1
                };
                let due = rows.iter().filter(visible).count();
                assert_eq!(shown.get("results").and_then(json::Value::as_array).map(<[_]>::len), Some(due), "{words}");
                fine += 1;
            }
            _ => {
                assert_eq!(shown, None, "{words}");
                refused += 1;
            }
        }
    }
    println!("{fine} answers with rows, {refused} refused");
    assert!(fine > 5_000 && refused > 5_000);
}

/// A row, or what stands around the rows, is bounded; how many rows there are is not.
#[test]
fn what_is_held_is_bounded() {
    let plan = plan();
    let row = br#"{"group":{"queueId":"cards"}},"#;
    let ends = |limit: usize, head: &[u8], rows: usize, tail: &[u8]| {
        let mut sieve = plan.clone().sieve(200, limit).unwrap().unwrap();
        let mut held = 0;
        let mut push = |text: &[u8]| {
            let ended = sieve.push(&Raw::new(Bytes::copy_from_slice(text)));
            held = held.max(sieve.held());
            sieve.take();
            ended.map_err(|refusal| refusal.code.as_str())
        };
        push(head)?;
        for _ in 0..rows {
            push(row)?;
        }
        push(tail)?;
        assert!(held < 4 * limit, "{held} bytes");
        sieve.end().map_err(|refusal| refusal.code.as_str())
    };
    assert_eq!(ends(64, br#"{"results":["#, 20_000, b"{}]}"), Ok(()));
    let long = format!(r#"{{"group":{{"queueId":"{}"}}}}]}}"#, "x".repeat(64));
    assert_eq!(ends(64, br#"{"results":["#, 3, long.as_bytes()), Err("answer.too-large"));
    let before = format!(r#"{{"x":"{}","results":["#, "x".repeat(64));
    assert_eq!(ends(64, before.as_bytes(), 3, b"{}]}"), Err("answer.too-large"));
    let behind = format!(r#"{{}}],"x":"{}"}}"#, "x".repeat(64));
    assert_eq!(ends(64, br#"{"results":["#, 3, behind.as_bytes()), Err("answer.too-large"));
    for twice in [
        &br#"{}],"results":[]}"#[..],
        br#"{}],"RESULTS":1}"#,
        br#"{}],"x":1,"x":2}"#,
        b"{}],}",
        b"{}]}}",
        b"{}]} 1",
        b"{}",
    ] {
        assert_eq!(
            ends(64, br#"{"results":["#, 3, twice),
            Err("answer.unreadable"),
            "{}",
            String::from_utf8_lossy(twice)
        );
    }
    assert_eq!(ends(64, br#"{"y":1,"results":["#, 3, br#"{}],"Y":2}"#), Err("answer.unreadable"));
}
