//! Evaluates a question over interactions, leg by leg, and writes the upstream's own answer. Over the visible world
//! this is the law; over all the world, with the upstream's meaning of `divisionId`, it is an obedient upstream.

use super::data::{Directory, Interaction, Leg, Time, seconds};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Aggregates,
    Details,
    QueueObservations,
    UserAggregates,
    UserObservations,
    Platform,
}

/// What `divisionId` means: the leg's own division of today, or what the upstream tagged the interaction with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning<'a> {
    Law(&'a Directory),
    Tags,
}

/// One leg with the interaction that it belongs to.
pub(crate) type Row<'a> = (&'a Interaction, &'a Leg);

pub(crate) fn answer(kind: Kind, body: &Value, data: &[Interaction], meaning: Meaning<'_>, now: Time) -> Value {
    match kind {
        Kind::Details => details(body, data, meaning),
        Kind::Platform => platform(body, data, meaning, now),
        _ => groups(kind, body, data, meaning),
    }
}

// ---- values and filters ------------------------------------------------------------------------------------------

pub(crate) fn values(name: &str, (one, leg): Row<'_>, meaning: Meaning<'_>) -> Vec<String> {
    let some = |value: &Option<String>| value.iter().cloned().collect();
    match name.to_ascii_lowercase().as_str() {
        "queueid" => some(&leg.queue),
        "userid" | "agentid" => some(&leg.agent),
        "region" => some(&leg.region),
        "conversationid" | "interactionid" => vec![one.id.clone()],
        "divisionid" => match meaning {
            Meaning::Law(directory) => directory.division_of(leg).map(str::to_owned).into_iter().collect(),
            Meaning::Tags => tags(one).into_iter().collect(),
        },
        plain => {
            let known = leg.plain.iter().find(|(known, _)| known.eq_ignore_ascii_case(plain));
            known.map(|(_, value)| value.clone()).into_iter().collect()
        }
    }
}

pub(crate) fn tags(one: &Interaction) -> BTreeSet<String> {
    one.legs.iter().filter_map(|leg| leg.tag.clone()).collect()
}

/// Whether a number lies inside every bound.
fn inside(range: &Value, number: f64) -> bool {
    range.as_object().unwrap().iter().all(|(bound, value)| {
        let value = value.as_f64().unwrap();
        match bound.as_str() {
            "gt" => number > value,
            "gte" => number >= value,
            "lt" => number < value,
            "lte" => number <= value,
            other => panic!("no such bound: {other}"),
        }
    })
}

/// The two-level filter: root and clauses joined by `and` or `or`; predicates `matches`, `exists`, `notExists`, and
/// ranges of metrics.
pub(crate) fn genesys(filter: &Value, of: &dyn Fn(&str) -> Vec<String>) -> bool {
    let predicates = filter["predicates"].as_array().into_iter().flatten().map(|predicate| {
        if let Some(metric) = predicate["metric"].as_str() {
            return of(metric).iter().any(|number| inside(&predicate["range"], number.parse().unwrap()));
        }
        let values = of(predicate["dimension"].as_str().expect("only dimensions are generated"));
        match predicate["operator"].as_str().unwrap_or("matches").to_ascii_lowercase().as_str() {
            "matches" => values.iter().any(|value| Some(value.as_str()) == predicate["value"].as_str()),
            "exists" => !values.is_empty(),
            "notexists" => values.is_empty(),
            other => panic!("no such operator: {other}"),
        }
    });
    let clauses = filter["clauses"].as_array().into_iter().flatten().map(|clause| genesys(clause, of));
    let all: Vec<bool> = predicates.chain(clauses).collect();
    assert!(!all.is_empty(), "the upstream refuses an empty filter: {filter}");
    match filter["type"].as_str().unwrap().to_ascii_lowercase().as_str() {
        "and" => all.into_iter().all(|one| one),
        "or" => all.into_iter().any(|one| one),
        other => panic!("no such type: {other}"),
    }
}

