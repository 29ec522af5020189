//! An answer that needs nothing of the upstream is that which the upstream gives when nothing matches: whether it was
//! asked cannot be told from it.

use super::house::{AGGREGATES, DETAILS, House, PLATFORM, QUEUE_OBSERVATIONS, QUEUES};
use bailiwick::audit::Verdict;
use serde_json::{Value, json};

/// A week before the first interaction.
const LONG_AGO: &str = "2001-11-05T00:00:00.000Z/2001-11-12T00:00:00.000Z";

/// A question that nothing can match, and one that nothing happens to match.
fn pairs() -> Vec<(String, Value, Value)> {
    let never = || json!({ "dimension": "queueId", "operator": "notExists" });
    let no_queue = || json!({ "type": "and", "predicates": [never()] });
    let definition = |filter: Value| {
        let mut body = json!({ "name": "a \"name\" with {$.name}", "query": {
            "dateFrom": "2001-11-05T00:00:00Z", "dateTo": "2001-11-12T00:00:00Z", "groupBy": ["queueId"],
            "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
        } });
        if !filter.is_null() {
            body["query"]["filter"] = filter;
        }
        body
    };
    let with = |mut body: Value, name: &str, filter: Value| {
        body[name] = filter;
        body
    };
    let aggregates = json!({ "interval": LONG_AGO, "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let details = json!({ "interval": LONG_AGO });
    let observations = json!({ "metrics": ["oWaiting"] });
    let media = json!({ "type": "and", "predicates": [{ "dimension": "mediaType", "value": "cobrowse" }] });
    let without =
        json!({ "type": "AND", "predicates": [{ "dimension": "queueId", "operator": "NOT_EXISTS", "values": [] }] });
    let mut unnamed = (definition(without.clone()), definition(Value::Null));
    unnamed.0.as_object_mut().unwrap().remove("name");
    unnamed.1.as_object_mut().unwrap().remove("name");
    let post = |path: &str| format!("POST {path}");
    vec![
        (post(AGGREGATES), with(aggregates.clone(), "filter", no_queue()), aggregates),
        (post(DETAILS), with(details.clone(), "segmentFilters", json!([no_queue()])), details),
        (post(PLATFORM), definition(without), definition(Value::Null)),
        (post(PLATFORM), unnamed.0, unnamed.1),
        (
            post(QUEUE_OBSERVATIONS),
            with(observations.clone(), "filter", no_queue()),
            with(observations, "filter", media),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_answer_is_the_upstreams_own() {
    let house = House::new().await;
    for (line, never, nothing) in pairs() {
        let local = house.ask("sofia", &line, &never.to_string()).await;
        let forwarded = house.ask("sofia", &line, &nothing.to_string()).await;
        assert_eq!((local.status, forwarded.status), (200, 200), "{line}: {local:?} {forwarded:?}");
        let (_, of_local) = house.lines(local.decision()).await;
        let (_, of_forwarded) = house.lines(forwarded.decision()).await;
        assert_eq!((of_local.verdict, of_forwarded.verdict), (Verdict::Local, Verdict::Forwarded), "{line}");
        assert_eq!(local.json(), forwarded.json(), "{line}");
        let kind = |heard: &super::house::Heard| heard.header("content-type").map(str::to_owned);
        assert_eq!(kind(&local), kind(&forwarded), "{line}");
    }
    // A page of nothing is numbered as the asked one.
    let none = house.ask("sofia", &format!("GET {QUEUES}?name=nothing-of-the-kind&pageSize=7"), "").await;
    let due = json!({ "entities": [], "pageSize": 7, "pageNumber": 1, "total": 0, "pageCount": 0 });
    assert_eq!((none.status, none.json()), (200, due));
}
