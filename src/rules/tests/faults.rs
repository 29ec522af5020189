//! What is refused at load, with its place and what was meant.

use super::*;

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
    ("POST /api", "HEAD /api", "`HEAD` is not governed", ":12:9"),
    ("POST /api", "POST api", "does not begin with `/`", ":12:9"),
    ("mine/query\"", "{mine}/query\"", "an id of the path is of no known kind", ":12:9"),
    ("v2/mine", "v2/../mine", "`..` is not a segment", ":12:9"),
    (
        "permission = \"analytics:queueObservation:view\"\n",
        "",
        "a rule needs one of `permission`, `any` and `all`",
        ":11:6",
    ),
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
    ("'{\"results\":[]}'", "'{\"r\":${$.paging}}'", "`${$.paging}` stands for nothing in an empty answer", ":26:9"),
    ("'{\"results\":[]}'", "'{\"r\":${$.filter}}'", "`${$.filter}` stands for nothing in an empty answer", ":26:9"),
    ("'{\"results\":[]}'", "'{\"r\":\"${$.metrics}\"}'", "`empty` is not the text of a JSON object", ":26:9"),
    (
        "\"groups\"\nrows = \"$.results\"\nkeys = { queueId = \"queue\" }",
        "\"owned\"\nrows = \"$.results\"\nkeys = { userId = \"user\" }",
        "rows of this shape need the key of their owner",
        ":21:1",
    ),
    ("keep = ", "mask = { ani = \"secret\" }\nkeep = ", "there is no mask class in `[lift]` named `secret`", ":11:6"),
    ("\"scope.empty\"", "\"scope.emty\"", "there is no refusal code `scope.emty`", ":32:11"),
    ("refuses = \"scope.empty\"\n", "", "a test states one of", ":29:8"),
    ("\"../sample/directory.json\"", "\"../sample/directry.json\"", "there is no directory file", ":2:13"),
    ("\"../sample/directory.json\"", "\"../../directory.json\"", "there is no directory file", ":2:13"),
    ("2026-11-20T10:00:00Z", "2026-11-20", "expected an instant with offset", ":3:7"),
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

/// Conditions that are refused where they stand, and what is told about them.
const CONDITIONS: &[(&str, &str)] = &[
    ("$.metrics[?@ > 1]", "a comparison of it can never hold"),
    ("$.metrics[?@ == 'oWaitin']", "a comparison of it can never hold"),
    ("$[?@[?@>1]]", "a filter inside a filter is not evaluated reliably"),
    ("$.metrics[?match(@, 'o.*')]", "regular expressions are not evaluated"),
    ("$.metrics[?@.a != 1]", "a missing member makes it true"),
    ("$.filter..predicates[?@.operator == 'matches']", "a comparison of it can never hold"),
    ("$.metrcs[?@ == 'oWaiting']", "there is no field `metrcs` at that place"),
    ("metrics > 3", "it is no path of RFC 9535"),
    ("$.metric == 1", "there is no field `metric`"),
    ("$.metrics == 1", "can never hold"),
];

#[track_caller]
fn told_at(from: &str, to: &str, message: &str, place: &str) {
    let told = broken(from, to);
    assert!(told.contains(message), "`{from}` -> `{to}`: wanted `{message}`, told\n{told}");
    assert!(told.contains(&format!("mine/rules.toml{place}\n")), "`{from}` -> `{to}`: wanted {place}, told\n{told}");
}

#[test]
fn each_fault_is_told_at_its_place() {
    for (from, to, message, place) in CASES {
        told_at(from, to, message, place);
    }
    for (when, message) in CONDITIONS {
        let to = format!("[[rule.refuse]]\nwhen = \"{when}\"\ncode = \"rule.refused\"\nmessage = \"x\"\n[rule.answer]");
        told_at("[rule.answer]", &to, message, ":22:8");
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
fn permission_and_template_files_are_checked() {
    for (name, text, message) in [
        ("more/permissions.toml", "harmless = [\"analytics:report:view\"]", "opens an operation: it is not harmless"),
        ("more/permissions.toml", "[idle]\n\"analytics:query:view\" = \"x\"", "opens an operation: it is not idle"),
        ("more/permissions.toml", "[idle]\n\"routing:callback:export\" = \" \"", "the reason is empty"),
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
