//! Every refusal code is given to somebody by the whole program, in its native form and with its line in the record; the
//! few that no request can bring about are shown by the test that is named here.

use super::house::{AGGREGATES, DETAILS, House, KEPT, PLATFORM, Plan, QUEUES, USER_AGGREGATES, WEEK, now, token};
use bailiwick::{
    model::refusal::{Blame, Code},
    proxy::respond::status_of,
    sandbox::{Disobedience, sample},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path, time::Duration};

/// Not by an HTTP client that speaks well, or not by any client: the code, the test's file, its words, and why.
const ELSEWHERE: [(&str, &str, &str, &str); 23] = [
    ("request.loop", "tests/it/front/refusals.rs", "request.loop", "needs a request of another proxy"),
    ("bpo.export", "tests/it/e2e/exports.rs", "bpo.export", "needs exports"),
    ("preview.format", "tests/it/e2e/media.rs", "preview.format", "needs a recording that is no WAV"),
    ("preview.host", "tests/it/e2e/media.rs", "preview.host", "needs a recording that lies elsewhere"),
    (
        "request.timeout",
        "tests/it/front/endings.rs",
        "request.timeout",
        "needs a client that stops in the middle of its body",
    ),
    (
        "request.media-type",
        "tests/it/front/refusals.rs",
        "request.media-type",
        "needs a client that names another type",
    ),
    (
        "verify.failed",
        "tests/it/laws/mutants.rs",
        "verify::check",
        "needs a fault in the rewriter: mutants of its output are refused by the second reader",
    ),
    ("proxy.internal", "tests/it/front/endings.rs", "proxy.internal", "needs a panic"),
    ("proxy.timeout", "tests/it/front/endings.rs", "proxy.timeout", "needs a limit shorter than an answer takes"),
    ("proxy.overloaded", "tests/it/front/endings.rs", "proxy.overloaded", "needs two requests at one instant"),
    ("identity.unavailable", "src/identity/tests/lifecycle.rs", "IdentityUnavailable", "needs a provider that is away"),
    (
        "upstream.asker",
        "tests/it/e2e/logins.rs",
        "upstream.asker",
        "needs a region that is asked with the asker's token",
    ),
    ("identity.no-roles", "src/identity/tests/roles.rs", "IdentityNoRoles", "needs a token of an issuer"),
    ("identity.throttled", "tests/it/e2e/sessions.rs", "identity.throttled", "needs many failures"),
    ("subject.refused", "tests/it/e2e/acting.rs", "subject.refused", "needs a field in the head"),
    ("subject.no-session", "tests/it/e2e/acting.rs", "subject.no-session", "needs a field in the head"),
    ("audit.unavailable", "tests/it/e2e/faults.rs", "audit.unavailable", "needs a disk that fails"),
    ("store.unavailable", "tests/it/e2e/jobs.rs", "store.unavailable", "needs a store that fails"),
    ("job.scope-changed", "tests/it/e2e/jobs.rs", "job.scope-changed", "needs rights that change"),
    (
        "interaction.mixed",
        "tests/it/e2e/parts.rs",
        "interaction.mixed",
        "needs an interaction that is partly another's",
    ),
    ("definition.changed", "tests/it/e2e/definitions.rs", "definition.changed", "needs two changes at one instant"),
    ("definition.full", "src/store/tests.rs", "Failed::Full", "needs hundreds of definitions"),
    ("job.unfinished", "tests/it/e2e/jobs.rs", "job.unfinished", "needs a job that is not done"),
];

type Change = fn(&mut Disobedience);
type Question = (&'static str, &'static str, String, Value);

fn post(code: &'static str, person: &'static str, path: &str, body: Value) -> Question {
    (code, person, format!("POST {path}"), body)
}

