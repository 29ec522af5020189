//! What the second reader holds an outgoing request against. Made from the shipped model table, not from `narrow` sites.

use super::{
    answer::Shape,
    body::{Access, BodyModel, ObjectOrd, Path},
    entitlement::Action,
    job::JobStep,
};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one operation, each read alone")]
pub struct Contract {
    pub operation: Box<str>,
    pub method: Method,
    pub template: Template,
    pub action: Action,
    pub data: Data,
    pub params: Vec<Param>,
    pub body: Option<Arc<BodyModel>>,
    /// Fields of the body that hold words of a closed list, and which of these may be sent.
    pub words: Vec<Words>,
    /// Mask class of each field that a mask hides: no filter, sort or grouping speaks of it until it is lifted.
    pub masks: BTreeMap<Box<str>, Box<str>>,
    /// How the request shows that it stays inside the scope when it has no body.
    pub ids: Option<IdsProof>,
    /// For a list that is read from its beginning, its rows judged one by one.
    pub scan: Option<ScanProof>,
    pub shape: Shape,
    /// Which data time a question reaches, for entitlements with a data window.
    pub time: Option<TimeRule>,
    /// Dead queues that a list of queues may contain.
    pub archived: bool,
    /// Whether the guard's residual alone may carry the proof: shapes that show every leg (read by id).
    pub rows_decide: bool,
    /// Largest number of values of one access dimension in one filter.
    pub max_values: usize,
    /// For what is done with a job: which step, and the contract of the operation that submitted it.
    pub job: Option<(JobStep, Arc<Contract>)>,
    /// The answer is a part of one interaction, which has to be looked at first.
    pub part: bool,
    /// For the list of one's own exports: the contract of the operation that asks for one.
    pub own: Option<Arc<Contract>>,
    pub effect: Effect,
    /// Actions beside its own by which links in the answer pass.
    pub links: Vec<Action>,
    /// Asked about another region than the holder's own, by who audits its metadata.
    pub abroad: bool,
}

/// What asking does upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Effect {
    #[default]
    Reads,
    /// Something is made, changed or ended: everything that the request names has to be the asker's to change.
    Changes,
}

/// The words that may stand in one field of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub at: Path,
    /// Rows are told apart by these words: only by what some filter of the body knows.
    pub groups: bool,
    pub allow: Vec<Box<str>>,
    /// A narrower list for outsourcers; `None`: the same.
    pub bpo_allow: Option<Vec<Box<str>>>,
}

impl Words {
    pub fn allows(&self, word: &str, bpo: bool) -> bool {
        let narrower = self.bpo_allow.as_ref().filter(|_| bpo);
        [Some(&self.allow), narrower].into_iter().flatten().all(|list| list.iter().any(|known| **known == *word))
    }
}

/// A list whose parameter names every entity that may come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdsProof {
    pub param: Box<str>,
    pub access: Access,
}

/// A list, or a search, of which no request can name the entries.
#[derive(Debug, Clone)]
pub struct ScanProof {
    /// What reads the thing above in the path. Every id of the path is one of its own.
    pub below: Option<Arc<Contract>>,
    /// The parameter that holds a place in the list, as the answer before named it.
    pub place: Option<Box<str>>,
    /// Rows are of interactions, whose legs are looked at before any of them is shown.
    pub looks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const ALL: [Self; 6] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method of this name, in capitals as HTTP spells it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// Which column of the scope table applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Data {
    Interaction,
    Queue,
    User,
    /// Runs of flows: of the division that owns the flow.
    Flow,
    /// Cases: of the division that owns the case.
    Case,
    /// People, counted by their team: of each person, in a team whose division is seen whole.
    Team,
    Division,
    Metadata,
}

impl Data {
    /// The kind of object, held by the directory, that each row is of.
    pub fn object(self) -> Option<ObjectOrd> {
        match self {
            Self::Flow => Some(ObjectOrd::Flow),
            Self::Team => Some(ObjectOrd::Team),
            Self::Interaction | Self::Queue | Self::User | Self::Case | Self::Division | Self::Metadata => None,
        }
    }
}

/// `/api/v2/conversations/{conversationId}`, split at slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Literal(Box<str>),
    /// A path id of this kind.
    Param {
        name: Box<str>,
        access: Access,
    },
}

impl Segment {
    /// Whether an id of this name stands here.
    pub fn is_named(&self, wanted: &str) -> bool {
        matches!(self, Self::Param { name, .. } if **name == *wanted)
    }

    /// What kind of id stands here.
    pub fn access(&self) -> Option<Access> {
        match self {
            Self::Param { access, .. } => Some(*access),
            Self::Literal(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    pub name: Box<str>,
    pub kind: ParamKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamKind {
    Int {
        min: i64,
        max: i64,
    },
    Enum(Vec<Box<str>>),
    Text {
        max: usize,
    },
    /// A place in results, as an earlier answer named it.
    Cursor,
    /// Ids of a kind, comma-joined or repeated; sent comma-joined.
    Ids {
        access: Access,
        max: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeRule {
    /// One interval field, or a pair of instant fields.
    pub at: TimeAt,
    pub reach: Reach,
    pub max: Option<jiff::SignedDuration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeAt {
    Interval(Path),
    FromTo(Path, Path),
}

/// How far the rows of an answer may lie outside the asked interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every counted leg lies wholly inside the interval.
    Contained,
    /// Every interaction that started on a day the interval touches; its legs may end later.
    WholeDay,
    /// Every interaction that overlaps the interval.
    Overlap,
}
