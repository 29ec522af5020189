//! What must not compile: the proofs of a request cannot be made by hand, and there is no way round them. Each program is
//! compiled against the library that this test was linked with, and what the compiler says stands beside it.

#![expect(clippy::print_stdout, reason = "how much was tried is part of what the test shows")]

use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The newest build of the library beside this test.
fn library() -> PathBuf {
    let mut beside = std::env::current_exe().unwrap();
    beside.pop();
    let files = fs::read_dir(beside).unwrap().map(|file| file.unwrap().path());
    let built = files.filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with("libbailiwick-") && file.extension().is_some_and(|kind| kind == "rlib")
    });
    built.max_by_key(|file| fs::metadata(file).unwrap().modified().unwrap()).expect("the library was built")
}

/// Every error of a program, with the line it is about: nothing when it compiles.
fn errors(library: &Path, program: &Path, into: &Path) -> String {
    let told = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--edition", "2024", "--crate-type", "bin", "--emit", "metadata", "--error-format", "json"])
        .arg("--extern")
        .arg(format!("bailiwick={}", library.display()))
        .arg("-L")
        .arg(format!("dependency={}", library.parent().unwrap().display()))
        .arg("-o")
        .arg(into)
        .arg(program)
        .output()
        .unwrap();
    let mut all = String::new();
    for line in String::from_utf8(told.stderr).unwrap().lines() {
        let one: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{}: {line}", program.display()));
        if one["level"] != "error" || one["spans"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let code = one["code"]["code"].as_str().map_or(String::new(), |code| format!("[{code}]"));
        writeln!(all, "error{code}: {}", one["message"].as_str().unwrap()).unwrap();
        for span in one["spans"].as_array().unwrap().iter().filter(|span| span["is_primary"] == true) {
            let text = span["text"][0]["text"].as_str().unwrap_or_default().trim();
            writeln!(all, "  line {}: {text}", span["line_start"]).unwrap();
            if let Some(label) = span["label"].as_str() {
                writeln!(all, "  {label}").unwrap();
            }
        }
    }
    assert_eq!(all.is_empty(), told.status.success(), "{}: {all}", program.display());
    all
}

#[test]
fn nothing_leaves_and_nothing_comes_back_without_its_proof() {
    let (library, folder) = (library(), tempfile::tempdir().unwrap());
    let into = folder.path().join("out.rmeta");
    let lawful = folder.path().join("lawful.rs");
    let with_proof = "use bailiwick::{audit::Intent, upstream::{Slot, Upstreams}, verify::Verified};
        async fn send(upstreams: &Upstreams, verified: Verified, intent: Intent, slot: Slot) {
            let _ = upstreams.forward(verified, intent, slot).await;
        }
        fn main() {}";
    fs::write(&lawful, with_proof).unwrap();
    assert_eq!(errors(&library, &lawful, &into), "", "with every proof it compiles");

    let programs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail")).unwrap();
    let mut tried = 0;
    for program in programs.map(|file| file.unwrap().path()).filter(|file| file.extension().unwrap() == "rs") {
        let told = errors(&library, &program, &into);
        assert!(!told.is_empty(), "{} compiles", program.display());
        let beside = program.with_extension("stderr");
        if std::env::var_os("BAILIWICK_WRITE").is_some() {
            fs::write(&beside, &told).unwrap();
        }
        let due = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(told, due, "{}: `BAILIWICK_WRITE=1` writes what the compiler says", program.display());
        tried += 1;
    }
    println!("{tried} programs do not compile");
    assert!(tried >= 9, "{tried}");
}
