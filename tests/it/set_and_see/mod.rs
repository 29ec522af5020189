//! Set and see: every key that the schema of rule files knows, and every key that `bailiwick.toml` knows, is set to
//! another value, and something is different then. A key that does nothing would be a promise that nobody keeps.

mod configuration;
mod keys;
mod tables;

use crate::rule_files::beside_shipped;
use bailiwick::{
    app::selftest,
    rules::{self, Compiled, Problem},
};
use keys::{Edit, Effect};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const BASE: &str = include_str!("base.toml");
const FILE: &str = "mine/rules.toml";

fn edits() -> impl Iterator<Item = &'static Edit> {
    keys::EDITS.iter().chain(tables::EDITS)
}

fn compile(text: &str) -> Result<Compiled, Vec<Problem>> {
    rules::compile(beside_shipped([(FILE, text)]), selftest::policy())
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

/// The operations, the tests and what becomes of them. Versions and lines are different in any other text.
fn seen(compiled: &Compiled) -> (String, String) {
    let tests: Vec<_> = compiled
        .tests
        .iter()
        .map(|test| (&test.name, &test.asker, &test.asks, &test.params, &test.expect, &test.answer, test.now))
        .collect();
    let fixtures: Vec<_> = compiled.fixtures.iter().map(|fixture| (&fixture.directory, fixture.now)).collect();
    let outcomes: Vec<_> = selftest::run(compiled).into_iter().map(|outcome| (outcome.name, outcome.failure)).collect();
    (format!("{:#?}\n{tests:#?}\n{fixtures:#?}", compiled.rules.operations), format!("{outcomes:#?}"))
}

/// Every table of the schema with its keys. What a rule says itself stands under `Rule`, and again under `Shared`, which
/// is a family.
fn schema() -> BTreeMap<String, BTreeSet<String>> {
    let schema: Value = rules::schema().parse().unwrap();
    let mut tables: Vec<(&str, &Value)> = vec![("RuleFile", &schema)];
    tables.extend(schema["$defs"].as_object().unwrap().iter().map(|(name, table)| (name.as_str(), table)));
    let keys = |table: &Value| table["properties"].as_object().map(|keys| keys.keys().cloned().collect());
    tables.into_iter().filter_map(|(name, table)| Some((name.to_owned(), keys(table)?))).collect()
}

/// Keys of the schema that nobody sets.
fn without_an_edit(schema: &BTreeMap<String, BTreeSet<String>>) -> Vec<(&str, &str)> {
    let keys = schema.iter().flat_map(|(table, keys)| keys.iter().map(move |key| (table.as_str(), key.as_str())));
    keys.filter(|(table, key)| !edits().any(|edit| (edit.table, edit.key) == (*table, *key))).collect()
}

/// One more key in any table of the schema, or one edit fewer, and the test above fails.
#[test]
fn a_key_without_an_edit_is_noticed_in_every_table() {
    let schema = schema();
    assert!(schema.len() >= 15 && schema.values().map(BTreeSet::len).sum::<usize>() >= 80, "{schema:?}");
    for table in schema.keys() {
        let mut more = schema.clone();
        more.get_mut(table).unwrap().insert("new-key".to_owned());
        assert_eq!(without_an_edit(&more), [(table.as_str(), "new-key")]);
    }
    let mut of_a_new_table = schema.clone();
    of_a_new_table.insert("NewTable".to_owned(), BTreeSet::from(["key".to_owned()]));
    assert_eq!(without_an_edit(&of_a_new_table), [("NewTable", "key")]);
}

fn edited(edit: &Edit) -> String {
    assert!(BASE.contains(edit.from), "{}.{}: `{}` is not in the base file", edit.table, edit.key, edit.from);
    BASE.replacen(edit.from, edit.to, 1)
}

#[test]
fn the_base_file_is_in_order() {
    let compiled = compile(BASE).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    assert_eq!(selftest::failures(&compiled), Vec::<String>::new());
}

#[test]
fn every_key_of_a_rule_file_is_seen_when_it_is_set() {
    let schema = schema();
    let known = |edit: &&Edit| schema.get(edit.table).is_some_and(|keys| keys.contains(edit.key));
    let strange: Vec<_> = edits().filter(|edit| !known(edit)).map(|edit| (edit.table, edit.key)).collect();
    assert!(strange.is_empty(), "the schema does not know {strange:?}");
    let missing = without_an_edit(&schema);
    assert!(missing.is_empty(), "nobody sets {missing:?}: add an edit that shows what they do");

    let (operations, decisions) = seen(&compile(BASE).unwrap());
    let mut in_decisions = 0;
    for edit in edits() {
        let name = format!("{}.{}", edit.table, edit.key);
        match (compile(&edited(edit)), edit.effect) {
            (Ok(compiled), Effect::Seen) => {
                let now = seen(&compiled);
                in_decisions += usize::from(now.1 != decisions);
                assert!(now.0 != operations || now.1 != decisions, "`{name}` does nothing");
            }
            (Err(problems), Effect::Told(due)) => {
                let told = told(&problems);
                assert!(told.contains(due), "`{name}`: {told}");
            }
            (Ok(_), Effect::Told(due)) => panic!("`{name}` does nothing: `{due}` was due"),
            (Err(problems), Effect::Seen) => panic!("`{name}`: {}", told(&problems)),
        }
    }
    println!("{} keys of rule files set and seen, {in_decisions} of them in decisions", edits().count());
}

/// The same place with a key that is spelt otherwise is refused with file, line, column and caret.
#[test]
fn a_sibling_that_nobody_knows_is_told_at_its_place() {
    for edit in edits() {
        let text = edited(edit);
        let Some(at) = place(&text, edit) else {
            panic!("{}.{}: its edit does not write the key", edit.table, edit.key)
        };
        let misspelt = format!("{}-zz", edit.key);
        let wrong = format!("{}{misspelt}{}", &text[..at], &text[at + edit.key.len()..]);
        let line = wrong[..at].matches('\n').count() + 1;
        let column = at - wrong[..at].rfind('\n').map_or(0, |end| end + 1) + 1;
        let Err(problems) = compile(&wrong) else { panic!("{}.{misspelt} is accepted", edit.table) };
        let due = format!("unknown key `{misspelt}`");
        let Some(problem) = problems.iter().find(|problem| problem.message == due) else {
            panic!("{}.{misspelt}: {}", edit.table, told(&problems));
        };
        assert_eq!((problem.line(), problem.column()), (line, column), "{problem}");
        let (shown, place) = (problem.to_string(), format!("--> {FILE}:{line}:{column}\n"));
        assert!(shown.contains(&place) && shown.contains(&"^".repeat(misspelt.len())), "{shown}");
    }
}

/// Where the edit writes its key: as a key, or as the last part of a table's name.
fn place(text: &str, edit: &Edit) -> Option<usize> {
    let start = BASE.find(edit.from)?;
    let written = text.get(start..start + edit.to.len())?;
    let forms = [format!("{} = ", edit.key), format!("{}]", edit.key), format!("{}.", edit.key)];
    let begins = |at: usize| written[..at].chars().next_back().is_none_or(|before| "\n {[.".contains(before));
    let found =
        forms.iter().flat_map(|form| written.match_indices(form.as_str())).map(|(at, _)| at).find(|at| begins(*at));
    found.map(|at| start + at)
}
