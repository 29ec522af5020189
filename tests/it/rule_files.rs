//! Rule files of one's own for tests: beside the shipped models, permissions and fixtures, and in place of the shipped
//! rules. Rules that many tests vary stand here once.

use bailiwick::{app::selftest, rules};

/// The shipped models, permissions and fixtures with these files beside them: name and text.
pub(crate) fn beside_shipped<'t>(own: impl IntoIterator<Item = (&'t str, &'t str)>) -> Vec<(String, String)> {
    let mut files = rules::embedded();
    files.retain(|(name, _)| {
        name.ends_with("models.toml") || name.ends_with("permissions.toml") || name.starts_with("sample/")
    });
    files.extend(own.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())));
    files
}

/// What query tests of these files failed, and how many there were.
#[track_caller]
pub(crate) fn failures(files: Vec<(String, String)>) -> (Vec<String>, usize) {
    let compiled = rules::compile(files, selftest::policy());
    let compiled =
        compiled.unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<String>()));
    (selftest::failures(&compiled), compiled.tests.len())
}

/// What a file of query tests begins with: its directory, of those that stand in `sample/`.
pub(crate) fn fixture(directory: &str) -> String {
    format!("[fixture]\ndirectory = \"../sample/{directory}\"\nnow = 2026-11-20T10:00:00Z\n")
}

/// A rule about interactions, grouped by these dimensions: `more` is said of the rule itself, `after` in tables of it.
pub(crate) fn about_interactions(more: &str, groups: &[(&str, &str)], after: &str) -> String {
    let allow: Vec<&str> = groups.iter().map(|(dimension, _)| *dimension).collect();
    let keys: Vec<String> = groups.iter().map(|(dimension, access)| format!("{dimension} = \"{access}\"")).collect();
    let keys = keys.join(", ");
    format!(
        r#"
[[rule]]
id = "own.query"
match = "POST /api/v2/own/query"
class = "query"
dialect = "genesys"
data = "interaction"
{more}
permission = "analytics:conversationAggregate:view"
body = "ConversationAggregationQuery"
needs = ["leg-filter"]

[[rule.narrow]]
at = "$.filter"
carry = [{{ queue = "queueId" }}, {{ user = "userId" }}]

[rule.group-by]
at = "$.groupBy"
allow = {allow:?}

[rule.answer]
shape = "groups"
rows = "$.results"
keys = {{ {keys} }}
keep = "aggregates"
empty = '{{"results":[]}}'

{after}"#
    )
}
