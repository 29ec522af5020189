//! Loading: the shipped files, what is refused and how it is told, versions, growth.

mod changes;
mod documents;
mod faults;
mod meaning;
mod plain;
mod shipped;

use super::*;
use crate::model::{assumption::Assumption, contract::Method, operation::EmptyScope};
use std::fmt::Write as _;

/// A rule file without fault; the cases below break one thing each.
const GOOD: &str = r#"[fixture]
directory = "../sample/directory.json"
now = 2026-11-20T10:00:00Z

[family.live]
class = "query"
dialect = "genesys"
data = "queue"

[[rule]]
id = "mine"
match = "POST /api/v2/mine/query"
family = "live"
permission = "analytics:queueObservation:view"
body = "QueueObservationQuery"

[[rule.narrow]]
at = "$.filter"
carry = [{ queue = "queueId" }]

[rule.answer]
shape = "groups"
rows = "$.results"
keys = { queueId = "queue" }
keep = "observations"
empty = '{"results":[]}'

[[rule.test]]
name = "a test"
as = "sofia"
asks = { metrics = ["oWaiting"] }
refuses = "scope.empty"
"#;

/// Every rule has to have a test.
fn strict() -> Policy {
    Policy { require_tests: true, ..Policy::default() }
}

fn files(rules: &str) -> Vec<(String, String)> {
    let support =
        |name: &str| name.ends_with("models.toml") || name.ends_with("permissions.toml") || name.starts_with("sample/");
    let mut files = embedded();
    files.retain(|(name, _)| support(name));
    files.push(("mine/rules.toml".to_owned(), rules.to_owned()));
    files
}

fn compiled(rules: &str) -> Compiled {
    compile(files(rules), strict()).unwrap_or_else(|problems| panic!("\n{}", report(&problems)))
}

fn problems(rules: &str) -> String {
    match compile(files(rules), strict()) {
        Ok(_) => panic!("this compiles:\n{rules}"),
        Err(problems) => report(&problems),
    }
}

fn report(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n\n")
}

fn broken(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "`{from}` is not in the good file");
    problems(&GOOD.replacen(from, to, 1))
}
