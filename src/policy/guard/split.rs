//! Cuts an answer at its rows while it arrives: what stands before them, each row, what stands behind.
//!
//! It only finds the places. Whether each piece is JSON, and the three together are, the strict reader says; a text in
//! which this finds other places than that is refused.

use crate::{
    model::body::Path,
    query::json::{self, Limits, Value},
};

/// A piece of the answer, as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Everything up to and including the `[` of the rows.
    Head(&'a [u8]),
    Row(&'a [u8]),
}

/// Why an answer cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uncut {
    /// A piece is larger than may be held.
    TooLarge,
    /// No comma where one is due, or one too many.
    Commas,
    /// The rows do not end.
    Open,
}

#[derive(Debug)]
pub(super) struct Splitter {
    path: Path,
    /// Largest piece.
    limit: usize,
    stage: Stage,
    /// The piece that is not whole yet.
    held: Vec<u8>,
    /// Arrays and objects that are open, since the start of the head or of the row.
    open: usize,
    text: Text,
}

#[derive(Debug)]
enum Stage {
    Head(Way),
    Rows(Due),
    Tail,
}

/// Where a byte stands with regard to strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escape,
}

/// How far the head has come on the path of the rows.
#[derive(Debug, Default)]
struct Way {
    /// Open objects that lie on the path, the root among them.
    on: usize,
    /// In such an object: where the key that is being read began, or whether the value that follows is the path's own.
    key: Key,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Its place is next.
    #[default]
    Due,
    /// Began here.
    Reading(usize),
    /// Was read; whether it is the path's.
    Read(bool),
    /// The value stands, or some other value does.
    Over,
}

/// What may come next among rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    RowOrEnd,
    Row,
    CommaOrEnd,
    /// A row is being read.
    Rest,
    /// A word or a number is being read: it ends where something else begins.
    Bare,
}

/// An answer whose last byte was read.
#[derive(Debug)]
pub(super) enum Ended {
    /// No list stands where the rows would.
    Whole(Vec<u8>),
    /// What stands behind the `]` of the rows.
    Tail(Vec<u8>),
}

impl Splitter {
    pub(super) fn new(path: Path, limit: usize) -> Self {
        let stage = Stage::Head(Way::default());
        Self { path, limit, stage, held: Vec::new(), open: 0, text: Text::Outside }
    }

