//! The questions that can be asked: a closed list, none of which changes anything.

use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

/// One question to the upstream.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask {
    /// Interactions with their segments.
    Details(Value),
    /// Numbers of interactions.
    Aggregates(Value),
    /// People with their spans of presence.
    People(Value),
    /// People that fit criteria.
    Found(Value),
    List(List, Vec<(Box<str>, String)>),
    /// What is known of the recordings of an interaction, or of one of them, without what was said. Ids are plain.
    Metadata {
        interaction: String,
        recording: Option<String>,
    },
}

/// Whether an id can stand in a path as it is.
pub(super) fn is_plain(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    (1..=100).contains(&id.len()) && id.chars().all(plain)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Queues,
    Users,
    Divisions,
}

impl List {
    pub(super) const ALL: [Self; 3] = [Self::Queues, Self::Users, Self::Divisions];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Queues => "queues",
            Self::Users => "users",
            Self::Divisions => "divisions",
        }
    }

    /// Entities of these ids.
    pub(super) fn of(self, ids: &[&str]) -> Ask {
        Ask::List(self, vec![("id".into(), ids.join(",")), ("pageSize".into(), "25".to_owned())])
    }

    pub(super) fn first_page(self) -> Ask {
        Ask::List(self, vec![("pageSize".into(), "25".to_owned()), ("pageNumber".into(), "1".to_owned())])
    }
}

impl Ask {
    /// Where it is asked.
    pub(super) fn target(&self) -> String {
        match self {
            Self::Metadata { interaction, recording } => {
                let one = recording.as_ref().map(|id| format!("/{id}")).unwrap_or_default();
                format!("/api/v2/conversations/{interaction}/recordingmetadata{one}")
            }
            _ => self.path().to_owned(),
        }
    }

    /// Whether that nothing is there is an answer.
    pub(super) fn may_be_missing(&self) -> bool {
        matches!(self, Self::Metadata { recording: Some(_), .. })
    }

    /// Whether it is answered with a list and nothing around it.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::Metadata { recording: None, .. })
    }

    /// The same in words that name nobody.
    pub(super) fn path(&self) -> &'static str {
        match self {
            Self::Details(_) => "/api/v2/analytics/conversations/details/query",
            Self::Aggregates(_) => "/api/v2/analytics/conversations/aggregates/query",
            Self::People(_) => "/api/v2/analytics/users/details/query",
            Self::Found(_) => "/api/v2/users/search",
            Self::List(List::Queues, _) => "/api/v2/routing/queues",
            Self::List(List::Users, _) => "/api/v2/users",
            Self::List(List::Divisions, _) => "/api/v2/authorization/divisions",
            Self::Metadata { .. } => "/api/v2/conversations/{conversationId}/recordingmetadata",
        }
    }

    pub(super) fn body(&self) -> Option<String> {
        match self {
            Self::Details(body) | Self::Aggregates(body) | Self::People(body) | Self::Found(body) => {
                Some(body.to_string())
            }
            Self::List(..) | Self::Metadata { .. } => None,
        }
    }

    pub(super) fn params(&self) -> &[(Box<str>, String)] {
        if let Self::List(_, params) = self { params } else { &[] }
    }

    /// Interactions that started on the days of `span`, at most a hundred.
    pub(super) fn interactions(span: Span, filters: &[(&str, Vec<Value>)]) -> Self {
        Self::Details(filtered(span, 100, 1, filters))
    }

    pub(super) fn page_of_interactions(span: Span, size: u32, number: u64) -> Self {
        Self::Details(filtered(span, size, number, &[]))
    }

    pub(super) fn people(span: Span, filters: &[(&str, Vec<Value>)]) -> Self {
        Self::People(filtered(span, 25, 1, filters))
    }

    /// People by criteria, each of which lists ids.
    pub(super) fn found(criteria: &[&[&str]]) -> Self {
        let criterion = |ids: &&[&str]| json!({ "type": "TERMS", "fields": ["id"], "values": ids, "operator": "AND" });
        Self::Found(json!({ "query": criteria.iter().map(criterion).collect::<Vec<_>>(), "pageSize": 25 }))
    }

    /// Numbers of the legs that satisfy all predicates.
    pub(super) fn numbers(span: Span, predicates: &[(&str, &str)], group_by: &[&str]) -> Self {
        Self::numbers_of(&METRICS, span, predicates, group_by)
    }

    /// The same of these metrics.
    pub(super) fn numbers_of(metrics: &[&str], span: Span, predicates: &[(&str, &str)], group_by: &[&str]) -> Self {
        Self::Aggregates(json!({
            "interval": span.text(), "groupBy": group_by, "metrics": metrics, "filter": entry(predicates),
        }))
    }
}

/// Metrics of an interaction that a leg may carry: offered to a queue, and answered by somebody.
const METRICS: [&str; 4] = ["nOffered", "nConnected", "tTalk", "tHandle"];

fn filtered(span: Span, size: u32, number: u64, filters: &[(&str, Vec<Value>)]) -> Value {
    let mut body = json!({ "interval": span.text(), "paging": { "pageSize": size, "pageNumber": number } });
    for (array, entries) in filters {
        if let Some(members) = body.as_object_mut() {
            members.insert((*array).to_owned(), Value::Array(entries.clone()));
        }
    }
    body
}

/// A filter of which every predicate must hold.
pub(super) fn entry(predicates: &[(&str, &str)]) -> Value {
    let predicate = |(dimension, value): &(&str, &str)| json!({ "dimension": dimension, "value": value });
    json!({ "type": "and", "predicates": predicates.iter().map(predicate).collect::<Vec<_>>() })
}

/// A time with two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl Span {
    /// The day (UTC) on which something started.
    pub(super) fn day_of(instant: Timestamp) -> Option<Self> {
        let from = day(instant)?;
        Some(Self { from, until: from.checked_add(DAY).ok()? })
    }

    /// Whole days around something, and one more.
    pub(super) fn around(start: Timestamp, end: Timestamp) -> Option<Self> {
        let until = day(end)?.checked_add(DAY).ok()?.checked_add(DAY).ok()?;
        Some(Self { from: day(start)?, until })
    }

    pub(super) fn text(self) -> String {
        format!("{}/{}", self.from, self.until)
    }
}

pub(super) fn day(instant: Timestamp) -> Option<Timestamp> {
    let round = jiff::TimestampRound::new().smallest(Unit::Hour).increment(24).mode(jiff::RoundMode::Floor);
    instant.round(round).ok()
}
