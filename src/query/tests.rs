//! What is asked, read by its model: what comes out again, and what is refused, with its place.

use super::{
    body::{self, Body},
    filter::{Atom, Filter, Join, Term},
    genesys,
    json::{self, Limits, Value},
    platform,
    reading::Reading,
};
use crate::model::{
    body::{Access, BodyModel, Dialect, Dimension, Field, FieldKind, FilterModel, Level, Path, Proof},
    contract::Data,
    refusal::{Code, Refusal},
};

fn path(path: &str) -> Path {
    path.split('.').map(Into::into).collect()
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn dimensions() -> FilterModel {
    let dimensions = [
        ("queueId", Dimension::Access(Access::Queue)),
        ("userId", Dimension::Access(Access::User)),
        ("agentId", Dimension::Access(Access::User)),
        ("mediaType", Dimension::Plain),
        ("ani", Dimension::Masked),
        ("participantName", Dimension::Hidden),
    ];
    FilterModel {
        attributes: std::collections::BTreeMap::new(),
        level: Level::Leg,
        dimensions: dimensions.into_iter().map(|(name, kind)| (name.into(), kind)).collect(),
        metrics: vec!["tTalk".into()],
        max_depth: 3,
    }
}

fn model(dialect: Dialect) -> BodyModel {
    let field = |name: &str, required, kind| Field { name: name.into(), required, kind };
    let words = |fold| FieldKind::Enum { words: vec!["One".into(), "Two".into()], fold };
    BodyModel {
        name: "Query".into(),
        dialect,
        data: Data::Interaction,
        fields: vec![
            field("interval", true, FieldKind::Interval),
            field("name", false, FieldKind::Text { max: 4 }),
            field("size", false, FieldKind::Int { min: 1, max: 9 }),
            field("flag", false, FieldKind::Bool),
            field("folded", false, words(true)),
            field("exact", false, words(false)),
            field("list", false, FieldKind::List { of: Box::new(words(true)), max: 2 }),
            field("from", false, FieldKind::Instant),
            field("id", false, FieldKind::Id(Access::Queue)),
            field("inner", false, FieldKind::Object(vec![field("deep", true, FieldKind::Bool)])),
            field("filter", false, FieldKind::Filter(dimensions())),
            field("filters", false, FieldKind::Filters(dimensions())),
        ],
        proof: Proof::Filter { at: path("filter") },
    }
}

fn read(dialect: Dialect, text: &str) -> Result<Body, Refusal> {
    body::read(&model(dialect), &value(text), &|_, kind| kind == Dimension::Masked)
}

fn again(dialect: Dialect, text: &str) -> String {
    let body = read(dialect, text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    String::from_utf8(body.write(&model(dialect))).unwrap()
}

#[track_caller]
fn refused(dialect: Dialect, text: &str, code: Code, why: &str) {
    let refusal = read(dialect, text).expect_err(text);
    assert_eq!(refusal.code, code, "{text}: {refusal}");
    assert!(refusal.message.contains(why), "{text}: {}", refusal.message);
}

#[test]
fn fields_come_out_in_the_models_order_and_spelling() {
    for (text, due) in [
        (r#"{"interval":"x"}"#, r#"{"interval":"x"}"#),
        (r#"{"size":9,"name":"abcd","interval":"x"}"#, r#"{"interval":"x","name":"abcd","size":9}"#),
        (r#"{"interval":"x","size":1,"flag":false}"#, r#"{"interval":"x","size":1,"flag":false}"#),
        (r#"{"interval":"x","folded":"ONE","exact":"One"}"#, r#"{"interval":"x","folded":"One","exact":"One"}"#),
        (r#"{"interval":"x","list":["two","ONE"]}"#, r#"{"interval":"x","list":["Two","One"]}"#),
        (r#"{"from":"now","interval":"x","id":"q"}"#, r#"{"interval":"x","from":"now","id":"q"}"#),
        (r#"{"inner":{"deep":true},"interval":"x"}"#, r#"{"interval":"x","inner":{"deep":true}}"#),
    ] {
        assert_eq!(again(Dialect::Genesys, text), due);
    }
    let long = "x".repeat(512);
    assert_eq!(again(Dialect::Genesys, &format!(r#"{{"interval":"{long}"}}"#)).len(), 512 + r#"{"interval":""}"#.len());
}

#[test]
fn fields_outside_the_model_are_refused_with_their_place() {
    let body = |more: &str| format!(r#"{{"interval":"x",{more}}}"#);
    for (text, why) in [
        ("[]".to_owned(), "`$` must be an object"),
        ("{}".to_owned(), "`$.interval` is missing"),
        (body(r#""other":1"#), "`$` `other` is not accepted here; accepted are `interval`, `name`"),
        (body(r#""name":"abcde""#), "`$.name` is longer than 4 bytes"),
        (body(r#""name":1"#), "`$.name` has the wrong type"),
        (body(r#""size":0"#), "`$.size` must be a whole number from 1 to 9"),
        (body(r#""size":10"#), "`$.size` must be a whole number from 1 to 9"),
        (body(r#""size":1.0"#), "`$.size` must be a whole number from 1 to 9"),
        (body(r#""size":"1""#), "`$.size` has the wrong type"),
        (body(r#""flag":0"#), "`$.flag` has the wrong type"),
        (body(r#""folded":"three""#), "`$.folded` `three` is not a word"),
        (body(r#""exact":"ONE""#), "`$.exact` `ONE` is not a word"),
        (body(r#""list":["One","One","One"]"#), "`$.list` has more than 2 items"),
        (body(r#""list":"One""#), "`$.list` has the wrong type"),
        (body(r#""list":[1]"#), "`$.list` has the wrong type"),
        (body(r#""inner":{}"#), "`$.inner.deep` is missing"),
        (body(r#""inner":7"#), "`$.inner` must be an object"),
        (body(r#""inner":{"deep":true,"more":1}"#), "`$.inner` `more` is not accepted"),
        (body(r#""filters":{}"#), "`$.filters` has the wrong type"),
        (format!(r#"{{"interval":"{}"}}"#, "x".repeat(513)), "`$.interval` has the wrong type or length"),
    ] {
        refused(Dialect::Genesys, &text, Code::QueryMalformed, why);
    }
}

#[test]
fn values_are_found_and_put_where_they_are_said_to_be() {
    let mut body = read(Dialect::Genesys, r#"{"interval":"x","inner":{"deep":true}}"#).unwrap();
    assert_eq!(body.get(&path("inner.deep")), Some(&Value::Bool(true)));
    assert_eq!(body.get(&[]), Some(&body.value));
    assert_eq!((body.get(&path("inner.none")), body.get(&path("interval.x"))), (None, None));
    body.set(&path("inner.deep"), Value::Bool(false));
    body.set(&path("interval"), Value::text("y"));
    body.set(&path("id"), Value::text("q"));
    body.set(&path("interval.x"), Value::Null);
    let written = body.write(&model(Dialect::Genesys));
    assert_eq!(written, br#"{"interval":"y","id":"q","inner":{"deep":false}}"#);
    let atoms = || genesys::atoms_in(Access::Queue, "queueId", ["b", "a", "b"].map(Into::into).into_iter());
    body.put_filters(&path("filters"), true, atoms());
    assert_eq!(body.slot(&path("filters")).unwrap().filters.len(), 2);
    body.put_filters(&path("filter"), false, vec![]);
    body.put_filters(&path("filters"), true, atoms().into_iter().take(1).collect());
    assert_eq!(body.filters.len(), 2);
    let written = String::from_utf8(body.write(&model(Dialect::Genesys))).unwrap();
    let due =
        r#""inner":{"deep":false},"filters":[{"type":"and","predicates":[{"dimension":"queueId","value":"b"}]}]}"#;
    assert!(written.ends_with(due), "{written}");
}

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

#[test]
fn the_algebra_counts_and_flattens() {
    let atom = |name: &str| Filter::Atom(Atom { term: Term::Other, text: name.into() });
    let (a, b, c) = (|| atom("a"), || atom("b"), || atom("c"));
    let nested = Filter::and(vec![Filter::and(vec![b(), a()]), Filter::or(vec![c(), Filter::or(vec![a(), c()])]), a()]);
    assert_eq!((nested.depth(), nested.predicates(), nested.atoms().len()), (3, 6, 6));
    let canonical = nested.canonical();
    assert_eq!(canonical, Filter::and(vec![a(), b(), Filter::or(vec![a(), c()])]));
    assert_eq!((canonical.depth(), canonical.predicates()), (2, 4));
    assert_eq!((a().depth(), a().predicates()), (0, 1));
    assert!(
        genesys::fits(&canonical) && !genesys::fits(&Filter::and(vec![Filter::or(vec![Filter::and(vec![a(), b()])])]))
    );
    assert_eq!(Filter::or(vec![Filter::and(vec![a()])]).canonical(), a());
    // an empty group inside a group of its kind stays: it is not nothing
    let empty = Filter::or(vec![Filter::or(vec![]), a()]);
    assert_eq!(empty.canonical(), Filter::Group(Join::Or, vec![a(), Filter::or(vec![])]));
    let texts: Vec<_> =
        Filter::and(vec![a(), Filter::or(vec![b(), c()])]).atoms().iter().map(|atom| atom.text.clone()).collect();
    assert_eq!(texts, ["a".into(), "b".into(), "c".into()]);
    let values = |term: Term| Atom { term, text: "".into() }.values().map(|(access, values)| (access, values.len()));
    assert_eq!(values(Term::In(Access::User, vec!["u".into()])), Some((Access::User, 1)));
    assert_eq!(values(Term::NotIn(Access::Queue, vec!["q".into()])), Some((Access::Queue, 1)));
    assert_eq!(
        (values(Term::Missing(Access::Queue)), values(Term::Present(Access::Queue)), values(Term::Other)),
        (None, None, None)
    );
}

#[test]
fn a_value_is_given_as_what_it_is_only() {
    let all = ["null", "true", "false", "1", "1.5", "\"x\"", "[0]", "{\"a\":0}"].map(value);
    let bools: Vec<_> = all.iter().filter_map(Value::as_bool).collect();
    let whole: Vec<_> = all.iter().filter_map(Value::as_i64).collect();
    let numbers: Vec<_> = all.iter().filter_map(Value::as_f64).map(|number| number.to_string()).collect();
    let texts: Vec<_> = all.iter().filter_map(Value::as_str).collect();
    assert_eq!((bools, whole, numbers, texts), (vec![true, false], vec![1], vec!["1".into(), "1.5".into()], vec!["x"]));
    assert_eq!(all.iter().filter_map(Value::as_array).map(<[Value]>::len).collect::<Vec<_>>(), [1]);
    assert_eq!(all.iter().filter_map(Value::as_object).map(<[(Box<str>, Value)]>::len).collect::<Vec<_>>(), [1]);
    let kinds = ["null", "a boolean", "a boolean", "a number", "a number", "a string", "an array", "an object"];
    assert_eq!(all.each_ref().map(Value::kind), kinds);
    assert_eq!(all.iter().filter(|value| value.is_null()).count(), 1);
}