fn leg_matches(filter: &Value, row: Row<'_>, meaning: Meaning<'_>) -> bool {
    filter.is_null() || genesys(filter, &|name| values(name, row, meaning))
}

/// The report-definition filter: nests, names the operator in capitals, missing values match nothing but `NOT_EXISTS`.
fn nested(filter: &Value, of: &dyn Fn(&str) -> Vec<String>) -> bool {
    let predicates = filter["predicates"].as_array().into_iter().flatten().map(|predicate| {
        let have = of(predicate["dimension"].as_str().unwrap());
        let listed: Vec<&str> =
            predicate["values"].as_array().into_iter().flatten().map(|value| value.as_str().unwrap()).collect();
        match predicate["operator"].as_str().unwrap() {
            "EQUALS" | "IN" => have.iter().any(|value| listed.contains(&value.as_str())),
            "NOT_EQUALS" | "NOT_IN" => have.iter().any(|value| !listed.contains(&value.as_str())),
            "EXISTS" => !have.is_empty(),
            "NOT_EXISTS" => have.is_empty(),
            other => panic!("operator is not generated: {other}"),
        }
    });
    let clauses = filter["clauses"].as_array().into_iter().flatten().map(|clause| nested(clause, of));
    let all: Vec<bool> = predicates.chain(clauses).collect();
    assert!(!all.is_empty(), "the upstream refuses an empty filter: {filter}");
    match filter["type"].as_str().unwrap() {
        "AND" => all.into_iter().all(|one| one),
        "OR" => all.into_iter().any(|one| one),
        other => panic!("no such type: {other}"),
    }
}

pub(crate) fn span(text: &str) -> (Time, Time) {
    let (from, until) = text.split_once('/').unwrap();
    (seconds(from), seconds(until))
}

pub(crate) fn contained(leg: &Leg, (from, until): (Time, Time)) -> bool {
    from <= leg.start && leg.end <= until
}

pub(crate) fn mentions(filter: &Value, names: &[&str]) -> bool {
    let parts = ["predicates", "clauses"].into_iter().flat_map(|part| filter[part].as_array().into_iter().flatten());
    parts.into_iter().any(|part| {
        part["dimension"].as_str().is_some_and(|name| names.iter().any(|one| one.eq_ignore_ascii_case(name)))
            || mentions(part, names)
    })
}

// ---- aggregates and observations ---------------------------------------------------------------------------------

pub(crate) fn keyed<'a>(
    dimensions: &[String],
    rows: &[Row<'a>],
    meaning: Meaning<'_>,
) -> BTreeMap<String, Vec<Row<'a>>> {
    let mut groups: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
    for row in rows {
        let mut key = Map::new();
        for name in dimensions {
            if let Some(value) = values(name, *row, meaning).first() {
                key.insert(name.clone(), Value::String(value.clone()));
            }
        }
        groups.entry(Value::Object(key).to_string()).or_default().push(*row);
    }
    groups
}

pub(crate) fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn groups(kind: Kind, body: &Value, data: &[Interaction], meaning: Meaning<'_>) -> Value {
    let all = data.iter().flat_map(|one| one.legs.iter().map(move |leg| (one, leg)));
    let interval = body["interval"].as_str().map(span);
    let rows: Vec<Row<'_>> = all
        .filter(|(_, leg)| interval.is_none_or(|interval| contained(leg, interval)))
        .filter(|row| leg_matches(&body["filter"], *row, meaning))
        .collect();
    let dimensions = match kind {
        Kind::QueueObservations => vec!["queueId".to_owned(), "mediaType".to_owned()],
        Kind::UserObservations => vec!["userId".to_owned()],
        _ => list(&body["groupBy"]),
    };
    let by_user = mentions(&body["filter"], &["userId"]) || dimensions.iter().any(|name| name == "userId");
    let mut results = Vec::new();
    for (key, rows) in keyed(&dimensions, &rows, meaning) {
        let metrics: Vec<Value> =
            list(&body["metrics"]).iter().filter_map(|name| metric(name, &rows, by_user)).collect();
        if metrics.is_empty() {
            continue;
        }
        let key: Value = serde_json::from_str(&key).unwrap();
        let data = match (kind, body["interval"].as_str()) {
            (Kind::QueueObservations | Kind::UserObservations, _) | (_, None) => metrics,
            (_, Some(interval)) => vec![json!({ "interval": interval, "metrics": metrics })],
        };
        results.push(json!({ "group": key, "data": data }));
    }
    json!({ "results": results })
}

