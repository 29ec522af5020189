//! Filters of two levels: one form, what is refused, and values that stand for queues.

use super::*;

fn genesys_filter(filter: &str) -> String {
    format!(r#"{{"interval":"x","filter":{filter}}}"#)
}

#[test]
fn genesys_filters_come_out_in_one_form() {
    let q = r#"{"dimension":"queueId","value":"q"}"#;
    let v = r#"{"dimension":"mediaType","value":"v"}"#;
    for (filter, due) in [
        (format!(r#"{{"type":"AND","predicates":[{q}]}}"#), format!(r#"{{"type":"and","predicates":[{q}]}}"#)),
        (format!(r#"{{"predicates":[{q},{q}],"type":"or"}}"#), format!(r#"{{"type":"and","predicates":[{q}]}}"#)),
        (format!(r#"{{"type":"or","predicates":[{v},{q}]}}"#), format!(r#"{{"type":"or","predicates":[{q},{v}]}}"#)),
        (
            format!(r#"{{"type":"or","clauses":[{{"type":"and","predicates":[{v},{q}]}}],"predicates":[{q}]}}"#),
            format!(r#"{{"type":"or","clauses":[{{"type":"and","predicates":[{q},{v}]}}],"predicates":[{q}]}}"#),
        ),
        (
            format!(r#"{{"type":"and","clauses":[{{"type":"AND","predicates":[{v}]}},{{"type":"or","predicates":[{q}]}}]}}"#),
            format!(r#"{{"type":"and","predicates":[{q},{v}]}}"#),
        ),
        (
            format!(r#"{{"type":"and","clauses":[{{"type":"or","predicates":[{v},{q}]}},{{"type":"or","predicates":[{{"dimension":"ani","value":"1"}},{q}]}}]}}"#).replace("ani", "userId"),
            format!(r#"{{"type":"and","clauses":[{{"type":"or","predicates":[{q},{{"dimension":"userId","value":"1"}}]}},{{"type":"or","predicates":[{q},{v}]}}]}}"#),
        ),
    ] {
        assert_eq!(again(Dialect::Genesys, &genesys_filter(&filter)), genesys_filter(&due), "{filter}");
    }
    for (predicate, due) in [
        (r#"{"type":"dimension","dimension":"QUEUEID","operator":"MATCHES","value":"q"}"#, q),
        (r#"{"dimension":"mediaType","operator":"Exists"}"#, r#"{"dimension":"mediaType","operator":"exists"}"#),
        (r#"{"dimension":"queueId","operator":"notexists"}"#, r#"{"dimension":"queueId","operator":"notExists"}"#),
        (
            r#"{"dimension":"mediaType","range":{"lt":2,"gte":1}}"#,
            r#"{"dimension":"mediaType","range":{"gte":1,"lt":2}}"#,
        ),
        (r#"{"metric":"TTALK","range":{"gt":1}}"#, r#"{"type":"metric","metric":"tTalk","range":{"gt":1}}"#),
        (
            r#"{"type":"METRIC","metric":"tTalk","operator":"matches","range":{"lte":1e3}}"#,
            r#"{"type":"metric","metric":"tTalk","range":{"lte":1e3}}"#,
        ),
    ] {
        let filter = |predicate: &str| genesys_filter(&format!(r#"{{"type":"and","predicates":[{predicate}]}}"#));
        assert_eq!(again(Dialect::Genesys, &filter(predicate)), filter(due), "{predicate}");
    }
}

#[test]
fn genesys_filters_that_are_refused() {
    let q = r#"{"dimension":"queueId","value":"q"}"#;
    for (filter, why) in [
        ("[]", "`$.filter`: must be an object"),
        ("{}", "a filter needs `type`"),
        (r#"{"type":"and"}"#, "an empty filter"),
        (r#"{"type":"and","clauses":[],"predicates":[]}"#, "an empty filter"),
        (r#"{"type":"nand","predicates":[Q]}"#, "`$.filter.type`: `nand` is neither"),
        (r#"{"type":1,"predicates":[Q]}"#, "`$.filter.type`: must be"),
        (r#"{"type":"and","not":[Q]}"#, "`$.filter.not`: `not` is not known"),
        (r#"{"type":"and","predicates":Q}"#, "`$.filter.predicates`: must be an array"),
        (r#"{"type":"and","clauses":Q}"#, "`$.filter.clauses`: must be an array"),
        (r#"{"type":"and","clauses":[7]}"#, "`$.filter.clauses[0]`: must be an object"),
        (r#"{"type":"and","clauses":[{"predicates":[Q]}]}"#, "`$.filter.clauses[0]`: a clause needs `type`"),
        (r#"{"type":"and","clauses":[{"type":"or"}]}"#, "`$.filter.clauses[0]`: a clause without predicates"),
        (r#"{"type":"and","clauses":[{"type":"x","predicates":[Q]}]}"#, "`$.filter.clauses[0].type`: `x` is neither"),
        (
            r#"{"type":"and","clauses":[{"type":"or","clauses":[]}]}"#,
            "`$.filter.clauses[0].clauses`: `clauses` is not known",
        ),
    ] {
        refused(Dialect::Genesys, &genesys_filter(&filter.replace('Q', q)), Code::QueryMalformed, why);
    }
    for (predicate, why) in [
        ("7", "predicates[0]`: must be an object"),
        (r#"{"dimension":7}"#, "predicates[0].dimension`: must be a string"),
        (r#"{"dimension":"queueId","value":"q","negate":"true"}"#, "predicates[0].negate`: `negate` is not known"),
        (r#"{"value":"q"}"#, "needs `dimension`"),
        (r#"{"type":"property","dimension":"queueId","value":"q"}"#, "predicates[0].type`: `property` is not governed"),
        (r#"{"dimension":"queueId","metric":"tTalk","value":"q"}"#, "could be read in two ways"),
        (r#"{"type":"metric","dimension":"queueId","metric":"tTalk","range":{"gt":1}}"#, "could be read in two ways"),
        (r#"{"dimension":"zooId","value":"q"}"#, "`zooId` is not a dimension"),
        (r#"{"dimension":"queueId","operator":"is","value":"q"}"#, "`is` is none of"),
        (r#"{"dimension":"queueId"}"#, "`matches` needs a `value`"),
        (r#"{"dimension":"mediaType","value":"v","range":{"gt":1}}"#, "exclude each other"),
        (r#"{"dimension":"queueId","range":{"gt":1}}"#, "is an id; name it with `value`"),
        (r#"{"dimension":"queueId","operator":"exists","value":"q"}"#, "takes neither"),
        (r#"{"dimension":"mediaType","operator":"notExists","range":{"gt":1}}"#, "takes neither"),
        (r#"{"dimension":"mediaType","range":{}}"#, "at least one bound"),
        (r#"{"dimension":"mediaType","range":{"gt":"1"}}"#, "range.gt`: must be a number"),
        (r#"{"dimension":"mediaType","range":{"eq":1}}"#, "range.eq`: `eq` is not known"),
        (r#"{"dimension":"mediaType","range":[]}"#, "range`: must be an object"),
        (r#"{"type":"metric"}"#, "needs `metric`"),
        (r#"{"metric":"tTalk"}"#, "needs `range`"),
        (r#"{"metric":"tTalk","operator":"exists","range":{"gt":1}}"#, "compared by `range` only"),
        (r#"{"metric":"tTalk","value":"1","range":{"gt":1}}"#, "compared by `range` only"),
    ] {
        let filter = format!(r#"{{"type":"and","predicates":[{predicate}]}}"#);
        refused(Dialect::Genesys, &genesys_filter(&filter), Code::QueryMalformed, why);
    }
    for (predicate, why) in [
        (r#"{"dimension":"participantName","value":"x"}"#, "`participantName` may not be used"),
        (r#"{"dimension":"ani","value":"x"}"#, "`ani` may not be used"),
        (r#"{"metric":"tHandle","range":{"gt":1}}"#, "a condition on `tHandle`"),
    ] {
        let filter = format!(r#"{{"type":"and","predicates":[{predicate}]}}"#);
        refused(Dialect::Genesys, &genesys_filter(&filter), Code::FieldHidden, why);
    }
    let lifted = body::read(
        &model(Dialect::Genesys),
        &value(&genesys_filter(r#"{"type":"and","predicates":[{"dimension":"ani","value":"x"}]}"#)),
        &|_, _| false,
    );
    assert!(lifted.is_ok(), "{lifted:?}");
}

#[test]
fn entries_are_sorted_and_each_stands_once() {
    let entry = |queue: &str| format!(r#"{{"type":"and","predicates":[{{"dimension":"queueId","value":"{queue}"}}]}}"#);
    let body = |entries: &[String]| format!(r#"{{"interval":"x","filters":[{}]}}"#, entries.join(","));
    let asked = body(&[entry("b"), entry("a"), entry("b")]);
    assert_eq!(again(Dialect::Genesys, &asked), body(&[entry("a"), entry("b")]));
    assert_eq!(again(Dialect::Genesys, r#"{"interval":"x","filters":[]}"#), r#"{"interval":"x"}"#);
}

#[test]
fn a_queue_is_written_by_the_value_that_stands_for_it() {
    let bound = |all: &[(&str, &str)]| all.iter().map(|(queue, value)| ((*queue).into(), (*value).into())).collect();
    let written = |filter: &Filter| {
        let mut out = Vec::new();
        genesys::write(filter, &mut out);
        String::from_utf8(out).unwrap()
    };
    // The term is the queue, the text its value; queues give the order, and values are quoted.
    let several = Filter::or(genesys::atoms_bound("site", bound(&[("q-b", "1"), ("q-a", r#"so"uth"#), ("q-b", "1")])));
    let several = several.canonical();
    let terms: Vec<_> = several.atoms().iter().map(|atom| atom.term.clone()).collect();
    assert_eq!(terms, ["q-a", "q-b"].map(|queue| Term::In(Access::Queue, vec![queue.into()])));
    let due = r#"{"type":"or","predicates":[{"dimension":"site","value":"so\"uth"},{"dimension":"site","value":"1"}]}"#;
    assert_eq!(written(&several), due);
    let one = Filter::or(genesys::atoms_bound("site", bound(&[("q-a", "1")]))).canonical();
    assert_eq!(written(&one), r#"{"type":"and","predicates":[{"dimension":"site","value":"1"}]}"#);
    assert!(genesys::atoms_bound("site", vec![]).is_empty());
    // Whoever asks for what was written gets the same text: only the meaning of the value is found out later.
    let mut model = dimensions();
    model.dimensions.insert("site".into(), Dimension::Access(Access::Attribute));
    let reading = Reading { model: &model, dialect: Dialect::Genesys, hides: &|_, _| false };
    let Filter::Atom(read) = genesys::read(&reading, &value(&written(&one))).unwrap() else { panic!("no atom") };
    assert_eq!(read.term, Term::In(Access::Attribute, vec!["1".into()]));
    assert_eq!(one, Filter::Atom(Atom { term: Term::In(Access::Queue, vec!["q-a".into()]), ..read }));
}
