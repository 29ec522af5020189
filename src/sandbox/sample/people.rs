//! The people, most of them a crowd, their groups and the service accounts of the sample.

use super::{
    cast,
    places::{EU, US},
};
use serde_json::{Value, json};

/// One user, and what else must be known to place the user in queues and groups.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) division: &'static str,
    pub(super) roles: Vec<(&'static str, &'static str)>,
    /// Groups whose member this person is.
    pub(super) groups: Vec<&'static str>,
    /// Queues that name this person.
    pub(super) queues: Vec<String>,
    /// Takes interactions in the queues of the own division.
    pub(super) agent: bool,
    pub(super) extra: Option<(&'static str, Value)>,
}

impl Person {
    fn bpo(&self) -> bool {
        self.division.starts_with("d-bpo")
    }

    fn region(&self) -> &'static str {
        if self.division.ends_with("-eu") || self.division == "d-eu" { EU } else { US }
    }

    pub(super) fn value(&self) -> Value {
        let domain = if self.bpo() { "acme.example" } else { "bank.example" };
        let mut user = json!({
            "id": self.id, "name": self.name, "email": format!("{}@{domain}", self.id),
            "division": self.division, "region": self.region(),
        });
        if let Some(user) = user.as_object_mut() {
            if self.bpo() {
                user.insert("bpo".into(), json!(true));
                user.insert("licence".into(), json!("bpo"));
            }
            if !self.roles.is_empty() {
                let roles = self.roles.iter().map(|(role, division)| json!({ "role": role, "division": division }));
                user.insert("roles".into(), roles.collect());
            }
            if let Some((key, value)) = &self.extra {
                user.insert((*key).into(), value.clone());
            }
        }
        user
    }
}

/// Divisions of the crowd: how many people, the access group of their line of business.
const CROWD: [(&str, usize, &str); 11] = [
    ("d-payments-us", 42, "g-read-payments"),
    ("d-claims-us", 36, "g-read-claims"),
    ("d-sales-us", 36, "g-read-sales"),
    ("d-service-us", 42, "g-read-service"),
    ("d-retail-us", 28, "g-read-retail"),
    ("d-fraud-us", 24, "g-read-fraud"),
    ("d-bpo-acme-voice", 16, "g-read-acme"),
    ("d-bpo-acme-chat", 10, "g-read-acme"),
    ("d-payments-eu", 14, "g-read-eu"),
    ("d-sales-eu", 12, "g-read-eu"),
    ("d-service-eu", 11, "g-read-eu"),
];

/// What the first people of each division are; everybody after them is an agent.
const STAFF: [&str; 8] = [
    "r-supervisor",
    "r-report-consumer",
    "r-report-builder",
    "r-queue-operator",
    "r-callback-administrator",
    "r-callback-supervisor",
    "r-callback-monitor",
    "r-callback-developer",
];

/// Queues of the division that crowd agents serve, in turn.
fn served(division: &str) -> &'static [&'static str] {
    match division {
        "d-payments-us" => &[
            "q-pay-cards",
            "q-pay-disputes",
            "q-pay-refunds",
            "q-pay-loans",
            "q-pay-hardship",
            "q-pay-chat",
            "q-pay-wire",
            "q-pay-old",
        ],
        "d-claims-us" => &[
            "q-claims-motor",
            "q-claims-home",
            "q-claims-travel",
            "q-claims-life",
            "q-claims-intake",
            "q-claims-legal",
        ],
        "d-sales-us" => &["q-sales-new", "q-sales-renewals", "q-sales-upsell", "q-sales-partners", "q-sales-old"],
        "d-service-us" => &["q-svc-care", "q-svc-email", "q-svc-chat", "q-svc-tech", "q-svc-priority"],
        "d-retail-us" => &["q-retail-stores", "q-retail-web", "q-retail-returns", "q-retail-loyalty"],
        "d-fraud-us" => &["q-fraud-watch", "q-fraud-cards", "q-fraud-identity", "q-fraud-old"],
        "d-bpo-acme-voice" => &["q-acme-voice-care", "q-acme-voice-orders", "q-acme-voice-shared"],
        "d-bpo-acme-chat" => &["q-acme-chat-care", "q-acme-chat-sales"],
        "d-payments-eu" => &["q-eu-pay-cards", "q-eu-pay-disputes"],
        "d-sales-eu" => &["q-eu-sales-new", "q-eu-sales-renewals"],
        _ => &["q-eu-svc-care", "q-eu-svc-chat"],
    }
}

