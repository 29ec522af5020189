//! Reads a body against its model: allow-listed fields only, one canonical form out.

use super::{
    dialect,
    filter::Filter,
    json::{Value, write_text},
    opensearch,
    reading::{Hides, ReadError, Reading},
};
use crate::model::{
    aggregation::Aggregation,
    body::{BodyModel, Dialect, Field, FieldKind, FilterModel, Path},
    refusal::{Code, Echo, Refusal},
};

/// A body that was understood whole: plain fields as canonical JSON, filters as algebra.
#[derive(Debug, Clone)]
pub struct Body {
    /// Everything but the filters; filter fields stand as `null` in their place.
    pub value: Value,
    pub filters: Vec<Slot>,
    /// The aggregations that were asked for, in the order of their names.
    pub aggregations: Vec<Aggregation>,
}

/// One place of the body where filters stand.
#[derive(Debug, Clone)]
pub struct Slot {
    pub at: Path,
    /// An array of filters, or one filter.
    pub many: bool,
    /// Canonical filters; for a single filter none or one.
    pub filters: Vec<Filter>,
}

/// Reads `value` against `model`.
pub fn read(model: &BodyModel, value: &Value, hides: Hides<'_>) -> Result<Body, Refusal> {
    let mut reader = Reader { dialect: model.dialect, hides, filters: Vec::new(), aggregations: Vec::new() };
    let value = reader.object(&model.fields, value, &mut Vec::new())?;
    if model.dialect == Dialect::OpenSearch {
        opensearch::hold_window(&value)?;
    }
    Ok(Body { value, filters: reader.filters, aggregations: reader.aggregations })
}

struct Reader<'a> {
    dialect: Dialect,
    hides: Hides<'a>,
    filters: Vec<Slot>,
    aggregations: Vec<Aggregation>,
}

impl Reader<'_> {
    /// Members come out in the model's order, so that the order of keys never shows in what is sent.
    fn object(&mut self, fields: &[Field], value: &Value, at: &mut Path) -> Result<Value, Refusal> {
        let Value::Object(members) = value else {
            return Err(malformed(at, "must be an object"));
        };
        if let Some((name, _)) = members.iter().find(|(name, _)| fields.iter().all(|field| !field.is_named(name))) {
            let known: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            return Err(malformed(
                at,
                &format!("`{}` is not accepted here; accepted are {}", Echo(name), known.join(", ")),
            ));
        }
        let mut out = Vec::with_capacity(members.len());
        for field in fields {
            at.push(field.name.clone());
            let mut given = members.iter().filter(|(name, _)| field.is_named(name));
            match given.next() {
                Some(_) if given.next().is_some() => {
                    return Err(malformed(at, "stands twice, by two names: leave one"));
                }
                Some((_, value)) => out.push((field.name.clone(), self.field(&field.kind, value, at)?)),
                None if field.required => return Err(malformed(at, "is missing")),
                None => {}
            }
            at.pop();
        }
        Ok(Value::Object(out))
    }

    fn field(&mut self, kind: &FieldKind, value: &Value, at: &mut Path) -> Result<Value, Refusal> {
        match (kind, value) {
            (FieldKind::Text { max }, Value::Text(text)) if text.len() <= *max => Ok(value.clone()),
            (FieldKind::Text { max }, Value::Text(_)) => Err(malformed(at, &format!("is longer than {max} bytes"))),
            (FieldKind::Duration, value) => value
                .as_str()
                .and_then(duration)
                .map(|text| Value::Text(text.into()))
                .ok_or_else(|| malformed(at, "must be a length of time such as `PT30M` or `P1D`")),
            (FieldKind::TimeZone, Value::Text(text)) if is_zone(text) => Ok(value.clone()),
            (FieldKind::TimeZone, _) => Err(malformed(at, "must name a time zone such as `Europe/London`")),
            (FieldKind::Interval | FieldKind::Instant | FieldKind::Id(_) | FieldKind::Part, Value::Text(text))
                if text.len() <= 512 =>
            {
                Ok(value.clone())
            }
            (FieldKind::Bool, Value::Bool(_)) => Ok(value.clone()),
            (FieldKind::Int { min, max }, Value::Number(text)) => match text.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => Ok(value.clone()),
                _ => Err(malformed(at, &format!("must be a whole number from {min} to {max}"))),
            },
            (FieldKind::Enum { words, fold }, Value::Text(text)) => words
                .iter()
                .find(|word| if *fold { word.eq_ignore_ascii_case(text) } else { ***word == **text })
                .map(|word| Value::Text(word.clone()))
                .ok_or_else(|| malformed(at, &format!("`{}` is not a word this field knows", Echo(text)))),
            (FieldKind::List { of, min, max }, Value::Array(items)) => {
                if items.len() > *max {
                    return Err(malformed(at, &format!("has more than {max} items")));
                }
                if items.len() < *min {
                    return Err(malformed(
                        at,
                        &format!("needs {min} or more items; leave it out if it may be missing"),
                    ));
                }
                let items: Result<_, _> = items.iter().map(|item| self.field(of, item, at)).collect();
                Ok(Value::Array(items?))
            }
            (FieldKind::Object(fields), value) => self.object(fields, value, at),
            (FieldKind::Sort { words, max }, value) => {
                opensearch::sort(words, *max, value).map_err(|error| unread(at, &error))
            }
            (FieldKind::Aggregations(model), value) => {
                let (asked, written) = opensearch::aggregations(model, value).map_err(|error| unread(at, &error))?;
                self.aggregations = asked;
                Ok(written)
            }
            (FieldKind::Filter(model), value) => {
                let filter = self.filter(model, value, at)?;
                self.filters.push(Slot { at: at.clone(), many: false, filters: vec![filter] });
                Ok(Value::Null)
            }
            (FieldKind::Filters(model), Value::Array(items)) => {
                let mut filters = Vec::with_capacity(items.len());
                for item in items {
                    filters.push(self.filter(model, item, at)?);
                }
                filters.sort();
                filters.dedup();
                self.filters.push(Slot { at: at.clone(), many: true, filters });
                Ok(Value::Null)
            }
            _ => Err(malformed(at, "has the wrong type or length")),
        }
    }

    fn filter(&self, model: &FilterModel, value: &Value, at: &Path) -> Result<Filter, Refusal> {
        let reading = Reading { model, dialect: self.dialect, hides: self.hides };
        dialect::read(&reading, value).map_err(|error| unread(at, &error))
    }
}

