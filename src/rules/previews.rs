//! `[rule.preview]`: ties a preview to the rule that reads the recording.

use super::{
    format, models,
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    contract::{Contract, ParamKind, Segment},
    entitlement::Action,
    operation::Operation,
    part::Preview,
};
use std::sync::Arc;

/// Seconds, unless the rule says otherwise, and the most that a rule may say.
const SECONDS: u32 = 15;
const MOST: i64 = 60;

/// A rule whose `of` may stand in a file that is read later.
#[derive(Debug)]
pub(super) struct Pending {
    /// Among all operations.
    pub(super) slot: usize,
    pub(super) preview: At<format::Preview>,
    pub(super) source: Arc<Source>,
}

/// Ties every preview to the rule that it names. Parts are tied before.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>], problems: &mut Problems) {
    for Pending { slot, preview, source } in pending {
        let mut reader = Reader { source, problems };
        let tied = operations.get(slot).and_then(|own| compile(own, &preview, operations, &mut reader));
        if let (Some(tied), Some(own)) = (tied, operations.get_mut(slot)) {
            Arc::make_mut(own).preview = Some(tied);
        }
    }
}

fn compile(
    own: &Operation,
    preview: &At<format::Preview>,
    operations: &[Arc<Operation>],
    reader: &mut Reader<'_>,
) -> Option<Preview> {
    let Some(of) = operations.iter().find(|one| *one.id == **preview.of) else {
        let known = operations.iter().filter(|one| plays(one)).map(|one| &one.id);
        models::unknown("rule", &preview.of, known, preview.of.span.clone(), reader);
        return None;
    };
    if !plays(of) {
        reader.problem(preview.of.span.clone(), "this rule hands out no link that `playback` opens");
        return None;
    }
    let ids = |one: &Operation| {
        let names = one.contract.template.segments.iter().filter_map(|segment| match segment {
            Segment::Param { name, .. } => Some(name.clone()),
            Segment::Literal(_) => None,
        });
        names.collect::<Vec<_>>()
    };
    let part = |one: &Operation| one.part.as_ref().map(|part| (part.look.id.clone(), part.named.clone()));
    if own.contract.action != Action::Preview || part(own).is_none() || part(own) != part(of) || ids(own) != ids(of) {
        let says =
            "a preview has `action = \"preview\"`, and the same `[rule.part]` and ids as the recording that it is of";
        reader.problem(preview.span.clone(), says);
        return None;
    }
    let seconds = preview.seconds.as_ref().map_or(Some(SECONDS), |seconds| {
        let fits = (1..=MOST).contains(&seconds.value);
        if !fits {
            reader.problem(seconds.span.clone(), format!("a preview is of 1 to {MOST} seconds"));
        }
        u32::try_from(seconds.value).ok().filter(|_| fits)
    })?;
    let mut asks = Vec::new();
    for (name, value) in &preview.asks {
        let param = of.contract.params.iter().find(|param| param.name == name.text);
        let listed = matches!(param.map(|param| &param.kind), Some(ParamKind::Enum(words)) if words.iter().any(|word| **word == **value));
        if !listed {
            reader.problem(value.span.clone(), format!("`{}` lists no word `{}`", name.text, **value));
            return None;
        }
        asks.push((name.text.clone(), vec![value.as_str().into()]));
    }
    // judged in the scope of the preview: for its action, with its view of dead queues
    let contract = Contract { action: Action::Preview, archived: own.archived, ..Contract::clone(&of.contract) };
    let of = Operation { contract: Arc::new(contract), archived: own.archived, ..Operation::clone(of) };
    Some(Preview { of: Arc::new(of), seconds, asks })
}

fn plays(operation: &Operation) -> bool {
    operation.answer.links.values().any(|action| *action == Action::Playback)
}
