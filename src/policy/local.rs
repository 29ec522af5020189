//! Answers that need nothing of the upstream: empty ones, in the upstream's own form.

use super::guard::{Guarded, PageInfo};
use crate::{
    model::{
        answer::{PageNumber, Piece},
        contract::{TimeAt, TimeRule},
        operation::Operation,
        refusal::Notice,
    },
    query::{body::Body, json::Value},
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
    Guarded { status: 200, body: bytes, rows_in: 0, rows_out: 0, rows_foreign: 0, notices }
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
