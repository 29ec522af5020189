//! Placeholders of the report-definition API: whole strings that stand for what the asker's scope holds now.

use super::extent::Extent;
use crate::{
    model::{
        org::{Org, Principal, QueueIx, QueueState, User},
        refusal::{Code, Refusal},
    },
    query::json::Value,
};

/// What placeholders may be filled with.
#[derive(Debug)]
pub struct Filling<'a> {
    pub org: &'a Org,
    pub holder: Principal,
    pub extent: &'a Extent,
}

/// Replaces placeholders in a body. Only values of predicates and the division slot may hold one.
pub fn fill(value: &mut Value, slot: Option<&[Box<str>]>, filling: &Filling<'_>) -> Result<(), Refusal> {
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
    walk(value, filling)
}

fn walk(value: &mut Value, filling: &Filling<'_>) -> Result<(), Refusal> {
    match value {
        Value::Text(text) if text.contains("${") => Err(unknown(text)),
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, filling)),
        Value::Object(members) => {
            let operator = members
                .iter()
                .find(|(name, _)| **name == *"operator")
                .and_then(|(_, value)| value.as_str())
                .map(str::to_owned);
            for (name, member) in members {
                match (&**name, &operator, member) {
                    ("values", Some(operator), Value::Array(values)) => predicate(operator, values, filling)?,
                    (_, _, member) => walk(member, filling)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn predicate(operator: &str, values: &mut Vec<Value>, filling: &Filling<'_>) -> Result<(), Refusal> {
    let mut out = Vec::with_capacity(values.len());
    for value in values.drain(..) {
        match value {
            Value::Text(text) if text.contains("${") => {
                let filled = filling.values(&text)?;
                let single = matches!(operator, "EQUALS" | "NOT_EQUALS");
                if !(single || matches!(operator, "IN" | "NOT_IN")) || (single && filled.len() != 1) {
                    return Err(many(&text, filled.len()));
                }
                out.extend(filled.into_iter().map(Value::Text));
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

fn unknown(text: &str) -> Refusal {
    let shown: String = text.chars().take(80).collect();
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