/// `nOffered` is written down before anybody answers: it has no user, and a predicate on users makes it vanish.
fn metric(name: &str, rows: &[Row<'_>], by_user: bool) -> Option<Value> {
    let counted: Vec<&Leg> = match name {
        "nOffered" if by_user => vec![],
        "nOffered" => rows.iter().map(|(_, leg)| *leg).filter(|leg| leg.queue.is_some()).collect(),
        "tHandle" => rows.iter().map(|(_, leg)| *leg).filter(|leg| leg.agent.is_some()).collect(),
        _ => rows.iter().map(|(_, leg)| *leg).collect(),
    };
    let sum: i64 = counted.iter().map(|leg| leg.handle).sum();
    let stats = match name {
        "nOffered" => json!({ "count": counted.len() }),
        _ => json!({ "count": counted.len(), "sum": sum }),
    };
    (!counted.is_empty()).then(|| json!({ "metric": name, "stats": stats }))
}

// ---- details -----------------------------------------------------------------------------------------------------

const DAY: Time = 86_400;

/// Interactions that started on a day the interval touches and for which every entry of every array finds a part
/// that satisfies the whole entry.
pub(crate) fn details_matching<'a>(
    body: &Value,
    data: &'a [Interaction],
    meaning: Meaning<'_>,
) -> Vec<&'a Interaction> {
    let (from, until) = span(body["interval"].as_str().unwrap());
    let days = from.div_euclid(DAY)..=(until - 1).div_euclid(DAY);
    let entries = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    let mut found: Vec<&Interaction> = data
        .iter()
        .filter(|one| days.contains(&one.start.div_euclid(DAY)))
        .filter(|one| {
            entries("segmentFilters")
                .iter()
                .all(|entry| one.legs.iter().any(|leg| genesys(entry, &|name| values(name, (one, leg), meaning))))
        })
        .filter(|one| {
            // Surveys are about the same legs here.
            entries("evaluationFilters").iter().chain(&entries("surveyFilters")).all(|entry| {
                one.evaluations.iter().any(|leg| genesys(entry, &|name| values(name, (one, leg), meaning)))
            })
        })
        .filter(|one| {
            entries("conversationFilters").iter().all(|entry| genesys(entry, &|name| facts(name, one, meaning)))
        })
        .collect();
    found.sort_by_key(|one| (one.start, one.id.clone()));
    if body["order"].as_str().is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        found.reverse();
    }
    found
}

pub(crate) fn facts(name: &str, one: &Interaction, meaning: Meaning<'_>) -> Vec<String> {
    match (name.to_ascii_lowercase().as_str(), meaning) {
        ("conversationid", _) => vec![one.id.clone()],
        ("divisionid", Meaning::Tags) => tags(one).into_iter().collect(),
        ("divisionid", Meaning::Law(directory)) => {
            one.legs.iter().filter_map(|leg| directory.division_of(leg)).map(str::to_owned).collect()
        }
        (fact, _) => {
            let known = one.facts.iter().find(|(known, _)| known.eq_ignore_ascii_case(fact));
            known.map(|(_, value)| value.clone()).into_iter().collect()
        }
    }
}

