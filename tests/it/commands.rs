//! Subcommands as somebody runs them in a shell: what is said, where, and with which exit code.

use serde_json::Value;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

/// Exit code, standard output, standard error.
pub(crate) type Ended = (i32, String, String);

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    let command = command.current_dir(folder).env_clear().env("SECRET", "hush").env("TOKEN", "t-1");
    let done = command.args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

const SETTINGS: &str = r#"
[[upstream]]
region = "us"
url = "https://api.example"
client-id = "proxy"
client-secret = { env = "SECRET" }
[[identity.static]]
token = { env = "TOKEN" }
user = "art"
[directory]
file = "directory.json"
[rules]
path = "rules"
[policy]
assume = ["entries-and", "same-segment", "leg-filter", "legs-contained", "ids-only"]
"#;

/// A configuration, a directory and a rule file, each with a problem of its own.
fn all_wrong() -> TempDir {
    let settings = SETTINGS.replace("[rules]", "poll = \"10 days\"\n\"\" = 1\n[rules]");
    let directory = r#"{ "regions": [{ "id": "us", "upstream": "http://127.0.0.1:0" }], "divisions": [{ "id": "" }] }"#;
    let rules = "[[rule]]\nidd = \"x\"\n\"\" = 1\n";
    folder(&[("bailiwick.toml", &settings), ("directory.json", directory), ("rules/own.toml", rules)])
}

#[test]
fn problems_of_all_files_come_at_once() {
    let wrong = all_wrong();
    for command in ["check", "serve"] {
        let (code, out, told) = run(wrong.path(), &[command]);
        assert_eq!((code, out.as_str()), (2, ""), "{told}");
        for due in [
            "`poll` is no time: \"10 days\"",
            "a whole number from 1 and a unit",
            "a key in `[directory]` is empty",
            "the key `id` is missing here",
            "a key here is empty",
            "the division has an empty id",
        ] {
            assert!(told.contains(due), "{command}: `{due}` is not in {told}");
        }
        assert!(!told.contains("()"), "{told}");
        assert!(!told.contains("1 problem"), "a count of some of them: {told}");
    }
}

#[test]
fn problems_are_data_where_data_is_asked_for() {
    let wrong = all_wrong();
    let (code, out, _) = run(wrong.path(), &["check", "--format", "json"]);
    let told: Value = out.parse().unwrap();
    assert_eq!(code, 2);
    let problems = told["problems"].as_array().unwrap();
    let of = |file: &str| problems.iter().find(|one| one["file"].as_str().is_some_and(|name| name.ends_with(file)));
    for (file, line) in [("bailiwick.toml", 12), ("own.toml", 1), ("directory.json", 1)] {
        let problem = of(file).unwrap_or_else(|| panic!("{file}: {out}"));
        assert!(problem["line"].as_u64() >= Some(line) && problem["column"].is_u64(), "{problem}");
        let named = wrong.path().join(problem["file"].as_str().unwrap());
        assert!(named.is_file(), "a file named by a path that leads to it: {problem}");
        assert!(problem["message"].is_string(), "{problem}");
    }
    assert!(of("bailiwick.toml").unwrap()["repair"].is_string());
    for command in ["test", "explain"] {
        let more: &[&str] = if command == "test" { &["rules"] } else { &["--as", "a", "--operation", "GET /x"] };
        let (code, out, _) = run(wrong.path(), &[&[command, "--format", "json"], more].concat());
        let told: Value = out.parse().unwrap();
        assert!(code == 2 && !told["problems"].as_array().unwrap().is_empty(), "{command}: {out}");
    }
}

