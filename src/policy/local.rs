//! Answers that need nothing of the upstream: empty ones, in the upstream's own form.

use super::guard::{Guarded, PageInfo, fields};
use crate::{
    model::{
        answer::{PageNumber, Piece, Shape},
        contract::{TimeAt, TimeRule},
        operation::{JobPart, Operation},
        refusal::{Code, Notice, Refusal},
    },
    query::{
        body::Body,
        json::{self, Limits, Value},
        opensearch,
    },
};
use jiff::Timestamp;

/// The upstream's answer for "nothing matches". `body`: the question as it would be sent.
pub fn empty(operation: &Operation, body: Option<&Body>, notices: Vec<Notice>) -> Guarded {
    filled(operation, body, None, notices)
}

/// A page behind the last entry, or of nothing.
pub fn empty_page(operation: &Operation, page: PageInfo, notices: Vec<Notice>) -> Guarded {
    filled(operation, None, Some(page), notices)
}

fn filled(operation: &Operation, body: Option<&Body>, page: Option<PageInfo>, notices: Vec<Notice>) -> Guarded {
    let mut bytes = Vec::new();
    for piece in &operation.answer.empty {
        match piece {
            Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Piece::Page(number) => bytes.extend_from_slice(of_page(page, *number).to_string().as_bytes()),
            Piece::Asked(at) => {
                let asked = body.and_then(|body| body.get(at)).unwrap_or(&Value::Null);
                let shown = instant(operation, at, asked);
                bytes.extend_from_slice(&shown.as_ref().unwrap_or(asked).to_bytes());
            }
        }
    }
    if let Some(body) = body.filter(|_| operation.answer.shape == Shape::Documents)
        && let Ok(mut frame) = json::parse(&bytes, &Limits::own(&bytes))
    {
        opensearch::of_nothing(body, &mut frame);
        bytes = frame.to_bytes();
    }
    Guarded::plain(200, bytes, notices)
}

/// What the directory says of the asker.
pub fn known(operation: &Operation, answer: Value) -> Guarded {
    Guarded::plain(200, fields::keep(&operation.answer.keep, answer).to_bytes(), Vec::new())
}

/// What this proxy keeps itself, as far as the asker may see it. `None`: it is done, and there is nothing to show.
pub fn kept(answer: Option<Value>, notices: Vec<Notice>) -> Guarded {
    match answer {
        Some(answer) => Guarded::plain(200, answer.to_bytes(), notices),
        None => Guarded::plain(204, Vec::new(), notices),
    }
}

/// The same in a list.
pub fn known_page(operation: &Operation, page: PageInfo, rows: Vec<Value>) -> Result<Guarded, Refusal> {
    let frame = empty_page(operation, page, Vec::new());
    let mut answer = json::parse(frame.body(), &Limits::default()).map_err(|error| {
        Refusal::new(Code::Internal, "the frame of a list cannot be read").because(error.to_string())
    })?;
    answer.set_at(&operation.answer.rows, Value::Array(rows));
    Ok(known(operation, answer))
}

/// A job of which nothing could match: it has an id of this proxy, and no upstream knows it.
pub fn job_submitted(operation: &Operation, id: &str, notices: Vec<Notice>) -> Option<Guarded> {
    let Some(JobPart::Submit(answers)) = &operation.job else { return None };
    let body = Value::object([(&*answers.id, Value::text(id))]).to_bytes();
    Some(Guarded { job: Some(id.into()), ..Guarded::plain(202, body, notices) })
}

pub fn job_done() -> Guarded {
    Guarded::plain(200, Value::object([("state", Value::text("FULFILLED"))]).to_bytes(), Vec::new())
}

pub fn job_results(answer: &[u8]) -> Guarded {
    Guarded::plain(200, answer.to_vec(), Vec::new())
}

pub fn job_cancelled() -> Guarded {
    Guarded::plain(204, Vec::new(), Vec::new())
}

/// The upstream shows the instants that it was asked for to the millisecond.
fn instant(operation: &Operation, at: &[Box<str>], asked: &Value) -> Option<Value> {
    let Some(TimeRule { at: TimeAt::FromTo(from, to), .. }) = &operation.contract.time else { return None };
    let instant: Timestamp = asked.as_str().filter(|_| at == &**from || at == &**to)?.parse().ok()?;
    Some(Value::text(instant.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()))
}

fn of_page(page: Option<PageInfo>, number: PageNumber) -> usize {
    page.map_or(0, |page| match number {
        PageNumber::Number => page.number,
        PageNumber::Size => page.size,
        PageNumber::Total => page.total,
        PageNumber::Count => page.pages(),
    })
}
