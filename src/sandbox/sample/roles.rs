//! Roles by their templates, views and grants of the sample.

use serde_json::{Value, json};

const CALLBACK: [&str; 8] =
    ["view", "create", "cancel", "reschedule", "export", "view-errors", "test-keys", "provision"];

/// What is the same for everybody: no data of anybody.
const SETTINGS: [&str; 26] = [
    "aiStudio:summaryConfig:view",
    "analytics:dataRetention:view",
    "authorization:policy:view",
    "authorization:role:view",
    "authorization:settings:view",
    "conversation:customAttributes:schemaView",
    "conversation:settings:view",
    "conversation:threadingTimeline:view",
    "messaging:integration:view",
    "messaging:setting:view",
    "messaging:supportedContent:view",
    "quality:evaluationForm:view",
    "quality:scoringRule:view",
    "quality:surveyForm:view",
    "recording:crossPlatformRetentionPolicy:view",
    "recording:retentionPolicy:view",
    "routing:utilization:view",
    "speechAndTextAnalytics:category:view",
    "speechAndTextAnalytics:dictionaryterm:view",
    "speechAndTextAnalytics:feedback:view",
    "speechAndTextAnalytics:insightsSettings:view",
    "speechAndTextAnalytics:program:view",
    "speechAndTextAnalytics:settings:view",
    "speechAndTextAnalytics:topic:view",
    "speechAndTextAnalytics:translation:view",
    "users:customAttributesSchema:view",
];

/// Who holds what.
const ACCESS: [&str; 8] = [
    "authorization:division:view",
    "authorization:grant:view",
    "authorization:role:view",
    "conversation:callForwarding:view",
    "groups:team:view",
    "routing:queue:view",
    "routing:skillGroup:view",
    "user:profile:view",
];

/// What was said, recorded and judged.
const CONTENT: [&str; 17] = [
    "conversation:agentchecklist:view",
    "conversation:message:view",
    "conversation:messageMedia:view",
    "conversation:suggestion:view",
    "conversation:summary:view",
    "conversation:webmessaging:view",
    "quality:evaluation:searchAny",
    "quality:evaluation:view",
    "quality:survey:view",
    "recording:annotation:view",
    "recording:recording:view",
    "recording:recordingSegment:view",
    "recording:screenRecording:view",
    "recording:snippetRecording:view",
    "speechAndTextAnalytics:aiSummary:view",
    "speechAndTextAnalytics:data:view",
    "speechAndTextAnalytics:sentimentData:view",
];

/// How a queue is assisted and what its routing brought.
const PLANNER: [&str; 3] = ["assistants:queue:view", "routing:comparisonPeriod:view", "routing:queue:view"];

/// Who has which dashboards.
const DASHBOARDS: [&str; 2] =
    ["analytics:dashboardConfigurations:view", "analytics:dashboardConfigurations:viewPrivate"];

/// Files of what one may see anyway.
const EXPORTER: [&str; 2] = ["analytics:dataExport:add", "analytics:dataExport:view"];

pub(super) fn roles() -> Value {
    let mut all = templates();
    all.extend(own());
    Value::Array(all)
}

/// The templates, word for word.
fn templates() -> Vec<Value> {
    let consumer = ["analytics:report:view", "analytics:dashboard:view", "analytics:query:view"];
    let builder = [
        "analytics:query:edit",
        "analytics:report:edit",
        "analytics:dashboard:edit",
        "analytics:query:view",
        "analytics:report:view",
    ];
    let operator = ["analytics:report:view", "analytics:dashboard:view", "telephony:queue:view"];
    let metadata = json!({ "scope": "all", "crossRegion": "metadata" });
    let callbacks = ["view", "create", "cancel", "reschedule", "export"];
    vec![
        role("r-report-consumer", "Report Consumer", &each(&consumer, &all())),
        role("r-report-builder", "Report Builder", &each(&builder, &all())),
        role("r-queue-operator", "Queue Operator", &each(&operator, &json!({ "scope": "assigned" }))),
        role("r-bpo-agent", "BPO Agent - Restricted", &bpo_agent()),
        role("r-audit", "Audit", &each(&["audit:metadata:view"], &metadata)),
        role("r-callback-administrator", "Callback Administrator", &callback(&CALLBACK)),
        role("r-callback-supervisor", "Callback Supervisor", &callback(&callbacks)),
        role("r-callback-monitor", "Callback Monitor", &callback(&["view"])),
        role(
            "r-callback-developer",
            "Callback Developer",
            &callback(&["view", "view-errors", "test-keys", "provision"]),
        ),
        role("r-settings-reader", "Settings Reader", &each(&SETTINGS, &all())),
        role("r-access-reviewer", "Access Reviewer", &each(&ACCESS, &all())),
        role("r-content-reader", "Content Reader", &each(&CONTENT, &all())),
        role("r-queue-planner", "Queue Planner", &each(&PLANNER, &all())),
        role("r-dashboard-administrator", "Dashboard Administrator", &each(&DASHBOARDS, &all())),
        role("r-report-exporter", "Report Exporter", &each(&EXPORTER, &all())),
        role("r-recording-listener", "Recording Listener", &each(&LISTENER, &all())),
        role("r-recording-exporter", "Recording Exporter", &each(&TAKER, &all())),
        role("r-recording-previewer", "Recording Previewer", &each(&["interaction:recording:preview"], &all())),
    ]
}

