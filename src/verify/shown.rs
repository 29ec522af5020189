//! What is kept of a question, before it is shown: every id in it is inside the reader's scope of now.
//!
//! It stands as it was asked, placeholders and all, so its spelling is held loosely. What cannot be judged is not shown.

use super::{Unproved, filter, json, json::Json, scope::Scope, words::Vocabulary};
use crate::model::{
    body::{Access, Dimension, Field, FieldKind, FilterModel},
    contract::Contract,
    entitlement,
    org::Org,
};
use jiff::Timestamp;

/// Proves that a question of `contract`, as it is kept, names nothing outside what `given` covers.
pub fn check_shown(
    contract: &Contract,
    kept: &[u8],
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<(), Unproved> {
    let model = contract.body.as_ref().ok_or_else(|| Unproved::at("contract", "has no body"))?;
    let scope = Scope::of(contract, given, org, now)?;
    let words = Vocabulary::of(contract, model, &scope, &given.lifts);
    let body = json::read(kept).map_err(|(at, why)| Unproved::at(format!("kept, byte {at}"), why))?;
    Reader { scope: &scope, words: &words }.object(&model.fields, &body, "$")
}

struct Reader<'a> {
    scope: &'a Scope<'a>,
    words: &'a Vocabulary<'a>,
}

impl Reader<'_> {
    fn object(&self, fields: &[Field], value: &Json<'_>, at: &str) -> Result<(), Unproved> {
        let Json::Object(members) = value else { return Err(Unproved::at(at, "not an object")) };
        members.iter().try_for_each(|(key, member)| {
            let field = fields.iter().find(|field| field.is_named(key));
            let field = field.ok_or_else(|| Unproved::at(at, "an unknown member"))?;
            self.field(&field.kind, member, &format!("{at}.{key}"))
        })
    }

    fn field(&self, kind: &FieldKind, value: &Json<'_>, at: &str) -> Result<(), Unproved> {
        match (kind, value) {
            (FieldKind::Id(access), value) => self.ids(*access, value, at),
            (FieldKind::List { of, .. }, Json::Array(items)) => {
                items.iter().try_for_each(|item| self.field(of, item, at))
            }
            (FieldKind::Object(fields), value) => self.object(fields, value, at),
            (FieldKind::Filter(model) | FieldKind::Filters(model), value) => self.filter(model, value, at),
            (FieldKind::Sort { .. } | FieldKind::Aggregations(_) | FieldKind::Part, _)
            | (_, Json::Object(_) | Json::Array(_)) => Err(Unproved::at(at, "nothing that can be judged")),
            _ => Ok(()),
        }
    }

    fn filter(&self, model: &FilterModel, value: &Json<'_>, at: &str) -> Result<(), Unproved> {
        if let Json::Array(items) = value {
            return items.iter().try_for_each(|item| self.filter(model, item, at));
        }
        filter::members(value, &["type", "clauses", "predicates", "dimension", "operator", "value", "values"], at)?;
        let mut below = ["clauses", "predicates"].into_iter().filter_map(|key| value.get(key));
        below.try_for_each(|inner| self.filter(model, inner, at))?;
        let mut said = ["value", "values"].into_iter().filter_map(|key| value.get(key));
        let Some(name) = value.get("dimension") else {
            return said.next().map_or(Ok(()), |_| Err(Unproved::at(at, "values of no dimension")));
        };
        let name = name.text().unwrap_or_default();
        let mut known = model.dimensions.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        match known.next().ok_or_else(|| Unproved::at(at, "not a dimension of this filter"))? {
            (_, Dimension::Access(access)) => said.try_for_each(|value| self.ids(*access, value, at)),
            (name, kind) if *kind == Dimension::Hidden || self.words.hides(name, *kind) => {
                Err(Unproved::at(at, "a hidden or masked dimension"))
            }
            _ => Ok(()),
        }
    }

    fn ids(&self, access: Access, value: &Json<'_>, at: &str) -> Result<(), Unproved> {
        match value {
            Json::Array(items) => items.iter().try_for_each(|item| self.ids(access, item, at)),
            Json::Text(text) if is_placeholder(text) => Ok(()),
            Json::Text(id) => self.scope.named(access, id, at).map(|_| ()),
            _ => Err(Unproved::at(at, "not an id")),
        }
    }
}

/// No id of a directory looks so, and no room is left for one inside.
fn is_placeholder(text: &str) -> bool {
    let word = text.strip_prefix("${user.").and_then(|rest| rest.strip_suffix('}'));
    word.is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()))
}
