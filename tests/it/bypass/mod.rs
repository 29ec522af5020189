//! Which known ways round systems of this kind are closed, and what shows it. `cases.toml` names the tests of each;
//! `report.md` is made of it.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    #[serde(default)]
    tests: Vec<String>,
    /// Why there is nothing to get round.
    absent: Option<String>,
    /// What is missing before there is.
    later: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> BTreeMap<String, Case> {
    toml::from_str(include_str!("cases.toml")).unwrap()
}

/// Whether a function of this name stands in the file, marked as a test.
fn is_test(file: &str, name: &str) -> bool {
    let text = fs::read_to_string(root().join(file)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = |line: &str| {
        let rest = line.strip_prefix("async ").unwrap_or(line);
        rest.strip_prefix("fn ").is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')))
    };
    let marks = |at: usize| lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    let marked = |at| marks(at).any(|mark| mark.starts_with("#[test]") || mark.starts_with("#[tokio::test"));
    lines.iter().enumerate().any(|(at, line)| head(line) && marked(at))
}

#[test]
fn every_way_round_has_its_tests_or_its_reason() {
    let cases = cases();
    for (id, case) in &cases {
        assert!(id.starts_with('B') && id[1..].parse::<u8>().is_ok(), "{id}");
        assert!(!case.what.is_empty(), "{id} does not say what it is");
        let reasoned = case.absent.is_some() || case.later.is_some();
        assert!(!case.tests.is_empty() || reasoned, "{id}: neither a test nor a reason");
        assert!(case.absent.is_none() || case.tests.is_empty() && case.later.is_none(), "{id} is tested and absent");
        for test in &case.tests {
            let (file, name) = test.split_once(' ').unwrap_or_else(|| panic!("{id}: `{test}` is no file and name"));
            assert!(is_test(file, name), "{id}: there is no test `{name}` in {file}");
        }
    }
    let tested = cases.values().filter(|case| !case.tests.is_empty()).count();
    println!("bypass: {} ways round, {tested} with tests", cases.len());
    assert!(cases.len() >= 58 && tested >= 50, "{} {tested}", cases.len());
    assert!(!is_test("tests/it/bypass/mod.rs", "is_test") && !is_test("tests/it/bypass/mod.rs", "nothing"));
}

#[test]
fn the_report_is_fresh() {
    let mut due =
        "# Ways round\n\nMade of `cases.toml` by `BAILIWICK_WRITE=1 cargo test --release --test it bypass`.\n\n\
                   | | how it was done elsewhere | what shows that it does not work here |\n|---|---|---|\n"
            .to_owned();
    for (id, case) in cases() {
        let name = |test: &String| format!("`{test}`");
        let mut shown: Vec<String> = case.tests.iter().map(name).collect();
        shown.extend(case.absent.map(|why| format!("does not apply: {why}")));
        shown.extend(case.later.map(|why| format!("not yet: {why}")));
        writeln!(due, "| {id} | {} | {} |", case.what, shown.join("<br>")).unwrap();
    }
    let file = root().join("tests/it/bypass/report.md");
    if std::env::var_os("BAILIWICK_WRITE").is_some() {
        fs::write(&file, &due).unwrap();
    }
    let stands = fs::read_to_string(&file).unwrap_or_default();
    assert!(stands == due, "run `BAILIWICK_WRITE=1 cargo test --release --test it bypass`");
}
