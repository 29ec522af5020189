//! Holds a body against the allow-list of its model: every key, type, word and range, and every id in it.

use super::{
    Unproved,
    filter::{Entry, Reading},
    json::Json,
    opensearch,
    scope::Scope,
    time,
    words::Vocabulary,
};
use crate::model::{
    body::{BodyModel, Field, FieldKind, FilterModel, Proof},
    contract::Words,
};

/// The filters of one field, in the order of its array.
pub(super) struct Found<'a> {
    /// Its path as `$.a.b`.
    pub(super) at: String,
    pub(super) model: &'a FilterModel,
    /// An array, whose entries each ask whether *some* leg fits.
    pub(super) array: bool,
    pub(super) entries: Vec<Entry>,
}

/// Everything in the body is allowed; gives the filters for the proof.
pub(super) fn hold<'a>(
    scope: &Scope<'_>,
    words: &Vocabulary<'_>,
    model: &'a BodyModel,
    body: &Json<'_>,
) -> Result<Vec<Found<'a>>, Unproved> {
    let mut walk = Walk { scope, words, model, found: Vec::new() };
    walk.object(&model.fields, body, "$")?;
    Ok(walk.found)
}

struct Walk<'a, 's> {
    scope: &'s Scope<'s>,
    words: &'s Vocabulary<'s>,
    model: &'a BodyModel,
    found: Vec<Found<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn object(&mut self, fields: &'a [Field], value: &Json<'_>, at: &str) -> Result<(), Unproved> {
        let Json::Object(members) = value else {
            return Err(Unproved::at(at, "not an object"));
        };
        if let Some(field) = fields.iter().find(|field| field.required && value.get(&field.name).is_none()) {
            return Err(Unproved::at(at, format!("`{}` is missing", field.name)));
        }
        for (key, member) in members {
            let field = fields.iter().find(|field| *field.name == **key);
            let field = field.ok_or_else(|| Unproved::at(at, "an unknown member"))?;
            let at = format!("{at}.{key}");
            self.field(&field.kind, member, self.words.list(&at), &at)?;
        }
        Ok(())
    }

    fn field(&mut self, kind: &'a FieldKind, value: &Json<'_>, list: Option<&Words>, at: &str) -> Result<(), Unproved> {
        let fits = match (kind, value) {
            (FieldKind::Text { max }, Json::Text(text)) => text.len() <= *max,
            (FieldKind::Bool, Json::Bool(_)) => true,
            (FieldKind::Int { min, max }, Json::Number(number)) => {
                number.parse::<i64>().is_ok_and(|number| (*min..=*max).contains(&number))
            }
            // `fold` is the reader's business: what leaves is spelt canonically
            (FieldKind::Enum { words, fold: _ }, Json::Text(text)) => {
                self.words.hold(text, list, at)?;
                words.iter().any(|word| **word == **text)
            }
            (FieldKind::Duration, Json::Text(text)) => time::duration(text),
            (FieldKind::TimeZone, Json::Text(text)) => time::zone(text),
            (FieldKind::Interval, Json::Text(text)) => time::interval(text).is_some(),
            (FieldKind::Instant, Json::Text(text)) => time::instant(text).is_some() || time::relative(text),
            // whose part it is, only a change is asked
            (FieldKind::Part, Json::Text(_)) => matches!(self.model.proof, Proof::Owners { .. }),
            (FieldKind::Id(access), Json::Text(id)) => {
                self.scope.named(*access, id, at)?;
                true
            }
            (FieldKind::List { of, max, .. }, Json::Array(items)) => {
                for (place, item) in items.iter().enumerate() {
                    self.field(of, item, list, &format!("{at}[{place}]"))?;
                }
                items.len() <= *max
            }
            (FieldKind::Object(fields), value) => {
                self.object(fields, value, at)?;
                true
            }
            (FieldKind::Sort { words, max }, value) => {
                opensearch::hold_sort(words, *max, value, (self.words, list), at)?;
                true
            }
            (FieldKind::Aggregations(model), value) => {
                opensearch::hold_aggregations(model, value, (self.words, list), at)?;
                true
            }
            (FieldKind::Filter(model), value) => {
                let entry = self.reading(model).filter(value, at.to_owned())?;
                self.found.push(Found { at: at.to_owned(), model, array: false, entries: vec![entry] });
                true
            }
            (FieldKind::Filters(model), Json::Array(items)) => {
                let mut entries = Vec::with_capacity(items.len());
                for (place, item) in items.iter().enumerate() {
                    entries.push(self.reading(model).filter(item, format!("{at}[{place}]"))?);
                }
                self.found.push(Found { at: at.to_owned(), model, array: true, entries });
                true
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Unproved::at(at, "a value that the model does not allow")) }
    }

    fn reading(&self, model: &'a FilterModel) -> Reading<'_> {
        Reading { scope: self.scope, words: self.words, model, dialect: self.model.dialect, data: self.model.data }
    }
}
