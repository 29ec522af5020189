//! How an exchange ends: with an answer, and once with its line in the record.

use super::{Exchange, INTERNAL};
use crate::{
    audit::{NoticeRecord, Unavailable, Verdict},
    model::refusal::{Code, Refusal},
    proxy::{
        leaving::Body,
        respond::{self, Answer},
    },
    server::Panicked,
};
use bytes::Bytes;
use http::{HeaderValue, Response, header};

impl Exchange {
    /// Turns the end of the phases into the answer. The outcome line follows the answer's body.
    pub(in crate::proxy) fn finish(mut self, ended: Result<Result<Answer, Refusal>, Panicked>) -> Response<Body> {
        let answer = match ended {
            Ok(Ok(answer)) => answer,
            Ok(Err(refusal)) => Answer::Refusal(refusal),
            Err(Panicked(why)) => {
                Answer::Refusal(Refusal::new(Code::Internal, INTERNAL).because(format!("panic: {why}")))
            }
        };
        self.enter("respond");
        match &answer {
            Answer::Guarded(guarded, _) => self.guarded(guarded),
            Answer::Refusal(refusal) => self.refused(refusal),
            Answer::Service(_) => self.note(|outcome| outcome.verdict = Verdict::Local),
        }
        let (guarded, refused) = (matches!(answer, Answer::Guarded(..)), matches!(answer, Answer::Refusal(_)));
        let notices: Vec<NoticeRecord> = self.notices.iter().map(NoticeRecord::from).collect();
        let (answer, mut flow) = match answer {
            Answer::Guarded(guarded, flow) => (Answer::from(guarded), flow),
            other => (other, None),
        };
        let (mut head, mut rest) = respond::respond(self.id, answer, &self.notices).into_parts();
        self.note(|outcome| {
            outcome.status = head.status.as_u16();
            outcome.notices = notices;
        });
        self.reader.tell(&mut head.headers);
        if guarded && self.timed {
            let phases = self.outcome.as_ref().map_or(&[][..], |outcome| &outcome.phases);
            head.headers.insert(respond::SERVER_TIMING, respond::times(phases));
        }
        if self.head {
            // How long a longer answer is, only its end would tell.
            if flow.take().is_none() {
                head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(rest.len()));
            }
            rest = Bytes::new();
        }
        if self.unread {
            // The connection ends with this answer; a client that was not told would lose its next question on it.
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if flow.is_none() {
            self.tell_rows();
        }
        if refused {
            // Whoever does not read his refusal keeps no place in the record from those who ask.
            self.note(|outcome| outcome.bytes_out = rest.len() as u64);
            self.write();
        }
        Response::from_parts(head, Body::new(rest, flow, self))
    }

    /// Records how it ended, once.
    fn write(&mut self) {
        self.end_phase();
        let time = self.now();
        let Some(mut outcome) = self.outcome.take() else { return };
        outcome.time = time;
        let reserved = std::mem::replace(&mut self.reserved, Err(Unavailable { why: String::new() }));
        if let Ok(reserved) = reserved {
            reserved.record(outcome);
        } else {
            tracing::error!(decision = %self.id, "a decision ended without its line in the record");
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        if self.outcome.is_some() {
            self.write();
        }
    }
}
