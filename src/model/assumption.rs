//! What no document proves about an upstream. A rule that needs one is closed until somebody vouches for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Assumption {
    /// Entries of one filter array, and filter arrays among each other, are joined by *and*.
    EntriesAnd,
    /// All predicates of one segment filter entry must hold on the same segment.
    SameSegment,
    /// An aggregate evaluates its filter on one leg at a time.
    LegFilter,
    /// An aggregate counts a leg only when the interval contains the whole of it.
    LegsContained,
    /// `divisionId` in an aggregate means the division of the leg, not the tags of the conversation.
    DivisionOfLeg,
    /// `divisionId` of a case is the division that owns it, and no other.
    DivisionOfCase,
    /// What counts people evaluates its filter on one person at a time.
    PersonFilter,
    /// A list that names ids returns no other entity.
    IdsOnly,
    /// An export counts only legs that fit each list of its filter.
    ViewFilter,
    /// The id of a part, asked for below an interaction, finds nothing that is not of this interaction.
    PartOfItsInteraction,
    /// A recording is of one interaction alone.
    RecordingOfOne,
    /// Criteria of a search that say so are joined by *and*.
    CriteriaAnd,
}

impl Assumption {
    pub const ALL: [Self; 12] = [
        Self::EntriesAnd,
        Self::SameSegment,
        Self::LegFilter,
        Self::LegsContained,
        Self::DivisionOfLeg,
        Self::DivisionOfCase,
        Self::PersonFilter,
        Self::IdsOnly,
        Self::ViewFilter,
        Self::PartOfItsInteraction,
        Self::RecordingOfOne,
        Self::CriteriaAnd,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::EntriesAnd => "entries-and",
            Self::SameSegment => "same-segment",
            Self::LegFilter => "leg-filter",
            Self::LegsContained => "legs-contained",
            Self::DivisionOfLeg => "division-of-leg",
            Self::DivisionOfCase => "division-of-case",
            Self::PersonFilter => "person-filter",
            Self::IdsOnly => "ids-only",
            Self::ViewFilter => "view-filter",
            Self::PartOfItsInteraction => "part-of-its-interaction",
            Self::RecordingOfOne => "recording-of-one",
            Self::CriteriaAnd => "criteria-and",
        }
    }

    /// One sentence for the administrator who vouches for it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::EntriesAnd => "entries of a filter array, and the arrays among each other, are joined by and",
            Self::SameSegment => "all predicates of one segment filter entry hold on the same segment",
            Self::LegFilter => "an aggregate evaluates its filter on one leg at a time",
            Self::LegsContained => "an aggregate counts a leg only when the interval contains the whole of it",
            Self::DivisionOfLeg => "divisionId in an aggregate is the division of the leg",
            Self::DivisionOfCase => "divisionId in case management is the division that owns the case",
            Self::PersonFilter => "what counts people by team evaluates its filter on one person at a time",
            Self::IdsOnly => "a list asked for ids returns no other entity",
            Self::ViewFilter => {
                "an export counts only legs that fit each list of its filter: the queue is in `queueIds`, the agent in `userIds`"
            }
            Self::PartOfItsInteraction => {
                "the id of a part of an interaction, such as a recording, finds nothing below another interaction"
            }
            Self::RecordingOfOne => {
                "a recording is of one interaction alone, so a file that is made of it holds nothing of another one"
            }
            Self::CriteriaAnd => {
                "a search finds only what fits each of its criteria, and of a list of ids whatever is one of them"
            }
        }
    }
}
