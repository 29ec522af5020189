//! `[rule.split]`: a question about more people than one query may name is asked in parts.

use super::{
    format, lists,
    reading::{At, Reader},
};
use crate::model::{
    answer::Shape,
    body::{Access, BodyModel, FieldKind},
    contract::Data,
    operation::{Class, Entry, MetricRule, Site, Split},
};

/// More parts than these take longer than a client waits.
const MOST: usize = 20;

/// What the parts rest on, besides.
pub(super) struct Asked<'r> {
    pub(super) class: Class,
    pub(super) data: Data,
    pub(super) shape: Shape,
    pub(super) sites: &'r [Site],
    pub(super) metrics: Option<&'r MetricRule>,
    pub(super) model: Option<&'r BodyModel>,
}

pub(super) fn compile(split: &At<format::Split>, asked: &Asked<'_>, reader: &mut Reader<'_>) -> Option<Split> {
    let by_user =
        |site: &Site| site.entry == Entry::Filter && site.carry.iter().all(|(access, _)| *access == Access::User);
    // a row has to be of one person alone, or two parts would both count it
    let one_person = asked.data == Data::User && asked.class == Class::Query && asked.shape == Shape::Groups;
    if !one_person || !matches!(asked.sites, [site] if by_user(site)) {
        let help = "set `data = \"user\"`, narrow one filter by `{ user = ... }` alone, and answer in `groups`";
        let says = "only what is of one person each can be asked in parts";
        reader.problem_with(split.span.clone(), says, Some(help.to_owned()));
        return None;
    }
    if !(2..=MOST).contains(&split.parts) {
        reader.problem(split.span.clone(), format!("`parts` is between 2 and {MOST}"));
        return None;
    }
    let words =
        asked.metrics.zip(asked.model).and_then(|(rule, model)| model.field(&rule.at)).and_then(FieldKind::words);
    if words.is_none() && !split.additive.is_empty() {
        reader.problem(split.span.clone(), "a rule without `[rule.metrics]` has none that could be added");
        return None;
    }
    let additive = lists::known_words(&split.additive, words.unwrap_or_default(), reader);
    Some(Split { parts: split.parts, additive })
}
