//! The bytes that are kept beside the fuzz targets, read once more by every test run.

use std::{fs, path::PathBuf};

fn replay(target: &str, hold: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let bytes = fs::read(&file).unwrap();
        if let Err(why) = std::panic::catch_unwind(|| hold(&bytes)) {
            let why = why.downcast_ref::<String>().map_or("it does not hold", String::as_str);
            panic!("{}: {why}", file.display());
        }
        count += 1;
    }
    assert!(count >= 20, "{} holds {count} files", folder.display());
}

#[test]
fn heads() {
    replay("head", super::head);
}

#[test]
fn jsons() {
    replay("json", super::json);
}

#[test]
fn paths() {
    replay("path", super::path);
}

#[test]
fn tokens() {
    replay("token", super::token);
}

/// The properties are none that hold of everything: a reader that took more would be found.
#[test]
fn what_does_not_hold_is_found() {
    let smuggled = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nGET ";
    super::head(smuggled);
    let broken = std::panic::catch_unwind(|| super::head::compare(smuggled, b"POST /b HTTP/1.1\r\nhost: h\r\n\r\n"));
    assert!(broken.is_err());
}
