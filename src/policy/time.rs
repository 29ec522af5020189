//! Asked time: reading it, bounding it, and deciding which entitlements with a data window it leaves.

use crate::{
    model::{
        contract::{Reach, TimeAt, TimeRule},
        entitlement::{Entitlement, Window},
        refusal::{Code, Notice, Refusal},
    },
    query::{
        body::{Body, malformed},
        json::Value,
    },
};
use jiff::{SignedDuration, Timestamp};

/// The asked interval, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// Reads the interval of a body, resolves relative instants once, and refuses what is too long.
pub fn read(rule: &TimeRule, body: &mut Body, now: Timestamp) -> Result<Interval, Refusal> {
    let interval = match &rule.at {
        TimeAt::Interval(at) => {
            let text = text_at(body, at)?;
            let (start, end) =
                text.split_once('/').ok_or_else(|| malformed(at, "must be `start/end`, two instants with offset"))?;
            let start: Timestamp =
                start.parse().map_err(|_| malformed(at, "starts with something that is not an instant with offset"))?;
            let end: Timestamp =
                end.parse().map_err(|_| malformed(at, "ends with something that is not an instant with offset"))?;
            // One spelling leaves: a zone in brackets or a missing minute is not read alike everywhere.
            body.set(at, Value::text(format!("{start}/{end}")));
            Interval { start, end }
        }
        TimeAt::FromTo(from, to) => {
            let start = resolve(&text_at(body, from)?, now).ok_or_else(|| malformed(from, INSTANT))?;
            let end = resolve(&text_at(body, to)?, now).ok_or_else(|| malformed(to, INSTANT))?;
            body.set(from, Value::Text(start.to_string().into()));
            body.set(to, Value::Text(end.to_string().into()));
            Interval { start, end }
        }
    };
    if interval.end <= interval.start {
        return Err(Refusal::new(Code::QueryMalformed, "the interval has to end after it starts"));
    }
    if let Some(max) = rule.max
        && interval.end.duration_since(interval.start) > max
    {
        let days = max.as_hours() / 24;
        return Err(Refusal::new(
            Code::IntervalTooLong,
            format!("the interval is longer than {days} days; ask for less at a time"),
        )
        .with("maxDays", days.to_string()));
    }
    Ok(interval)
}

/// Says the instants that a question means now, so that it means the same later.
pub fn fix(rule: &TimeRule, question: &mut Value, now: Timestamp) {
    let TimeAt::FromTo(from, to) = &rule.at else { return };
    for at in [from, to] {
        let said = at
            .iter()
            .try_fold(&*question, |value, name| value.get(name))
            .and_then(Value::as_str)
            .and_then(|text| resolve(text, now));
        if let Some(instant) = said {
            question.set_at(at, Value::text(instant.to_string()));
        }
    }
}

const INSTANT: &str = "must be an instant with offset, `now`, or `now-<n>` with `m`, `h`, `d` or `w`";

fn text_at(body: &Body, at: &[Box<str>]) -> Result<String, Refusal> {
    match body.get(at) {
        Some(Value::Text(text)) => Ok(text.to_string()),
        Some(_) => Err(malformed(at, "must be a string")),
        None => Err(malformed(at, "is missing")),
    }
}

fn resolve(text: &str, now: Timestamp) -> Option<Timestamp> {
    let Some(relative) = text.strip_prefix("now") else {
        return text.parse().ok();
    };
    if relative.is_empty() {
        return Some(now);
    }
    let amount = relative.strip_prefix('-')?;
    let unit = amount.chars().last()?;
    let number = amount.strip_suffix(unit)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let span = number.parse::<i64>().ok()?.checked_mul(seconds)?;
    now.checked_sub(SignedDuration::from_secs(span)).ok()
}

/// How entitlements with a data window count for one question.
#[derive(Debug)]
pub struct Windowed {
    /// Those that count in the bytes that are sent.
    pub counted: Vec<Entitlement>,
    /// Some of them have a window that only the guard can enforce.
    pub guarded: bool,
    pub notices: Vec<Notice>,
}

