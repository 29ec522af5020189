//! A list that is read from its beginning: what was judged of it so far, where it goes on, and the page that is cut from it.
//!
//! The upstream may say that there is more, and is asked for it; that there is no more it says with an empty page or a
//! short one. Rows that come again are passed over, and a page of nothing else ends the reading with a refusal.

use super::{GuardPlan, Guarded, PageInfo, Rows, Unguarded, sieve::notices, unreadable};
use crate::{
    model::{
        answer::{PageNumber, Piece},
        operation::{Scan, Walk},
        part::Sighting,
        refusal::{Code, Notice, Refusal},
    },
    policy::{guard::fields, local},
    query::json::{self, Limits, Value},
};
use std::collections::{BTreeMap, BTreeSet};

/// Which of the visible rows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub number: usize,
    pub size: usize,
    pub skip: usize,
    /// Where the page behind is found, or why that is not said.
    pub next: Result<Option<String>, Notice>,
}

/// Where the upstream goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Page(usize),
    /// As the answer before named it.
    Named(Box<str>),
}

/// What was read and judged of a list. Only the guard makes one.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Those that are visible, in the order of the upstream.
    pub(super) rows: Vec<Value>,
    /// What tells each row that came from the others.
    known: BTreeSet<Vec<u8>>,
    places: BTreeSet<Place>,
    next: Option<Place>,
    /// Whether the upstream itself said that there is more.
    said: bool,
    bytes: usize,
    counts: Rows,
    /// Rows of interactions at which nobody has looked yet.
    pub(super) waiting: Vec<Value>,
    /// What was seen of interactions that were looked at; `None`: not all of it is visible, or it is not there.
    pub(super) looked: BTreeMap<Box<str>, Option<Sighting>>,
}

/// A list after one more answer.
#[derive(Debug)]
pub enum Read {
    Done(Guarded),
    /// Its rows are of interactions that have to be looked at.
    Look(Gathered),
    /// It goes on, and has to be read on.
    More(Gathered),
}

impl Gathered {
    pub fn next(&self) -> Option<&Place> {
        self.next.as_ref()
    }
}

/// Pages of the upstream by what they should be: some may be shorter.
const PATIENCE: usize = 4;

impl GuardPlan {
    /// Reads one more answer of a list; of everything else, the one.
    pub fn read(&self, before: Gathered, unguarded: Unguarded) -> Result<Read, Refusal> {
        match self.listed() {
            Some((scan, walk, _)) => self.gather(scan, walk, before, unguarded),
            None => self.whole(unguarded).map(Read::Done),
        }
    }

    /// Judges the rows whose interactions were looked at, and reads on when no other waits.
    pub(super) fn settle(&self, mut read: Gathered) -> Result<Read, Refusal> {
        self.judge_waiting(&mut read);
        if !read.waiting.is_empty() {
            return Ok(Read::Look(read));
        }
        match self.listed() {
            Some((scan, walk, cut)) => self.go_on(scan, walk, cut, read),
            None => Err(unreadable("no list goes on here".to_owned())),
        }
    }

    fn listed(&self) -> Option<(&Scan, &Walk, &Cut)> {
        let scan = self.operation.scan.as_ref()?;
        Some((scan, scan.walk.as_ref()?, self.cut.as_ref()?))
    }

