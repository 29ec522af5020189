//! What may be grouped, sorted, measured: allow-lists, and the conditions a rule refuses by itself.

use super::Asking;
use crate::{
    model::{
        aggregation::Aggregation,
        answer::Shape,
        assumption::Assumption,
        body::{Access, BodyModel, Dimension, FieldKind},
        contract::Data,
        operation::AllowList,
        refusal::{Code, Refusal},
    },
    query::{
        body::{Body, spell},
        condition::Facts,
        json::Value,
    },
};

/// The words at a path.
pub(super) fn words<'b>(body: &'b Body, at: &[Box<str>]) -> Vec<&'b str> {
    match body.get(at) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(value) => value.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

/// The words at a path that say what rows are grouped or sorted by.
fn named<'b>(body: &'b Body, model: &BodyModel, at: &[Box<str>]) -> Vec<&'b str> {
    match model.field(at) {
        Some(FieldKind::Aggregations(_)) => body.aggregations.iter().flat_map(Aggregation::groups).collect(),
        Some(FieldKind::Sort { .. }) => {
            let fields = body.get(at).and_then(Value::as_array).unwrap_or_default();
            fields.iter().filter_map(Value::as_object).flatten().map(|(field, _)| &**field).collect()
        }
        _ => words(body, at),
    }
}

/// Refuses groupings that the rule does not list, and gives the kinds of access that are grouped by.
pub(super) fn group_by(asking: &Asking<'_>, body: &Body, bpo: bool) -> Result<Vec<Access>, Refusal> {
    let (Some(rule), Some(model)) = (&asking.operation.group_by, asking.operation.body()) else {
        return Ok(implied(asking));
    };
    let mut grouped = Vec::new();
    for name in body.aggregations.iter().flat_map(Aggregation::measures) {
        model.dimensions(name).try_for_each(|kind| open(asking, name, kind))?;
    }
    for name in named(body, model, &rule.at) {
        if rule.high_cardinality.iter().any(|known| **known == *name) {
            return Err(Refusal::new(
                Code::GroupByHighCardinality,
                format!(
                    "grouping by `{name}` gives one row for each interaction; group by a queue, an agent or a medium"
                ),
            ));
        }
        if model.dimensions(name).any(|kind| kind == Dimension::Access(Access::Division))
            && asking.operation.contract.data == Data::Interaction
            && !asking.world.rules.policy.accepted.contains(&Assumption::DivisionOfLeg)
        {
            let why = match asking.operation.answer.shape {
                Shape::Documents => {
                    "a document says the division that its leg had when it was written; group by queue instead"
                }
                _ => "the upstream tags whole conversations with divisions; group by queue instead",
            };
            return Err(Refusal::new(Code::GroupByDivision, why));
        }
        allowed(rule, name, bpo, Code::GroupByRefused)?;
        let before = grouped.len();
        let mut known = false;
        for kind in model.dimensions(name) {
            known = true;
            open(asking, name, kind)?;
            if let Dimension::Access(access) = kind
                && grouped.len() == before
            {
                // Told apart by a value that stands for the queue is told apart by queue.
                grouped.push(if access == Access::Attribute { Access::Queue } else { access });
            }
        }
        if !known {
            let message = format!("grouping by `{name}` says what no filter of this operation knows; leave it out");
            return Err(Refusal::new(Code::GroupByRefused, message));
        }
    }
    Ok(grouped)
}

