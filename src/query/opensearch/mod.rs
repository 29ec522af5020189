//! The query language of OpenSearch over documents that are one leg each: `bool`, `term`, `terms`, `range`, `exists`,
//! `match_all`.
//!
//! It negates for real, and so does what is read of it: a negation is taken down to the predicates, each of which has an
//! exact opposite, because a document has one value of a field or none. What a negated predicate names is judged and
//! never counts as narrowing. Scores play no part: everything is written as a filter.

mod aggregations;

pub(super) use aggregations::{aggregations, sort};

use super::{
    body::Body,
    filter::{Atom, Filter, Join, Term},
    json::{Value, write_text},
    reading::{ReadError, Reading},
};
use crate::model::{
    body::Access,
    refusal::{Code, Echo, Refusal},
};

/// The bounds of a range, in the order in which they are written.
const BOUNDS: [&str; 4] = ["gt", "gte", "lt", "lte"];
/// How deep groups may nest in what is sent.
const DEEPEST: usize = 11;
/// Longest bound, as an instant or a number.
const MAX_BOUND: usize = 64;

/// The last document that a page may reach; beyond it an index answers with an error.
const WINDOW: i64 = 10_000;
/// Documents of a page whose size nobody says.
const PAGE: i64 = 10;

/// Refuses a page that no index gives: the upstream's own error would be told as a fault.
pub(super) fn hold_window(body: &Value) -> Result<(), Refusal> {
    let number = |name: &str, default| body.get(name).and_then(Value::as_i64).unwrap_or(default);
    let (from, size) = (number("from", 0), number("size", PAGE));
    if from.saturating_add(size) <= WINDOW {
        return Ok(());
    }
    let message = format!(
        "`$.from` {from} and `$.size` {size} reach beyond document {WINDOW}, and no page goes further; sort by a time and \
         ask for what follows by a `range` on it"
    );
    Err(Refusal::new(Code::PagingTooLarge, message).with("limit", WINDOW.to_string()))
}

/// Puts to the answer over no document at all what was asked for beside documents: aggregations, and a total or none.
pub fn of_nothing(body: &Body, answer: &mut Value) {
    answer.remove("aggregations");
    if !body.aggregations.is_empty() {
        answer.set("aggregations", aggregations::empty(&body.aggregations));
    }
    let counts = body.value.get("track_total_hits").and_then(Value::as_bool).unwrap_or(true);
    if let Some(hits) = answer.at_mut(&["hits"]).filter(|_| !counts) {
        hits.remove("total");
    }
}

/// Reads a query.
pub(super) fn read(reading: &Reading<'_>, value: &Value) -> Result<Filter, ReadError> {
    let reader = Reader { reading, negated: false };
    Ok(reader.clause(value, "$", reading.model.max_depth)?.canonical())
}

#[derive(Clone, Copy)]
struct Reader<'r> {
    reading: &'r Reading<'r>,
    /// Everything that is read means its opposite.
    negated: bool,
}

