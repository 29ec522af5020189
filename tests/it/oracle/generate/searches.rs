//! Searches in the query language of OpenSearch, drawn: groups that nest and negate, pages, buckets.

use super::{Dice, HOUR, MONDAY, Names};
use crate::oracle::data::instant;
use serde_json::{Map, Value, json};

const FIELDS: [&str; 8] =
    ["conversationId", "direction", "endTime", "handleTime", "mediaType", "queueId", "startTime", "userId"];

/// A body; now and then it names what is not the asker's.
pub(crate) fn search(dice: &mut Dice, names: &Names) -> Value {
    let mut body = Map::new();
    if dice.percent(90) {
        body.insert("query".into(), query(dice, names, 3, true));
    }
    if dice.percent(70) {
        body.insert("size".into(), json!(dice.below(60)));
    }
    if dice.percent(20) {
        body.insert("from".into(), json!(dice.below(6)));
    }
    if dice.percent(50) {
        body.insert("_source".into(), json!(dice.some(&FIELDS, 1, 5)));
    }
    if dice.percent(40) {
        let way = *dice.pick(&["asc", "desc"]);
        let one = match dice.below(3) {
            0 => json!({ "startTime": way }),
            1 => json!({ "handleTime": { "order": way } }),
            _ => json!("endTime"),
        };
        body.insert("sort".into(), json!([one]));
    }
    if dice.percent(10) {
        body.insert("track_total_hits".into(), json!(dice.percent(50)));
    }
    if dice.percent(50) {
        let name = *dice.pick(&["aggs", "aggregations"]);
        body.insert(name.into(), aggregations(dice, true));
    }
    Value::Object(body)
}

fn aggregations(dice: &mut Dice, outer: bool) -> Value {
    let mut all = Map::new();
    for nth in 0..=dice.below(2) {
        let (name, field) = (format!("a{nth}"), *dice.pick(&["queueId", "userId", "mediaType", "direction"]));
        let mut one = match dice.below(5) {
            0 | 1 => {
                let mut spec = json!({ "field": field, "min_doc_count": 1 + dice.below(2) });
                if dice.percent(50) {
                    spec["size"] = json!(1 + dice.below(6));
                }
                if dice.percent(50) {
                    spec["order"] = json!({ *dice.pick(&["_key", "_count"]): *dice.pick(&["asc", "desc"]) });
                }
                json!({ "terms": spec })
            }
            2 => {
                let span = *dice.pick(&["day", "hour"]);
                json!({ "date_histogram": { "field": "startTime", "calendar_interval": span, "min_doc_count": 1 } })
            }
            _ => json!({ *dice.pick(&["avg", "sum", "min", "max", "value_count"]): { "field": "handleTime" } }),
        };
        if outer && (one.get("terms").is_some() || one.get("date_histogram").is_some()) && dice.percent(60) {
            one["aggs"] = aggregations(dice, false);
        }
        all.insert(name, one);
    }
    Value::Object(all)
}

fn query(dice: &mut Dice, names: &Names, deeper: usize, positive: bool) -> Value {
    if deeper == 0 || dice.percent(35) {
        return leaf(dice, names, positive);
    }
    let mut bool = Map::new();
    let group = |dice: &mut Dice, bool: &mut Map<String, Value>, key: &str, positive: bool| {
        let clauses: Vec<_> = (0..=dice.below(2)).map(|_| query(dice, names, deeper - 1, positive)).collect();
        // one clause needs no list
        let one = clauses.len() == 1 && dice.percent(40);
        bool.insert(key.into(), if one { clauses[0].clone() } else { json!(clauses) });
    };
    for key in ["must", "filter"] {
        if dice.percent(35) {
            group(dice, &mut bool, key, positive);
        }
    }
    let required = !bool.is_empty();
    if dice.percent(45) {
        group(dice, &mut bool, "must_not", false);
    }
    if dice.percent(45) {
        group(dice, &mut bool, "should", positive);
        if required || dice.percent(50) {
            bool.insert("minimum_should_match".into(), json!(1));
        }
    }
    json!({ "bool": bool })
}

fn leaf(dice: &mut Dice, names: &Names, positive: bool) -> Value {
    match dice.below(12) {
        0 | 1 => json!({ "term": { "queueId": name(dice, &names.queues, &names.all_queues) } }),
        2 => {
            let some: Vec<_> = (0..=dice.below(4)).map(|_| name(dice, &names.queues, &names.all_queues)).collect();
            json!({ "terms": { "queueId": some } })
        }
        3 => json!({ "term": { "userId": { "value": name(dice, &names.users, &names.all_users) } } }),
        4 => {
            let some: Vec<_> = (0..=dice.below(3)).map(|_| name(dice, &names.users, &names.all_users)).collect();
            json!({ "terms": { "userId": some } })
        }
        5 if positive => json!({ "term": { "divisionId": name(dice, &names.divisions, &names.all_divisions) } }),
        5 | 6 => json!({ "exists": { "field": *dice.pick(&["queueId", "userId", "mediaType"]) } }),
        7 => json!({ "terms": { "mediaType": dice.some(&["voice", "chat", "email"], 0, 2) } }),
        8 => json!({ "term": { "direction": *dice.pick(&["inbound", "outbound"]) } }),
        9 => {
            let from = MONDAY + HOUR * dice.below(60) as i64;
            json!({ "range": { "startTime": { "gte": instant(from), "lt": instant(from + HOUR * dice.below(40) as i64) } } })
        }
        10 => json!({ "range": { "handleTime": { *dice.pick(&["gt", "gte", "lt", "lte"]): dice.below(1000) } } }),
        _ => json!({ "match_all": {} }),
    }
}

fn name(dice: &mut Dice, mine: &[String], all: &[String]) -> String {
    match dice.below(400) {
        0 => "invented".to_owned(),
        1..4 => dice.pick(all).clone(),
        _ if mine.is_empty() => dice.pick(all).clone(),
        _ => dice.pick(mine).clone(),
    }
}