fn details(body: &Value, data: &[Interaction], meaning: Meaning<'_>) -> Value {
    let found = details_matching(body, data, meaning);
    let size = body["paging"]["pageSize"].as_u64().unwrap_or(25) as usize;
    let number = body["paging"]["pageNumber"].as_u64().unwrap_or(1) as usize;
    let page: Vec<Value> = found.iter().skip(size * (number - 1)).take(size).map(|one| written(one)).collect();
    json!({ "conversations": page, "totalHits": found.len() })
}

/// One interaction as the upstream writes it: a participant with one session and one segment for each leg.
pub(crate) fn written(one: &Interaction) -> Value {
    let participants: Vec<Value> = one.legs.iter().enumerate().map(|(at, leg)| {
        let mut segment = json!({
            "segmentStart": super::data::instant(leg.start), "segmentEnd": super::data::instant(leg.end), "segmentType": "interact",
        });
        if let Some(queue) = &leg.queue {
            segment["queueId"] = json!(queue);
        }
        let mut session = json!({ "sessionId": format!("s-{at}"), "segments": [segment] });
        for (name, value) in leg.plain.iter().filter(|(name, _)| **name != "wrapUpCode") {
            session[*name] = json!(value);
        }
        let mut participant = json!({ "participantId": format!("p-{at}"), "sessions": [session] });
        participant["purpose"] = json!(match (&leg.agent, &leg.queue) {
            (Some(_), _) => "agent",
            (None, Some(_)) => "acd",
            (None, None) => "customer",
        });
        if let Some(agent) = &leg.agent {
            participant["userId"] = json!(agent);
        }
        participant
    }).collect();
    json!({
        "conversationId": one.id, "conversationStart": super::data::instant(one.start),
        "conversationEnd": super::data::instant(one.end), "originatingDirection": one.facts.get("originatingDirection"),
        "divisionIds": tags(one), "participants": participants,
    })
}

// ---- report definitions ------------------------------------------------------------------------------------------

fn moment(text: &str, now: Time) -> Time {
    match text.strip_prefix("now") {
        None => seconds(text),
        Some("") => now,
        Some(back) => {
            let (number, unit) = back[1..].split_at(back.len() - 2);
            let unit = match unit {
                "m" => 60,
                "h" => 3_600,
                "d" => DAY,
                "w" => 7 * DAY,
                other => panic!("no such unit: {other}"),
            };
            now - number.parse::<Time>().unwrap() * unit
        }
    }
}

fn platform(body: &Value, data: &[Interaction], meaning: Meaning<'_>, now: Time) -> Value {
    let query = &body["query"];
    let interval = (moment(query["dateFrom"].as_str().unwrap(), now), moment(query["dateTo"].as_str().unwrap(), now));
    let division = body["divisionId"].as_str();
    let rows: Vec<Row<'_>> = data
        .iter()
        .flat_map(|one| one.legs.iter().map(move |leg| (one, leg)))
        .filter(|(_, leg)| contained(leg, interval))
        .filter(|row| division.is_none_or(|id| values("divisionId", *row, meaning).iter().any(|one| one == id)))
        .filter(|row| query["filter"].is_null() || nested(&query["filter"], &|name| values(name, *row, meaning)))
        .collect();
    let mut results = Vec::new();
    for (key, rows) in keyed(&list(&query["groupBy"]), &rows, meaning) {
        let mut cells = Map::new();
        for wanted in query["aggregations"].as_array().into_iter().flatten() {
            let (of, function) = (wanted["dimension"].as_str().unwrap(), wanted["function"].as_str().unwrap());
            if let Some(value) = folded(of, function, &rows) {
                cells.insert(format!("{function}({of})"), value);
            }
        }
        if !cells.is_empty() {
            results.push(json!({ "group": serde_json::from_str::<Value>(&key).unwrap(), "values": cells }));
        }
    }
    json!({ "name": body["name"], "rows": results, "dateFrom": query["dateFrom"], "dateTo": query["dateTo"] })
}

