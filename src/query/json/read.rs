//! The reader: one pass over text that was checked to be UTF-8, recursion bounded by the depth limit.

use super::Value;
use std::{collections::HashSet, fmt};

/// What a body may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text.
    pub bytes: usize,
    /// Arrays and objects inside each other.
    pub depth: usize,
    /// Values and members in the whole text.
    pub items: usize,
}

/// However a limit is set, the reader never nests deeper: it must not exhaust a stack.
const DEEPEST: usize = 128;
/// From this number of members on, keys are compared by hash.
const MANY: usize = 12;

impl Default for Limits {
    /// For bodies of clients.
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 32, items: 1 << 16 }
    }
}

impl Limits {
    /// For answers of an upstream, whose size is capped elsewhere too.
    pub fn answer(bytes: usize) -> Self {
        Self { bytes, depth: 64, items: bytes }
    }
    /// For a text that this program wrote itself, or that was held against its limits before.
    pub fn own(text: &[u8]) -> Self {
        Self { bytes: text.len(), depth: DEEPEST, items: text.len() }
    }
}

/// Where and why a text is refused, with the repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    TooLong {
        limit: usize,
    },
    TooDeep {
        limit: usize,
    },
    TooMany {
        limit: usize,
    },
    ByteOrderMark,
    NotUtf8,
    Empty,
    NotObject,
    Expected(&'static str),
    Trailing,
    BadNumber,
    HugeNumber,
    BadEscape,
    LoneSurrogate,
    ControlCharacter,
    OpenString,
    NulInKey,
    ReservedKey(Box<str>),
    /// The key as it was written the second time, and whether it differs from the first by case only.
    DuplicateKey {
        key: Box<str>,
        case: bool,
    },
}

impl std::error::Error for JsonError {}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "the text is longer than {limit} bytes; ask for less at once"),
            Self::TooDeep { limit } => write!(f, "nested deeper than {limit} levels; flatten the text"),
            Self::TooMany { limit } => write!(f, "more than {limit} values; ask for less at once"),
            Self::ByteOrderMark => f.write_str("the text begins with a byte order mark; send UTF-8 without one"),
            Self::NotUtf8 => f.write_str("a byte sequence is not UTF-8; send the text as UTF-8"),
            Self::Empty => f.write_str("the text is empty; send one JSON object"),
            Self::NotObject => f.write_str("the text is not an object; send one JSON object"),
            Self::Expected(what) => write!(f, "expected {what} here; correct the text"),
            Self::Trailing => f.write_str("something follows the value; send exactly one value"),
            Self::BadNumber => f.write_str("not a JSON number; write it like `-12.5e3`, without leading zeros"),
            Self::HugeNumber => f.write_str("the number is too large for any reader; send a smaller one"),
            Self::BadEscape => {
                f.write_str("unknown escape in a string; use one of `\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX`")
            }
            Self::LoneSurrogate => f.write_str("half of a surrogate pair; write both halves or the character itself"),
            Self::ControlCharacter => f.write_str("a control character stands bare in a string; escape it"),
            Self::OpenString => f.write_str("the string does not end; close it with `\"`"),
            Self::NulInKey => f.write_str("a key contains NUL; take it out"),
            Self::ReservedKey(key) => write!(f, "the key `{key}` is reserved; rename it"),
            Self::DuplicateKey { key, case: false } => write!(f, "the key `{key}` stands twice; send it once"),
            Self::DuplicateKey { key, case: true } => {
                write!(f, "the key `{key}` differs from an earlier one by case only; send it once")
            }
        }
    }
}

/// Reads one value and nothing after it.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    let fail = |offset: usize, what| Err(place(bytes, offset, what));
    if bytes.len() > limits.bytes {
        return fail(limits.bytes, What::TooLong { limit: limits.bytes });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return fail(0, What::ByteOrderMark);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return fail(error.valid_up_to(), What::NotUtf8),
    };
    let mut reader = Reader { text, bytes, at: 0, depth: 0, items: 0, limits };
    reader.whole().map_err(|what| place(bytes, reader.at, what))
}

/// Reads one object and nothing after it.
pub fn parse_object(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    match parse(bytes, limits)? {
        object @ Value::Object(_) => Ok(object),
        _ => Err(place(bytes, 0, What::NotObject)),
    }
}

fn place(bytes: &[u8], offset: usize, what: What) -> JsonError {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = before.split(|byte| *byte == b'\n').count();
    let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    // continuation bytes of UTF-8 are no characters
    let column = last.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
    JsonError { offset, line, column, what }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    items: usize,
    limits: &'a Limits,
}

