//! Compiles what a rule says about the body: where the scope is written, allow-lists, metrics, time.

use super::{
    format::{self, EntryWord, ReachWord, StrengthWord},
    models, paths,
    reading::{At, OneOrMany, Reader},
};
use crate::model::{
    assumption::Assumption,
    body::{Access, BodyModel, Dimension, FieldKind, FilterModel, Path},
    contract::{Reach, TimeAt, TimeRule},
    operation::{AllowList, Entry, MetricRule, Site, Strength},
    world::Policy,
};
use std::collections::BTreeMap;

/// The body that a rule speaks about, while the rule is compiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'b> {
    pub(super) model: &'b BodyModel,
    pub(super) policy: &'b Policy,
}

impl Body<'_> {
    fn field<'k>(&'k self, at: &At<String>, reader: &mut Reader<'_>) -> Option<(Path, &'k FieldKind)> {
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
        let strength = match narrow.strength {
            Some(StrengthWord::Cover) => Strength::Cover,
            Some(StrengthWord::Exact) | None => Strength::Exact,
        };
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

    /// A list of words of the body, and the words that a rule allows of it.
    pub(super) fn allow(&self, list: &format::Allow, reader: &mut Reader<'_>) -> Option<AllowList> {
        let (at, kind) = self.field(&list.at, reader)?;
        let Some(words) = words_of(kind) else {
            reader.problem(list.at.span.clone(), format!("`{}` holds no words of a closed list", *list.at));
            return None;
        };
        let known = |names: &[At<String>], reader: &mut Reader<'_>| known_words(names, words, reader);
        let allow = known(&list.allow, reader);
        let bpo_allow = list.bpo_allow.as_ref().map(|names| known(names, reader));
        for name in list.bpo_allow.iter().flatten() {
            if !allow.iter().any(|word| **word == **name) {
                reader.problem(
                    name.span.clone(),
                    format!("`{}` is not in `allow`: outsourcers may not have more", **name),
                );
            }
        }
        let high_cardinality = known(&list.high_cardinality, reader);
        Some(AllowList { at, allow, bpo_allow, high_cardinality })
    }

    pub(super) fn metrics(&self, rule: &format::Metrics, reader: &mut Reader<'_>) -> Option<MetricRule> {
        let (at, kind) = self.field(&rule.at, reader)?;
        let Some(words) = words_of(kind) else {
            reader.problem(rule.at.span.clone(), format!("`{}` holds no words of a closed list", *rule.at));
            return None;
        };
        let mut lacks: BTreeMap<Box<str>, Vec<Access>> = BTreeMap::new();
        if let Some(table) = &rule.lacks {
            let lists =
                [(Access::Queue, &table.queue), (Access::User, &table.user), (Access::Division, &table.division)];
            for (access, names) in lists {
                for metric in known_words(names, words, reader) {
                    lacks.entry(metric).or_default().push(access);
                }
            }
        }
        let bpo_allow = rule.bpo_allow.as_ref().map(|names| known_words(names, words, reader));
        Some(MetricRule { at, lacks, bpo_allow })
    }

    pub(super) fn time(&self, time: &format::Time, reader: &mut Reader<'_>) -> Option<TimeRule> {
        let at = match &time.at {
            OneOrMany::One(at) => match self.field(at, reader)? {
                (path, FieldKind::Interval) => TimeAt::Interval(path),
                _ => return not_time(at, reader),
            },
            OneOrMany::Many(ends) => {
                let [from, to] = ends.as_slice() else {
                    reader.problem(time.reach.span.clone(), "`at` names one interval, or its two ends");
                    return None;
                };
                match (self.field(from, reader)?, self.field(to, reader)?) {
                    ((from, FieldKind::Instant), (to, FieldKind::Instant)) => TimeAt::FromTo(from, to),
                    _ => return not_time(from, reader),
                }
            }
        };
        let reach = match time.reach.value {
            // Not vouched for: a leg is counted by its start and may end later.
            ReachWord::Contained if !self.policy.accepted.contains(&Assumption::LegsContained) => Reach::Overlap,
            ReachWord::Contained => Reach::Contained,
            ReachWord::WholeDay => Reach::WholeDay,
            ReachWord::Overlap => Reach::Overlap,
        };
        let max = match &time.max {
            Some(text) => Some(duration(text, reader)?),
            None => None,
        };
        Some(TimeRule { at, reach, max })
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

fn not_time(at: &At<String>, reader: &mut Reader<'_>) -> Option<TimeRule> {
    reader.problem(at.span.clone(), format!("`{}` holds no time", **at));
    None
}

/// Days of 24 hours: an upper bound needs no calendar.
fn duration(text: &At<String>, reader: &mut Reader<'_>) -> Option<jiff::SignedDuration> {
    let span = text.parse::<jiff::Span>().ok();
    let length = span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok());
    let length = length.filter(|length| *length > jiff::SignedDuration::ZERO);
    if length.is_none() {
        let help = "write days or smaller, such as `P31D` or `PT12H`";
        reader.problem_with(text.span.clone(), format!("`{}` is no length of time", **text), Some(help.to_owned()));
    }
    length
}

fn carried(carry: &At<format::Carry>, filter: &FilterModel, reader: &mut Reader<'_>) -> Option<(Access, Box<str>)> {
    let format::Carry { queue, user, division, region, conversation } = &carry.value;
    let named = [
        (Access::Queue, queue),
        (Access::User, user),
        (Access::Division, division),
        (Access::Region, region),
        (Access::Conversation, conversation),
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

fn words_of(kind: &FieldKind) -> Option<&[Box<str>]> {
    match kind {
        FieldKind::Enum { words, .. } => Some(words),
        FieldKind::List { of, .. } => words_of(of),
        _ => None,
    }
}

fn known_words(names: &[At<String>], words: &[Box<str>], reader: &mut Reader<'_>) -> Vec<Box<str>> {
    for name in names {
        if !words.iter().any(|word| **word == **name) {
            models::unknown("word", name, words, name.span.clone(), reader);
        }
    }
    names.iter().map(|name| name.as_str().into()).collect()
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
