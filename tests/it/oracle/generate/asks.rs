//! Questions of both dialects.

use super::{
    Dice, HOUR, MONDAY, moment,
    stock::{MEDIA, WRAP},
};
use crate::oracle::{
    data::{Time, instant},
    questions::Kind,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the asker may name, and what stands in the directory besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) queues: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) divisions: Vec<String>,
    pub(crate) all_queues: Vec<String>,
    pub(crate) all_users: Vec<String>,
    pub(crate) all_divisions: Vec<String>,
    /// The asker's own.
    pub(crate) regions: Vec<String>,
    pub(crate) all_regions: Vec<String>,
}

impl Names {
    pub(crate) fn one(dice: &mut Dice, mine: &[String], all: &[String]) -> String {
        match dice.below(100) {
            0 => "invented".to_owned(),
            1..4 => dice.pick(all).clone(),
            _ if mine.is_empty() => dice.pick(all).clone(),
            _ => dice.pick(mine).clone(),
        }
    }
}

fn spelling(dice: &mut Dice, word: &str) -> String {
    match dice.below(8) {
        0 => word.to_uppercase(),
        1 => word.to_lowercase(),
        _ => word.to_owned(),
    }
}

pub(crate) fn predicate(dice: &mut Dice, dimension: &str, value: Option<String>) -> Value {
    let mut one = Map::new();
    if dice.percent(80) {
        one.insert("type".to_owned(), json!(spelling(dice, "dimension")));
    }
    one.insert("dimension".to_owned(), json!(spelling(dice, dimension)));
    if let Some(value) = value {
        if dice.percent(80) {
            one.insert("operator".to_owned(), json!(spelling(dice, "matches")));
        }
        one.insert("value".to_owned(), json!(value));
    } else {
        let word = *dice.pick(&["exists", "notExists"]);
        one.insert("operator".to_owned(), json!(spelling(dice, word)));
    }
    Value::Object(one)
}

/// An atom over the dimensions of one filter: its canonical name and a value, or none for `exists` and `notExists`.
fn atom(dice: &mut Dice, names: &Names, dimensions: &[&str]) -> (String, Option<String>) {
    let mut dimension = *dice.pick(dimensions);
    for _ in 0..3 {
        let bare = match dimension {
            "queueId" => names.queues.is_empty(),
            "userId" | "agentId" => names.users.is_empty(),
            "divisionId" => names.divisions.is_empty(),
            _ => false,
        };
        if bare {
            dimension = *dice.pick(dimensions);
        }
    }
    if dice.percent(10) && !["conversationId", "divisionId", "region"].contains(&dimension) {
        return (dimension.to_owned(), None);
    }
    let value = match dimension {
        "queueId" => Names::one(dice, &names.queues, &names.all_queues),
        "userId" | "agentId" => Names::one(dice, &names.users, &names.all_users),
        "divisionId" => Names::one(dice, &names.divisions, &names.all_divisions),
        "region" => Names::one(dice, &names.regions, &names.all_regions),
        "mediaType" => (*dice.pick(&MEDIA)).to_owned(),
        "direction" | "originatingDirection" => (*dice.pick(&["inbound", "outbound"])).to_owned(),
        "wrapUpCode" => (*dice.pick(&WRAP)).to_owned(),
        _ => format!("c-{}", dice.below(40)),
    };
    (dimension.to_owned(), Some(value))
}

/// Every two-level shape over these dimensions.
pub(crate) fn two_level(dice: &mut Dice, names: &Names, dimensions: &[&str]) -> Value {
    shaped(dice, &|dice| {
        let (dimension, value) = atom(dice, names, dimensions);
        predicate(dice, &dimension, value)
    })
}

/// Every two-level shape of predicates: flat, `and` of `or`s, `or` of `and`s, mixed roots.
pub(crate) fn shaped(dice: &mut Dice, one: &dyn Fn(&mut Dice) -> Value) -> Value {
    let level = |dice: &mut Dice, least: usize, most: usize| -> Vec<Value> {
        (0..least + dice.below(most - least + 1)).map(|_| one(dice)).collect()
    };
    let mut filter = Map::new();
    let word = *dice.pick(&["and", "or"]);
    filter.insert("type".to_owned(), json!(spelling(dice, word)));
    let shape = dice.below(4);
    if shape != 0 {
        let clauses: Vec<Value> = (0..=dice.below(3))
            .map(|_| {
                let word = *dice.pick(&["and", "or"]);
                json!({ "type": spelling(dice, word), "predicates": level(dice, 1, 3) })
            })
            .collect();
        filter.insert("clauses".to_owned(), json!(clauses));
    }
    if shape == 0 || dice.percent(30) {
        filter.insert("predicates".to_owned(), json!(level(dice, 1, 3)));
    }
    Value::Object(filter)
}

pub(crate) fn interval(dice: &mut Dice) -> String {
    if dice.percent(25) {
        let from = MONDAY + 24 * HOUR * (dice.below(4) as Time - 1);
        return format!("{}/{}", instant(from), instant(from + 24 * HOUR * (1 + dice.below(3) as Time)));
    }
    let from = moment(dice) - 12 * HOUR;
    let hours = *dice.pick(&[24, 48, 72, 96, 120]);
    format!("{}/{}", instant(from), instant(from + HOUR * hours))
}

/// Words that a list of the body model allows.
pub(crate) type Words = BTreeMap<&'static str, Vec<String>>;