#[test]
fn tests_of_one_file_or_folder_run_inside_their_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let passed = |path: &str| -> u64 {
        let (code, out, told) = run(root, &["test", path, "--format", "json"]);
        assert_eq!(code, 0, "{path}: {out}{told}");
        out.parse::<Value>().unwrap()["passed"].as_u64().unwrap()
    };
    let (one, part, all) = (passed("rules/genesys/queues.toml"), passed("rules/genesys"), passed("rules"));
    assert!(0 < one && one < part && part < all, "{one} {part} {all}");
    assert_eq!(passed("rules/platform") + passed("rules/opensearch") + part, all);
    let (code, out, told) =
        run(root, &["test", "rules", "rules/genesys", "rules/genesys/queues.toml", "--format", "json"]);
    assert_eq!((code, out.parse::<Value>().unwrap()["passed"].as_u64()), (0, Some(all)), "{told}");
    for (path, due) in [("rules/templates", "holds no tests"), ("rules/nowhere.toml", "cannot be read")] {
        let (code, _, told) = run(root, &["test", path]);
        assert!(code == 2 && told.contains(due), "{path}: {told}");
    }
}

#[test]
fn an_import_without_regions_or_divisions_says_what_is_missing() {
    let given =
        folder(&[("r.json", r#"{"name": "R", "allowedPermissions": [{"permission": "a:b:c", "scope": "all"}]}"#)]);
    let (code, out, told) = run(given.path(), &["import", "r.json", "--output", "made.json"]);
    assert_eq!((code, out.as_str()), (2, ""), "{told}");
    assert!(told.contains("no input has a region; add") && told.contains("no input has a division; add"), "{told}");
    let (code, out, _) = run(given.path(), &["import", "r.json", "--format", "json"]);
    assert_eq!((code, out.parse::<Value>().unwrap()["problems"].as_array().map(Vec::len)), (2, Some(2)), "{out}");
    assert!(!given.path().join("made.json").exists());
}

#[test]
fn an_operation_with_a_body_is_not_explained_without_one() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/sample/directory.json");
    let here = folder(&[]);
    let explain = |operation: &str| {
        let directory = directory.to_str().unwrap();
        let given = ["explain", "--as", "sofia", "--directory", directory, "--operation", operation];
        run(here.path(), &given)
    };
    let (code, _, told) = explain("POST /api/v2/analytics/conversations/aggregates/query");
    assert!(code == 2 && told.contains("takes a JSON body; give it with `--query FILE`"), "{told}");
    let (code, out, told) = explain("GET /api/v2/routing/queues");
    assert_eq!(code, 0, "{out}{told}");
    let (code, _, told) = explain("GET /api/v2/analytics/conversations/aggregates/jobs/j-1");
    assert!(code == 2 && told.contains("explain how it is submitted"), "{told}");
}

/// What is kept here, only the serving program knows: so it is said, and no fault is told.
#[test]
fn operations_of_saved_definitions_are_explained_as_far_as_they_can_be() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/sample/directory.json");
    let report = r#"{"name": "n", "query": {"dateFrom": "now-7d", "dateTo": "now", "groupBy": ["queueId"],
        "aggregations": [{"dimension": "interactions", "function": "COUNT"}]}}"#;
    let save = |division: &str| format!(r#"{{"name": "n", "divisionId": "{division}", "definition": {report}}}"#);
    let here = folder(&[("save.json", &save("d-payments-us")), ("strange.json", &save("d-claims-us"))]);
    let explain = |operation: &str, more: &[&str]| {
        let directory = directory.to_str().unwrap();
        let given = ["explain", "--as", "dana", "--directory", directory, "--operation", operation];
        run(here.path(), &[&given, more].concat())
    };
    let save = "POST /api/v2/analytics/queries";
    let (code, out, told) = explain(save, &["--query", "save.json"]);
    assert!(code == 0 && out.contains("it would be kept here, as it was asked"), "{out}{told}");
    let (code, out, told) = explain(save, &["--query", "strange.json"]);
    assert!(code == 1 && out.contains("(scope.outside)"), "{out}{told}");
    for list in ["GET /api/v2/analytics/queries", "GET /api/v2/analytics/query/execution"] {
        let (code, out, told) = explain(list, &[]);
        assert!(code == 0 && out.contains("of which only the serving program knows"), "{out}{told}");
    }
    for one in [
        "GET /api/v2/analytics/queries/k-1",
        "DELETE /api/v2/analytics/queries/k-1",
        "POST /api/v2/analytics/queries/k-1/run",
    ] {
        let (code, out, told) = explain(one, &[]);
        assert!(code == 2 && told.contains("explain the question itself, by `platform.query`"), "{out}{told}");
    }
    let (code, _, told) = explain("PUT /api/v2/analytics/queries/k-1", &["--query", "save.json"]);
    assert!(code == 2 && told.contains("only the serving program knows"), "{told}");
}

