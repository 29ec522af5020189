//! Puts the guarded answers to the parts of one question together. Every part was judged by its own plan; nothing is added
//! that none of them showed.

use super::guard::Guarded;
use crate::{
    model::{
        body::Path,
        operation::Operation,
        refusal::{Code, Refusal},
    },
    query::json::{self, Limits, Value},
};

/// How the answers to the parts of one question become one.
#[derive(Debug, Clone)]
pub struct Together {
    rows: Path,
    /// Rows of one group become one row; else they stand beside each other.
    added: bool,
}

impl Together {
    /// No two parts have rows of one group.
    pub(super) fn beside(operation: &Operation) -> Self {
        Self { rows: operation.answer.rows.clone(), added: false }
    }

    /// What is counted and summed of one group is added, and of its extremes the outer ones stay.
    pub(super) fn added(operation: &Operation) -> Self {
        Self { rows: operation.answer.rows.clone(), added: true }
    }

    /// One answer of all, each judged by the plan of its part.
    pub fn merge(&self, parts: Vec<Guarded>) -> Result<Guarded, Refusal> {
        let mut whole = Guarded::plain(200, Vec::new(), Vec::new());
        let (mut answer, mut rows) = (Value::Object(Vec::new()), Vec::new());
        for part in parts {
            let read = json::parse_object(&part.body, &Limits::own(&part.body));
            let mut read = read.map_err(|error| unreadable(format!("a part cannot be read again: {error}")))?;
            let new = match read.at_mut(&self.rows) {
                None => Vec::new(),
                Some(Value::Array(rows)) => std::mem::take(rows),
                Some(_) => return Err(unreadable("the rows of a part are no list".to_owned())),
            };
            for row in new {
                if self.added {
                    add_row(&mut rows, row)?;
                } else {
                    rows.push(row);
                }
            }
            whole.rows_in += part.rows_in;
            whole.rows_foreign += part.rows_foreign;
            for notice in part.notices {
                if !whole.notices.contains(&notice) {
                    whole.notices.push(notice);
                }
            }
            answer = read;
        }
        whole.rows_out = rows.len() as u64;
        if !answer.set_at(&self.rows, Value::Array(rows)) {
            return Err(unreadable("a part has no place for rows".to_owned()));
        }
        whole.body = answer.to_bytes();
        Ok(whole)
    }
}

fn add_row(rows: &mut Vec<Value>, row: Value) -> Result<(), Refusal> {
    let same = |known: &&mut Value| known.get("group") == row.get("group");
    let Some(known) = rows.iter_mut().find(same) else {
        rows.push(row);
        return Ok(());
    };
    let Some(data) = known.get_mut("data").and_then(list_mut) else { return Err(odd("data")) };
    for new in list(&row, "data")? {
        match data.iter_mut().find(|known| known.get("interval") == new.get("interval")) {
            None => data.push(new.clone()),
            Some(known) => add_metrics(known, new)?,
        }
    }
    data.sort_by(|one, other| at(one, "interval").cmp(&at(other, "interval")));
    Ok(())
}

fn add_metrics(known: &mut Value, new: &Value) -> Result<(), Refusal> {
    let Some(metrics) = known.get_mut("metrics").and_then(list_mut) else { return Err(odd("metrics")) };
    for metric in list(new, "metrics")? {
        let same =
            |known: &&mut Value| ["metric", "qualifier"].into_iter().all(|name| known.get(name) == metric.get(name));
        match metrics.iter_mut().find(same) {
            None => metrics.push(metric.clone()),
            Some(known) => add_stats(known, metric)?,
        }
    }
    metrics.sort_by(|one, other| {
        (at(one, "metric"), at(one, "qualifier")).cmp(&(at(other, "metric"), at(other, "qualifier")))
    });
    Ok(())
}

fn add_stats(known: &mut Value, new: &Value) -> Result<(), Refusal> {
    let (Some(stats), Some(more)) = (known.get_mut("stats"), new.get("stats").and_then(Value::as_object)) else {
        return Err(odd("stats"));
    };
    for (name, value) in more {
        let joined = match (&**name, stats.get(name)) {
            ("count" | "sum" | "min" | "max", None) => Some(value.clone()),
            ("count" | "sum", Some(known)) => sum(known, value),
            ("min", Some(known)) => outer(known, value, f64::lt),
            ("max", Some(known)) => outer(known, value, f64::gt),
            // a share, or a place among all, says nothing about the whole
            _ => None,
        };
        if !stats.set(name, joined.ok_or_else(|| odd(name))?) {
            return Err(odd("stats"));
        }
    }
    Ok(())
}

fn sum(one: &Value, other: &Value) -> Option<Value> {
    if let (Some(one), Some(other)) = (one.as_i64(), other.as_i64()) {
        return one.checked_add(other).map(Value::int);
    }
    let sum = one.as_f64()? + other.as_f64()?;
    sum.is_finite().then(|| Value::Number(sum.to_string().into()))
}

fn outer(one: &Value, other: &Value, further: impl Fn(&f64, &f64) -> bool) -> Option<Value> {
    Some(if further(&other.as_f64()?, &one.as_f64()?) { other } else { one }.clone())
}

fn at<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn list<'v>(value: &'v Value, name: &str) -> Result<&'v [Value], Refusal> {
    value.get(name).and_then(Value::as_array).ok_or_else(|| odd(name))
}

