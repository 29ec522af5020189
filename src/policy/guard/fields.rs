//! Field by field: the allow-list of an answer, and masks.

use super::GuardPlan;
use crate::{model::answer::Keep, query::json::Value};
use std::collections::BTreeSet;

/// What a masked string looks like.
const MASKED: &str = "***";

/// Drops every field that no level of the allow-list names.
pub(super) fn keep(keep: &Keep, answer: Value) -> Value {
    prune(keep, answer, "")
}

fn prune(keep: &Keep, value: Value, level: &str) -> Value {
    let Some(listed) = keep.levels.get(level) else {
        return value;
    };
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| listed.contains(name))
                .map(|(name, value)| {
                    let below = if level.is_empty() { name.to_string() } else { format!("{level}.{name}") };
                    let value = prune(keep, value, &below);
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| prune(keep, item, level)).collect()),
        // Where an object or a list is due, a bare value could say anything.
        _ => Value::Null,
    }
}

/// Masks the fields of one object, but those whose class is lifted here.
pub(super) fn mask(plan: &GuardPlan, value: &mut Value, lifted: &BTreeSet<&str>) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, value) in members {
        let class = plan.operation.answer.mask.get(name);
        if class.is_some_and(|class| !lifted.contains(&**class)) && !value.is_null() {
            *value = Value::text(MASKED);
        }
    }
}

pub(super) fn remove(value: &mut Value, path: &[Box<str>]) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    if let Some(holder) = value.at_mut(above) {
        holder.remove(last);
    }
}
