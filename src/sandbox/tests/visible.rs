//! The visible world: what is marked, and nothing else.

use super::{AGGREGATES, DETAILS, US, small};
use crate::sandbox::{Bounds, LegRow, Pick};
use jiff::Timestamp;
use serde_json::{Value, json};

const INTERVAL: &str = "2026-10-21T00:00:00Z/2026-11-20T00:00:00Z";

fn text(id: &str) -> String {
    id.to_owned()
}

fn owned(leg: &LegRow) -> bool {
    leg.queue.is_some() || leg.agent.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_and_bounds_agree_with_plain_code() {
    let sandbox = small().await;
    let legs = sandbox.legs(US).unwrap();
    let (from, until): (Timestamp, Timestamp) =
        ("2026-10-21T00:00:00Z".parse().unwrap(), "2026-11-20T00:00:00Z".parse().unwrap());
    let queues = ["q-pay-cards", "q-svc-chat"];
    let see = |leg: &LegRow| {
        leg.queue.as_deref().is_some_and(|queue| queues.contains(&queue))
            || (leg.queue.is_none() && leg.agent.as_deref() == Some("ana"))
    };
    let marks: Vec<i64> = legs.iter().filter(|leg| see(leg)).map(|leg| leg.id).collect();
    sandbox.mark_visible(US, &marks).unwrap();
    let marked = sandbox.count(US, from, until).unwrap();
    let inside: Vec<_> = legs.iter().filter(|leg| see(leg) && leg.start >= from && leg.end <= until).collect();
    assert_eq!(marked.legs, i64::try_from(inside.len()).unwrap());
    assert!(marked.legs > 20);
    let bounds = Bounds {
        queues: Pick::Only(queues.map(text).to_vec()),
        agents: Pick::Any,
        queueless: Pick::Only(vec![text("ana")]),
    };
    sandbox.mark_bounds(US, &[bounds]).unwrap();
    assert_eq!(sandbox.count(US, from, until).unwrap(), marked);
    sandbox
        .mark_bounds(US, &[Bounds { queues: Pick::Except(Vec::new()), agents: Pick::Any, queueless: Pick::Any }])
        .unwrap();
    let all = legs.iter().filter(|leg| owned(leg) && leg.start >= from && leg.end <= until).count();
    assert_eq!(sandbox.count(US, from, until).unwrap().legs, i64::try_from(all).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_marked_is_nothing_seen() {
    let sandbox = small().await;
    sandbox.mark_visible(US, &[]).unwrap();
    let aggregates = json!({ "interval": INTERVAL, "metrics": ["nConversations", "tHandle"] });
    assert_eq!(sandbox.evaluate_visible(US, AGGREGATES, &aggregates).unwrap(), json!({ "results": [] }));
    let week = json!({ "interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z" });
    assert_eq!(sandbox.evaluate_visible(US, DETAILS, &week).unwrap(), json!({ "totalHits": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_do_not_speak_of_hidden_legs() {
    let sandbox = small().await;
    let legs = sandbox.legs(US).unwrap();
    let marks: Vec<i64> =
        legs.iter().filter(|leg| leg.queue.as_deref() == Some("q-pay-wire")).map(|leg| leg.id).collect();
    sandbox.mark_visible(US, &marks).unwrap();
    let found = |filters: Value| {
        let mut body = json!({ "interval": INTERVAL, "paging": { "pageSize": 100 } });
        for (member, entry) in filters.as_object().unwrap() {
            body[member] = json!([{ "type": "and", "predicates": [entry] }]);
        }
        sandbox.evaluate_visible(US, DETAILS, &body).unwrap()
    };
    let own = found(json!({ "segmentFilters": { "dimension": "queueId", "value": "q-pay-wire" } }));
    let hits = own["totalHits"].as_i64().unwrap();
    assert!(hits > 5);
    // the division of a visible leg is that of its queue now, whatever the tag says
    let division = |id: &str| {
        found(json!({ "conversationFilters": { "dimension": "divisionId", "value": id } }))["totalHits"].clone()
    };
    assert_eq!(division("d-payments-us"), json!(hits));
    assert_eq!(division("d-sales-us"), json!(0));
    assert_eq!(
        found(json!({ "segmentFilters": { "dimension": "queueId", "value": "q-pay-cards" } }))["totalHits"],
        json!(0)
    );
    assert_eq!(
        found(json!({ "segmentFilters": { "dimension": "purpose", "value": "customer" } }))["totalHits"],
        json!(0)
    );
    let mut unowned = 0;
    for conversation in own["conversations"].as_array().unwrap() {
        for participant in conversation["participants"].as_array().unwrap() {
            for segment in participant["sessions"]
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|session| session["segments"].as_array().unwrap())
            {
                if let Some(queue) = segment["queueId"].as_str() {
                    assert_eq!(queue, "q-pay-wire");
                } else {
                    assert_eq!(participant["userId"], Value::Null);
                    unowned += 1;
                }
            }
        }
    }
    assert!(unowned > 5);
}
