//! Query tests that stand beside the rules: who asks what, and what becomes of it.
//!
//! Here they are only read. Running one needs a compiled fixture directory and the pure decision chain; see
//! [`RuleTest`] for what a runner compares.

use super::{
    Attachments,
    format::{self, Rule, RuleFile},
    operation,
    reading::{At, Reader},
    values::{Json, Name},
};
use crate::model::{definition::DefinitionStep, refusal::Code, schedule::ScheduleStep};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// What the tests of one file run against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// The rule file that states it.
    pub file: Box<str>,
    /// Name of the directory file, from the rules folder.
    pub directory: Box<str>,
    /// Its text.
    pub text: Arc<str>,
    pub now: Timestamp,
}

/// One test. Without `expect` it is only about the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    pub file: Box<str>,
    pub line: usize,
    /// Id of the operation: the rule's, or that of its job or of its link.
    pub operation: Box<str>,
    pub name: Box<str>,
    pub fixture: Arc<Fixture>,
    /// Id of a user or of a service account of the fixture.
    pub asker: Box<str>,
    pub now: Timestamp,
    /// The region that it is asked of, where that is not the asker's own.
    pub region: Option<Box<str>>,
    /// The asked body.
    pub asks: Option<Value>,
    /// Path ids and query parameters by name.
    pub params: Vec<(Box<str>, String)>,
    pub expect: Option<Expect>,
    /// The interaction that is looked at before a part of it is asked for.
    pub interaction: Option<Value>,
    /// Exports of the asker's own: ids and what he asked for.
    pub exported: Vec<(Box<str>, Value)>,
    /// Definitions that are there.
    pub saved: Vec<SavedThere>,
    pub scheduled: Vec<ScheduledThere>,
    /// What the upstream answers, and what the asker gets of it.
    pub answer: Option<(Value, Value)>,
}

/// A schedule that is there in a test.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledThere {
    pub id: Box<str>,
    pub owner: Box<str>,
    pub definition: Box<str>,
    pub recipients: Vec<Box<str>>,
    pub answered: Option<Value>,
}

/// A definition that is there in a test.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedThere {
    pub id: Box<str>,
    pub owner: Box<str>,
    pub division: Box<str>,
    pub shared: bool,
    pub definition: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expect {
    /// The outgoing body; of an operation without a body, an object of its outgoing parameters.
    Sends(Value),
    /// The code of the refusal.
    Refuses(Code),
    /// The answer given without asking the upstream.
    Answers(Value),
}

pub(super) fn fixture(file: &RuleFile, attachments: &Attachments, reader: &mut Reader<'_>) -> Option<Arc<Fixture>> {
    let fixture = file.fixture.as_ref()?.0.as_ref()?;
    let name = beside(&reader.source.name, &fixture.directory);
    let Some(text) = name.as_deref().and_then(|name| attachments.get(name)) else {
        let help = "the path is relative to this file and stays inside the rules folder";
        let message = format!("there is no directory file `{}`", *fixture.directory);
        reader.problem_with(fixture.directory.span.clone(), message, Some(help.to_owned()));
        return None;
    };
    let directory = name.unwrap_or_default().into();
    Some(Arc::new(Fixture { file: reader.source.name.clone(), directory, text: text.clone(), now: fixture.now.0 }))
}

pub(super) fn tests(
    rule: &Rule,
    fixture: Option<&Arc<Fixture>>,
    attachments: &Attachments,
    reader: &mut Reader<'_>,
) -> Vec<RuleTest> {
    let Some(fixture) = fixture else {
        if let Some(test) = rule.test.first() {
            let help = "add `[fixture]` with `directory` and `now` at the top of the file";
            reader.problem_with(
                test.span.clone(),
                "a test needs an organisation to run against",
                Some(help.to_owned()),
            );
        }
        return Vec::new();
    };
    rule.test.iter().filter_map(|test| compile(test, rule, fixture, attachments, reader)).collect()
}