const LISTENER: [&str; 4] = [
    "conversation:message:view",
    "interaction:recording:playback",
    "interaction:transcript:view",
    "recording:recording:view",
];

const TAKER: [&str; 4] = [
    "conversation:message:view",
    "interaction:recording:export",
    "interaction:transcript:view",
    "recording:recording:view",
];

/// Roles whose width is bound to this organisation's views and groups, and those of supervisors and agents.
fn own() -> Vec<Value> {
    let supervisor = [
        "analytics:report:view",
        "analytics:dashboard:view",
        "analytics:query:view",
        "routing:queue:view",
        "user:profile:view",
    ];
    let bpo_supervisor = [
        "analytics:report:view",
        "analytics:query:view",
        "routing:queue:view",
        "reporting:data:view",
        "interaction:transcript:view",
    ];
    let view = |id: &str| json!({ "scope": "view", "view": id });
    let group = |id: &str| json!({ "scope": "group", "groups": [id] });
    let integration = ["user:session:impersonate", "user:profile:view"];
    vec![
        role("r-supervisor", "Supervisor", &each(&supervisor, &json!({ "scope": "assigned", "team": true }))),
        role("r-agent", "Agent", &agent()),
        role("r-bpo-supervisor", "BPO Supervisor", &each(&bpo_supervisor, &view("v-acme-voice"))),
        role("r-sales-analyst", "Sales analyst", &each(&supervisor, &view("v-sales-hot"))),
        role("r-blue-lead", "Lead of the blue team", &each(&supervisor, &group("g-svc-blue"))),
        role("r-service-bpo", "Service - BPO Integration", &each(&integration, &group("g-acme-voice"))),
    ]
}

fn agent() -> Vec<Value> {
    let mut own =
        each(&["analytics:report:view", "analytics:query:view", "user:profile:view"], &json!({ "scope": "self" }));
    own.extend(each(&["routing:queue:view"], &json!({ "scope": "assigned" })));
    own
}

fn bpo_agent() -> Vec<Value> {
    let mut list = each(&["telephony:agent:access", "telephony:callControl:access"], &all());
    list.extend(each(
        &["routing:queue:view", "reporting:data:view", "interaction:transcript:view"],
        &json!({ "scope": "assigned" }),
    ));
    list.extend(each(&["user:profile:view"], &json!({ "scope": "self" })));
    list
}

fn callback(actions: &[&str]) -> Vec<Value> {
    actions.iter().map(|action| json!({ "permission": format!("routing:callback:{action}"), "scope": "all" })).collect()
}

fn all() -> Value {
    json!({ "scope": "all" })
}

fn role(id: &str, name: &str, permissions: &[Value]) -> Value {
    json!({ "id": id, "name": name, "permissions": permissions })
}

/// The same width for every one of these permissions.
fn each(names: &[&str], width: &Value) -> Vec<Value> {
    names
        .iter()
        .map(|name| {
            let mut entry = json!({ "permission": name });
            if let (Value::Object(entry), Value::Object(width)) = (&mut entry, width) {
                entry.extend(width.clone());
            }
            entry
        })
        .collect()
}

pub(super) fn views() -> Value {
    json!([
        { "id": "v-acme-voice", "name": "Acme voice, two queues", "queues": ["q-acme-voice-care", "q-acme-voice-orders"], "users": "any" },
        // names a restricted queue, and with it opens it
        { "id": "v-sales-hot", "name": "Hot sales queues", "queues": ["q-sales-new", "q-sales-renewals", "q-sales-vip"], "users": "any" },
    ])
}

pub(super) fn grants() -> Value {
    let queue = |id: &str| json!([{ "kind": "queue", "id": id }]);
    json!([
        {
            "id": "gr-gus-fraud-vip", "beneficiary": "gus", "resources": queue("q-fraud-vip"), "actions": ["view"],
            "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z",
        },
        {
            "id": "gr-gus-over", "beneficiary": "gus", "resources": queue("q-claims-motor"), "actions": ["view"],
            "from": "2026-08-01T00:00:00Z", "until": "2026-09-01T00:00:00Z",
        },
        {
            "id": "gr-hugo-window", "beneficiary": "hugo", "resources": queue("q-svc-care"), "actions": ["view", "playback"],
            "data": { "from": "2026-11-02T00:00:00Z", "until": "2026-11-16T00:00:00Z" },
            "from": "2026-11-01T00:00:00Z", "until": "2027-11-01T00:00:00Z",
        },
    ])
}
