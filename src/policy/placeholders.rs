//! Placeholders of the report-definition API: whole strings that stand for what the asker's scope holds now.

use super::extent::Extent;
use crate::{
    model::{
        org::{Org, Principal, QueueIx, QueueState, User},
        refusal::{Code, Echo, Refusal},
    },
    query::json::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// More values than this do not fit into any query: a body of a few bytes must not stand for gigabytes.
const MOST: usize = 1 << 16;

/// What placeholders may be filled with.
#[derive(Debug)]
pub struct Filling<'a> {
    pub org: &'a Org,
    pub holder: Principal,
    pub extent: &'a Extent,
}

/// Replaces placeholders in a body; gives the values that they stood for. Only values of predicates and the division slot
/// may hold one.
pub fn fill(
    value: &mut Value,
    slot: Option<&[Box<str>]>,
    filling: &Filling<'_>,
) -> Result<BTreeSet<Box<str>>, Refusal> {
    if let Some(slot) = slot
        && let Some(Value::Text(text)) = value.at(slot)
        && text.contains("${")
    {
        let values = filling.values(text)?;
        let [only] = &*values else {
            return Err(many(text, values.len()));
        };
        let only = Value::Text(only.clone());
        value.set_at(slot, only);
    }
    let mut filled = Filled { filling, known: BTreeMap::new(), values: 0 };
    walk(value, &mut filled)?;
    Ok(filled.known.into_values().flatten().collect())
}

/// What was filled in so far: each placeholder is worked out once, and all of them together are bounded.
struct Filled<'a> {
    filling: &'a Filling<'a>,
    known: BTreeMap<Box<str>, Vec<Box<str>>>,
    values: usize,
}

impl Filled<'_> {
    fn values(&mut self, text: &str) -> Result<&[Box<str>], Refusal> {
        let known = match self.known.entry(text.into()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(self.filling.values(text)?),
        };
        self.values = self.values.saturating_add(known.len());
        if self.values > MOST {
            return Err(Refusal::new(
                Code::QueryTooComplex,
                format!("the placeholders stand for more than {MOST} values in all; name each of them once"),
            )
            .with("needed", self.values.to_string())
            .with("limit", MOST.to_string()));
        }
        Ok(known)
    }
}