    fn gather(
        &self,
        scan: &Scan,
        walk: &Walk,
        mut read: Gathered,
        Unguarded { status, body }: Unguarded,
    ) -> Result<Read, Refusal> {
        if status != 200 {
            return Err(unreadable(format!("status {status} is no page of a list")));
        }
        let most = self.operation.answer.max_bytes;
        read.bytes = read.bytes.saturating_add(body.len());
        if read.bytes > most {
            return Err(Refusal::new(
                Code::AnswerTooLarge,
                "the list is larger than this proxy reads at once; ask for less of it",
            )
            .because(format!("more than {most} bytes in {} pages", read.places.len() + 1)));
        }
        let answer = json::parse_object(&body, &Limits::answer(most))
            .map_err(|error| unreadable(format!("not the JSON of a page: {error}")))?;
        let here = read.next.take().unwrap_or(Place::Page(1));
        let more = further(walk, &here, &answer)?;
        // an upstream may give fewer a page than was asked, and says so by the size that it names
        let named = answer.get("pageSize").and_then(Value::as_i64).and_then(|size| usize::try_from(size).ok());
        let full = named.filter(|size| *size > 0).map_or(walk.step, |size| size.min(walk.step));
        read.places.insert(here.clone());
        let rows = self.rows_of(answer)?;
        let (came, before) = (rows.len(), read.known.len());
        read.counts.received += came as u64;
        if read.counts.received > scan.most as u64 {
            return Err(too_long(scan.most));
        }
        let mut nameless = false;
        for row in rows {
            // Nothing of the scope could be sent, so rows of others are the rule here. To count them as strange, or to tell
            // that there were some, would say what a parameter finds among them.
            let Some(apart) = self.apart(scan, &row) else {
                nameless = true;
                continue;
            };
            if read.known.insert(apart) && !super::rows::is_left_out(self, &row) {
                if self.operation.look.is_some() {
                    read.waiting.push(row);
                    continue;
                }
                // Most searches name all that may come back. Whoever was named and has moved away comes rightly, and is passed over
                // as in lists: a notice would say that a criterion fits him where he is now.
                let named = self.operation.body().is_some() && self.operation.contract.scan.is_none();
                let strange = named && !super::rows::is_named(self, &row);
                let visible = super::rows::owned(self, row);
                read.counts.foreign += u64::from(visible.is_none() && strange);
                read.rows.extend(visible);
            }
        }
        let again = came > 0 && read.known.len() == before;
        // a row that was put in meanwhile moves the last one to a page of its own; a whole page once more is a circle
        if again && (came >= full || nameless) {
            return Err(unreadable("a page of the list brought nothing but what was read before".to_owned()));
        }
        read.said = matches!(more, Further::Said(_));
        read.next = match more {
            Further::Said(place) => Some(place),
            Further::Unsaid(place) => place.filter(|_| came > 0 && !again && came >= full),
        };
        // an empty page ends what is counted in pages, whatever it says
        if came == 0 && !walk.by_place {
            read.next = None;
        }
        self.settle(read)
    }

    /// What becomes of a list when all that was read of it is judged.
    fn go_on(&self, scan: &Scan, walk: &Walk, cut: &Cut, read: Gathered) -> Result<Read, Refusal> {
        if read.next.is_none() || self.has_enough(cut, &read) {
            return self.cut_page(cut, read).map(Read::Done);
        }
        let pages = scan.most.div_ceil(walk.step).saturating_mul(PATIENCE);
        if read.places.len() >= pages || read.next.as_ref().is_some_and(|next| read.places.contains(next)) {
            let says = if read.said { "by its own word" } else { "by the size of its pages" };
            return Err(unreadable(format!("the list goes on, {says}, in a circle or in more than {pages} pages")));
        }
        Ok(Read::More(read))
    }

