//! Aggregates, details and platform queries, generated, in both worlds of every switch.

use super::{AGGREGATES, DETAILS, PLATFORM, US, naive, small, tiny};
use crate::sandbox::{Sandbox, Traits, stage::DAY};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Value, json};

const SWITCHES: [&str; 8] = [
    "entries-and",
    "same-segment",
    "leg-filter",
    "legs-contained",
    "division-of-leg",
    "division-of-case",
    "person-filter",
    "ids-only",
];

/// Every switch alone in its other world, and the default.
fn worlds() -> Vec<Traits> {
    let mut all = vec![Traits::default()];
    for switch in SWITCHES {
        let mut traits = Traits::default();
        assert!(traits.set(switch, switch == "division-of-leg"));
        all.push(traits);
    }
    all
}

fn now() -> i64 {
    1_795_168_800_000
}

fn text(millis: i64) -> String {
    crate::sandbox::interval::show(millis)
}

const QUEUES: [&str; 6] = ["q-pay-cards", "q-pay-wire", "q-sales-new", "q-svc-chat", "q-fraud-vip", "q-pay-old"];
const USERS: [&str; 5] = ["ana", "bo", "sofia", "u-0009", "mona"];
const DIVISIONS: [&str; 4] = ["d-payments-us", "d-sales-us", "d-bpo-acme-voice", "d-claims-us"];

fn atom(rng: &mut SmallRng, dimensions: &[&str]) -> Value {
    let dimension = *dimensions.choose(rng).unwrap();
    let operator = *["matches", "matches", "matches", "exists", "notExists"].choose(rng).unwrap();
    let value = match dimension {
        "queueId" => *QUEUES.choose(rng).unwrap(),
        "userId" | "evaluatorId" => *USERS.choose(rng).unwrap(),
        "divisionId" => *DIVISIONS.choose(rng).unwrap(),
        "mediaType" => *["voice", "chat"].choose(rng).unwrap(),
        "purpose" => *["agent", "acd", "customer"].choose(rng).unwrap(),
        "wrapUpCode" => "wu-sale",
        "surveyStatus" => "finished",
        _ => "inbound",
    };
    if operator == "matches" {
        json!({ "dimension": dimension, "operator": operator, "value": value })
    } else {
        json!({ "dimension": dimension, "operator": operator })
    }
}