pub(crate) fn question(dice: &mut Dice, kind: Kind, names: &Names, words: &Words) -> Value {
    let legs = ["queueId", "queueId", "queueId", "userId", "userId", "mediaType", "direction", "wrapUpCode"];
    let metrics = |dice: &mut Dice| dice.some(&words["metrics"], 1, 2);
    match kind {
        Kind::Aggregates => {
            let mut body = json!({ "interval": interval(dice), "metrics": metrics(dice) });
            if dice.percent(75) {
                let by = ["queueId", "userId", "mediaType", "direction"].map(str::to_owned);
                body["groupBy"] = json!(dice.some(&by, 1, 2));
            }
            if dice.percent(3) {
                body["groupBy"] = json!([dice.pick(&["divisionId", "conversationId", "participantName"])]);
            }
            if dice.percent(80) {
                let mut dimensions = legs.to_vec();
                if dice.percent(15) {
                    dimensions.push("divisionId");
                }
                if dice.percent(2) {
                    dimensions.push("participantName");
                }
                body["filter"] = two_level(dice, names, &dimensions);
            }
            body
        }
        Kind::Details => {
            let mut body = json!({ "interval": interval(dice), "paging": { "pageSize": 100, "pageNumber": 1 } });
            if dice.percent(20) {
                body["paging"] = json!({ "pageSize": 3, "pageNumber": 1 + dice.below(3) });
            }
            if dice.percent(65) {
                let entries: Vec<Value> = (0..=dice.below(2)).map(|_| two_level(dice, names, &legs)).collect();
                body["segmentFilters"] = json!(entries);
            }
            if dice.percent(20) {
                let dimensions: &[&str] = if dice.percent(25) { &["divisionId"] } else { &["originatingDirection"] };
                body["conversationFilters"] = json!([two_level(dice, names, dimensions)]);
            }
            if dice.percent(15) {
                body["evaluationFilters"] = json!([two_level(dice, names, &["queueId", "userId"])]);
            }
            if dice.percent(30) {
                body["order"] = json!(dice.pick(&["asc", "desc"]));
                body["orderBy"] = json!("conversationStart");
            }
            body
        }
        Kind::QueueObservations => {
            json!({ "filter": two_level(dice, names, &["queueId", "queueId", "mediaType"]), "metrics": metrics(dice) })
        }
        Kind::UserObservations => {
            json!({ "filter": two_level(dice, names, &["userId"]), "metrics": metrics(dice) })
        }
        Kind::UserAggregates => {
            let mut body = json!({ "interval": interval(dice), "metrics": metrics(dice), "groupBy": ["userId"] });
            if dice.percent(70) {
                body["filter"] = two_level(dice, names, &["userId"]);
            }
            body
        }
        Kind::Platform => definition(dice, names),
    }
}

fn nested(dice: &mut Dice, names: &Names, depth: usize) -> Value {
    let mut dimensions = vec![
        "queueId",
        "queueId",
        "queueId",
        "agentId",
        "userId",
        "mediaType",
        "direction",
        "wrapUpCode",
        "divisionId",
    ];
    if dice.percent(15) {
        dimensions.push("region");
    }
    let mut predicates = Vec::new();
    for _ in 0..=dice.below(3) {
        let (dimension, value) = atom(dice, names, &dimensions);
        predicates.push(match value {
            None => json!({ "dimension": dimension, "operator": dice.pick(&["EXISTS", "NOT_EXISTS"]), "values": [] }),
            Some(_) if dimension == "queueId" && dice.percent(12) => {
                json!({ "dimension": dimension, "operator": "IN", "values": ["${user.queueIds}"] })
            }
            Some(value) if dice.percent(40) => {
                let mut values = vec![value];
                for _ in 0..dice.below(3) {
                    if let (same, Some(other)) = atom(dice, names, &[&dimension]) && same == dimension && !values.contains(&other) {
                        values.push(other);
                    }
                }
                json!({ "dimension": dimension, "operator": dice.pick(&["IN", "IN", "NOT_IN"]), "values": values })
            }
            Some(value) => {
                json!({ "dimension": dimension, "operator": dice.pick(&["EQUALS", "EQUALS", "NOT_EQUALS"]), "values": [value] })
            }
        });
    }
    let mut filter = json!({ "type": dice.pick(&["AND", "OR"]), "predicates": predicates });
    if depth > 0 && dice.percent(50) {
        let clauses: Vec<Value> = (0..=dice.below(2)).map(|_| nested(dice, names, depth - 1)).collect();
        filter["clauses"] = json!(clauses);
    }
    filter
}

fn definition(dice: &mut Dice, names: &Names) -> Value {
    let from = moment(dice) - 12 * HOUR;
    let by = ["queueId", "agentId", "mediaType", "direction"].map(str::to_owned);
    let mut query = json!({
        "dateFrom": instant(from), "dateTo": instant(from + HOUR * dice.pick(&[24, 48, 96])),
        "groupBy": dice.some(&by, 0, 2),
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    });
    if dice.percent(20) {
        query["dateFrom"] = json!(dice.pick(&["now-5d", "now-60h", "now-1w"]));
        query["dateTo"] = json!("now");
    }
    if dice.percent(70) {
        let function = *dice.pick(&["SUM", "COUNT", "AVG", "MIN", "MAX"]);
        query["aggregations"] = json!([{ "dimension": "handleTime", "function": function }, { "dimension": "interactions", "function": "COUNT" }]);
    }
    if dice.percent(75) {
        query["filter"] = nested(dice, names, 1);
    }
    let mut body = json!({ "name": "drawn", "query": query });
    if dice.percent(80) {
        body["divisionId"] = json!(Names::one(dice, &names.divisions, &names.all_divisions));
    }
    body
}
