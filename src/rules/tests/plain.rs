//! Answers without rows: what a rule of one has to say, and what it may not pass.

use super::*;

const SETTINGS: &str = r#"[fixture]
directory = "../sample/directory.json"
now = 2026-11-20T10:00:00Z

[[rule]]
id = "mine"
match = "GET /api/v2/mine/{thingId}"
class = "no-data"
data = "metadata"
permission = "authorization:role:view"

[rule.answer]
shape = "plain"
named-by = "$.id"
keep = "role"
empty = '{}'

[[rule.test]]
name = "a test"
as = "max"
params = { thingId = "one" }
sends = {}
"#;

#[test]
fn each_fault_of_a_plain_answer_is_told() {
    compiled(SETTINGS);
    let part = SETTINGS.replace("{thingId}", "{userId}/things/{thingId}").replace("no-data", "read");
    compiled(&part.replace("metadata", "user"));
    for (from, to, message) in [
        ("\"plain\"", "\"entity\"\nkeys = { id = \"user\" }", "of no known kind, so nobody could say whose"),
        ("\"plain\"", "\"plain\"\nrows = \"$.entities\"", "has no rows: leave `rows` out"),
        ("\"plain\"", "\"plain\"\nkeys = { id = \"user\" }", "has no rows: leave `keys` out"),
        ("\"plain\"", "\"plain\"\ntotals = [\"$.total\"]", "has no rows: leave `totals` out"),
        ("\"plain\"", "\"plain\"\nvisible = [\"$.total\"]", "has no rows: leave `visible` out"),
        ("\"plain\"", "\"plain\"\npages = [\"$.total\"]", "has no rows: leave `pages` out"),
        ("\"plain\"", "\"plain\"\nmask = { name = \"contact\" }", "has no rows: leave `mask` out"),
        ("\"role\"", "\"conversations\"", "passes `conversations`, which names whose something is"),
        ("\"role\"", "\"queue\"", "passes `division`, which names whose something is"),
        ("GET ", "POST ", "a `plain` answer is read by `GET`"),
        ("{thingId}", "{userId}", "its path names nobody"),
        ("{thingId}", "{userid}", "`{userid}` reads like the id of a person"),
        ("{thingId}", "{agentId}", "reads like the id of a person"),
        ("{thingId}", "{team_member_id}", "reads like the id of a person"),
        ("{thingId}", "{managerIds}", "reads like the id of a person"),
        ("{thingId}", "{sourceQueueId}", "reads like the id of a queue"),
        ("{thingId}", "{Divisions}", "reads like the id of a division"),
        ("mine/{thingId}", "users/{thingId}", "what stands below one of a list of people"),
        ("mine/{thingId}", "mine/{otherId}/members/{thingId}", "what stands below one of a list of people"),
        ("metadata", "user", "its path names nobody"),
        ("no-data", "read", "has one owner"),
        ("no-data", "list", "is one of a `read` or of `no-data`"),
        (
            "[rule.answer]",
            "[rule.params]\nid = { kind = \"ids\", of = \"user\", max = 9 }\n[rule.answer]",
            "that list ids",
        ),
    ] {
        assert!(SETTINGS.contains(from), "{from}");
        let problems = compile(files(&SETTINGS.replacen(from, to, 1)), strict()).unwrap_err();
        let told = report(&problems);
        assert!(told.contains(message), "`{from}` -> `{to}`: wanted `{message}`, told\n{told}");
    }
    for (path, data) in
        [("{thingId}/{userId}", "user"), ("{userId}/{queueId}", "user"), ("{conversationId}", "interaction")]
    {
        let wrong = SETTINGS.replace("{thingId}", path).replace("no-data", "read").replace("metadata", data);
        let told = report(&compile(files(&wrong), strict()).unwrap_err());
        assert!(told.contains("has one owner"), "{path}: {told}");
    }
}
