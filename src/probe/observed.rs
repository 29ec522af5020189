//! What no rule rests on, and what helps to choose limits: asked last, with the calls that are left.

use super::{
    ask::{Ask, Span},
    leg::groups,
    line::{Line, Unanswered},
    sample::{Interaction, Sample, array},
};
use crate::model::facts::Observation;
use serde_json::{Value, json};

/// How many predicates are tried in one filter, until one number is refused.
const PREDICATES: [usize; 4] = [100, 300, 1_000, 3_000];

pub(super) async fn ask(line: &mut Line, sample: &Sample) -> Vec<Observation> {
    let witness = sample.interactions.iter().find_map(|one| Some((one, one.queues().first()?.to_string())));
    let Some((one, queue)) = witness else {
        return Vec::new();
    };
    let Some(span) = Span::around(one.start, one.end) else {
        return Vec::new();
    };
    let mut seen = Vec::new();
    let other = sample.interactions.iter().flat_map(Interaction::queues).find(|other| **other != *queue);
    if let Some(other) = other {
        let filter = super::ask::entry(&[("queueId", &queue), ("queueId", other)]);
        let ask = Ask::interactions(span, &[("segmentFilters", vec![filter])]);
        let words = match line.ask(&ask).await {
            Ok(answer) => format!("answered with {} interactions", array(&answer, "conversations").len()),
            Err(Unanswered(why)) => why,
        };
        seen.push(observation("a segment filter that no segment can satisfy", words));
    }
    let mut spellings = Vec::new();
    for name in ["queueId", "QUEUEID"] {
        spellings.push(line.ask(&Ask::numbers(span, &[(name, &queue)], &["queueId"])).await);
    }
    let words = match spellings.as_slice() {
        [Ok(usual), Ok(other)] if groups(usual, "queueId") == groups(other, "queueId") => "the same answer".to_owned(),
        [Ok(_), Ok(_)] => "another answer".to_owned(),
        [Ok(_), Err(Unanswered(why))] | [Err(Unanswered(why)), _] => why.clone(),
        _ => "not asked".to_owned(),
    };
    seen.push(observation("a dimension's name in capital letters", words));
    let mut most = 0;
    let mut end = None;
    for number in PREDICATES {
        match line.ask(&many(span, &queue, number)).await {
            Ok(_) => most = number,
            Err(Unanswered(why)) => {
                end = Some(format!("; with {number}: {why}"));
                break;
            }
        }
    }
    let words = format!("{most} were answered{}", end.unwrap_or_default());
    seen.push(observation("predicates in one filter", words));
    seen
}

fn observation(question: &str, seen: String) -> Observation {
    Observation { question: question.to_owned(), seen }
}

/// One queue that there is among many that there are not.
fn many(span: Span, queue: &str, number: usize) -> Ask {
    let invented = (1..number).map(|place| format!("00000000-0000-4000-8000-{place:012}"));
    let all: Vec<Value> = std::iter::once(queue.to_owned())
        .chain(invented)
        .map(|id| json!({ "dimension": "queueId", "value": id }))
        .collect();
    Ask::Aggregates(json!({
        "interval": span.text(), "groupBy": ["queueId"], "metrics": ["nConnected"],
        "filter": { "type": "or", "predicates": all },
    }))
}