fn folded(of: &str, function: &str, rows: &[Row<'_>]) -> Option<Value> {
    if of == "interactions" {
        let ids: BTreeSet<&str> = rows.iter().map(|(one, _)| one.id.as_str()).collect();
        return (!ids.is_empty()).then(|| json!(ids.len()));
    }
    let numbers: Vec<i64> = rows.iter().filter(|(_, leg)| leg.agent.is_some()).map(|(_, leg)| leg.handle).collect();
    let sum: i64 = numbers.iter().sum();
    (!numbers.is_empty()).then(|| match function {
        "COUNT" => json!(numbers.len()),
        "SUM" => json!(sum),
        "MIN" => json!(numbers.iter().min()),
        "MAX" => json!(numbers.iter().max()),
        "AVG" => json!(sum as f64 / numbers.len() as f64),
        other => panic!("no such function: {other}"),
    })
}

// ---- comparing ---------------------------------------------------------------------------------------------------

/// An answer as facts that can be compared: group or interaction -> what is said of it.
pub(crate) type Facts = BTreeMap<String, BTreeMap<String, String>>;

pub(crate) fn facts_of(kind: Kind, answer: &Value) -> Facts {
    let mut all = Facts::new();
    match kind {
        Kind::Details => {
            for one in answer["conversations"].as_array().into_iter().flatten() {
                let legs = all.entry(one["conversationId"].as_str().unwrap().to_owned()).or_default();
                legs.insert("start".to_owned(), one["conversationStart"].to_string());
                for participant in one["participants"].as_array().into_iter().flatten() {
                    for session in participant["sessions"].as_array().into_iter().flatten() {
                        for segment in session["segments"].as_array().into_iter().flatten() {
                            let leg =
                                format!("{} {} {}", segment["queueId"], participant["userId"], segment["segmentStart"]);
                            if segment["queueId"].is_string() || participant["userId"].is_string() {
                                legs.insert(leg, segment["segmentEnd"].to_string());
                            }
                        }
                    }
                }
            }
        }
        Kind::Platform => {
            for row in answer["rows"].as_array().into_iter().flatten() {
                let cells = all.entry(sorted(&row["group"])).or_default();
                for (name, value) in row["values"].as_object().unwrap() {
                    cells.insert(name.clone(), number(value));
                }
            }
        }
        _ => {
            for row in answer["results"].as_array().into_iter().flatten() {
                let cells = all.entry(sorted(&row["group"])).or_default();
                for data in row["data"].as_array().into_iter().flatten() {
                    let metrics = data["metrics"].as_array().cloned().unwrap_or_else(|| vec![data.clone()]);
                    for metric in metrics {
                        let name = metric["metric"].as_str().unwrap();
                        for (stat, value) in metric["stats"].as_object().into_iter().flatten() {
                            cells.insert(format!("{name}.{stat}"), number(value));
                        }
                        if metric["count"].is_number() {
                            cells.insert(format!("{name}.count"), number(&metric["count"]));
                        }
                    }
                }
            }
        }
    }
    all
}

fn number(value: &Value) -> String {
    format!("{:.6}", value.as_f64().unwrap_or(f64::NAN))
}

fn sorted(group: &Value) -> String {
    let pairs: BTreeMap<String, Value> =
        group.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::to_string(&pairs).unwrap()
}

/// Whether `few` says nothing that `all` does not say: fewer rows, fewer legs, smaller counts and sums.
pub(crate) fn within(few: &Facts, all: &Facts) -> bool {
    few.iter().all(|(key, cells)| {
        all.get(key).is_some_and(|more| {
            cells.iter().all(|(name, value)| match (name.as_str(), more.get(name)) {
                (_, None) => false,
                (name, Some(other)) => match (value.parse::<f64>(), other.parse::<f64>()) {
                    // An average, smallest or largest of fewer numbers may lie anywhere.
                    _ if ["AVG", "MIN", "MAX"].iter().any(|function| name.starts_with(function)) => true,
                    (Ok(value), Ok(other)) => value <= other + 1e-9,
                    _ => value == other,
                },
            })
        })
    })
}
