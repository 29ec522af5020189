//! Definitions: questions that are kept here, whose they are, and what may be done with them.

use super::{
    body::{Access, Field, FieldKind},
    operation::Operation,
};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;

/// A question as somebody asked for it to be kept, placeholders and all. It holds no rights: whoever runs it asks by his own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub id: Box<str>,
    pub region: Box<str>,
    /// The operation whose question it is.
    pub operation: Box<str>,
    /// `user` or `service`, and the id in the directory: indices change with each snapshot.
    pub owner: (Box<str>, Box<str>),
    /// The division that owns it: who may edit there may change it.
    pub division: Box<str>,
    pub shared: bool,
    pub name: Box<str>,
    /// Empty where only a list of definitions is asked for.
    pub body: Bytes,
    /// Counts its changes, so that none is lost to another that knew nothing of it.
    pub version: u32,
    pub changed: Timestamp,
}

/// The part of a list of definitions that is asked for: one's own, and what is shared where one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub region: Box<str>,
    pub operation: Box<str>,
    /// As the owner of a definition.
    pub holder: (Box<str>, Box<str>),
    /// Divisions of which he sees what is shared.
    pub divisions: Vec<Box<str>>,
    pub skip: usize,
    pub take: usize,
}

/// A question of this kind that somebody asked, as he is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    pub region: Box<str>,
    pub operation: Box<str>,
    /// As the owner of a definition.
    pub holder: (Box<str>, Box<str>),
    /// The definition that was run, where one was.
    pub definition: Option<Box<str>>,
    pub name: Option<Box<str>>,
    pub began: Timestamp,
    pub micros: u64,
    /// `None`: more came than was counted when it was noted.
    pub rows: Option<u64>,
}

/// What an operation does with definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DefinitionStep {
    List,
    Save,
    Read,
    Change,
    Remove,
    Run,
    /// Lists what the asker asked.
    Executions,
}

impl DefinitionStep {
    /// Those that stand at the path of what is kept.
    pub const ALL: [Self; 6] = [Self::List, Self::Save, Self::Read, Self::Change, Self::Remove, Self::Run];

    /// As the ids of its operations end.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Save => "save",
            Self::Read => "read",
            Self::Change => "change",
            Self::Remove => "remove",
            Self::Run => "run",
            Self::Executions => "executions",
        }
    }

    /// Whether one that is there already is named by the path.
    pub fn names_one(self) -> bool {
        !matches!(self, Self::List | Self::Save | Self::Executions)
    }
}

/// How a rule lets its question be kept.
#[derive(Debug, Clone)]
pub struct DefinitionPart {
    pub step: DefinitionStep,
    /// The question itself.
    pub asks: Arc<Operation>,
    /// Who may see what is shared, division by division.
    pub view: Arc<Operation>,
    /// Who may keep and change.
    pub edit: Arc<Operation>,
    /// What stands in a parent division is shown to whoever may view in a division below.
    pub parents: bool,
}

/// What is to be done to what is kept, once it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionChange {
    Put(Definition),
    /// In this version.
    Remove(Definition),
}

/// Parameters of a list.
pub const NUMBER: &str = "pageNumber";
pub const SIZE: &str = "pageSize";
/// Members of what is kept.
pub const NAME: &str = "name";
pub const DIVISION: &str = "divisionId";
pub const SHARED: &str = "shared";
pub const QUESTION: &str = "definition";

/// The fields of what is kept, around those of the question.
pub fn fields(question: &[Field]) -> Vec<Field> {
    let field =
        |name: &str, required: bool, kind: FieldKind| Field { name: name.into(), required, kind, masked: false };
    vec![
        field(NAME, true, FieldKind::Text { max: 256 }),
        field(DIVISION, true, FieldKind::Id(Access::Division)),
        field(SHARED, false, FieldKind::Bool),
        field(QUESTION, true, FieldKind::Object(question.to_vec())),
    ]
}
