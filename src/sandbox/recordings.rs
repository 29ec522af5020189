//! Recordings: one of every conversation, each with a file. Files are real and small: twenty seconds of PCM that code makes,
//! in WAV with a note beside the sound; of every fifth conversation something that is no WAV,
//! and of every seventh a recording that is of a further one, too.

use super::{conversation, interval::show, problem::Problem, sql::Sql, store::Store, traits::Traits};
use crate::base::hash;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

/// Where files lie. Whoever has the signature gets the file: no token is asked for.
const FILES: &str = "/files/";
const RATE: u32 = 8_000;
const SECONDS: u32 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    List,
    One,
}

impl Part {
    /// The part that stands at a path, with the path itself.
    pub(super) fn of(path: &str) -> Option<Self> {
        match ids(path)? {
            (_, None) => Some(Self::List),
            (_, Some(_)) => Some(Self::One),
        }
    }
}

/// The conversation, and the recording.
fn ids(path: &str) -> Option<(&str, Option<&str>)> {
    let (conversation, rest) = path.strip_prefix("/api/v2/conversations/")?.split_once('/')?;
    let whole = |id: &&str| !id.is_empty() && !id.contains('/');
    match rest.strip_prefix("recordings")? {
        "" => Some((conversation, None)),
        rest => Some((conversation, Some(rest.strip_prefix('/').filter(whole)?))),
    }
}

/// What is answered at such a path. `files`: scheme and host of where files lie; `traits`: whether a recording is found
/// below its own interaction alone, and whether each is of one.
pub(super) fn read(store: &Store, path: &str, files: &str, traits: Traits) -> Result<Value, Problem> {
    let tied = traits.part_of_its_interaction;
    let (conversation, recording) = ids(path).ok_or_else(Problem::not_found)?;
    let named = recording.and_then(|id| id.strip_prefix("rec-")?.parse::<i64>().ok()).filter(|_| !tied);
    let found = match named {
        Some(number) => {
            Sql::with("SELECT n, start, end, id FROM conversations WHERE n = ?", vec![Cell::Integer(number)])
        }
        None => Sql::with(
            "SELECT n, start, end, id FROM conversations WHERE id = ?",
            vec![Cell::Text(conversation.to_owned())],
        ),
    };
    let found = store.rows(&found, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let (number, start, end, conversation): (_, _, _, String) =
        found.into_iter().next().ok_or_else(Problem::not_found)?;
    let conversation = conversation.as_str();
    let whole = conversation::whole(store, conversation)?.ok_or_else(Problem::not_found)?;
    let further = (number % 7 == 0 && !traits.recording_of_one).then_some("c-further");
    let of: Vec<&str> = std::iter::once(conversation).chain(further).collect();
    let one = json!({
        "id": format!("rec-{number}"), "name": "Call", "conversationId": conversation, "path": "/files/of/the/upstream",
        "startTime": show(start), "endTime": show(end), "media": "audio", "mediaSubtype": "Trunk", "mediaSubject": "Acd",
        "fileState": "AVAILABLE", "outputDurationMs": SECONDS * 1_000, "sessionId": format!("s-{number}"),
        "mediaUris": { "0": { "mediaUri": format!("{files}{}", target(&store.region, number)), "waveformData": [0.25, 0.5] } },
        "users": whole.pointer("/participants/0/userId"), "selfUri": path,
        "associatedConversationIds": of,
    });
    match recording {
        None => Ok(json!([one])),
        Some(id) if id == format!("rec-{number}") => Ok(one),
        Some(_) => Err(Problem::not_found()),
    }
}

/// The recording of an interaction, and where its file lies; `None`: it has none of this id.
pub(super) fn link(
    store: &Store,
    conversation: &str,
    recording: Option<&str>,
    files: &str,
    tied: bool,
) -> Result<Option<(String, String)>, Problem> {
    let number = Sql::with("SELECT n FROM conversations WHERE id = ?", vec![Cell::Text(conversation.to_owned())]);
    let Some(own) = store.rows(&number, |row| row.get::<_, i64>(0))?.into_iter().next() else { return Ok(None) };
    let named = recording.and_then(|id| id.strip_prefix("rec-")?.parse::<i64>().ok());
    Ok(match (recording, named) {
        (None, _) => Some(own),
        (Some(_), named) => named.filter(|named| !tied || *named == own),
    }
    .map(|number| (format!("rec-{number}"), format!("{files}{}", target(&store.region, number)))))
}

fn target(region: &str, number: i64) -> String {
    format!("{FILES}{number}.wav?signature={}", signature(region, number))
}

fn signature(region: &str, number: i64) -> String {
    hash::short(format!("file {number} of {region}").as_bytes())
}

/// The file at a target; `None`: no file lies there, or the signature is not its own.
pub(super) fn file(region: &str, target: &str) -> Option<Vec<u8>> {
    let (name, query) = target.strip_prefix(FILES)?.split_once('?')?;
    let number = name.strip_suffix(".wav")?.parse().ok()?;
    let signed = query.strip_prefix("signature=")? == signature(region, number);
    signed.then(|| if number % 5 == 0 { ogg(number) } else { wav(number) })
}

/// Whether files lie there at all.
pub(super) fn is_file(path: &str) -> bool {
    path.starts_with(FILES)
}

fn ogg(number: i64) -> Vec<u8> {
    let mut file = b"OggS\0\x02".to_vec();
    file.extend(samples(number).take(4_000).flat_map(i16::to_le_bytes));
    file
}

fn wav(number: i64) -> Vec<u8> {
    let sound: Vec<u8> = samples(number).flat_map(i16::to_le_bytes).collect();
    let note = format!("INFOrecording {number} of a customer, private");
    let mut parts = b"WAVEfmt ".to_vec();
    parts.extend(16u32.to_le_bytes());
    for field in [1u16, 1] {
        parts.extend(field.to_le_bytes());
    }
    for field in [RATE, RATE * 2] {
        parts.extend(field.to_le_bytes());
    }
    for field in [2u16, 16] {
        parts.extend(field.to_le_bytes());
    }
    for (name, content) in [(b"LIST", note.as_bytes()), (b"data", &sound), (b"LIST", note.as_bytes())] {
        parts.extend(name);
        parts.extend(u32::try_from(content.len()).unwrap_or_default().to_le_bytes());
        parts.extend(content);
        parts.extend((content.len() % 2 == 1).then_some(0));
    }
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(parts.len()).unwrap_or_default().to_le_bytes());
    file.extend(parts);
    file
}

/// Different for every recording, and at every place of one.
fn samples(number: i64) -> impl Iterator<Item = i16> {
    let mut state = number.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..RATE * SECONDS).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [low, high, ..] = state.to_le_bytes();
        i16::from_le_bytes([low, high])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_given_for_its_own_signature_alone() {
        let own = target("us", 7);
        assert!(file("us", &own).unwrap().starts_with(b"RIFF"));
        assert!(file("us", &target("us", 5)).unwrap().starts_with(b"OggS"));
        assert_eq!(file("eu", &own), None);
        assert_eq!(file("us", &own.replace("/7.", "/8.")), None);
        assert_ne!(wav(7), wav(8));
        assert_eq!(ids("/api/v2/conversations/c/recordings/r/x"), None);
    }
}
