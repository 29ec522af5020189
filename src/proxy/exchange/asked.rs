//! What the record has of the question, as far as it was read.

use super::Exchange;
use crate::{
    audit::Query,
    model::operation::Operation,
    query::{
        Question,
        hide::{hidden, hide},
    },
};
use std::sync::Arc;

impl Exchange {
    /// Notes what is asked, once more each time that more of it was read.
    pub(in crate::proxy) fn asked(&mut self, query: Query) {
        self.note(|outcome| outcome.asked = Some(query));
    }

    /// As [`Self::asked`]; the body's text is kept apart until it was [`Self::understood`], its digest counts. What masks hide
    /// is in neither, nor is a body that the operation does not take: no model says what of it a mask would hide.
    pub(in crate::proxy) fn asked_with_body<N: AsRef<str>>(
        &mut self,
        (method, path): (&str, &str),
        query: &[(N, String)],
        body: Option<&[u8]>,
    ) {
        let kept = body.zip(self.governed.as_deref()).and_then(|(body, rule)| match rule.body() {
            Some(_) => hide(rule, body),
            None => Some(hidden()),
        });
        let mut query = Query::new(method, path, query, kept.as_deref().or(body));
        self.body = query.text.as_mut().and_then(|text| text.body.take());
        self.asked(query);
    }

    /// A link asks what would be posted, and stands so in the record; until it was read, with the text of its parameter.
    pub(in crate::proxy) fn asked_by_link<N: AsRef<str>>(
        &mut self,
        line: (&str, &str),
        query: &[(N, String)],
        body: &[u8],
        asks: Arc<Operation>,
    ) {
        self.governed = Some(asks);
        self.asked_with_body(line, query, Some(body));
    }

    /// A run asks what is kept: that is what the record has of it.
    pub(in crate::proxy) fn asks_again(&mut self, question: &Question) {
        let asked = question.as_sent();
        if question.operation.definition.is_some()
            && asked.operation.id != question.operation.id
            && let Some(body) = &asked.body
        {
            let bytes = body.to_bytes();
            let text = self.outcome.as_ref().and_then(|outcome| outcome.asked.as_ref()?.text.clone());
            if let Some(text) = text {
                // what masks hide is the question's to say
                self.governed = Some(asked.operation.clone());
                self.asked_with_body((&text.method, &text.path), &text.query, Some(&bytes));
            }
        }
    }

    /// What was not understood may hold anything, a secret among it. This was.
    pub(in crate::proxy) fn understood(&mut self) {
        let body = self.body.take();
        self.note(|outcome| {
            if let Some(text) = outcome.asked.as_mut().and_then(|asked| asked.text.as_mut()) {
                text.body = body;
            }
        });
    }
}

/// The sentence without the asker's own words. What is quoted first may be the place, which starts with `$`; whatever is
/// quoted after it, or instead, is his.
pub(super) fn without_words(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.splitn(4, '`').collect();
    match parts[..] {
        [before, place, between, _] if place.starts_with('$') => format!("{before}`{place}`{between}…"),
        [_] => sentence.to_owned(),
        [_, place, _] if place.starts_with('$') => sentence.to_owned(),
        [before, ..] => format!("{before}…"),
        [] => String::new(),
    }
}
