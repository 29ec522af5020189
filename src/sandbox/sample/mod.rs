//! The sample organisation: two regions, thirteen divisions, 300 people, one of every hard case.
//!
//! The committed `rules/sample/directory.json` is the text made here; a test keeps the two equal.

mod cast;
mod people;
mod places;
mod queues;
mod roles;

use serde_json::{Value, json};

/// Where the text stands in the repository.
pub const PATH: &str = "rules/sample/directory.json";

/// The organisation as a value, in the format of a directory file.
pub fn directory() -> Value {
    let people = people::people();
    json!({
        "version": "sample-1",
        "bpoMarks": { "licences": ["bpo"], "groups": [], "mailDomains": ["acme.example"] },
        "regions": places::regions(),
        "divisions": places::divisions(),
        "folders": places::folders(),
        "groups": people::groups(&people),
        "roles": roles::roles(),
        "views": roles::views(),
        "users": people.iter().map(people::Person::value).collect::<Vec<_>>(),
        "queues": queues::queues(&people),
        "serviceAccounts": people::service_accounts(),
        "flows": [
            { "id": "fl-pay-ivr", "name": "Payments menu", "division": "d-payments-us" },
            { "id": "fl-sales-ivr", "name": "Sales menu", "division": "d-sales-us" },
        ],
        "teams": [
            { "id": "t-svc-blue", "name": "Blue team", "division": "d-service-us", "members": people::members_of(&people, "g-svc-blue") },
            { "id": "t-fraud-night", "name": "Night shift", "division": "d-fraud-us", "members": ["rita", "carl"] },
        ],
        "cases": [
            { "id": "case-1001", "name": "Chargeback enquiry", "division": "d-payments-us", "labels": ["l-chargeback"], "conversations": [] },
        ],
        "labels": [
            { "id": "l-chargeback", "name": "Chargeback", "division": "d-payments-us" },
        ],
        "conflicts": [
            { "id": "sod-build-audit", "roles": ["r-report-builder", "r-audit"] },
        ],
        "grants": roles::grants(),
    })
}

/// The organisation as the text of a directory file.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&directory()).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
        if std::env::var_os("BAILIWICK_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text(), "{PATH} is stale: run the tests once with BAILIWICK_BLESS=1");
    }

    #[test]
    fn it_is_as_large_as_promised() {
        let all = directory();
        assert_eq!(all["users"].as_array().unwrap().len(), 300);
        let queues = all["queues"].as_array().unwrap();
        assert!(queues.len() >= 40);
        assert!(queues.iter().filter(|queue| queue["restricted"] == true).count() >= 3);
        for state in ["archived", "deleted"] {
            assert!(queues.iter().any(|queue| queue["state"] == state), "{state}");
        }
        assert!(queues.iter().any(|queue| queue["moved"] == true));
    }

    #[test]
    fn every_role_is_held() {
        let all = directory();
        let text = serde_json::to_string(&[&all["users"], &all["groups"], &all["serviceAccounts"]]).unwrap();
        for role in all["roles"].as_array().unwrap() {
            assert!(text.contains(&format!("\"role\":{}", role["id"])), "{}", role["id"]);
        }
    }
}
