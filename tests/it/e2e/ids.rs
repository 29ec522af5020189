//! Every place where an id can stand, with an id of a parent division, of another region, and one that is outside.
//! What is outside, dead, of another region or invented has one answer; the other region hears nothing of it.

use super::house::{
    AGGREGATES, DETAILS, DIVISIONS, EU, House, PLATFORM, Plan, QUEUE_OBSERVATIONS, QUEUES, US, USER_AGGREGATES,
    USER_OBSERVATIONS, USERS, WEEK,
};
use super::truth::Truth;
use crate::oracle::questions::Kind;
use bailiwick::sandbox::{LegRow, sample};
use serde_json::{Value, json};

/// What kind of id stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Queue,
    User,
    Division,
}

/// A place, and the request in which an id stands there.
struct Place {
    name: String,
    of: Of,
    request: Box<dyn Fn(&str) -> (String, Value)>,
}

fn place(name: impl Into<String>, of: Of, request: impl Fn(&str) -> (String, Value) + 'static) -> Place {
    Place { name: name.into(), of, request: Box::new(request) }
}

/// An id of each kind that the asker may name.
fn own(of: Of) -> &'static str {
    match of {
        Of::Queue => "q-claims-motor",
        Of::User => "carl",
        Of::Division => "d-claims-us",
    }
}

