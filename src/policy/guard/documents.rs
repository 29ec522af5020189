//! Answers of documents, of which each is one leg, and of buckets over them. Each document is judged as a leg, each bucket
//! by the values that lead to it, and nothing passes that was not asked for. A number that shows no owner passes as it is,
//! but not beside rows of strangers: an upstream that sends those did not obey what was asked.

use super::{
    GuardPlan, Guarded, fields, json_path,
    rows::{self, Said},
    sieve::{self, Rows},
    sight::{self, Leg},
    unreadable,
};
use crate::{
    model::{
        aggregation::{Aggregation, Gives},
        body::{Access, Dimension},
        refusal::Refusal,
    },
    query::json::Value,
};

/// Where OpenSearch puts what was asked for as `aggs`.
const AGGREGATIONS: &str = "aggregations";
const TOTAL: [&str; 2] = ["hits", "total"];

/// Judges the whole of it.
pub(super) fn guard(plan: &GuardPlan, mut answer: Value) -> Result<Guarded, Refusal> {
    let path = &plan.operation.answer.rows;
    let documents = match answer.at_mut(path) {
        None => Vec::new(),
        Some(Value::Array(documents)) => std::mem::take(documents),
        Some(_) => return Err(unreadable(format!("`{}` is not a list", json_path(path)))),
    };
    let mut counts = Rows { received: documents.len() as u64, ..Rows::default() };
    let mut kept = Vec::with_capacity(documents.len());
    for one in documents {
        if rows::is_left_out(plan, &one) {
            continue;
        }
        match document(plan, one) {
            Some(one) => kept.push(one),
            None => counts.foreign += 1,
        }
    }
    counts.shown = kept.len() as u64;
    let aggregations = answer.remove(AGGREGATIONS).filter(|_| !plan.aggregations.is_empty());
    let aggregations = aggregations.map(|given| judged(plan, &given, &mut counts));
    let total = answer.at(&TOTAL).and_then(total).filter(|_| counts.foreign == 0);
    let keep = &plan.operation.answer.keep;
    let listed = answer.at(path).is_some();
    let mut shown = fields::keep_figures(keep, answer);
    if listed {
        shown.set_at(path, Value::Array(kept));
    }
    if let Some(aggregations) = aggregations {
        shown.set(AGGREGATIONS, aggregations);
    }
    fields::remove(&mut shown, &TOTAL.map(Into::into));
    if let Some(total) = total {
        shown.set_at(&TOTAL, total);
    }
    let mut shown = fields::keep(keep, shown);
    for total in &plan.operation.answer.totals {
        fields::remove(&mut shown, &total.at);
    }
    Ok(Guarded {
        rows_in: counts.received,
        rows_out: counts.shown,
        rows_foreign: counts.foreign,
        ..Guarded::plain(200, shown.to_bytes(), sieve::notices(counts))
    })
}

/// The document without what was not asked for; `None` when it is no visible leg.
fn document(plan: &GuardPlan, mut row: Value) -> Option<Value> {
    let source = plan.operation.answer.source.as_deref()?;
    let id = |access| match rows::said(plan, Some(&row), access) {
        Said::Nothing => Some(None),
        Said::Id(id) => Some(Some(id)),
        Said::Odd => None,
    };
    let leg = Leg {
        conversation: id(Access::Conversation)?,
        queue: id(Access::Queue)?,
        user: id(Access::User)?,
        ..Leg::default()
    };
    let lifted = sight::look(plan, &leg)?.lifted;
    let said = row.at_mut(source)?;
    fields::mask(plan, said, &lifted);
    let Value::Object(members) = said else { return None };
    // one value of each field: a list or an object in its place is more than was judged
    members.retain(|(name, value)| plan.selected.contains(name) && is_one(value));
    strip(&mut row, source);
    Some(row)
}

/// Beside the fields of a document stand its name and place, each one value: a list or an object there was judged by nobody.
fn strip(row: &mut Value, source: &[Box<str>]) {
    let (Value::Object(members), Some((first, rest))) = (row, source.split_first()) else { return };
    members.retain(|(name, value)| name == first || is_one(value));
    if let Some((_, next)) = members.iter_mut().find(|(name, _)| name == first) {
        strip(next, rest);
    }
}

fn is_one(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Array(_))
}

