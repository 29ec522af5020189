//! The check and trimming of the answer. Sans-IO: bytes in, bytes out. Trusted base.
//!
//! It trusts nothing that the upstream did with the filter: every row that shows whose it is is judged again by
//! the entitlements themselves, every field that no model lists is dropped, every total is recomputed or removed.

mod change;
mod documents;
mod export;
pub(super) mod fields;
mod foreign;
mod job;
mod legs;
mod looked;
mod part;
mod preview;
mod rows;
mod scan;
mod sieve;
mod sight;
mod split;

pub use scan::{Cut, Gathered, Place, Read};
pub use sieve::{Rows, Sieve};
mod wav;

pub use change::{is_unsure, unsure};
pub use export::Exports;

use super::extent::Extent;
use crate::{
    model::{
        aggregation::Aggregation,
        answer::Shape,
        body::Access,
        contract::Segment,
        entitlement::{Action, Scope},
        job::JobStep,
        operation::{Class, JobPart, Operation},
        org::{DivisionIx, Org},
        part::Sighting,
        refusal::{Code, Notice, Refusal},
        set::Set,
    },
    query::json::{self, Limits, Value},
    verify::OwnRows,
};
use bytes::Bytes;
use jiff::Timestamp;
pub use preview::File;
use std::{collections::BTreeSet, sync::Arc};

/// What the upstream sent. Anyone may fill it; only [`GuardPlan::guard`] reads it.
#[derive(Debug)]
pub struct Unguarded {
    status: u16,
    body: Vec<u8>,
}

impl Unguarded {
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, body }
    }
    /// For the record and the metrics.
    pub fn status(&self) -> u16 {
        self.status
    }
    pub fn len(&self) -> usize {
        self.body.len()
    }
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

/// A piece of an answer that is arriving. Anyone may fill it; only a [`Sieve`] reads it.
#[derive(Debug)]
pub struct Raw(Bytes);

impl Raw {
    pub fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }
    /// For the record.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Json,
    Wav,
}

/// An answer of which every row was judged. Only the guard and `policy::local` make one.
#[derive(Debug)]
pub struct Guarded {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) body: Vec<u8>,
    pub(super) rows_in: u64,
    pub(super) rows_out: u64,
    pub(super) rows_foreign: u64,
    pub(super) notices: Vec<Notice>,
    /// The id of a new job.
    pub(super) job: Option<Box<str>>,
    /// Where the results of a job go on.
    pub(super) cursor: Option<Box<str>>,
}

impl Guarded {
    pub fn status(&self) -> u16 {
        self.status
    }
    pub fn content(&self) -> Content {
        self.content
    }
    pub fn body(&self) -> &[u8] {
        &self.body
    }
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
    pub fn rows_in(&self) -> u64 {
        self.rows_in
    }
    pub fn rows_out(&self) -> u64 {
        self.rows_out
    }
    /// Of the rows that were taken out, those that nobody asked for.
    pub fn rows_foreign(&self) -> u64 {
        self.rows_foreign
    }
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
    pub fn job(&self) -> Option<&str> {
        self.job.as_deref()
    }
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Says more of it.
    pub fn tell(&mut self, notices: impl IntoIterator<Item = Notice>) {
        self.notices.extend(notices);
    }

    pub(super) fn plain(status: u16, body: Vec<u8>, notices: Vec<Notice>) -> Self {
        Self {
            status,
            content: Content::Json,
            body,
            rows_in: 0,
            rows_out: 0,
            rows_foreign: 0,
            notices,
            job: None,
            cursor: None,
        }
    }
}

/// Where a page stands among the visible entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageInfo {
    pub number: usize,
    pub size: usize,
    /// Visible entries in all.
    pub total: usize,
}

impl PageInfo {
    pub fn pages(self) -> usize {
        self.total.div_ceil(self.size.max(1))
    }
    pub fn skip(self) -> usize {
        self.number.saturating_sub(1).saturating_mul(self.size)
    }
    pub fn take(self) -> usize {
        self.size
    }
}