fn aggregates(more: &Value) -> Value {
    let mut body = json!({ "interval": WEEK, "metrics": ["tHandle"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn filter(dimension: &str, value: &str) -> Value {
    json!({ "filter": { "type": "and", "predicates": [{ "dimension": dimension, "value": value }] } })
}

fn definition(operator: &str, dimension: &str, values: &[&str]) -> Value {
    json!({ "query": {
        "dateFrom": "now-7d", "dateTo": "now", "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
        "filter": { "type": "AND", "predicates": [{ "dimension": dimension, "operator": operator, "values": values }] },
    } })
}

fn in_the_sample() -> Vec<Question> {
    let get = |code, person, target: &str| (code, person, format!("GET {target}"), Value::Null);
    let long = json!({ "interval": "2024-01-01T00:00:00Z/2026-11-08T00:00:00Z", "metrics": ["tHandle"] });
    let mut open = definition("EXISTS", "queueId", &[]);
    open["query"].as_object_mut().unwrap().remove("filter");
    vec![
        get("request.malformed", "sofia", &format!("{QUEUES}/")),
        post("request.too-large", "sofia", AGGREGATES, json!({ "interval": "x".repeat(1 << 20) })),
        get("identity.unknown", "iris", QUEUES),
        get("not.a.user", "svc-acme", "/api/v2/users/me"),
        get("operation.unknown", "sofia", "/api/v2/nothing/at/all"),
        get("operation.denied", "sofia", "/api/v2/outbound/campaigns"),
        post("permission.missing", "nobody", AGGREGATES, aggregates(&json!({}))),
        post("scope.empty", "carl", PLATFORM, definition("IN", "queueId", &["${user.queueIds}"])),
        post("scope.outside", "sofia", AGGREGATES, aggregates(&filter("queueId", "q-sales-new"))),
        post("division.parent-scan", "pat", AGGREGATES, aggregates(&json!({}))),
        post("division.choose", "olga", PLATFORM, open),
        post("region.cross-region-scan", "carl", AGGREGATES, aggregates(&filter("divisionId", "d-eu"))),
        post("query.malformed", "sofia", AGGREGATES, json!([])),
        post("query.too-complex", "carl", PLATFORM, definition("NOT_EQUALS", "divisionId", &["d-claims-us"])),
        post("query.dead-queue", "dana", PLATFORM, definition("IN", "queueId", &["q-pay-cards", "q-pay-old"])),
        post("field.hidden", "carl", AGGREGATES, aggregates(&filter("scoredAgentId", "carl"))),
        post("metric.unscopable", "ana", AGGREGATES, json!({ "interval": WEEK, "metrics": ["nOffered"] })),
        post("groupby.division", "carl", AGGREGATES, aggregates(&json!({ "groupBy": ["divisionId"] }))),
        post("groupby.high-cardinality", "carl", AGGREGATES, aggregates(&json!({ "groupBy": ["conversationId"] }))),
        post("groupby.refused", "carl", AGGREGATES, aggregates(&json!({ "groupBy": ["participantName"] }))),
        post("sort.refused", "carl", DETAILS, json!({ "interval": WEEK, "orderBy": "segmentEnd" })),
        post("interval.too-long", "carl", AGGREGATES, long),
        post(
            "window.outside",
            "hugo",
            AGGREGATES,
            json!({ "interval": "2026-10-21T00:00:00Z/2026-10-28T00:00:00Z", "metrics": ["tHandle"] }),
        ),
        post(
            "paging.too-large",
            "carl",
            DETAILS,
            json!({ "interval": WEEK, "paging": { "pageSize": 101, "pageNumber": 1 } }),
        ),
        post("placeholder.many", "sofia", PLATFORM, definition("EQUALS", "queueId", &["${user.queueIds}"])),
        post("placeholder.unknown", "sofia", PLATFORM, definition("IN", "queueId", &["${user.everything}"])),
    ]
}

/// The sample, with somebody whose rights are seven unrelated parts, and an outsourcer on a queue of own people.
fn directory() -> Value {
    let mut directory = sample::directory();
    let queues = directory["queues"].as_array_mut().unwrap();
    let email = queues.iter_mut().find(|queue| queue["id"] == "q-svc-email").unwrap();
    email["members"].as_array_mut().unwrap().push(json!("bo"));
    let user = |id: &str| json!({ "id": id, "name": id, "email": format!("{id}@bank.example"), "division": "d-sales-us", "region": "us-east-1", "groups": ["g-read-payments"] });
    directory["users"].as_array_mut().unwrap().push(user("patches"));
    // A part of its own for each: a view of one queue with one person of it.
    let (mut views, mut roles, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let queues = ["cards", "disputes", "refunds", "loans", "chat", "hardship", "wire"];
    for (at, queue) in queues.into_iter().enumerate() {
        let (view, role) = (format!("v-part-{at}"), format!("r-part-{at}"));
        views.push(json!({ "id": view, "name": "part", "queues": [format!("q-pay-{queue}")], "users": [format!("u-{:04}", 9 + at)] }));
        roles.push(json!({ "id": role, "name": "part", "permissions": [
            { "permission": "analytics:report:view", "scope": "view", "view": view },
        ] }));
        held.push(json!({ "role": role, "division": "d-payments-us" }));
    }
    directory["views"].as_array_mut().unwrap().extend(views);
    directory["roles"].as_array_mut().unwrap().extend(roles);
    let patches = directory["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "patches").unwrap();
    patches["roles"] = json!(held);
    directory
}

/// Asks, and says which code came, after everything that every refusal has in common was found right.
async fn code(house: &House, (due, person, line, body): &Question) -> String {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let heard = house.ask(person, line, &text).await;
    assert_ne!(heard.status, 200, "{due}: {person} {line}: {heard:?}");
    let (status, code, body) = heard.refusal();
    assert_eq!(code, *due, "{person} {line} {}: {heard:?}", text.chars().take(300).collect::<String>());
    let known = Code::ALL.iter().find(|known| known.as_str() == code).unwrap();
    assert_eq!(u64::from(status), body["status"].as_u64().unwrap(), "{code}");
    assert!(status == status_of(*known) || known.blame() == Blame::Upstream, "{code}: {status}");
    let message = body["message"].as_str().unwrap();
    assert!(!message.is_empty() && !message.ends_with('.'), "{code}: {message}");
    let (intent, outcome) = house.lines(heard.decision()).await;
    assert_eq!((outcome.code.as_deref(), outcome.status), (Some(&*code), status));
    assert_eq!(
        intent.is_some(),
        known.blame() == Blame::Upstream || code == "upstream.credential",
        "{code}: {intent:?}"
    );
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_given_to_somebody() {
    let mut given = BTreeSet::new();
    let plan = || Plan { interactions: 300, ..Plan::default() };
    let house = House::of(Plan { directory: directory(), ..plan() }).await;
    for question in in_the_sample() {
        given.insert(code(&house, &question).await);
    }
    let counted = json!({ "groupBy": ["queueId"], "metrics": [{ "metric": "oMemberUsers" }] });
    let mixed = post("bpo.mixed-totals", "olga", "/api/v2/analytics/routing/activity/query", counted);
    given.insert(code(&house, &mixed).await);
    given.insert(code(&house, &post("scope.too-complex", "patches", AGGREGATES, aggregates(&json!({})))).await);
    let unknown = house.try_ask("nobody's token", &format!("GET {QUEUES}"), "").await.unwrap();
    assert_eq!((unknown.status, unknown.code().as_str()), (401, "identity.required"));
    given.insert(unknown.code());
    let faults: [(&str, Change); 4] = [
        ("upstream.unavailable", |faults| faults.reset = true),
        ("upstream.refused", |faults| faults.server_error = true),
        ("answer.unreadable", |faults| faults.html = true),
        ("upstream.credential", |faults| {
            faults.refuse_tokens = true;
            faults.forget_tokens = true;
        }),
    ];
    for (due, change) in faults {
        house.sandbox.disobey(change);
        given.insert(code(&house, &post(due, "carl", AGGREGATES, aggregates(&json!({})))).await);
        house.sandbox.obey();
    }
    fs::remove_file(house.folder.path().join("directory.json")).unwrap();
    house.clock.set(now() + Duration::from_hours(1));
    given.insert(code(&house, &post("directory.stale", "carl", AGGREGATES, aggregates(&json!({})))).await);

    // What the sample's rules do not say, other rules do.
    let rules = vec![
        (
            "genesys/conversations.toml",
            "id = \"conversations.details.query\"",
            "id = \"conversations.details.query\"\naudience = \"internal\"",
        ),
        (
            "genesys/conversations.toml",
            "carry = [{ queue = \"queueId\" }, { user = \"userId\" }]",
            "carry = [{ queue = \"queueId\" }]",
        ),
        ("genesys/conversations.toml", "code = \"paging.too-large\"", "code = \"rule.refused\""),
        ("genesys/conversations.toml", "refuses = \"paging.too-large\"", "refuses = \"rule.refused\""),
        ("genesys/users.toml", "max-values = 100", "max-values = 2"),
    ];
    let other = House::of(Plan {
        own_rules: true,
        rules,
        limits: "answer-bytes = 1024\nfirst-byte-time = \"200ms\"",
        more: format!("[policy]\nassume = {KEPT:?}\nrole-conflict = \"refuse\"\n"),
        ..plan()
    })
    .await;
    let page = json!({ "interval": WEEK, "paging": { "pageSize": 101, "pageNumber": 1 } });
    let wide = json!({ "interval": WEEK, "metrics": ["tSystemPresence"] });
    for question in [
        post("role.conflict", "rolf", AGGREGATES, aggregates(&json!({}))),
        post("operation.unscopable", "ana", AGGREGATES, aggregates(&json!({}))),
        post("bpo.internal-only", "bo", DETAILS, json!({ "interval": WEEK })),
        post("bpo.field", "bo", AGGREGATES, aggregates(&json!({ "groupBy": ["outboundCampaignId"] }))),
        post("rule.refused", "carl", DETAILS, page),
        post("query.too-wide", "carl", USER_AGGREGATES, wide),
        post("answer.too-large", "carl", DETAILS, json!({ "interval": WEEK })),
    ] {
        given.insert(code(&other, &question).await);
    }
    other.sandbox.disobey(|faults| faults.delay = Some(Duration::from_secs(2)));
    given.insert(code(&other, &post("upstream.timeout", "carl", AGGREGATES, aggregates(&json!({})))).await);
    let closed = House::of(Plan { assume: vec![], ..plan() }).await;
    given.insert(code(&closed, &post("operation.unproved", "carl", AGGREGATES, aggregates(&json!({})))).await);

    for (code, file, words, why) in ELSEWHERE {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
        assert!(text.contains(words), "`{code}` ({why}) is not shown by {file}");
        assert!(!given.contains(code), "`{code}` can be brought about after all: take it out of the list");
        given.insert(code.to_owned());
    }
    let missing: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| !given.contains(*code)).collect();
    println!("codes: {} of {}, {} of them shown elsewhere", given.len(), Code::ALL.len(), ELSEWHERE.len());
    assert!(missing.is_empty(), "no test gives {missing:?}");
    assert!(!token("carl").is_empty());
}

#[test]
fn every_code_has_its_line_in_the_generated_table() {
    let table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/refusal-codes.md")).unwrap();
    for code in Code::ALL {
        let start = format!("| `{}` | {}", code.as_str(), status_of(*code));
        let end = format!(" | {:?} | {} |", code.blame(), code.meaning());
        let known = table.lines().any(|line| line.starts_with(&start) && line.ends_with(&end));
        assert!(known, "`{}`: run `bailiwick docs refusals`", code.as_str());
    }
}
