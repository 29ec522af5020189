//! Rules about documents: what they are judged by has to be there, and to mean what the model table says.

use super::*;

/// The shipped rule, under a path of its own.
fn rule() -> String {
    let shipped = embedded().into_iter().find(|(name, _)| name == "opensearch/legs.toml").unwrap().1;
    let (before, _) = shipped.split_once("[[rule.test]]").unwrap();
    before.replace("contacts-legs", "mine")
}

fn model(from: &str, to: &str) -> String {
    let mut all = files(&rule());
    let (_, text) = all.iter_mut().find(|(name, _)| name == "opensearch/models.toml").unwrap();
    assert!(text.contains(from), "`{from}` is not in the model table");
    *text = text.replacen(from, to, 1);
    match compile(all, Policy::default()) {
        Ok(_) => panic!("this compiles: {to}"),
        Err(problems) => report(&problems),
    }
}

#[test]
fn what_a_document_is_judged_by_is_said_and_true() {
    let rule = rule();
    let compiled = compile(files(&rule), Policy::default());
    assert!(compiled.is_ok(), "{}", report(&compiled.unwrap_err()));
    for (from, to, why) in [
        ("source = \"$._source\"\n", "", "nobody says where they are"),
        ("source = \"$._source\"", "source = \"$.sort\"", "is no list of words in the body"),
        ("shape = \"documents\"", "shape = \"rows\"", "only `documents` have `source`"),
        ("\"_source.userId\" = \"user\", ", "", "the keys of its queue and of its agent"),
        ("\"_source.userId\" = \"user\"", "\"_source.teamId\" = \"user\"", "so no document would show it"),
        ("\"_source.userId\" = \"user\"", "\"fields.userId\" = \"user\"", "so no document would show it"),
        (
            "\"_source.queueId\" = \"queue\"",
            "\"_source.mediaType\" = \"queue\"",
            "another kind of access in the model table",
        ),
        ("at = \"$.aggs\"", "at = \"$.sort\"", "asks for buckets, and the rule does not list by what"),
        ("\"direction\", \"divisionId\"", "\"direction\", \"teamId\"", "there is no word `teamId`"),
        ("dialect = \"opensearch\"", "dialect = \"platform\"", "is written in another dialect"),
        ("needs = [\"leg-filter\"]\n", "", "rests on `leg-filter` and does not say so"),
        (
            "[rule.sort]",
            "[rule.job]\nmatch = \"POST /mine/jobs\"\nid = \"id\"\ncursor = \"c\"\nstatus = \"legs\"\n\n[rule.sort]",
            "not one that a job",
        ),
    ] {
        assert!(rule.contains(from), "`{from}` is not in the rule");
        let Err(problems) = compile(files(&rule.replacen(from, to, 1)), Policy::default()) else {
            panic!("this compiles: {to}");
        };
        let told = report(&problems);
        assert!(told.contains(why), "{to}: {told}");
    }
}

#[test]
fn model_tables_of_documents_are_whole() {
    for (from, to, why) in [
        ("dialect = \"opensearch\"", "dialect = \"platform\"", "neither sorts nor groups in this way"),
        ("data = \"interaction\"", "data = \"user\"", "documents are legs"),
        (
            "proof = { filter = \"$.query\" }",
            "proof = { owners = [\"$.query\"] }",
            "no change is written in this dialect",
        ),
        ("kind = \"sort\", max = 4", "kind = \"sort\"", "needs `words` and `max`"),
        ("kind = \"aggregations\", max = 16", "kind = \"aggregations\"", "needs `max`"),
    ] {
        let told = model(from, to);
        assert!(told.contains(why), "{to}: {told}");
    }
}
