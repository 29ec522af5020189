//! What an answer says of where its time went: `Server-Timing`.

use http::HeaderMap;
use std::time::Duration;

const SERVER_TIMING: &str = "server-timing";

/// Names and durations (milliseconds in the header), in the order they stand in.
pub(super) fn read(headers: &HeaderMap) -> Vec<(String, Duration)> {
    let lines = headers.get_all(SERVER_TIMING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(entry).collect()
}

fn entry(text: &str) -> Option<(String, Duration)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let millis: f64 = parts.find_map(|part| part.strip_prefix("dur="))?.parse().ok()?;
    let took = Duration::try_from_secs_f64(millis / 1e3).ok()?;
    Some((name.to_owned(), took))
}
