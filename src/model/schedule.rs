//! Schedules: a kept question that is run at set times, for whoever set it up and for those he names.

use super::{
    body::{Access, Field, FieldKind},
    definition::{Definition, DefinitionPart, NAME},
    operation::Operation,
};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// As somebody set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub id: Box<str>,
    pub region: Box<str>,
    /// The operation whose kept question is run.
    pub operation: Box<str>,
    /// `user` or `service`, and the id in the directory. Nobody else may change it.
    pub owner: (Box<str>, Box<str>),
    pub name: Box<str>,
    /// The id of the definition.
    pub definition: Box<str>,
    pub cron: Box<str>,
    pub zone: Box<str>,
    /// Ids of users who get what both they and the owner may see.
    pub recipients: Vec<Box<str>>,
    pub enabled: bool,
    /// What its owner might see when he set it up: no run shows more.
    pub then: Rights,
    /// Counts its changes, so that none is lost to another that knew nothing of it.
    pub version: u32,
    pub changed: Timestamp,
    /// When it is run next; `None`: never.
    pub next: Option<Timestamp>,
    /// For whom alone it is run then, because the upstream did not answer; empty: for everybody.
    pub waiting: Vec<(Box<str>, Box<str>)>,
    /// How often that was so.
    pub tries: u32,
}

/// Rights as they stood, by the ids of the directory: indices change with each snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Of no other region do they say anything.
    pub region: Box<str>,
    pub sources: Vec<Right>,
    /// Queues that were closed to the holder, whatever named them.
    pub closed: Vec<Box<str>>,
    /// Queues that counted only where a right named them.
    pub restricted: Vec<Box<str>>,
}

/// One source of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    pub divisions: Ids,
    pub queues: Ids,
    pub users: Ids,
    pub conversations: Ids,
    /// From, and until before.
    pub data: Option<(Timestamp, Timestamp)>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ids {
    Any,
    Only(Vec<Box<str>>),
}

/// One run of a schedule for one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: Box<str>,
    pub schedule: Box<str>,
    pub region: Box<str>,
    /// As the owner of a schedule: whose answer it is.
    pub reader: (Box<str>, Box<str>),
    pub began: Timestamp,
    pub state: RunState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It goes on, or its end was never written.
    Begun,
    Kept(KeptAnswer),
    /// The code of the refusal.
    Refused(Box<str>),
}

/// An answer with what it is an answer to. It is shown while the same question would send the same again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The decision by which it was asked.
    pub decision: Box<str>,
    /// The definition's question then; what it says relative to its instant says that instant.
    pub asked: Bytes,
    /// The body that was sent; `None`: nothing could match, and nothing was.
    pub sent: Option<Bytes>,
    /// As it was guarded. Empty where only a list of runs is asked for.
    pub answer: Bytes,
    /// What was said with it.
    pub said: Vec<Box<str>>,
}

/// What an operation does with schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScheduleStep {
    List,
    Save,
    Read,
    Change,
    Remove,
    /// Lists the runs for the asker.
    Runs,
    /// The answer of one.
    Answer,
}

impl ScheduleStep {
    pub const ALL: [Self; 7] =
        [Self::List, Self::Save, Self::Read, Self::Change, Self::Remove, Self::Runs, Self::Answer];

    /// As the ids of its operations end.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Save => "save",
            Self::Read => "read",
            Self::Change => "change",
            Self::Remove => "remove",
            Self::Runs => "runs",
            Self::Answer => "answer",
        }
    }

    /// Whether one that is there already is named by the path.
    pub fn names_one(self) -> bool {
        !matches!(self, Self::List | Self::Save)
    }
}

/// How a rule lets its kept questions be run at set times.
#[derive(Debug, Clone)]
pub struct SchedulePart {
    pub step: ScheduleStep,
    /// The run of a definition.
    pub of: DefinitionPart,
    /// The question as it is run: who may ask it so, and what of it he may see.
    pub runs: Arc<Operation>,
    /// Reads one person: whoever may be read so by the owner may be named by him. `None` until all rules are read.
    pub recipient: Option<Arc<Operation>>,
}

/// What is kept of schedules for one question.
#[derive(Debug, Clone)]
pub enum Scheduled {
    /// The asked part of a list, and how many there are in all.
    List(Arc<[Schedule]>, usize),
    /// The one that the path names.
    Named(Option<Arc<Schedule>>),
    /// The one that is to be changed, or the id of a new one; and the definition that the body names.
    Save { id: Box<str>, there: Option<Arc<Schedule>>, definition: Option<Arc<Definition>> },
    /// Runs of it for the asker, the newest first, without their answers; or the one that the path names, with its answer.
    Runs(Arc<Schedule>, Arc<[Run]>),
}

/// What is to be done to a schedule, once it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleChange {
    Put(Schedule),
    /// In this version, with its runs.
    Remove(Schedule),
    /// Somebody whom it names takes himself out.
    Leave(Schedule, Box<str>),
}

/// Members of a schedule.
pub const DEFINITION: &str = "queryId";
pub const CRON: &str = "cron";
pub const ZONE: &str = "timeZone";
pub const RECIPIENTS: &str = "recipients";
pub const ENABLED: &str = "enabled";

/// People who may be named by one schedule.
pub const MOST_RECIPIENTS: usize = 50;

/// The fields of a schedule.
pub fn fields() -> Vec<Field> {
    let field =
        |name: &str, required: bool, kind: FieldKind| Field { name: name.into(), required, kind, masked: false };
    let text = |max: usize| FieldKind::Text { max };
    let list = FieldKind::List { of: Box::new(FieldKind::Id(Access::User)), min: 0, max: MOST_RECIPIENTS };
    vec![
        field(NAME, true, text(256)),
        field(DEFINITION, true, text(64)),
        field(CRON, true, text(128)),
        field(ZONE, true, FieldKind::TimeZone),
        field(RECIPIENTS, false, list),
        field(ENABLED, false, FieldKind::Bool),
    ]
}
