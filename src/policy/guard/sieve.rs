//! Judges an answer with rows while it arrives: of an answer of any size, no more is held than one row and what stands
//! around the rows.

use super::{
    GuardPlan, Guarded, Raw,
    fields::{self, Links},
    job, json_path, legs, rows, scan,
    split::{Ended, Piece, Splitter, Uncut},
    unreadable,
};
use crate::{
    model::{
        answer::{Shape, TotalTreatment},
        operation::JobPart,
        refusal::{Code, Notice, Refusal},
    },
    query::json::{self, Limits, Value},
};
use std::collections::BTreeSet;

/// How many rows came, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rows {
    pub received: u64,
    pub shown: u64,
    /// Rows that nothing in the question explains.
    pub foreign: u64,
}

/// One answer with rows, on its way.
#[derive(Debug)]
pub struct Sieve {
    splitter: Splitter,
    work: Work,
}

/// How many there are is the administrator's to know.
pub(super) fn notices(rows: Rows) -> Vec<Notice> {
    if rows.foreign == 0 {
        return Vec::new();
    }
    vec![Notice::new("answer.foreign-rows", "rows that are not yours were taken out of the answer")]
}

/// All but the cutting.
#[derive(Debug)]
struct Work {
    plan: GuardPlan,
    /// The level of a row's fields in the list of those that pass.
    level: String,
    /// Judged, and not taken yet.
    out: Vec<u8>,
    rows: Rows,
    /// Ids of rows that came.
    seen: BTreeSet<String>,
    keys: rows::Keys,
    /// The names on the way to the rows, outermost first, of which each may stand once in head and tail together.
    names: Vec<Vec<Box<str>>>,
    /// Where the results of a job go on.
    cursor: Option<Box<str>>,
}

impl Sieve {
    /// `limit`: the largest row, and the largest text around the rows.
    pub(super) fn new(plan: GuardPlan, limit: usize) -> Self {
        let limit = limit.min(plan.operation.answer.max_bytes);
        let splitter = Splitter::new(plan.operation.answer.rows.clone(), limit);
        let work = Work {
            level: plan.operation.answer.rows.join("."),
            plan,
            out: Vec::new(),
            rows: Rows::default(),
            seen: BTreeSet::new(),
            keys: rows::Keys::default(),
            names: Vec::new(),
            cursor: None,
        };
        Self { splitter, work }
    }

    /// Judges what these bytes complete.
    pub fn push(&mut self, raw: &Raw) -> Result<(), Refusal> {
        self.bytes(&raw.0)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let work = &mut self.work;
        self.splitter.feed(bytes, |piece| match piece {
            Piece::Head(text) => work.head(text),
            Piece::Row(text) => work.row(text),
        })
    }

    /// The last byte has come.
    pub fn end(&mut self) -> Result<(), Refusal> {
        let nothing = Splitter::new(Vec::new(), 0);
        match std::mem::replace(&mut self.splitter, nothing).end()? {
            Ended::Whole(text) => self.work.whole(&text),
            Ended::Tail(text) => self.work.tail(&text),
        }
    }

    /// Judged bytes that nobody took yet.
    pub fn held(&self) -> usize {
        self.work.out.len()
    }

    pub fn rows(&self) -> Rows {
        self.work.rows
    }

    /// Takes the judged bytes; the rest follows as [`Sieve::take`] gives it.
    pub fn guarded(&mut self) -> Guarded {
        let Rows { received, shown, foreign } = self.work.rows;
        Guarded {
            rows_in: received,
            rows_out: shown,
            rows_foreign: foreign,
            cursor: self.work.cursor.take(),
            ..Guarded::plain(200, self.take(), notices(self.work.rows))
        }
    }

    /// The judged bytes since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.work.out)
    }
}

impl Work {
    fn path(&self) -> &[Box<str>] {
        &self.plan.operation.answer.rows
    }

    fn read(&self, text: &[u8]) -> Result<Value, Refusal> {
        let limits = Limits::answer(self.plan.operation.answer.max_bytes.saturating_add(text.len()));
        json::parse(text, &limits).map_err(|error| unreadable(format!("not the JSON of an answer: {error}")))
    }