impl Reader<'_> {
    fn clause(self, value: &Value, at: &str, deeper: usize) -> Result<Filter, ReadError> {
        let (kind, inner) = only(value, at)?;
        let here = format!("{at}.{}", Echo(kind));
        match kind {
            "bool" => self.bool(inner, &here, deeper),
            "match_all" => match inner {
                Value::Object(members) if members.is_empty() => Ok(self.group(Join::And, Vec::new())),
                _ => Err(ReadError::new(here, "takes nothing: write `{}`")),
            },
            "term" => {
                let (field, value) = only(inner, &here)?;
                let value = match value {
                    Value::Object(_) => {
                        let (key, value) = only(value, &here)?;
                        if key != "value" {
                            return Err(ReadError::unknown(&here, key, "`value`"));
                        }
                        value
                    }
                    other => other,
                };
                self.values(field, std::slice::from_ref(value), &here)
            }
            "terms" => {
                let (field, values) = only(inner, &here)?;
                match values {
                    Value::Array(values) => self.values(field, values, &here),
                    _ => Err(ReadError::new(here, "needs a list of values; look-ups in other documents are not sent")),
                }
            }
            "range" => {
                let (field, bounds) = only(inner, &here)?;
                self.range(field, bounds, &here)
            }
            "exists" => match only(inner, &here)? {
                ("field", Value::Text(field)) => self.exists(field, &here),
                _ => Err(ReadError::new(here, "needs `field`, and nothing else")),
            },
            other => Err(ReadError::unknown(at, other, "`bool`, `exists`, `match_all`, `range`, `term` and `terms`")),
        }
    }

    /// `should` filters where nothing else has to hold, or where `minimum_should_match` says so. Elsewhere it would only
    /// change scores, which are not kept.
    fn bool(self, value: &Value, at: &str, deeper: usize) -> Result<Filter, ReadError> {
        let deeper = deeper.checked_sub(1).ok_or_else(|| ReadError::new(at, "queries nest too deep"))?;
        let Value::Object(members) = value else {
            return Err(ReadError::new(at, "must be an object"));
        };
        let (mut all, mut any, mut least, mut required) = (Vec::new(), Vec::new(), false, false);
        let opposite = Self { negated: !self.negated, ..self };
        for (name, value) in members {
            let here = format!("{at}.{}", Echo(name));
            let clauses = match value {
                Value::Array(clauses) => clauses.as_slice(),
                one => std::slice::from_ref(one),
            };
            let read = |reader: Self| -> Result<Vec<_>, ReadError> {
                clauses.iter().map(|clause| reader.clause(clause, &here, deeper)).collect()
            };
            match &**name {
                "must" | "filter" => {
                    required |= !clauses.is_empty();
                    all.extend(read(self)?);
                }
                "must_not" => all.extend(read(opposite)?),
                "should" => any = read(self)?,
                "minimum_should_match" => {
                    least = matches!(value, Value::Number(one) | Value::Text(one) if **one == *"1");
                    if !least {
                        return Err(ReadError::new(here, "must be 1"));
                    }
                }
                other => {
                    let known = "`must`, `filter`, `should`, `must_not` and `minimum_should_match`";
                    return Err(ReadError::unknown(at, other, known));
                }
            }
        }
        match (any.is_empty(), least) {
            (true, true) => {
                return Err(ReadError::new(at, "`minimum_should_match` needs `should` with one or more clauses"));
            }
            (true, false) => {}
            (false, false) if required => {
                let why =
                    "`should` beside `must` or `filter` filters nothing: add `minimum_should_match`, or leave it out";
                return Err(ReadError::new(format!("{at}.should"), why));
            }
            (false, _) => all.push(self.group(Join::Or, any)),
        }
        Ok(self.group(Join::And, all))
    }

    /// A group, or its opposite of opposites. What always holds is taken out of an *and*.
    fn group(self, join: Join, mut items: Vec<Filter>) -> Filter {
        let join = match (join, self.negated) {
            (Join::And, false) | (Join::Or, true) => Join::And,
            (Join::Or, false) | (Join::And, true) => Join::Or,
        };
        if join == Join::And {
            items.retain(|item| *item != Filter::and(Vec::new()));
        }
        Filter::Group(join, items)
    }

    fn field(&self, asked: &str, at: &str) -> Result<(&str, Option<Access>), ReadError> {
        // the place of the error is the field itself, not a member called `dimension`
        self.reading.dimension(asked, at).map_err(|error| ReadError { at: at.to_owned(), ..error })
    }

    fn values(self, field: &str, values: &[Value], at: &str) -> Result<Filter, ReadError> {
        let (name, access) = self.field(field, at)?;
        if values.is_empty() {
            return Ok(self.group(Join::Or, Vec::new()));
        }
        let mut texts = Vec::with_capacity(values.len());
        let mut written = Vec::with_capacity(values.len());
        for value in values {
            match value {
                Value::Text(text) => texts.push(text.clone()),
                Value::Number(_) if access.is_none() => {}
                _ if access.is_some() => return Err(ReadError::new(at, "an id is a string")),
                _ => return Err(ReadError::new(at, "a value is a string or a number")),
            }
            written.push(Box::from(String::from_utf8(value.to_bytes()).unwrap_or_default()));
        }
        written.sort();
        written.dedup();
        texts.sort();
        texts.dedup();
        let term = match access {
            None => Term::Other,
            Some(access) if self.negated => Term::NotIn(access, texts),
            Some(access) => Term::In(access, texts),
        };
        Ok(self.atom(term, compared(name, &written)))
    }

    fn range(self, field: &str, bounds: &Value, at: &str) -> Result<Filter, ReadError> {
        let (name, access) = self.field(field, at)?;
        if access.is_some() {
            return Err(ReadError::new(at, "an id has no order; use `term` or `terms`"));
        }
        let Value::Object(members) = bounds else {
            return Err(ReadError::new(at, "must be an object"));
        };
        if let Some((other, _)) = members.iter().find(|(name, _)| !BOUNDS.contains(&&**name)) {
            return Err(ReadError::unknown(at, other, "`gt`, `gte`, `lt` and `lte`"));
        }
        let mut parts = Vec::new();
        for bound in BOUNDS {
            match bounds.get(bound) {
                None => {}
                Some(value @ Value::Number(_)) => parts.push((bound, value.clone())),
                Some(value @ Value::Text(text)) if text.len() <= MAX_BOUND => parts.push((bound, value.clone())),
                Some(_) => {
                    return Err(ReadError::new(format!("{at}.{bound}"), "must be a number, or an instant as a string"));
                }
            }
        }
        if parts.is_empty() {
            return Err(ReadError::new(at, "needs one of `gt`, `gte`, `lt` and `lte`"));
        }
        let bounds = Value::object([(name, Value::object(parts))]);
        Ok(self.atom(Term::Other, text(&Value::object([("range", bounds)]))))
    }

    fn exists(self, field: &str, at: &str) -> Result<Filter, ReadError> {
        let (name, access) = self.field(field, at)?;
        let term = match access {
            None => Term::Other,
            Some(access) if self.negated => Term::Missing(access),
            Some(access) => Term::Present(access),
        };
        Ok(self.atom(term, there(name)))
    }

    fn atom(self, term: Term, text: String) -> Filter {
        let text = if self.negated { format!("{NOT}{text}{NOT_END}") } else { text };
        Filter::Atom(Atom { term, text: text.into() })
    }
}

