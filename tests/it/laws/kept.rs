//! What of a question is kept in records: nothing that a mask hides in answers, and all that a proof needs.

use super::{named, program};
use crate::oracle::{generate::MONDAY, questions::Kind};
use bailiwick::{
    decision::{self, Decided},
    model::{
        body::{Dimension, FieldKind},
        contract::Method,
        outgoing::Outgoing,
    },
    query::hide::hide,
    verify,
};
use serde_json::{Value, json};
use std::sync::Arc;

const NUMBER: &str = "tel:+15550177";
const NOW: i64 = MONDAY + 3 * 86_400;
const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

fn kept(line: &str, body: &Value) -> Option<Value> {
    let (verb, path) = line.split_once(' ').unwrap();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let operation = program::rules().find(Method::named(verb).unwrap(), &segments).unwrap().0;
    hide(operation, body.to_string().as_bytes()).map(|kept| program::text(&kept))
}

#[test]
fn numbers_and_names_of_customers_are_not_kept() {
    let create = "POST /api/v2/conversations/callbacks";
    let body = |numbers: Value, name: &str| json!({ "queueId": "q-1", "callbackNumbers": numbers, "callbackUserName": name, "countryCode": "US" });
    assert_eq!(kept(create, &body(json!([NUMBER, "2"]), "Mrs Miller")), Some(body(json!(["***", "***"]), "***")));
    let many = |number: &str| json!({ "patchCallbackRequests": [{ "conversationId": "c-1", "callbackNumbers": [number] }, { "conversationId": "c-2", "queueId": "q" }] });
    assert_eq!(kept("POST /api/v2/conversations/callbacks/bulk/update", &many(NUMBER)), Some(many("***")));
    let plain = json!({ "queueId": "q-1" });
    assert_eq!(kept(create, &plain), None, "what hides nothing is kept as it was written");
}

#[test]
fn values_of_masked_dimensions_are_not_kept_wherever_they_stand() {
    let details = "POST /api/v2/analytics/conversations/details/query";
    for name in ["ani", "ANI", "Dnis"] {
        let asked = |number: &str| {
            json!({ "interval": WEEK, "segmentFilters": [
                { "type": "and", "predicates": [{ "dimension": "queueId", "value": "q-1" }, { "dimension": name, "value": number }], "clauses": [
                    { "type": "or", "predicates": [{ "type": "dimension", "dimension": name, "operator": "matches", "value": number }] },
                ] },
            ] })
        };
        assert_eq!(kept(details, &asked(NUMBER)), Some(asked("***")), "{name}");
    }
    let other = json!({ "interval": WEEK, "segmentFilters": [{ "type": "and", "predicates": [{ "dimension": "wrapUpCode", "value": NUMBER }] }] });
    assert_eq!(kept(details, &other), None);
}

/// Every shipped body whose filters know a masked dimension.
#[test]
fn every_shipped_filter_hides_its_masked_dimensions() {
    let mut seen = 0;
    for operation in &program::rules().operations {
        let Some(model) = operation.body() else { continue };
        for field in &model.fields {
            let (FieldKind::Filter(filter) | FieldKind::Filters(filter)) = &field.kind else { continue };
            for (name, _) in filter.dimensions.iter().filter(|(_, kind)| **kind == Dimension::Masked) {
                let predicate = json!({ "dimension": name, "value": NUMBER });
                let said = [json!({ "predicates": [predicate] }), json!([{ "predicates": [predicate] }])];
                // the dialect of documents names the field itself
                let under = json!({ "bool": { "filter": [{ "terms": { &**name: [NUMBER, "x"] } }, { "term": { &**name: { "value": NUMBER } } }] } });
                for value in said.into_iter().chain([under]) {
                    let body = json!({ &*field.name: value }).to_string();
                    let kept = hide(operation, body.as_bytes()).unwrap_or_else(|| panic!("{}: {body}", operation.id));
                    let kept = String::from_utf8(kept).unwrap();
                    assert!(!kept.contains(NUMBER) && kept.contains("***"), "{}: {kept}", operation.id);
                    seen += 1;
                }
            }
        }
    }
    println!("{seen} filters on masked dimensions are kept without their values");
    assert!(seen > 50);
}

/// What is kept of a forwarded question is proved like what was sent: the mask of whoever asked was lifted.
#[test]
fn what_is_kept_is_proved_as_what_was_sent() {
    let mut file = named::file();
    let contacts =
        json!({ "id": "contacts", "permissions": [{ "permission": "externalContacts:contact:view", "scope": "all" }] });
    file["roles"].as_array_mut().unwrap().push(contacts);
    let dora = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "dora").unwrap();
    let held: Vec<Value> = dora["roles"].as_array().unwrap().clone();
    for role in held {
        let lift = json!({ "role": "contacts", "division": role["division"] });
        dora["roles"].as_array_mut().unwrap().push(lift);
    }
    let org = program::org(&file.to_string()).unwrap();
    let world = program::world(&org);
    let scope = Arc::new(program::scope(&world, "dora", Kind::Details, NOW).unwrap());
    let asked = json!({ "interval": WEEK, "segmentFilters": [{ "type": "and", "predicates": [{ "dimension": "ani", "value": NUMBER }] }] });
    let question = program::question(Kind::Details, asked.to_string().as_bytes());
    let decided = decision::decide(&world, &scope, &question, program::at(NOW)).unwrap();
    let Decided::Forward(forward) = decided else { panic!("nothing is answered here") };
    let sent = forward.verified.outgoing();
    let kept = hide(&question.operation, sent.body.as_deref().unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains(NUMBER));
    let again = Outgoing { body: Some(kept.into()), ..sent.clone() };
    let residual = forward.verified.residual().clone();
    let proved = verify::check(&question.operation.contract, again, residual, &scope, &org, program::at(NOW)).unwrap();
    assert_eq!(proved.certificate(), forward.verified.certificate());
}
