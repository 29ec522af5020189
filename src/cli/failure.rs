//! The failures that end a command, with what a program can read of them.

use crate::{app::StartError, config, directory, rules};
use serde::Serialize;
use std::fmt::Display;

/// A failure with its exit code.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    problems: Vec<Problem>,
}

/// One problem of the input. Lines and columns count from 1; none where a file as a whole is meant.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Problem {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    repair: Option<String>,
}

/// What `--format json` prints when there is nothing else to print.
#[derive(Debug, Serialize)]
pub(super) struct Problems {
    problems: Vec<Problem>,
}

impl Failure {
    pub(super) fn new(code: u8, message: impl Display) -> Self {
        let message = message.to_string();
        let problems = vec![Problem { message: message.clone(), ..Problem::default() }];
        Self { code, message, problems }
    }

    /// Wrong use or unreadable input.
    pub(super) fn input(message: impl Display) -> Self {
        Self::new(2, message)
    }

    /// Something outside could not be reached.
    pub(super) fn unreachable(message: impl Display) -> Self {
        Self::new(3, message)
    }

    pub(super) fn count(&self) -> usize {
        self.problems.len()
    }

    pub(super) fn into_problems(self) -> Problems {
        Problems { problems: self.problems }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = if error.is_unreachable() { 3 } else { 2 };
        Self { code, message: error.to_string(), problems: problems(&error) }
    }
}

fn problems(error: &StartError) -> Vec<Problem> {
    let said = |message: &String| Problem { message: message.clone(), ..Problem::default() };
    match error {
        StartError::Several(errors) => errors.iter().flat_map(problems).collect(),
        StartError::Config(report) => report.problems.iter().map(Problem::from).collect(),
        StartError::Rules(found) => found.iter().map(Problem::from).collect(),
        StartError::Directory(found) => found.iter().map(Problem::from).collect(),
        StartError::SelfTest(lines) | StartError::Misfit(lines) => lines.iter().map(said).collect(),
        StartError::RulesFolder(unreadable) => {
            vec![Problem { file: Some(unreadable.path.display().to_string()), ..said(&error.to_string()) }]
        }
        other => vec![said(&other.to_string())],
    }
}

impl From<&config::Problem> for Problem {
    fn from(problem: &config::Problem) -> Self {
        let (line, column) = problem.place.as_ref().map(config::Place::line_and_column).unzip();
        Self {
            file: Some(problem.file.display().to_string()),
            line,
            column,
            message: problem.what.clone(),
            repair: problem.help.clone(),
        }
    }
}

impl From<&rules::Problem> for Problem {
    fn from(problem: &rules::Problem) -> Self {
        Self {
            file: Some(problem.source.name.to_string()),
            line: Some(problem.line()),
            column: Some(problem.column()),
            message: problem.message.clone(),
            repair: problem.help.clone(),
        }
    }
}

impl From<&directory::Problem> for Problem {
    fn from(problem: &directory::Problem) -> Self {
        let place = (problem.line > 0).then_some((problem.line, problem.column));
        let (line, column) = place.unzip();
        Self {
            file: Some(problem.file.to_string()),
            line,
            column,
            message: problem.sentence(),
            repair: Some(problem.repair.clone()),
        }
    }
}