fn walk(value: &mut Value, filled: &mut Filled<'_>) -> Result<(), Refusal> {
    match value {
        Value::Text(text) if text.contains("${") => Err(unknown(text)),
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, filled)),
        Value::Object(members) => {
            let operator = members
                .iter()
                .find(|(name, _)| **name == *"operator")
                .and_then(|(_, value)| value.as_str())
                .map(str::to_owned);
            for (name, member) in members {
                match (&**name, &operator, member) {
                    ("values", Some(operator), Value::Array(values)) => predicate(operator, values, filled)?,
                    (_, _, member) => walk(member, filled)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn predicate(operator: &str, values: &mut Vec<Value>, filled: &mut Filled<'_>) -> Result<(), Refusal> {
    let mut out = Vec::with_capacity(values.len());
    for value in values.drain(..) {
        match value {
            Value::Text(text) if text.contains("${") => {
                let meant = filled.values(&text)?;
                if !(operator == "IN" || operator == "EQUALS" && meant.len() == 1) {
                    return Err(many(&text, meant.len()));
                }
                out.extend(meant.iter().cloned().map(Value::Text));
            }
            other => out.push(other),
        }
    }
    *values = out;
    Ok(())
}

impl Filling<'_> {
    fn values(&self, text: &str) -> Result<Vec<Box<str>>, Refusal> {
        let org = self.org;
        let user = match self.holder {
            Principal::User(user) => Some(org.user(user)),
            Principal::Service(_) => None,
        };
        let queues = self.extent.queues().filter(|queue| org.queue(*queue).state == QueueState::Active);
        let mut values: Vec<Box<str>> = match text {
            "${user.queueIds}" => queues
                .iter()
                .filter(|queue| user.is_some_and(|user| is_member(org, user, **queue)))
                .map(|queue| org.queue(*queue).id.clone())
                .collect(),
            "${user.scopeQueueIds}" => queues.iter().map(|queue| org.queue(*queue).id.clone()).collect(),
            "${user.divisionId}" => user.map(|user| org.division(user.division).id.clone()).into_iter().collect(),
            "${user.divisionIds}" => {
                self.extent.leg_divisions(org).iter().map(|division| org.division(*division).id.clone()).collect()
            }
            "${user.id}" => user.map(|user| user.id.clone()).into_iter().collect(),
            "${user.groupIds}" => {
                user.into_iter().flat_map(|user| &user.groups).map(|group| org.group(*group).id.clone()).collect()
            }
            _ => return Err(unknown(text)),
        };
        values.sort();
        if values.is_empty() {
            return Err(Refusal::new(Code::ScopeEmpty, format!("`{text}` stands for nothing in your scope now"))
                .with("placeholder", text));
        }
        Ok(values)
    }
}

/// A member of a restricted queue is one whom the queue names; a group does not make one.
fn is_member(org: &Org, user: &User, queue: QueueIx) -> bool {
    if org.queue(queue).restricted { user.named_queues.contains(&queue) } else { user.queues.contains(&queue) }
}

/// Takes placeholders out, so that what is left names only what its author named: a predicate that has nothing else asks
/// whether there is a value at all. One that does not exist, or stands where none may, is refused.
pub fn leave_out(value: &mut Value, slot: Option<&[Box<str>]>) -> Result<(), Refusal> {
    if let Some((last, above)) = slot.and_then(<[_]>::split_last)
        && let Some(object) = value.at_mut(above)
        && let Some(Value::Text(text)) = object.get(last)
        && text.contains("${")
    {
        known(text)?;
        object.remove(last);
    }
    forget(value)
}

fn forget(value: &mut Value) -> Result<(), Refusal> {
    match value {
        Value::Text(text) if text.contains("${") => Err(unknown(text)),
        Value::Array(items) => items.iter_mut().try_for_each(forget),
        Value::Object(_) => {
            let operator = value.get("operator").and_then(Value::as_str).map(str::to_owned);
            let Some(operator) = operator else { return forget_below(value) };
            let Some(Value::Array(values)) = value.get_mut("values") else { return forget_below(value) };
            let before = values.len();
            for text in values.iter().filter_map(Value::as_str).filter(|text| text.contains("${")) {
                known(text)?;
                if !matches!(operator.as_str(), "IN" | "EQUALS") {
                    return Err(unknown(text));
                }
            }
            values.retain(|value| value.as_str().is_none_or(|text| !text.contains("${")));
            if values.is_empty() && before > 0 {
                value.remove("values");
                value.set("operator", Value::text("EXISTS"));
            }
            forget_below(value)
        }
        _ => Ok(()),
    }
}

fn forget_below(value: &mut Value) -> Result<(), Refusal> {
    value.as_object_mut().map_or(Ok(()), |members| members.iter_mut().try_for_each(|(_, member)| forget(member)))
}

const KNOWN: [&str; 6] = [
    "${user.queueIds}",
    "${user.scopeQueueIds}",
    "${user.divisionId}",
    "${user.divisionIds}",
    "${user.id}",
    "${user.groupIds}",
];

fn known(text: &str) -> Result<(), Refusal> {
    if KNOWN.contains(&text) { Ok(()) } else { Err(unknown(text)) }
}

fn unknown(text: &str) -> Refusal {
    let shown = Echo(text);
    Refusal::new(
        Code::PlaceholderUnknown,
        format!(
            "`{shown}` is not a placeholder; whole strings only: `${{user.queueIds}}`, `${{user.scopeQueueIds}}`, \
             `${{user.divisionId}}`, `${{user.divisionIds}}`, `${{user.id}}`, `${{user.groupIds}}`"
        ),
    )
}

fn many(text: &str, count: usize) -> Refusal {
    Refusal::new(Code::PlaceholderMany, format!("`{text}` stands for {count} values; use it with `IN`"))
        .with("count", count.to_string())
}
