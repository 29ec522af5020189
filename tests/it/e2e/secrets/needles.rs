//! Secrets, the forms in which programs write them down, and the search for them.

use base64::{Engine as _, engine::general_purpose as base64_of};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
};

/// Bytes by which a form is looked up; no form is shorter.
const KEY: usize = 8;

/// What must not be found: each secret in each form.
#[derive(Default)]
pub(super) struct Needles {
    pub(super) secrets: BTreeSet<String>,
    forms: HashMap<u64, Vec<(Vec<u8>, String)>>,
    /// Whether a form can begin so: most places of a text need no further look.
    begins: Vec<bool>,
    pub(super) many: usize,
}

impl Needles {
    pub(super) fn add(&mut self, secret: &str) {
        assert!(secret.len() >= KEY, "`{secret}` is too short to be told from other words");
        if !self.secrets.insert(secret.to_owned()) {
            return;
        }
        for form in forms(secret).into_iter().map(String::into_bytes) {
            let key = u64::from_be_bytes(*form.first_chunk().expect("no form is shorter"));
            self.begins.resize(PLACES, false);
            self.begins[place(key)] = true;
            self.forms.entry(key).or_default().push((form, secret.to_owned()));
            self.many += 1;
        }
    }

    /// A signed token, and its signature alone.
    pub(super) fn add_signed(&mut self, token: &str) {
        self.add(token);
        self.add(token.rsplit('.').next().unwrap());
    }

    /// The secrets that stand in a text, each with the form and the words around it.
    pub(super) fn found(&self, text: &[u8]) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut key = 0;
        for (end, byte) in text.iter().enumerate() {
            key = key << 8 | u64::from(*byte);
            if end + 1 < KEY || !self.begins[place(key)] {
                continue;
            }
            let at = end + 1 - KEY;
            let Some(forms) = self.forms.get(&key) else { continue };
            for (form, secret) in forms.iter().filter(|(form, _)| text[at..].starts_with(form)) {
                let around = &text[at.saturating_sub(160)..text.len().min(at + form.len() + 40)];
                let around = String::from_utf8_lossy(around).into_owned();
                found.entry(secret.clone()).or_insert_with(|| around);
            }
        }
        found
    }
}

const PLACES: usize = 1 << 20;

fn place(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44) as usize
}

/// A secret as programs write things down.
#[expect(clippy::format_collect, reason = "a few letters, written for people to read")]
pub(super) fn forms(secret: &str) -> BTreeSet<String> {
    let bytes = secret.as_bytes();
    let escaped = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let hex: String = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let list = format!("{bytes:?}");
    let quoted = json!(secret).to_string();
    let mut all = BTreeSet::from([
        secret.to_owned(),
        bytes
            .iter()
            .map(
                |byte| {
                    if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02x}") }
                },
            )
            .collect(),
        bytes.iter().map(|byte| format!("%{byte:02X}")).collect(),
        bytes.iter().map(|byte| format!("%{byte:02x}")).collect(),
        bytes.iter().map(|byte| format!("\\u{byte:04x}")).collect(),
        bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect(),
        form_encoded(secret),
        escaped,
        hex.to_uppercase(),
        hex,
        list[1..list.len() - 1].to_owned(),
        quoted[1..quoted.len() - 1].to_owned(),
        secret.escape_default().to_string(),
    ]);
    // wherever it stands in what was encoded, so that pairs of `name:secret` and whole header fields are found too
    for before in 0..3 {
        let within = [&vec![b'x'; before], bytes].concat();
        for engine in [&base64_of::STANDARD_NO_PAD, &base64_of::URL_SAFE_NO_PAD] {
            let code = engine.encode(&within);
            let end = code.len() - usize::from(within.len() % 3 != 0);
            all.insert(code[[0, 2, 3][before]..end].to_owned());
        }
    }
    // something cut short is told as well; what comes first in a signed token is no secret
    if bytes.len() >= 32 && !secret.contains('.') {
        all.extend([secret[..bytes.len() / 2].to_owned(), secret[bytes.len() / 2..].to_owned()]);
    }
    all.retain(|form| form.len() >= KEY);
    all
}

/// As a form of a page has it.
pub(super) fn form_encoded(text: &str) -> String {
    const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');
    utf8_percent_encode(text, FORM).to_string()
}
