//! What stands around documents and buckets: counts, and whether something holds. Whatever an upstream puts in their place,
//! no word of it passes.

use super::{Documents, counting, decide, draw, sent};
use crate::{
    laws::{program, way::organisations},
    oracle::search::answer,
};
use bailiwick::{
    decision::{Decided, Forward},
    policy::guard::Unguarded,
};
use serde_json::{Value, json};

/// Stands for whatever nobody may read.
const WORD: &str = "word-of-a-stranger";

fn guarded(forward: &Forward, upstream: &Value) -> Option<String> {
    let body = upstream.to_string().into_bytes();
    let guarded = forward.plan.guard(Unguarded::new(200, body)).ok()?;
    Some(String::from_utf8(guarded.into_body()).unwrap())
}

/// Every place of an answer, but those inside the fields of a document and inside buckets: these are judged one by one.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inside = at.ends_with("/_source") || at == "/aggregations";
    found.push(at.to_owned());
    match value {
        _ if inside => {}
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| places(member, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(nth, item)| places(item, &format!("{at}/{nth}"), found));
        }
        _ => {}
    }
}

#[test]
fn around_documents_stand_figures_and_nothing_else() {
    let (mut answers, mut changes) = (0, 0);
    for (mut dice, organisation) in organisations(54_000..54_040) {
        for _ in 0..5 {
            let Some((case, scope, mut body)) = draw(&mut dice, &organisation) else { continue };
            body["size"] = json!(4);
            let Ok(Decided::Forward(forward)) = decide(&organisation, &case, &scope, &body.to_string()) else {
                continue;
            };
            let documents = Documents::of(&organisation, &case.person, &counting(case.scope(&organisation.directory)));
            let mut honest = answer(&sent(&forward), &documents.all);
            honest["_shards"] = json!({ "total": 1, "successful": 1, "skipped": 0, "failed": 0 });
            let due = guarded(&forward, &honest).expect("an honest answer passes");
            for name in ["took", "timed_out", "_shards", "hits"] {
                assert_eq!(
                    program::text(due.as_bytes()).get(name).is_some(),
                    honest.get(name).is_some(),
                    "{name}: {due}"
                );
            }
            answers += 1;
            let mut all = Vec::new();
            places(&honest, "", &mut all);
            // the names of members may be anything too
            all.extend(["", "/hits", "/_shards", "/hits/hits/0"].map(|above| format!("{above}/{WORD}")));
            for place in all {
                // the one text that passes is the name of a document that may be seen, or of its index
                let named = place.ends_with("/_id") || place.ends_with("/_index");
                for wrong in [
                    json!(WORD),
                    json!({ WORD: WORD }),
                    json!([WORD]),
                    json!([{ "hits": [{ "_id": WORD, "_source": { "queueId": WORD } }] }]),
                    json!({ "value": WORD, "relation": WORD }),
                ] {
                    if named && wrong.is_string() {
                        continue;
                    }
                    let mut hostile = honest.clone();
                    if let Some(slot) = hostile.pointer_mut(&place) {
                        *slot = wrong;
                    } else {
                        let (above, name) = place.rsplit_once('/').unwrap();
                        let above = hostile.pointer_mut(above).and_then(Value::as_object_mut);
                        let Some(above) = above else { continue };
                        above.insert(name.to_owned(), wrong);
                    }
                    changes += 1;
                    if let Some(shown) = guarded(&forward, &hostile) {
                        assert!(!shown.contains(WORD), "{place}: {shown}\n{hostile}");
                    }
                }
            }
        }
    }
    println!("frames: {answers} answers, {changes} of their places filled with something else, no word of it shown");
    assert!(answers > 40 && changes > 2_000, "the cases are too easy");
}