type Read<T> = Result<T, What>;

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Read<Value> {
        self.space();
        if self.peek().is_none() {
            return Err(What::Empty);
        }
        let value = self.value()?;
        self.space();
        if self.peek().is_some() { Err(What::Trailing) } else { Ok(value) }
    }

    fn value(&mut self) -> Read<Value> {
        self.items += 1;
        if self.items > self.limits.items {
            return Err(What::TooMany { limit: self.limits.items });
        }
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(What::Expected("a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Value>) -> Read<Value> {
        let limit = self.limits.depth.min(DEEPEST);
        if self.depth >= limit {
            return Err(What::TooDeep { limit });
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.demand(b',', "`,` or `]`")?;
            self.space();
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut members: Vec<(Box<str>, Value)> = Vec::new();
        let mut folded = HashSet::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(What::Expected("a key in double quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            if let Err(what) = check_key(&key, &members, &mut folded) {
                self.at = start;
                return Err(what);
            }
            self.space();
            self.demand(b':', "`:`")?;
            self.space();
            let value = self.value()?;
            members.push((key, value));
            self.space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.demand(b',', "`,` or `}`")?;
            self.space();
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Read<Value> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(What::Expected("a value"))
        }
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut plain = true;
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            plain = false;
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-' | b'_')) {
            return Err(What::BadNumber);
        }
        let text = self.slice(start, self.at);
        // below 300 digits nothing without exponent is out of a double's range
        if (!plain || text.len() > 300) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            self.at = start;
            return Err(What::HugeNumber);
        }
        Ok(Value::Number(text.into()))
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(What::BadNumber) } else { Ok(()) }
    }

    /// Reads a string from its opening quote; without escapes it is copied once, in one piece.
    fn string(&mut self) -> Read<Box<str>> {
        self.at += 1;
        let start = self.at;
        if self.plain()? {
            let text = self.slice(start, self.at);
            self.at += 1;
            return Ok(text.into());
        }
        let mut out = String::from(self.slice(start, self.at));
        loop {
            // stands at a backslash
            self.at += 1;
            out.push(self.escape()?);
            let from = self.at;
            let ended = self.plain()?;
            out.push_str(self.slice(from, self.at));
            if ended {
                self.at += 1;
                return Ok(out.into());
            }
        }
    }

    /// Goes on to the next quote (`true`) or backslash (`false`).
    fn plain(&mut self) -> Read<bool> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
            self.at = self.bytes.len();
            return Err(What::OpenString);
        };
        self.at += length;
        match self.peek() {
            Some(b'"') => Ok(true),
            Some(b'\\') => Ok(false),
            _ => Err(What::ControlCharacter),
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escape = self.peek().ok_or(What::OpenString)?;
        self.at += 1;
        Ok(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(What::BadEscape);
            }
        })
    }

    fn unicode(&mut self) -> Read<char> {
        let first = self.hex4()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or(What::LoneSurrogate);
        }
        if first >= 0xdc00 || !(self.take(b'\\') && self.take(b'u')) {
            return Err(What::LoneSurrogate);
        }
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(What::LoneSurrogate);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(What::LoneSurrogate)
    }

    fn hex4(&mut self) -> Read<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(What::BadEscape)?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn demand(&mut self, byte: u8, what: &'static str) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(What::Expected(what)) }
    }

    /// INVARIANT: both ends stand beside an ASCII byte, so they are character boundaries.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }
}

fn check_key(key: &str, members: &[(Box<str>, Value)], folded: &mut HashSet<String>) -> Read<()> {
    if key.contains('\0') {
        return Err(What::NulInKey);
    }
    if key.starts_with("$serde_json::private::") || key == "__proto__" {
        return Err(What::ReservedKey(shown(key)));
    }
    let double = if members.len() < MANY {
        members.iter().any(|(known, _)| known.eq_ignore_ascii_case(key))
    } else {
        if folded.is_empty() {
            folded.extend(members.iter().map(|(known, _)| known.to_ascii_lowercase()));
        }
        !folded.insert(key.to_ascii_lowercase())
    };
    if double {
        let case = !members.iter().any(|(known, _)| &**known == key);
        return Err(What::DuplicateKey { key: shown(key), case });
    }
    Ok(())
}

/// A key as it may stand in a message.
fn shown(key: &str) -> Box<str> {
    key.chars().take(64).flat_map(char::escape_debug).collect::<String>().into()
}
