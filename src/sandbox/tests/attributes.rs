//! Attributes of queues as dimensions, against plain code over the legs.

use super::{AGGREGATES, PLATFORM, US};
use crate::sandbox::{LegRow, Options, Sandbox, sample};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FROM: &str = "2026-10-21T00:00:00Z";
const UNTIL: &str = "2026-11-20T00:00:00Z";

/// An empty value is none, and a name may hold what a statement would trip over.
const VALUES: [(&str, &str, &str); 6] = [
    ("q-pay-cards", "costCenter", "4100"),
    ("q-pay-wire", "costCenter", "4200"),
    ("q-svc-chat", "costCenter", "4100"),
    ("q-svc-care", "costCenter", ""),
    ("q-pay-cards", "who's \"it\"", "o'Neill"),
    ("q-pay-cards", "queueId", "not this one"),
];

async fn valued() -> Sandbox {
    let mut directory = sample::directory();
    for (id, name, value) in VALUES {
        let queue = directory["queues"].as_array_mut().unwrap().iter_mut().find(|queue| queue["id"] == id).unwrap();
        queue["attributes"][name] = value.into();
    }
    Sandbox::start(Options { interactions: 900, directory: Some(directory), ..Options::default() }).await.unwrap()
}

/// What a leg has: that of its queue.
fn value(leg: &LegRow, name: &str) -> Option<&'static str> {
    let queue = leg.queue.as_deref()?;
    VALUES
        .iter()
        .find(|(id, known, value)| *id == queue && *known == name && !value.is_empty())
        .map(|(.., value)| *value)
}

/// Which legs a filter keeps.
type Judge<'j> = &'j dyn Fn(&LegRow) -> bool;
type Counts = BTreeMap<String, usize>;

/// Interactions by value, `-` where there is none, of the legs that `judge` keeps.
fn due(legs: &[LegRow], name: &str, judge: Judge<'_>) -> Counts {
    let (from, until): (jiff::Timestamp, jiff::Timestamp) = (FROM.parse().unwrap(), UNTIL.parse().unwrap());
    let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for leg in legs.iter().filter(|leg| leg.start >= from && leg.end <= until && judge(leg)) {
        all.entry(value(leg, name).unwrap_or("-").to_owned()).or_default().insert(&leg.conversation);
    }
    all.into_iter().map(|(value, found)| (value, found.len())).collect()
}

fn platform(sandbox: &Sandbox, name: &str, filter: &Value) -> Result<Counts, String> {
    let body = json!({ "query": {
        "dateFrom": FROM, "dateTo": UNTIL, "groupBy": [name], "filter": filter,
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    } });
    let answer = sandbox.evaluate(US, PLATFORM, &body).map_err(|why| why.to_string())?;
    let row = |row: &Value| {
        let count = row["values"]["COUNT(interactions)"].as_u64().unwrap();
        (row["group"][name].as_str().unwrap_or("-").to_owned(), usize::try_from(count).unwrap())
    };
    Ok(answer["rows"].as_array().unwrap().iter().map(row).collect())
}

