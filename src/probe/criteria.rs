//! `criteria-and`: a search finds only what fits each of its criteria, and of a list of ids whatever is one of them.
//!
//! The witnesses are two people: nobody is both, and a list of the two names each.

use super::{
    ask::{Ask, List},
    sample::{Sample, array},
    trial::{Judged, Part, Trial},
};
use crate::query::json::Value;
use std::collections::BTreeSet;

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    let people = sample.lists.iter().filter(|(list, ..)| *list == List::Users).flat_map(|(_, ids, _)| ids);
    let people: Vec<&String> = people.collect();
    vec![Part {
        says: "a search of people",
        trials: people.chunks_exact(2).filter_map(|two| trial(two.first()?, two.get(1)?)).collect(),
        lacks: "there are no two people, of whom nobody is both",
    }]
}

fn trial(one: &str, other: &str) -> Option<Trial> {
    if one == other {
        return None;
    }
    let asks = vec![
        Ask::found(&[&[one]]),
        Ask::found(&[&[other]]),
        Ask::found(&[&[one], &[other]]),
        Ask::found(&[&[one, other]]),
    ];
    let (one, other) = (one.to_owned(), other.to_owned());
    Some(Trial::new(asks, move |answers| {
        let found = answers.iter().map(found).collect::<Option<Vec<_>>>();
        let Some([first, second, joined, either]) = found.as_deref() else {
            return Judged::unknown("an answer is no list of people");
        };
        let (one, other): (BTreeSet<&str>, BTreeSet<&str>) = ([&*one].into(), [&*other].into());
        if *first != one || *second != other {
            return Judged::unknown("a search by the id of somebody does not find him alone");
        }
        if !joined.is_empty() {
            return Judged::does_not_hold(format!("two criteria that no one person fits found {}", joined.len()));
        }
        if *either != &one | &other {
            return Judged::does_not_hold(format!("a criterion of two ids found {} people", either.len()));
        }
        Judged::holds("two criteria that no one person fits found none, and one criterion of two ids found both")
    }))
}

/// Whom a search found; what has no id, or stands beside those that are told, is nobody's to judge.
fn found(answer: &Value) -> Option<BTreeSet<&str>> {
    let rows = array(answer, "results");
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row.get("id")?.as_str()).collect();
    let total = answer.get("total").and_then(Value::as_i64)?;
    (ids.len() == rows.len() && usize::try_from(total) == Ok(rows.len())).then_some(ids)
}
