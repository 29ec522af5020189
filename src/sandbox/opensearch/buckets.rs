//! Aggregations: a bucket for each value or span of time, and numbers.

use super::{Index, field};
use crate::sandbox::{interval::show, problem::Problem, sql::Sql};
use jiff::{RoundMode, Span, Timestamp, Unit, ZonedRound, tz::TimeZone};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What OpenSearch gives to whoever says nothing.
const SIZE: i64 = 10;

impl Index<'_> {
    pub(super) fn aggregations(&self, asked: &Value, condition: &Sql) -> Result<Value, Problem> {
        let asked = asked.as_object().ok_or_else(|| Problem::bad("[aggs] is no object"))?;
        let answers = asked.iter().map(|(name, one)| Ok((name.clone(), self.aggregation(one, condition)?)));
        answers.collect::<Result<Map<_, _>, Problem>>().map(Value::Object)
    }

    fn aggregation(&self, asked: &Value, condition: &Sql) -> Result<Value, Problem> {
        let inner = asked.get("aggs").or_else(|| asked.get("aggregations"));
        let kinds = asked.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with("agg"));
        let [(kind, spec)] = kinds.collect::<Vec<_>>()[..] else {
            return Err(Problem::bad("exactly one type of aggregation is due"));
        };
        let name = spec["field"].as_str().unwrap_or_default();
        let (expression, time) = field(name).ok_or_else(|| Problem::bad(format!("no field [{name}]")))?;
        match kind.as_str() {
            "terms" => self.terms(spec, (expression, time), inner, condition),
            "date_histogram" if time => self.histogram(spec, expression, inner, condition),
            "avg" | "sum" | "min" | "max" | "value_count" => {
                let function = match kind.as_str() {
                    "value_count" => "count",
                    "sum" => "total",
                    other => other,
                };
                let sql = self.select(&format!("{function}({expression})"), condition, "");
                let rows = self.store.rows(&sql, |row| row.get::<_, Cell>(0))?;
                let value = match rows.into_iter().next() {
                    Some(Cell::Integer(number)) => json!(number),
                    Some(Cell::Real(number)) => json!(number),
                    _ => Value::Null,
                };
                Ok(json!({ "value": value }))
            }
            other => Err(Problem::bad(format!("unknown aggregation [{other}]"))),
        }
    }

    fn terms(
        &self,
        spec: &Value,
        (expression, time): (&str, bool),
        inner: Option<&Value>,
        condition: &Sql,
    ) -> Result<Value, Problem> {
        let least = spec["min_doc_count"].as_i64().unwrap_or(1);
        if time || least < 1 {
            return Err(Problem::bad("these buckets are not made here"));
        }
        let way = |by: &str| spec.get("order").and_then(|order| order.get(by)).and_then(Value::as_str);
        let size = spec["size"].as_i64().unwrap_or(SIZE);
        let order = match (way("_key"), way("_count")) {
            (Some("desc"), _) => "1 DESC",
            (Some(_), _) => "1",
            (_, Some("asc")) => "2, 1",
            _ => "2 DESC, 1",
        };
        let there = Sql::all(vec![condition.clone(), Sql::text(format!("{expression} IS NOT NULL"))]);
        let rest = format!(" GROUP BY 1 HAVING count(*) >= {least} ORDER BY {order}");
        let rows = self.store.rows(&self.select(&format!("{expression}, count(*)"), &there, &rest), |row| {
            Ok((row.get::<_, Cell>(0)?, row.get::<_, i64>(1)?))
        })?;
        let shown = usize::try_from(size).unwrap_or_default();
        let others: i64 = rows.iter().skip(shown).map(|(_, count)| count).sum();
        let mut buckets = Vec::new();
        for (cell, count) in rows.into_iter().take(shown) {
            let key = match &cell {
                Cell::Text(text) => json!(text),
                Cell::Integer(number) => json!(number),
                _ => continue,
            };
            let here = Sql::all(vec![condition.clone(), Sql::with(format!("{expression} = ?"), vec![cell])]);
            buckets.push(self.bucket(json!({ "key": key, "doc_count": count }), inner, &here)?);
        }
        Ok(json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": others, "buckets": buckets }))
    }

    fn histogram(
        &self,
        spec: &Value,
        expression: &str,
        inner: Option<&Value>,
        condition: &Sql,
    ) -> Result<Value, Problem> {
        let times = self.store.rows(&self.select(expression, condition, ""), |row| row.get::<_, i64>(0))?;
        let mut spans: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for time in times {
            let (from, until) = span(spec, time).ok_or_else(|| Problem::bad("bad interval of [date_histogram]"))?;
            spans.entry(from).or_insert((until, 0)).1 += 1;
        }
        let least = spec["min_doc_count"].as_i64().unwrap_or(0);
        let mut buckets = Vec::new();
        for (from, (until, count)) in spans.into_iter().filter(|(_, (_, count))| *count >= least) {
            let inside = Sql::text(format!("{expression} >= {from} AND {expression} < {until}"));
            let here = Sql::all(vec![condition.clone(), inside]);
            let bucket = json!({ "key_as_string": show(from), "key": from, "doc_count": count });
            buckets.push(self.bucket(bucket, inner, &here)?);
        }
        Ok(json!({ "buckets": buckets }))
    }

    fn bucket(&self, mut bucket: Value, inner: Option<&Value>, here: &Sql) -> Result<Value, Problem> {
        if let (Some(inner), Some(members)) = (inner, bucket.as_object_mut())
            && let Value::Object(below) = self.aggregations(inner, here)?
        {
            members.extend(below);
        }
        Ok(bucket)
    }
}

/// The span in which an instant lies, in UTC.
fn span(spec: &Value, time: i64) -> Option<(i64, i64)> {
    if let Some(fixed) = spec["fixed_interval"].as_str() {
        let length = match fixed.chars().last()? {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return None,
        };
        let count: i64 = fixed.strip_suffix(|_: char| true)?.parse().ok()?;
        let length = length * count;
        let from = time - time.rem_euclid(length);
        return Some((from, from + length));
    }
    let at = Timestamp::from_millisecond(time).ok()?.to_zoned(TimeZone::UTC);
    let day = at.start_of_day().ok()?;
    let (from, step) = match spec["calendar_interval"].as_str()? {
        "minute" | "1m" => (at.round(down_to(Unit::Minute)), Span::new().minutes(1)),
        "hour" | "1h" => (at.round(down_to(Unit::Hour)), Span::new().hours(1)),
        "day" | "1d" => (Ok(day), Span::new().days(1)),
        "week" | "1w" => {
            let since = i64::from(at.weekday().to_monday_zero_offset());
            (day.checked_sub(Span::new().days(since)), Span::new().weeks(1))
        }
        "month" | "1M" => (day.first_of_month(), Span::new().months(1)),
        "quarter" | "1q" => {
            let since = i64::from((at.month() - 1) % 3);
            let first = day.first_of_month().and_then(|first| first.checked_sub(Span::new().months(since)));
            (first, Span::new().months(3))
        }
        "year" | "1y" => (day.first_of_year(), Span::new().years(1)),
        _ => return None,
    };
    let from = from.ok()?;
    let until = from.checked_add(step).ok()?;
    Some((from.timestamp().as_millisecond(), until.timestamp().as_millisecond()))
}

fn down_to(unit: Unit) -> ZonedRound {
    ZonedRound::new().smallest(unit).mode(RoundMode::Trunc)
}
