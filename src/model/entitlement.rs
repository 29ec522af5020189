//! Entitlements: the sources of visibility, and the scope they make together.

use super::{
    org::{DivisionIx, GroupIx, Org, Principal, QueueIx, RegionIx, RoleIx, UserIx},
    set::{Dim, Set},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be done with a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    View,
    Playback,
    Transcript,
    Export,
    AddRemove,
    Preview,
    /// What is somebody's is made, changed or ended: class `write`.
    Edit,
}

impl Action {
    pub const ALL: [Self; 7] =
        [Self::View, Self::Playback, Self::Transcript, Self::Export, Self::AddRemove, Self::Preview, Self::Edit];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Playback => "playback",
            Self::Transcript => "transcript",
            Self::Export => "export",
            Self::AddRemove => "add-remove",
            Self::Preview => "preview",
            Self::Edit => "edit",
        }
    }

    /// Playback includes view; nothing else includes anything.
    pub fn includes(self, wanted: Action) -> bool {
        self == wanted || (self == Action::Playback && wanted == Action::View)
    }
}

/// A half-open window of data time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    /// Whether the whole of `[start, end)` lies inside.
    pub fn contains(&self, start: Timestamp, end: Timestamp) -> bool {
        self.from <= start && end <= self.until
    }
}

/// When a source acts: from (inclusive) until (exclusive); `None` is no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Validity {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Validity {
    pub const ALWAYS: Self = Self { from: None, until: None };

    pub fn acts_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// The next instant after `now` at which this source begins or ends.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        [self.from, self.until].into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// Where an entitlement comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A role held in a division, directly or through a group, and the permission that opened the operation.
    Role {
        role: RoleIx,
        division: DivisionIx,
        permission: Box<str>,
        via: Option<GroupIx>,
    },
    Grant {
        id: Box<str>,
    },
}

/// One source of visibility. Dimensions of different entitlements are never mixed.
///
/// `queues: Any` means every queue open to the holder, *or no queue*; restricted queues count only where
/// `Only` names them. `divisions: Any` never leaves `region`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entitlement {
    pub holder: Principal,
    pub region: RegionIx,
    pub divisions: Dim<DivisionIx>,
    pub queues: Dim<QueueIx>,
    pub users: Dim<UserIx>,
    /// Conversations by id; anything but `Any` can only be decided row by row.
    pub conversations: Dim<Box<str>>,
    pub data: Option<Window>,
    pub actions: Vec<Action>,
    pub valid: Validity,
    pub source: Source,
}

impl Entitlement {
    /// The divisions that it covers, one by one.
    pub fn leaves(&self, org: &Org) -> Set<DivisionIx> {
        match &self.divisions {
            Dim::Only(list) => list.clone(),
            Dim::Any => org
                .division_ixs()
                .filter(|ix| org.division(*ix).leaf && org.division(*ix).region == self.region)
                .collect(),
        }
    }
}

/// What the permissions that lift one class of masks cover: a mask is lifted for the legs of these entitlements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lift {
    pub class: Box<str>,
    pub entitlements: Vec<Entitlement>,
}

/// Where a second action may be done with what an operation shows, such as hearing what it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub action: Action,
    pub entitlements: Vec<Entitlement>,
}

/// The set of entitlements that a principal has for one operation at one instant.
#[derive(Debug, Clone)]
pub struct Scope {
    pub holder: Principal,
    pub region: RegionIx,
    pub action: Action,
    pub entitlements: Vec<Entitlement>,
    /// Parent divisions on which the holder has an assignment for this operation: inert, but named in refusals.
    pub inert: Set<DivisionIx>,
    /// Where masks are lifted for the holder.
    pub lifts: Vec<Lift>,
    /// Where the holder may do more with the answer than the operation itself does.
    pub openings: Vec<Opening>,
    /// From this instant on the scope must be derived anew.
    pub good_until: Option<Timestamp>,
}