/// The aggregations that were asked for in the place of those that came.
fn judged(plan: &GuardPlan, given: &Value, counts: &mut Rows) -> Value {
    let kept = Judge { plan, obeyed: true, counts }.level(&plan.aggregations, given, &[]);
    if counts.foreign == 0 {
        return kept;
    }
    let mut again = Rows::default();
    Judge { plan, obeyed: false, counts: &mut again }.level(&plan.aggregations, given, &[])
}

/// How many documents there are, where that is what it says.
fn total(given: &Value) -> Option<Value> {
    let value = given.get("value").filter(|value| matches!(value, Value::Number(_)))?;
    let relation = given.get("relation").filter(|relation| matches!(relation.as_str(), Some("eq" | "gte")))?;
    Some(Value::object([("value", value.clone()), ("relation", relation.clone())]))
}

/// A value that leads to a bucket: its field, and whose it says the bucket is.
type Led<'v> = (&'v str, Access, &'v Value);

/// A bucket that nothing in the question explains.
struct Stranger;

struct Judge<'p, 'c> {
    plan: &'p GuardPlan,
    /// Nothing of a stranger came: numbers without an owner are believed.
    obeyed: bool,
    counts: &'c mut Rows,
}

impl<'p> Judge<'p, '_> {
    /// What was asked for at one level, below the values that led to it.
    fn level(&mut self, asked: &'p [Aggregation], given: &Value, above: &[Led<'_>]) -> Value {
        let mut kept = Vec::with_capacity(asked.len());
        for one in asked {
            let Some(given) = given.get(&one.name) else { continue };
            let member = match &one.gives {
                Gives::Number { .. } => match given.get("value") {
                    Some(value @ (Value::Number(_) | Value::Null)) if self.believes(above) => ("value", value.clone()),
                    _ => continue,
                },
                Gives::Buckets { field, spans, inner } => match given.get("buckets") {
                    Some(Value::Array(buckets)) => ("buckets", self.buckets((field, *spans, inner), buckets, above)),
                    _ => continue,
                },
            };
            kept.push((one.name.clone(), Value::object([member])));
        }
        Value::Object(kept)
    }

    fn buckets(&mut self, asked: (&'p str, bool, &'p [Aggregation]), given: &[Value], above: &[Led<'_>]) -> Value {
        let mut kept = Vec::with_capacity(given.len());
        for bucket in given {
            self.counts.received += 1;
            match self.bucket(asked, bucket, above) {
                Ok(bucket) => kept.extend(bucket),
                Err(Stranger) => self.counts.foreign += 1,
            }
        }
        self.counts.shown += kept.len() as u64;
        Value::Array(kept)
    }

    /// A bucket stays when some visible leg may stand in it, and it holds a document at all. One that shows no owner stays
    /// while the upstream is believed.
    fn bucket(
        &mut self,
        (field, spans, inner): (&'p str, bool, &'p [Aggregation]),
        given: &Value,
        above: &[Led<'_>],
    ) -> Result<Option<Value>, Stranger> {
        let key = given.get("key").filter(|key| matches!(key, Value::Text(_) | Value::Number(_))).ok_or(Stranger)?;
        let count =
            given.get("doc_count").filter(|count| count.as_i64().is_some_and(|count| count > 0)).ok_or(Stranger)?;
        let led = self.plan.operation.body().ok_or(Stranger)?.dimensions(field).filter_map(|kind| match kind {
            Dimension::Access(access) => Some((field, access, key)),
            _ => None,
        });
        let above: Vec<_> = above.iter().copied().chain(led).collect();
        if !rows::may_tell_apart(self.plan, field) || !rows::is_bucket(self.plan, &above) {
            return Err(Stranger);
        }
        if !self.believes(&above) {
            return Ok(None);
        }
        let mut kept = vec![("key".into(), key.clone())];
        if let Some(shown @ Value::Text(_)) = given.get("key_as_string").filter(|_| spans) {
            kept.push(("key_as_string".into(), shown.clone()));
        }
        kept.push(("doc_count".into(), count.clone()));
        if let Value::Object(below) = self.level(inner, given, &above) {
            kept.extend(below);
        }
        Ok(Some(Value::Object(kept)))
    }

    fn believes(&self, above: &[Led<'_>]) -> bool {
        self.obeyed || !above.is_empty()
    }
}