    /// Hands out every piece that these bytes complete.
    pub(super) fn feed<E: From<Uncut>>(
        &mut self,
        bytes: &[u8],
        mut piece: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            rest = match self.stage {
                Stage::Tail => {
                    self.hold(rest)?;
                    return Ok(());
                }
                Stage::Head(_) => {
                    self.hold(&[*byte])?;
                    if self.head(*byte) {
                        piece(Piece::Head(&self.held))?;
                        self.begin(Stage::Rows(Due::RowOrEnd));
                    }
                    after
                }
                Stage::Rows(due) => self.rows(due, *byte, rest, &mut piece)?,
            };
        }
        Ok(())
    }

    pub(super) fn end(self) -> Result<Ended, Uncut> {
        match self.stage {
            Stage::Head(_) => Ok(Ended::Whole(self.held)),
            Stage::Rows(_) => Err(Uncut::Open),
            Stage::Tail => Ok(Ended::Tail(self.held)),
        }
    }

    fn begin(&mut self, stage: Stage) {
        self.stage = stage;
        self.held.clear();
        (self.open, self.text) = (0, Text::Outside);
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Uncut> {
        if bytes.len() > self.limit.saturating_sub(self.held.len()) {
            return Err(Uncut::TooLarge);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// One byte of the head; whether the rows begin with it.
    fn head(&mut self, byte: u8) -> bool {
        let Stage::Head(way) = &mut self.stage else { return false };
        let on_path = way.on == self.open;
        if self.text != Text::Outside {
            self.text = self.text.after(byte);
            if self.text == Text::Outside
                && on_path
                && let Key::Reading(from) = way.key
            {
                let wanted = self.path.get(way.on.saturating_sub(1));
                way.key = Key::Read(
                    wanted.is_some() && decoded(self.held.get(from..)).as_deref() == wanted.map(|key| &**key),
                );
            }
            return false;
        }
        match byte {
            b'"' => {
                self.text = Text::Inside;
                if on_path {
                    way.key = match way.key {
                        Key::Due if way.on > 0 => Key::Reading(self.held.len() - 1),
                        _ => Key::Over,
                    };
                }
            }
            b'{' | b'[' => {
                let last = way.on == self.path.len() && (way.on == 0 || way.key == Key::Read(true));
                if on_path && byte == b'[' && last {
                    return true;
                }
                let further = if way.on == 0 { self.open == 0 } else { way.key == Key::Read(true) };
                self.open += 1;
                if on_path {
                    if byte == b'{' && further && way.on < self.path.len() {
                        *way = Way { on: way.on + 1, key: Key::Due };
                    } else {
                        way.key = Key::Over;
                    }
                }
            }
            b'}' | b']' => {
                self.open = self.open.saturating_sub(1);
                // an object of the path that ended without the rows is not entered again: its key cannot stand twice
                if way.on > self.open {
                    *way = Way { on: self.open, key: Key::Over };
                }
            }
            b',' if on_path => way.key = Key::Due,
            b':' | b' ' | b'\t' | b'\n' | b'\r' | b',' => {}
            _ if on_path => way.key = Key::Over,
            _ => {}
        }
        false
    }

    /// One byte among rows; gives what is left to read.
    fn rows<'b, E: From<Uncut>>(
        &mut self,
        due: Due,
        byte: u8,
        rest: &'b [u8],
        piece: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<&'b [u8], E> {
        let after = rest.get(1..).unwrap_or_default();
        match due {
            Due::Rest => {
                let (many, whole) = self.row(rest);
                self.hold(rest.get(..many).unwrap_or_default())?;
                if whole {
                    piece(Piece::Row(&self.held))?;
                    self.begin(Stage::Rows(Due::CommaOrEnd));
                }
                Ok(rest.get(many..).unwrap_or_default())
            }
            Due::Bare if !matches!(byte, b',' | b']' | b' ' | b'\t' | b'\n' | b'\r') => {
                self.hold(&[byte])?;
                Ok(after)
            }
            Due::Bare => {
                piece(Piece::Row(&self.held))?;
                self.begin(Stage::Rows(Due::CommaOrEnd));
                Ok(rest)
            }
            _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => Ok(after),
            Due::RowOrEnd | Due::CommaOrEnd if byte == b']' => {
                self.begin(Stage::Tail);
                Ok(after)
            }
            Due::CommaOrEnd if byte == b',' => {
                self.stage = Stage::Rows(Due::Row);
                Ok(after)
            }
            Due::RowOrEnd | Due::Row if !matches!(byte, b',' | b']') => {
                let next = if matches!(byte, b'{' | b'[' | b'"') { Due::Rest } else { Due::Bare };
                self.stage = Stage::Rows(next);
                Ok(rest)
            }
            _ => Err(Uncut::Commas.into()),
        }
    }

    /// How many of these bytes belong to the row, and whether it is whole with them.
    fn row(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (place, byte) in bytes.iter().enumerate() {
            if self.text == Text::Outside {
                match byte {
                    b'"' => self.text = Text::Inside,
                    b'{' | b'[' => self.open += 1,
                    b'}' | b']' => self.open = self.open.saturating_sub(1),
                    _ => {}
                }
            } else {
                self.text = self.text.after(*byte);
            }
            if self.open == 0 && self.text == Text::Outside {
                return (place + 1, true);
            }
        }
        (bytes.len(), false)
    }
}

impl Text {
    /// Inside a string.
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Escape, _) => Self::Inside,
            (_, b'\\') => Self::Escape,
            (_, b'"') => Self::Outside,
            _ => Self::Inside,
        }
    }
}

/// A key as every reader understands it; one that cannot be read is none, and is refused with the whole head.
fn decoded(key: Option<&[u8]>) -> Option<Box<str>> {
    match json::parse(key?, &Limits::answer(key?.len())) {
        Ok(Value::Text(key)) => Some(key),
        _ => None,
    }
}
