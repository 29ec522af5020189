//! An upstream that knows no queue, through HTTP: cost centres carry the scope, in both dialects. What is due is counted
//! over the visible legs whose queue has a cost centre of its own, by the sandbox's SQL and once more in plain lines.

mod cases;
mod random;

use super::{
    house::{Heard, House, Plan, US, WEEK},
    truth::{Truth, path},
};
use crate::oracle::{questions::Kind, semantics::Entitlement};
use bailiwick::sandbox::{LegRow, sample};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "costCenter";
const BOTH: [Kind; 2] = [Kind::Platform, Kind::Aggregates];

/// What queues cost. Two pairs share a value (one across regions), one value is the id of another queue, two differ in
/// case alone, one is empty, and one holds what a writer would have to escape.
const VALUES: [(&str, &str); 18] = [
    ("q-pay-cards", "4100"),
    ("q-pay-disputes", "4200"),
    ("q-pay-refunds", "4300"),
    ("q-pay-wire", "4400"),
    ("q-claims-motor", "5100"),
    ("q-claims-home", "5200"),
    ("q-claims-life", "5400"),
    ("q-claims-intake", "5400"),
    ("q-claims-legal", "5500"),
    ("q-sales-new", "q-pay-cards"),
    ("q-sales-upsell", "50% \"upsell\" \\ höher"),
    ("q-sales-renewals", "renewals"),
    ("q-retail-web", "Renewals"),
    ("q-svc-care", "6100"),
    ("q-svc-chat", "6300"),
    ("q-eu-svc-chat", "6300"),
    ("q-eu-pay-cards", "4900"),
    ("q-eu-pay-disputes", ""),
];

fn directory() -> Value {
    let mut directory = sample::directory();
    for (queue, value) in VALUES {
        give(&mut directory, queue, value);
    }
    directory
}

fn give(directory: &mut Value, queue: &str, value: &str) {
    let all = directory["queues"].as_array_mut().unwrap();
    all.iter_mut().find(|one| one["id"] == queue).unwrap()["attributes"][NAME] = value.into();
}

