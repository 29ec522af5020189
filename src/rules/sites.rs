//! Compiles what a rule says about the body: where the scope is written, allow-lists, metrics, time.

use super::{
    format::{self, EntryWord},
    models, paths,
    reading::{At, Reader},
};
use crate::model::{
    body::{Access, BodyModel, Dimension, FieldKind, FilterModel, ObjectOrd, Path},
    operation::{Entry, Site, Strength},
    world::Policy,
};

/// The body that a rule speaks about, while the rule is compiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'b> {
    pub(super) model: &'b BodyModel,
    pub(super) policy: &'b Policy,
}

impl Body<'_> {
    pub(super) fn field<'k>(&'k self, at: &At<String>, reader: &mut Reader<'_>) -> Option<(Path, &'k FieldKind)> {
        let path = paths::definite(at, reader)?;
        let Some(kind) = self.model.field(&path) else {
            let names = self.model.fields.iter().map(|field| &field.name);
            let message = format!("field of `{}` at", self.model.name);
            models::unknown(&message, at, names, at.span.clone(), reader);
            return None;
        };
        Some((path, kind))
    }

    pub(super) fn sites(&self, narrow: &At<format::Narrow>, reader: &mut Reader<'_>) -> Option<Vec<Site>> {
        let sites: Vec<_> = narrow.at.as_slice().iter().map(|at| self.site(at, narrow, reader)).collect();
        sites.into_iter().collect()
    }

    fn site(&self, at: &At<String>, narrow: &At<format::Narrow>, reader: &mut Reader<'_>) -> Option<Site> {
        let (path, kind) = self.field(at, reader)?;
        let (filter, entry) = match (kind, &narrow.entry) {
            (FieldKind::Filter(filter), None) => (filter, Entry::Filter),
            (FieldKind::Filter(_), Some(word)) => {
                reader.problem(word.span.clone(), "`entry` is for arrays of filters; here is one filter");
                return None;
            }
            (FieldKind::Filters(filter), Some(word)) => {
                let entry = if word.value == EntryWord::Append { Entry::Append } else { Entry::Never };
                (filter, entry)
            }
            (FieldKind::Filters(_), None) => {
                reader.problem(narrow.span.clone(), "an array of filters needs `entry`: `append` or `never`");
                return None;
            }
            _ => {
                reader.problem(at.span.clone(), format!("`{}` is no filter", **at));
                return None;
            }
        };
        if entry != Entry::Filter && narrow.asked.is_none() {
            reader.problem(narrow.span.clone(), "an array of filters needs `asked = \"conjoin\"`");
        }
        let carry: Option<Vec<_>> = narrow.carry.iter().map(|carry| carried(carry, filter, reader)).collect();
        let carry = carry?;
        if carry.is_empty() {
            reader.problem(narrow.span.clone(), "a place that carries nothing narrows nothing: add `carry`");
        }
        let strength = narrow.strength.map_or(Strength::Exact, Strength::from);
        Some(Site { at: path, entry, carry, strength })
    }

    /// Dimensions that the rule hides; applied to its own copy of the body.
    pub(super) fn hide(body: &mut BodyModel, narrow: &At<format::Narrow>, reader: &mut Reader<'_>) {
        for at in narrow.at.as_slice() {
            let Some(path) = paths::parse(at) else {
                continue;
            };
            let Some(filter) = filter_mut(body, &path) else {
                continue;
            };
            for name in &narrow.hidden {
                match filter.dimensions.get_mut(name.as_str()) {
                    Some(dimension @ (Dimension::Plain | Dimension::Hidden | Dimension::Masked)) => {
                        *dimension = Dimension::Hidden;
                    }
                    Some(Dimension::Access(_)) => {
                        reader.problem(name.span.clone(), format!("`{}` carries access and cannot be hidden", **name));
                    }
                    None => {
                        models::unknown("dimension", name, filter.dimensions.keys(), name.span.clone(), reader);
                    }
                }
            }
        }
    }

    pub(super) fn division_slot(&self, at: &At<String>, reader: &mut Reader<'_>) -> Option<Path> {
        let (path, kind) = self.field(at, reader)?;
        if !matches!(kind, FieldKind::Id(Access::Division)) {
            reader.problem(at.span.clone(), format!("`{}` holds no division", **at));
            return None;
        }
        Some(path)
    }
}

fn carried(carry: &At<format::Carry>, filter: &FilterModel, reader: &mut Reader<'_>) -> Option<(Access, Box<str>)> {
    let format::Carry { queue, user, division, region, conversation, flow, team, group } = &carry.value;
    let named = [
        (Access::Queue, queue),
        (Access::User, user),
        (Access::Division, division),
        (Access::Region, region),
        (Access::Conversation, conversation),
        (Access::Object(ObjectOrd::Flow), flow),
        (Access::Object(ObjectOrd::Team), team),
        (Access::Group, group),
    ];
    let mut named = named.into_iter().filter_map(|(access, name)| name.as_ref().map(|name| (access, name)));
    let (Some((access, name)), None) = (named.next(), named.next()) else {
        reader.problem(
            carry.span.clone(),
            "each entry of `carry` names one kind of access, such as `{ queue = \"queueId\" }`",
        );
        return None;
    };
    match filter.dimensions.get(name.as_str()) {
        Some(Dimension::Access(kind)) if *kind == access => Some((access, name.as_str().into())),
        Some(Dimension::Access(Access::Attribute)) if access == Access::Queue => Some((access, name.as_str().into())),
        Some(_) => {
            reader.problem(name.span.clone(), format!("the dimension `{}` does not say that kind of access", **name));
            None
        }
        None => {
            models::unknown("dimension", name, filter.dimensions.keys(), name.span.clone(), reader);
            None
        }
    }
}

fn filter_mut<'b>(body: &'b mut BodyModel, path: &[Box<str>]) -> Option<&'b mut FilterModel> {
    let mut fields = &mut body.fields;
    let (last, above) = path.split_last()?;
    for name in above {
        match &mut fields.iter_mut().find(|field| &field.name == name)?.kind {
            FieldKind::Object(inner) => fields = inner,
            _ => return None,
        }
    }
    match &mut fields.iter_mut().find(|field| &field.name == last)?.kind {
        FieldKind::Filter(filter) | FieldKind::Filters(filter) => Some(filter),
        _ => None,
    }
}
