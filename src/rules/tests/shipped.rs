//! The shipped files, and sets of files as a whole: versions, reloads, growth.

use super::*;

#[test]
fn the_shipped_files_compile_and_every_rule_has_tests() {
    let compiled = compile(embedded(), strict());
    let compiled = compiled.unwrap_or_else(|problems| panic!("\n{}", report(&problems)));
    let texts = embedded();
    let lines = |mark: &str| texts.iter().flat_map(|(_, text)| text.lines()).filter(|line| *line == mark).count();
    // a job is submitted, polled, read and cancelled; what is fetched is fetched; a search is asked by a link; a definition is listed,
    // kept, read, changed, removed and run, and what was asked listed; a schedule is listed, set up, read, changed and removed,
    // and its runs are listed and read
    let more = 4 * lines("[rule.job]")
        + lines("[rule.fetch]")
        + lines("[rule.link]")
        + 7 * lines("[rule.saved]")
        + 7 * lines("[rule.saved.schedules]");
    assert_eq!(compiled.rules.operations.len(), lines("[[rule]]") + more);
    for operation in &compiled.rules.operations {
        // the permissions that a refusal lists are those of its sentence
        for one in operation.abroad.iter().chain([operation]) {
            let said = one.demanded.iter().all(|name| one.permission.contains(&**name));
            assert!(said, "{}: `{}` and {:?}", one.id, one.permission, one.demanded);
        }
    }
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

/// A question that leaves ids out instead of refusing them would show them to whoever reads it.
#[test]
fn a_question_that_is_narrowed_by_names_is_not_kept() {
    let mut files = embedded();
    let (_, text) = files.iter_mut().find(|(name, _)| name == "platform/query.toml").unwrap();
    *text = text.replacen("static = \"refuse\"\n", "static = \"refuse\"\noutside = \"narrow\"\n", 1);
    let told = report(&compile(files, strict()).unwrap_err());
    assert!(told.contains("a question is kept only where ids outside are refused"), "{told}");
}

/// What is cut of a recording is no metadata: no auditor of another region hears how one begins.
#[test]
fn a_preview_is_not_asked_of_another_region() {
    let with = |what: &str| {
        let mut files = embedded();
        let (_, text) = files.iter_mut().find(|(name, _)| name == "genesys/recordings.toml").unwrap();
        let own = "[rule.preview]\nof = \"conversations.recordings.get\"\n";
        assert!(text.contains(own));
        *text = text.replacen(own, &format!("{what}{own}"), 1);
        compile(files, strict())
    };
    assert!(with("").is_ok());
    let cross = "[rule.cross-region]\npermission = \"audit:metadata:view\"\nkeep = \"nothing\"\n";
    let told = report(&with(cross).unwrap_err());
    assert!(
        told.contains("a rule with `preview` has no `cross-region`") && told.contains("recordings.toml:"),
        "{told}"
    );
}

/// The upstream shows each kind to who may see that kind. Here nobody tells kinds apart, so only the permission for all of them opens any.
#[test]
fn the_permission_for_one_kind_of_recording_opens_none() {
    let rules = compile(embedded(), strict()).unwrap().rules;
    let demand = |what: &str| {
        let named = |one: &&Arc<Operation>| one.demanded.iter().chain(&one.opened_by).any(|name| **name == *what);
        rules.operations.iter().filter(named).map(|one| one.id.to_string()).collect::<Vec<_>>()
    };
    assert!(demand("recording:recording:view").len() >= 6);
    for kind in ["recordingSegment", "snippetRecording", "screenRecording"] {
        assert_eq!(demand(&format!("recording:{kind}:view")), Vec::<String>::new());
    }
}
