//! `bailiwick probe` against the sandbox, whose worlds are known: what is seen is what is switched on, what cannot be seen
//! is not known, and what was seen opens and closes operations of the real program.

use super::{
    assumptions::{ask, operations},
    house::{AGGREGATES, EU, House, KEPT, Plan as HousePlan, US, WEEK, write_files},
};
use crate::commands;
use bailiwick::{
    config::{self, Settings},
    model::{
        assumption::Assumption,
        facts::Verdict::{DoesNotHold, Holds, Unknown},
    },
    probe::{self, Plan, Probed},
    sandbox::{Options, Sandbox, Traits},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};
use tempfile::TempDir;

/// What is asked. Of the others it has to be said that nothing is.
const ASKED: [Assumption; 8] = [
    Assumption::EntriesAnd,
    Assumption::SameSegment,
    Assumption::LegFilter,
    Assumption::LegsContained,
    Assumption::DivisionOfLeg,
    Assumption::IdsOnly,
    Assumption::PartOfItsInteraction,
    Assumption::CriteriaAnd,
];

/// By facts, and by name what nobody asks.
fn vouched() -> Vec<&'static str> {
    KEPT.into_iter().filter(|name| ASKED.iter().all(|one| one.name() != *name)).collect()
}

fn plan() -> Plan {
    let (from, until) = WEEK.split_once('/').unwrap();
    Plan {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        most_calls: 120,
        token: None,
        now: super::house::now(),
    }
}