fn aggregates(sandbox: &Sandbox, name: &str, filter: &Value) -> Result<Counts, String> {
    let body = json!({
        "interval": format!("{FROM}/{UNTIL}"), "groupBy": [name.to_uppercase()], "metrics": ["nConversations"], "filter": filter,
    });
    let answer = sandbox.evaluate(US, AGGREGATES, &body).map_err(|why| why.to_string())?;
    let row = |row: &Value| {
        let count = row["data"][0]["metrics"][0]["stats"]["count"].as_u64().unwrap();
        (row["group"][name].as_str().unwrap_or("-").to_owned(), usize::try_from(count).unwrap())
    };
    Ok(answer["results"].as_array().unwrap().iter().map(row).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leg_has_the_value_of_its_queue() {
    let sandbox = valued().await;
    let legs = sandbox.legs(US).unwrap();
    let is = |leg: &LegRow, wanted: &str| value(leg, "costCenter") == Some(wanted);
    let cost = "costCenter";
    let cases: [(&str, Option<&str>, Value, Judge<'_>); 8] = [
        ("EQUALS", Some("matches"), json!(["4100"]), &|leg| is(leg, "4100")),
        ("EQUALS", Some("matches"), json!(["4199"]), &|_| false),
        ("IN", None, json!(["4100", "4200", "x"]), &|leg| value(leg, cost).is_some()),
        ("NOT_IN", None, json!(["4100", "x"]), &|leg| !is(leg, "4100")),
        ("NOT_EQUALS", None, json!(["4200"]), &|leg| !is(leg, "4200")),
        ("EXISTS", Some("exists"), json!([]), &|leg| value(leg, cost).is_some()),
        ("NOT_EXISTS", Some("notExists"), json!([]), &|leg| value(leg, cost).is_none()),
        ("GT", None, json!(["4100"]), &|leg| is(leg, "4200")),
    ];
    for (operator, word, values, judge) in cases {
        for name in [cost, "who's \"it\""] {
            let counted = due(&legs, name, judge);
            let filter =
                json!({ "type": "AND", "predicates": [{ "dimension": cost, "operator": operator, "values": values }] });
            assert_eq!(platform(&sandbox, name, &filter).unwrap(), counted, "{name} {operator}");
            let Some(word) = word else { continue };
            let mut predicate = json!({ "dimension": "COSTcenter", "operator": word });
            if let Some(one) = values[0].as_str() {
                predicate["value"] = one.into();
            }
            let filter = json!({ "type": "or", "predicates": [predicate] });
            assert_eq!(aggregates(&sandbox, name, &filter).unwrap(), counted, "{name} {word}");
        }
    }
    let all = due(&legs, cost, &|_| true);
    assert_eq!(all.keys().map(String::as_str).collect::<Vec<_>>(), ["-", "4100", "4200"]);
    assert!(all.values().all(|count| *count > 5), "{all:?}");
    assert_eq!(platform(&sandbox, cost, &Value::Null).unwrap(), all);
    assert_eq!(aggregates(&sandbox, cost, &Value::Null).unwrap(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_queue_has_is_a_dimension() {
    let sandbox = valued().await;
    let legs = sandbox.legs(US).unwrap();
    // The upstream's own dimension goes before an attribute of its name.
    let own = platform(&sandbox, "queueId", &Value::Null).unwrap();
    assert_eq!(own, aggregates(&sandbox, "queueId", &Value::Null).unwrap());
    assert!(own.contains_key("q-pay-cards") && !own.contains_key("not this one"), "{own:?}");
    for name in ["costCentre", "", "l.queue"] {
        let is = |word: &str| json!({ "type": word, "predicates": [{ "dimension": name, "operator": "exists" }] });
        assert!(aggregates(&sandbox, "costCenter", &is("and")).unwrap_err().contains("is no dimension"), "{name}");
        assert!(aggregates(&sandbox, name, &Value::Null).unwrap_err().contains("is no dimension"), "{name}");
        assert!(platform(&sandbox, name, &Value::Null).unwrap_err().contains("is no dimension"), "{name}");
    }
    // Words of the report-definition API have a case, and an attribute takes no range.
    assert!(platform(&sandbox, "COSTCENTER", &Value::Null).unwrap_err().contains("is no dimension"));
    let range = json!({ "type": "and", "predicates": [{ "dimension": "costCenter", "range": { "gt": 1 } }] });
    assert!(aggregates(&sandbox, "costCenter", &range).unwrap_err().contains("takes no range"));
    // The visible world has the values of the marked legs alone.
    let marks: Vec<i64> =
        legs.iter().filter(|leg| leg.queue.as_deref() == Some("q-pay-wire")).map(|leg| leg.id).collect();
    sandbox.mark_visible(US, &marks).unwrap();
    let body =
        json!({ "interval": format!("{FROM}/{UNTIL}"), "groupBy": ["costCenter"], "metrics": ["nConversations"] });
    let answer = sandbox.evaluate_visible(US, AGGREGATES, &body).unwrap();
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    assert_eq!(answer["results"][0]["group"], json!({ "costCenter": "4200" }));
}
