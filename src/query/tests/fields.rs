//! Fields of bodies, their places and their order.

use super::*;
use crate::query::body::duration;

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
fn lengths_of_time_and_zones_have_one_form() {
    let asked = |field: &str, text: &str| format!("{{\"interval\":\"x\",\"{field}\":\"{text}\"}}");
    let fine = [("step", "PT30M"), ("step", "P1D"), ("step", "P1M"), ("step", "P1DT12H")];
    for (field, text) in
        fine.into_iter().chain([("zone", "UTC"), ("zone", "Etc/GMT+5"), ("zone", "America/Port-au-Prince")])
    {
        assert_eq!(again(Dialect::Genesys, &asked(field, text)), asked(field, text));
    }
    for text in
        ["", "P", "PT", "PT0S", "-P1D", "P-1D", "pt30m", "30m", "1 hour", "PT1.5H", "P1D ", "P99999999999999999999D"]
    {
        refused(
            Dialect::Genesys,
            &asked("step", text),
            Code::QueryMalformed,
            "must be a length of time such as `PT30M`",
        );
    }
    for text in ["", "/", "Europe/", "Europe//London", "Europe/London ", "Europe/../London", "Zürich", &"a".repeat(65)]
    {
        refused(Dialect::Genesys, &asked("zone", text), Code::QueryMalformed, "must name a time zone");
    }
    let number = |field: &str| format!("{{\"interval\":\"x\",\"{field}\":7}}");
    refused(Dialect::Genesys, &number("step"), Code::QueryMalformed, "must be a length of time");
    refused(Dialect::Genesys, &number("zone"), Code::QueryMalformed, "must name a time zone");
}

#[test]
fn a_length_of_time_has_one_spelling() {
    for (asked, due) in [
        ("PT60M", "PT1H"),
        ("PT01H", "PT1H"),
        ("PT3600S", "PT1H"),
        ("PT90M", "PT1H30M"),
        ("P2W", "P14D"),
        ("P1W1D", "P8D"),
        ("P18M", "P1Y6M"),
        ("PT24H", "PT24H"),
        ("P1DT30S", "P1DT30S"),
    ] {
        assert_eq!(duration(asked).as_deref(), Some(due), "{asked}");
        assert_eq!(duration(due).as_deref(), Some(due), "{due}");
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
