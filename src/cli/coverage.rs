//! `bailiwick check --coverage`: a list of an upstream's operations held against what was decided about each.

use super::{Format, failure::Failure, out};
use crate::{
    model::{
        contract::Method,
        operation::Rules,
        routes::{Slot, Step},
    },
    rules,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::ExitCode,
};

/// How many operations of one class were decided which way.
#[derive(Debug, Default, Serialize)]
struct Count {
    governed: usize,
    denied: usize,
}

#[derive(Debug, Default, Serialize)]
struct Coverage {
    operations: usize,
    decided: usize,
    classes: BTreeMap<String, Count>,
    /// Denied operations by reason.
    reasons: BTreeMap<String, usize>,
    /// Operations that nobody decided on: all of them are refused.
    undecided: Vec<String>,
}

pub(super) fn run(list: &Path, rules: &Rules, format: Format) -> Result<ExitCode, Failure> {
    let unreadable = |cause: String| Failure::input(format!("`{}`: {cause}", list.display()));
    let text = fs::read_to_string(list).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
    let operations = operations(&text).map_err(unreadable)?;
    if operations.is_empty() {
        return Err(unreadable("no operation stands in it".to_owned()));
    }
    let coverage = Coverage::of(&operations, rules);
    match format {
        Format::Json => out::json(&coverage)?,
        Format::Text => coverage.print(),
    }
    Ok(ExitCode::from(u8::from(!coverage.undecided.is_empty())))
}

impl Coverage {
    fn of(operations: &BTreeSet<(String, String)>, rules: &Rules) -> Self {
        let mut coverage = Self { operations: operations.len(), ..Self::default() };
        for (path, method) in operations {
            match decision(rules, method, path) {
                Some(Slot::Governed(slot)) => {
                    let class = rules.operations.get(slot).map_or("", |operation| operation.class.as_str());
                    coverage.classes.entry(class.to_owned()).or_default().governed += 1;
                }
                Some(Slot::Denied(slot)) => {
                    let Some(denial) = rules.denials.get(slot) else { continue };
                    coverage.classes.entry(denial.class.to_string()).or_default().denied += 1;
                    *coverage.reasons.entry(denial.reason.to_string()).or_default() += 1;
                }
                None => coverage.undecided.push(format!("{method} {path}")),
            }
        }
        coverage.decided = coverage.operations - coverage.undecided.len();
        coverage
    }

    fn print(&self) {
        let row =
            |name: &str, count: &Count| vec![name.to_owned(), count.governed.to_string(), count.denied.to_string()];
        let mut rows: Vec<_> = self.classes.iter().map(|(class, count)| row(class, count)).collect();
        let all = Count {
            governed: self.classes.values().map(|count| count.governed).sum(),
            denied: self.classes.values().map(|count| count.denied).sum(),
        };
        rows.push(row("all", &all));
        out::table(&["class", "governed", "denied"], &rows);
        out::line("");
        let reasons: Vec<_> = self.reasons.iter().map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
        out::table(&["denied for", "operations"], &reasons);
        out::line("");
        out::line(format!(
            "{} operations: {} decided, {} undecided",
            self.operations,
            self.decided,
            self.undecided.len()
        ));
        for operation in &self.undecided {
            out::line(format!("undecided: {operation}; write a rule for it, or deny it in `catalogue.jsonl`"));
        }
    }
}

/// What was decided about this very operation. An id in a rule does not stand for a word in the list.
fn decision(rules: &Rules, method: &str, path: &str) -> Option<Slot> {
    let steps: Vec<Step<'_>> = rules::steps(path)?;
    rules.index.exact(Method::named(method)?, steps)
}

/// One line of a list; whatever else stands in it is not our business.
#[derive(Debug, Deserialize)]
struct Line {
    method: String,
    path: String,
}

/// Paths and methods of JSON lines (`{"method": .., "path": ..}`), or of an `OpenAPI` or Swagger document.
fn operations(text: &str) -> Result<BTreeSet<(String, String)>, String> {
    if let Ok(Value::Object(document)) = serde_json::from_str(text)
        && let Some(Value::Object(paths)) = document.get("paths")
    {
        let base = document.get("basePath").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
        let mut all = BTreeSet::new();
        for (path, item) in paths {
            let members = item.as_object().into_iter().flatten();
            let methods = members.filter(|(key, _)| METHODS.contains(&key.as_str()));
            all.extend(methods.map(|(method, _)| (format!("{base}{path}"), method.to_ascii_uppercase())));
        }
        return Ok(all);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                format!(
                    "line {} is neither a line with `method` and `path` nor the start of an OpenAPI document: {error}",
                    number + 1
                )
            })?;
            Ok((line.path, line.method.to_ascii_uppercase()))
        })
        .collect()
}

/// Members of a path item that are operations.
const METHODS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::selftest;

    fn shipped() -> Rules {
        rules::compile(rules::embedded(), selftest::policy()).unwrap().rules
    }

    fn listed() -> String {
        rules::embedded().into_iter().find(|(name, _)| name == "genesys/catalogue.jsonl").unwrap().1
    }

    #[test]
    fn every_operation_of_the_shipped_list_is_decided() {
        let coverage = Coverage::of(&operations(&listed()).unwrap(), &shipped());
        assert_eq!((coverage.operations, coverage.decided), (3397, 3397), "{:?}", coverage.undecided);
        let governed: usize = coverage.classes.values().map(|count| count.governed).sum();
        // a preview has a path of this program's own, and other upstreams have other lists
        let own = |one: &&std::sync::Arc<crate::model::operation::Operation>| {
            ["platform.", "opensearch."].iter().any(|other| one.id.starts_with(other)) || one.preview.is_some()
        };
        let genesys = shipped().operations.iter().filter(|operation| !own(operation)).count();
        assert_eq!(governed, genesys, "a rule for an operation that the upstream does not have");
    }

    #[test]
    fn an_invented_operation_is_undecided_even_where_an_id_would_match() {
        let rules = shipped();
        for path in ["/api/v2/analytics/souls/aggregates/query", "/api/v2/conversations/everything"] {
            let method = if path.ends_with("query") { "POST" } else { "GET" };
            let list = format!("{}{{\"method\": \"{method}\", \"path\": \"{path}\"}}\n", listed());
            let coverage = Coverage::of(&operations(&list).unwrap(), &rules);
            assert_eq!(coverage.undecided, [format!("{method} {path}")]);
        }
    }

    #[test]
    fn an_openapi_document_is_read_with_its_base() {
        let text = r#"{"swagger": "2.0", "basePath": "/api/v2/", "paths": {"/users": {"get": {}, "post": {}, "parameters": []}}}"#;
        let all = operations(text).unwrap();
        let due = [("/api/v2/users", "GET"), ("/api/v2/users", "POST")];
        assert_eq!(all.into_iter().collect::<Vec<_>>(), due.map(|(path, method)| (path.to_owned(), method.to_owned())));
    }

    #[test]
    fn a_list_that_cannot_be_read_names_the_line() {
        let error = operations("{\"method\": \"GET\", \"path\": \"/a\"}\nGET /b\n").unwrap_err();
        assert!(error.starts_with("line 2 is neither"), "{error}");
    }
}
