//! `leg-filter`: an aggregate evaluates its filter on one leg at a time.
//!
//! The witness is an interaction with legs of two queues (or two people). Asked for those of one, an upstream that lets
//! the whole interaction through when one of its legs matches counts the other too.

use super::{
    ask::{Ask, Span},
    sample::{Interaction, Sample, array},
    trial::{Judged, Part, Trial, mark},
};
use crate::query::json::Value;
use std::collections::BTreeSet;

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    let part = |says, dimension: &'static str, lacks| Part {
        says,
        trials: sample.interactions.iter().filter_map(|one| trial(one, dimension)).take(3).collect(),
        lacks,
    };
    vec![
        part("conversation aggregates by queue", "queueId", "no interaction of the interval touched two queues"),
        part("conversation aggregates by agent", "userId", "no interaction of the interval had two agents"),
    ]
}

fn trial(one: &Interaction, dimension: &'static str) -> Option<Trial> {
    let values = if dimension == "queueId" { one.queues() } else { one.agents() };
    // The last one: the first queue of an interaction often offers it only.
    let wanted = (values.len() > 1).then(|| values.last()).flatten()?.to_string();
    let span = Span::around(one.start, one.end)?;
    let whole = ("conversationId", one.id.as_str());
    let asks = vec![
        Ask::numbers(span, &[whole], &[dimension]),
        Ask::numbers(span, &[whole, (dimension, &wanted)], &[dimension]),
    ];
    let id = one.id.clone();
    Some(Trial::new(asks, move |answers| {
        let [whole, one] = answers else { return Judged::unknown("an answer is missing") };
        let (whole, one, name) = (groups(whole, dimension), groups(one, dimension), mark(&id));
        let wanted = Some(wanted.clone());
        let others = one.iter().filter(|group| **group != wanted).count();
        if others > 0 {
            return Judged::does_not_hold(format!(
                "asked for one `{dimension}` of {name}, numbers of {others} others came"
            ));
        }
        if !whole.contains(&wanted) || whole.len() < 2 || one.is_empty() {
            return Judged::unknown(format!("the numbers do not show {name} by `{dimension}` as its segments do"));
        }
        Judged::holds(format!(
            "{name} has numbers of {} `{dimension}`, and of one alone where that one is asked for",
            whole.len()
        ))
    }))
}

/// The values of a grouping that have numbers; `None`: those without a value.
pub(super) fn groups(answer: &Value, dimension: &str) -> BTreeSet<Option<String>> {
    counted(answer).map(|row| row.at(&["group", dimension]).and_then(Value::as_str).map(str::to_owned)).collect()
}

/// The groups that have numbers.
pub(super) fn counted(answer: &Value) -> impl Iterator<Item = &Value> {
    array(answer, "results").iter().filter(|row| !metrics(row).is_empty())
}

/// The metrics of a group that say something.
pub(super) fn metrics(row: &Value) -> BTreeSet<String> {
    let data = array(row, "data").iter().flat_map(|data| array(data, "metrics"));
    let counted = data.filter(|metric| metric.at(&["stats", "count"]).and_then(Value::as_f64) != Some(0.0));
    counted.filter_map(|metric| metric.get("metric")?.as_str().map(str::to_owned)).collect()
}
