//! What a rule means beside others: matches, ids, families, needs, findings.

use super::*;

#[test]
fn a_rule_without_a_test_is_refused_where_tests_are_required() {
    let untested = GOOD.split("[[rule.test]]").next().unwrap();
    assert!(problems(untested).contains("the rule `mine` has no test"));
    assert!(compile(files(untested), Policy::default()).is_ok());
}

#[test]
fn two_rules_for_one_path_are_refused() {
    let rules = |paths: &[&str]| {
        let rule = GOOD.split_once("[[rule]]").unwrap().1;
        let mut text = GOOD.split_once("[[rule]]").unwrap().0.to_owned();
        for (at, path) in paths.iter().enumerate() {
            let rule = rule.replacen("\"mine\"", &format!("\"mine-{at}\""), 1).replacen("/api/v2/mine/query", path, 1);
            let _ignored = write!(text, "[[rule]]{rule}");
        }
        text
    };
    for paths in
        [["/a/b", "/a/b"], ["/a/{queueId}", "/a/{userId}"], ["/a/{queueId}/b/{userId}", "/a/{userId}/b/{queueId}"]]
    {
        assert!(problems(&rules(&paths)).contains("this matches the same paths as the rule `mine-0`"), "{paths:?}");
    }
    for paths in [
        ["/a/b", "/a/c"],
        ["/a/{queueId}", "/a/b"],
        ["/a/b/{userId}", "/a/{queueId}/{userId}"],
        ["/a/{queueId}", "/a/{queueId}/b"],
        ["/a/{queueId}/c", "/a/b/{userId}"],
    ] {
        let compiled = compiled(&rules(&paths));
        assert_eq!(compiled.rules.operations.len(), 2, "{paths:?}");
    }
}

#[test]
fn an_id_is_a_plain_name() {
    for id in ["", " ", "a b", "mine/query", "möhre", &"a".repeat(101)] {
        let told = broken("id = \"mine\"", &format!("id = \"{id}\""));
        assert!(told.contains("this is no id of a rule"), "{id}: {told}");
    }
}

#[test]
fn an_id_is_used_once_over_all_files() {
    let mut files = files(GOOD);
    files.push(("mine/zzz.toml".to_owned(), GOOD.replace("/api/v2/mine/query", "/api/v2/other/query")));
    let told = report(&compile(files, Policy::default()).unwrap_err());
    assert!(told.contains("the id `mine` is already used in `mine/rules.toml`"), "{told}");
}

#[test]
fn what_does_nothing_is_a_finding() {
    let mut files = files(&GOOD.replace("analytics:queueObservation:view", "some:thing:view"));
    files.push((
        "templates/x.toml".to_owned(),
        "[[template]]\nname = \"Idle\"\ndescription = \"\"\npermissions = { \"a:b:c\" = \"all\" }".to_owned(),
    ));
    let findings = compile(files, Policy::default()).unwrap().findings;
    let codes: Vec<_> = findings.iter().map(|finding| (finding.code, &*finding.at)).collect();
    assert_eq!(codes, [("R01", "rule `mine`"), ("R02", "template `Idle`")]);
}

#[test]
fn a_need_that_nobody_vouches_for_closes_the_rule() {
    let text = GOOD
        .replacen("data = \"queue\"", "data = \"interaction\"\nneeds = [\"leg-filter\"]", 1)
        .replacen("QueueObservationQuery", "ConversationAggregationQuery", 1)
        .replacen("[rule.answer]", "[rule.group-by]\nat = \"$.groupBy\"\nallow = [\"queueId\"]\n\n[rule.answer]", 1);
    assert_eq!(compiled(&text).rules.operations[0].unproved, [Assumption::LegFilter]);
    let policy = Policy { accepted: vec![Assumption::LegFilter], ..Policy::default() };
    assert!(compile(files(&text), policy).unwrap().rules.operations[0].unproved.is_empty());
}

#[test]
fn a_rule_wins_over_its_family() {
    let text = GOOD.replacen("[family.live]", "[family.live]\nempty-scope = \"answer\"\nmax-clauses = 7", 1);
    let text = text.replacen("family = \"live\"", "family = \"live\"\nempty-scope = \"refuse\"", 1);
    let operation = compiled(&text).rules.operations[0].clone();
    assert_eq!((operation.empty_scope, operation.max_clauses), (EmptyScope::Refuse, 7));
}

#[test]
fn a_rule_hides_more_for_itself_alone() {
    let text = GOOD.replacen("carry = ", "hidden = [\"mediaType\"]\ncarry = ", 1);
    let compiled = compiled(&text);
    let filter = compiled.rules.operations[0].body().unwrap().filter(&["filter".into()]).unwrap().clone();
    assert_eq!(filter.dimensions.get("mediaType"), Some(&crate::model::body::Dimension::Hidden));
}