const NOT: &str = r#"{"bool":{"must_not":["#;
const NOT_END: &str = "]}}";

/// The one member of an object.
fn only<'v>(value: &'v Value, at: &str) -> Result<(&'v str, &'v Value), ReadError> {
    match value {
        Value::Object(members) => match members.as_slice() {
            [(name, value)] => Ok((name, value)),
            _ => Err(ReadError::new(at, "must have exactly one member")),
        },
        _ => Err(ReadError::new(at, "must be an object")),
    }
}

fn text(value: &Value) -> String {
    String::from_utf8(value.to_bytes()).unwrap_or_default()
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_text(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// One spelling for one meaning: a single value is a `term`. Values come as JSON, sorted.
fn compared(name: &str, values: &[Box<str>]) -> String {
    let name = quoted(name);
    match values {
        [one] => format!(r#"{{"term":{{{name}:{one}}}}}"#),
        several => format!(r#"{{"terms":{{{name}:[{}]}}}}"#, several.join(",")),
    }
}

fn there(name: &str) -> String {
    format!(r#"{{"exists":{{"field":{}}}}}"#, quoted(name))
}

fn sorted(mut values: Vec<Box<str>>) -> Vec<Box<str>> {
    values.sort();
    values.dedup();
    values
}

/// The atom that says "this field is one of these".
pub fn atom_in(access: Access, field: &str, values: Vec<Box<str>>) -> Filter {
    let values = sorted(values);
    let written = sorted(values.iter().map(|value| quoted(value).into()).collect());
    Filter::Atom(Atom { text: compared(field, &written).into(), term: Term::In(access, values) })
}

/// The atom that says "the queue is one of these", by the values that stand for them.
pub fn atom_bound(field: &str, bound: Vec<(Box<str>, Box<str>)>) -> Filter {
    let (queues, values): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
    let written = sorted(values.iter().map(|value| quoted(value).into()).collect());
    Filter::Atom(Atom { text: compared(field, &written).into(), term: Term::In(Access::Queue, sorted(queues)) })
}

pub fn atom_missing(access: Access, field: &str) -> Filter {
    Filter::Atom(Atom { text: format!("{NOT}{}{NOT_END}", there(field)).into(), term: Term::Missing(access) })
}

/// The field of an atom that compares values.
pub fn dimension_of(atom: &Atom) -> Option<String> {
    let text = atom.text.strip_prefix(NOT).unwrap_or(&atom.text);
    let rest = text.strip_prefix(r#"{"term":{""#).or_else(|| text.strip_prefix(r#"{"terms":{""#))?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

/// Whether a canonical filter can be written so that it is read again, as one level less than is read: negations and the scope make it deeper than what
/// was asked.
pub fn fits(filter: &Filter) -> bool {
    filter.depth() <= DEEPEST
}

/// Writes a canonical filter: the asked conditions and those of the scope as entries of one `bool.filter`.
pub fn write(filter: &Filter, out: &mut Vec<u8>) {
    match filter {
        Filter::Group(Join::And, items) if items.is_empty() => out.extend_from_slice(br#"{"match_all":{}}"#),
        Filter::Group(Join::And, items) => write_group(br#"{"bool":{"filter":["#, items, out),
        Filter::Group(Join::Or, items) => {
            write_group(br#"{"bool":{"minimum_should_match":1,"should":["#, items, out);
        }
        Filter::Atom(_) => write_group(br#"{"bool":{"filter":["#, std::slice::from_ref(filter), out),
    }
}

fn write_group(begin: &[u8], items: &[Filter], out: &mut Vec<u8>) {
    out.extend_from_slice(begin);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match item {
            Filter::Atom(atom) => out.extend_from_slice(atom.text.as_bytes()),
            group @ Filter::Group(..) => write(group, out),
        }
    }
    out.extend_from_slice(b"]}}");
}