/// Values that are of one queue alone, by their queue.
fn own(directory: &Value) -> BTreeMap<String, String> {
    let queues = directory["queues"].as_array().unwrap().iter();
    let all: Vec<(String, String)> = queues
        .filter_map(|one| Some((one["id"].as_str()?.to_owned(), one["attributes"][NAME].as_str()?.to_owned())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let alone = |value: &str| all.iter().filter(|(_, other)| other == value).count() == 1;
    all.iter().filter(|(_, value)| alone(value)).cloned().collect()
}

struct Bench {
    house: House,
    truth: Truth,
    own: BTreeMap<String, String>,
}

impl Bench {
    async fn new() -> Self {
        let files =
            vec![("cost/models.toml", include_str!("models.toml")), ("cost/rules.toml", include_str!("rules.toml"))];
        let house = House::of(Plan { own_rules: true, files, directory: directory(), ..Plan::default() }).await;
        let truth = Truth::of(&house.sandbox, &house.directory);
        let own = own(&house.directory);
        Self { house, truth, own }
    }

    async fn ask(&self, person: &str, kind: Kind, body: &Value) -> Heard {
        self.house.post(person, path(kind), body).await
    }

    fn scope(&self, person: &str, kind: Kind) -> Vec<Entitlement> {
        Truth::case(person, kind, &Value::Null).scope(&self.truth.directory)
    }

    /// Visible legs whose queue has a value of its own.
    fn view(&self, person: &str, kind: Kind, counts: impl Fn(&Entitlement) -> bool) -> Vec<&LegRow> {
        let mut scope = self.scope(person, kind);
        scope.retain(counts);
        let bound = |row: &&LegRow| row.queue.as_ref().is_some_and(|queue| self.own.contains_key(queue));
        let rows = self.truth.rows(person).iter().filter(bound);
        rows.filter(|row| self.truth.sees(person, &scope, row)).collect()
    }

    /// The asked question over that view, by SQL.
    fn due(&self, person: &str, kind: Kind, asked: &Value) -> Value {
        let (sandbox, region) = (&self.house.sandbox, self.truth.region(person));
        let legs: Vec<_> = self.view(person, kind, |_| true).iter().map(|row| row.id).collect();
        sandbox.mark_visible(region, &legs).unwrap();
        sandbox.evaluate_visible(region, path(kind), asked).unwrap()
    }

    /// The legs of that view that the week holds whole.
    fn in_the_week(&self, person: &str, kind: Kind) -> Vec<&LegRow> {
        let (from, until) = WEEK.split_once('/').unwrap();
        let (from, until): (Timestamp, Timestamp) = (from.parse().unwrap(), until.parse().unwrap());
        let mut rows = self.view(person, kind, |_| true);
        rows.retain(|row| row.start >= from && row.end <= until);
        rows
    }

    /// Interactions of the week by value, in plain lines: how many have a leg there in somebody's view.
    fn counted(&self, person: &str, kind: Kind) -> BTreeMap<String, u64> {
        let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for row in self.in_the_week(person, kind) {
            let value = self.own[row.queue.as_ref().unwrap()].clone();
            found.entry(value).or_default().insert(&row.conversation);
        }
        found.into_iter().map(|(value, all)| (value, all.len() as u64)).collect()
    }

    /// Whether a value stands for a queue of which something may be visible.
    fn stands(&self, person: &str, kind: Kind, value: &str) -> bool {
        let (case, scope) = (Truth::case(person, kind, &Value::Null), self.scope(person, kind));
        let inside = |queue: &str| case.queue_inside(&self.truth.directory, &scope, queue);
        self.own.iter().any(|(queue, own)| own == value && inside(queue))
    }

    /// The text of the last query that the upstream was asked.
    fn sent(&self) -> Value {
        let last = self.house.received(US).pop().expect("something was sent");
        std::str::from_utf8(&last.body).unwrap().parse().unwrap()
    }
}

/// A question about the week, with or without a filter.
fn question(kind: Kind, groups: &[&str], filter: Option<Value>) -> Value {
    let (from, until) = WEEK.split_once('/').unwrap();
    let mut body = match kind {
        Kind::Platform => json!({ "dateFrom": from, "dateTo": until, "groupBy": groups, "aggregations": [
            { "dimension": "interactions", "function": "COUNT" }, { "dimension": "handleTime", "function": "SUM" },
        ] }),
        _ => json!({ "interval": WEEK, "groupBy": groups, "metrics": ["nConversations", "tHandle"] }),
    };
    if let Some(filter) = filter {
        body["filter"] = filter;
    }
    if kind == Kind::Platform { json!({ "query": body }) } else { body }
}

/// The value is one of these, in the words of a dialect.
fn is(kind: Kind, values: &[&str]) -> Value {
    if kind == Kind::Platform {
        return json!({ "type": "AND", "predicates": [{ "dimension": NAME, "operator": "IN", "values": values }] });
    }
    let one = |value: &&str| json!({ "dimension": NAME, "value": value });
    json!({ "type": "or", "predicates": values.iter().map(one).collect::<Vec<_>>() })
}

fn member(kind: Kind) -> &'static str {
    if kind == Kind::Platform { "rows" } else { "results" }
}

/// Rows in an order of their own, whole.
fn rows(kind: Kind, answer: &Value) -> Vec<String> {
    let mut rows: Vec<String> = answer[member(kind)].as_array().unwrap().iter().map(ToString::to_string).collect();
    rows.sort();
    rows
}

/// How many interactions an answer shows for each value.
fn shown(kind: Kind, answer: &Value) -> BTreeMap<String, u64> {
    let count = |row: &Value| match kind {
        Kind::Platform => row["values"]["COUNT(interactions)"].as_u64(),
        _ => row["data"][0]["metrics"][0]["stats"]["count"].as_u64(),
    };
    let rows = answer[member(kind)].as_array().unwrap().iter();
    rows.map(|row| (row["group"][NAME].as_str().unwrap_or("none").to_owned(), count(row).unwrap())).collect()
}