fn filter(rng: &mut SmallRng, dimensions: &[&str]) -> Value {
    let word = |rng: &mut SmallRng| *["and", "or"].choose(rng).unwrap();
    let atoms = |rng: &mut SmallRng, least: usize| -> Vec<Value> {
        (0..rng.random_range(least..3)).map(|_| atom(rng, dimensions)).collect()
    };
    let clauses: Vec<Value> =
        (0..rng.random_range(0..3)).map(|_| json!({ "type": word(rng), "predicates": atoms(rng, 1) })).collect();
    let predicates = atoms(rng, usize::from(clauses.is_empty()));
    json!({ "type": word(rng), "predicates": predicates, "clauses": clauses })
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregates_are_what_rows_say() {
    let sandbox = tiny().await;
    let world = naive::load(sandbox.store(US).unwrap());
    let dimensions = ["queueId", "userId", "divisionId", "mediaType", "purpose", "wrapUpCode", "originatingDirection"];
    let metrics = [
        "nOffered",
        "nConnected",
        "nTransferred",
        "nConversations",
        "tHandle",
        "tTalk",
        "tHeld",
        "tAcw",
        "tWait",
        "tAbandon",
        "tAnswered",
    ];
    let mut rng = SmallRng::seed_from_u64(7);
    let mut with_rows = 0;
    for traits in worlds() {
        sandbox.set_traits(|set| *set = traits);
        for _ in 0..25 {
            let from = now() - rng.random_range(5..30) * DAY + rng.random_range(0..DAY);
            let until = from + rng.random_range(1..20) * DAY;
            let step = if rng.random_ratio(1, 3) { DAY } else { until - from };
            let mut body = json!({ "interval": format!("{}/{}", text(from), text(until)), "metrics": metrics });
            if step == DAY {
                body["granularity"] = json!("P1D");
            }
            if !rng.random_ratio(1, 6) {
                body["filter"] = filter(&mut rng, &dimensions);
            }
            let mut groups = dimensions.to_vec();
            groups.retain(|_| rng.random_ratio(1, 5));
            body["groupBy"] = json!(groups);
            let answer = sandbox.evaluate(US, AGGREGATES, &body).unwrap();
            let expected = naive::aggregate(&world, traits, (from, until, step), &body);
            assert_eq!(naive::answered(&answer, &body, (from, step)), expected, "{traits:?} {body}");
            with_rows += usize::from(!expected.is_empty());
        }
    }
    assert!(with_rows > 80, "{with_rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_what_rows_say() {
    let sandbox = tiny().await;
    let world = naive::load(sandbox.store(US).unwrap());
    let mut rng = SmallRng::seed_from_u64(8);
    let mut with_rows = 0;
    for traits in worlds() {
        sandbox.set_traits(|set| *set = traits);
        for _ in 0..25 {
            let from = now() - rng.random_range(1..25) * DAY;
            let until = from + rng.random_range(1..6 * DAY);
            let mut body =
                json!({ "interval": format!("{}/{}", text(from), text(until)), "paging": { "pageSize": 100 } });
            let arrays: [(&str, &[&str]); 4] = [
                ("conversationFilters", &["divisionId", "originatingDirection"]),
                ("segmentFilters", &["queueId", "userId", "purpose", "mediaType", "wrapUpCode"]),
                ("evaluationFilters", &["queueId", "userId", "evaluatorId"]),
                ("surveyFilters", &["queueId", "userId"]),
            ];
            for (member, dimensions) in arrays {
                let entries: Vec<Value> = (0..[0, 0, 1, 2].choose(&mut rng).copied().unwrap())
                    .map(|_| filter(&mut rng, dimensions))
                    .collect();
                if rng.random_ratio(1, 2) {
                    body[member] = json!(entries);
                }
            }
            let days = (from - from.rem_euclid(DAY), until + (-until).rem_euclid(DAY));
            let expected = naive::details(&world, traits, days, &body);
            let answer = sandbox.evaluate(US, DETAILS, &body).unwrap();
            assert_eq!(answer["totalHits"], json!(expected.len()), "{traits:?} {body}");
            let found: Vec<&str> = answer["conversations"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| one["conversationId"].as_str().unwrap())
                .collect();
            assert_eq!(found, expected[..found.len()], "{traits:?} {body}");
            assert_eq!(found.len(), expected.len().min(100));
            with_rows += usize::from(!expected.is_empty());
        }
    }
    assert!(with_rows > 40, "{with_rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn platform_queries_are_what_rows_say() {
    let sandbox = tiny().await;
    let world = naive::load(sandbox.store(US).unwrap());
    let mut rng = SmallRng::seed_from_u64(9);
    for division_of_leg in [false, true] {
        sandbox.set_traits(|set| set.division_of_leg = division_of_leg);
        let traits = sandbox.traits();
        for _ in 0..50 {
            let operator = *["EQUALS", "NOT_EQUALS", "IN", "NOT_IN", "EXISTS", "NOT_EXISTS", "GT", "LTE"]
                .choose(&mut rng)
                .unwrap();
            let dimension = *["queueId", "agentId", "userId", "divisionId"].choose(&mut rng).unwrap();
            let ordered = matches!(operator, "GT" | "LTE");
            let dimension = if ordered { "queueId" } else { dimension };
            let pool: &[&str] = match dimension {
                "queueId" => &QUEUES,
                "divisionId" => &DIVISIONS,
                _ => &USERS,
            };
            let values: Vec<&str> = match operator {
                "EXISTS" | "NOT_EXISTS" => Vec::new(),
                "IN" | "NOT_IN" => pool[..3].to_vec(),
                _ => vec![pool.choose(&mut rng).unwrap()],
            };
            let mut test = json!({ "dimension": dimension, "operator": operator });
            if !values.is_empty() {
                test["values"] = json!(values);
            }
            let nested = json!({ "type": "OR", "clauses": [{ "type": "AND", "predicates": [test] }] });
            let mut body = json!({
                "name": "t",
                "query": {
                    "dateFrom": "now-20d", "dateTo": "now", "filter": nested, "groupBy": ["mediaType"],
                    "aggregations": [{ "dimension": "handleTime", "function": "SUM" }, { "dimension": "interactions", "function": "COUNT" }],
                },
            });
            let asked_division = rng.random_ratio(1, 2).then(|| *DIVISIONS.choose(&mut rng).unwrap());
            if let Some(division) = asked_division {
                body["divisionId"] = json!(division);
            }
            let mut expected: std::collections::BTreeMap<String, (i64, std::collections::BTreeSet<i64>)> =
                std::collections::BTreeMap::new();
            for conversation in &world {
                for leg in &conversation.legs {
                    let name = if dimension == "agentId" { "userid".to_owned() } else { dimension.to_lowercase() };
                    let own = naive::leg_values(conversation, leg, traits, &name);
                    let any = own.iter().any(|value| values.contains(&value.as_str()));
                    let holds = match operator {
                        "EQUALS" | "IN" => any,
                        "NOT_EQUALS" | "NOT_IN" => !any,
                        "EXISTS" => !own.is_empty(),
                        "NOT_EXISTS" => own.is_empty(),
                        "GT" => own.iter().any(|value| value.as_str() > values[0]),
                        _ => own.iter().any(|value| value.as_str() <= values[0]),
                    };
                    let divisions = naive::leg_values(conversation, leg, traits, "divisionid");
                    let divided = asked_division.is_none_or(|division| divisions.iter().any(|own| own == division));
                    if holds && divided && leg.start >= now() - 20 * DAY && leg.end <= now() {
                        let sum = expected.entry(leg.facts["mediatype"].clone()).or_default();
                        sum.0 += leg.measures.get("tHandle").copied().unwrap_or_default();
                        sum.1.insert(conversation.n);
                    }
                }
            }
            let answer = sandbox.evaluate(US, PLATFORM, &body).unwrap();
            let found: Vec<(String, i64, i64)> = answer["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    let value = |key: &str| row["values"][key].as_i64().unwrap_or_default();
                    (
                        row["group"]["mediaType"].as_str().unwrap().to_owned(),
                        value("SUM(handleTime)"),
                        value("COUNT(interactions)"),
                    )
                })
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(media, (sum, all))| (media, sum, i64::try_from(all.len()).unwrap()))
                .collect();
            assert_eq!(found, expected, "{body}");
        }
    }
}

fn refused(sandbox: &Sandbox, path: &str, body: &Value) -> String {
    sandbox.evaluate(US, path, body).unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_upstream_does_not_serve() {
    let sandbox = small().await;
    let week = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z";
    let details = |interval: &str, filters: Value| json!({ "interval": interval, "segmentFilters": filters });
    let some = json!([{ "type": "and", "predicates": [{ "dimension": "queueId", "operator": "exists" }] }]);
    assert!(sandbox.evaluate(US, DETAILS, &details(week, json!([]))).is_ok());
    refused(&sandbox, DETAILS, &details("2026-11-01T00:00:00Z/2026-11-08T00:00:01Z", json!([])));
    assert!(sandbox.evaluate(US, DETAILS, &details("2026-10-01T00:00:00Z/2026-11-01T00:00:00Z", some.clone())).is_ok());
    refused(&sandbox, DETAILS, &details("2026-10-01T00:00:00Z/2026-11-01T00:00:01Z", some));
    refused(
        &sandbox,
        DETAILS,
        &details(week, json!([{ "type": "and", "predicates": [{ "dimension": "divisionId", "value": "x" }] }])),
    );
    refused(&sandbox, DETAILS, &details(week, json!([{}])));
    refused(&sandbox, AGGREGATES, &json!({ "interval": week, "metrics": ["tHandle"], "filter": {} }));
    refused(&sandbox, AGGREGATES, &json!({ "interval": week, "metrics": ["tHandle"], "groupBy": ["colour"] }));
    refused(&sandbox, AGGREGATES, &json!({ "interval": week, "metrics": ["tColour"] }));
    let users = |count: usize| {
        let list: Vec<Value> =
            (0..count).map(|n| json!({ "dimension": "userId", "value": format!("u-{n}") })).collect();
        json!({ "interval": week, "metrics": ["tSystemPresence"], "filter": { "type": "or", "predicates": list } })
    };
    let path = "/api/v2/analytics/users/aggregates/query";
    assert!(sandbox.evaluate(US, path, &users(100)).is_ok());
    refused(&sandbox, path, &users(101));
    // words of the platform have their case
    let platform = |word: &str, operator: &str| {
        json!({ "query": { "dateFrom": "now-1d", "dateTo": "now", "aggregations": [{ "dimension": "handleTime", "function": "SUM" }],
            "filter": { "type": word, "predicates": [{ "dimension": "queueId", "operator": operator, "values": ["q"] }] } } })
    };
    assert!(sandbox.evaluate(US, PLATFORM, &platform("AND", "EQUALS")).is_ok());
    refused(&sandbox, PLATFORM, &platform("and", "EQUALS"));
    refused(&sandbox, PLATFORM, &platform("AND", "equals"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_has_every_trait() {
    let sandbox = small().await;
    let world = naive::load(sandbox.store(US).unwrap());
    let legs: Vec<_> = world.iter().flat_map(|conversation| &conversation.legs).collect();
    let has = |leg: &naive::Leg, name: &str| leg.facts.contains_key(name);
    assert!(legs.iter().any(|leg| has(leg, "queueid") && !has(leg, "userid")));
    assert!(legs.iter().any(|leg| !has(leg, "queueid") && has(leg, "userid")));
    assert!(legs.iter().any(|leg| !has(leg, "queueid") && !has(leg, "userid") && leg.division.is_none()));
    for queue in ["q-pay-old", "q-pay-legacy", "q-fraud-vip", "q-rep-daily", "q-claims-legal"] {
        assert!(legs.iter().any(|leg| leg.facts.get("queueid").is_some_and(|own| own == queue)), "{queue}");
    }
    let moved: std::collections::BTreeSet<_> = legs
        .iter()
        .filter(|leg| leg.facts.get("queueid").is_some_and(|own| own == "q-pay-wire"))
        .map(|leg| leg.division.as_deref())
        .collect();
    assert_eq!(moved.len(), 2, "{moved:?}");
    assert!(world.iter().filter(|conversation| conversation.tags.len() > 1).count() > 50);
    assert!(world.iter().any(|conversation| conversation.tags.is_empty()));
    assert!(world.iter().any(|conversation| conversation.start % DAY == 0));
    assert!(world.iter().all(|conversation| conversation.start >= now() - 30 * DAY && conversation.end <= now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_data_and_another_seed_another() {
    let start = |seed| {
        Sandbox::start(crate::sandbox::Options { seed, interactions: 100, ..crate::sandbox::Options::default() })
    };
    let (one, two, other) = (start(5).await.unwrap(), start(5).await.unwrap(), start(6).await.unwrap());
    assert_eq!(one.legs(US).unwrap(), two.legs(US).unwrap());
    assert_ne!(one.legs(US).unwrap(), other.legs(US).unwrap());
    assert_eq!(one.regions(), [US, "eu-west-1"]);
}