fn compile(
    test: &At<format::Test>,
    rule: &Rule,
    fixture: &Arc<Fixture>,
    attachments: &Attachments,
    reader: &mut Reader<'_>,
) -> Option<RuleTest> {
    let expect = match (&test.sends, &test.refuses, &test.answers) {
        (Some(sends), None, None) => Some(Expect::Sends(sends.0.clone())),
        (None, Some(code), None) => {
            let known = Code::ALL.iter().find(|known| known.as_str() == code.as_str());
            if known.is_none() {
                operation::code_unknown(code, code.span.clone(), reader);
            }
            Some(Expect::Refuses(*known?))
        }
        (None, None, Some(answers)) => Some(Expect::Answers(answers.0.clone())),
        (None, None, None) if test.shows.is_some() => None,
        _ => {
            reader.problem(
                test.name.span.clone(),
                "a test states one of `sends`, `refuses`, `answers`, or `upstream` with `shows`",
            );
            return None;
        }
    };
    let answer = match (&test.upstream, &test.shows) {
        (Some(upstream), Some(shows)) => {
            Some((json(upstream, attachments, reader)?, json(shows, attachments, reader)?))
        }
        (None, None) => None,
        _ => {
            reader.problem(test.name.span.clone(), "`upstream` and `shows` stand together");
            return None;
        }
    };
    let interaction = match &test.interaction {
        Some(interaction) => Some(json(interaction, attachments, reader)?),
        None => None,
    };
    let as_job = test.as_job == Some(true);
    if as_job && rule.job.is_none() {
        let help = Some("add `[rule.job]`, or ask it as it is".to_owned());
        reader.problem_with(test.name.span.clone(), "the rule is not asked as a job", help);
        return None;
    }
    let step = test.as_saved.map(DefinitionStep::from);
    if (step.is_some() || !test.saved.is_empty()) && rule.saved.is_none() {
        let help = Some("add `[rule.saved]`, or ask it as it is".to_owned());
        reader.problem_with(test.name.span.clone(), "the rule's question is not kept", help);
        return None;
    }
    let scheduled = test.as_schedule.map(ScheduleStep::from);
    let has_schedules = rule.saved.as_ref().is_some_and(|saved| saved.schedules.is_some());
    if (scheduled.is_some() || !test.scheduled.is_empty()) && !has_schedules {
        let help = Some("add `[rule.saved.schedules]`, or ask it as it is".to_owned());
        reader.problem_with(test.name.span.clone(), "the rule's question is not asked at set times", help);
        return None;
    }
    let by_link = test.by_link == Some(true);
    if by_link && (rule.link.is_none() || as_job) {
        let help = Some("add `[rule.link]`, or ask it as it is".to_owned());
        reader.problem_with(test.name.span.clone(), "the rule is not asked by a link", help);
        return None;
    }
    let params: Option<Vec<_>> =
        test.params.iter().map(|(name, value)| Some((name.text.clone(), text(&value.0)?))).collect();
    if params.is_none() {
        reader.problem(test.name.span.clone(), "a parameter is a text, a number, or a list of texts");
    }
    Some(RuleTest {
        file: reader.source.name.clone(),
        line: reader.source.position(test.span.start).0,
        operation: match (step, scheduled) {
            (Some(step), _) => format!("{}.saved.{}", *rule.id, step.as_str()).into(),
            (None, Some(step)) => format!("{}.schedules.{}", *rule.id, step.as_str()).into(),
            (None, None) if as_job => format!("{}.job", *rule.id).into(),
            (None, None) if by_link => format!("{}.link", *rule.id).into(),
            (None, None) => rule.id.as_str().into(),
        },
        name: test.name.as_str().into(),
        fixture: fixture.clone(),
        asker: test.r#as.as_str().into(),
        now: test.now.map_or(fixture.now, |now| now.0),
        region: test.region.as_ref().map(|region| region.as_str().into()),
        asks: test.asks.as_ref().map(|asks| asks.0.clone()),
        params: params?,
        expect,
        interaction,
        exported: test.exported.iter().map(|(id, asks)| (id.text.clone(), asks.0.clone())).collect(),
        saved: test.saved.iter().map(there).collect(),
        scheduled: test.scheduled.iter().map(planned).collect(),
        answer,
    })
}

fn planned((id, scheduled): (&Name, &At<format::ScheduledThere>)) -> ScheduledThere {
    ScheduledThere {
        id: id.text.clone(),
        owner: scheduled.owner.as_str().into(),
        definition: scheduled.definition.as_str().into(),
        recipients: scheduled.recipients.iter().map(|id| id.as_str().into()).collect(),
        answered: scheduled.answered.as_ref().map(|answer| answer.0.clone()),
    }
}

fn there((id, saved): (&Name, &At<format::SavedThere>)) -> SavedThere {
    SavedThere {
        id: id.text.clone(),
        owner: saved.owner.as_str().into(),
        division: saved.division.as_str().into(),
        shared: saved.shared == Some(true),
        definition: saved.definition.0.clone(),
    }
}

/// JSON as written, or the JSON file of that name.
fn json(value: &At<Json>, attachments: &Attachments, reader: &mut Reader<'_>) -> Option<Value> {
    let Value::String(file) = &value.value.0 else {
        return Some(value.value.0.clone());
    };
    let text = beside(&reader.source.name, file).and_then(|name| attachments.get(name.as_str()));
    let parsed = text.and_then(|text| serde_json::from_str(text).ok());
    if parsed.is_none() {
        reader.problem(value.span.clone(), format!("`{file}` is no JSON file beside this one"));
    }
    parsed
}

/// Query parameters are texts; a list is comma-joined.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>().map(|items| items.join(",")),
        Value::Null | Value::Object(_) => None,
    }
}

/// `../sample/directory.json` seen from `genesys/queues.toml`. `None` when it leaves the rules folder.
fn beside(file: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
