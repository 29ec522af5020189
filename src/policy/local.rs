//! Answers that need nothing of the upstream: empty ones, in the upstream's own form.

use super::guard::{Guarded, PageInfo};
use crate::model::{operation::Operation, refusal::Notice};

/// The upstream's answer for "nothing matches".
pub fn empty(operation: &Operation, notices: Vec<Notice>) -> Guarded {
    Guarded {
        status: 200,
        body: operation.answer.empty.as_bytes().to_vec(),
        rows_in: 0,
        rows_out: 0,
        rows_foreign: 0,
        notices,
    }
}

/// A page behind the last entry, or of nothing.
pub fn empty_page(operation: &Operation, page: PageInfo, notices: Vec<Notice>) -> Guarded {
    let numbers = [
        ("${pageNumber}", page.number),
        ("${pageSize}", page.size),
        ("${total}", page.total),
        ("${pageCount}", page.pages()),
    ];
    let text = numbers
        .iter()
        .fold(operation.answer.empty.to_string(), |text, (place, number)| text.replace(place, &number.to_string()));
    Guarded { status: 200, body: text.into_bytes(), rows_in: 0, rows_out: 0, rows_foreign: 0, notices }
}