    /// What stands before the rows, up to their `[`.
    fn head(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let closing = format!("]{}", "}".repeat(self.path().len()));
        let mut head = self.read(&[text, closing.as_bytes()].concat())?;
        self.names = self.names_on_the_way(&head, true)?;
        self.trim(&mut head);
        let shown = head.to_bytes();
        let before = shown.strip_suffix(closing.as_bytes()).ok_or_else(unlisted)?;
        self.out.extend_from_slice(before);
        Ok(())
    }

    fn row(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let row = self.read(text)?;
        self.rows.received += 1;
        if let Some(most) = self.plan.operation.scan.as_ref().map(|scan| scan.most)
            && self.rows.received > most as u64
        {
            return Err(scan::too_long(most));
        }
        let Some(row) = self.judge(row) else { return Ok(()) };
        if self.rows.shown > 0 {
            self.out.push(b',');
        }
        self.rows.shown += 1;
        let row = fields::keep_below(&self.plan.operation.answer.keep, &self.level, row);
        json::write(&row, &mut self.out);
        Ok(())
    }

    fn judge(&mut self, row: Value) -> Option<Value> {
        let plan = &self.plan;
        if rows::is_left_out(plan, &row) {
            return None;
        }
        let judged = match plan.operation.answer.shape {
            Shape::Conversations if !legs::is_asked(plan, &row, &mut self.seen) => None,
            Shape::Conversations => match legs::judge(plan, &row) {
                // dropped quietly
                None if legs::is_explained(plan, &row) => return None,
                judged => judged,
            },
            Shape::Entities => rows::entity(plan, row, &mut self.seen),
            Shape::Owned => rows::owned(plan, row),
            Shape::Groups | Shape::Rows => rows::group(plan, row, &mut self.keys),
            Shape::Conversation | Shape::Entity | Shape::Bound | Shape::Documents | Shape::Plain => None,
        };
        // Where nothing of the scope could be sent, rows of others are the rule: they say nothing of the upstream, and must
        // say nothing to the asker.
        if judged.is_none() && plan.operation.scan.is_none() {
            self.rows.foreign += 1;
        }
        judged
    }

    /// What stands behind the `]` of the rows.
    fn tail(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let mut opening = Vec::new();
        for name in self.path() {
            opening.push(b'{');
            json::write_text(name, &mut opening);
            opening.push(b':');
        }
        opening.push(b'[');
        let mut tail = self.read(&[&opening, b"]".as_slice(), text].concat())?;
        let names = self.names_on_the_way(&tail, false)?;
        for (before, behind) in self.names.iter().zip(&names) {
            if behind.iter().any(|name| before.iter().any(|known| known.eq_ignore_ascii_case(name))) {
                return Err(unreadable(
                    "not the JSON of an answer: a key stands before the rows and behind them".to_owned(),
                ));
            }
        }
        self.trim(&mut tail);
        let shown = tail.to_bytes();
        self.out.extend_from_slice(shown.strip_prefix(&*opening).ok_or_else(unlisted)?);
        Ok(())
    }

    /// An answer in which no list stands where the rows would.
    fn whole(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let mut answer = self.read(text)?;
        let path = self.path();
        if !path.is_empty() && !matches!(answer, Value::Object(_)) {
            return Err(unreadable("the JSON of an answer is an object".to_owned()));
        }
        // The upstream leaves the list out when it is empty; something else in its place was not judged.
        let objects = (0..path.len()).map(|length| path.get(..length).and_then(|at| answer.at(at)));
        let odd = objects.flatten().any(|here| !matches!(here, Value::Object(_))) || answer.at(path).is_some();
        if odd {
            return Err(unreadable(format!("`{}` is not a list", json_path(path))));
        }
        self.trim(&mut answer);
        self.out = answer.to_bytes();
        Ok(())
    }

