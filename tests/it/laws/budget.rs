//! Few bytes asked stay few bytes sent: every place where the scope is repeated counts, and a loss is told in few words.

use super::{
    named::{file, is, only_asked, organisation, wide},
    program::{Answered, Got},
};
use crate::oracle::questions::Kind;
use bailiwick::model::refusal::Code;
use serde_json::{Value, json};

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

fn answered(got: Got) -> (Answered, Value) {
    match got {
        Got::Answered(answered) => {
            let sent = answered.sent.as_deref().unwrap().parse().unwrap();
            (answered, sent)
        }
        Got::Refused { code, message } => panic!("{}: {message}", code.as_str()),
    }
}

fn is_too_complex(got: &Got) {
    match got {
        Got::Refused { code, .. } => assert_eq!(*code, Code::QueryTooComplex),
        Got::Answered(answered) => panic!("sent {} bytes", answered.sent.as_ref().map_or(0, String::len)),
    }
}

#[test]
fn branches_of_a_report_that_name_a_division() {
    let organisation = wide();
    let branch = |nth: usize| {
        json!({ "type": "AND", "predicates": [
            { "dimension": "divisionId", "operator": "EQUALS", "values": ["pay"] },
            { "dimension": "wrapUpCode", "operator": "EQUALS", "values": [format!("w{nth}")] },
        ] })
    };
    let body = |many: usize| {
        json!({ "query": { "dateFrom": "now-7d", "dateTo": "now", "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
            "filter": { "type": "OR", "clauses": (0..many).map(branch).collect::<Vec<_>>() } } })
    };
    answered(only_asked(&organisation, "cora", Kind::Platform, &body(10)));
    // 402 queues beside each of 100 branches.
    is_too_complex(&only_asked(&organisation, "cora", Kind::Platform, &body(100)));
}

#[test]
fn conditions_on_the_interaction_that_name_divisions() {
    let leaves: Vec<String> = (0..12).map(|nth| format!("leaf-{nth}")).collect();
    let mut file = file();
    for leaf in &leaves {
        file["divisions"].as_array_mut().unwrap().push(json!({ "id": leaf, "parent": "us", "region": "us-east-1" }));
        let queues = file["queues"].as_array_mut().unwrap();
        queues.extend((0..40).map(|nth| json!({ "id": format!("{leaf}-{nth}"), "division": leaf, "members": [] })));
    }
    let cora = file["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "cora").unwrap();
    cora["roles"] = leaves.iter().map(|leaf| json!({ "role": "consumer", "division": leaf })).collect();
    let organisation = organisation(file);
    let entry = |held: &[usize]| {
        let named: Vec<Value> = held.iter().map(|nth| is("divisionId", &leaves[*nth])).collect();
        json!({ "type": "or", "predicates": named })
    };
    let ask = |entries: Vec<Value>| {
        only_asked(&organisation, "cora", Kind::Details, &json!({ "interval": WEEK, "conversationFilters": entries }))
    };
    // The same divisions many times are one condition.
    let (_, sent) = answered(ask(vec![entry(&[0, 1]); 300]));
    let written = sent["segmentFilters"].as_array().unwrap();
    assert_eq!((written.len(), written[0]["predicates"].as_array().unwrap().len()), (1, 80));
    // Every set of six of them: 924 times 240 queues.
    let six = (0u32..1 << 12).filter(|set| set.count_ones() == 6);
    let six: Vec<Value> =
        six.map(|set| entry(&(0..12).filter(|nth| set >> nth & 1 == 1).collect::<Vec<_>>())).collect();
    answered(ask(six[..20].to_vec()));
    is_too_complex(&ask(six));
}

#[test]
fn many_windows_that_do_not_count_are_one_notice() {
    let mut file = file();
    let grant = |nth: usize| {
        let day = format!("2026-10-{:02}T00:00:00Z", nth + 1);
        json!({ "id": format!("g-{nth}"), "beneficiary": "cora", "resources": [{ "kind": "queue", "id": "motor" }], "actions": ["view"],
            "from": "2026-11-18T00:00:00Z", "until": "2026-11-21T00:00:00Z", "data": { "from": day, "until": "2026-10-31T00:00:00Z" } })
    };
    file["grants"] = (0..20).map(grant).collect();
    let body = json!({ "interval": WEEK, "metrics": ["nOffered", "nConnected"] });
    let (answered, _) = answered(only_asked(&organisation(file), "cora", Kind::Aggregates, &body));
    let windows: Vec<_> = answered.notices.iter().filter(|notice| notice.code == "window.outside").collect();
    assert!(matches!(&windows[..], [one] if one.text.contains("and 17 more")), "{windows:#?}");
    assert!(answered.notices.iter().any(|notice| notice.code == "scope.agent-parts"), "{:#?}", answered.notices);
}
