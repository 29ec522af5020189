//! `when` of a refusal: a definite path compared with a literal, or a `JSONPath` that finds something. It may only
//! subtract from what the body allows.
//!
//! A member that is missing makes a comparison false; a value of the wrong type never gets here, because the body
//! model refuses it. A condition that no body can meet is refused at load: it would let every question pass.

use super::{
    models, paths,
    reading::{At, Reader},
};
use crate::{
    model::{
        body::{BodyModel, FieldKind, Path},
        operation::{Compare, Comparison, Condition, ConditionValue},
    },
    query::{
        body::duration,
        condition::{self, Kind},
    },
};

const HELP: &str = "write `$.paging.pageSize > 100` or `$.order == \"asc\"`, or a path that finds what is refused: `$.metrics[?@ == 'tTalk']`";

pub(super) fn compile(when: &At<String>, body: &BodyModel, reader: &mut Reader<'_>) -> Option<Condition> {
    match parse(when) {
        Some(comparison) => definite(comparison, when, body, reader).map(Condition::Compare),
        None => path(when, body, reader),
    }
}

fn path(when: &At<String>, body: &BodyModel, reader: &mut Reader<'_>) -> Option<Condition> {
    let query = condition::parse(when);
    let query = query.and_then(|query| Kind::of(body).fits(&query).map(|()| query));
    let query = query.and_then(|query| {
        condition::parse(&when.to_ascii_lowercase()).map(|folded| Condition::Finds { query, folded })
    });
    if let Err(why) = &query {
        let message = format!("`{}` is not a condition: {why}", **when);
        reader.problem_with(when.span.clone(), message, Some(HELP.to_owned()));
    }
    query.ok()
}

fn definite(condition: Comparison, when: &At<String>, body: &BodyModel, reader: &mut Reader<'_>) -> Option<Comparison> {
    let Some(kind) = body.field(&condition.at) else {
        let path = condition.at.join(".");
        models::unknown("field", &path, body.fields.iter().map(|field| &field.name), when.span.clone(), reader);
        return None;
    };
    if !comparable(kind, condition.compare, &condition.value) {
        reader.problem_with(
            when.span.clone(),
            format!("`{}` can never hold: the field is of another type", **when),
            Some("numbers are compared with numbers, texts with texts, lengths of time in their shortest spelling (`PT1H`, not `PT60M`); only numbers have an order".to_owned()),
        );
        return None;
    }
    Some(condition)
}

fn comparable(kind: &FieldKind, compare: Compare, value: &ConditionValue) -> bool {
    let equality = matches!(compare, Compare::Equal | Compare::NotEqual);
    match (kind, value) {
        (FieldKind::Int { .. }, ConditionValue::Number(_)) => true,
        (FieldKind::Bool, ConditionValue::Bool(_))
        | (FieldKind::Text { .. } | FieldKind::TimeZone, ConditionValue::Text(_)) => equality,
        (FieldKind::Duration, ConditionValue::Text(text)) => {
            equality && duration(text).is_some_and(|one| *one == **text)
        }
        (FieldKind::Enum { words, .. }, ConditionValue::Text(text)) => equality && words.contains(text),
        _ => false,
    }
}

fn parse(when: &str) -> Option<Comparison> {
    // Longer signs first: `>=` begins with `>`.
    const SIGNS: [(&str, Compare); 6] = [
        ("==", Compare::Equal),
        ("!=", Compare::NotEqual),
        (">=", Compare::GreaterOrEqual),
        ("<=", Compare::LessOrEqual),
        (">", Compare::Greater),
        ("<", Compare::Less),
    ];
    let end = when.find(['=', '!', '<', '>'])?;
    let (path, rest) = when.split_at_checked(end)?;
    let (sign, compare) = SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    let at: Path = paths::parse(path.trim())?;
    let literal: serde_json::Value = serde_json::from_str(rest.strip_prefix(sign)?.trim()).ok()?;
    let value = match literal {
        serde_json::Value::Number(number) => ConditionValue::Number(number.as_f64()?),
        serde_json::Value::String(text) => ConditionValue::Text(text.into()),
        serde_json::Value::Bool(truth) => ConditionValue::Bool(truth),
        _ => return None,
    };
    Some(Comparison { at, compare, value })
}
