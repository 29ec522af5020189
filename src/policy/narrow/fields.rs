//! What may be grouped, sorted, measured: allow-lists, and the conditions a rule refuses by itself.

use super::Asking;
use crate::{
    model::{
        answer::Shape,
        assumption::Assumption,
        body::{Access, Dimension, FieldKind},
        contract::Data,
        operation::{AllowList, Compare, Condition, ConditionValue},
        refusal::{Code, Refusal},
    },
    query::{
        body::{Body, malformed, spell},
        json::Value,
    },
};

/// Names at a path: strings, or the `dimension`, `metric` or `name` of objects.
pub(super) fn names(body: &Body, at: &[Box<str>]) -> Vec<Box<str>> {
    let name = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Object(_) => {
            ["dimension", "metric", "name"].iter().find_map(|key| value.get(key)?.as_str().map(Into::into))
        }
        _ => None,
    };
    match body.get(at) {
        Some(Value::Array(items)) => items.iter().filter_map(name).collect(),
        Some(value) => name(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Refuses groupings that the rule does not list, and gives the kinds of access that are grouped by.
pub(super) fn group_by(asking: &Asking<'_>, body: &Body, bpo: bool) -> Result<Vec<Access>, Refusal> {
    let Some(rule) = &asking.operation.group_by else {
        return Ok(implied(asking));
    };
    let mut grouped = Vec::new();
    for name in names(body, &rule.at) {
        if rule.high_cardinality.contains(&name) {
            return Err(Refusal::new(
                Code::GroupByHighCardinality,
                format!(
                    "grouping by `{name}` gives one row for each interaction; group by a queue, an agent or a medium"
                ),
            ));
        }
        let by_division = dimension(asking, &name) == Some(Dimension::Access(Access::Division));
        if by_division
            && asking.operation.contract.data == Data::Interaction
            && !asking.world.rules.policy.accepted.contains(&Assumption::DivisionOfLeg)
        {
            return Err(Refusal::new(
                Code::GroupByDivision,
                "the upstream tags whole conversations with divisions; group by queue instead",
            ));
        }
        allowed(rule, &name, bpo, Code::GroupByRefused)?;
        match dimension(asking, &name) {
            Some(Dimension::Access(access)) => grouped.push(access),
            Some(Dimension::Hidden) => return Err(hidden(&name)),
            Some(Dimension::Masked) if !is_lifted(asking, &name) => return Err(hidden(&name)),
            Some(Dimension::Masked | Dimension::Plain) | None => {}
        }
    }
    Ok(grouped)
}

/// Where nobody can say what to group by, each row of queues or people is of one.
fn implied(asking: &Asking<'_>) -> Vec<Access> {
    match (asking.operation.answer.shape, asking.operation.contract.data) {
        (Shape::Groups, Data::Queue) => vec![Access::Queue],
        (Shape::Groups, Data::User) => vec![Access::User],
        _ => Vec::new(),
    }
}

/// Every name that the answer is grouped by.
pub(super) fn columns(asking: &Asking<'_>, body: &Body) -> Option<Vec<Box<str>>> {
    asking.operation.group_by.as_ref().map(|rule| names(body, &rule.at))
}

pub(super) fn sort(asking: &Asking<'_>, body: &Body, bpo: bool) -> Result<(), Refusal> {
    let Some(rule) = &asking.operation.sort else {
        return Ok(());
    };
    for name in names(body, &rule.at) {
        allowed(rule, &name, bpo, Code::SortRefused)?;
    }
    Ok(())
}

fn allowed(rule: &AllowList, name: &str, bpo: bool, code: Code) -> Result<(), Refusal> {
    let contains = |list: &[Box<str>]| list.iter().any(|known| **known == *name);
    let list: Vec<_> = rule.allow.iter().map(|name| format!("`{name}`")).collect();
    if !contains(&rule.allow) {
        return Err(Refusal::new(
            code,
            format!("`{name}` is not allowed in `{}`; allowed are {}", spell(&rule.at), list.join(", ")),
        ));
    }
    match &rule.bpo_allow {
        Some(narrower) if bpo && !contains(narrower) => Err(Refusal::new(
            Code::BpoField,
            format!("`{name}` in `{}` is for people of the organisation itself", spell(&rule.at)),
        )),
        _ => Ok(()),
    }
}

/// The class of a dimension, by any filter of the body that knows it.
fn dimension(asking: &Asking<'_>, name: &str) -> Option<Dimension> {
    fn find(kind: &FieldKind, name: &str) -> Option<Dimension> {
        match kind {
            FieldKind::Filter(model) | FieldKind::Filters(model) => model.dimensions.get(name).copied(),
            FieldKind::Object(fields) => fields.iter().find_map(|field| find(&field.kind, name)),
            _ => None,
        }
    }
    asking.operation.body()?.fields.iter().find_map(|field| find(&field.kind, name))
}

pub(super) fn is_lifted(asking: &Asking<'_>, field: &str) -> bool {
    asking.operation.answer.mask.get(field).is_some_and(|class| asking.scope.unmasked.contains(class))
}

fn hidden(name: &str) -> Refusal {
    Refusal::new(Code::FieldHidden, format!("grouping by `{name}` would name people or numbers that you may not see"))
}

/// Refuses metrics that outsourcers may not ask for.
pub(super) fn metrics(asking: &Asking<'_>, body: &Body, bpo: bool) -> Result<(), Refusal> {
    let Some(rule) = &asking.operation.metrics else {
        return Ok(());
    };
    match &rule.bpo_allow {
        Some(allow) if bpo => match names(body, &rule.at).into_iter().find(|name| !allow.contains(name)) {
            Some(name) => {
                Err(Refusal::new(Code::BpoField, format!("metric `{name}` is for people of the organisation itself")))
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The asked metrics that have no user.
pub(super) fn metrics_without_user(asking: &Asking<'_>, body: &Body) -> Vec<Box<str>> {
    let Some(rule) = &asking.operation.metrics else {
        return Vec::new();
    };
    let lacks = |name: &str| rule.lacks.get(name).is_some_and(|kinds| kinds.contains(&Access::User));
    names(body, &rule.at).into_iter().filter(|name| lacks(name)).collect()
}

/// Conditions under which a rule refuses: a missing member makes one false, a wrong type refuses.
pub(super) fn refuse_when(asking: &Asking<'_>, body: &Body) -> Result<(), Refusal> {
    for refuse in &asking.operation.refuse {
        if holds(&refuse.when, body)? {
            let code =
                Code::ALL.iter().find(|code| code.as_str() == &*refuse.code).copied().unwrap_or(Code::RuleRefused);
            return Err(
                Refusal::new(code, refuse.message.to_string()).because(format!("rule `{}`", asking.operation.id))
            );
        }
    }
    Ok(())
}

fn holds(condition: &Condition, body: &Body) -> Result<bool, Refusal> {
    let Some(value) = body.get(&condition.at) else {
        return Ok(false);
    };
    let order = match (&condition.value, value) {
        (ConditionValue::Number(limit), Value::Number(text)) => {
            text.parse::<f64>().ok().and_then(|number| number.partial_cmp(limit))
        }
        (ConditionValue::Text(wanted), Value::Text(text)) => Some((**text).cmp(&**wanted)),
        (ConditionValue::Bool(wanted), Value::Bool(value)) => Some(value.cmp(wanted)),
        _ => None,
    };
    let order = order.ok_or_else(|| malformed(&condition.at, "has the wrong type"))?;
    Ok(match condition.compare {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    })
}
