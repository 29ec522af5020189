//! Loading: the shipped files, what is refused and how it is told, versions, growth.

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

fn files(rules: &str) -> Vec<(String, String)> {
    let support =
        |name: &str| name.ends_with("models.toml") || name.ends_with("permissions.toml") || name.starts_with("sample/");
    let mut files = embedded();
    files.retain(|(name, _)| support(name));
    files.push(("mine/rules.toml".to_owned(), rules.to_owned()));
    files
}

fn compiled(rules: &str) -> Compiled {
    compile_as(files(rules), Policy::default(), Untested::Refuse)
        .unwrap_or_else(|problems| panic!("\n{}", report(&problems)))
}

fn problems(rules: &str) -> String {
    match compile_as(files(rules), Policy::default(), Untested::Refuse) {
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

#[test]
fn the_shipped_files_compile_and_every_rule_has_tests() {
    let compiled = compile_as(embedded(), Policy::default(), Untested::Refuse);
    let compiled = compiled.unwrap_or_else(|problems| panic!("\n{}", report(&problems)));
    let texts = embedded();
    let lines = |mark: &str| texts.iter().flat_map(|(_, text)| text.lines()).filter(|line| *line == mark).count();
    assert_eq!(compiled.rules.operations.len(), lines("[[rule]]"));
    assert_eq!(compiled.fixtures.len(), lines("[fixture]"));
    assert!(compiled.findings.iter().all(|finding| finding.code != "R01"), "{:#?}", compiled.findings);
    let (operation, ids) = compiled.rules.find(Method::Get, &["api", "v2", "conversations", "c-1"]).unwrap();
    assert_eq!((&*operation.id, ids), ("conversations.get", vec![("conversationId".into(), "c-1")]));
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

#[test]
fn a_problem_shows_file_line_column_caret_and_what_was_meant() {
    let expected = "\
error: unknown key `permision`
  --> mine/rules.toml:14:1
   |
14 | permision = \"analytics:queueObservation:view\"
   | ^^^^^^^^^
   |
   = help: did you mean `permission`?";
    let told = broken("permission = ", "permision = ");
    assert!(told.contains(expected), "{told}");
}

#[test]
fn all_problems_of_all_files_are_told_at_once() {
    let mut files = files(&GOOD.replacen("\"query\"", "\"qeury\"", 1).replacen("\"groups\"", "3", 1));
    files.push(("other.toml".to_owned(), "[[rule]\n".to_owned()));
    files.push(("templates/mine.toml".to_owned(), "[[template]]\nname = \"x\"\n".to_owned()));
    let problems = compile(files, Policy::default()).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| (&*problem.source.name, problem.line())).collect();
    let wanted = [("mine/rules.toml", 6), ("mine/rules.toml", 22), ("other.toml", 1), ("templates/mine.toml", 1)];
    for place in wanted {
        assert!(places.contains(&place), "{place:?} is not in {places:?}");
    }
}

/// What is changed, what it becomes, and what is told about it: message, line, column.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("class = \"query\"", "class = \"query\"\nclass = \"list\"", "duplicate key", ":7:1"),
    ("\"query\"", "\"qeury\"", "`qeury` is not known here", ":6:9"),
    ("class = \"query\"\n", "", "do not say `class`", ":10:6"),
    ("shape = \"groups\"", "shape = 3", "expected a text in quotes, found integer", ":22:9"),
    ("id = \"mine\"\n", "", "the key `id` is missing here", ":10:1"),
    ("family = \"live\"", "family = \"life\"", "there is no family `life`", ":13:10"),
    ("family = \"live\"\n", "", "no rule is of the family `live`", ":5:9"),
    ("POST /api", "PUT /api", "`PUT` is not governed", ":12:9"),
    ("POST /api", "POST api", "does not begin with `/`", ":12:9"),
    ("mine/query\"", "{mine}/query\"", "`{mine}` is no id of a known kind", ":12:9"),
    ("v2/mine", "v2/../mine", "`..` is not a segment", ":12:9"),
    ("permission = \"analytics:queueObservation:view\"\n", "", "a rule needs `permission` or `any`", ":11:6"),
    ("queueObservation:view", "*:view", "`analytics:*:view` is not a permission", ":14:14"),
    ("\"QueueObservationQuery\"", "\"QueueObservationQery\"", "there is no body model `QueueObservationQery`", ":15:8"),
    ("\"genesys\"", "\"platform\"", "is written in another dialect", ":7:11"),
    ("at = \"$.filter\"", "at = \"$..filter\"", "`$..filter` is not a definite path", ":18:6"),
    ("at = \"$.filter\"", "at = \"$.filter[*]\"", "`$.filter[*]` is not a definite path", ":18:6"),
    ("at = \"$.filter\"", "at = \"$.metrics\"", "`$.metrics` is no filter", ":18:6"),
    ("at = \"$.filter\"", "at = \"$.filtre\"", "there is no field of `QueueObservationQuery` at `$.filtre`", ":18:6"),
    ("queue = \"queueId\"", "queue = \"queueID\"", "there is no dimension `queueID`", ":19:20"),
    ("queue = \"queueId\"", "queue = \"mediaType\"", "does not say that kind of access", ":19:20"),
    ("{ queue = \"queueId\" }", "{ queue = \"queueId\", user = \"queueId\" }", "names one kind of access", ":19:10"),
    ("carry = [{ queue = \"queueId\" }]", "carry = []", "carries nothing", ":17:1"),
    ("carry = [", "entry = \"append\"\ncarry = [", "`entry` is for arrays", ":19:9"),
    ("carry = [", "hidden = [\"queueId\"]\ncarry = [", "carries access and cannot be hidden", ":19:11"),
    ("data = \"queue\"", "data = \"interaction\"", "rests on `leg-filter` and does not say so", ":11:6"),
    ("data = \"queue\"", "needs = [\"leg-filters\"]\ndata = \"queue\"", "`leg-filters` is not known here", ":8:10"),
    ("rows = \"$.results\"\n", "", "this shape needs `rows`", ":21:1"),
    ("keys = { queueId = \"queue\" }\n", "", "this shape needs `keys`", ":21:1"),
    ("shape = \"groups\"", "shape = \"conversations\"", "this shape needs `leg`", ":21:1"),
    ("shape = \"groups\"", "shape = \"conversations\"", "a list of interactions needs the key of each", ":21:1"),
    ("\"observations\"", "\"observation\"", "there is no list of fields `observation`", ":25:8"),
    ("'{\"results\":[]}'", "'{\"results\":['", "`empty` is not the text of a JSON object", ":26:9"),
    ("keep = ", "mask = { ani = \"secret\" }\nkeep = ", "there is no mask class in `[lift]` named `secret`", ":11:6"),
    ("\"scope.empty\"", "\"scope.emty\"", "there is no refusal code `scope.emty`", ":32:11"),
    ("refuses = \"scope.empty\"\n", "", "a test states one of", ":29:8"),
    ("\"../sample/directory.json\"", "\"../sample/directry.json\"", "there is no directory file", ":2:13"),
    ("\"../sample/directory.json\"", "\"../../directory.json\"", "there is no directory file", ":2:13"),
    ("2026-11-20T10:00:00Z", "2026-11-20", "expected an instant with offset", ":3:7"),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metrics[?@ > 1]\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "a comparison of it can never hold",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metrics[?@ == 'oWaitin']\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "a comparison of it can never hold",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$[?@[?@>1]]\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "a filter inside a filter is not evaluated reliably",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metrics[?match(@, 'o.*')]\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "regular expressions are not evaluated",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metrics[?@.a != 1]\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "a missing member makes it true",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.filter..predicates[?@.operator == 'matches']\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "a comparison of it can never hold",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metrcs[?@ == 'oWaiting']\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "there is no field `metrcs` at that place",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"metrics > 3\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "it is no path of RFC 9535",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metric == 1\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "there is no field `metric`",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[[rule.refuse]]\nwhen = \"$.metrics == 1\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]",
        "can never hold",
        ":22:8",
    ),
    (
        "[rule.answer]",
        "[rule.time]\nat = \"$.metrics\"\nreach = \"overlap\"\n[rule.answer]",
        "`$.metrics` holds no time",
        ":22:6",
    ),
    (
        "[rule.answer]",
        "[rule.group-by]\nat = \"$.metrics\"\nallow = [\"oWaitin\"]\n[rule.answer]",
        "there is no word `oWaitin`",
        ":23:10",
    ),
    (
        "[rule.answer]",
        "[rule.group-by]\nat = \"$.metrics\"\nallow = [\"oWaiting\"]\nbpo-allow = [\"oAlerting\"]\n[rule.answer]",
        "is not in `allow`",
        ":24:14",
    ),
    (
        "[rule.answer]",
        "[rule.group-by]\nat = \"$.metrics\"\nallow = [\"oWaiting\"]\n[rule.answer]",
        "`group-by` allows `oWaiting`, and no filter of `QueueObservationQuery` knows it",
        ":11:6",
    ),
    (
        "body = \"QueueObservationQuery\"\n\n[[rule.narrow]]\nat = \"$.filter\"\ncarry = [{ queue = \"queueId\" }]",
        "body = \"UserAggregationQuery\"\n[[rule.narrow]]\nat = \"$.filter\"\ncarry = [{ user = \"userId\" }]",
        "`$.groupBy` may say `userId`, and the rule does not list its words",
        ":11:6",
    ),
    (
        "[rule.answer]",
        "[rule.params]\nid = { kind = \"int\" }\n[rule.answer]",
        "the parameter `id` is not described",
        ":22:6",
    ),
    ("class = \"query\"", "class = \"read\"", "a `read` is a `GET` with an id in its path", ":12:9"),
    ("class = \"query\"", "class = \"query\"\ndivision-slot = \"$.metrics\"", "`$.metrics` holds no division", ":7:17"),
];

