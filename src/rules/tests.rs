use super::*;

fn shipped() -> Result<Compiled, String> {
    compile_as(embedded(), Policy::default(), Untested::Refuse).map_err(|problems| report(&problems))
}

fn report(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn the_shipped_files_compile_and_every_rule_has_tests() {
    match shipped() {
        Ok(compiled) => {
            assert_eq!(compiled.rules.operations.len(), 10);
            assert!(compiled.findings.iter().all(|finding| finding.code != "R01"), "{:#?}", compiled.findings);
        }
        Err(report) => panic!("\n{report}"),
    }
}

/// With `BAILIWICK_WRITE=1` the files are written instead.
#[test]
fn the_schemas_are_fresh() {
    for (name, text) in schemas() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(name);
        if std::env::var_os("BAILIWICK_WRITE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, text, "`rules/{name}` is stale: run this test with BAILIWICK_WRITE=1");
    }
}
