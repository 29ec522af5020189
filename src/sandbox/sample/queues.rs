//! Queues of the sample.

use super::people::Person;
use serde_json::{Value, json};

/// id, name, division, folder, traits (a comma-free word each).
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const QUEUES: [Row; 53] = [
    ("q-pay-cards", "Cards", "d-payments-us", "f-payments", &[]),
    ("q-pay-disputes", "Disputes", "d-payments-us", "f-payments", &[]),
    ("q-pay-refunds", "Refunds", "d-payments-us", "f-payments", &[]),
    ("q-pay-loans", "Loans", "d-payments-us", "f-payments", &[]),
    ("q-pay-chat", "Payments chat", "d-payments-us", "f-payments", &[]),
    ("q-pay-hardship", "Hardship", "d-payments-us", "f-payments-special", &[]),
    ("q-pay-vip", "Payments VIP", "d-payments-us", "f-payments-special", &["restricted"]),
    ("q-pay-wire", "Wire transfers", "d-payments-us", "f-payments", &["moved"]),
    ("q-pay-old", "Cheques", "d-payments-us", "f-payments", &["archived"]),
    ("q-pay-legacy", "Telex", "d-payments-us", "f-payments", &["deleted"]),
    ("q-claims-motor", "Motor", "d-claims-us", "f-claims", &[]),
    ("q-claims-home", "Home", "d-claims-us", "f-claims", &[]),
    ("q-claims-travel", "Travel", "d-claims-us", "f-claims", &[]),
    ("q-claims-life", "Life", "d-claims-us", "f-claims", &[]),
    ("q-claims-intake", "Intake", "d-claims-us", "f-claims", &[]),
    // its own list is empty: nobody reads it
    ("q-claims-legal", "Legal", "d-claims-us", "f-claims", &["closed"]),
    ("q-sales-new", "New business", "d-sales-us", "f-sales", &[]),
    ("q-sales-renewals", "Renewals", "d-sales-us", "f-sales", &[]),
    ("q-sales-upsell", "Upsell", "d-sales-us", "f-sales", &[]),
    ("q-sales-partners", "Partners", "d-sales-us", "f-sales", &[]),
    ("q-sales-vip", "Sales VIP", "d-sales-us", "f-sales", &["restricted"]),
    ("q-sales-old", "Door to door", "d-sales-us", "f-sales", &["archived"]),
    ("q-svc-care", "Customer care", "d-service-us", "f-service", &[]),
    ("q-svc-email", "E-mail", "d-service-us", "f-service", &[]),
    ("q-svc-chat", "Chat", "d-service-us", "f-service", &[]),
    ("q-svc-tech", "Technical help", "d-service-us", "f-service", &[]),
    ("q-svc-blue", "Blue team line", "d-service-us", "f-service", &[]),
    ("q-svc-priority", "Priority", "d-service-us", "f-service-priority", &[]),
    ("q-svc-closed", "Fax", "d-service-us", "f-service", &["deleted"]),
    ("q-retail-stores", "Stores", "d-retail-us", "f-retail", &[]),
    ("q-retail-web", "Web shop", "d-retail-us", "f-retail", &[]),
    ("q-retail-returns", "Returns", "d-retail-us", "f-retail", &[]),
    ("q-retail-loyalty", "Loyalty", "d-retail-us", "f-retail", &[]),
    ("q-fraud-vip", "Fraud VIP", "d-fraud-us", "f-fraud", &["restricted", "vip-desk"]),
    ("q-fraud-watch", "Watch list", "d-fraud-us", "f-fraud", &[]),
    ("q-fraud-cards", "Card fraud", "d-fraud-us", "f-fraud", &[]),
    ("q-fraud-identity", "Identity", "d-fraud-us", "f-fraud", &[]),
    ("q-fraud-old", "Cheque fraud", "d-fraud-us", "f-fraud", &["archived"]),
    ("q-rep-daily", "Daily copies", "d-reporting-us", "f-reporting", &[]),
    (
        // stands above every list that propagates: closed
        "q-rep-monthly",
        "Monthly copies",
        "d-reporting-us",
        "f-us",
        &[],
    ),
    ("q-acme-voice-care", "Acme care", "d-bpo-acme-voice", "f-acme", &[]),
    ("q-acme-voice-orders", "Acme orders", "d-bpo-acme-voice", "f-acme", &[]),
    // served by outsourcers and by own agents
    ("q-acme-voice-shared", "Acme overflow", "d-bpo-acme-voice", "f-acme", &["acme-group", "both-read"]),
    ("q-acme-chat-care", "Acme chat care", "d-bpo-acme-chat", "f-acme", &[]),
    ("q-acme-chat-sales", "Acme chat sales", "d-bpo-acme-chat", "f-acme", &[]),
    ("q-eu-pay-cards", "Cards EU", "d-payments-eu", "f-eu-payments", &[]),
    ("q-eu-pay-disputes", "Disputes EU", "d-payments-eu", "f-eu-payments", &[]),
    ("q-eu-pay-vip", "Payments VIP EU", "d-payments-eu", "f-eu-payments", &["restricted"]),
    ("q-eu-sales-new", "New business EU", "d-sales-eu", "f-eu-other", &[]),
    ("q-eu-sales-renewals", "Renewals EU", "d-sales-eu", "f-eu-other", &[]),
    ("q-eu-svc-care", "Care EU", "d-service-eu", "f-eu-other", &[]),
    ("q-eu-svc-chat", "Chat EU", "d-service-eu", "f-eu-other", &[]),
    ("q-eu-svc-old", "Letters EU", "d-service-eu", "f-eu-other", &["archived"]),
];

pub(super) fn queues(people: &[Person]) -> Value {
    QUEUES.iter().map(|row| queue(row, people)).collect()
}

fn queue((id, name, division, folder, traits): &Row, people: &[Person]) -> Value {
    let mut members: Vec<&str> = people
        .iter()
        .filter(|person| person.queues.iter().any(|queue| queue == id))
        .map(|person| person.id.as_str())
        .collect();
    if *id == "q-acme-voice-shared" {
        members.extend(
            people
                .iter()
                .filter(|person| person.agent && person.division == "d-service-us")
                .map(|person| person.id.as_str())
                .take(3),
        );
    }
    if matches!(*id, "q-pay-vip" | "q-sales-vip" | "q-eu-pay-vip") {
        members.extend(
            people
                .iter()
                .filter(|person| person.agent && person.division == *division)
                .map(|person| person.id.as_str())
                .take(2),
        );
    }
    let mut queue = json!({ "id": id, "name": name, "division": division, "members": members, "folder": folder });
    let Some(fields) = queue.as_object_mut() else {
        return queue;
    };
    for word in *traits {
        match *word {
            "archived" | "deleted" => fields.insert("state".into(), json!(word)),
            "vip-desk" => fields.insert("memberGroups".into(), json!(["g-fraud-vip-desk"])),
            "acme-group" => fields.insert("memberGroups".into(), json!(["g-acme-voice"])),
            "both-read" => fields.insert("readList".into(), json!(["g-read-acme", "g-read-service"])),
            "closed" => fields.insert("readList".into(), json!([])),
            "moved" => {
                fields.insert(
                    "attributes".into(),
                    json!({ "movedFrom": "d-sales-us", "movedAt": "2026-11-08T00:00:00Z" }),
                );
                fields.insert("moved".into(), json!(true))
            }
            other => fields.insert(other.into(), json!(true)),
        };
    }
    queue
}
