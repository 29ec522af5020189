//! `part-of-its-interaction`: the id of a part, asked for below an interaction, finds nothing that is not of this interaction.
//!
//! The witness is a recording, of which the metadata alone is looked at, and an interaction that it is not of.

use super::{
    ask::{Ask, is_plain},
    line::Line,
    sample::{Interaction, Sample, array_of},
    trial::{Judged, Part, Trial},
};
use crate::query::json::Value;

/// Interactions that are looked at for recordings, until so many have one.
const LOOKS: usize = 8;
const ENOUGH: usize = 3;

/// An interaction, and a recording that its list of recordings names.
pub(super) type Recording = (String, String);

/// Some recordings of the interactions that were met.
pub(super) async fn find(line: &mut Line, interactions: &[Interaction]) -> Vec<Recording> {
    let mut found = Vec::new();
    for one in interactions.iter().filter(|one| is_plain(&one.id)).take(LOOKS) {
        let ask = Ask::Metadata { interaction: one.id.clone(), recording: None };
        let Ok(answer) = line.ask(&ask).await else { continue };
        let ids = array_of(&answer).iter().filter_map(|row| row.get("id")?.as_str());
        found.extend(ids.filter(|id| is_plain(id)).take(1).map(|id| (one.id.clone(), id.to_owned())));
        if found.len() == ENOUGH {
            break;
        }
    }
    found
}

pub(super) fn parts(sample: &Sample) -> Vec<Part> {
    vec![Part {
        says: "metadata of recordings",
        trials: sample.recordings.iter().filter_map(|(of, recording)| trial(sample, of, recording)).collect(),
        lacks: "none of the interactions that were looked at shows a recording, or there is no other beside",
    }]
}

fn trial(sample: &Sample, of: &str, recording: &str) -> Option<Trial> {
    let other = sample.interactions.iter().map(|one| &one.id).find(|id| *id != of && is_plain(id))?;
    // the other interaction shows recordings of its own, if any: this is none of them
    let own = sample.recordings.iter().any(|(whose, id)| whose == other && id == recording);
    let ask = |interaction: &str| Ask::Metadata {
        interaction: interaction.to_owned(),
        recording: Some(recording.to_owned()),
    };
    let id = recording.to_owned();
    (!own).then(|| {
        Trial::new(vec![ask(of), ask(other)], move |answers| {
            let [here, there] = answers else { return Judged::unknown("an answer is missing") };
            let is_it = |answer: &Value| answer.get("id").and_then(Value::as_str) == Some(&*id);
            if !is_it(here) {
                return Judged::unknown("a recording that a list names is not found by its id");
            }
            if is_it(there) {
                return Judged::does_not_hold("a recording of one interaction was found below another");
            }
            if *there == Value::Null {
                return Judged::holds("a recording was found below its interaction, and not below another");
            }
            Judged::unknown("below another interaction something else was found")
        })
    })
}
