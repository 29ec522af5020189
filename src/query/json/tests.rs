use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Value, JsonError> {
    parse(text.as_bytes(), &Limits::default())
}

fn what(text: &str) -> What {
    read(text).expect_err(text).what
}

fn canonical(text: &str) -> String {
    String::from_utf8(read(text).expect(text).to_bytes()).unwrap()
}

#[test]
fn order_and_numbers_stay_and_white_space_goes() {
    assert_eq!(
        canonical(" { \"b\" : 1.00 ,\t\"a\":[ -0 , 1E+2,9007199254740993 ] , \"c\": {} , \"d\" : [ ] }\r\n"),
        r#"{"b":1.00,"a":[-0,1E+2,9007199254740993],"c":{},"d":[]}"#
    );
}

#[test]
fn every_spelling_of_a_string_becomes_one() {
    assert_eq!(canonical(r#""filt\u0065r \u00e9 \/ \" \\ \ud83d\ude00""#), r#""filter é / \" \\ 😀""#);
    assert_eq!(canonical(r#""\u0000\b\t\n\f\r\u001F\u007f""#), "\"\\u0000\\b\\t\\n\\f\\r\\u001f\u{7f}\"");
}

#[test]
fn a_key_stands_once() {
    assert_eq!(what(r#"{"a":1,"a":2}"#), What::DuplicateKey { key: "a".into(), case: false });
    assert_eq!(
        what(r#"{"x":[{"filter":1,"filt\u0065r":2}]}"#),
        What::DuplicateKey { key: "filter".into(), case: false }
    );
    assert_eq!(what(r#"{"filter":1,"Filter":2}"#), What::DuplicateKey { key: "Filter".into(), case: true });
    let many: Vec<String> = (0..200).map(|n| format!("\"key{n}\":0")).collect();
    assert!(read(&format!("{{{}}}", many.join(","))).is_ok());
    for twin in ["key0", "KEY5", "key199"] {
        let text = format!("{{{},\"{twin}\":0}}", many.join(","));
        assert!(matches!(what(&text), What::DuplicateKey { .. }), "{twin}");
    }
}

#[test]
fn refused_shapes() {
    for (text, due) in [
        ("", What::Empty),
        ("  \n", What::Empty),
        ("{} {}", What::Trailing),
        ("{}\u{0}", What::Trailing),
        ("[1,]", What::Expected("a value")),
        ("{\"a\":1,}", What::Expected("a key in double quotes")),
        ("{'a':1}", What::Expected("a key in double quotes")),
        ("{\"a\" 1}", What::Expected("`:`")),
        ("[1 2]", What::Expected("`,` or `]`")),
        ("NaN", What::Expected("a value")),
        ("01", What::BadNumber),
        ("0x10", What::BadNumber),
        ("-", What::BadNumber),
        ("1.", What::BadNumber),
        ("1e", What::BadNumber),
        ("1e400", What::HugeNumber),
        ("\"\\x\"", What::BadEscape),
        ("\"\\u12g4\"", What::BadEscape),
        ("\"\\ud800\"", What::LoneSurrogate),
        ("\"\\udc00\"", What::LoneSurrogate),
        ("\"\\ud800\\u0041\"", What::LoneSurrogate),
        ("\"a\u{1}\"", What::ControlCharacter),
        ("\"abc", What::OpenString),
        ("\"abc\\", What::OpenString),
        ("{\"a\\u0000b\":1}", What::NulInKey),
        ("{\"$serde_json::private::Number\":\"1\"}", What::ReservedKey("$serde_json::private::Number".into())),
        ("tru", What::Expected("a value")),
    ] {
        assert_eq!(what(text), due, "{text}");
    }
    assert_eq!(parse(b"\xef\xbb\xbf{}", &Limits::default()).unwrap_err().what, What::ByteOrderMark);
    assert_eq!(parse(b"{\"a\":\"\xff\"}", &Limits::default()).unwrap_err().what, What::NotUtf8);
    assert_eq!(parse_object(b"[]", &Limits::default()).unwrap_err().what, What::NotObject);
}

#[test]
fn limits_hold() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&deep(32)).is_ok());
    assert_eq!(what(&deep(33)), What::TooDeep { limit: 32 });
    assert_eq!(what(&"[".repeat(1 << 19)), What::TooDeep { limit: 32 });
    let generous = Limits { depth: usize::MAX, ..Limits::default() };
    assert_eq!(parse("[".repeat(1 << 19).as_bytes(), &generous).unwrap_err().what, What::TooDeep { limit: 128 });
    let small = Limits { bytes: 10, depth: 4, items: 3 };
    assert_eq!(parse(b"[1,2,3,4]", &small).unwrap_err().what, What::TooMany { limit: 3 });
    assert_eq!(parse(b"[111111111]", &small).unwrap_err().what, What::TooLong { limit: 10 });
}

#[test]
fn an_error_names_its_place() {
    let error = read("{\n  \"é\": 1,\n  \"é\": 2\n}").unwrap_err();
    assert_eq!((error.line, error.column), (3, 3));
    assert_eq!(error.to_string(), "line 3, column 3: the key `é` stands twice; send it once");
    let error = read("{\"é\": x}").unwrap_err();
    assert_eq!((error.offset, error.line, error.column), (7, 1, 7));
}

#[test]
fn members_are_set_in_place() {
    let mut value = read(r#"{"a":1,"b":{"c":[]},"d":3}"#).unwrap();
    assert!(value.set("a", Value::Null));
    assert!(value.set_at(&["b", "x", "y"], Value::int(7)));
    assert!(!value.set_at(&["d", "x"], Value::Null));
    assert_eq!(value.remove("d"), Some(Value::int(3)));
    assert_eq!(value.to_bytes(), br#"{"a":null,"b":{"c":[],"x":{"y":7}}}"#);
    assert_eq!(value.at(&["b", "x", "y"]).and_then(Value::as_i64), Some(7));
    assert_eq!(value.at::<&str>(&[]), Some(&value));
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => {
            // theirs rounds the last digit of long fractions its own way, and of the smallest numbers the last few
            let (a, b) = (a.parse::<f64>().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= (a.abs() * 1e-14).max(1e-320)
        }
        (Value::Text(a), serde_json::Value::String(b)) => **a == **b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| **k == **l && same(a, b))
        }
        _ => false,
    }
}

fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
    #[expect(clippy::disallowed_methods, reason = "the second opinion")]
    let theirs = serde_json::from_slice::<serde_json::Value>(text);
    match (parse(text, &Limits::default()), theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert!(same(&ours, &theirs));
            let again = parse(&ours.to_bytes(), &Limits::default()).expect("own text");
            prop_assert_eq!(&again, &ours);
        }
        (Err(_), Err(_)) => {}
        (Ok(ours), Err(error)) => prop_assert!(false, "we read {:?}, they say {}", ours, error),
        // we refuse more: only what the module says
        (Err(error), Ok(_)) => prop_assert!(
            matches!(
                error.what,
                What::DuplicateKey { .. } | What::NulInKey | What::ReservedKey(_) | What::TooDeep { .. }
            ),
            "{}",
            error
        ),
    }
    Ok(())
}

fn trees() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 16, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..20)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(tree in trees(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_vec_pretty(&tree) } else { serde_json::to_vec(&tree) }.unwrap();
        agrees(&text)?;
    }

    #[test]
    fn agrees_on_broken_text(tree in trees(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3) {
        let mut text = serde_json::to_vec(&tree).unwrap();
        let at = at.index(text.len());
        match how {
            0 => text[at] = byte,
            1 => { text.remove(at); }
            _ => text.insert(at, byte),
        }
        agrees(&text)?;
    }

    #[test]
    fn agrees_on_soup(text in r#"[\[\]{}:,"\\ua0-9eE+.\- \ttruefalsn]{0,24}"#) {
        agrees(text.as_bytes())?;
    }
}

#[test]
fn every_control_character_is_written_so_that_it_reads_back() {
    for code in 0..0x20_u8 {
        let text = format!("a{}b", char::from(code));
        let mut out = br#"{"x":"#.to_vec();
        write_text(&text, &mut out);
        out.push(b'}');
        let read = String::from_utf8(out).unwrap().parse::<serde_json::Value>();
        assert_eq!(read.unwrap_or_else(|why| panic!("{code:#x}: {why}"))["x"], *text, "{code:#x}");
    }
}
