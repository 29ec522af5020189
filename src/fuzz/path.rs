//! Paths: one reading, which is what others make of the same text, and one spelling.

use crate::proxy::fuzzed::segments;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// As the upstream gets them.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is taken for a path has segments that can be read in one way, and is read again from how it would be sent.
pub fn path(bytes: &[u8]) {
    let Ok(raw) = std::str::from_utf8(bytes) else { return };
    let Some(segments) = segments(raw) else { return };
    for segment in &segments {
        assert!(!segment.is_empty() && segment != "." && segment != "..", "{segments:?}");
        let odd = |letter: char| "/\\;?#%".contains(letter) || letter.is_control();
        assert!(!segment.contains(odd), "{segments:?}");
    }
    let decoded = percent_decode_str(raw).decode_utf8();
    assert_eq!(decoded.ok().as_deref(), Some(&*format!("/{}", segments.join("/"))));
    let sent: Vec<String> = segments.iter().map(|one| utf8_percent_encode(one, SEGMENT).to_string()).collect();
    assert_eq!(crate::proxy::fuzzed::segments(&format!("/{}", sent.join("/"))), Some(segments), "sent and read again");
}