pub(super) fn people() -> Vec<Person> {
    let mut all = cast::cast();
    let mut number = 0;
    for (division, size, readers) in CROWD {
        let outsourced = division.starts_with("d-bpo");
        let queues = served(division);
        for place in 0..size {
            number += 1;
            let role = match (outsourced, STAFF.get(place)) {
                (true, _) if place == 0 && division == "d-bpo-acme-voice" => "r-bpo-supervisor",
                (true, _) => "r-bpo-agent",
                (false, Some(role)) => role,
                (false, None) => "r-agent",
            };
            let agent = matches!(role, "r-agent" | "r-bpo-agent");
            let blue = division == "d-service-us" && (8..13).contains(&place);
            let serves = match role {
                "r-agent" | "r-bpo-agent" | "r-supervisor" | "r-queue-operator" => 2,
                _ => 0,
            };
            let mut person = person(&format!("u-{number:04}"), &format!("{} {number}", role_name(role)), division);
            person.roles.push((role, division));
            person.agent = agent;
            person.groups.push(readers);
            person.queues.extend(
                queues.iter().cycle().skip(place).take(serves.min(queues.len())).map(|queue| (*queue).to_owned()),
            );
            if blue {
                person.groups.push("g-svc-blue");
                person.queues.push("q-svc-blue".to_owned());
            }
            if division == "d-service-us" && place % 4 == 0 {
                person.groups.push("g-read-priority");
            }
            if division == "d-bpo-acme-voice" {
                person.groups.push("g-acme-voice");
            }
            if division == "d-fraud-us" && (8..10).contains(&place) {
                person.groups.push("g-fraud-vip-desk");
            }
            if division == "d-retail-us" && place > 24 {
                // their only analytics role comes through the group
                person.roles.clear();
                person.groups.push("g-retail-managers");
            }
            all.push(person);
        }
    }
    all
}

fn role_name(role: &str) -> &'static str {
    match role {
        "r-agent" | "r-bpo-agent" => "Agent",
        "r-supervisor" | "r-bpo-supervisor" => "Supervisor",
        "r-report-consumer" | "r-report-builder" => "Analyst",
        "r-queue-operator" => "Operator",
        _ => "Callback desk",
    }
}

pub(super) fn person(id: &str, name: &str, division: &'static str) -> Person {
    Person {
        id: id.to_owned(),
        name: name.to_owned(),
        division,
        roles: Vec::new(),
        groups: Vec::new(),
        queues: Vec::new(),
        agent: false,
        extra: None,
    }
}

pub(super) fn members_of(people: &[Person], group: &str) -> Vec<String> {
    people.iter().filter(|person| person.groups.contains(&group)).map(|person| person.id.clone()).collect()
}

pub(super) fn groups(people: &[Person]) -> Value {
    let readers = super::places::READERS.map(|(_, name, group)| (group, format!("Readers: {name}")));
    let mut named: Vec<(&str, String)> = readers.into();
    named.dedup_by_key(|(group, _)| *group);
    named.push(("g-read-priority", "Readers: priority service".to_owned()));
    named.push(("g-svc-blue", "Blue team".to_owned()));
    named.push(("g-acme-voice", "Acme voice people".to_owned()));
    named.push(("g-fraud-vip-desk", "Fraud VIP desk".to_owned()));
    named.push(("g-retail-managers", "Retail managers".to_owned()));
    let value = |(id, name): &(&str, String)| {
        let region = if id.ends_with("-eu") { EU } else { US };
        let mut group = json!({ "id": id, "name": name, "region": region, "members": members_of(people, id) });
        if let Some(group) = group.as_object_mut().filter(|_| *id == "g-retail-managers") {
            group.insert("roles".into(), json!([{ "role": "r-report-consumer", "division": "d-retail-us" }]));
        }
        group
    };
    named.iter().map(value).collect()
}

pub(super) fn service_accounts() -> Value {
    json!([
        {
            "id": "svc-exporter", "name": "Nightly exporter", "region": US, "clientIds": ["exporter-client"],
            "groups": ["g-read-retail"],
            "roles": [{ "role": "r-report-consumer", "division": "d-retail-us" }],
        },
        {
            "id": "svc-acme", "name": "Acme integration", "region": US, "clientIds": ["acme-client"],
            "roles": [{ "role": "r-service-bpo", "division": "d-bpo-acme-voice" }],
            "actsFor": { "users": [], "groups": ["g-acme-voice"] },
        },
    ])
}
