//! Options of rules that no shipped rule uses in this way: each stands here as a rule file with its own query tests,
//! run as those of the shipped files are.

use crate::rule_files::{about_interactions, beside_shipped, failures, fixture};
use bailiwick::{app::selftest, rules};

fn files(text: &str) -> Vec<(String, String)> {
    beside_shipped([("sample/copies.json", COPIES), ("own/own.toml", text)])
}

#[track_caller]
fn passes(text: &str, tests: usize) {
    let (failed, all) = failures(files(text));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(all, tests);
}

#[track_caller]
fn is_no_rule(text: &str, why: &str) {
    let problems = rules::compile(files(text), selftest::policy()).expect_err("a problem");
    assert!(problems.len() == 1 && problems[0].to_string().contains(why), "{}", problems[0]);
}

/// A division of copies and grants in it; a member of live and dead queues.
pub(crate) const COPIES: &str = r#"{
  "regions": [{ "id": "us", "upstream": "http://127.0.0.1:0" }],
  "divisions": [
    { "id": "d-us", "region": "us" },
    { "id": "d-rep", "parent": "d-us", "shared": true },
    { "id": "d-own", "parent": "d-us" }
  ],
  "roles": [{ "id": "r-mine", "permissions": [{ "permission": "analytics:report:view", "scope": "assigned", "team": true }] }],
  "users": [
    { "id": "art", "division": "d-own", "region": "us", "roles": [{ "role": "r-mine", "division": "d-own" }] },
    { "id": "gil", "division": "d-own", "region": "us" },
    { "id": "gus", "division": "d-own", "region": "us" }
  ],
  "queues": [
    { "id": "q-rep", "division": "d-rep" },
    { "id": "q-own", "division": "d-own", "members": ["art"] },
    { "id": "q-shut", "division": "d-own", "members": ["art"], "state": "archived" },
    { "id": "q-gone", "division": "d-own", "members": ["art"], "state": "deleted" }
  ],
  "grants": [
    { "id": "whole", "beneficiary": "gil", "resources": [{ "kind": "division", "id": "d-rep" }],
      "actions": ["view", "export"], "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z" },
    { "id": "queue", "beneficiary": "gus", "resources": [{ "kind": "queue", "id": "q-rep" }],
      "actions": ["view", "export"], "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z" }
  ]
}"#;

/// Legs of interactions: whoever worked stands in rows by agent only.
fn legs() -> String {
    let groups = [("queueId", "queue"), ("userId", "user")];
    let more = "audience = \"internal\"\noutsourcers = \"by-row\"";
    fixture("outsourced.json") + &about_interactions(more, &groups, LEGS)
}

const LEGS: &str = r#"
[rule.time]
at = "$.interval"
reach = "contained"
max = "P366D"

[[rule.test]]
name = "by agent: rows of outsourcers are taken out, the others stay"
as = "karl"
asks = { interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", groupBy = ["userId"], metrics = ["tHandle"] }
[rule.test.upstream]
results = [
    { group = { userId = "karl" }, data = [{ metrics = [{ metric = "tHandle", stats = { sum = 1 } }] }] },
    { group = { userId = "abe" }, data = [{ metrics = [{ metric = "tHandle", stats = { sum = 2 } }] }] },
]
[rule.test.shows]
results = [{ group = { userId = "karl" }, data = [{ metrics = [{ metric = "tHandle", stats = { sum = 1 } }] }] }]

[[rule.test]]
name = "a total counts whoever worked"
as = "karl"
asks = { interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", metrics = ["tHandle"] }
refuses = "bpo.mixed-totals"

[[rule.test]]
name = "and so does a total of each queue"
as = "karl"
asks = { interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", groupBy = ["queueId"], metrics = ["tHandle"] }
refuses = "bpo.mixed-totals"

[[rule.test]]
name = "a total of named own people"
as = "karl"
asks = { interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", metrics = ["tHandle"], filter = { type = "and", predicates = [
    { dimension = "userId", value = "karl" },
] } }
[rule.test.sends]
interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z"
metrics = ["tHandle"]
filter = { type = "and", predicates = [{ dimension = "userId", value = "karl" }], clauses = [
    { type = "or", predicates = [
        { dimension = "queueId", value = "q-home" },
        { dimension = "queueId", value = "q-shared" },
        { dimension = "queueId", operator = "notExists" },
    ] },
] }

[[rule.test]]
name = "a total of an own person and an outsourcer"
as = "karl"
asks = { interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", metrics = ["tHandle"], filter = { type = "or", predicates = [
    { dimension = "userId", value = "karl" },
    { dimension = "userId", value = "abe" },
] } }
refuses = "bpo.mixed-totals"

[[rule.test]]
name = "named, but not bound to: the medium alone may be an outsourcer's"
as = "karl"
asks = { interval = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", metrics = ["tHandle"], filter = { type = "or", predicates = [
    { dimension = "userId", value = "karl" },
    { dimension = "mediaType", value = "voice" },
] } }
refuses = "bpo.mixed-totals"
"#;

#[test]
fn work_of_outsourcers_is_told_apart_by_agent_or_not_at_all() {
    passes(&legs(), 6);
}

