//! Compiles what a rule says about the other fields of a body: allow-lists, metrics, time.

use super::{
    format::{self, ReachWord},
    models,
    reading::{At, Reader},
    sites::Body,
    values::OneOrMany,
};
use crate::model::{
    assumption::Assumption,
    body::{Access, FieldKind},
    contract::{Reach, TimeAt, TimeRule},
    operation::{AllowList, MetricRule},
    world::Policy,
};
use std::collections::BTreeMap;

impl Body<'_> {
    /// A list of words of the body, and the words that a rule allows of it.
    pub(super) fn allow(&self, list: &format::AllowedWords, reader: &mut Reader<'_>) -> Option<AllowList> {
        let (at, kind) = self.field(&list.at, reader)?;
        let Some(words) = kind.words() else {
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
        let Some(words) = kind.words() else {
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
        let reach = reach(time.reach.value, self.policy);
        let max = match &time.max {
            Some(text) => Some(duration(text, reader)?),
            None => None,
        };
        Some(TimeRule { at, reach, max })
    }
}

pub(super) fn reach(word: ReachWord, policy: &Policy) -> Reach {
    match word {
        // Not vouched for: a leg is counted by its start and may end later.
        ReachWord::Contained if !policy.accepted.contains(&Assumption::LegsContained) => Reach::Overlap,
        word => word.into(),
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

pub(super) fn known_words(names: &[At<String>], words: &[Box<str>], reader: &mut Reader<'_>) -> Vec<Box<str>> {
    for name in names {
        if !words.iter().any(|word| **word == **name) {
            models::unknown("word", name, words, name.span.clone(), reader);
        }
    }
    names.iter().map(|name| name.as_str().into()).collect()
}