/// Ids that the asker may not name, with the code that is due.
fn forbidden(of: Of) -> Vec<(&'static str, &'static str)> {
    let outside = |ids: &[&'static str]| ids.iter().map(|id| (*id, "scope.outside")).collect::<Vec<_>>();
    match of {
        // of another division, another region, restricted, closed, archived, deleted, invented, and nearly right
        Of::Queue => outside(&[
            "q-sales-new",
            "q-eu-pay-cards",
            "q-fraud-vip",
            "q-claims-legal",
            "q-sales-old",
            "q-pay-legacy",
            "no-such-queue",
            "Q-CLAIMS-MOTOR",
            "q-claims-motor ",
            "q-claims-moto",
        ]),
        // of another division, another region, in a parent division, invented
        Of::User => outside(&["ana", "eva", "pat", "no-such-user", "CARL"]),
        Of::Division => vec![
            ("d-us", "division.parent-scan"),
            ("d-bpo-acme", "division.parent-scan"),
            ("d-eu", "region.cross-region-scan"),
            ("d-payments-eu", "region.cross-region-scan"),
            ("d-sales-us", "scope.outside"),
            ("d-reporting-us", "scope.outside"),
            ("no-such-division", "scope.outside"),
            ("D-CLAIMS-US", "scope.outside"),
        ],
    }
}

fn predicate(dimension: &str, id: &str) -> Value {
    json!({ "type": "dimension", "dimension": dimension, "operator": "matches", "value": id })
}

/// Both levels, beside an own id under an `or`, short forms, and spellings of the dimension's name.
fn filters(dimension: &'static str, of: Of) -> Vec<(String, Box<dyn Fn(&str) -> Value>)> {
    let media = json!({ "dimension": "mediaType", "value": "voice" });
    let names = [dimension.to_owned(), dimension.to_uppercase(), dimension.to_lowercase()];
    let mut all: Vec<(String, Box<dyn Fn(&str) -> Value>)> = Vec::new();
    for name in names {
        let of_name = name.clone();
        all.push((
            format!("{name} at the root"),
            Box::new(move |id| json!({ "type": "and", "predicates": [predicate(&of_name, id)] })),
        ));
        let of_name = name.clone();
        all.push((format!("{name} in a clause"), Box::new(move |id| {
            json!({ "type": "and", "clauses": [{ "type": "or", "predicates": [predicate(&of_name, id)] }] })
        })));
    }
    all.push((
        format!("{dimension} beside an own one"),
        Box::new(
            move |id| json!({ "type": "or", "predicates": [predicate(dimension, own(of)), predicate(dimension, id)] }),
        ),
    ));
    all.push((
        format!("{dimension} in the second of two clauses"),
        Box::new(move |id| {
            let one = |id: &str| json!({ "type": "and", "predicates": [predicate(dimension, id)] });
            json!({ "type": "OR", "clauses": [one(own(of)), one(id)] })
        }),
    ));
    all.push((
        format!("{dimension} without type and operator"),
        Box::new(move |id| json!({ "type": "and", "predicates": [{ "dimension": dimension, "value": id }] })),
    ));
    if dimension == "queueId" {
        all.push((
            format!("{dimension} beside another dimension"),
            Box::new(move |id| json!({ "type": "or", "predicates": [media, predicate(dimension, id)] })),
        ));
    }
    all
}

fn genesys() -> Vec<Place> {
    use Of::{Division, Queue, User};
    let dimensions = [("queueId", Queue), ("userId", User), ("divisionId", Division)];
    let mut all = Vec::new();
    for (dimension, of) in dimensions {
        for (name, filter) in filters(dimension, of) {
            all.push(place(format!("aggregates: {name}"), of, move |id| {
                let body =
                    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"], "filter": filter(id) });
                (format!("POST {AGGREGATES}"), body)
            }));
        }
    }
    let arrays = [
        ("segmentFilters", "queueId", Queue),
        ("segmentFilters", "userId", User),
        ("conversationFilters", "divisionId", Division),
        ("evaluationFilters", "queueId", Queue),
        ("evaluationFilters", "userId", User),
        ("surveyFilters", "queueId", Queue),
        ("surveyFilters", "userId", User),
    ];
    for (array, dimension, of) in arrays {
        for (name, filter) in filters(dimension, of).into_iter().filter(|(name, _)| !name.contains("another")) {
            all.push(place(format!("details: {array}: {name}"), of, move |id| {
                (format!("POST {DETAILS}"), json!({ "interval": WEEK, array: [filter(id)] }))
            }));
        }
        all.push(place(format!("details: {array}: {dimension} in the second entry"), of, move |id| {
            let entry = |id: &str| json!({ "type": "and", "predicates": [predicate(dimension, id)] });
            (format!("POST {DETAILS}"), json!({ "interval": WEEK, array: [entry(own(of)), entry(id)] }))
        }));
    }
    for (path, metric, dimension, of) in [
        (QUEUE_OBSERVATIONS, "oWaiting", "queueId", Queue),
        (USER_AGGREGATES, "tSystemPresence", "userId", User),
        (USER_OBSERVATIONS, "oMemberQueues", "userId", User),
    ] {
        for (name, filter) in filters(dimension, of).into_iter().filter(|(name, _)| !name.contains("another")) {
            all.push(place(format!("{path}: {name}"), of, move |id| {
                let mut body = json!({ "metrics": [metric], "filter": filter(id) });
                if path == USER_AGGREGATES {
                    body["interval"] = json!(WEEK);
                }
                (format!("POST {path}"), body)
            }));
        }
    }
    all
}

fn definition(filter: &Value) -> Value {
    let mut body = json!({ "name": "ids", "query": {
        "dateFrom": "2026-11-08T00:00:00Z", "dateTo": "2026-11-15T00:00:00Z", "groupBy": ["queueId"],
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    } });
    if !filter.is_null() {
        body["query"]["filter"] = filter.clone();
    }
    body
}

fn platform() -> Vec<Place> {
    use Of::{Division, Queue, User};
    let mut all = Vec::new();
    for (dimension, of) in [("queueId", Queue), ("agentId", User), ("userId", User), ("divisionId", Division)] {
        for operator in ["EQUALS", "IN", "NOT_EQUALS", "NOT_IN"] {
            all.push(place(format!("platform: {dimension} {operator}"), of, move |id| {
                let predicate = json!({ "dimension": dimension, "operator": operator, "values": [id] });
                (format!("POST {PLATFORM}"), definition(&json!({ "type": "AND", "predicates": [predicate] })))
            }));
        }
        for operator in ["IN", "NOT_IN"] {
            all.push(place(
                format!("platform: {dimension} {operator} beside an own one, in a clause"),
                of,
                move |id| {
                    let predicate = json!({ "dimension": dimension, "operator": operator, "values": [own(of), id] });
                    let clause = json!({ "type": "OR", "clauses": [{ "type": "AND", "predicates": [predicate] }] });
                    (format!("POST {PLATFORM}"), definition(&json!({ "type": "AND", "clauses": [clause] })))
                },
            ));
        }
    }
    all.push(place("platform: the division's slot", Division, |id| {
        let mut body = definition(&Value::Null);
        body["divisionId"] = json!(id);
        (format!("POST {PLATFORM}"), body)
    }));
    all
}

fn encoded(id: &str) -> String {
    id.replace(' ', "%20")
}

fn parameters() -> Vec<Place> {
    let mut all = Vec::new();
    for (path, name, of) in [
        (QUEUES, "id", Of::Queue),
        (QUEUES, "divisionId", Of::Division),
        (USERS, "id", Of::User),
        (DIVISIONS, "id", Of::Division),
    ] {
        let forms = [
            "{name}={id}",
            "{name}={own},{id}",
            "{name}={own}%2C{id}",
            "{name}={own}&{name}={id}",
            "{name}={id}&pageSize=5&{name}={own}",
        ];
        for form in forms {
            all.push(place(format!("{path}?{form}"), of, move |id| {
                let query = form.replace("{name}", name).replace("{own}", own(of)).replace("{id}", &encoded(id));
                (format!("GET {path}?{query}"), Value::Null)
            }));
        }
    }
    all
}

/// Carl may list queues and users besides: the sample's consumers may not.
fn directory() -> Value {
    let mut directory = sample::directory();
    let all = |permission: &str| json!({ "permission": permission, "scope": "all" });
    directory["roles"].as_array_mut().unwrap().push(json!({
        "id": "r-lists", "name": "Lists", "permissions": [all("routing:queue:view"), all("directory:user:view")],
    }));
    for user in directory["users"].as_array_mut().unwrap() {
        if user["id"] == "carl" {
            user["roles"].as_array_mut().unwrap().push(json!({ "role": "r-lists", "division": "d-claims-us" }));
        }
    }
    directory["users"].as_array_mut().unwrap().push(json!({
        "id": "petra", "name": "Petra Above", "email": "petra@bank.example", "division": "d-us", "region": US,
        "roles": [{ "role": "r-report-consumer", "division": "d-claims-us" }], "groups": ["g-read-claims"],
    }));
    directory
}

async fn house() -> House {
    House::of(Plan { directory: directory(), ..Plan::default() }).await
}

fn text(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_place_takes_an_id_from_elsewhere() {
    let house = house().await;
    let places: Vec<Place> = genesys().into_iter().chain(platform()).chain(parameters()).collect();
    let mut requests = 0;
    for place in &places {
        // The place itself is open: an own id is answered there, or refused for another reason than the id.
        let (line, body) = (place.request)(own(place.of));
        let heard = house.ask("carl", &line, &text(&body)).await;
        let negated = place.name.contains("divisionId NOT_");
        assert!(heard.status == 200 || (negated && heard.code() == "query.too-complex"), "{}: {heard:?}", place.name);
        house.received(US);
        let mut outside = None;
        for (id, code) in forbidden(place.of) {
            let (line, body) = (place.request)(id);
            let heard = house.ask("carl", &line, &text(&body)).await;
            let refusal = heard.refusal();
            assert_eq!((refusal.0, &*refusal.1), (403, code), "{}: `{id}`: {heard:?}", place.name);
            if code == "scope.outside" {
                // One answer, whatever is behind the id.
                assert!(!heard.body.contains(id.trim()), "{}: `{id}` is told back: {}", place.name, heard.body);
                assert_eq!(*outside.get_or_insert_with(|| refusal.clone()), refusal, "{}: `{id}`", place.name);
            }
            requests += 1;
        }
        assert!(house.received(US).is_empty(), "{}: a refused query was sent", place.name);
    }
    house.assert_no_connection_to(EU);
    println!("ids: {} places, {requests} refusals, none forwarded, no connection to {EU}", places.len());
    assert!(places.len() > 120);
}

/// Two interactions of the asker's region: one with a visible leg, one without.
fn one_seen_and_one_not(house: &House, person: &str) -> (String, String) {
    let truth = Truth::of(&house.sandbox, &house.directory);
    let visible = truth.visible(person, Kind::Details);
    let seen = |leg: &&LegRow| visible.contains(&leg.id);
    let mine: Vec<&str> = truth.rows(person).iter().filter(seen).map(|leg| leg.conversation.as_str()).collect();
    let others = truth.rows(person).iter().find(|leg| !mine.contains(&leg.conversation.as_str())).unwrap();
    (mine[0].to_owned(), others.conversation.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_in_the_path_is_there_or_not_and_nothing_between() {
    let house = house().await;
    let (mine, others) = one_seen_and_one_not(&house, "carl");
    let abroad = house.sandbox.legs(EU).unwrap()[0].conversation.clone();
    let heard = house.get("carl", &format!("/api/v2/conversations/{mine}")).await;
    assert_eq!((heard.status, &heard.json()["id"]), (200, &json!(mine)));
    let ids = [&*others, &abroad, "no-such-conversation", "C-US"];
    let mut answers = Vec::new();
    for id in ids {
        let heard = house.get("carl", &format!("/api/v2/conversations/{id}")).await;
        assert_eq!((heard.status, heard.code().as_str()), (404, "scope.outside"), "{id}: {heard:?}");
        assert!(!heard.body.contains(id), "{id} is told back: {}", heard.body);
        answers.push(heard.refusal());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_named_in_a_filter_is_judged_by_its_legs() {
    let house = house().await;
    let abroad = house.sandbox.legs(EU).unwrap()[0].conversation.clone();
    let (_, others) = one_seen_and_one_not(&house, "carl");
    let mut answers = Vec::new();
    for id in [&*others, &abroad, "no-such-conversation"] {
        let filter = json!({ "type": "and", "predicates": [predicate("conversationId", id)] });
        let aggregates = json!({ "interval": "2026-10-21T00:00:00Z/2026-11-20T10:00:00Z", "metrics": ["tHandle"], "filter": filter });
        let details =
            json!({ "interval": "2026-10-21T00:00:00Z/2026-11-20T10:00:00Z", "conversationFilters": [filter] });
        let (one, other) =
            (house.post("carl", AGGREGATES, &aggregates).await, house.post("carl", DETAILS, &details).await);
        assert_eq!((one.status, other.status), (200, 200), "{one:?} {other:?}");
        assert_eq!(one.json(), json!({ "results": [] }));
        assert_eq!(other.json()["conversations"].as_array().map_or(0, Vec::len), 0);
        answers.push((one.body.clone(), other.body.clone()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placeholders_open_nothing_and_regions_stay_apart() {
    let house = house().await;
    let filled = |dimension: &str, value: &str| {
        definition(
            &json!({ "type": "AND", "predicates": [{ "dimension": dimension, "operator": "IN", "values": [value] }] }),
        )
    };
    // Petra sits in a parent division: what stands for her own division is a scan of it.
    let parent = house.post("petra", PLATFORM, &filled("divisionId", "${user.divisionId}")).await;
    assert_eq!((parent.status, parent.code().as_str()), (403, "division.parent-scan"), "{parent:?}");
    // An id in the place of a placeholder, a placeholder of other ids, one that stands for nothing.
    for (dimension, value, code) in [
        ("queueId", "${q-sales-new}", "placeholder.unknown"),
        ("queueId", "x${user.queueIds}", "placeholder.unknown"),
        ("queueId", "${USER.QUEUEIDS}", "placeholder.unknown"),
        ("queueId", "${user.divisionIds}", "scope.outside"),
        ("queueId", "${user.groupIds}", "scope.outside"),
        ("queueId", "${user.queueIds}", "scope.empty"),
        ("agentId", "${user.divisionId}", "scope.outside"),
        ("region", "eu-west-1", "region.cross-region-scan"),
        ("region", "nowhere", "region.cross-region-scan"),
        ("QUEUEID", "q-claims-motor", "query.malformed"),
    ] {
        let heard = house.post("carl", PLATFORM, &filled(dimension, value)).await;
        assert_eq!(heard.code(), code, "{dimension} {value}: {heard:?}");
    }
    for (dimension, value) in [
        ("queueId", "${user.scopeQueueIds}"),
        ("divisionId", "${user.divisionId}"),
        ("agentId", "${user.id}"),
        ("region", US),
    ] {
        let heard = house.post("carl", PLATFORM, &filled(dimension, value)).await;
        assert_eq!(heard.status, 200, "{dimension} {value}: {heard:?}");
        assert!(!house.received(US).iter().any(|one| String::from_utf8_lossy(&one.body).contains("${")));
    }
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn europeans_are_asked_for_in_europe_and_nowhere_else() {
    let house = house().await;
    let body = json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["tHandle"] });
    let heard = house.post("eva", AGGREGATES, &body).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let rows = heard.json()["results"].as_array().unwrap().clone();
    let queues: Vec<&str> = rows.iter().filter_map(|row| row["group"]["queueId"].as_str()).collect();
    assert!(queues.len() >= 2 && queues.iter().all(|id| id.starts_with("q-eu-pay-")), "{queues:?}");
    assert_eq!((house.received(EU).len(), house.sandbox.connections(US)), (1, 0));
    let mut named = body.clone();
    named["filter"] = json!({ "type": "and", "predicates": [predicate("divisionId", "d-claims-us")] });
    assert_eq!(house.post("eva", AGGREGATES, &named).await.code(), "region.cross-region-scan");
    assert_eq!(house.received(EU).len(), 0);
    house.assert_no_connection_to(US);
}
