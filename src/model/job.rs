//! Jobs: questions that the upstream answers later, bound to who asked them.

use super::{
    contract::{Contract, Segment},
    outgoing::Outgoing,
};
use bytes::Bytes;
use jiff::Timestamp;

/// What is done with a job that was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobStep {
    Status,
    Results,
    Cancel,
}

impl JobStep {
    pub const ALL: [Self; 3] = [Self::Status, Self::Results, Self::Cancel];

    /// As the ids of its operations end.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Results => "results",
            Self::Cancel => "cancel",
        }
    }
}

/// A job as it was kept before its submitter learned its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: Box<str>,
    pub region: Box<str>,
    /// `user` or `service`, and the id in the directory: indices change with each snapshot.
    pub holder: (Box<str>, Box<str>),
    /// The operation that submitted it.
    pub operation: Box<str>,
    pub submitted: Timestamp,
    pub kind: JobKind,
    /// The place in the results that the question names, when this job's results named it.
    pub cursor: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobKind {
    /// The upstream works on this body, which was proved to stay inside the scope of its time.
    Sent(Bytes),
    /// Nothing could match, so nothing was sent: this is the answer.
    Empty(Bytes),
}

impl Job {
    /// What was sent for it, as the contract of its operation has it.
    pub fn outgoing(&self, submit: &Contract) -> Option<Outgoing> {
        let JobKind::Sent(body) = &self.kind else { return None };
        let literal = |segment: &Segment| match segment {
            Segment::Literal(text) => Some(format!("/{text}")),
            Segment::Param { .. } => None,
        };
        Some(Outgoing {
            method: submit.method,
            path: submit.template.segments.iter().map(literal).collect::<Option<_>>()?,
            query: Vec::new(),
            body: Some(body.clone()),
        })
    }
}
