use super::fixture::*;

/// Two queues, and whatever the asker himself did outside any queue.
fn scope() -> Vec<crate::model::entitlement::Entitlement> {
    vec![queues(&["qa", "qb"])]
}

fn search(query: &str) -> Try {
    Try::new(searches(), scope(), Some(&format!(r#"{{"query":{query}}}"#)))
}

fn with(more: &str) -> Try {
    let query = filter(&[terms("queueId", &["qa"])]);
    Try::new(searches(), scope(), Some(&format!(r#"{{"query":{query},{more}}}"#)))
}

fn filter(clauses: &[String]) -> String {
    format!(r#"{{"bool":{{"filter":[{}]}}}}"#, clauses.join(","))
}

fn choice(clauses: &[String]) -> String {
    format!(r#"{{"bool":{{"minimum_should_match":1,"should":[{}]}}}}"#, clauses.join(","))
}

fn not(clause: &str) -> String {
    format!(r#"{{"bool":{{"must_not":[{clause}]}}}}"#)
}

fn terms(field: &str, values: &[&str]) -> String {
    match values {
        [one] => format!(r#"{{"term":{{"{field}":"{one}"}}}}"#),
        several => format!(r#"{{"terms":{{"{field}":["{}"]}}}}"#, several.join("\",\"")),
    }
}

fn there(field: &str) -> String {
    format!(r#"{{"exists":{{"field":"{field}"}}}}"#)
}

#[test]
fn a_filter_entails_the_scope_and_the_certificate_says_where() {
    let voice = terms("mediaType", &["voice"]);
    let both = terms("queueId", &["qa", "qb"]);
    assert_eq!(
        search(&filter(&[voice.clone(), both.clone()])).proved(),
        ["queue visible with every agent <- $.query.bool.filter[1]"]
    );
    let branches = [filter(&[terms("queueId", &["qa"]), voice.clone()]), terms("queueId", &["qb"])];
    assert_eq!(search(&choice(&branches)).proved(), ["queue visible with every agent <- $.query"]);
    // a negation beside it takes nothing from the proof
    search(&filter(&[both, not(&terms("queueId", &["qb"])), not(&voice)])).proved();
    // the leg form of a division
    let leg_form = filter(&[
        choice(&[terms("queueId", &["qa", "qb"]), not(&there("queueId"))]),
        choice(&[terms("queueId", &["qa", "qb"]), terms("userId", &["me", "ann"])]),
    ]);
    let whole = Try::new(searches(), vec![whole()], Some(&format!(r#"{{"query":{leg_form}}}"#)));
    assert_eq!(whole.proved().len(), 2);
}

#[test]
fn what_a_query_says_otherwise_is_no_proof() {
    let both = terms("queueId", &["qa", "qb"]);
    for (name, query, why) in [
        ("everything", r#"{"match_all":{}}"#.to_owned(), "does not imply"),
        ("negated", not(&both), "does not imply"),
        ("only there", filter(&[there("queueId")]), "does not imply"),
        ("in some branch", choice(&[both.clone(), terms("mediaType", &["voice"])]), "does not imply"),
        ("a queue of others", filter(&[terms("queueId", &["qa", "qx"])]), "outside the scope"),
        ("a negated queue of others", filter(&[both.clone(), not(&terms("queueId", &["qx"]))]), "outside the scope"),
        ("another field of queues", terms("requestedQueueId", &["qa"]), "does not imply"),
        ("a sibling", terms("queueId.keyword", &["qa"]), "not a dimension"),
        ("another case", terms("queueID", &["qa"]), "not a dimension"),
        ("a masked field", filter(&[both.clone(), terms("ani", &["1"])]), "a masked dimension"),
        ("a hidden field", filter(&[both.clone(), there("participantName")]), "a hidden dimension"),
        ("a range of ids", filter(&[both.clone(), r#"{"range":{"queueId":{"gte":"qa"}}}"#.into()]), "a range of ids"),
        ("no filter", r#"{"bool":{"filter":[]}}"#.into(), "empty"),
        ("no clause at all", r#"{"bool":{}}"#.into(), "alone"),
    ] {
        search(&query).refused(name, why);
    }
    Try::new(searches(), scope(), Some("{}")).refused("no query", "no filter that carries the scope");
}

#[test]
fn spellings_that_never_leave_are_refused() {
    let both = terms("queueId", &["qa", "qb"]);
    for (name, query) in [
        ("what only scores", format!(r#"{{"bool":{{"must":[{both}]}}}}"#)),
        ("a choice without a number", format!(r#"{{"bool":{{"should":[{both}]}}}}"#)),
        ("none of a choice", format!(r#"{{"bool":{{"minimum_should_match":0,"should":[{both}]}}}}"#)),
        ("a number as text", format!(r#"{{"bool":{{"minimum_should_match":"1","should":[{both}]}}}}"#)),
        ("two kinds in one", format!(r#"{{"bool":{{"filter":[{both}],"must_not":[{both}]}}}}"#)),
        ("an optional choice", format!(r#"{{"bool":{{"filter":[{both}],"should":[{both}]}}}}"#)),
        ("a negated group", not(&filter(std::slice::from_ref(&both)))),
        ("two negated at once", format!(r#"{{"bool":{{"must_not":[{both},{both}]}}}}"#)),
        ("a negation of everything", filter(&[both.clone(), not(r#"{"match_all":{}}"#)])),
        ("one value in a list", r#"{"terms":{"queueId":["qa"]}}"#.into()),
        ("no value in a list", r#"{"terms":{"queueId":[]}}"#.into()),
        ("a look-up", r#"{"terms":{"queueId":{"index":"x","id":"1","path":"q"}}}"#.into()),
        ("a value with options", r#"{"term":{"queueId":{"value":"qa","case_insensitive":true}}}"#.into()),
        ("a number for an id", r#"{"term":{"queueId":1}}"#.into()),
        ("two fields", r#"{"term":{"queueId":"qa","mediaType":"voice"}}"#.into()),
        ("a script", r#"{"script":{"script":"true"}}"#.into()),
        ("a text query", r#"{"query_string":{"query":"qa"}}"#.into()),
        ("a prefix", r#"{"prefix":{"queueId":"qa"}}"#.into()),
        (
            "a range with options",
            filter(&[both.clone(), r#"{"range":{"mediaType":{"gte":"a","relation":"within"}}}"#.into()]),
        ),
        ("a range without bounds", filter(&[both.clone(), r#"{"range":{"mediaType":{}}}"#.into()])),
    ] {
        search(&query).refused(name, "");
    }
    // as deep as is read, and one level more
    let deep = |levels: usize| (0..levels).fold(both.clone(), |inner, _| filter(&[inner]));
    search(&deep(13)).proved();
    search(&deep(14)).refused("deep", "nested too deep");
}

#[test]
fn sorting_and_buckets_are_held_against_the_lists() {
    let bucket = |field: &str| format!(r#""aggs":{{"a":{{"terms":{{"field":"{field}","min_doc_count":1}}}}}}"#);
    with(r#""sort":[{"mediaType":{"order":"asc"}}]"#).proved();
    with(&bucket("queueId")).proved();
    with(r#""aggs":{"a":{"aggs":{"b":{"sum":{"field":"handleTime"}}},"terms":{"field":"mediaType","min_doc_count":2,"order":{"_key":"asc"},"size":3}}}"#).proved();
    for (name, more) in [
        ("a masked field", r#""sort":[{"ani":{"order":"asc"}}]"#),
        ("an unknown field", r#""sort":[{"queueId":{"order":"asc"}}]"#),
        ("a mode", r#""sort":[{"mediaType":{"order":"asc","mode":"min"}}]"#),
        (
            "too many",
            r#""sort":[{"mediaType":{"order":"asc"}},{"mediaType":{"order":"asc"}},{"mediaType":{"order":"asc"}}]"#,
        ),
        ("an access dimension as a number", r#""aggs":{"a":{"sum":{"field":"userId"}}}"#),
        ("buckets of time as values", r#""aggs":{"a":{"terms":{"field":"startTime","min_doc_count":1}}}"#),
        (
            "an outer kind too many",
            r#""aggs":{"a":{"avg":{"field":"handleTime"},"terms":{"field":"queueId","min_doc_count":1}}}"#,
        ),
        (
            "inside a number",
            r#""aggs":{"a":{"aggs":{"b":{"avg":{"field":"handleTime"}}},"avg":{"field":"handleTime"}}}"#,
        ),
        (
            "too many at once",
            r#""aggs":{"a":{"avg":{"field":"handleTime"}},"b":{"avg":{"field":"handleTime"}},"c":{"avg":{"field":"handleTime"}}}"#,
        ),
    ] {
        with(more).refused(name, "");
    }
    with(&bucket("userId")).refused("a field of no list", "does not list");
    let mut closed = with(&bucket("queueId"));
    closed.contract.words.clear();
    closed.refused("no list at all", "lists no words to group by");
}
