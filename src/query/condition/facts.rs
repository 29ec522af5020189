//! Whether a condition holds for a question that was read. What is evaluated is the question in its canonical form:
//! the spelling of the asker (case, order, what may be left out) decides nothing.

use crate::{
    model::{
        body::BodyModel,
        operation::{Compare, Comparison, Condition, ConditionValue},
        refusal::{Code, Refusal},
    },
    query::{
        body::{Body, malformed},
        json::{self, Limits, Value},
    },
};
use jsonpath_rust::{parser::model::JpQuery, query::js_path_process};
use std::{cell::OnceCell, cmp::Ordering};

/// One question. The document for paths is made once, and only when a condition needs it.
#[derive(Debug)]
pub struct Facts<'b> {
    body: &'b Body,
    model: &'b BodyModel,
    documents: OnceCell<Option<Documents>>,
}

#[derive(Debug)]
struct Documents {
    canonical: serde_json::Value,
    /// In small letters.
    folded: serde_json::Value,
}

impl<'b> Facts<'b> {
    pub fn new(body: &'b Body, model: &'b BodyModel) -> Self {
        Self { body, model, documents: OnceCell::new() }
    }

    /// A missing member makes a comparison false; a value of the wrong type refuses, and so does any doubt. Words that
    /// differ by case only are one word, as they are upstream: what holds of either spelling holds.
    pub fn show(&self, condition: &Condition) -> Result<bool, Refusal> {
        match condition {
            Condition::Compare(comparison) => compare(comparison, self.body),
            Condition::Finds { query, folded } => {
                let documents = self.documents.get_or_init(|| documents(self.body, self.model));
                let finds = |query: &JpQuery, document: &serde_json::Value| {
                    js_path_process(query, document).ok().map(|found| !found.is_empty())
                };
                let found = documents
                    .as_ref()
                    .and_then(|both| Some(finds(query, &both.canonical)? || finds(folded, &both.folded)?));
                found.ok_or_else(|| {
                    Refusal::new(Code::QueryMalformed, "a condition of this operation cannot be judged for this body")
                        .because(format!("`{query}` gave no list of places"))
                })
            }
        }
    }
}

fn documents(body: &Body, model: &BodyModel) -> Option<Documents> {
    let canonical = document(body, model)?;
    let folded = folded(&canonical);
    Some(Documents { canonical, folded })
}

fn folded(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => text.to_ascii_lowercase().into(),
        Value::Array(items) => items.iter().map(folded).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.to_ascii_lowercase(), folded(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The canonical text of the question, read strictly once more.
fn document(body: &Body, model: &BodyModel) -> Option<serde_json::Value> {
    let text = body.write(model);
    let value = json::parse_object(&text, &Limits::own(&text)).ok()?;
    Some(plain(&value))
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Text(text) => (**text).into(),
        Value::Number(text) => match text.parse::<i64>() {
            Ok(whole) => whole.into(),
            Err(_) => text.parse::<f64>().map_or(serde_json::Value::Null, Into::into),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.to_string(), plain(value))).collect(),
    }
}

fn compare(comparison: &Comparison, body: &Body) -> Result<bool, Refusal> {
    let Some(value) = body.get(&comparison.at) else {
        return Ok(false);
    };
    let order = match (&comparison.value, value) {
        (ConditionValue::Number(limit), Value::Number(text)) => {
            text.parse::<f64>().ok().and_then(|number| number.partial_cmp(limit))
        }
        (ConditionValue::Text(wanted), Value::Text(text)) => {
            let same = comparison.compare == Compare::Equal && text.eq_ignore_ascii_case(wanted);
            Some(if same { Ordering::Equal } else { (**text).cmp(&**wanted) })
        }
        (ConditionValue::Bool(wanted), Value::Bool(value)) => Some(value.cmp(wanted)),
        _ => None,
    };
    let order = order.ok_or_else(|| malformed(&comparison.at, "has the wrong type"))?;
    Ok(match comparison.compare {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    })
}
