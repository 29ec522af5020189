//! What the store keeps and a question is about.

use super::{
    definition::{Definition, Execution},
    job::Job,
    schedule::Scheduled,
};
use std::sync::Arc;

/// What is kept of jobs, definitions and schedules for one question.
#[derive(Debug, Clone)]
pub enum Kept {
    /// The job that the path names, where its submitter is known.
    Job(Arc<Job>),
    /// All exports of the asker's own, without what was sent for them.
    Own(Arc<[Job]>),
    /// The definition that the path names.
    Definition(Option<Arc<Definition>>),
    /// The asked part of a list of definitions, by name, and how many there are in all.
    Definitions(Arc<[Definition]>, usize),
    /// The id that a new definition gets.
    New(Box<str>),
    /// What the asker asked, the newest first.
    Executions(Arc<[Execution]>),
    /// Schedules and their runs.
    Scheduled(Scheduled),
}
