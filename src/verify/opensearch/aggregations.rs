//! Holds sorting and aggregations against the model: every field, every word, and no bucket without a document.

use super::only;
use crate::{
    model::{aggregation::AggregationModel, contract::Words},
    verify::{Unproved, filter::members, json::Json, words::Vocabulary},
};

/// Buckets, and what is inside them.
const DEEPEST: usize = 2;

pub(in crate::verify) fn hold_sort(
    known: &[Box<str>],
    max: usize,
    value: &Json<'_>,
    (words, list): (&Vocabulary<'_>, Option<&Words>),
    at: &str,
) -> Result<(), Unproved> {
    let Json::Array(fields) = value else {
        return Err(Unproved::at(at, "not a list"));
    };
    if fields.is_empty() || fields.len() > max {
        return Err(Unproved::at(at, "too many fields, or none"));
    }
    for field in fields {
        let (field, order) = only(field, at)?;
        match only(order, at)? {
            ("order", Json::Text(order)) if matches!(&**order, "asc" | "desc") => {}
            _ => return Err(Unproved::at(at, "an order that is none")),
        }
        hold_word(known, field, (words, list), at)?;
    }
    Ok(())
}

pub(in crate::verify) fn hold_aggregations(
    model: &AggregationModel,
    value: &Json<'_>,
    (words, list): (&Vocabulary<'_>, Option<&Words>),
    at: &str,
) -> Result<(), Unproved> {
    Level { model, words, list }.hold(value, at, DEEPEST)
}

fn hold_word(
    known: &[Box<str>],
    word: &str,
    (words, list): (&Vocabulary<'_>, Option<&Words>),
    at: &str,
) -> Result<(), Unproved> {
    if !known.iter().any(|one| **one == *word) {
        return Err(Unproved::at(at, "a field that the model does not list"));
    }
    words.hold(word, list, at)
}

struct Level<'a> {
    model: &'a AggregationModel,
    words: &'a Vocabulary<'a>,
    list: Option<&'a Words>,
}

impl Level<'_> {
    fn hold(&self, value: &Json<'_>, at: &str, deeper: usize) -> Result<(), Unproved> {
        let Json::Object(named) = value else {
            return Err(Unproved::at(at, "not an object"));
        };
        let deeper = deeper.checked_sub(1).ok_or_else(|| Unproved::at(at, "nested too deep"))?;
        if named.is_empty() || named.len() > self.model.max {
            return Err(Unproved::at(at, "too many aggregations, or none"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        for (name, asked) in named {
            let taken = matches!(&**name, "key" | "key_as_string" | "doc_count");
            if taken || !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
                return Err(Unproved::at(at, "a name of other letters, or of a bucket's own member"));
            }
            self.one(asked, &format!("{at}.{name}"), deeper)?;
        }
        Ok(())
    }

    fn one(&self, asked: &Json<'_>, at: &str, deeper: usize) -> Result<(), Unproved> {
        let Json::Object(parts) = asked else {
            return Err(Unproved::at(at, "not an object"));
        };
        let ((kind, spec), inner) = match parts.as_slice() {
            [(kind, spec)] => ((&**kind, spec), None),
            [(key, inner), (kind, spec)] if key == "aggs" => ((&**kind, spec), Some(inner)),
            _ => return Err(Unproved::at(at, "not one kind, and what is inside it")),
        };
        match kind {
            "terms" => self.terms(spec, at)?,
            "date_histogram" => self.histogram(spec, at)?,
            "avg" | "sum" | "min" | "max" | "value_count" if inner.is_none() => {
                members(spec, &["field"], at)?;
                let field = text(spec, "field", at)?;
                hold_word(&self.model.measures, field, (self.words, None), at)?;
            }
            _ => return Err(Unproved::at(at, "an aggregation of a kind that is never sent")),
        }
        inner.map_or(Ok(()), |inner| self.hold(inner, at, deeper))
    }

    fn terms(&self, spec: &Json<'_>, at: &str) -> Result<(), Unproved> {
        members(spec, &["field", "size", "order", "min_doc_count"], at)?;
        if spec.get("size").is_some_and(|size| !number(size).is_some_and(|size| (1..=10_000).contains(&size))) {
            return Err(Unproved::at(at, "a size that is none"));
        }
        if let Some(order) = spec.get("order") {
            match only(order, at)? {
                ("_count" | "_key", Json::Text(way)) if matches!(&**way, "asc" | "desc") => {}
                _ => return Err(Unproved::at(at, "an order by something else than key or count")),
            }
        }
        least(spec, at)?;
        self.group(text(spec, "field", at)?, false, at)
    }

    fn histogram(&self, spec: &Json<'_>, at: &str) -> Result<(), Unproved> {
        let keys = members(spec, &["field", "calendar_interval", "fixed_interval", "min_doc_count"], at)?;
        let spans: Vec<_> = keys.iter().filter(|(key, _)| key.ends_with("_interval")).collect();
        match spans.as_slice() {
            [(_, Json::Text(span))] if span.len() <= 8 && span.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {}
            _ => return Err(Unproved::at(at, "not one span of time")),
        }
        least(spec, at)?;
        self.group(text(spec, "field", at)?, true, at)
    }

    fn group(&self, field: &str, spans: bool, at: &str) -> Result<(), Unproved> {
        if self.list.is_none_or(|list| !list.groups) {
            return Err(Unproved::at(at, "buckets where the operation lists no words to group by"));
        }
        if self.model.times.iter().any(|time| **time == *field) != spans {
            return Err(Unproved::at(at, "spans of something else than time, or values of it"));
        }
        hold_word(&self.model.groups, field, (self.words, self.list), at)
    }
}

/// A bucket without a document would name a value that nobody of the scope has.
fn least(spec: &Json<'_>, at: &str) -> Result<(), Unproved> {
    match spec.get("min_doc_count").and_then(number) {
        Some(1..) => Ok(()),
        _ => Err(Unproved::at(at, "buckets without documents are not excluded")),
    }
}

fn number(value: &Json<'_>) -> Option<i64> {
    if let Json::Number(text) = value { text.parse().ok() } else { None }
}

fn text<'v>(spec: &'v Json<'_>, key: &str, at: &str) -> Result<&'v str, Unproved> {
    spec.get(key).and_then(Json::text).ok_or_else(|| Unproved::at(at, format!("`{key}` is not a string")))
}