/// Everything that judging one answer needs, fixed when the query was decided.
#[derive(Debug, Clone)]
pub struct GuardPlan {
    operation: Arc<Operation>,
    org: Arc<Org>,
    scope: Arc<Scope>,
    extent: Extent,
    /// Of the extent.
    divisions: Set<DivisionIx>,
    decided_at: Timestamp,
    grouped: Vec<Access>,
    /// Everything that the answer was asked to be grouped by; `None` where nobody can ask for that.
    columns: Option<Vec<Box<str>>>,
    /// The buckets and numbers that were asked for.
    aggregations: Vec<Aggregation>,
    /// Documents: the fields that were asked for.
    selected: Vec<Box<str>>,
    page: Option<PageInfo>,
    /// What is cut from the visible rows of a list that is read from its beginning.
    cut: Option<Cut>,
    ids: BTreeSet<String>,
    /// The interaction that the answer is a part of.
    interaction: Option<Box<str>>,
    /// Actions whose links pass.
    links: Vec<Action>,
    /// Where links may lead without encryption.
    media: Vec<Box<str>>,
    /// Of the file that the answer names, so many seconds pass, and of the answer nothing.
    preview: Option<u32>,
    /// The same without data windows, where one is left to this check alone.
    windowless: Option<Box<Self>>,
    /// The answer is about a job that `operation` submitted.
    step: Option<JobStep>,
    /// The asker's own exports, as the second reader proved them; without that nothing of a list of them is shown.
    own: OwnRows,
    /// What names of other people's legs are made with, where a rule lets such legs stay.
    salt: Option<foreign::Salt>,
}

impl GuardPlan {
    pub(super) fn new(
        operation: &Arc<Operation>,
        org: &Arc<Org>,
        scope: &Arc<Scope>,
        extent: Extent,
        decided_at: Timestamp,
    ) -> Self {
        Self {
            operation: operation.clone(),
            org: org.clone(),
            scope: scope.clone(),
            divisions: extent.leg_divisions(org),
            extent,
            decided_at,
            grouped: Vec::new(),
            columns: None,
            aggregations: Vec::new(),
            selected: Vec::new(),
            page: None,
            cut: None,
            ids: BTreeSet::new(),
            interaction: None,
            links: Vec::new(),
            media: Vec::new(),
            preview: None,
            windowless: None,
            step: None,
            own: OwnRows::default(),
            salt: None,
        }
    }

    pub(super) fn with_groups(mut self, grouped: Vec<Access>, columns: Option<Vec<Box<str>>>) -> Self {
        self.grouped = grouped;
        self.columns = columns;
        self
    }

    pub(super) fn with_documents(mut self, aggregations: Vec<Aggregation>, selected: Vec<Box<str>>) -> Self {
        self.aggregations = aggregations;
        self.selected = selected;
        self
    }

    /// Whether this judges answers to this operation in this world by this very scope, and by no other.
    pub fn serves(&self, operation: &Arc<Operation>, org: &Arc<Org>, scope: &Arc<Scope>) -> bool {
        let own = match &operation.job {
            Some(JobPart::Step { step, submit }) => Arc::ptr_eq(&self.operation, submit) && self.step == Some(*step),
            _ => Arc::ptr_eq(&self.operation, operation) && self.step.is_none(),
        };
        own && Arc::ptr_eq(&self.org, org) && Arc::ptr_eq(&self.scope, scope)
    }

    /// Whether no row of a person may come back through both.
    pub fn shares_nobody(&self, other: &Self) -> bool {
        self.extent.lone.intersection(&other.extent.lone).is_empty()
    }

    pub(super) fn with_page(mut self, page: PageInfo, ids: Vec<String>) -> Self {
        self.page = Some(page);
        self.ids = ids.into_iter().collect();
        self
    }

    pub(crate) fn with_own(mut self, own: OwnRows) -> Self {
        self.own = own;
        self
    }

