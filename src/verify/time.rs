//! The asked data time, and whether an entitlement with a data window counts for it.

use super::{Unproved, json::Json};
use crate::model::{
    answer::Shape,
    contract::{Contract, Reach, TimeAt},
    entitlement::Entitlement,
    outgoing::Residual,
};
use jiff::Timestamp;

/// `start/end`, both instants with offset, in this order.
pub(super) fn interval(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = text.split_once('/')?;
    let (start, end) = (instant(start)?, instant(end)?);
    (start <= end).then_some((start, end))
}

/// `P1DT12H` by its letters: no sign, no fraction. How long it is means nothing here.
pub(super) fn duration(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'Y' | b'M' | b'W' | b'D' | b'T' | b'H' | b'S');
    text.len() <= 32 && text.strip_prefix('P').is_some_and(|rest| rest.bytes().all(known))
}

/// Letters of the names of zones, and nothing else.
pub(super) fn zone(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    (1..=64).contains(&text.len()) && text.bytes().all(known)
}

/// An instant in UTC, in the one spelling that leaves this program: any other might be read in two ways.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at: &Timestamp| at.to_string() == text)
}

/// `now`, or `now-<n><m|h|d|w>`.
pub(super) fn relative(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("now") else {
        return false;
    };
    let count = rest.strip_prefix('-').and_then(|rest| rest.strip_suffix(['m', 'h', 'd', 'w']));
    rest.is_empty()
        || count.is_some_and(|n| (1..=6).contains(&n.len()) && n.bytes().all(|digit| digit.is_ascii_digit()))
}

/// What the request tells about data time.
pub(super) struct Asked {
    /// Every row lies wholly inside, as the operation promises.
    contained: Option<(Timestamp, Timestamp)>,
    /// The guard judges the time of each leg, and the answer shows every leg.
    guarded: bool,
}

impl Asked {
    pub(super) fn of(contract: &Contract, body: Option<&Json<'_>>, residual: &Residual) -> Result<Self, Unproved> {
        let shows_legs = matches!(contract.shape, Shape::Conversations | Shape::Conversation);
        let mut asked = Self { contained: None, guarded: residual.windows && residual.legs && shows_legs };
        let (Some(rule), Some(body)) = (&contract.time, body) else {
            return Ok(asked);
        };
        let span = match &rule.at {
            TimeAt::Interval(path) => body.at(path).and_then(Json::text).and_then(interval),
            TimeAt::FromTo(from, to) => {
                let read = |path: &[Box<str>]| body.at(path).and_then(Json::text).and_then(instant);
                read(from).zip(read(to)).filter(|(from, to)| from <= to)
            }
        };
        if let (Some((start, end)), Some(max)) = (span, rule.max)
            && end.duration_since(start) > max
        {
            return Err(Unproved::at("$", "the asked time is longer than the operation allows"));
        }
        if rule.reach == Reach::Contained {
            asked.contained = span;
        }
        Ok(asked)
    }

    /// An entitlement without window always counts. One with a window counts when nothing outside it can come
    /// back, or when the guard cuts what does. A day or an overlap reaches legs that end later, so there only
    /// the guard can tell.
    pub(super) fn counts(&self, e: &Entitlement) -> bool {
        e.data
            .is_none_or(|window| self.guarded || self.contained.is_some_and(|(start, end)| window.contains(start, end)))
    }
}
