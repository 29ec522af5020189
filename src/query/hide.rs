//! What a mask hides in answers, hidden in what is kept of questions: a record lives longer than the right to see a number.

use super::json::{self, Limits, Value};
use crate::model::{
    body::{Dimension, Field, FieldKind, FilterModel},
    operation::Operation,
};

/// What stands in the place of a value.
const HIDDEN: &str = "***";

/// In the place of a body of which nobody can say what a mask would hide.
pub fn hidden() -> Vec<u8> {
    Value::text(HIDDEN).to_bytes()
}

/// The body as it may be kept; `None`: as it is. Each value keeps its place, so that it can be read and proved as before.
/// Nothing is kept of what cannot be read, where the model masks anything.
pub fn hide(operation: &Operation, body: &[u8]) -> Option<Vec<u8>> {
    let model = operation.body()?;
    let Ok(mut value) = json::parse(body, &Limits::own(body)) else {
        return Hider { operation, hid: false }.masks_any(&model.fields).then(hidden);
    };
    let mut hider = Hider { operation, hid: false };
    hider.object(&model.fields, &mut value);
    hider.hid.then(|| value.to_bytes())
}

struct Hider<'a> {
    operation: &'a Operation,
    hid: bool,
}

impl Hider<'_> {
    fn masks_any(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| field.masked || self.masks(&field.kind))
    }

    fn masks(&self, kind: &FieldKind) -> bool {
        match kind {
            FieldKind::Object(fields) => self.masks_any(fields),
            FieldKind::List { of, .. } => self.masks(of),
            FieldKind::Filter(model) | FieldKind::Filters(model) => {
                model.dimensions.keys().any(|name| self.is_masked(model, name))
            }
            _ => false,
        }
    }

    fn object(&mut self, fields: &[Field], value: &mut Value) {
        let Value::Object(members) = value else { return };
        for (name, value) in members {
            match fields.iter().find(|field| field.is_named(name)) {
                Some(field) if field.masked => self.leaves(value),
                Some(field) => self.field(&field.kind, value),
                None => {}
            }
        }
    }

    fn field(&mut self, kind: &FieldKind, value: &mut Value) {
        match (kind, value) {
            (FieldKind::Object(fields), value) => self.object(fields, value),
            (FieldKind::List { of, .. }, Value::Array(items)) => items.iter_mut().for_each(|item| self.field(of, item)),
            (FieldKind::Filter(model) | FieldKind::Filters(model), value) => self.filter(model, value),
            _ => {}
        }
    }

    /// In any dialect: what stands beside the name of a masked dimension, and what stands under it.
    fn filter(&mut self, model: &FilterModel, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.filter(model, item)),
            Value::Object(members) => {
                let named = members.iter().filter(|(name, _)| matches!(&**name, "dimension" | "fields"));
                let beside = named.map(|(_, what)| what).any(|what| self.names_masked(model, what));
                for (name, value) in members {
                    let says = matches!(&**name, "value" | "values" | "range" | "startValue" | "endValue");
                    if beside && says || self.is_masked(model, name) {
                        self.leaves(value);
                    } else {
                        self.filter(model, value);
                    }
                }
            }
            _ => {}
        }
    }

    /// One dimension, or the fields of a criterion.
    fn names_masked(&self, model: &FilterModel, said: &Value) -> bool {
        match said {
            Value::Array(fields) => fields.iter().any(|field| self.names_masked(model, field)),
            field => field.as_str().is_some_and(|field| self.is_masked(model, field)),
        }
    }

    fn is_masked(&self, model: &FilterModel, name: &str) -> bool {
        let masked = |known: &str| {
            model.dimensions.get(known) == Some(&Dimension::Masked) || self.operation.contract.masks.contains_key(known)
        };
        model.dimensions.keys().any(|known| known.eq_ignore_ascii_case(name) && masked(known))
    }

    fn leaves(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.leaves(item)),
            Value::Object(members) => members.iter_mut().for_each(|(_, value)| self.leaves(value)),
            Value::Null => {}
            _ => {
                self.hid = true;
                *value = Value::text(HIDDEN);
            }
        }
    }
}