fn unread(at: &[Box<str>], error: &ReadError) -> Refusal {
    let inside = error.at.trim_start_matches('$');
    let code = if error.hidden { Code::FieldHidden } else { Code::QueryMalformed };
    Refusal::new(code, format!("`{}{inside}`: {}", spell(at), error.why))
}

/// A length of time in its one spelling: `PT60M` is `PT1H`. Days stay days: where clocks change they are not 24 hours.
pub fn duration(text: &str) -> Option<String> {
    let plain = text.starts_with('P') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !plain || text.len() > 32 {
        return None;
    }
    let span = text.parse::<jiff::Span>().ok().filter(|span| span.is_positive())?;
    let months = i64::from(span.get_years()).checked_mul(12)?.checked_add(span.get_months().into())?;
    let days = i64::from(span.get_weeks()).checked_mul(7)?.checked_add(span.get_days().into())?;
    let minutes = i64::from(span.get_hours()).checked_mul(60)?.checked_add(span.get_minutes())?;
    let seconds = minutes.checked_mul(60)?.checked_add(span.get_seconds())?;
    let part = |number: i64, unit: char| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let date = [part(months / 12, 'Y'), part(months % 12, 'M'), part(days, 'D')].concat();
    let time = [part(seconds / 3600, 'H'), part(seconds / 60 % 60, 'M'), part(seconds % 60, 'S')].concat();
    Some(if time.is_empty() { format!("P{date}") } else { format!("P{date}T{time}") })
}

/// A name by its form; which zones there are is the upstream's to say.
fn is_zone(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
    text.len() <= 64 && text.split('/').all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// `$.a.b`, for people.
pub fn spell(path: &[Box<str>]) -> String {
    path.iter().fold("$".to_owned(), |text, name| format!("{text}.{name}"))
}

pub fn malformed(at: &[Box<str>], why: &str) -> Refusal {
    Refusal::new(Code::QueryMalformed, format!("`{}` {why}", spell(at)))
}

impl Body {
    pub fn slot(&self, at: &[Box<str>]) -> Option<&Slot> {
        self.filters.iter().find(|slot| *slot.at == *at)
    }

    pub fn get(&self, at: &[Box<str>]) -> Option<&Value> {
        let mut here = &self.value;
        for name in at {
            let Value::Object(members) = here else {
                return None;
            };
            here = &members.iter().find(|(known, _)| known == name)?.1;
        }
        Some(here)
    }

    /// Puts a plain value at a path, making the objects on the way.
    pub fn set(&mut self, at: &[Box<str>], value: Value) {
        let mut here = &mut self.value;
        for name in at {
            let Value::Object(members) = here else { return };
            let slot = if let Some(slot) = members.iter().position(|(known, _)| known == name) {
                slot
            } else {
                members.push((name.clone(), Value::Object(Vec::new())));
                members.len() - 1
            };
            let Some((_, next)) = members.get_mut(slot) else {
                return;
            };
            here = next;
        }
        *here = value;
    }

    /// Puts filters at a slot, making it when the asker did not send it. An empty list takes it away.
    pub fn put_filters(&mut self, at: &[Box<str>], many: bool, mut filters: Vec<Filter>) {
        filters.sort();
        filters.dedup();
        self.filters.retain(|slot| *slot.at != *at);
        self.set(at, Value::Null);
        self.filters.push(Slot { at: at.to_vec(), many, filters });
    }

    /// The bytes that would be sent: members in the model's order, no white space, numbers as they were written.
    pub fn write(&self, model: &BodyModel) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        self.write_object(&model.fields, &self.value, model.dialect, &mut Vec::new(), &mut out);
        out
    }

    fn write_object(&self, fields: &[Field], value: &Value, dialect: Dialect, at: &mut Path, out: &mut Vec<u8>) {
        let Value::Object(members) = value else {
            return;
        };
        out.push(b'{');
        let mut first = true;
        for field in fields {
            let Some((_, value)) = members.iter().find(|(name, _)| *name == field.name) else {
                continue;
            };
            at.push(field.name.clone());
            let slot = self.slot(at);
            if !slot.is_some_and(|slot| slot.filters.is_empty()) {
                if !first {
                    out.push(b',');
                }
                first = false;
                write_text(&field.name, out);
                out.push(b':');
                match (&field.kind, slot) {
                    (FieldKind::Object(fields), _) => self.write_object(fields, value, dialect, at, out),
                    (_, Some(slot)) => write_slot(slot, dialect, out),
                    (_, None) => super::json::write(value, out),
                }
            }
            at.pop();
        }
        out.push(b'}');
    }
}

fn write_slot(slot: &Slot, dialect: Dialect, out: &mut Vec<u8>) {
    if slot.many {
        out.push(b'[');
    }
    for (at, filter) in slot.filters.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        dialect::write(dialect, filter, out);
    }
    if slot.many {
        out.push(b']');
    }
}
