use super::super::json::{Json, read};
use crate::query::json as client;
use proptest::prelude::*;

#[test]
fn only_the_canonical_spelling_is_read() {
    assert_eq!(read(br#"{"a":[1,-2.5e+3,true,null,"\u0001\n\"\\"]}"#).unwrap().at(&["a"]).map(|_| ()), Some(()));
    for text in [
        "",
        " {}",
        "{} ",
        "{ }",
        "[1, 2]",
        "{\"a\" :1}",
        "{\"a\":1,}",
        "[1,]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"A\":2}",
        "\"\\u0041\"",
        "\"\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u00e9\"",
        "\"\\u001\"",
        "\"a",
        "\"\\",
        "01",
        "1.",
        "+1",
        "-",
        "nul",
        "{}{}",
        "\"\n\"",
        "\u{feff}{}",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(read(b"\"\xff\"").is_err());
    assert!(read("[".repeat(100_000).as_bytes()).is_err());
    let many: Vec<String> = (0..50).map(|n| format!("\"k{n}\":0")).collect();
    assert!(read(format!("{{{}}}", many.join(",")).as_bytes()).is_ok());
    assert!(read(format!("{{{},\"K7\":0}}", many.join(",")).as_bytes()).is_err());
}

fn same(ours: &Json<'_>, theirs: &client::Value) -> bool {
    match (ours, theirs) {
        (Json::Null, client::Value::Null) => true,
        (Json::Bool(a), client::Value::Bool(b)) => a == b,
        (Json::Number(a), client::Value::Number(b)) => **a == **b,
        (Json::Text(a), client::Value::Text(b)) => **a == **b,
        (Json::Array(a), client::Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), client::Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| **k == **l && same(a, b))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn both_readers_read_what_the_writer_writes(text in any::<String>(), number in any::<f64>(), keys in prop::collection::vec("[a-z]{1,3}|\\PC{1,2}", 0..30)) {
        let mut object = client::Value::Object(vec![]);
        for key in keys {
            object.set(&key.to_ascii_lowercase().replace('\0', ""), client::Value::text(text.as_str()));
        }
        let number = client::Value::Number(number.to_string().into());
        let value = client::Value::Array(vec![object, number, client::Value::Null, client::Value::Bool(true)]);
        let bytes = value.to_bytes();
        prop_assert!(same(&read(&bytes).unwrap(), &value));
        prop_assert_eq!(client::parse(&bytes, &client::Limits::default()).ok(), Some(value));
    }

    #[test]
    fn whatever_this_reader_takes_the_strict_one_takes_too(text in r#"[\[\]{}:,"\\ua0-9eE+.\- \ttruefalsn]{0,24}"#) {
        if let Ok(ours) = read(text.as_bytes()) {
            match client::parse(text.as_bytes(), &client::Limits::default()) {
                Ok(theirs) => prop_assert!(same(&ours, &theirs)),
                Err(error) => prop_assert_eq!(error.what, client::What::HugeNumber),
            }
        }
    }
}
