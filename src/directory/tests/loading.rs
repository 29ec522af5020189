use super::*;

#[test]
fn a_good_file_loads_and_carries_its_digest() {
    let org = org(GOOD);
    assert_eq!(&*org.version, hash::sha256_hex(GOOD.as_bytes()));
    assert_eq!(org.taken_at, now());
}

#[test]
fn broken_json_names_line_and_column() {
    let problem = refused("{\n  \"users\": [\n    {\"id\": }\n", 3, "expected value");
    assert_eq!(problem.column, 12);
    refused(GOOD.split_once("g-1").unwrap().0, 12, "EOF");
    refused("[]", 1, "one JSON object");
    refused(&format!("{GOOD} x"), 38, "trailing characters");
}

#[test]
fn endless_nesting_is_refused() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let all = problems(&with(r#""folders": []"#, &format!(r#""folders": {deep}"#)));
    assert!(told(&all).contains("nested"), "{}", told(&all));
}

#[test]
fn the_schema_may_be_named_for_editors() {
    org(&with(r#"  "folders": [],"#, r#"  "$schema": "../directory.schema.json","#));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() })]

    /// Whatever stands in the file, there is a snapshot or a problem, never a panic.
    #[test]
    fn damaged_files_never_panic(at in 0..GOOD.len(), length in 0..40_usize, put in "[\\[\\]{}\",:a\\\\ué ]{0,4}") {
        let (before, after) = (&GOOD.as_bytes()[..at], &GOOD.as_bytes()[(at + length).min(GOOD.len())..]);
        let text = String::from_utf8([before, put.as_bytes(), after].concat()).unwrap();
        if let Err(problems) = load(&text, "directory.json", now()) {
            proptest::prop_assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.report().is_empty()));
        }
    }
}

#[test]
fn keys_that_stand_twice_are_refused() {
    refused(&with(r#"{"id": "d-b", "#, r#"{"id": "d-b", "id": "d-c", "#), 7, "the key `id` stands twice");
    refused(&with(r#"{"id": "d-b", "#, r#"{"id": "d-b", "\u0069d": "d-c", "#), 7, "the key `id` stands twice");
    refused(&with(r#"{"id": "d-b", "#, r#"{"id": "d-b", "ID": "d-c", "#), 7, "`id` and `ID` mean the same");
    refused(&with(r#"{"id": "d-b", "#, r#"{"id": "d-b", "divisionId": "d-c", "#), 7, "mean the same");
    refused(&with(r#"  "folders": [],"#, r#"  "folders": [], "Folders": [],"#), 10, "mean the same");
    refused(&with(r#"  "folders": [],"#, r#"  "folders": [], "folders": [],"#), 10, "stands twice");
    let attributes = r#""division": "d-b", "attributes": {"a": "1", "A": "2"}, "members""#;
    refused(&with(r#""division": "d-b", "members""#, attributes), 27, "mean the same");
}

#[test]
fn unknown_keys_say_what_was_meant() {
    let problem = refused(&with(r#""memberGroups""#, r#""member_group""#), 26, "the key `member_group` is unknown");
    assert_eq!(problem.repair, "did you mean `memberGroups`?");
    assert_eq!(problem.id.as_deref(), Some("q-1"));
    refused(&with(r#"  "folders": [],"#, r#"  "foldres": [],"#), 10, "did you mean `folders`?");
}

#[test]
fn wrong_values_name_the_place() {
    refused(&with(r#""team": true"#, r#""team": "yes""#), 17, "found a text where true or false belongs");
    refused(&with(r#""scope": "assigned""#, r#""scope": "asigned""#), 17, "did you mean `assigned`?");
    refused(&with(r#", "scope": "all"}"#, "}"), 16, "`scope` is missing");
    refused(&with(r#""users": "any"}]"#, r#""users": "all"}]"#), 19, "`all` is not allowed here");
    refused(&with(r#""users": "any"}]"#, r#""users": null}]"#), 19, "found null");
    refused(&with(r#""2026-12-01T00:00:00Z""#, r#""tomorrow""#), 36, "`tomorrow` is no instant");
    refused(&with(r#"{"id": "f-1""#, r#"{"id": "\ud800""#), 30, "no text");
}

#[test]
fn all_problems_come_at_once_in_order() {
    let text = GOOD
        .replace(r#""memberGroups""#, r#""x""#)
        .replace(r#""team": true"#, r#""team": 1"#)
        .replace(r#""scope": "all""#, r#""scope": "every""#);
    let lines: Vec<usize> = problems(&text).iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [16, 17, 26]);
    let text = GOOD.replace(r#"["u-2"]"#, r#"["u-9", "u-8"]"#).replace(r#""parent": "d-us"}"#, r#""parent": "d-uss"}"#);
    let lines: Vec<usize> = problems(&text).iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [6, 7, 26, 26]);
}

#[test]
fn a_report_shows_the_line_with_a_caret() {
    let report = refused(&with(r#"["u-3"]}"#, r#"["u-33"]}"#), 27, "there is no user `u-33`").report();
    assert!(report.contains("directory.json:27:"), "{report}");
    assert!(report.contains("^^^^^^"), "{report}");
    assert!(report.contains("did you mean `u-3`?"), "{report}");
}

#[test]
fn the_guides_names_are_understood() {
    let text = r#"{
      "regions": [{"id": "us", "upstream": "https://us.example.com"}],
      "divisions": [{"divisionId": "d-us", "region": "us"}, {"divisionId": "d-a", "parentDivisionId": "d-us"}],
      "roles": [
        {"name": "Reader", "description": "reads", "divisionId": "d-a", "allowedPermissions": [], "isSystem": false},
        {"name": "Agent", "rolePermissions": [{"id": "1", "permission": "routing:queue:view", "scope": "assigned"}]}
      ],
      "users": [{"name": {"firstName": "Ada", "lastName": "Low"}, "email": "ada@example.com", "bpoUser": true, "division": "d-a",
                 "userRoles": ["Reader", {"roleId": "Agent", "divisionId": "d-a"}], "region": "us", "groups": []}]
    }"#;
    let org = org(text);
    let ada = org.user(user(&org, "ada@example.com"));
    assert_eq!((&*ada.name, ada.bpo, ada.assignments.len()), ("Ada Low", true, 2));
    assert_eq!(&*org.region(org.division(ada.division).region).id, "us");
    refused(
        &text.replace(r#""allowedPermissions": []"#, r#""allowedPermissions": ["a:b:c"]"#),
        5,
        "the permission `a:b:c` has no scope",
    );
    refused(&text.replace(r#""isSystem": false"#, r#""isSystem": true"#), 5, "is a system role");
    refused(&text.replace(r#""division": "d-a","#, ""), 8, "is in no division");
    refused(&text.replace(r#"["Reader", "#, r#"["Agent", "#), 9, "names no division");
}

#[test]
fn an_empty_organisation_is_refused() {
    for text in ["{}", r#"{"version": "", "regions": [], "divisions": []}"#] {
        assert_eq!(problems(text).len(), 2, "{text}");
        let told = told(&problems(text));
        assert!(
            told.contains("the directory has no region") && told.contains("the directory has no division"),
            "{told}"
        );
    }
}