    /// Names of each object on the way to the rows, but for the way itself, which has to end (or begin) each of them.
    fn names_on_the_way(&self, around: &Value, at_end: bool) -> Result<Vec<Vec<Box<str>>>, Refusal> {
        let misplaced = || unreadable("the rows are not where they were found".to_owned());
        let (mut here, mut all) = (around, Vec::new());
        for name in self.path() {
            let members = here.as_object().ok_or_else(misplaced)?;
            let split = if at_end { members.split_last() } else { members.split_first() };
            let ((_, value), others) = split.filter(|((key, _), _)| key == name).ok_or_else(misplaced)?;
            all.push(others.iter().map(|(other, _)| other.clone()).collect());
            here = value;
        }
        if here.as_array().is_some_and(<[Value]>::is_empty) { Ok(all) } else { Err(misplaced()) }
    }

    /// The fields that may pass, with totals that speak of visible rows alone.
    fn trim(&mut self, around: &mut Value) {
        let operation = &self.plan.operation;
        let taken = std::mem::replace(around, Value::Null);
        // nobody judges what stands around the rows: no object passes there that no level lists
        *around = fields::keep_listed(&operation.answer.keep, &Links::none(), taken);
        self.plan.settle_totals(around);
        if let Some(JobPart::Submit(answers)) = &operation.job
            && let Some(cursor) = job::cursor(around, &answers.cursor)
        {
            self.cursor = Some(cursor);
        }
    }
}

impl GuardPlan {
    /// To judge an answer while it arrives; the plan again where an answer has to be whole before it can be judged.
    /// Nothing larger than `limit` is held.
    pub fn sieve(self, status: u16, limit: usize) -> Result<Result<Sieve, Box<Self>>, Refusal> {
        // what becomes known of a job is kept before anybody learns it
        if self.operation.job.is_some() || !self.has_rows() || self.cut_from_several() {
            return Ok(Err(Box::new(self)));
        }
        super::is_answer(status)?;
        Ok(Ok(Sieve::new(self, limit)))
    }

    /// A page of a list that is read from its beginning is cut when enough of it is there.
    fn cut_from_several(&self) -> bool {
        self.operation.scan.as_ref().is_some_and(|scan| scan.walk.is_some())
    }

    pub(super) fn has_rows(&self) -> bool {
        match self.operation.answer.shape {
            Shape::Groups | Shape::Rows | Shape::Owned | Shape::Entities | Shape::Conversations => true,
            // what documents leave of totals and numbers is known when the last of them was judged
            // a page of one's own is cut when all are there
            Shape::Conversation | Shape::Entity | Shape::Bound | Shape::Documents | Shape::Plain => false,
        }
    }

    /// Totals speak of visible rows or are taken out.
    fn settle_totals(&self, answer: &mut Value) {
        for total in &self.operation.answer.totals {
            let number = match (total.treatment, self.page) {
                (TotalTreatment::Visible, Some(page)) => Some(page.total),
                (TotalTreatment::Pages, Some(page)) => Some(page.pages()),
                _ => None,
            };
            if answer.at(&total.at).is_none() {
                continue;
            }
            match number.and_then(|number| i64::try_from(number).ok()) {
                Some(number) => {
                    answer.set_at(&total.at, Value::int(number));
                }
                None => fields::remove(answer, &total.at),
            }
        }
        let paged = self.operation.page.as_ref().and_then(|page| page.paged.as_ref());
        if let (Some(page), Some(paged)) = (self.page, paged) {
            for (name, number) in [(&paged.number, page.number), (&paged.size, page.size)] {
                if answer.get(name).is_some()
                    && let Ok(number) = i64::try_from(number)
                {
                    answer.set(name, Value::int(number));
                }
            }
        }
    }
}

impl From<Uncut> for Refusal {
    fn from(uncut: Uncut) -> Self {
        let cause = match uncut {
            Uncut::TooLarge => {
                let says = "a row of the answer is larger than this proxy may hold; ask for less at once";
                return Self::new(Code::AnswerTooLarge, says);
            }
            Uncut::Commas => "not the JSON of an answer: a comma is missing among the rows, or one too many",
            Uncut::Open => "not the JSON of an answer: the rows do not end",
        };
        unreadable(cause.to_owned())
    }
}

/// A rule that does not list its rows is not loaded.
fn unlisted() -> Refusal {
    unreadable("the rows stand where no list of fields lets them pass".to_owned())
}
