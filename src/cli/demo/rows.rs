//! What an answer amounts to: how many rows, and how many legs stand behind them.

use serde::Serialize;
use serde_json::Value;

/// Where the rows of an answer stand and what is summed up in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Measure {
    /// Groups of a conversation aggregate, with `nConnected`.
    Connected,
    /// Rows of a report definition, with `COUNT(handleTime)`.
    Handled,
    /// Conversations, page by page, and their legs.
    Conversations,
    /// Entities of a list.
    Entities,
}

impl Measure {
    /// Of the answer to a request for this target.
    pub(super) fn of(target: &str) -> Self {
        match target {
            "/api/v2/analytics/query" => Self::Handled,
            target if target.ends_with("/details/query") => Self::Conversations,
            target if target.ends_with("/aggregates/query") => Self::Connected,
            _ => Self::Entities,
        }
    }

    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Connected => ("groups", "connected legs"),
            Self::Handled => ("rows", "handled legs"),
            Self::Conversations => ("conversations", "legs"),
            Self::Entities => ("entities", ""),
        }
    }

    fn member(self) -> &'static str {
        match self {
            Self::Connected => "results",
            Self::Handled => "rows",
            Self::Conversations => "conversations",
            Self::Entities => "entities",
        }
    }

    /// Rows of one answer, or of one page.
    pub(super) fn rows(self, answer: &Value) -> Vec<Value> {
        let mut rows = answer.get(self.member()).and_then(Value::as_array).cloned().unwrap_or_default();
        // Parts that belong to nobody follow an interaction masked; they are no legs.
        if self == Self::Conversations {
            rows = rows.iter().map(|row| Value::from(legs(row))).collect();
        }
        rows
    }
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Count {
    pub(super) rows: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) legs: Option<i64>,
    /// The rows themselves, which have to be the same and not only as many.
    #[serde(skip)]
    content: Vec<Value>,
}

impl Count {
    pub(super) fn of(measure: Measure, mut rows: Vec<Value>) -> Self {
        let legs = match measure {
            Measure::Connected => Some(rows.iter().map(connected).sum()),
            Measure::Handled => {
                Some(rows.iter().filter_map(|row| row.pointer("/values/COUNT(handleTime)")?.as_i64()).sum())
            }
            Measure::Conversations => Some(rows.iter().map(|legs| legs.as_array().map_or(0, Vec::len)).sum::<usize>())
                .and_then(|legs| i64::try_from(legs).ok()),
            Measure::Entities => None,
        };
        if measure == Measure::Entities {
            rows = rows.iter().map(|row| row.get("id").cloned().unwrap_or_default()).collect();
        }
        rows.sort_by_key(Value::to_string);
        Self { rows: rows.len(), legs, content: rows }
    }

    /// As the upstream counts, where its rows are not fetched.
    pub(super) fn total(rows: usize) -> Self {
        Self { rows, legs: None, content: Vec::new() }
    }
}

fn connected(row: &Value) -> i64 {
    let metrics = row.pointer("/data").and_then(Value::as_array).into_iter().flatten();
    let metrics = metrics.filter_map(|data| data.get("metrics")?.as_array()).flatten();
    metrics
        .filter(|metric| metric.get("metric").and_then(Value::as_str) == Some("nConnected"))
        .filter_map(|metric| metric.pointer("/stats/count")?.as_i64())
        .sum()
}

/// Conversation, agent, queue and time of each leg.
fn legs(row: &Value) -> Vec<Value> {
    let list =
        |value: &'_ Value, member: &str| value.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut legs = Vec::new();
    for participant in list(row, "participants") {
        for session in list(&participant, "sessions") {
            for segment in list(&session, "segments") {
                let (agent, queue) = (participant.get("userId"), segment.get("queueId"));
                if agent.is_some() || queue.is_some() {
                    legs.push(serde_json::json!([
                        row.get("conversationId"),
                        agent,
                        queue,
                        segment.get("segmentStart"),
                        segment.get("segmentEnd")
                    ]));
                }
            }
        }
    }
    legs
}