/// Sorts entitlements by their data windows. `legs_shown`: the answer shows every leg with its time and the asker
/// filtered on none, so that the guard alone can hold the window.
pub fn windows(
    entitlements: &[Entitlement],
    rule: Option<&TimeRule>,
    asked: Option<Interval>,
    legs_shown: bool,
) -> Result<Windowed, Refusal> {
    let mut out = Windowed { counted: Vec::with_capacity(entitlements.len()), guarded: false, notices: Vec::new() };
    let mut missed = Vec::new();
    for entitlement in entitlements {
        let Some(window) = entitlement.data else {
            out.counted.push(entitlement.clone());
            continue;
        };
        let contained = match (rule.map(|rule| rule.reach), asked) {
            (Some(Reach::Contained), Some(asked)) => window.contains(asked.start, asked.end),
            _ => false,
        };
        // Whole days must lie inside: pages of an answer would count what only the guard takes out.
        let days_inside = match (rule.map(|rule| rule.reach), asked) {
            (_, None) => true,
            (Some(Reach::WholeDay), Some(asked)) => day_before(asked.start)
                .zip(day_after(asked.end))
                .is_some_and(|(from, until)| window.contains(from, until)),
            _ => false,
        };
        if contained {
            out.counted.push(entitlement.clone());
        } else if legs_shown && days_inside {
            out.guarded = true;
            out.counted.push(entitlement.clone());
        } else if !missed.contains(&window) {
            missed.push(window);
        }
    }
    out.notices.extend(uncounted(&missed));
    if out.guarded && asked.is_some() {
        let text =
            "what crosses the edge of the time that you may see takes its place on a page, and is shown only within it";
        out.notices.push(Notice::new("window.edge", text));
    }
    match missed.last() {
        Some(window) if out.counted.is_empty() => Err(Refusal::new(
            Code::WindowOutside,
            match rule.map(|rule| rule.reach) {
                Some(Reach::Contained) => {
                    format!("your right covers data from {} until {}; ask for an interval inside it", window.from, window.until)
                }
                Some(Reach::WholeDay) => format!(
                    "your right covers data from {} until {}; ask for whole days inside it, without filters",
                    window.from, window.until
                ),
                Some(Reach::Overlap) => format!(
                    "your right covers data from {} until {}, and this operation also finds what only touches an interval: \
                     it needs a right without such a window",
                    window.from, window.until
                ),
                None => format!(
                    "your right covers data from {} until {}, and this operation takes no interval: it needs a right \
                     without such a window",
                    window.from, window.until
                ),
            },
        )
        .with("from", window.from.to_string())
        .with("until", window.until.to_string())),
        _ => Ok(out),
    }
}

/// At most so many windows stand in one sentence.
const SHOWN: usize = 3;

/// One notice for all rights that do not count: many would push others out of the answer.
fn uncounted(missed: &[Window]) -> Option<Notice> {
    let mut missed = missed.to_vec();
    missed.sort_unstable_by_key(|window| (window.from, window.until));
    let shown: Vec<_> =
        missed.iter().take(SHOWN).map(|window| format!("from {} until {}", window.from, window.until)).collect();
    let more = missed.len().saturating_sub(SHOWN);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    let text = match missed.len() {
        0 => return None,
        1 => format!("a right of yours for data {} does not count for this question", shown.concat()),
        _ => format!("rights of yours for data {}{rest} do not count for this question", shown.join(", ")),
    };
    Some(Notice::new("window.outside", text))
}

const DAY: i64 = 86_400;

fn day_before(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second().div_euclid(DAY).checked_mul(DAY)?).ok()
}

fn day_after(at: Timestamp) -> Option<Timestamp> {
    let before = day_before(at)?;
    if before == at { Some(at) } else { before.checked_add(SignedDuration::from_secs(DAY)).ok() }
}