#[test]
fn the_option_needs_an_internal_report_and_data_that_tells_people_apart() {
    let change = |old: &str, new: &str| {
        let legs = legs();
        assert_eq!(legs.matches(old).count(), 1, "`{old}`");
        legs.replace(old, new)
    };
    is_no_rule(&change("audience = \"internal\"\n", ""), "only an internal report leaves outsourcers out");
    is_no_rule(&change("\"by-row\"", "\"by-division\""), "does not say who worked");
    is_no_rule(&change(", userId = \"user\" }\nkeep", " }\nkeep"), "do not carry the user");
}

/// A division that is filled with copies, for an action that is not viewing.
pub(crate) fn copies(action: &str, test: &str) -> String {
    let head = fixture("directory.json");
    format!(
        r#"{head}
[[rule]]
id = "own.query"
match = "POST /api/v2/own/query"
class = "query"
dialect = "genesys"
data = "queue"
action = "{action}"
permission = "analytics:queueObservation:view"
body = "QueueObservationQuery"

[[rule.narrow]]
at = "$.filter"
carry = [{{ queue = "queueId" }}]

[rule.answer]
shape = "groups"
rows = "$.results"
keys = {{ queueId = "queue" }}
keep = "observations"
empty = '{{"results":[]}}'

[[rule.test]]
name = "a reader of copies"
as = "rex"
asks = {{ metrics = ["oWaiting"] }}
{test}
"#
    )
}

#[test]
fn a_shared_reporting_division_counts_for_viewing_only() {
    let sends = |queue: &str| {
        format!(
            r#"sends = {{ metrics = ["oWaiting"], filter = {{ type = "and", predicates = [{{ dimension = "queueId", value = "{queue}" }}] }} }}"#
        )
    };
    passes(&copies("view", &sends("q-rep-daily")), 1);
    for action in ["playback", "transcript", "export", "add-remove", "preview"] {
        passes(&copies(action, "refuses = \"scope.empty\""), 1);
    }
    let granted = |person: &str, action: &str, test: &str| {
        let text = copies(action, test).replace("directory.json", "copies.json");
        passes(&text.replace("as = \"rex\"", &format!("as = \"{person}\"")), 1);
    };
    granted("gil", "view", &sends("q-rep"));
    granted("gus", "view", &sends("q-rep"));
    granted("gil", "export", "refuses = \"scope.empty\"");
    granted("gus", "export", "answers = { results = [] }");
}

#[test]
fn dead_queues_of_a_list_count_where_the_rule_says_so() {
    let asked = |option: &str, sends: &str| {
        let text = copies("view", sends).replace("directory.json", "copies.json").replace("\"rex\"", "\"art\"");
        passes(&text.replace("class = \"query\"", &format!("class = \"query\"\n{option}")), 1);
    };
    let live = r#"sends = { metrics = ["oWaiting"], filter = { type = "and", predicates = [{ dimension = "queueId", value = "q-own" }] } }"#;
    let all = r#"
[rule.test.sends]
metrics = ["oWaiting"]
filter = { type = "or", predicates = [
    { dimension = "queueId", value = "q-gone" },
    { dimension = "queueId", value = "q-own" },
    { dimension = "queueId", value = "q-shut" },
] }"#;
    asked("", live);
    asked("archived = \"exclude\"", live);
    asked("archived = \"include\"", all);
}

/// The report-definition query, with the upstream's region dimension carried.
const REGION: &str = r#"
[[rule]]
id = "own.query"
match = "POST /api/v2/own/query"
class = "query"
dialect = "platform"
data = "interaction"
permission = "analytics:query:view"
body = "ReportDefinition"
needs = ["leg-filter"]
division-slot = "$.divisionId"

[[rule.narrow]]
at = "$.query.filter"
carry = [{ queue = "queueId" }, { user = "agentId" }, { region = "region" }]

[rule.time]
at = ["$.query.dateFrom", "$.query.dateTo"]
reach = "contained"

[rule.group-by]
at = "$.query.groupBy"
allow = ["queueId"]

[rule.answer]
shape = "rows"
rows = "$.rows"
keys = { queueId = "queue" }
keep = "report"
empty = '{"rows":[]}'

[[rule.test]]
name = "the region stands beside the scope"
as = "sofia"
[rule.test.asks]
query = { dateFrom = "2026-11-01T00:00:00Z", dateTo = "2026-11-08T00:00:00Z", aggregations = [{ dimension = "interactions", function = "COUNT" }] }
[rule.test.sends]
divisionId = "d-payments-us"
query = { dateFrom = "2026-11-01T00:00:00Z", dateTo = "2026-11-08T00:00:00Z", aggregations = [{ dimension = "interactions", function = "COUNT" }], filter = {
    type = "AND", predicates = [
        { dimension = "queueId", operator = "IN", values = ["q-pay-cards", "q-pay-disputes"] },
        { dimension = "region", operator = "EQUALS", values = ["us-east-1"] },
    ],
} }

[[rule.test]]
name = "another region by name"
as = "sofia"
refuses = "region.cross-region-scan"
[rule.test.asks]
query = { dateFrom = "2026-11-01T00:00:00Z", dateTo = "2026-11-08T00:00:00Z", aggregations = [{ dimension = "interactions", function = "COUNT" }], filter = {
    type = "AND", predicates = [{ dimension = "region", operator = "EQUALS", values = ["eu-west-1"] }],
} }
"#;

#[test]
fn the_region_is_written_where_the_upstream_has_a_dimension_for_it() {
    passes(&(fixture("directory.json") + REGION), 2);
}
