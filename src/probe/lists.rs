//! `ids-only`: a list asked for ids returns no other entity.
//!
//! The witness is a list that has more entities than are asked for.

use super::{
    ask::List,
    sample::{Sample, ids},
    trial::{Judged, Part, Trial},
};
use crate::query::json::Value;

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    let part = |list: List| Part {
        says: list.word(),
        trials: sample.lists.iter().filter(|(known, ..)| *known == list).filter_map(trial).collect(),
        lacks: "the list has no two entities, so that no other one could come",
    };
    List::ALL.map(part).into()
}

fn trial((list, known, total): &(List, Vec<String>, i64)) -> Option<Trial> {
    let spare = known.len().max(usize::try_from(*total).unwrap_or(0));
    // As many as leave one over.
    let asked: Vec<String> = known.iter().take(spare.saturating_sub(1).min(2)).cloned().collect();
    if asked.is_empty() {
        return None;
    }
    let ask = list.of(&asked.iter().map(String::as_str).collect::<Vec<_>>());
    Some(Trial::new(vec![ask], move |answers| {
        let [answer] = answers else { return Judged::unknown("an answer is missing") };
        let came = ids(answer);
        let shown = answer.get("entities").and_then(Value::as_array).map_or(0, <[Value]>::len);
        let others = shown - came.iter().filter(|id| asked.contains(id)).count();
        if others > 0 {
            return Judged::does_not_hold(format!("asked for {} ids, {others} others came", asked.len()));
        }
        if came.len() < asked.len() {
            return Judged::unknown(format!("asked for {} ids that it had shown, {} came", asked.len(), came.len()));
        }
        if answer.get("total").and_then(Value::as_i64).is_some_and(|total| usize::try_from(total) != Ok(asked.len())) {
            return Judged::unknown(format!("asked for {} ids, another total came with them", asked.len()));
        }
        Judged::holds(format!("asked for {} of {spare}, these and no other came", asked.len()))
    }))
}
