//! Regions, divisions and folders of the sample.

use serde_json::{Value, json};

pub(super) const US: &str = "us-east-1";
pub(super) const EU: &str = "eu-west-1";

/// Line of business -> the access group that its folder's read list names.
pub(super) const READERS: [(&str, &str, &str); 10] = [
    ("f-payments", "Payments", "g-read-payments"),
    ("f-claims", "Claims", "g-read-claims"),
    ("f-sales", "Sales", "g-read-sales"),
    ("f-service", "Service", "g-read-service"),
    ("f-retail", "Retail", "g-read-retail"),
    ("f-fraud", "Fraud", "g-read-fraud"),
    ("f-reporting", "Reporting", "g-read-reporting"),
    ("f-acme", "Acme", "g-read-acme"),
    ("f-eu-payments", "Payments EU", "g-read-eu"),
    ("f-eu-other", "Sales and service EU", "g-read-eu"),
];

pub(super) fn regions() -> Value {
    json!([
        { "id": US, "upstream": "http://127.0.0.1:0", "hosts": ["api.us-east-1.example"] },
        { "id": EU, "upstream": "http://127.0.0.1:0", "hosts": ["api.eu-west-1.example"] },
    ])
}

pub(super) fn divisions() -> Value {
    let leaf = |id: &str, name: &str, parent: &str, region: &str| json!({ "id": id, "name": name, "parent": parent, "region": region });
    json!([
        { "id": "d-us", "name": "United States", "region": US },
        leaf("d-payments-us", "Payments US", "d-us", US),
        leaf("d-claims-us", "Claims US", "d-us", US),
        leaf("d-sales-us", "Sales US", "d-us", US),
        leaf("d-service-us", "Service US", "d-us", US),
        leaf("d-retail-us", "Retail US", "d-us", US),
        leaf("d-fraud-us", "Fraud US", "d-us", US),
        { "id": "d-reporting-us", "name": "Shared reporting US", "parent": "d-us", "region": US, "shared": true },
        leaf("d-bpo-acme", "Acme Outsourcing", "d-us", US),
        leaf("d-bpo-acme-voice", "Acme voice", "d-bpo-acme", US),
        leaf("d-bpo-acme-chat", "Acme chat", "d-bpo-acme", US),
        { "id": "d-eu", "name": "Europe", "region": EU },
        leaf("d-payments-eu", "Payments EU", "d-eu", EU),
        leaf("d-sales-eu", "Sales EU", "d-eu", EU),
        leaf("d-service-eu", "Service EU", "d-eu", EU),
    ])
}

pub(super) fn folders() -> Value {
    let mut all = vec![
        // no list: a queue that stands here itself is closed
        json!({ "id": "f-us", "name": "United States" }),
        json!({ "id": "f-eu", "name": "Europe" }),
    ];
    for (id, name, readers) in READERS {
        let parent = if id.starts_with("f-eu") { "f-eu" } else { "f-us" };
        all.push(json!({ "id": id, "name": name, "parent": parent, "readList": [readers], "propagate": true }));
    }
    // reached by the list of `f-payments`, which propagates
    all.push(json!({ "id": "f-payments-special", "name": "Special cases", "parent": "f-payments" }));
    // a list of its own decides alone: readers of `f-service` stay out unless they are named here
    all.push(json!({ "id": "f-service-priority", "name": "Priority", "parent": "f-service", "readList": ["g-read-priority"] }));
    Value::Array(all)
}