/// Where nobody can say what to group by, each row of queues or people is of one.
fn implied(asking: &Asking<'_>) -> Vec<Access> {
    match (asking.operation.answer.shape, asking.operation.contract.data) {
        (Shape::Groups, Data::Queue) => vec![Access::Queue],
        (Shape::Groups, Data::User) => vec![Access::User],
        (Shape::Groups, data) => data.object().map(Access::Object).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Every name that the answer is grouped by.
pub(super) fn columns(asking: &Asking<'_>, body: &Body) -> Option<Vec<Box<str>>> {
    let (rule, model) = (asking.operation.group_by.as_ref()?, asking.operation.body()?);
    Some(named(body, model, &rule.at).into_iter().map(Into::into).collect())
}

pub(super) fn sort(asking: &Asking<'_>, body: &Body, bpo: bool) -> Result<(), Refusal> {
    let (Some(rule), Some(model)) = (&asking.operation.sort, asking.operation.body()) else {
        return Ok(());
    };
    for name in named(body, model, &rule.at) {
        allowed(rule, name, bpo, Code::SortRefused)?;
        model.dimensions(name).try_for_each(|kind| open(asking, name, kind))?;
    }
    Ok(())
}

/// Documents: the fields that were asked for, or all that may be. What the guard judges a document by is asked for beside
/// them, and taken out again.
pub(super) fn select(asking: &Asking<'_>, body: &mut Body) -> Result<Vec<Box<str>>, Refusal> {
    let (Some(source), Some(model)) = (&asking.operation.answer.source, asking.operation.body()) else {
        return Ok(Vec::new());
    };
    let known = model.field(source).and_then(FieldKind::words).unwrap_or_default();
    let may = |word: &str| model.dimensions(word).try_for_each(|kind| open(asking, word, kind));
    let asked: Vec<Box<str>> = if body.get(source).is_some() {
        let asked = words(body, source);
        asked.iter().try_for_each(|word| may(word))?;
        asked.into_iter().map(Into::into).collect()
    } else {
        known.iter().filter(|word| may(word).is_ok()).cloned().collect()
    };
    let judged =
        |word: &str| asking.operation.answer.keys.iter().any(|key| key.at.last().is_some_and(|at| **at == *word));
    let sent = known.iter().filter(|word| asked.contains(word) || judged(word));
    let sent = Value::array(sent.map(|word| Value::text(word.clone())));
    body.set(source, sent);
    Ok(asked)
}

/// Rows told apart or ordered by what is hidden would speak of it.
fn open(asking: &Asking<'_>, name: &str, kind: Dimension) -> Result<(), Refusal> {
    let hidden = match kind {
        Dimension::Access(_) => false,
        Dimension::Plain | Dimension::Masked => asking.hides(name, kind),
        Dimension::Hidden => true,
    };
    if !hidden {
        return Ok(());
    }
    let message = format!("grouping or sorting by `{name}` would name people or numbers that you may not see");
    Err(Refusal::new(Code::FieldHidden, message))
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

/// Refuses metrics that outsourcers may not ask for.
pub(super) fn metrics(asking: &Asking<'_>, body: &Body, bpo: bool) -> Result<(), Refusal> {
    let Some(rule) = &asking.operation.metrics else {
        return Ok(());
    };
    match &rule.bpo_allow {
        Some(allow) if bpo => {
            match words(body, &rule.at).into_iter().find(|name| !allow.iter().any(|known| **known == **name)) {
                Some(name) => Err(Refusal::new(
                    Code::BpoField,
                    format!("metric `{name}` is for people of the organisation itself"),
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// The asked metrics that have no user.
pub(super) fn metrics_without_user(asking: &Asking<'_>, body: &Body) -> Vec<Box<str>> {
    let Some(rule) = &asking.operation.metrics else {
        return Vec::new();
    };
    let lacks = |name: &str| rule.lacks.get(name).is_some_and(|kinds| kinds.contains(&Access::User));
    words(body, &rule.at).into_iter().filter(|name| lacks(name)).map(Into::into).collect()
}

/// Conditions under which a rule refuses.
pub(super) fn refuse_when(asking: &Asking<'_>, body: &Body, model: &BodyModel) -> Result<(), Refusal> {
    let facts = Facts::new(body, model);
    for refuse in &asking.operation.refuse {
        if facts.show(&refuse.when)? {
            let code =
                Code::ALL.iter().find(|code| code.as_str() == &*refuse.code).copied().unwrap_or(Code::RuleRefused);
            return Err(
                Refusal::new(code, refuse.message.to_string()).because(format!("rule `{}`", asking.operation.id))
            );
        }
    }
    Ok(())
}
