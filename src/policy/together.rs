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
use std::collections::BTreeMap;

/// How the answers to the parts of one question become one.
#[derive(Debug, Clone)]
pub struct Together {
    rows: Path,
    /// Rows of one group become one row; else they stand beside each other.
    added: bool,
    /// Bytes of all parts: what is asked in parts may be no longer than what is asked at once.
    most: usize,
}

impl Together {
    /// No two parts have rows of one group.
    pub(super) fn beside(operation: &Operation) -> Self {
        Self { rows: operation.answer.rows.clone(), added: false, most: operation.answer.max_bytes }
    }

    /// What is counted and summed of one group is added, and of its extremes the outer ones stay.
    pub(super) fn added(operation: &Operation) -> Self {
        Self { added: true, ..Self::beside(operation) }
    }

    /// Of no part yet.
    pub fn whole(self) -> Whole {
        Whole {
            of: self,
            answer: Value::Object(Vec::new()),
            rows: Joined::default(),
            bytes: 0,
            guarded: Guarded::plain(200, Vec::new(), Vec::new()),
        }
    }
}

/// One answer of all parts that were added, each judged by the plan of its part.
#[derive(Debug)]
pub struct Whole {
    of: Together,
    answer: Value,
    rows: Joined,
    bytes: usize,
    guarded: Guarded,
}

impl Whole {
    pub fn add(&mut self, part: Guarded) -> Result<(), Refusal> {
        let most = self.of.most;
        self.bytes = self.bytes.saturating_add(part.body.len());
        if self.bytes > most {
            return Err(Refusal::new(
                Code::AnswerTooLarge,
                "the answers to the parts of this question are larger together than this proxy passes on; ask for less of it",
            )
            .with("limit", most.to_string()));
        }
        let read = json::parse_object(&part.body, &Limits::own(&part.body));
        let mut read = read.map_err(|error| unreadable(format!("a part cannot be read again: {error}")))?;
        let new = match read.at_mut(&self.of.rows) {
            None => Vec::new(),
            Some(Value::Array(rows)) => std::mem::take(rows),
            Some(_) => return Err(unreadable("the rows of a part are no list".to_owned())),
        };
        if self.of.added {
            self.rows.join(new, &["group"], add_row)?;
        } else {
            self.rows.items.extend(new);
        }
        self.guarded.rows_in += part.rows_in;
        self.guarded.rows_foreign += part.rows_foreign;
        for notice in part.notices {
            if !self.guarded.notices.contains(&notice) {
                self.guarded.notices.push(notice);
            }
        }
        self.answer = read;
        Ok(())
    }

    pub fn end(self) -> Result<Guarded, Refusal> {
        let Self { of, mut answer, rows, mut guarded, .. } = self;
        guarded.rows_out = rows.items.len() as u64;
        if !answer.set_at(&of.rows, Value::Array(rows.items)) {
            return Err(unreadable("a part has no place for rows".to_owned()));
        }
        guarded.body = answer.to_bytes();
        Ok(guarded)
    }
}

/// A list of which no two items have the same key, and where each key stands.
#[derive(Debug, Default)]
struct Joined {
    items: Vec<Value>,
    places: BTreeMap<Vec<u8>, usize>,
}

impl Joined {
    /// What stands in a list already; its keys are those members.
    fn of(items: Vec<Value>, names: &[&str]) -> Self {
        let mut places = BTreeMap::new();
        for (place, item) in items.iter().enumerate() {
            places.entry(key(item, names)).or_insert(place);
        }
        Self { items, places }
    }

    /// Adds what has a new key behind, and joins what has a known one.
    fn join(
        &mut self,
        new: Vec<Value>,
        names: &[&str],
        add: impl Fn(&mut Value, Value) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        for item in new {
            let place = *self.places.entry(key(&item, names)).or_insert(self.items.len());
            match self.items.get_mut(place) {
                Some(known) => add(known, item)?,
                None => self.items.push(item),
            }
        }
        Ok(())
    }
}

/// The members that tell an item from the others; one that is missing is not one that is null.
fn key(item: &Value, names: &[&str]) -> Vec<u8> {
    let mut key = Vec::new();
    for name in names {
        key.extend(item.get(name).map(Value::to_bytes).unwrap_or_default());
        key.push(0);
    }
    key
}

fn add_row(known: &mut Value, row: Value) -> Result<(), Refusal> {
    add_list(known, row, "data", &["interval"], |known, new| {
        add_list(known, new, "metrics", &["metric", "qualifier"], |known, metric| add_stats(known, &metric))
    })
}

/// Joins the lists of two objects by what their items are told apart by, and sorts them by it.
fn add_list(
    known: &mut Value,
    mut new: Value,
    name: &str,
    by: &[&str],
    add: impl Fn(&mut Value, Value) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let (Some(Value::Array(items)), Some(Value::Array(new))) = (known.get_mut(name), new.get_mut(name)) else {
        return Err(odd(name));
    };
    let mut joined = Joined::of(std::mem::take(items), by);
    joined.join(std::mem::take(new), by, add)?;
    let at = |item: &Value| by.iter().map(|name| at(item, name).map(str::to_owned)).collect::<Vec<_>>();
    joined.items.sort_by_cached_key(at);
    *items = joined.items;
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
        merge_within(added, 1024 * 1024, parts)
    }

    fn merge_within(added: bool, most: usize, parts: &[&str]) -> Result<String, Code> {
        let mut whole = Together { rows: vec!["results".into()], added, most }.whole();
        for text in parts {
            let part = Guarded::plain(200, text.as_bytes().to_vec(), Vec::new());
            whole.add(part).map_err(|refusal| refusal.code)?;
        }
        let whole = whole.end().map_err(|refusal| refusal.code)?;
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

    #[test]
    fn all_parts_together_have_one_bound() {
        let one = row(r#"{"count":1}"#);
        let parts = [&*one; 4];
        for added in [true, false] {
            assert!(merge_within(added, one.len() * 4, &parts).is_ok());
            assert_eq!(merge_within(added, one.len() * 4 - 1, &parts), Err(Code::AnswerTooLarge));
        }
    }

    /// As many groups in each part as anybody has agents: each is found by its key, not by looking through all of them.
    #[test]
    fn groups_of_many_parts_are_joined_by_their_key() {
        const GROUPS: usize = 20_000;
        let part = |count: usize| {
            let rows: Vec<String> = (0..GROUPS)
                .map(|group| {
                    format!(r#"{{"group":{{"userId":"u{group}"}},"data":[{{"interval":"i","metrics":[{{"metric":"m","stats":{{"count":{count}}}}}]}}]}}"#)
                })
                .collect();
            format!(r#"{{"results":[{}]}}"#, rows.join(","))
        };
        let (one, two, due) = (part(1), part(2), part(3));
        assert_eq!(merge_within(true, 64 * 1024 * 1024, &[&one, &two]).as_ref(), Ok(&due));
        let whole = Joined::of(
            json::parse_object(one.as_bytes(), &Limits::own(one.as_bytes()))
                .unwrap()
                .get("results")
                .unwrap()
                .as_array()
                .unwrap()
                .to_vec(),
            &["group"],
        );
        assert_eq!(whole.places.len(), GROUPS);
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
