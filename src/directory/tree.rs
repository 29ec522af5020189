//! JSON with the place of every value: for messages, and for what a typed reader does not notice.
//!
//! It only walks text that `serde_json` has already found well-formed, one list item at a time, so a large
//! organisation never stands in memory as a tree.

use std::{borrow::Cow, ops::Range};

#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) span: Range<usize>,
    pub(super) value: Value<'a>,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool,
    Number,
    Text(Cow<'a, str>),
    /// A string that is no Unicode text, such as one with half a surrogate pair.
    Broken,
    List(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) key_span: Range<usize>,
    pub(super) node: Node<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn members(&self) -> &[Member<'a>] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn member(&self, keys: &[&str]) -> Option<&Node<'a>> {
        self.members().iter().find(|member| keys.contains(&member.key.as_ref())).map(|member| &member.node)
    }

    /// The member of this name, for formats whose names have no case.
    pub(super) fn named(&self, key: &str) -> Option<&Node<'a>> {
        self.members().iter().find(|member| member.key.eq_ignore_ascii_case(key)).map(|member| &member.node)
    }
}

/// No payload nests deeper; the walk is recursive and must not exhaust the stack.
const DEEPEST: usize = 32;

/// Walks well-formed JSON. On anything else, and on endless nesting, it ends early, without a panic.
#[derive(Debug, Clone)]
pub(super) struct Walk<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn from(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0 }
    }

    /// The next byte that is no white space, without taking it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Takes the byte when it comes next.
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// A string: its span with the quotes, and its text.
    pub(super) fn string(&mut self) -> Option<(Range<usize>, Option<Cow<'a, str>>)> {
        self.peek()?;
        let start = self.at;
        let mut plain = true;
        self.at += 1;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let span = start..self.at;
        let text = if plain {
            self.text.get(start + 1..self.at - 1).map(Cow::Borrowed)
        } else {
            self.text.get(span.clone()).and_then(|quoted| serde_json::from_str::<String>(quoted).ok()).map(Cow::Owned)
        };
        Some((span, text))
    }

    /// The next key of an object and the colon after it.
    pub(super) fn key(&mut self) -> Option<(Range<usize>, Cow<'a, str>)> {
        let (span, text) = self.string()?;
        self.take(b':');
        // A key that is no text equals no known key and is refused as unknown.
        Some((span, text.unwrap_or(Cow::Borrowed("\u{fffd}"))))
    }

    /// The next value, unless it nests too deeply.
    pub(super) fn node(&mut self) -> Option<Node<'a>> {
        self.depth += 1;
        let node = if self.depth > DEEPEST { None } else { self.value() };
        self.depth -= 1;
        node
    }

    fn value(&mut self) -> Option<Node<'a>> {
        let first = self.peek()?;
        let start = self.at;
        let value = match first {
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                while !self.take(b'}') {
                    let (key_span, key) = self.key()?;
                    members.push(Member { key, key_span, node: self.node()? });
                    self.take(b',');
                }
                Value::Object(members)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.take(b']') {
                    items.push(self.node()?);
                    self.take(b',');
                }
                Value::List(items)
            }
            b'"' => self.string()?.1.map_or(Value::Broken, Value::Text),
            b't' | b'f' => self.word(Value::Bool),
            b'n' => self.word(Value::Null),
            _ => self.word(Value::Number),
        };
        Some(Node { span: start..self.at, value })
    }

    fn word(&mut self, value: Value<'a>) -> Value<'a> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
        // At least one byte: the walk always gets on.
        self.at += rest.iter().position(ends).unwrap_or(rest.len()).max(1);
        value
    }
}
