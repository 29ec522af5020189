//! Answers about jobs: the id of a new one, how far it is, that it is over. None of them holds a row.

use super::{Guarded, fields, unreadable};
use crate::{
    model::{answer::Keep, refusal::Refusal},
    query::json::{self, Limits, Value},
};

/// Longer ids and places are no ids.
const MOST: usize = 4096;

/// A new job: nothing of the answer passes but its id.
pub(super) fn submitted(name: &str, status: u16, body: &[u8]) -> Result<Guarded, Refusal> {
    if !matches!(status, 200 | 202) {
        return Err(unreadable(format!("status {status} is no answer to a job")));
    }
    let answer = read(body)?;
    let id = answer.get(name).and_then(Value::as_str).filter(|id| is_id(id));
    let id = id.ok_or_else(|| unreadable(format!("`{name}` is not the id of a job")))?;
    let body = Value::object([(name, Value::text(id))]).to_bytes();
    Ok(Guarded { job: Some(id.into()), ..Guarded::plain(status, body, Vec::new()) })
}

pub(super) fn is_id(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '~');
    (1..=MOST).contains(&id.len()) && id.chars().all(plain) && !matches!(id, "." | "..")
}

pub(super) fn status(keep: &Keep, status: u16, body: &[u8]) -> Result<Guarded, Refusal> {
    if status != 200 {
        return Err(unreadable(format!("status {status} is no answer about a job")));
    }
    let body = fields::keep_listed(keep, &fields::Links::none(), read(body)?).to_bytes();
    Ok(Guarded::plain(200, body, Vec::new()))
}

pub(super) fn cancelled(status: u16) -> Result<Guarded, Refusal> {
    match status {
        200 | 202 | 204 => Ok(Guarded::plain(204, Vec::new(), Vec::new())),
        _ => Err(unreadable(format!("status {status} is no end of a job"))),
    }
}

/// The place at which the results go on; what is no text is taken out.
pub(super) fn cursor(answer: &mut Value, name: &str) -> Option<Box<str>> {
    let cursor = answer.get(name)?;
    let found = cursor.as_str().filter(|text| (1..=MOST).contains(&text.len())).map(Into::into);
    if found.is_none() {
        fields::remove(answer, &[name.into()]);
    }
    found
}

fn read(body: &[u8]) -> Result<Value, Refusal> {
    let limits = Limits::answer(1024 * 1024);
    json::parse_object(body, &limits).map_err(|error| unreadable(format!("not the JSON of an answer: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id stands in paths, in the store and in the record: nothing that means something there is one.
    #[test]
    fn not_every_text_is_the_id_of_a_job() {
        for fine in ["j", "019ab6c0-0000-7000-8000-000000000000", "A_b.c~9", "...", &"a".repeat(MOST)] {
            assert!(is_id(fine), "{fine}");
        }
        for odd in
            ["", ".", "..", " ", "a b", "a/b", "a\\b", "a?b", "a#b", "a%2fb", "a\nb", "a\0", "é", "a;b", "${x}", "a\"b"]
        {
            assert!(!is_id(odd), "{odd:?}");
            let body = Value::object([("jobId", Value::text(odd))]).to_bytes();
            assert!(submitted("jobId", 202, &body).is_err(), "{odd:?}");
        }
        assert!(!is_id(&"a".repeat(MOST + 1)));
    }
}
