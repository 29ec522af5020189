//! The questions of the tour, as a report tool would write them.

use super::{ask::Asked, set_up::DAY};
use jiff::Timestamp;
use serde_json::{Value, json};

const DETAILS: &str = "/api/v2/analytics/conversations/details/query";

/// The week and the day that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Dates {
    from: Timestamp,
    yesterday: Timestamp,
    until: Timestamp,
}

impl Dates {
    /// Whole days before `now`.
    pub(super) fn before(now: Timestamp) -> Self {
        let until = Timestamp::from_second(now.as_second().div_euclid(DAY.as_secs()) * DAY.as_secs()).unwrap_or(now);
        Self { from: until - DAY * 7, yesterday: until - DAY, until }
    }

    pub(super) fn week(&self) -> String {
        format!("{}/{}", self.from, self.until)
    }

    /// Conversation aggregates of the week.
    pub(super) fn aggregates(&self, group: &str, filter: Option<Value>) -> Asked {
        let mut body = json!({ "interval": self.week(), "groupBy": [group], "metrics": ["nConnected", "tHandle"] });
        put(&mut body, "filter", filter);
        post("/api/v2/analytics/conversations/aggregates/query", body)
    }

    /// Conversations of the week.
    pub(super) fn week_of_details(&self) -> Asked {
        post(DETAILS, json!({ "interval": self.week(), "paging": { "pageSize": 100, "pageNumber": 1 } }))
    }

    /// Conversations of one day that have a segment of this kind.
    pub(super) fn day_of_details(&self, segment: &Value) -> Asked {
        let interval = format!("{}/{}", self.yesterday, self.until);
        let paging = json!({ "pageSize": 100, "pageNumber": 1 });
        post(DETAILS, json!({ "interval": interval, "segmentFilters": [segment], "paging": paging }))
    }

    /// A report definition over the week, with one predicate.
    pub(super) fn report(&self, name: &str, (dimension, operator, values): (&str, &str, &[String])) -> Asked {
        let predicate = json!({ "dimension": dimension, "operator": operator, "values": values });
        let query = json!({
            "dateFrom": self.from.to_string(), "dateTo": self.until.to_string(), "groupBy": ["queueId"],
            "aggregations": [{ "dimension": "handleTime", "function": "COUNT" }],
            "filter": { "type": "AND", "predicates": [predicate] },
        });
        post("/api/v2/analytics/query", json!({ "name": name, "query": query }))
    }
}

fn put(body: &mut Value, member: &str, value: Option<Value>) {
    if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
        body.insert(member.to_owned(), value);
    }
}

fn post(target: &str, body: Value) -> Asked {
    Asked { method: "POST".to_owned(), target: target.to_owned(), body: Some(body) }
}

pub(super) fn get(target: &str) -> Asked {
    Asked { method: "GET".to_owned(), target: target.to_owned(), body: None }
}

pub(super) fn is(dimension: &str, value: &str) -> Value {
    json!({ "dimension": dimension, "value": value })
}

pub(super) fn and(predicates: &[Value]) -> Value {
    json!({ "type": "and", "predicates": predicates })
}

pub(super) fn or_of(clauses: &[Value]) -> Value {
    json!({ "type": "or", "clauses": clauses })
}
