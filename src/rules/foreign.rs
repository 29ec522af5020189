//! `foreign` of `[rule.answer]`: what stays of legs of others, and that nothing of it says whose or when they were.

use super::{
    format::{self, ForeignWord},
    models::Models,
    owners,
    reading::{At, Reader},
};
use crate::model::answer::{Keep, LegPath, Up};
use std::collections::BTreeMap;

/// The list of what stays; an empty one: legs of others are cut.
pub(super) fn compile(
    answer: &At<format::Answer>,
    leg: Option<&LegPath>,
    rows: &[Box<str>],
    mask: &BTreeMap<Box<str>, Box<str>>,
    models: &Models,
    reader: &mut Reader<'_>,
) -> Option<Keep> {
    let said = answer.foreign.as_ref();
    let kept = said.is_some_and(|word| matches!(**word, ForeignWord::Pseudonym));
    let span = said.map(|word| &word.span).or(answer.foreign_keep.as_ref().map(|name| &name.span));
    let Some((leg, span)) = leg.zip(span) else {
        return match span {
            Some(span) => {
                let says = "rows of this shape have no legs: leave `foreign` and `foreign-keep` out";
                reader.problem(span.clone(), says);
                None
            }
            None => Some(Keep::default()),
        };
    };
    let name = match (kept, &answer.foreign_keep) {
        (false, None) => return Some(Keep::default()),
        (false, Some(name)) => {
            let says = "legs of others are cut, so nothing of them stays: leave `foreign-keep` out, or set `foreign = \"pseudonym\"`";
            reader.problem(name.span.clone(), says);
            return None;
        }
        (true, None) => {
            let help = "add `foreign-keep`: a list of the words that stay of a leg of others";
            reader.problem_with(
                span.clone(),
                "nobody says what stays of a leg that is not visible",
                Some(help.to_owned()),
            );
            return None;
        }
        (true, Some(name)) => name,
    };
    let keep = models.keep(name, reader)?;
    let fault = fault(keep, leg, rows, mask);
    if let Some(fault) = &fault {
        let help = "list words about the kind of a leg, such as `purpose`, and the lists that lead to it";
        reader.problem_with(name.span.clone(), format!("`{}` {fault}", **name), Some(help.to_owned()));
    }
    fault.is_none().then(|| keep.clone())
}

/// Why a list cannot say what stays of a leg of others.
fn fault(keep: &Keep, leg: &LegPath, rows: &[Box<str>], mask: &BTreeMap<Box<str>, Box<str>>) -> Option<String> {
    let level = |depth: usize| {
        let arrays = leg.arrays.get(..depth).unwrap_or_default();
        rows.iter().chain(arrays).map(|name| &**name).collect::<Vec<_>>().join(".")
    };
    let levels: Vec<String> = (1..=leg.arrays.len()).map(level).collect();
    if !levels.first().is_some_and(|first| keep.levels.contains_key(&**first)) {
        return Some(format!("lists nothing of `{}`", levels.first().map_or("", |first| first)));
    }
    for (level, fields) in &keep.levels {
        let Some(depth) = levels.iter().position(|known| **known == **level) else {
            return Some(format!("lists `{level}`, which is no list on the way to a leg"));
        };
        let below = leg.arrays.get(depth + 1);
        for field in fields {
            if below == Some(field) {
                if levels.get(depth + 1).is_none_or(|below| !keep.levels.contains_key(&**below)) {
                    return Some(format!("lists `{field}` and nothing of it"));
                }
            } else if let Some(says) = says(field, leg, mask) {
                return Some(format!("lists `{field}`, which {says}"));
            }
        }
    }
    None
}

/// What a field would tell of somebody else's leg.
fn says(field: &str, leg: &LegPath, mask: &BTreeMap<Box<str>, Box<str>>) -> Option<&'static str> {
    let is = |up: &Up| up.at.iter().any(|name| **name == *field);
    if [&leg.start, &leg.end].into_iter().any(is) {
        return Some("says when it was");
    }
    if [&leg.queue, &leg.user].into_iter().flatten().any(is) {
        return Some("says whose it was");
    }
    if mask.contains_key(field) {
        return Some("is masked");
    }
    if field == "metrics" {
        return Some("counts it");
    }
    owners::says(field)
}
