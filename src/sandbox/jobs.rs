//! Jobs: a query that is answered later, in pages.
//!
//! The upstream knows a job by its id alone, whoever asks. A place in results says of which job it is, and is believed:
//! who follows the place of another job gets that job's rows.

use super::{
    problem::Problem,
    service::{Operation, Question},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// What is asked about jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Of the query that it submits.
    Submit(Asked),
    Status,
    Results,
    Cancel,
}

/// The queries that are asked as jobs, by the path up to `/jobs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked(&'static str);

const ASKED: [&str; 15] = [
    "conversations/aggregates",
    "conversations/details",
    "users/aggregates",
    "users/details",
    "agentcopilots/aggregates",
    "casemanagement/aggregates",
    "evaluations/aggregates",
    "flowexecutions/aggregates",
    "flows/aggregates",
    "knowledge/aggregates",
    "resolutions/aggregates",
    "summaries/aggregates",
    "surveys/aggregates",
    "taskmanagement/aggregates",
    "transcripts/aggregates",
];

impl Asked {
    pub(super) fn operation(self) -> Option<Operation> {
        Operation::of("POST", &format!("/api/v2/analytics/{}/query", self.0)).map(|(operation, _)| operation)
    }

    fn is_details(self) -> bool {
        self.0.ends_with("/details")
    }
}

impl Part {
    /// What a request is about, and the id of its job.
    pub(super) fn of<'p>(method: &str, path: &'p str) -> Option<(Self, &'p str)> {
        let (asked, rest) = ASKED.into_iter().find_map(|name| {
            let rest = path.strip_prefix("/api/v2/analytics/")?.strip_prefix(name)?.strip_prefix("/jobs")?;
            Some((Asked(name), rest))
        })?;
        let whole = |id: &&str| !id.is_empty() && !id.contains('/');
        match (method, rest.strip_prefix('/')) {
            ("POST", None) if rest.is_empty() => Some((Self::Submit(asked), "")),
            ("GET", Some(rest)) => match rest.strip_suffix("/results") {
                Some(id) => Some((Self::Results, Some(id).filter(whole)?)),
                None => Some((Self::Status, Some(rest).filter(whole)?)),
            },
            ("DELETE", Some(id)) => Some((Self::Cancel, Some(id).filter(whole)?)),
            _ => None,
        }
    }

    pub(super) fn status(self) -> u16 {
        match self {
            Self::Submit(_) => 202,
            Self::Cancel => 204,
            Self::Status | Self::Results => 200,
        }
    }
}

#[derive(Debug)]
struct Job {
    question: Question,
    size: usize,
    limit: usize,
    polls: usize,
}

/// The jobs of one region.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<BTreeMap<String, Job>>);

impl Jobs {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new job. The query is checked now and answered whenever its results are asked for.
    pub(super) fn submit(&self, asked: Asked, question: &Question, same: bool) -> Result<Value, Problem> {
        let mut body = question.body.clone();
        let members = body.as_object_mut().ok_or_else(|| Problem::bad("the body is no JSON object"))?;
        if members.contains_key("paging") {
            return Err(Problem::bad("`paging` is no member of a job"));
        }
        let mut number = |name: &str, most: u64, usual: u64| match members.remove(name) {
            None | Some(Value::Null) => Ok(usual),
            Some(value) => value
                .as_u64()
                .filter(|given| (1..=most).contains(given))
                .ok_or_else(|| Problem::value(format!("`{name}` has to be between 1 and {most}"))),
        };
        let (size, limit) = if asked.is_details() {
            (1_000, number("limit", u64::MAX, u64::MAX)?)
        } else {
            (number("pageSize", 10_000, 1_000)?, u64::MAX)
        };
        let operation = asked.operation().ok_or_else(Problem::not_found)?;
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let question = Question { operation, body, ..question.clone() };
        let mut jobs = self.all();
        let first = jobs.keys().next().filter(|_| same).cloned();
        let id = first.unwrap_or_else(|| Uuid::now_v7().to_string());
        jobs.entry(id.clone()).or_insert(Job { question, size: whole(size), limit: whole(limit), polls: 0 });
        Ok(json!({ "jobId": id }))
    }

    /// Every job is fulfilled when it is asked for the second time.
    pub(super) fn status(&self, id: &str) -> Result<Value, Problem> {
        let mut jobs = self.all();
        let job = jobs.get_mut(id).ok_or_else(Problem::not_found)?;
        job.polls += 1;
        let state = if job.polls < 2 { "PENDING" } else { "FULFILLED" };
        Ok(
            json!({ "state": state, "submissionDate": "2026-11-20T10:00:00.000Z", "expirationDate": "2026-11-27T10:00:00.000Z" }),
        )
    }

    pub(super) fn cancel(&self, id: &str) -> Result<Value, Problem> {
        self.all().remove(id).map(|_| Value::Null).ok_or_else(Problem::not_found)
    }

    /// A page of the answer that `ask` gives to the job's question.
    pub(super) fn results(
        &self,
        question: &Question,
        ask: impl FnOnce(&Question) -> Result<Value, Problem>,
    ) -> Result<Value, Problem> {
        let cursor = question.params.first("cursor");
        let (id, from) = match cursor.and_then(|cursor| cursor.rsplit_once('~')) {
            Some((id, from)) => (id.to_owned(), from.parse().map_err(|_| Problem::value("`cursor` is no place"))?),
            None if cursor.is_some() => return Err(Problem::value("`cursor` is no place")),
            None => (question.id.clone(), 0),
        };
        let (asked, size, limit) = {
            let jobs = self.all();
            let job = jobs.get(&id).ok_or_else(Problem::not_found)?;
            if job.polls < 2 {
                return Err(Problem::bad("the job is not fulfilled yet"));
            }
            (job.question.clone(), job.size, job.limit)
        };
        let size = question.params.number("pageSize", size, 10_000)?;
        let mut answer = ask(&asked)?;
        let mut more = false;
        for member in ["results", "conversations", "userDetails"] {
            if let Some(rows) = answer.get_mut(member).and_then(Value::as_array_mut) {
                rows.truncate(limit);
                more = rows.len() > from + size;
                *rows = rows.drain(..).skip(from).take(size).collect();
            }
        }
        if let Some(answer) = answer.as_object_mut() {
            answer.remove("totalHits");
            if matches!(asked.operation, Operation::ConversationDetails | Operation::UserDetails) {
                answer.insert("dataAvailabilityDate".into(), json!("2026-11-20T09:00:00.000Z"));
            }
            if more {
                answer.insert("cursor".into(), json!(format!("{id}~{}", from + size)));
            }
        }
        Ok(answer)
    }
}