    /// With more of the files of his own exports, as the second reader opens them.
    pub(crate) fn opening(mut self, open: impl FnOnce(OwnRows) -> OwnRows) -> Self {
        self.own = open(std::mem::take(&mut self.own));
        self
    }

    pub(super) fn with_cut(mut self, cut: Cut) -> Self {
        self.cut = Some(cut);
        self
    }

    pub(super) fn with_step(mut self, step: JobStep) -> Self {
        self.step = Some(step);
        self
    }

    pub(super) fn with_window(mut self, left: bool) -> Self {
        if left {
            let mut wider = self.clone();
            let mut scope = Scope::clone(&wider.scope);
            scope.entitlements.iter_mut().for_each(|entitlement| entitlement.data = None);
            wider.scope = Arc::new(scope);
            self.windowless = Some(Box::new(wider));
        }
        self
    }

    /// The objects that were asked for by their ids: nothing else may come back.
    #[must_use]
    pub fn with_ids(mut self, ids: impl IntoIterator<Item = String>) -> Self {
        self.ids = ids.into_iter().collect();
        self
    }

    pub(super) fn with_interaction(mut self, id: &str) -> Self {
        self.interaction = Some(id.into());
        self
    }

    /// What was seen says which links pass; `media`: where files may lie that are fetched without encryption.
    pub(super) fn with_sightings(mut self, seen: &[Sighting], media: &[Box<str>]) -> Self {
        self.links = self.opened_by(seen);
        self.media = media.to_vec();
        self
    }

    /// Nothing of the answer passes, but the beginning of the file that it names.
    #[must_use]
    pub fn with_preview(mut self, seconds: u32) -> Self {
        self.preview = Some(seconds);
        self
    }

    /// Actions whose links the answer may keep.
    pub fn links(&self) -> &[Action] {
        &self.links
    }

    /// The kind of id that says which object a row is.
    fn named_by(&self) -> Option<Access> {
        let last = || self.operation.contract.template.segments.iter().rev().find_map(Segment::access);
        self.operation.page.as_ref().map(|page| page.access).or_else(last)
    }

    /// Judges every row; an answer that cannot be read is refused whole.
    pub fn guard(&self, unguarded: Unguarded) -> Result<Guarded, Refusal> {
        match self.read(Gathered::default(), unguarded)? {
            Read::Done(guarded) => Ok(guarded),
            Read::Look(_) | Read::More(_) => Err(unreadable("one page of a list that goes on".to_owned())),
        }
    }

    fn whole(&self, unguarded: Unguarded) -> Result<Guarded, Refusal> {
        let Unguarded { status, body } = unguarded;
        if self.preview.is_some() {
            return Err(unreadable("what a preview is cut from is shown to nobody".to_owned()));
        }
        let about_job = match &self.operation.job {
            Some(JobPart::Submit(answers)) => Some(answers),
            _ => None,
        };
        match (about_job, self.step) {
            (Some(answers), None) => return job::submitted(&answers.id, status, &body),
            (Some(answers), Some(JobStep::Status)) => return job::status(&answers.status, status, &body),
            (Some(_), Some(JobStep::Cancel)) => return job::cancelled(status),
            (Some(_), Some(JobStep::Results)) | (None, _) => {}
        }
        if self.operation.class == Class::Write {
            return self.changed(status, &body);
        }
        if self.operation.class == Class::Export && self.operation.own.is_none() && self.step.is_none() {
            return export::submitted(&self.operation.answer.keep, status, &body);
        }
        if let (202, Some(pending)) = (status, &self.operation.answer.pending) {
            return Ok(Self::pending(pending.as_bytes()));
        }
        is_answer(status)?;
        if self.has_rows() {
            let mut sieve = Sieve::new(self.clone(), usize::MAX);
            sieve.bytes(&body)?;
            sieve.end()?;
            return Ok(sieve.guarded());
        }
        self.one(&body)
    }

