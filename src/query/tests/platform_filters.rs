//! Filters that nest and negate: one form, what is refused, and what a predicate says of access.

use super::*;

#[test]
fn platform_filters_come_out_in_one_form() {
    let filter = |filter: &str| format!(r#"{{"interval":"x","filter":{filter}}}"#);
    let is = |name: &str, operator: &str, values: &str| {
        let values = if values.is_empty() { String::new() } else { format!(r#","values":[{values}]"#) };
        format!(r#"{{"dimension":"{name}","operator":"{operator}"{values}}}"#)
    };
    let one = |predicate: String| format!(r#"{{"type":"AND","predicates":[{predicate}]}}"#);
    for (asked, due) in [
        (one(is("queueId", "IN", r#""b","a","b""#)), one(is("queueId", "IN", r#""a","b""#))),
        (one(is("queueId", "IN", r#""b","b""#)), one(is("queueId", "EQUALS", r#""b""#))),
        (one(is("queueId", "NOT_IN", r#""b""#)), one(is("queueId", "NOT_EQUALS", r#""b""#))),
        (one(is("queueId", "NOT_EQUALS", r#""b""#)), one(is("queueId", "NOT_EQUALS", r#""b""#))),
        (one(is("queueId", "EXISTS", "")), one(is("queueId", "EXISTS", ""))),
        (one(is("queueId", "NOT_EXISTS", "")), one(is("queueId", "NOT_EXISTS", ""))),
        (one(is("mediaType", "GTE", r#""3""#)), one(is("mediaType", "GTE", r#""3""#))),
        (one(is("mediaType", "IN", r#""v","c""#)), one(is("mediaType", "IN", r#""c","v""#))),
    ] {
        assert_eq!(again(Dialect::Platform, &filter(&asked)), filter(&due));
    }
    // three levels fit the model
    let leaf = is("mediaType", "EQUALS", r#""v""#);
    let deep = format!(
        r#"{{"type":"AND","predicates":[{leaf}],"clauses":[{{"type":"OR","predicates":[{leaf},{}],"clauses":[{{"type":"AND","predicates":[{leaf},{}]}}]}}]}}"#,
        is("queueId", "EXISTS", ""),
        is("userId", "EXISTS", ""),
    );
    let written = again(Dialect::Platform, &filter(&deep));
    assert_eq!(again(Dialect::Platform, &written), written);
    assert_eq!(written.matches("clauses").count(), 2, "{written}");
    let deeper = format!(r#"{{"type":"AND","clauses":[{deep}]}}"#);
    refused(Dialect::Platform, &filter(&deeper), Code::QueryMalformed, "nest deeper than 3 levels");
}

#[test]
fn platform_filters_that_are_refused() {
    let filter = |filter: &str| format!(r#"{{"interval":"x","filter":{filter}}}"#);
    let p = r#"{"dimension":"queueId","operator":"EXISTS"}"#;
    for (asked, why) in [
        ("7", "`$.filter`: must be an object"),
        (r#"{"predicates":[P]}"#, "a filter needs `type`"),
        (r#"{"type":"AND"}"#, "an empty filter"),
        (r#"{"type":"and","predicates":[P]}"#, "`$.filter.type`: `and` is neither"),
        (r#"{"type":7,"predicates":[P]}"#, "`$.filter.type`: has the wrong type"),
        (r#"{"type":"AND","predicates":P}"#, "`$.filter.predicates`: has the wrong type"),
        (r#"{"type":"AND","clauses":P}"#, "`$.filter.clauses`: has the wrong type"),
        (r#"{"type":"AND","not":P}"#, "`$.filter.not`: `not` is not known"),
        (r#"{"type":"AND","clauses":[{"type":"OR"}]}"#, "`$.filter.clauses[0]`: an empty filter"),
    ] {
        refused(Dialect::Platform, &filter(&asked.replace('P', p)), Code::QueryMalformed, why);
    }
    for (predicate, code, why) in [
        ("7", Code::QueryMalformed, "predicates[0]`: must be an object"),
        (r#"{"dimension":7}"#, Code::QueryMalformed, "predicates[0].dimension`: has the wrong type"),
        (r#"{"dimension":"queueId","operator":7}"#, Code::QueryMalformed, "operator`: has the wrong type"),
        (r#"{"dimension":"queueId","values":"q"}"#, Code::QueryMalformed, "values`: has the wrong type"),
        (r#"{"dimension":"queueId","values":[7]}"#, Code::QueryMalformed, "values[0]`: must be a string"),
        (r#"{"dimension":"queueId","value":"q"}"#, Code::QueryMalformed, "`value` is not known"),
        (r#"{"operator":"EXISTS"}"#, Code::QueryMalformed, "needs `dimension`"),
        (r#"{"dimension":"queueId"}"#, Code::QueryMalformed, "needs `operator`"),
        (r#"{"dimension":"QUEUEID","operator":"EXISTS"}"#, Code::QueryMalformed, "`QUEUEID` is not a dimension"),
        (r#"{"dimension":"queueId","operator":"exists"}"#, Code::QueryMalformed, "`exists` is not an operator"),
        (
            r#"{"dimension":"queueId","operator":"EXISTS","values":["q"]}"#,
            Code::QueryMalformed,
            "does not take 1 values",
        ),
        (r#"{"dimension":"queueId","operator":"NOT_EXISTS","values":["q"]}"#, Code::QueryMalformed, "does not take 1"),
        (r#"{"dimension":"queueId","operator":"EQUALS","values":["a","b"]}"#, Code::QueryMalformed, "does not take 2"),
        (r#"{"dimension":"queueId","operator":"NOT_EQUALS"}"#, Code::QueryMalformed, "does not take 0"),
        (r#"{"dimension":"queueId","operator":"IN","values":[]}"#, Code::QueryMalformed, "does not take 0"),
        (r#"{"dimension":"queueId","operator":"NOT_IN"}"#, Code::QueryMalformed, "does not take 0"),
        (r#"{"dimension":"queueId","operator":"GT","values":["q"]}"#, Code::QueryMalformed, "an id has no order"),
        (r#"{"dimension":"mediaType","operator":"LT","values":["1","2"]}"#, Code::QueryMalformed, "does not take 2"),
        (r#"{"dimension":"participantName","operator":"EXISTS"}"#, Code::FieldHidden, "`participantName` may not"),
        (r#"{"dimension":"ani","operator":"EXISTS"}"#, Code::FieldHidden, "`ani` may not"),
    ] {
        refused(Dialect::Platform, &filter(&format!(r#"{{"type":"AND","predicates":[{predicate}]}}"#)), code, why);
    }
}

#[test]
fn what_a_platform_predicate_says_of_access() {
    let term = |predicate: &str| {
        let filter = value(&format!(r#"{{"type":"AND","predicates":[{predicate}]}}"#));
        let model = dimensions();
        let reading = Reading { model: &model, dialect: Dialect::Platform, hides: &|_, _| false };
        match platform::read(&reading, &filter).unwrap() {
            Filter::Atom(atom) => atom.term,
            group @ Filter::Group(..) => panic!("{group:?}"),
        }
    };
    let q = || vec!["q".into()];
    for (predicate, due) in [
        (r#"{"dimension":"queueId","operator":"EQUALS","values":["q"]}"#, Term::In(Access::Queue, q())),
        (r#"{"dimension":"queueId","operator":"IN","values":["q"]}"#, Term::In(Access::Queue, q())),
        (r#"{"dimension":"queueId","operator":"NOT_EQUALS","values":["q"]}"#, Term::NotIn(Access::Queue, q())),
        (r#"{"dimension":"userId","operator":"NOT_IN","values":["q"]}"#, Term::NotIn(Access::User, q())),
        (r#"{"dimension":"userId","operator":"EXISTS"}"#, Term::Present(Access::User)),
        (r#"{"dimension":"userId","operator":"NOT_EXISTS"}"#, Term::Missing(Access::User)),
        (r#"{"dimension":"mediaType","operator":"EQUALS","values":["q"]}"#, Term::Other),
        (r#"{"dimension":"ani","operator":"EXISTS"}"#, Term::Other),
    ] {
        assert_eq!(term(predicate), due, "{predicate}");
    }
}
