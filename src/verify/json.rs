//! Reads the canonical spelling that leaves this program, and nothing else: no white space, no duplicate key
//! (by case either), only the escapes that the writer makes. Anything looser is refused, so there is no text
//! that this reader and the upstream could take apart differently.

use std::borrow::Cow;

const DEEPEST: usize = 48;
/// From this number of members on, keys are compared by hash.
const MANY: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl Json<'_> {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn at<K: AsRef<str>>(&self, path: &[K]) -> Option<&Self> {
        path.iter().try_fold(self, |here, key| here.get(key.as_ref()))
    }
}

/// The whole text as one value, or what is wrong and at which byte.
pub(super) fn read(bytes: &[u8]) -> Result<Json<'_>, (usize, &'static str)> {
    let text = std::str::from_utf8(bytes).map_err(|error| (error.valid_up_to(), "not UTF-8"))?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEEPEST).map_err(|why| (reader.at, why))?;
    if reader.at == bytes.len() { Ok(value) } else { Err((reader.at, "something follows the value")) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    fn value(&mut self, deeper: usize) -> Read<Json<'a>> {
        match self.peek() {
            Some(b'{') => self.object(deeper.checked_sub(1).ok_or("nested too deep")?),
            Some(b'[') => self.array(deeper.checked_sub(1).ok_or("nested too deep")?),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
                .into_iter()
                .find(|(word, _)| self.rest().starts_with(word))
                .map(|(word, value)| {
                    self.at += word.len();
                    value
                })
                .ok_or("no value"),
        }
    }

    fn array(&mut self, deeper: usize) -> Read<Json<'a>> {
        let mut items = Vec::new();
        self.at += 1;
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(deeper)?);
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            self.demand(b',')?;
        }
    }

    fn object(&mut self, deeper: usize) -> Read<Json<'a>> {
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        let mut folded = std::collections::HashSet::new();
        self.at += 1;
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            let key = self.string()?;
            let twice = if members.len() < MANY {
                members.iter().any(|(known, _)| known.eq_ignore_ascii_case(&key))
            } else {
                if folded.is_empty() {
                    folded.extend(members.iter().map(|(known, _)| known.to_ascii_lowercase()));
                }
                !folded.insert(key.to_ascii_lowercase())
            };
            if twice {
                return Err("a key stands twice");
            }
            if key.contains('\0') {
                return Err("NUL in a key");
            }
            self.demand(b':')?;
            members.push((key, self.value(deeper)?));
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            self.demand(b',')?;
        }
    }

    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.demand(b'"')?;
        let mut out = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let stop = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).ok_or("open string")?;
            let plain = rest.get(..stop).ok_or("cut character")?;
            if out.is_empty() {
                out = Cow::Borrowed(plain);
            } else {
                out.to_mut().push_str(plain);
            }
            self.at += stop + 1;
            match rest.as_bytes().get(stop) {
                Some(b'"') => return Ok(out),
                Some(b'\\') => out.to_mut().push(self.escape()?),
                _ => return Err("bare control character"),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escape = self.peek().ok_or("open string")?;
        self.at += 1;
        Ok(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let digits = self.rest().get(..4).filter(|digits| canonical(digits)).ok_or("strange escape")?;
                self.at += 4;
                let code = u8::from_str_radix(digits, 16).map_err(|_| "strange escape")?;
                // these have shorter spellings
                if code >= 0x20 || matches!(code, 0x08 | b'\t' | b'\n' | 0x0c | b'\r') {
                    return Err("strange escape");
                }
                char::from(code)
            }
            _ => return Err("strange escape"),
        })
    }

    fn number(&mut self) -> Read<Json<'a>> {
        let rest = self.rest();
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let length = rest.len() - self.rest().len();
        let text = rest.get(..length).ok_or("no number")?;
        // what no double holds, others would round in ways of their own
        if text.parse::<f64>().is_ok_and(f64::is_finite) { Ok(Json::Number(text)) } else { Err("no double") }
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err("no number") } else { Ok(()) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn demand(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err("not the canonical spelling") }
    }
}

/// Of an escaped control character: two zeros and two digits in small letters.
fn canonical(digits: &str) -> bool {
    digits.starts_with("00") && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
