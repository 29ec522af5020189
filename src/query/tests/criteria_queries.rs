//! Criteria of searches: one form, what is refused, and what a criterion says of access.

use super::*;
use crate::query::{dialect, filter::Filter};

fn filter(text: &str) -> Result<Filter, String> {
    let model = dimensions();
    let hides = |_: &str, kind: Dimension| kind == Dimension::Masked;
    let reading = Reading { model: &model, dialect: Dialect::Criteria, hides: &hides };
    dialect::read(&reading, &value(text)).map_err(|error| format!("{}: {}", error.at, error.why))
}

fn written(text: &str) -> String {
    let mut out = Vec::new();
    let filter = filter(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert!(dialect::fits(Dialect::Criteria, &filter), "{text}");
    dialect::write(Dialect::Criteria, &filter, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn one_meaning_has_one_form() {
    let like = r#"{"fields":["mediaType"],"operator":"AND","type":"CONTAINS","value":"x"}"#;
    let ids = r#"{"fields":["userId"],"operator":"AND","type":"TERMS","values":["a","b"]}"#;
    for (asked, due) in [
        ("[]".to_owned(), "[]".to_owned()),
        (r#"[{"type":"MATCH_ALL"}]"#.into(), "[]".into()),
        (r#"[{"type":"CONTAINS","fields":["mediaType"],"value":"x"}]"#.into(), format!("[{like}]")),
        (
            r#"[{"values":["x","x"],"fields":["mediaType","mediaType"],"type":"CONTAINS","operator":"AND"}]"#.into(),
            format!("[{like}]"),
        ),
        (format!("[{like},{like}]"), format!("[{like}]")),
        (r#"[{"type":"EXACT","fields":["userId"],"values":["b","a","b"]}]"#.into(), format!("[{ids}]")),
        (format!(r#"[{like},{{"type":"TERM","fields":["userId"],"values":["a","b"]}}]"#), format!("[{ids},{like}]")),
    ] {
        let first = written(&asked);
        assert_eq!(first, due, "{asked}");
        assert_eq!(written(&first), due, "{asked}, again");
    }
    let Ok(Filter::Atom(atom)) = filter(r#"[{"type":"EXACT","fields":["userId"],"value":"a"}]"#) else { panic!() };
    assert_eq!(atom.term, Term::In(Access::User, vec!["a".into()]));
    assert_eq!(dialect::dimension_of(Dialect::Criteria, &atom).as_deref(), Some("userId"));
}

#[test]
fn what_is_refused() {
    let one = |inner: &str| format!("[{{{inner}}}]");
    let long = "x".repeat(257);
    for (asked, due) in [
        ("{}".to_owned(), "must be a list"),
        ("[[]]".into(), "must be an object"),
        (one(r#""fields":["mediaType"],"value":"x""#), "needs `type`"),
        (one(r#""type":"EXACT","value":"x""#), "needs `fields`"),
        (one(r#""type":"EXACT","fields":[],"value":"x""#), "needs `fields`"),
        (one(r#""type":"EXACT","fields":["mediaType"]"#), "needs `value`"),
        (one(r#""type":"EXACT","fields":["mediaType"],"values":[]"#), "needs `value`"),
        (one(r#""type":"EXACT","fields":["mediaType"],"value":"x","values":["x"]"#), "send one of them"),
        (one(r#""type":"EXACT","fields":["mediaType"],"value":"""#), "texts of 1 to"),
        (one(&format!(r#""type":"EXACT","fields":["mediaType"],"value":"{long}""#)), "texts of 1 to"),
        (one(r#""type":"EXACT","fields":["mediaType"],"values":[1]"#), "texts of 1 to"),
        (one(r#""type":"EXACT","fields":"mediaType","value":"x""#), "wrong type"),
        (one(r#""type":"EXACT","fields":["mediaType"],"value":"x","operator":"OR""#), "must be `AND`"),
        (one(r#""type":"EXACT","fields":["mediaType"],"value":"x","operator":"NOT""#), "must be `AND`"),
        (one(r#""type":"EXACT","fields":["mediaType"],"value":"x","group":[]"#), "not known here"),
        (one(r#""type":"QUERY_STRING","fields":["mediaType"],"value":"ani:5""#), "not accepted here"),
        (one(r#""type":"REGEX","fields":["mediaType"],"value":".*""#), "not accepted here"),
        (one(r#""type":"MATCH_ALL","fields":["mediaType"]"#), "not accepted here"),
        (one(r#""type":"EXACT","fields":["mediatype"],"value":"x""#), "not a dimension"),
        (one(r#""type":"EXACT","fields":["mediaType","participantName"],"value":"x""#), "may not be used"),
        (one(r#""type":"EXACT","fields":["ani"],"value":"x""#), "may not be used"),
        (one(r#""type":"EXACT","fields":["userId","mediaType"],"value":"x""#), "stands alone"),
        (one(r#""type":"CONTAINS","fields":["userId"],"value":"x""#), "stands alone"),
    ] {
        let why = filter(&asked).expect_err(&asked);
        assert!(why.contains(due), "{asked}: {why}");
    }
    let many = vec![r#"{"type":"MATCH_ALL"}"#; 21].join(",");
    assert!(filter(&format!("[{many}]")).unwrap_err().contains("more than 20"));
}