#[test]
fn each_fault_is_told_at_its_place() {
    for (from, to, message, place) in CASES {
        let told = broken(from, to);
        assert!(told.contains(message), "`{from}` -> `{to}`: wanted `{message}`, told\n{told}");
        assert!(
            told.contains(&format!("mine/rules.toml{place}\n")),
            "`{from}` -> `{to}`: wanted {place}, told\n{told}"
        );
    }
}

/// What a body asks about is the model table's to say: a wrong word in a rule would widen what is seen.
#[test]
fn a_rule_cannot_call_the_data_of_a_body_something_else() {
    for word in ["interaction", "user", "division", "metadata"] {
        let told = broken("data = \"queue\"", &format!("data = \"{word}\""));
        assert!(told.contains("a `QueueObservationQuery` asks about other data than this"), "{told}");
    }
}

#[test]
fn a_rule_without_a_test_is_refused_where_tests_are_required() {
    let untested = GOOD.split("[[rule.test]]").next().unwrap();
    assert!(problems(untested).contains("the rule `mine` has no test"));
    assert!(compile(files(untested), Policy::default()).is_ok());
}

#[test]
fn overlapping_matches_are_refused_and_a_more_exact_one_is_not() {
    let rules = |paths: &[&str]| {
        let rule = GOOD.split_once("[[rule]]").unwrap().1;
        let mut text = GOOD.split_once("[[rule]]").unwrap().0.to_owned();
        for (at, path) in paths.iter().enumerate() {
            let rule = rule.replacen("\"mine\"", &format!("\"mine-{at}\""), 1).replacen("/api/v2/mine/query", path, 1);
            let _ignored = write!(text, "[[rule]]{rule}");
        }
        text
    };
    for paths in [
        ["/a/b", "/a/b"],
        ["/a/{queueId}", "/a/{userId}"],
        ["/a/{queueId}/c", "/a/b/{userId}"],
        ["/a/b/{userId}", "/a/{queueId}/c"],
    ] {
        assert!(problems(&rules(&paths)).contains("this matches the same paths as the rule `mine-0`"), "{paths:?}");
    }
    for paths in [
        ["/a/b", "/a/c"],
        ["/a/{queueId}", "/a/b"],
        ["/a/b/{userId}", "/a/{queueId}/{userId}"],
        ["/a/{queueId}", "/a/{queueId}/b"],
    ] {
        let compiled = compiled(&rules(&paths));
        assert_eq!(compiled.rules.operations.len(), 2, "{paths:?}");
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
fn permission_and_template_files_are_checked() {
    for (name, text, message) in [
        ("more/permissions.toml", "harmless = [\"analytics:report:view\"]", "opens an operation: it is not harmless"),
        ("more/permissions.toml", "[expand]\n\"analytics:*\" = []", "`analytics:*` is not a permission"),
        (
            "templates/x.toml",
            "[[template]]\nname = \"Report Consumer\"\ndescription = \"\"\npermissions = { \"a:b:c\" = \"al\" }",
            "`al` is not known here",
        ),
        ("more/models.toml", "[keep.queues]\n\"\" = []", "`queues` is defined twice"),
        (
            "more/models.toml",
            "[filter.x]\nlevel = \"leg\"\nmax-depth = 2\nplain = [\"a\"]\nhidden = [\"A\"]",
            "the dimension `A` is classified twice",
        ),
        (
            "more/models.toml",
            "[model.X]\ndialect = \"genesys\"\ndata = \"interaction\"\nproof = { filter = \"$.filter\" }\nfields = { filter = { kind = \"text\", max = 3 } }",
            "the proof names a path that is no filter",
        ),
    ] {
        let mut files = files(GOOD);
        files.push((name.to_owned(), text.to_owned()));
        let told = report(&compile(files, Policy::default()).unwrap_err());
        assert!(told.contains(message), "{text}: told\n{told}");
    }
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

#[test]
fn the_version_follows_texts_and_policy_and_not_the_order_of_files() {
    let version = |files: Vec<(String, String)>, policy: Policy| compile(files, policy).unwrap().rules.version;
    let first = version(files(GOOD), Policy::default());
    let mut turned = files(GOOD);
    turned.reverse();
    assert_eq!(first, version(turned, Policy::default()));
    assert_ne!(first, version(files(&format!("{GOOD}# more")), Policy::default()));
    assert_ne!(first, version(files(GOOD), Policy { accepted: vec![Assumption::IdsOnly], ..Policy::default() }));
}

#[test]
fn a_reload_is_a_cold_start() {
    let cold = format!("{:?}", compile(embedded(), Policy::default()).unwrap().rules.operations);
    let again = format!("{:?}", compile(embedded(), Policy::default()).unwrap().rules.operations);
    assert_eq!(cold, again);
}

#[test]
fn ten_thousand_rules_load_and_are_found() {
    let (head, rule) = GOOD.split_once("[[rule]]").unwrap();
    let mut text = head.to_owned();
    for at in 0..10_000 {
        let rule = rule.replacen("\"mine\"", &format!("\"mine-{at}\""), 1).replacen(
            "v2/mine/query",
            &format!("v2/mine-{at}/query"),
            1,
        );
        let _ignored = write!(text, "[[rule]]{rule}");
    }
    let started = std::time::Instant::now();
    let rules = compiled(&text).rules;
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    let (operation, _) = rules.find(Method::Post, &["api", "v2", "mine-9999", "query"]).unwrap();
    assert_eq!(&*operation.id, "mine-9999");
    assert!(rules.find(Method::Get, &["api", "v2", "mine-9999", "query"]).is_none());
}