    /// The rows of a page, with nothing of it but what may pass.
    fn rows_of(&self, answer: Value) -> Result<Vec<Value>, Refusal> {
        let mut answer = answer;
        match answer.at_mut(&self.operation.answer.rows) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(rows)) => Ok(std::mem::take(rows)),
            Some(_) => Err(unreadable("the rows of a page are no list".to_owned())),
        }
    }

    /// What tells a row from the others; a row that does not say it is none.
    fn apart(&self, scan: &Scan, row: &Value) -> Option<Vec<u8>> {
        let owner = super::rows::owner(self);
        let mut own = self.operation.answer.keys.iter().filter(|key| key.access == owner).map(|key| &key.at);
        let said = |at: &[Box<str>]| row.at(at).filter(|value| matches!(value, Value::Text(_)));
        let mut apart = Vec::new();
        if scan.each.is_empty() {
            // the first that is there: an upstream may write one thing in two places
            apart.extend(own.find_map(|at| said(at))?.to_bytes());
        }
        for at in &scan.each {
            apart.extend(said(at)?.to_bytes());
            apart.push(0);
        }
        Some(apart)
    }

    /// Whether the asked page and the first row behind it were read, where nobody is told how many there are.
    fn has_enough(&self, cut: &Cut, read: &Gathered) -> bool {
        let counts = |piece: &Piece| matches!(piece, Piece::Page(PageNumber::Total | PageNumber::Count));
        read.rows.len() > cut.skip.saturating_add(cut.size) && !self.operation.answer.empty.iter().any(counts)
    }

    fn cut_page(&self, cut: &Cut, read: Gathered) -> Result<Guarded, Refusal> {
        let total = read.rows.len();
        let info = PageInfo { number: cut.number, size: cut.size, total };
        let frame = local::empty_page(&self.operation, info, Vec::new());
        let mut page = json::parse_object(frame.body(), &Limits::default())
            .map_err(|error| unreadable(format!("the frame of a page cannot be read: {error}")))?;
        let rows: Vec<Value> = read.rows.into_iter().skip(cut.skip).take(cut.size).collect();
        let rows_out = rows.len() as u64;
        page.set_at(&self.operation.answer.rows, Value::Array(rows));
        let keep = &self.operation.answer.keep;
        let shows = |name: &str| keep.levels.get("").is_some_and(|fields| fields.iter().any(|field| **field == *name));
        let mut notices = notices(read.counts);
        if cut.skip.saturating_add(cut.size) < total {
            match &cut.next {
                Ok(Some(next)) => {
                    for name in ["nextUri", "nextPage"].into_iter().filter(|name| shows(name)) {
                        page.set(name, Value::text(next.as_str()));
                    }
                }
                Ok(None) => {}
                Err(notice) => notices.push(notice.clone()),
            }
            if shows("cursor") {
                page.set("cursor", Value::text(cut.skip.saturating_add(cut.size).to_string()));
            }
        }
        let page = match self.operation.look {
            // of an interaction the legs were judged, and nobody judged what else a row says
            Some(_) => fields::keep_listed(keep, &fields::Links::none(), page),
            None => fields::keep(keep, page),
        };
        Ok(Guarded {
            rows_in: read.counts.received,
            rows_out,
            rows_foreign: read.counts.foreign,
            ..Guarded::plain(200, page.to_bytes(), notices)
        })
    }
}

/// What an answer says about how the list goes on.
enum Further {
    Said(Place),
    /// Nothing; in a list that is counted in pages, it goes on with this one if the page was full.
    Unsaid(Option<Place>),
}

fn further(walk: &Walk, here: &Place, answer: &Value) -> Result<Further, Refusal> {
    let link = answer.get("nextUri").and_then(Value::as_str);
    if walk.by_place {
        let named = match (answer.get("cursor").filter(|value| !value.is_null()), link) {
            (Some(cursor), _) => {
                Some(cursor.as_str().ok_or_else(|| unreadable("a cursor that is no text".to_owned()))?.to_owned())
            }
            (None, Some(link)) => Some(
                place_in(link, &walk.at)
                    .ok_or_else(|| unreadable(format!("the link to the next page has no `{}`", walk.at)))?,
            ),
            (None, None) => None,
        };
        return Ok(match named.filter(|named| !named.is_empty()) {
            Some(named) if named.len() > 4_096 => {
                return Err(unreadable("the place of the next page is too long".to_owned()));
            }
            Some(named) => Further::Said(Place::Named(named.into())),
            None => Further::Unsaid(None),
        });
    }
    let Place::Page(number) = here else { return Ok(Further::Unsaid(None)) };
    let pages = answer.get("pageCount").and_then(Value::as_i64).and_then(|pages| usize::try_from(pages).ok());
    let next = Place::Page(number.saturating_add(1));
    let said = link.is_some_and(|link| !link.is_empty()) || pages.is_some_and(|pages| pages > *number);
    Ok(if said { Further::Said(next) } else { Further::Unsaid(Some(next)) })
}

/// The value of a parameter in a link of the upstream.
fn place_in(link: &str, param: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let value = query.split('&').find_map(|pair| pair.strip_prefix(param)?.strip_prefix('='))?;
    let value = value.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&value).decode_utf8().ok()?.into_owned())
}

pub(super) fn too_long(most: usize) -> Refusal {
    Refusal::new(
        Code::QueryTooWide,
        format!(
            "this list has more than the {most} rows that are read to cut a page from those that are yours; narrow it by \
             its parameters, or read single entries by their ids"
        ),
    )
    .with("limit", most.to_string())
}