/// A question is read as the proxy reads it, and what it becomes stands beside what was asked.
#[test]
fn explain_reads_as_the_proxy_does_and_marks_what_it_changes() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/sample/directory.json");
    let query = r#"{ "interval": "2026-11-16T00:00:00Z/2026-11-17T00:00:00Z", "metrics": ["nOffered"], "groupBy": ["queueId"] }"#;
    let here = folder(&[("query.json", query), ("half.json", "{ \"interval\": ")]);
    let explain = |operation: &str, more: &[&str]| {
        let given = ["explain", "--as", "sofia", "--directory", directory.to_str().unwrap(), "--operation", operation];
        run(here.path(), &[&given[..], more].concat())
    };
    for (operation, due) in [
        ("GET /api/v2/routing/queues?pageSize=1&pageSize=2", "is sent twice"),
        ("GET /api/v2/routing/queues?pagesize=1", "no such query parameter"),
        ("GET /api/v2/routing/queues?name=%2541", "percent-encoded twice"),
        ("GET /api/v2//routing/queues", "empty segment"),
        ("GET /api/v2/routing/%71ueues", "needs no encoding"),
        ("DELETE /api/v2/routing/queues/q", "operation.denied"),
    ] {
        let (code, out, told) = explain(operation, &[]);
        assert!(code == 1 && out.contains(due), "{operation}: {out}{told}");
    }
    let aggregates = "POST /api/v2/analytics/conversations/aggregates/query";
    let (code, out, told) = explain(aggregates, &["--query", "half.json"]);
    assert!(code == 1 && out.contains("line 1, column 15"), "{out}{told}");
    let (_, out, told) = explain("GET /api/v2/routing/queues?pageSize=%31%30", &["--format", "json"]);
    let explained: Value = out.parse().unwrap_or_else(|why| panic!("{why}: {out}{told}"));
    assert!(explained["difference"].to_string().contains(r#""mark":"-","text":"pageSize=10""#), "{explained}");
    let (_, out, _) = explain(aggregates, &["--query", "query.json"]);
    for due in ["sent   +   \"filter\": {", "sent       \"groupBy\": [\"queueId\"]"] {
        assert!(out.contains(due), "`{due}` is not in {out}");
    }
}

/// Where an answer comes from that nobody asks the upstream for, why nobody is let in, and what opens a list's place.
#[test]
fn explain_names_the_directory_the_account_and_what_stands_above() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/sample/directory.json");
    let here = folder(&[]);
    let explain = |person: &str, operation: &str| {
        let directory = directory.to_str().unwrap();
        run(here.path(), &["explain", "--as", person, "--directory", directory, "--operation", operation])
    };
    let (code, out, told) = explain("sofia", "GET /api/v2/users/me");
    assert!(code == 0 && out.contains("from the directory") && !out.contains("nothing can match"), "{out}{told}");
    let (code, out, told) = explain("iris", "GET /api/v2/routing/queues");
    assert!(code == 1 && out.contains("not active") && out.contains("(identity.unknown)"), "{out}{told}");
    let (code, out, told) = explain("sofia", "GET /api/v2/routing/queues/q-pay-cards/members");
    assert_eq!(code, 0, "{out}{told}");
    let above: Vec<_> = out.lines().filter(|line| line.contains("(what stands above, by `queues.get`)")).collect();
    assert!(!above.is_empty() && above.iter().all(|line| line.contains("permission `routing:queue:view`")), "{out}");
}