    /// An answer that is one thing.
    fn one(&self, body: &[u8]) -> Result<Guarded, Refusal> {
        let limits = Limits::answer(self.operation.answer.max_bytes);
        let answer =
            json::parse(body, &limits).map_err(|error| unreadable(format!("not the JSON of an answer: {error}")))?;
        // some lists have no object around them
        let bare_list = self.operation.answer.shape == Shape::Plain && matches!(answer, Value::Array(_));
        if !(bare_list || matches!(answer, Value::Object(_))) {
            return Err(unreadable("the JSON of an answer is an object".to_owned()));
        }
        if self.operation.answer.shape == Shape::Documents {
            return documents::guard(self, answer);
        }
        let keep = &self.operation.answer.keep;
        let mut seen = BTreeSet::new();
        let shown = match self.operation.answer.shape {
            Shape::Bound => return export::page(self, answer).map(|page| self.exports(page)),
            Shape::Conversation => {
                let row = legs::judge(self, &answer).ok_or_else(|| gone("no leg of it is visible"))?;
                fields::keep(keep, row)
            }
            // what is of another interaction is not there, before anything is said of what it reaches
            Shape::Plain if self.is_asked(&answer) && self.is_of(&answer) => {
                if self.reaches_further(&answer) {
                    return Err(part::of_others());
                }
                fields::keep_listed(keep, &self.links_of(), answer)
            }
            Shape::Entity => {
                let row = rows::entity(self, answer, &mut seen);
                fields::keep(keep, row.ok_or_else(|| gone("what came back is not what was asked for"))?)
            }
            _ => return Err(gone("what came back is not what was asked for")),
        };
        Ok(Guarded { rows_in: 1, rows_out: 1, ..Guarded::plain(200, shown.to_bytes(), Vec::new()) })
    }

    /// Nothing of the upstream's own words passes while it is still making what was asked for.
    fn pending(empty: &[u8]) -> Guarded {
        let notice = Notice::new("answer.pending", "the upstream is still making this; ask again shortly");
        Guarded::plain(202, empty.to_vec(), vec![notice])
    }

    fn links_of(&self) -> fields::Links<'_> {
        fields::Links { fields: &self.operation.answer.links, open: &self.links, media: &self.media }
    }

    /// An answer that says which thing it is has to say the asked one.
    fn is_asked(&self, answer: &Value) -> bool {
        let says = |at: &[Box<str>]| answer.at(at).and_then(Value::as_str).is_some_and(|id| self.ids.contains(id));
        self.operation.answer.named_by.as_deref().is_none_or(says)
    }

    /// A part of an interaction speaks of this one alone, and what was exported of those that were looked at.
    fn is_of(&self, answer: &Value) -> bool {
        if self.step.is_some() {
            let other = |id: &str| !self.ids.contains(id);
            return !part::speaks_of(answer, &other) && part::says_whose(answer, &self.operation.answer.links);
        }
        self.operation.part.is_none()
            || self.interaction.as_deref().is_some_and(|id| !part::speaks_of_another(answer, id))
    }

    /// What is of further interactions shows legs that nobody looked at.
    fn reaches_further(&self, answer: &Value) -> bool {
        self.operation.part.is_some() && self.interaction.as_deref().is_none_or(|id| part::reaches_further(answer, id))
    }
}

fn is_answer(status: u16) -> Result<(), Refusal> {
    if status == 200 { Ok(()) } else { Err(unreadable(format!("status {status} is no answer to a query"))) }
}

/// The same as for an id that does not exist.
fn gone(cause: &str) -> Refusal {
    Refusal::outside(cause).in_path()
}

fn unreadable(cause: String) -> Refusal {
    Refusal::new(Code::AnswerUnreadable, "the upstream's answer cannot be read, so nothing of it is passed on")
        .because(cause)
}

fn json_path(path: &[Box<str>]) -> String {
    path.iter().fold("$".to_owned(), |text, name| format!("{text}.{name}"))
}
