//! Questions: strict JSON, the filter algebra, and the dialects that read and write filters.
//!
//! Nothing here decides who may see what; it only says what was asked, exactly, or refuses to understand it.

pub mod body;
pub mod condition;
mod criteria;
pub mod dialect;
pub mod filter;
pub mod genesys;
pub mod hide;
pub mod json;
pub mod linked;
mod marks;
pub mod opensearch;
pub mod platform;
pub mod reading;

#[cfg(test)]
mod tests;

use crate::model::{
    body::Access,
    contract::Segment,
    definition::{Definition, DefinitionPart, DefinitionStep, Execution},
    job::Job,
    kept::Kept,
    operation::Operation,
    part::Sighting,
    schedule::Scheduled,
};
use std::{borrow::Cow, sync::Arc};

/// One request, read and found: which operation, with which ids, parameters and body.
#[derive(Debug, Clone)]
pub struct Question {
    pub operation: Arc<Operation>,
    /// Path parameters by name, canonical.
    pub ids: Vec<(Box<str>, String)>,
    /// Query parameters as they were sent, decoded, in order; list values already split at commas.
    pub params: Vec<(Box<str>, Vec<String>)>,
    pub body: Option<json::Value>,
    /// What is kept of the job that the path names, or of the asker's own ones.
    pub kept: Option<Kept>,
    /// What was seen of each interaction, where a part of one is asked for or something of it changed.
    pub seen: Option<Arc<[Sighting]>>,
}

impl Question {
    /// What is asked of the upstream. A preview is cut here, out of what another operation reads; a definition that is run
    /// is the question that it keeps.
    pub fn as_sent(&self) -> Cow<'_, Self> {
        match (&self.operation.preview, &self.operation.definition) {
            (Some(preview), _) => {
                Cow::Owned(Self { operation: preview.of.clone(), params: preview.asks.clone(), ..self.clone() })
            }
            (None, Some(DefinitionPart { step: DefinitionStep::Run, asks, .. })) => {
                let kept = self.definition();
                // what was kept was read once, as strictly; what cannot be read asks nothing
                let body = kept.and_then(|kept| json::parse_object(&kept.body, &json::Limits::own(&kept.body)).ok());
                Cow::Owned(Self { operation: asks.clone(), ids: Vec::new(), body, kept: None, ..self.clone() })
            }
            (None, _) => Cow::Borrowed(self),
        }
    }

    /// The id of the path that names an interaction, with its parameter.
    pub fn interaction(&self) -> Option<(&str, &str)> {
        let name = self.operation.contract.template.segments.iter().find_map(|segment| match segment {
            Segment::Param { name, access: Access::Conversation } => Some(name),
            _ => None,
        })?;
        self.ids.iter().find(|(known, _)| known == name).map(|(name, id)| (&**name, id.as_str()))
    }

    /// The job that the path names.
    pub fn named_job(&self) -> Option<&Job> {
        match &self.kept {
            Some(Kept::Job(job)) => Some(job),
            _ => None,
        }
    }

    /// The exports of the asker's own, where they are listed.
    pub fn own_exports(&self) -> &[Job] {
        match &self.kept {
            Some(Kept::Own(own)) => own,
            _ => &[],
        }
    }

    /// The definition that the path names, whosever it is.
    pub fn definition(&self) -> Option<&Definition> {
        match &self.kept {
            Some(Kept::Definition(found)) => found.as_deref(),
            _ => None,
        }
    }

    /// The asked part of a list of definitions, and how many there are in all.
    pub fn definitions(&self) -> (&[Definition], usize) {
        match &self.kept {
            Some(Kept::Definitions(found, total)) => (found, *total),
            _ => (&[], 0),
        }
    }

    /// What is kept of schedules, where it is about one.
    pub fn scheduled(&self) -> Option<&Scheduled> {
        match &self.kept {
            Some(Kept::Scheduled(scheduled)) => Some(scheduled),
            _ => None,
        }
    }

    /// What the asker asked before.
    pub fn executions(&self) -> &[Execution] {
        match &self.kept {
            Some(Kept::Executions(all)) => all,
            _ => &[],
        }
    }

    /// Whether the body is one of its model, whatever the asker's rights.
    pub fn is_readable(&self) -> bool {
        match (self.operation.body(), &self.body) {
            (Some(model), Some(body)) => body::read(model, body, &|_, _| false).is_ok(),
            _ => true,
        }
    }
}