/// Another region is named as by the header of a request, and opens as little.
#[test]
fn explain_asks_another_region_where_a_request_may() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/sample/directory.json");
    let here = folder(&[]);
    let explain = |person: &str, what: &str, region: &[&str]| {
        let (directory, operation) = (directory.to_str().unwrap(), format!("GET /api/v2/conversations/c-1/{what}"));
        let given = ["explain", "--as", person, "--directory", directory, "--operation", &operation];
        run(here.path(), &[&given[..], region].concat())
    };
    let europe = ["--region", "eu-west-1"];
    let (code, out, told) = explain("max", "recordingmetadata", &europe);
    assert_eq!(code, 0, "{out}{told}");
    assert!(out.contains(" of region eu-west-1") && out.contains("permission `audit:metadata:view`"), "{out}");
    for (person, what, region) in [
        ("max", "recordings", &europe),
        ("sofia", "recordingmetadata", &europe),
        ("max", "recordingmetadata", &["--region", "mars-1"]),
    ] {
        let (code, out, told) = explain(person, what, region);
        assert!(code == 1 && out.contains("(region.cross-region-scan)"), "{person} {what} {region:?}: {out}{told}");
    }
    let (_, home, _) = explain("sofia", "recordingmetadata", &["--region", "us-east-1"]);
    assert_eq!(home, explain("sofia", "recordingmetadata", &[]).1, "one's own region is no other");
}

/// `outside` and `static` leave names out with a notice each, where the rule says so.
#[test]
fn names_that_are_left_out_are_told() {
    let query = r#"{ "metrics": ["oWaiting"], "filter": { "type": "or", "predicates": [
        { "dimension": "queueId", "value": "q-own" },
        { "dimension": "queueId", "value": "NAMED" } ] } }"#;
    let explain = |option: &str, named: &str| -> Value {
        let rules = crate::options::copies("view", "refuses = \"scope.empty\"");
        let (rules, _) = rules.split_once("[[rule.test]]").unwrap();
        let rules = rules.replace("class = \"query\"", &format!("class = \"query\"\n{option}"));
        let mut files = crate::rule_files::beside_shipped([("own/own.toml", rules.as_str())]);
        for (name, _) in &mut files {
            name.insert_str(0, "rules/");
        }
        files.push(("bailiwick.toml".to_owned(), SETTINGS.to_owned()));
        files.push(("directory.json".to_owned(), crate::options::COPIES.to_owned()));
        files.push(("query.json".to_owned(), query.replace("NAMED", named)));
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let here = folder(&files);
        let operation = "POST /api/v2/own/query";
        let at = "2026-11-20T10:00:00Z";
        let given = ["--as", "art", "--operation", operation, "--query", "query.json", "--at", at, "--format", "json"];
        let (_, out, told) = run(here.path(), &[&["explain"], &given[..]].concat());
        out.parse().unwrap_or_else(|why| panic!("{why}: {out}{told}"))
    };
    for (option, named, refused, notice) in [
        ("outside = \"narrow\"", "q-rep", "scope.outside", "1 of 2 names are not in your scope and left out"),
        ("static = \"drop\"", "q-shut", "query.dead-queue", "was archived or deleted and is left out"),
    ] {
        assert_eq!(explain("", named)["code"], refused);
        let told = explain(option, named);
        assert_eq!(told["verdict"], "forwarded", "{told}");
        let sent = told["sent"].to_string();
        assert!(sent.contains("q-own") && !sent.contains(named), "{sent}");
        assert!(told["notices"].to_string().contains(notice), "{told}");
    }
}

#[test]
fn a_rule_without_tests_is_refused_where_tests_are_required() {
    let mut files = bailiwick::rules::embedded();
    let (_, text) = files.iter_mut().find(|(name, _)| name.ends_with("genesys/divisions.toml")).unwrap();
    let first = text.find("[[rule.test]]").unwrap();
    let next = first + text[first..].find("[[rule]]").unwrap();
    text.replace_range(first..next, "");
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("rules/{name}"), text.as_str())).collect();
    let told = |policy: &str| {
        let settings = SETTINGS.replace("[policy]\n", policy);
        let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        all.push(("bailiwick.toml", &settings));
        let (code, _, told) = run(folder(&all).path(), &["check"]);
        assert_eq!(code, 2, "there is no directory either");
        told
    };
    let strict = told("[policy]\nrequire-tests = true\n");
    assert!(strict.contains("the rule `divisions.list` has no test") && strict.contains("divisions.toml:"), "{strict}");
    assert!(!told("[policy]\n").contains("has no test"));
    let both = told("[policy]\nbogus = 1\nrequire-tests = true\n");
    assert!(both.contains("has no test") && both.contains("bogus"), "{both}");
}

