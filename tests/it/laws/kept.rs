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
    let label = |value: &str| {
        let property = |name: &str| json!({ "property": name, "propertyType": "string", "value": value });
        json!({ "sessionId": "s-1", "targetDate": "2026-11-20T09:00:00Z", "properties": [property("offer"), property("size")] })
    };
    let put = "POST /api/v2/analytics/conversations/c-1/details/properties";
    assert_eq!(kept(put, &label(NUMBER)), Some(label("***")), "which label it was, and not what it says");
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

/// However long or deep a body may be by the configuration, its masked values are hidden; of what cannot be read, nothing is kept.
#[test]
fn no_length_or_depth_keeps_a_masked_value() {
    let create = "POST /api/v2/conversations/callbacks";
    let long = json!({ "queueId": "q-1", "callbackNumbers": [NUMBER], "countryCode": "x".repeat(2 << 20) });
    let due = json!({ "queueId": "q-1", "callbackNumbers": ["***"], "countryCode": "x".repeat(2 << 20) });
    assert!(kept(create, &long) == Some(due), "a long body");
    let many = json!({ "queueId": "q-1", "callbackNumbers": vec![NUMBER; 70_000] });
    assert!(!kept(create, &many).unwrap().to_string().contains(NUMBER), "a body of many values");
    let details = "POST /api/v2/analytics/conversations/details/query";
    let nested = |deep: usize| {
        let inner = json!({ "predicates": [{ "dimension": "ani", "value": NUMBER }] });
        let filter = (0..deep).fold(inner, |inner, _| json!({ "clauses": [inner] }));
        json!({ "interval": WEEK, "segmentFilters": [filter] }).to_string()
    };
    let operation = |line: &str| {
        let (_, path) = line.split_once(' ').unwrap();
        program::rules().find(Method::Post, &path.trim_start_matches('/').split('/').collect::<Vec<_>>()).unwrap().0
    };
    for deep in [20, 40, 60, 70, 500] {
        let kept = hide(operation(details), nested(deep).as_bytes()).expect("something is hidden");
        let kept = String::from_utf8(kept).unwrap();
        assert!(!kept.contains(NUMBER) && kept.contains("***"), "{deep}: {kept}");
        assert_eq!(kept == "\"***\"", deep >= 70, "{deep}");
    }
    for broken in
        [format!("{{\"callbackNumbers\":[\"{NUMBER}\"]"), format!("[\"{NUMBER}\",]"), format!("\u{feff}{NUMBER}")]
    {
        assert_eq!(hide(operation(create), broken.as_bytes()).as_deref(), Some(&b"\"***\""[..]), "{broken}");
        // a search of people masks nothing
        assert_eq!(hide(operation("POST /api/v2/users/search"), broken.as_bytes()), None, "{broken}");
    }
}

/// The second reader's own judgement of what is kept: every id in it, wherever it stands, and nothing that it does not know.
#[test]
fn what_is_kept_is_shown_when_every_id_is_inside() {
    let org = program::org(&named::file().to_string()).unwrap();
    let world = program::world(&org);
    let report = |division: Value, filter: Value| {
        json!({ "name": "n", "divisionId": division, "query": {
            "dateFrom": "now-7d", "dateTo": "now", "groupBy": ["queueId"], "filter": filter,
            "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
        } })
    };
    let says = |dimension: &str, values: Value| json!({ "type": "AND", "predicates": [{ "dimension": dimension, "operator": "IN", "values": values }] });
    let shown = |person: &str, body: &Value| {
        let scope = program::scope(&world, person, Kind::Platform, NOW).unwrap();
        let contract = &program::operation(Kind::Platform).contract;
        verify::check_shown(contract, body.to_string().as_bytes(), &scope, &org, program::at(NOW)).is_ok()
    };
    let mut judged = 0;
    let mut holds = |person: &str, body: Value, due: bool| {
        assert_eq!(shown(person, &body), due, "{person}: {body}");
        judged += 1;
    };
    for (person, dimension, values, due) in [
        ("sofia", "queueId", json!(["cards"]), true),
        ("sofia", "QUEUEID", json!(["cards", "loans"]), true),
        ("sofia", "queueId", json!(["${user.queueIds}", "cards"]), true),
        ("sofia", "queueId", json!(["cards", "fraud"]), false),
        ("sofia", "queueId", json!(["${user.queueIds}", "motor"]), false),
        ("sofia", "queueId", json!(["${user.motor-1}"]), false),
        ("sofia", "queueid", json!(["invented"]), false),
        ("sofia", "queueId", json!([["motor"]]), false),
        ("sofia", "queueId", json!([{ "id": "motor" }]), false),
        ("sofia", "agentId", json!(["ana"]), true),
        ("sofia", "userId", json!(["carl"]), false),
        ("sofia", "mediaType", json!(["voice"]), true),
        ("sofia", "unheardOf", json!(["motor"]), false),
        ("dora", "queueId", json!(["motor", "cards"]), true),
        ("dora", "queueId", json!(["cards-eu"]), false),
        ("bea", "queueId", json!(["cards"]), false),
    ] {
        let said = says(dimension, values);
        holds(person, report(json!("${user.divisionId}"), said.clone()), due);
        // under other filters, in either spelling
        holds(
            person,
            report(
                json!("${user.divisionId}"),
                json!({ "type": "or", "clauses": [{ "type": "And", "clauses": [said] }] }),
            ),
            due,
        );
    }
    let none = says("queueId", json!(["${user.queueIds}"]));
    holds("sofia", report(json!("pay"), none.clone()), true);
    holds("sofia", report(json!("claims"), none.clone()), false);
    let mut unknown = report(json!("pay"), none.clone());
    unknown["query"]["more"] = json!("motor");
    holds("sofia", unknown, false);
    let mut beside = none;
    beside["predicates"][0]["also"] = json!("motor");
    holds("sofia", report(json!("pay"), beside), false);
    holds("sofia", report(json!("pay"), json!({ "values": ["motor"] })), false);
    println!("{judged} kept questions judged");
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
                // a criterion of a search names fields, and a range by its ends
                let criterion = json!([{ "fields": ["other", name], "values": [NUMBER], "startValue": NUMBER }]);
                for value in said.into_iter().chain([under, criterion]) {
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
