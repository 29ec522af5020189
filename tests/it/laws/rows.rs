//! However many rows an answer has, each of them is judged: the first as the ten thousandth.

use super::{guard, program};
use crate::oracle::questions::Kind;
use bailiwick::policy::guard::Unguarded;
use serde_json::{Value, json};

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

fn group(queue: &str, number: usize) -> Value {
    json!({ "group": { "queueId": queue, "mediaType": "voice" }, "data": [
        { "interval": WEEK, "metrics": [{ "metric": "tHandle", "stats": { "count": number, "sum": 1 } }] },
    ] })
}

fn interaction(queue: &str, number: usize) -> Value {
    json!({ "conversationId": format!("c-{number}"), "participants": [{ "userId": "ana", "sessions": [{ "segments": [
        { "queueId": queue, "segmentStart": "2026-11-17T09:00:00Z", "segmentEnd": "2026-11-17T09:05:00Z" },
    ] }] }] })
}

type Row = fn(&str, usize) -> Value;

#[test]
fn every_row_is_judged_however_many_there_are() {
    let organisation = guard::organisation();
    let aggregates = json!({ "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle"] });
    let kinds: [(Kind, Value, &str, Row); 2] = [
        (Kind::Aggregates, aggregates, "results", group),
        (Kind::Details, json!({ "interval": WEEK }), "conversations", interaction),
    ];
    let patterns: [fn(usize, usize) -> bool; 5] = [
        |_, _| true,
        |_, _| false,
        |at, _| at % 2 == 1,
        // one of somebody else, as the first and as the last
        |at, _| at > 0,
        |at, all| at + 1 < all,
    ];
    let mut judged = 0;
    for (kind, asked, list, row) in kinds {
        let question = program::question(kind, asked.to_string().as_bytes());
        let plan = guard::planned(&organisation, "sofia", kind, question);
        for all in [1, 10, 11, 100, 10_000] {
            for mine in patterns {
                let rows: Vec<Value> =
                    (0..all).map(|at| row(if mine(at, all) { "cards" } else { "motor" }, at)).collect();
                let due: Vec<&Value> =
                    rows.iter().enumerate().filter(|(at, _)| mine(*at, all)).map(|(_, row)| row).collect();
                let answer = json!({ list: rows }).to_string();
                let guarded = plan.guard(Unguarded::new(200, answer.into_bytes())).unwrap();
                let shown = program::text(guarded.body());
                let shown = shown[list].as_array().unwrap();
                assert!(
                    shown.iter().eq(due.iter().copied()),
                    "{kind:?}: {} of {all} shown, {} due",
                    shown.len(),
                    due.len()
                );
                let foreign = u64::try_from(all - due.len()).unwrap();
                assert_eq!((guarded.rows_foreign(), guarded.rows_in()), (foreign, u64::try_from(all).unwrap()));
                judged += all;
            }
        }
    }
    println!("{judged} rows judged one by one");
}