#[test]
fn what_is_no_toml_has_its_place_and_its_repair() {
    for (name, command) in [("bailiwick.toml", "check"), ("rules/permissions.toml", "test")] {
        let folder = folder(&[(name, "[policy]\nassume = [\n")]);
        let path = if command == "test" { vec!["test", "rules"] } else { vec!["check"] };
        let (code, out, told) = run(folder.path(), &[path, vec!["--format", "json"]].concat());
        let problems = out.parse::<Value>().unwrap()["problems"].take();
        let repaired =
            |one: &&Value| one["repair"].as_str().is_some_and(|text| text.starts_with("write valid TOML here"));
        let problem = problems.as_array().unwrap().iter().find(repaired).unwrap();
        assert_eq!((code, problem["line"].as_u64()), (2, Some(2)), "{out}");
        let file = problem["file"].as_str().unwrap();
        assert!(file.ends_with(name) && told.contains(file), "{told}");
    }
}

#[test]
fn check_names_tokens_of_nobody() {
    let directory = r#"{ "version": "1", "regions": [{ "id": "us", "upstream": "https://api.example" }],
        "divisions": [{ "id": "root", "region": "us" }], "users": [{ "id": "art", "division": "root", "region": "us" }] }"#;
    let named = |settings: &str| {
        let settings = settings.replace("[rules]\npath = \"rules\"\n", "");
        let folder = folder(&[("bailiwick.toml", &settings), ("directory.json", directory)]);
        let (code, out, told) = run(folder.path(), &["check", "--format", "json"]);
        assert_eq!(code, 0, "{out}{told}");
        let findings = out.parse::<Value>().unwrap()["findings"].take();
        let strangers = findings.as_array().unwrap().iter().filter(|one| one["code"] == "I01");
        strangers.map(|one| one["at"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named(SETTINGS), Vec::<String>::new());
    let strange = SETTINGS.replace("user = \"art\"", "user = \"arty\"");
    assert_eq!(named(&strange), ["`[[identity.static]]` of user `arty`"]);
}

#[test]
fn tokens_are_ended_and_listed_and_doubtful_ways_to_act_are_found() {
    let directory = r#"{ "version": "1", "regions": [{ "id": "us", "upstream": "https://api.example" }],
        "divisions": [{ "id": "root", "region": "us" }], "users": [{ "id": "art", "division": "root", "region": "us" }] }"#;
    let settings = SETTINGS.replace("[rules]\npath = \"rules\"\n", "");
    let settings = format!("{settings}[identity.acting]\nrequire-session = false\nadministrators = [\"arty\"]\n");
    let folder = folder(&[("bailiwick.toml", &settings), ("directory.json", directory)]);
    let list = || {
        let (code, out, told) = run(folder.path(), &["token", "list", "--format", "json"]);
        assert_eq!(code, 0, "{told}");
        let rows = out.parse::<Value>().unwrap();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| format!("{} {}", row["ended"].as_str().unwrap(), row["id"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(list(), Vec::<String>::new());
    for (named, due) in [
        (&["--user", "art"][..], 0),
        (&["--session", "s-1"][..], 0),
        (&["--user", "nobody"][..], 2),
        (&["--user", "art", "--client", "c"][..], 2),
        (&[][..], 2),
    ] {
        let (code, _, told) = run(folder.path(), &[&["token", "revoke"], named].concat());
        assert_eq!(code, due, "{named:?}: {told}");
        assert_eq!(told.contains("nothing was ended"), due == 2, "{told}");
    }
    assert_eq!(list(), ["user art", "session s-1"]);
    let (_, out, told) = run(folder.path(), &["check", "--format", "json"]);
    let findings = out.parse::<Value>().unwrap_or_else(|_| panic!("{out}{told}"))["findings"].take();
    let codes: Vec<_> = findings.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"I02") && codes.contains(&"I03"), "{codes:?}");
}
