//! People one by one: two queues, a division, own work only, nothing, and what of others they may not name.

use super::{BOTH, Bench, NAME, is, question, rows, shown};
use crate::{
    e2e::{
        house::{Heard, US},
        truth::path,
    },
    oracle::questions::Kind,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

fn codes(heard: &Heard) -> BTreeSet<&str> {
    heard.notices().into_iter().map(|notice| notice.split_once("; ").unwrap().0).collect()
}

/// What comes for a grouping by value and for a total, both held against SQL and against plain lines.
async fn answered(bench: &Bench, person: &str, kind: Kind, values: &[&str], notices: &[&str]) {
    let body = question(kind, &[NAME], None);
    let heard = bench.ask(person, kind, &body).await;
    assert_eq!(heard.status, 200, "{person} {heard:?}");
    assert_eq!(codes(&heard), notices.iter().copied().collect(), "{person} {kind:?}");
    let got = heard.json();
    assert_eq!(rows(kind, &got), rows(kind, &bench.due(person, kind, &body)), "{person} {kind:?}");
    let counted = bench.counted(person, kind);
    assert_eq!(shown(kind, &got), counted, "{person} {kind:?}");
    assert_eq!(counted.keys().map(String::as_str).collect::<Vec<_>>(), values, "{person} {kind:?}");
    println!("{person} {kind:?}: {counted:?}");
    let whole = bench.house.sandbox.evaluate(bench.truth.region(person), path(kind), &body).unwrap();
    assert!(rows(kind, &whole).len() >= values.len() + 2, "nothing is hidden: {whole}");

    let body = question(kind, &[], None);
    let total = bench.ask(person, kind, &body).await.json();
    assert_eq!(rows(kind, &total), rows(kind, &bench.due(person, kind, &body)), "{person} {kind:?}");
    let all: BTreeSet<&str> = bench.in_the_week(person, kind).iter().map(|row| &*row.conversation).collect();
    assert_eq!(shown(kind, &total), BTreeMap::from([("none".to_owned(), all.len() as u64)]), "{person} {kind:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_answered_over_the_queues_that_a_value_says() {
    let bench = Bench::new().await;
    for kind in BOTH {
        // Two queues, both with a value.
        answered(&bench, "sofia", kind, &["4100", "4200"], &[]).await;
        let sent = bench.sent();
        let filter = if kind == Kind::Platform { &sent["query"]["filter"] } else { &sent["filter"] };
        assert_eq!(*filter, is(kind, &["4100", "4200"]));
        // A division: one queue without a value, two that share theirs, and legs of agents without a queue.
        answered(&bench, "carl", kind, &["5100", "5200"], &["scope.no-queue", "scope.unbound"]).await;
        // Two divisions; one value holds quotes, one is the id of somebody else's queue.
        let values = ["50% \"upsell\" \\ höher", "6100", "q-pay-cards", "renewals"];
        answered(&bench, "olga", kind, &values, &["scope.no-queue", "scope.unbound"]).await;
        // Nothing at all, and nothing that a value could say.
        for (person, code) in [("nobody", "permission.missing"), ("rita", "operation.unscopable")] {
            let refused = bench.ask(person, kind, &question(kind, &[NAME], None)).await;
            assert_eq!((refused.status, refused.code().as_str()), (403, code), "{person} {refused:?}");
        }
    }
    // Another region.
    answered(&bench, "elsa", Kind::Platform, &["4900"], &["scope.unbound"]).await;
    // Own work only: a box of one value and one agent.
    answered(&bench, "ines", Kind::Platform, &["6100"], &["scope.unbound"]).await;
    let filter = &bench.sent()["query"]["filter"];
    let due = json!({ "type": "AND", "predicates": [
        { "dimension": NAME, "operator": "EQUALS", "values": ["6100"] },
        { "dimension": "agentId", "operator": "EQUALS", "values": ["ines"] },
    ] });
    assert_eq!(*filter, due);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_value_is_refused_as_an_invented_one() {
    let bench = Bench::new().await;
    let mut refused = 0;
    for kind in BOTH {
        for (person, mine, others) in [
            // A queue of the same division, one of another region, a shared one, and the id of her own queue.
            ("sofia", "4200", vec!["4300", "4900", "5400", "6300", "q-pay-cards", "q-pay-disputes", "Renewals", ""]),
            // Both queues that share a value are his; one of his division is closed to everybody.
            ("carl", "5200", vec!["5400", "5500", "q-claims-travel", "4100"]),
            // The same word in another case is another value.
            ("olga", "renewals", vec!["Renewals", "RENEWALS", "6300"]),
        ] {
            let invented = bench.ask(person, kind, &question(kind, &[], Some(is(kind, &["invented"])))).await.refusal();
            assert_eq!((invented.0, invented.1.as_str()), (403, "scope.outside"), "{invented:?}");
            for other in others {
                for values in [vec![other], vec![mine, other]] {
                    let heard = bench.ask(person, kind, &question(kind, &[], Some(is(kind, &values)))).await;
                    assert_eq!(heard.refusal(), invented, "{person} {values:?}");
                    refused += 1;
                }
            }
        }
    }
    let not_in = json!({ "type": "AND", "predicates": [{ "dimension": NAME, "operator": "NOT_IN", "values": ["4100", "4300"] }] });
    let heard = bench.ask("sofia", Kind::Platform, &question(Kind::Platform, &[NAME], Some(not_in))).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "scope.outside"), "{heard:?}");
    assert!(bench.house.received(US).is_empty(), "a refused query reached the upstream");
    println!("values of others, of two queues and of none: {refused} refused as invented ones");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_ignores_filters_shows_nobody_elses_value() {
    let bench = Bench::new().await;
    for (name, kind) in [
        ("filters", Kind::Platform),
        ("filters", Kind::Aggregates),
        ("rows", Kind::Platform),
        ("rows", Kind::Aggregates),
    ] {
        bench.house.sandbox.disobey(|faults| {
            faults.ignore_filters = name == "filters";
            faults.foreign_rows = name == "rows";
        });
        for (person, mine) in [("sofia", "4100"), ("carl", "5100"), ("olga", "6100")] {
            let body = question(kind, &[NAME], None);
            let got = bench.ask(person, kind, &body).await.json();
            assert_eq!(rows(kind, &got), rows(kind, &bench.due(person, kind, &body)), "{person} {kind:?}");
            // Of what is visible, the guard lets more through than was asked for: never more than that.
            let asked = question(kind, &[NAME], Some(is(kind, &[mine])));
            let got = shown(kind, &bench.ask(person, kind, &asked).await.json());
            let counted = bench.counted(person, kind);
            assert!(
                got.contains_key(mine) && got.iter().all(|(value, count)| counted.get(value) == Some(count)),
                "{got:?}"
            );
        }
        bench.house.sandbox.obey();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_a_second_queue_gets_is_nobodys_from_then_on() {
    let bench = Bench::new().await;
    let mut changed = bench.house.directory.clone();
    super::give(&mut changed, "q-retail-web", "4100");
    bench.house.write_directory(&changed.to_string());
    bench.house.running.reload();
    let bench = Bench { own: super::own(&changed), ..bench };
    for kind in BOTH {
        answered(&bench, "sofia", kind, &["4200"], &["scope.unbound"]).await;
        let heard = bench.ask("sofia", kind, &question(kind, &[], Some(is(kind, &["4100"])))).await;
        assert_eq!((heard.status, heard.code().as_str()), (403, "scope.outside"), "{heard:?}");
    }
    bench.house.write_directory(&bench.house.directory.to_string());
    bench.house.running.reload();
    let bench = Bench { own: super::own(&bench.house.directory), ..bench };
    answered(&bench, "sofia", Kind::Platform, &["4100", "4200"], &[]).await;
}

/// The lines of `check` about values, from the folder that is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_names_the_values_that_two_queues_share() {
    let bench = Bench::new().await;
    let file = bench.house.folder.path().join("bailiwick.toml");
    let done = Command::new(env!("CARGO_BIN_EXE_bailiwick")).arg("check").arg("--config").arg(file).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&done.stderr));
    let found: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("warning A01: ")).collect();
    let queues = bench.house.directory["queues"].as_array().unwrap();
    let valued = |one: &&Value| one["attributes"][NAME].as_str().is_none_or(str::is_empty);
    let mut without: Vec<&str> = queues.iter().filter(valued).map(|one| one["id"].as_str().unwrap()).collect();
    without.sort_unstable();
    assert_eq!(without.len(), 53 - 17);
    let repair = "give each queue a `costCenter` that no other has";
    let missing = format!(
        "attribute `costCenter`: missing from `{}`, `{}`, `{}` and {} more, so their rows are nobody's; {repair}",
        without[0],
        without[1],
        without[2],
        without.len() - 3
    );
    let shared = |value: &str, one: &str, other: &str| {
        format!("`costCenter` = `{value}`: shared by `{one}`, `{other}`, so its rows are nobody's; {repair}")
    };
    assert_eq!(
        found,
        [shared("5400", "q-claims-intake", "q-claims-life"), shared("6300", "q-eu-svc-chat", "q-svc-chat"), missing]
    );
}
