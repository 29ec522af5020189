//! Intervals, instants and granularities as requests write them.

use super::{problem::Problem, stage::DAY};
use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

/// A half-open interval in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Interval {
    /// The compulsory `interval` member.
    pub(super) fn of(body: &Value) -> Result<Self, Problem> {
        let text = body.get("interval").and_then(Value::as_str).ok_or_else(|| Problem::bad("`interval` is missing"))?;
        let parts = text.split_once('/').and_then(|(from, until)| Some((instant(from)?, instant(until)?)));
        match parts {
            Some((from, until)) if from < until => Ok(Self { from, until }),
            _ => Err(Problem::date(text)),
        }
    }

    /// Widened to whole days (UTC): every day that it touches.
    pub(super) fn days(self) -> Self {
        let until = self.until + (-self.until).rem_euclid(DAY);
        Self { from: self.from - self.from.rem_euclid(DAY), until }
    }

    pub(super) fn length(self) -> i64 {
        self.until - self.from
    }

    /// The sub-interval of length `step` in which `time` lies.
    pub(super) fn bucket(self, step: i64, number: i64) -> Self {
        let from = self.from + number * step;
        Self { from, until: (from + step).min(self.until) }
    }

    pub(super) fn text(self) -> String {
        format!("{}/{}", show(self.from), show(self.until))
    }
}

/// The length of the optional `granularity`, in milliseconds; a day has 24 hours.
pub(super) fn granularity(body: &Value, interval: Interval) -> Result<i64, Problem> {
    let step = match body.get("granularity") {
        None | Some(Value::Null) => interval.length(),
        Some(Value::String(text)) => period(text).ok_or_else(|| Problem::date(text))?,
        Some(_) => return Err(Problem::bad("`granularity` must be a text")),
    };
    if interval.length() / step > 1_500 {
        return Err(Problem::constraint("`granularity` makes more than 1500 intervals"));
    }
    Ok(step)
}

fn period(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    let hours = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(hours.as_millis()).ok().filter(|step| *step >= 60_000)
}

/// An instant; without an offset it is UTC.
pub(super) fn instant(text: &str) -> Option<i64> {
    let stated = text.parse::<Timestamp>().ok();
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    stated.or_else(|| civil().map(|zoned| zoned.timestamp())).map(Timestamp::as_millisecond)
}

/// An instant of the second dialect: also `now` and `now-<n><m|h|d|w>`.
pub(super) fn relative(text: &str, now: i64) -> Option<i64> {
    let Some(rest) = text.strip_prefix("now") else {
        return instant(text);
    };
    if rest.is_empty() {
        return Some(now);
    }
    let rest = rest.strip_prefix('-')?;
    let unit = match rest.chars().last()? {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let count: u32 = rest.strip_suffix(|_: char| true)?.parse().ok()?;
    Some(now - i64::from(count) * unit)
}

/// As the upstream writes instants: `2026-11-20T10:00:00.000Z`.
pub(super) fn show(millis: i64) -> String {
    let instant = Timestamp::from_millisecond(millis).unwrap_or_default();
    instant.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(text: &str) -> Result<Interval, Problem> {
        Interval::of(&json!({ "interval": text }))
    }

    #[test]
    fn intervals_are_read_and_written() {
        let interval = of("2026-11-19T01:00:00+01:00/2026-11-20T00:00:00").unwrap();
        assert_eq!(interval.text(), "2026-11-19T00:00:00.000Z/2026-11-20T00:00:00.000Z");
        assert_eq!(interval.days(), interval);
        let short = of("2026-11-19T13:00:00.000Z/2026-11-20T00:00:00.001Z").unwrap();
        assert_eq!(short.days().text(), "2026-11-19T00:00:00.000Z/2026-11-21T00:00:00.000Z");
        for wrong in ["", "x/y", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z/2026-11-20T00:00:00Z"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn periods_and_relative_instants() {
        assert_eq!(period("P1D"), Some(DAY));
        assert_eq!(period("PT30M"), Some(1_800_000));
        assert_eq!(period("PT0S"), None);
        assert_eq!(relative("now-2w", 15 * DAY), Some(DAY));
        assert_eq!(relative("now", 5), Some(5));
        assert_eq!(relative("now-", 5), None);
        assert_eq!(relative("now-1y", 5), None);
        assert_eq!(relative("nowhere", 5), None);
    }
}