fn list_mut(value: &mut Value) -> Option<&mut Vec<Value>> {
    if let Value::Array(items) = value { Some(items) } else { None }
}

fn odd(name: &str) -> Refusal {
    unreadable(format!("`{name}` of a part cannot be added"))
}

fn unreadable(cause: String) -> Refusal {
    Refusal::new(Code::AnswerUnreadable, "the answers to the parts of this question cannot be put together")
        .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    use std::collections::BTreeMap;

    fn merge(added: bool, parts: &[&str]) -> Result<String, Code> {
        let together = Together { rows: vec!["results".into()], added };
        let parts = parts.iter().map(|text| Guarded::plain(200, text.as_bytes().to_vec(), Vec::new())).collect();
        let whole = together.merge(parts).map_err(|refusal| refusal.code)?;
        Ok(String::from_utf8(whole.into_body()).unwrap())
    }

    fn row(stats: &str) -> String {
        format!(
            r#"{{"results":[{{"group":{{}},"data":[{{"interval":"i","metrics":[{{"metric":"m","stats":{stats}}}]}}]}}]}}"#
        )
    }

    #[test]
    fn counts_and_sums_are_added_and_extremes_are_the_outer_ones() {
        let one = row(r#"{"count":2,"sum":9007199254740993,"min":3,"max":8.5}"#);
        let two = row(r#"{"count":1,"sum":4,"min":-1,"max":8}"#);
        let due = row(r#"{"count":3,"sum":9007199254740997,"min":-1,"max":8.5}"#);
        assert_eq!(merge(true, &[&one, &two]), Ok(due));
        assert_eq!(merge(true, &[&one]), Ok(one.clone()));
        // an empty part leaves its list out
        assert_eq!(merge(true, &[&one, "{}"]), Ok(one.clone()));
        assert_eq!(merge(false, &["{}", "{}"]), Ok(r#"{"results":[]}"#.to_owned()));
    }

    #[test]
    fn what_is_no_sum_is_never_added() {
        for stats in [r#"{"ratio":0.5}"#, r#"{"p95":3}"#, r#"{"count":"2"}"#, r#"{"count":null}"#, "[]", "1"] {
            let text = row(stats);
            assert_eq!(merge(true, &[&text, &text]), Err(Code::AnswerUnreadable), "{stats}");
        }
        let largest = row(&format!(r#"{{"sum":{}}}"#, i64::MAX));
        assert_eq!(merge(true, &[&largest, &largest]), Err(Code::AnswerUnreadable));
        for odd in [r#"{"results":{}}"#, r#"{"results":[{"group":{}},{"group":{}}]}"#, "[]", "x"] {
            assert_eq!(merge(true, &[odd]), Err(Code::AnswerUnreadable), "{odd}");
        }
    }

    /// Any split of people into parts gives the totals of all of them.
    #[test]
    fn totals_over_parts_are_totals_over_all() {
        let mut rng = SmallRng::seed_from_u64(11);
        for _ in 0..300 {
            let mut due: BTreeMap<(u8, u8, bool), (i64, i64)> = BTreeMap::new();
            let mut parts = Vec::new();
            for _ in 0..rng.random_range(1..5) {
                let mut here: BTreeMap<(u8, u8, bool), (i64, i64)> = BTreeMap::new();
                for _ in 0..rng.random_range(0..9) {
                    let key = (rng.random_range(0..3), rng.random_range(0..2), rng.random());
                    let value = rng.random_range(-5..1_000);
                    for sums in [&mut here, &mut due] {
                        let (count, sum) = sums.entry(key).or_default();
                        *count += 1;
                        *sum += value;
                    }
                }
                parts.push(written(&here));
            }
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let whole: serde_json::Value = merge(true, &parts).unwrap().parse().unwrap();
            let mut got = BTreeMap::new();
            for data in whole["results"].as_array().unwrap().iter().flat_map(|row| row["data"].as_array().unwrap()) {
                for metric in data["metrics"].as_array().unwrap() {
                    let key = (
                        data["interval"].as_str().unwrap().parse::<u8>().unwrap(),
                        metric["metric"].as_str().unwrap().parse::<u8>().unwrap(),
                        metric.get("qualifier").is_some(),
                    );
                    let stats = &metric["stats"];
                    let new = got.insert(key, (stats["count"].as_i64().unwrap(), stats["sum"].as_i64().unwrap()));
                    assert!(new.is_none(), "{key:?} twice");
                }
            }
            assert_eq!(got, due);
        }
    }

    fn written(sums: &BTreeMap<(u8, u8, bool), (i64, i64)>) -> String {
        let mut data: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for ((interval, metric, qualified), (count, sum)) in sums {
            let qualifier = if *qualified { r#""qualifier":"q","# } else { "" };
            let text = format!(r#"{{"metric":"{metric}",{qualifier}"stats":{{"count":{count},"sum":{sum}}}}}"#);
            data.entry(*interval).or_default().push(text);
        }
        let data: Vec<String> = data
            .iter()
            .map(|(interval, metrics)| format!(r#"{{"interval":"{interval}","metrics":[{}]}}"#, metrics.join(",")))
            .collect();
        if data.is_empty() {
            return r#"{"results":[]}"#.to_owned();
        }
        format!(r#"{{"results":[{{"group":{{}},"data":[{}]}}]}}"#, data.join(","))
    }
}
