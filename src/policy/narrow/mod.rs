//! Narrowing: the question that was asked becomes the request that is sent, with the scope written into it.
//!
//! Not part of the trusted base: whatever comes out of here is proved by the second reader and judged by the
//! guard. A fault may refuse too much or lose rows.

mod asked;
mod body;
mod bound;
mod caller;
mod change;
mod export;
mod fields;
mod fit;
mod job;
mod list;
mod params;
mod read;
mod scan;
mod search;
mod split;
mod write;

pub use change::interactions;
pub use job::{lost, scope_changed};

use super::{
    extent::Extent,
    guard::{Gathered, GuardPlan, Guarded},
    judge::Judge,
    masks,
    time::{self, Interval},
    together::Together,
};
use crate::{
    model::{
        body::Dimension,
        contract::{Data, Segment},
        entitlement::{Entitlement, Scope},
        operation::{Class, EmptyScope, JobPart, Operation},
        org::Org,
        outgoing::{Outgoing, Residual},
        refusal::{Code, Notice, Refusal},
        world::World,
    },
    query::{Question, body::Body},
};
use jiff::Timestamp;
use std::sync::Arc;

/// A request that would be sent. Not proved yet.
#[derive(Debug)]
pub struct Narrowed {
    pub outgoing: Outgoing,
    pub residual: Residual,
    pub plan: GuardPlan,
    pub notices: Vec<Notice>,
}

#[derive(Debug)]
pub enum Outcome {
    Send(Box<Narrowed>),
    /// In parts, that share no row.
    Parts(Vec<Narrowed>, Together),
    /// Nothing needs to be asked of the upstream.
    Local(Guarded),
}

/// Narrows a question to a scope.
pub fn narrow(world: &World, scope: &Arc<Scope>, question: &Question, now: Timestamp) -> Result<Outcome, Refusal> {
    let asking = Asking { world, org: &world.org, scope, operation: &question.operation, question, now };
    if let Some(caller) = question.operation.caller {
        return caller::narrow(&asking, caller);
    }
    if let Some(JobPart::Step { .. }) = question.operation.job {
        return job::narrow(&asking);
    }
    match question.operation.class {
        // what names interactions goes whole or not at all
        Class::Export if question.operation.look.is_some() => change::narrow(&asking),
        Class::Query => body::narrow(&asking),
        Class::List => list::narrow(&asking),
        Class::Read | Class::NoData => read::narrow(&asking),
        Class::Job => job::narrow(&asking),
        Class::Export => export::narrow(&asking),
        Class::Write => change::narrow(&asking),
    }
}

/// The next page of a list of which some was read.
pub fn read_on(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    read: &Gathered,
    now: Timestamp,
) -> Result<Box<Narrowed>, Refusal> {
    scan::next(&Asking { world, org: &world.org, scope, operation: &question.operation, question, now }, read)
}

/// One question in its world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub world: &'a World,
    pub org: &'a Org,
    pub scope: &'a Arc<Scope>,
    pub operation: &'a Arc<Operation>,
    pub question: &'a Question,
    pub now: Timestamp,
}

/// The entitlements that count for the asked time, and their extent.
pub(super) struct Counted {
    pub entitlements: Vec<Entitlement>,
    pub extent: Extent,
    /// Some data window is left to the guard.
    pub windows: bool,
    pub notices: Vec<Notice>,
}

impl<'a> Asking<'a> {
    fn data(&self) -> Data {
        self.operation.contract.data
    }

    /// Where files of the asker's region may be fetched without encryption.
    fn media(&self) -> &'a [Box<str>] {
        let region = &self.org.region(self.scope.region).id;
        self.world.rules.policy.media.get(region).map_or(&[], Vec::as_slice)
    }

    /// Over all live entitlements, whatever their windows: what may be named.
    fn whole_extent(&self) -> Extent {
        self.extent_of(&self.scope.entitlements)
    }

    fn extent_of(&self, entitlements: &[Entitlement]) -> Extent {
        Extent::of(self.org, self.data(), entitlements, self.operation.archived)
    }

    /// Whether a mask keeps the asker from speaking of a field.
    fn hides(&self, field: &str, kind: Dimension) -> bool {
        masks::hides(self.org, self.scope, &self.operation.contract, field, kind)
    }

    fn judge(&self, extent: &'a Extent) -> Judge<'a> {
        Judge::new(self.org, self.scope, self.operation, extent)
    }

    fn count(&self, asked: Option<Interval>, legs_shown: bool) -> Result<Counted, Refusal> {
        let (whole, single): (Vec<_>, Vec<_>) =
            self.scope.entitlements.iter().cloned().partition(|entitlement| entitlement.conversations.is_any());
        if whole.is_empty() && !single.is_empty() {
            return Err(Refusal::new(
                Code::OperationUnscopable,
                "your rights are to single conversations, and this operation cannot be narrowed to them; read them by id",
            ));
        }
        let mut counted = self.count_of(&whole, asked, legs_shown)?;
        if !single.is_empty() {
            let text = "rights of yours to single conversations do not count for this question; read them by id";
            counted.notices.push(Notice::new("scope.conversations", text));
        }
        Ok(counted)
    }

    /// The same for these entitlements, whatever they are bound to.
    fn count_of(
        &self,
        entitlements: &[Entitlement],
        asked: Option<Interval>,
        legs_shown: bool,
    ) -> Result<Counted, Refusal> {
        let mut windowed = time::windows(entitlements, self.operation.contract.time.as_ref(), asked, legs_shown)?;
        let mut extent = self.extent_of(&windowed.counted);
        if let Some(attribute) = self.operation.carried_attribute() {
            extent = bound::part(self.org, extent, attribute, &mut windowed.notices)?;
        }
        Ok(Counted { entitlements: windowed.counted, extent, windows: windowed.guarded, notices: windowed.notices })
    }

    /// What an asker without any entitlement gets once nothing he named was the reason; by rule it is an empty answer.
    fn refuse_empty_scope(&self, judge: &Judge<'_>) -> Result<(), Refusal> {
        if !self.scope.inert.is_empty() {
            return Err(judge.parent_scan());
        }
        match self.operation.empty_scope {
            EmptyScope::Answer => Ok(()),
            EmptyScope::Refuse => Err(Refusal::new(
                Code::ScopeEmpty,
                "nothing is in your scope for this report; ask the administrator of your division for a queue, a division or a grant",
            )),
        }
    }

    /// The upstream's own empty answer, given locally.
    fn empty(&self, body: Option<&Body>, notices: Vec<Notice>) -> Outcome {
        Outcome::Local(super::local::empty(self.operation, body, notices))
    }

    /// The canonical path: template literals and percent-encoded ids.
    fn path(&self) -> String {
        let mut path = String::new();
        for segment in &self.operation.contract.template.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::Param { name, .. } => {
                    let id = self.question.ids.iter().find(|(known, _)| known == name).map_or("", |(_, id)| id);
                    path.extend(percent_encoding::utf8_percent_encode(id, PATH));
                }
            }
        }
        path
    }

    /// Queues that moved division lose rows where only the upstream's tags decide.
    fn moved(&self, extent: &Extent) -> bool {
        extent.queues().iter().any(|queue| self.org.queue(*queue).moved)
            || extent.lone.iter().any(|user| self.org.user(*user).moved)
    }
}

/// Everything but unreserved characters is encoded.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
