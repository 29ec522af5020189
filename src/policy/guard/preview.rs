//! A preview of a recording: where its file lies, for this program alone, and how it begins, for the asker.

use super::{Content, GuardPlan, Guarded, Unguarded, fields, gone, part::of_others, unreadable, wav};
use crate::{
    model::{
        entitlement::Action,
        refusal::{Code, Notice, Refusal},
    },
    query::json::{self, Limits, Value},
};

/// What the answer about a recording says of its file. The link is never shown to anybody.
#[derive(Debug)]
pub enum File {
    At(String),
    /// The upstream is still making it: this is the answer.
    Pending(Guarded),
}

impl GuardPlan {
    /// Judges what is answered about a recording of which a preview is asked for.
    pub fn file(&self, unguarded: &Unguarded) -> Result<File, Refusal> {
        if unguarded.status == 202 {
            return Ok(File::Pending(Self::pending(b"{}")));
        }
        if self.preview.is_none() || unguarded.status != 200 {
            return Err(unreadable(format!("status {} shows no file of a recording", unguarded.status)));
        }
        let limits = Limits::answer(self.operation.answer.max_bytes);
        let answer = json::parse_object(&unguarded.body, &limits)
            .map_err(|error| unreadable(format!("not the JSON of a recording: {error}")))?;
        if !(self.is_asked(&answer) && self.is_of(&answer)) {
            return Err(gone("what came back is not what was asked for"));
        }
        if self.reaches_further(&answer) {
            return Err(of_others());
        }
        let mut links = Vec::new();
        for (at, _) in self.operation.answer.links.iter().filter(|(_, action)| **action == Action::Playback) {
            find(&answer, &at.split('.').collect::<Vec<_>>(), &mut links);
        }
        let link = links.into_iter().next().ok_or_else(|| {
            Refusal::new(Code::PreviewFormat, "nothing of this recording is sound that could be played")
        })?;
        let known = fields::origin(link).is_some_and(|origin| self.media.iter().any(|known| **known == *origin));
        if !known {
            let says = "the file lies where this proxy was not told to fetch files from; ask the operator to list the host in \
                        `media-hosts`";
            let origin = fields::origin(link).unwrap_or("what is no link");
            return Err(Refusal::new(Code::PreviewHost, says).because(format!("the file lies at {origin}")));
        }
        Ok(File::At(link.to_owned()))
    }

    /// The beginning of the file.
    pub fn preview(&self, file: &Unguarded) -> Result<Guarded, Refusal> {
        let seconds = self.preview.filter(|_| file.status == 200);
        let seconds = seconds.ok_or_else(|| unreadable(format!("status {} is no file", file.status)))?;
        let cut = wav::cut(&file.body, seconds).map_err(|why| {
            let says = "only a WAV file of plain PCM can be cut to a preview, and this recording is none";
            Refusal::new(Code::PreviewFormat, says).because(why)
        })?;
        let notices =
            vec![Notice::new("preview", format!("the first {seconds} seconds at most; nothing else of it is yours"))];
        Ok(Guarded { content: Content::Wav, rows_in: 1, rows_out: 1, ..Guarded::plain(200, cut, notices) })
    }
}

/// The texts at a place of an answer, lists and maps walked in their order.
fn find<'v>(value: &'v Value, at: &[&str], out: &mut Vec<&'v str>) {
    match (value, at.split_first()) {
        (Value::Array(items), _) => {
            for item in items {
                find(item, at, out);
            }
        }
        (Value::Object(members), Some((&"*", rest))) => {
            for (_, member) in members {
                find(member, rest, out);
            }
        }
        (value, Some((name, rest))) => {
            if let Some(member) = value.get(name) {
                find(member, rest, out);
            }
        }
        (value, None) => out.extend(value.as_str()),
    }
}