/// An upstream, and the settings of a configuration that names it. No proxy.
async fn upstream(directory: Option<Value>, interactions: u32) -> (Sandbox, Settings, TempDir) {
    let sandbox =
        Sandbox::start(Options { interactions, directory: directory.clone(), ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let defaults = HousePlan::default();
    let plan = HousePlan { directory: directory.unwrap_or(defaults.directory), ..HousePlan::default() };
    let settings = config::load(&write_files(&plan, &sandbox, folder.path()), &|_| None);
    (sandbox, settings.unwrap_or_else(|why| panic!("{why}")), folder)
}

async fn probed(settings: &Settings, plan: &Plan) -> Probed {
    let region = settings.upstream.regions.iter().find(|one| one.region == US).unwrap();
    probe::region(region, plan).await.unwrap_or_else(|why| panic!("{why}"))
}

fn world(on: impl Fn(Assumption) -> bool) -> Traits {
    let mut traits = Traits::default();
    for one in Assumption::ALL {
        assert!(traits.set(one.name(), on(one)), "the sandbox has no switch for {}", one.name());
    }
    traits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_assumption_is_told_in_both_worlds() {
    let (sandbox, settings, _folder) = upstream(None, 4_000).await;
    let mut told = 0;
    for off in ASKED.map(Some).into_iter().chain([None]) {
        for others in [true, false] {
            let on = |one| if Some(one) == off { !others } else { others };
            sandbox.set_traits(|traits| *traits = world(on));
            let probed = probed(&settings, &plan()).await;
            assert!(probed.looked_at > 50 && probed.calls <= 120, "{} {}", probed.looked_at, probed.calls);
            for one in Assumption::ALL {
                let due = match (ASKED.contains(&one), on(one)) {
                    (false, _) => Unknown,
                    (_, true) => Holds,
                    (_, false) => DoesNotHold,
                };
                let fact = probed.facts.facts.iter().find(|fact| fact.assumption == one).unwrap();
                assert_eq!(fact.verdict, due, "{} where {off:?} differs from {others}: {}", one.name(), fact.evidence);
                told += 1;
            }
        }
    }
    println!("{told} verdicts in 18 worlds, each as it is switched");
}

/// However little there is to see, and whatever else is switched: nothing is said that is not so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_concluded_from_a_lack_of_data() {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for interactions in [0, 3, 12, 60] {
        let (sandbox, settings, _folder) = upstream(None, interactions).await;
        for mask in [0b00_0000, 0b01_0101, 0b10_1010, 0b11_1111] {
            let on = |one: Assumption| {
                let place = Assumption::ALL.iter().position(|known| *known == one).unwrap();
                mask >> (place % 6) & 1 == 1
            };
            sandbox.set_traits(|traits| *traits = world(on));
            let probed = probed(&settings, &plan()).await;
            for fact in &probed.facts.facts {
                let lie = if on(fact.assumption) { DoesNotHold } else { Holds };
                assert_ne!(fact.verdict, lie, "{} of {interactions}: {}", fact.assumption.name(), fact.evidence);
                *counted.entry(fact.verdict.word()).or_default() += 1;
                let of_people = [Assumption::IdsOnly, Assumption::CriteriaAnd].contains(&fact.assumption);
                if interactions == 0 && !of_people && fact.verdict != Unknown {
                    // People have presences without any interaction, and the contrary may be seen in these.
                    let seen = (fact.assumption, fact.verdict);
                    assert_eq!(seen, (Assumption::EntriesAnd, DoesNotHold), "{}", fact.evidence);
                }
            }
        }
    }
    println!("little data: {counted:?}");
    assert!(counted.len() == 3, "{counted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_upstream_shows_nothing() {
    let directory = json!({
        "version": "1", "regions": [{ "id": US, "upstream": "http://127.0.0.1:0" }],
        "divisions": [{ "id": "root", "region": US }], "roles": [], "queues": [],
        "users": [{ "id": "u-1", "division": "root", "region": US, "roles": [] }],
    });
    for on in [true, false] {
        let (sandbox, settings, _folder) = upstream(Some(directory.clone()), 0).await;
        sandbox.set_traits(|traits| *traits = world(|_| on));
        let probed = probed(&settings, &plan()).await;
        assert_eq!(probed.looked_at, 0);
        for fact in &probed.facts.facts {
            assert_eq!(fact.verdict, Unknown, "{}: {}", fact.assumption.name(), fact.evidence);
            assert!(!fact.evidence.is_empty());
        }
    }
}

/// As a word of its own: `greg` stands in every `aggregate`.
fn says(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(at, _)| {
        let beside = [text[..at].chars().next_back(), text[at + id.len()..].chars().next()];
        !beside.into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_only_reads_within_its_bound_and_names_nobody() {
    let (sandbox, settings, _folder) = upstream(None, 2_000).await;
    sandbox.record(true);
    for most_calls in [12, 120] {
        let before = sandbox.requests(US);
        let probed = probed(&settings, &Plan { most_calls, ..plan() }).await;
        let made = sandbox.requests(US) - before;
        assert!(made == probed.calls as u64 && probed.calls <= most_calls, "{made} {} {most_calls}", probed.calls);
        let known = probed.facts.facts.iter().filter(|fact| fact.verdict != Unknown).count();
        assert_eq!(known == ASKED.len(), most_calls == 120, "{known} are known after {most_calls} calls");
        let text = config::facts::write(&bailiwick::model::facts::Facts { regions: vec![probed.facts] });
        for received in sandbox.take_received(US) {
            let path = received.target.split('?').next().unwrap();
            let reads = match received.method.as_str() {
                "GET" => {
                    let lists = ["/api/v2/routing/queues", "/api/v2/users", "/api/v2/authorization/divisions"];
                    lists.contains(&path) || path.contains("/recordingmetadata")
                }
                "POST" => ["/oauth/token", "/api/v2/users/search"].contains(&path) || path.ends_with("/query"),
                _ => false,
            };
            assert!(reads, "{} {}", received.method, received.target);
        }
        let directory = HousePlan::default().directory;
        for list in ["users", "queues", "divisions"] {
            for one in directory[list].as_array().unwrap() {
                let id = one["id"].as_str().unwrap();
                assert!(!says(&text, id), "{id}: {text}");
            }
        }
        for word in ["sandbox-secret", "Bearer", "c-us"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
    assert_eq!(sandbox.requests(EU), 0, "only the region that was named is asked");
}

type Switch = fn(&mut bailiwick::sandbox::Disobedience);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_disobeys_proves_nothing() {
    let (sandbox, settings, _folder) = upstream(None, 2_000).await;
    let region = settings.upstream.regions.iter().find(|one| one.region == US).unwrap();
    sandbox.set_traits(|traits| *traits = world(|_| true));
    // Which legs an interval counts, and under which division, can be told of the witness beside any number of strangers.
    // Where the metadata of a recording is found is no matter of filters.
    let found_by_path = ["part-of-its-interaction"];
    let told_all_the_same = ["legs-contained", "division-of-leg", "part-of-its-interaction"];
    for (name, switch, may_hold) in [
        ("ignore-filters", (|faults| faults.ignore_filters = true) as Switch, &found_by_path[..]),
        ("foreign-rows", |faults| faults.foreign_rows = true, &told_all_the_same[..]),
    ] {
        sandbox.obey();
        sandbox.disobey(switch);
        let probed = probed(&settings, &plan()).await;
        let holding = probed.facts.facts.iter().filter(|fact| fact.verdict == Holds);
        let holding: Vec<_> = holding.map(|fact| fact.assumption.name()).collect();
        assert!(holding.iter().all(|one| may_hold.contains(one)), "{name}: {holding:?}");
    }
    for (name, switch) in [
        ("truncated", (|faults| faults.truncated = true) as Switch),
        ("invalid-json", |faults| faults.invalid_json = true),
        ("html", |faults| faults.html = true),
        ("too-many", |faults| faults.too_many = Some(1)),
        ("server-error", |faults| faults.server_error = true),
        ("refuse-tokens", |faults| faults.refuse_tokens = true),
        ("forget-tokens", |faults| faults.forget_tokens = true),
        ("reset", |faults| faults.reset = true),
    ] {
        sandbox.obey();
        sandbox.disobey(switch);
        let why = probe::region(region, &plan()).await.expect_err(name).to_string();
        assert!(why.contains("could not be asked") && !why.contains("sandbox-secret"), "{name}: {why}");
    }
    sandbox.obey();
    let token = Some(SecretString::from(sandbox.token()));
    let own = probed(&settings, &Plan { token, ..plan() }).await;
    assert!(
        own.facts.facts.iter().all(|fact| fact.verdict == Holds || !ASKED.contains(&fact.assumption)),
        "{:?}",
        own.facts.facts
    );
    let wrong = Plan { token: Some(SecretString::from("nobody's")), ..plan() };
    assert!(probe::region(region, &wrong).await.unwrap_err().why.contains("401"));
}

/// Runs the program's own `probe` over a folder.
fn run(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let with = [&["probe", "--interval", WEEK], more].concat();
    tokio::task::block_in_place(|| commands::run(folder, &with))
}

fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let file = folder.join(file);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "`{from}` is not in {text}");
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

fn loads(folder: &Path) -> Result<Settings, String> {
    config::load(&folder.join("bailiwick.toml"), &|_| None).map_err(|report| report.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_opens_and_closes_operations() {
    let house = House::of(HousePlan { assume: vec![], interactions: 3_000, ..HousePlan::default() }).await;
    let folder = house.folder.path().to_owned();
    let (code, out, told) = run(&folder, &[]);
    assert_eq!(code, 0, "all that rules need holds: {out}{told}");
    for due in
        ["entries-and      holds", "division-of-leg  does-not-hold", "write `facts = \"assumptions.toml\"`", " calls, "]
    {
        assert!(out.contains(due), "`{due}` is not in {out}");
    }
    assert!(!out.contains("sandbox-secret") && !told.contains("sandbox-secret"));
    change(
        &folder,
        "bailiwick.toml",
        "assume = []",
        &format!("facts = \"assumptions.toml\"\nassume = {:?}", vouched()),
    );
    let house = house.restarted().await;
    for (path, body, _) in operations() {
        assert_eq!(ask(&house, path, &body).await, (200, String::new()), "{path}");
    }
    let groups = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["divisionId"] });
    assert_eq!(ask(&house, AGGREGATES, &groups).await, (400, "groupby.division".to_owned()));

    // The upstream becomes another one: asked again, it closes what rests on the difference.
    house.sandbox.set_traits(|traits| assert!(traits.set("same-segment", false)));
    let (code, out, told) = run(&folder, &["--format", "json"]);
    let report: Value = out.parse().unwrap_or_else(|why| panic!("{why}: {out}{told}"));
    assert_eq!(code, 1, "{out}");
    let missing = report["missing"].as_array().unwrap();
    let due = |one: &Value| one["assumption"] == "same-segment" && one["verdict"] == "does-not-hold";
    assert!(missing.len() == 2 && missing.iter().all(due), "{out}");
    let house = house.restarted().await;
    for (path, body, needs) in operations() {
        let closed = needs.contains(&"same-segment");
        let due = if closed { (403, "operation.unproved".to_owned()) } else { (200, String::new()) };
        assert_eq!(ask(&house, path, &body).await, due, "{path}");
    }

    // Nobody's word stands against it; asking again is still possible.
    change(&folder, "bailiwick.toml", "assume = [", "assume = [\"ids-only\", \"same-segment\", ");
    let told = loads(&folder).unwrap_err();
    for due in
        ["`same-segment` is assumed, and", "does not hold in region `us-east-1`", "^^^^^^^^^^^^^^", "bailiwick probe"]
    {
        assert!(told.contains(due), "`{due}` is not in {told}");
    }
    assert!(!told.contains("`ids-only` is assumed"), "{told}");
    assert_eq!(run(&folder, &[]).0, 1);
    house.sandbox.set_traits(|traits| assert!(traits.set("same-segment", true)));
    let (code, out, told) = run(&folder, &[]);
    assert!(code == 0 && out.contains("in force from the next start"), "{out}{told}");
    assert!(loads(&folder).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_of_another_upstream_or_of_one_region_open_nothing() {
    let (_sandbox, _settings, folder) = upstream(None, 2_000).await;
    let folder = folder.path();
    change(folder, "bailiwick.toml", &format!("assume = {KEPT:?}"), "facts = \"seen.toml\"");
    let told = loads(folder).unwrap_err();
    assert!(told.contains("seen.toml") && told.contains("make it with `bailiwick probe`"), "{told}");

    let (code, out, told) = run(folder, &["--region", US]);
    assert!(code == 0 && out.contains("seen.toml") && !out.contains(EU), "{out}{told}");
    let settings = loads(folder).unwrap();
    assert_eq!(settings.policy.accepted, [], "the other region was not asked");
    assert_eq!(settings.doubts(super::house::now()).iter().filter(|one| one.code == "F02").count(), 1);
    let first = fs::read_to_string(folder.join("seen.toml")).unwrap();
    let (code, out, told) = run(folder, &["--region", EU]);
    assert_eq!(code, 0, "{out}{told}");
    let second = fs::read_to_string(folder.join("seen.toml")).unwrap();
    assert!(second.starts_with(first.trim_end()), "what was seen of the first region stays as it was");
    assert_eq!(loads(folder).unwrap().policy.accepted.len(), KEPT.len() - vouched().len());

    for (from, to, due) in [
        ("http://127.0.0.1:", "https://127.0.0.1:", "are about another upstream"),
        ("region = \"eu-west-1\"", "region = \"ap-south-1\"", "`ap-south-1`, which has no [[upstream]]"),
        ("name = \"ids-only\"", "name = \"ids\"", "`ids` is no value of `name`"),
        ("verdict = \"holds\"", "verdict = \"true\"", "`true` is no value of `verdict`"),
    ] {
        change(folder, "seen.toml", from, to);
        let told = loads(folder).unwrap_err();
        assert!(told.contains(due), "`{due}` is not in {told}");
        fs::write(folder.join("seen.toml"), &second).unwrap();
    }
    // Another spelling of one place is the same place.
    change(folder, "seen.toml", "http://127.0.0.1:", "HTTP://localhost:");
    assert!(loads(folder).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reached_or_read_ends_with_its_own_code() {
    let (sandbox, _settings, folder) = upstream(None, 500).await;
    let folder = folder.path();
    let eu = sandbox.base_url(EU).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    change(folder, "bailiwick.toml", &eu, &format!("http://{closed}"));
    let (code, out, told) = run(folder, &["--region", EU]);
    assert!(code == 3 && told.contains("eu-west-1: not asked: no token"), "{out}{told}");
    assert!(!folder.join("assumptions.toml").exists(), "there is nothing to write down");
    let (code, out, told) = run(folder, &[]);
    assert!(code == 3 && out.contains("written to") && told.contains("eu-west-1: not asked"), "{out}{told}");

    fs::write(folder.join("token"), format!("{}\n", sandbox.token())).unwrap();
    let (code, out, told) = run(folder, &["--token-file", "token"]);
    assert!(code == 2 && told.contains("name it with `--region`"), "{out}{told}");
    let (code, out, told) = run(folder, &["--token-file", "token", "--region", US, "--out", "own.toml"]);
    assert!(code < 2 && folder.join("own.toml").is_file(), "{out}{told}");
    fs::write(folder.join("token"), "not-a-token").unwrap();
    let (code, out, told) = run(folder, &["--token-file", "token", "--region", US]);
    assert!(code == 3 && told.contains("401") && !format!("{out}{told}").contains("not-a-token"), "{out}{told}");

    let misused = [
        (["--region", "mars"], "no [[upstream]] has the region `mars`"),
        (["--token-file", "nowhere"], "name it with `--region`"),
        (["--max-calls", "1"], "--max-calls"),
    ];
    for (arguments, due) in misused {
        let (code, _, told) = run(folder, &arguments);
        assert!(code == 2 && told.contains(due), "{arguments:?}: {told}");
    }
    let (code, _, told) = tokio::task::block_in_place(|| commands::run(folder, &["probe", "--interval", "now"]));
    assert!(code == 2 && told.contains("`now` is no interval"), "{told}");
    fs::write(folder.join("assumptions.toml"), "[[upstream]]\n").unwrap();
    let (code, _, told) = run(folder, &["--region", US]);
    assert!(code == 2 && told.contains("nothing was asked; move the file away"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_who_vouches_for_what_and_what_rests_on_it() {
    let (_sandbox, _settings, folder) = upstream(None, 2_000).await;
    let folder = folder.path();
    change(
        folder,
        "bailiwick.toml",
        &format!("assume = {KEPT:?}"),
        &format!("assume = {:?}", [&["ids-only"], &vouched()[..]].concat()),
    );
    let check = |more: &[&str]| tokio::task::block_in_place(|| commands::run(folder, &[&["check"], more].concat()));
    let (code, out, told) = check(&[]);
    assert_eq!(code, 0, "{out}{told}");
    for due in [
        "accepted: ids-only (by `assume`): a list asked for ids returns no other entity; ",
        "not accepted: leg-filter (nobody vouches for it)",
        "closed: conversations.details.query (needs ",
    ] {
        assert!(out.contains(due), "`{due}` is not in {out}");
    }
    assert_eq!(run(folder, &[]).0, 0);
    change(
        folder,
        "bailiwick.toml",
        "assume = ",
        "facts-warn-after = \"1ms\"\nfacts = \"assumptions.toml\"\nassume = ",
    );
    let (_, out, _) = check(&[]);
    for due in [
        "accepted: ids-only (by `assume`, seen in us-east-1 on ",
        "accepted: leg-filter (seen in us-east-1 on ",
        "not accepted: division-of-leg (seen not to hold in us-east-1, eu-west-1)",
        "warning F01: facts of region `eu-west-1`",
    ] {
        assert!(out.contains(due), "`{due}` is not in {out}");
    }
    let closed: Vec<&str> = out.lines().filter(|line| line.starts_with("closed: ")).collect();
    assert!(closed.iter().all(|line| line.starts_with("closed: recordings.batch")), "nobody vouches for these: {out}");
    let (_, out, _) = check(&["--format", "json"]);
    let checked: Value = out.parse().unwrap();
    let of = |name: &str| checked["assumptions"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    let resting = of("ids-only")["operations"].as_array().unwrap();
    for id in ["divisions.list", "queues.list", "users.list"] {
        assert!(resting.contains(&json!(id)), "{id}: {resting:?}");
    }
    assert!(of("leg-filter")["facts"][0]["evidence"].as_str().unwrap().contains("by queue"));
    assert!(of("legs-contained")["someQuestionsOf"].as_array().unwrap().len() > 10);
    assert_eq!(
        (of("division-of-leg")["accepted"].as_bool(), checked["closed"].as_array().unwrap().len()),
        (Some(false), closed.len())
    );
}
