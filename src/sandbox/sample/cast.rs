//! The cast: people by whom tours and tests tell what access control does.

use super::people::{Person, person};
use serde_json::json;

type Cast = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static [&'static str],
);

/// id, name, division, roles, groups, queues that name the person.
const CAST: [Cast; 29] = [
    (
        "sofia",
        "Sofia Ruiz",
        "d-payments-us",
        &[
            ("r-supervisor", "d-payments-us"),
            ("r-content-reader", "d-payments-us"),
            ("r-report-exporter", "d-payments-us"),
        ],
        &["g-read-payments"],
        &["q-pay-cards", "q-pay-disputes"],
    ),
    (
        "carl",
        "Carl Berg",
        "d-claims-us",
        &[
            ("r-report-consumer", "d-claims-us"),
            ("r-content-reader", "d-claims-us"),
            ("r-report-exporter", "d-claims-us"),
            ("r-recording-listener", "d-claims-us"),
        ],
        &["g-read-claims"],
        &[],
    ),
    (
        "ana",
        "Ana Lopes",
        "d-payments-us",
        &[("r-agent", "d-payments-us"), ("r-report-exporter", "d-payments-us")],
        &["g-read-payments"],
        &["q-pay-cards"],
    ),
    (
        "bo",
        "Bo Lind",
        "d-bpo-acme-voice",
        &[("r-bpo-agent", "d-bpo-acme-voice")],
        &["g-read-acme", "g-acme-voice"],
        &["q-acme-voice-care", "q-acme-voice-shared"],
    ),
    (
        "bea",
        "Bea Stone",
        "d-bpo-acme-voice",
        &[("r-bpo-supervisor", "d-bpo-acme-voice"), ("r-report-exporter", "d-bpo-acme-voice")],
        &["g-read-acme", "g-acme-voice"],
        &[],
    ),
    ("pat", "Pat Moore", "d-us", &[("r-report-consumer", "d-us")], &["g-read-payments", "g-read-claims"], &[]),
    ("eva", "Eva Weber", "d-payments-eu", &[("r-report-consumer", "d-payments-eu")], &["g-read-eu"], &[]),
    ("dana", "Dana Cole", "d-payments-us", &[("r-report-builder", "d-payments-us")], &["g-read-payments"], &[]),
    (
        "ines",
        "Ines Faro",
        "d-service-us",
        &[("r-queue-operator", "d-service-us")],
        &["g-read-service"],
        &["q-svc-care", "q-svc-email", "q-svc-chat"],
    ),
    (
        "rolf",
        "Rolf Maas",
        "d-sales-us",
        &[
            ("r-report-consumer", "d-sales-us"),
            ("r-report-builder", "d-sales-us"),
            ("r-recording-previewer", "d-sales-us"),
        ],
        &["g-read-sales"],
        &[],
    ),
    (
        "olga",
        "Olga Petrova",
        "d-sales-us",
        &[
            ("r-report-consumer", "d-sales-us"),
            ("r-report-consumer", "d-service-us"),
            ("r-recording-exporter", "d-sales-us"),
        ],
        &["g-read-sales", "g-read-service"],
        &[],
    ),
    (
        "rita",
        "Rita Kaur",
        "d-fraud-us",
        &[("r-supervisor", "d-fraud-us")],
        &["g-read-fraud"],
        &["q-fraud-vip", "q-fraud-watch"],
    ),
    (
        "nils",
        "Nils Holm",
        "d-fraud-us",
        &[
            ("r-report-consumer", "d-fraud-us"),
            ("r-queue-planner", "d-fraud-us"),
            ("r-dashboard-administrator", "d-fraud-us"),
            ("r-access-reviewer", "d-fraud-us"),
        ],
        &["g-read-fraud"],
        &[],
    ),
    ("gus", "Gus Ward", "d-service-us", &[], &["g-read-fraud", "g-read-claims"], &[]),
    ("viola", "Viola Conti", "d-sales-us", &[("r-sales-analyst", "d-sales-us")], &["g-read-sales"], &[]),
    ("greg", "Greg Hall", "d-service-us", &[("r-blue-lead", "d-service-us")], &["g-read-service"], &[]),
    ("max", "Max Adler", "d-claims-us", &[("r-audit", "d-claims-us"), ("r-settings-reader", "d-claims-us")], &[], &[]),
    (
        "mia",
        "Mia Chen",
        "d-fraud-us",
        &[("r-supervisor", "d-fraud-us")],
        &["g-read-fraud", "g-fraud-vip-desk"],
        &["q-fraud-cards"],
    ),
    ("nobody", "Nora Body", "d-retail-us", &[], &[], &[]),
    // beside the tour: hard cases for tests
    ("hugo", "Hugo Prat", "d-service-us", &[], &["g-read-service"], &[]),
    ("rex", "Rex Dunn", "d-reporting-us", &[("r-report-consumer", "d-reporting-us")], &["g-read-reporting"], &[]),
    ("iris", "Iris Holt", "d-claims-us", &[("r-report-consumer", "d-claims-us")], &["g-read-claims"], &[]),
    ("mona", "Mona Reed", "d-retail-us", &[("r-agent", "d-retail-us")], &["g-read-retail"], &["q-retail-web"]),
    ("leo", "Leo Grant", "d-payments-us", &[("r-report-consumer", "d-payments-us")], &["g-read-payments"], &[]),
    (
        "cara",
        "Cara Diaz",
        "d-bpo-acme-chat",
        &[("r-bpo-agent", "d-bpo-acme-chat")],
        &["g-read-acme"],
        &["q-acme-chat-care"],
    ),
    // twins in Europe
    (
        "elsa",
        "Elsa Ruiz",
        "d-payments-eu",
        &[("r-supervisor", "d-payments-eu")],
        &["g-read-eu"],
        &["q-eu-pay-cards", "q-eu-pay-disputes"],
    ),
    ("eric", "Eric Lopes", "d-payments-eu", &[("r-agent", "d-payments-eu")], &["g-read-eu"], &["q-eu-pay-cards"]),
    ("dana-eu", "Dana Cole", "d-sales-eu", &[("r-report-builder", "d-sales-eu")], &["g-read-eu"], &[]),
    (
        "ewa",
        "Ewa Faro",
        "d-service-eu",
        &[("r-queue-operator", "d-service-eu")],
        &["g-read-eu"],
        &["q-eu-svc-care", "q-eu-svc-chat"],
    ),
];

pub(super) fn cast() -> Vec<Person> {
    CAST.iter()
        .map(|(id, name, division, roles, groups, queues)| Person {
            roles: roles.to_vec(),
            groups: groups.to_vec(),
            queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
            extra: match *id {
                "iris" => Some(("active", json!(false))),
                "mona" => Some(("moved", json!(true))),
                "dana" | "dana-eu" => Some(("person", json!("p-dana"))),
                "ana" => Some(("manager", json!("sofia"))),
                // a legacy option that opens less than the role does
                "leo" => Some(("legacy", json!({ "ges": ["q-pay-cards", "q-pay-chat"], "gms": ["q-pay-loans"] }))),
                _ => None,
            },
            ..person(id, name, division)
        })
        .collect()
}
