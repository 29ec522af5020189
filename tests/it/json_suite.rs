//! The strict JSON reader against public and own collections of bodies.

use bailiwick::query::json::{Limits, parse, parse_object};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    env, fs,
    io::{self, Write},
    path::PathBuf,
};

fn corpora() -> PathBuf {
    env::var_os("BAILIWICK_CORPORA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpora"), PathBuf::from)
}

/// Texts that the suite calls valid and we refuse on purpose.
const REFUSED: [&str; 3] =
    ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json"];

/// Texts that the suite leaves open and we accept: numbers stay as written, so that nothing is rounded here.
/// Everything else it leaves open is refused: surrogates, foreign encodings, overflow, depth, byte order mark.
const ACCEPTED: [&str; 5] = [
    "i_number_double_huge_neg_exp.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];

#[test]
fn the_public_parsing_suite() {
    let folder = corpora().join("json/JSONTestSuite/test_parsing");
    let Ok(entries) = fs::read_dir(&folder) else {
        let folder = folder.display();
        // past the capture of the test harness
        writeln!(
            io::stderr(),
            "LEFT OUT: no {folder}; set BAILIWICK_CORPORA to the folder that holds json/JSONTestSuite"
        )
        .unwrap();
        return;
    };
    let mut counts = [0; 3];
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let read = parse(&fs::read(&path).unwrap(), &Limits::default());
        let (kind, due) = match name.as_bytes()[0] {
            b'y' => (0, !REFUSED.contains(&name.as_str())),
            b'n' => (1, false),
            _ => (2, ACCEPTED.contains(&name.as_str())),
        };
        counts[kind] += 1;
        assert_eq!(read.is_ok(), due, "{name}: {read:?}");
    }
    assert_eq!(counts, [95, 188, 35], "files of the suite: valid, not valid, left open");
    println!("the public parsing suite: {counts:?} files, {} valid ones refused on purpose", REFUSED.len());
}

/// Cases that are well-formed JSON: the operation's own allow-list, types and ranges refuse or keep them.
const FOR_THE_BODY_MODEL: [&str; 15] = [
    "duplicate by NFC/NFD",
    "key with trailing space",
    "key with zero width",
    "key with BOM inside",
    "big integer",
    "2^53+1",
    "1e-400",
    "long fraction",
    "-0",
    "1E+2 for integer",
    "1.0 for integer",
    "number as string",
    "constructor key",
    "@type key",
    "unknown top-level key",
];

#[test]
fn bodies_that_two_readers_could_read_differently() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/json/body_cases.json");
    let text = fs::read_to_string(path).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (mut refused, mut kept) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        // the packed ones are built below
        let Some(body) = case["body_b64"].as_str() else {
            continue;
        };
        let read = parse_object(&STANDARD.decode(body).unwrap(), &Limits::default());
        if FOR_THE_BODY_MODEL.contains(&name) {
            let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(parse_object(&read.to_bytes(), &Limits::default()).as_ref(), Ok(&read), "{name}");
            kept += 1;
        } else {
            assert!(read.is_err(), "{name}: {read:?}");
            refused += 1;
        }
    }
    assert_eq!(kept, FOR_THE_BODY_MODEL.len());
    assert!(refused >= 30, "refused {refused}");
    println!("bodies: {refused} refused, {kept} left to the body model");
}

#[test]
fn bodies_that_would_cost_too_much() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let keys: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
    let wide = format!("{{{}}}", keys.join(","));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    for (name, text) in [("deep", deep), ("wide", wide), ("long", long)] {
        assert!(parse_object(text.as_bytes(), &Limits::default()).is_err(), "{name}");
    }
}
