//! Each load error names its line; each rule of compilation stands alone.

mod compiling;
mod finding;
mod importing;
mod loading;
mod watching;

use super::*;
use crate::model::{
    org::{QueueIx, UserIx},
    set::Set,
};

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// A small organisation that loads; tests replace a line of it.
const GOOD: &str = r#"{
  "regions": [{"id": "us", "upstream": "https://us.example.com", "hosts": ["us.example.com"]},
              {"id": "eu", "upstream": "https://eu.example.com"}],
  "divisions": [
    {"id": "d-us", "region": "us"},
    {"id": "d-a", "region": "us", "parent": "d-us"},
    {"id": "d-b", "region": "us", "parent": "d-us"},
    {"id": "d-eu", "region": "eu"}
  ],
  "folders": [],
  "groups": [
    {"id": "g-1", "region": "us", "members": ["u-1"], "roles": [{"role": "r-group", "division": "d-b"}]},
    {"id": "g-2", "region": "us"}
  ],
  "roles": [
    {"id": "r-1", "permissions": [{"permission": "analytics:report:view", "scope": "all"}]},
    {"id": "r-group", "permissions": [{"permission": "routing:callback:view", "scope": "assigned", "team": true}]}, {"id": "r-sod"}
  ],
  "views": [{"id": "v-1", "queues": ["q-1"], "users": "any"}],
  "users": [
    {"id": "u-1", "division": "d-a", "region": "us", "roles": [{"role": "r-1", "division": "d-a"}]},
    {"id": "u-2", "division": "d-a", "region": "us", "groups": ["g-1"]},
    {"id": "u-3", "division": "d-b", "region": "us"}
  ],
  "queues": [
    {"id": "q-1", "division": "d-a", "members": ["u-2"], "memberGroups": ["g-1"]},
    {"id": "q-2", "division": "d-b", "members": ["u-3"]}
  ],
  "serviceAccounts": [{"id": "s-1", "region": "us", "clientIds": ["c-1"]}],
  "flows": [{"id": "f-1", "division": "d-a"}],
  "labels": [{"id": "l-1", "division": "d-a", "conversations": ["c-2"]}],
  "cases": [{"id": "case-1", "division": "d-a", "labels": ["l-1"], "conversations": ["c-1"]}],
  "conflicts": [{"id": "sod", "roles": ["r-1", "r-sod"]}],
  "grants": [
    {"id": "gr-1", "beneficiary": "u-3", "resources": [{"kind": "queue", "id": "q-1"}, {"kind": "case", "id": "case-1"}],
     "actions": ["view", "addRemove"], "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
  ]
}"#;

/// `GOOD` with one text replaced.
fn with(old: &str, new: &str) -> String {
    assert_eq!(GOOD.matches(old).count(), 1, "`{old}` stands once");
    GOOD.replace(old, new)
}

fn org(text: &str) -> Org {
    load(text, "directory.json", now()).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

fn problems(text: &str) -> Vec<Problem> {
    load(text, "directory.json", now()).expect_err("a problem")
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The one problem of a text: its line, and a part of its sentence.
#[track_caller]
fn refused(text: &str, line: usize, sentence: &str) -> Problem {
    let all = problems(text);
    let found = all.iter().find(|problem| problem.to_string().contains(sentence));
    let Some(found) = found else { panic!("no `{sentence}` in\n{}", told(&all)) };
    assert_eq!((found.line, all.len()), (line, 1), "{}", told(&all));
    found.clone()
}

fn user(org: &Org, id: &str) -> UserIx {
    *org.index.users.get(id).unwrap()
}

fn queue(org: &Org, id: &str) -> QueueIx {
    *org.index.queues.get(id).unwrap()
}

fn names(org: &Org, users: &Set<UserIx>) -> Vec<String> {
    users.iter().map(|user| org.user(*user).id.to_string()).collect()
}

/// The generated schema is committed for editors; regenerate it with the environment variable.
#[test]
fn the_committed_schema_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/directory.schema.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("BAILIWICK_UPDATE").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == fresh, "rules/directory.schema.json is stale: run the tests with BAILIWICK_UPDATE=1");
}

#[test]
fn the_sample_organisation_loads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/sample/directory.json");
    let sample = org(&std::fs::read_to_string(path).unwrap());
    let codes: std::collections::BTreeSet<&str> = sample.findings.iter().map(|finding| finding.code).collect();
    for code in ["D01", "D02", "L01", "O05", "Q03", "R03"] {
        assert!(codes.contains(code), "{code} is missing in {codes:?}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/sample/directory.json");
    let sample = std::fs::read_to_string(path).unwrap();
    for text in [GOOD, &sample] {
        let (file, _) = read(text, "directory.json").unwrap();
        let written = serde_json::to_string(&file).unwrap();
        assert!(read(&written, "again.json").unwrap().0 == file);
    }
}

#[test]
fn a_file_built_in_memory_compiles_or_names_its_objects() {
    let (mut file, _) = read(GOOD, "directory.json").unwrap();
    assert!(compile(&file, &Places::nowhere("memory"), "v", now()).is_ok());
    file.users.clear();
    let problems = compile(&file, &Places::nowhere("memory"), "v", now()).unwrap_err();
    assert!(problems.iter().any(|problem| problem.line == 0 && problem.what == "there is no user `u-1`"));
}
