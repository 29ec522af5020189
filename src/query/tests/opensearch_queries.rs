//! Queries that nest and negate for real: one form, what is refused, and what a predicate says of access.

use super::*;
use crate::query::{dialect, filter::Filter};

fn filter(text: &str) -> Result<Filter, String> {
    let model = FilterModel { max_depth: 4, ..dimensions() };
    let hides = |_: &str, kind: Dimension| kind == Dimension::Masked;
    let reading = Reading { model: &model, dialect: Dialect::OpenSearch, hides: &hides };
    dialect::read(&reading, &value(text)).map_err(|error| format!("{}: {}", error.at, error.why))
}

fn written(text: &str) -> String {
    let mut out = Vec::new();
    dialect::write(Dialect::OpenSearch, &filter(text).unwrap_or_else(|why| panic!("{text}: {why}")), &mut out);
    String::from_utf8(out).unwrap()
}

const VOICE: &str = r#"{"term":{"mediaType":"voice"}}"#;
const QUEUE: &str = r#"{"term":{"queueId":"a"}}"#;

fn not(text: &str) -> String {
    format!(r#"{{"bool":{{"must_not":[{text}]}}}}"#)
}

#[test]
fn one_meaning_has_one_form() {
    let all = |clauses: &str| format!(r#"{{"bool":{{"filter":[{clauses}]}}}}"#);
    let any = |clauses: &str| format!(r#"{{"bool":{{"minimum_should_match":1,"should":[{clauses}]}}}}"#);
    for (asked, due) in [
        (QUEUE.to_owned(), all(QUEUE)),
        (r#"{"term":{"queueId":{"value":"a"}}}"#.into(), all(QUEUE)),
        (r#"{"terms":{"queueId":["a","a"]}}"#.into(), all(QUEUE)),
        (r#"{"terms":{"queueId":["b","a"]}}"#.into(), all(r#"{"terms":{"queueId":["a","b"]}}"#)),
        (format!(r#"{{"bool":{{"must":{VOICE},"filter":[{QUEUE}]}}}}"#), all(&format!("{QUEUE},{VOICE}"))),
        (format!(r#"{{"bool":{{"must":[{{"match_all":{{}}}},{VOICE}],"should":[]}}}}"#), all(VOICE)),
        (format!(r#"{{"bool":{{"should":[{VOICE},{QUEUE}]}}}}"#), any(&format!("{QUEUE},{VOICE}"))),
        // beside a negation alone one of the choice has to hold
        (format!(r#"{{"bool":{{"should":[{VOICE}],"must_not":[{QUEUE}]}}}}"#), all(&format!("{},{VOICE}", not(QUEUE)))),
        // twice negated is not negated; a negated group is the other group of negations
        (not(&not(QUEUE)), all(QUEUE)),
        (not(&all(&format!("{VOICE},{QUEUE}"))), any(&format!("{},{}", not(QUEUE), not(VOICE)))),
        (not(&any(&format!("{VOICE},{QUEUE}"))), all(&format!("{},{}", not(QUEUE), not(VOICE)))),
        (format!(r#"{{"bool":{{"must_not":[{VOICE},{QUEUE}]}}}}"#), all(&format!("{},{}", not(QUEUE), not(VOICE)))),
        (r#"{"range":{"mediaType":{"lt":3,"gte":"x"}}}"#.into(), all(r#"{"range":{"mediaType":{"gte":"x","lt":3}}}"#)),
        (r#"{"bool":{}}"#.into(), r#"{"match_all":{}}"#.into()),
        // nothing has no form: it is never sent
        (r#"{"terms":{"queueId":[]}}"#.into(), any("")),
        (not(r#"{"match_all":{}}"#), any("")),
        (not(r#"{"terms":{"queueId":[]}}"#), r#"{"match_all":{}}"#.into()),
    ] {
        assert_eq!(written(&asked), due, "{asked}");
        if due != any("") {
            assert_eq!(written(&due), due, "read again");
        }
    }
}

#[test]
fn a_negated_predicate_names_and_never_narrows() {
    let term = |text: &str| match filter(text) {
        Ok(Filter::Atom(atom)) => atom.term,
        other => panic!("{text}: {other:?}"),
    };
    let values = || vec!["a".into()];
    let there = r#"{"exists":{"field":"queueId"}}"#;
    assert_eq!(term(QUEUE), Term::In(Access::Queue, values()));
    assert_eq!(term(&not(QUEUE)), Term::NotIn(Access::Queue, values()));
    assert_eq!(term(there), Term::Present(Access::Queue));
    assert_eq!(term(&not(there)), Term::Missing(Access::Queue));
    assert_eq!(term(&not(VOICE)), Term::Other);
    let named = |text: &str| {
        filter(text)
            .unwrap()
            .atoms()
            .iter()
            .map(|atom| dialect::dimension_of(Dialect::OpenSearch, atom))
            .collect::<Vec<_>>()
    };
    assert_eq!(named(QUEUE), [Some("queueId".to_owned())]);
    assert_eq!(named(&not(r#"{"terms":{"userId":["a","b"]}}"#)), [Some("userId".to_owned())]);
    assert_eq!(named(there), [None]);
}

#[test]
fn queries_that_are_refused() {
    let deep = (0..5).fold(VOICE.to_owned(), |inner, _| format!(r#"{{"bool":{{"filter":{inner}}}}}"#));
    for (text, why) in [
        ("{}", "exactly one member"),
        (r#"{"term":{"queueId":"a"},"exists":{"field":"userId"}}"#, "exactly one member"),
        (r#"{"term":{"queueId":"a","userId":"b"}}"#, "exactly one member"),
        (r#"{"term":{"queueId":{"value":"a","boost":2}}}"#, "exactly one member"),
        (r#"{"term":{"queueId":{"wildcard":"a"}}}"#, "known are `value`"),
        (r#"{"term":{"queueId":null}}"#, "an id is a string"),
        (r#"{"term":{"queueId":1}}"#, "an id is a string"),
        (r#"{"term":{"mediaType":true}}"#, "a string or a number"),
        (r#"{"term":{"queueID":"a"}}"#, "is not a dimension"),
        (r#"{"term":{"queueId.keyword":"a"}}"#, "is not a dimension"),
        (r#"{"terms":{"queueId":{"index":"x"}}}"#, "look-ups"),
        (r#"{"terms":{"queueId":["a"],"boost":1}}"#, "exactly one member"),
        (r#"{"term":{"participantName":"a"}}"#, "may not be used"),
        (r#"{"exists":{"field":"ani"}}"#, "may not be used"),
        (r#"{"exists":{"field":"queueId","boost":1}}"#, "exactly one member"),
        (r#"{"range":{"queueId":{"gt":"a"}}}"#, "has no order"),
        (r#"{"range":{"mediaType":{}}}"#, "needs one of"),
        (r#"{"range":{"mediaType":{"from":1}}}"#, "known are `gt`"),
        (r#"{"range":{"mediaType":{"gt":null}}}"#, "must be a number"),
        (r#"{"match_all":{"boost":1}}"#, "takes nothing"),
        (r#"{"query_string":{"query":"*"}}"#, "is not known here"),
        (r#"{"bool":{"must":[],"adjust_pure_negative":true}}"#, "is not known here"),
        (
            r#"{"bool":{"filter":[{"term":{"mediaType":"a"}}],"should":[{"term":{"mediaType":"a"}}]}}"#,
            "filters nothing",
        ),
        (r#"{"bool":{"should":[{"term":{"mediaType":"a"}}],"minimum_should_match":0}}"#, "must be 1"),
        (r#"{"bool":{"should":[{"term":{"mediaType":"a"}}],"minimum_should_match":"75%"}}"#, "must be 1"),
        (r#"{"bool":{"should":[],"minimum_should_match":1}}"#, "needs `should`"),
        (&deep, "nest too deep"),
    ] {
        let told = filter(text).expect_err(text);
        assert!(told.contains(why), "{text}: {told}");
    }
}
