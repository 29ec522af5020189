//! The tree is tidy: no monsters, no rooms without a purpose, nothing unfinished.

use std::{
    fs,
    path::{Path, PathBuf},
};

const MOST_LINES: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|ext| extensions.iter().any(|one| ext == *one)) {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn sources() -> Vec<PathBuf> {
    ["src", "tests", "benches", "examples"].iter().flat_map(|folder| files(&root().join(folder), &["rs"])).collect()
}

/// Lines that are neither blank nor comment, without the inline tests.
fn code_lines(text: &str) -> usize {
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    production.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn no_file_is_a_monster() {
    for file in sources() {
        let lines = code_lines(&fs::read_to_string(&file).unwrap());
        assert!(lines <= MOST_LINES, "{}: {lines} lines of code, split it", file.display());
    }
}

#[test]
fn no_room_is_a_drawer() {
    for file in sources() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        for drawer in ["utils", "util", "helpers", "helper", "common", "manager", "misc"] {
            assert_ne!(name, drawer, "{}: name it by what it holds", file.display());
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    // Written apart, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["X", "XX"], ["for ", "now,"], ["not yet ", "implemented"]];
    let mut texts = sources();
    texts.extend(files(&root().join("rules"), &["toml", "json", "md"]));
    for file in texts {
        let text = fs::read_to_string(&file).unwrap();
        for word in words.map(|parts| parts.concat()) {
            let alone = |at: usize| {
                let beside = [text[..at].chars().next_back(), text[at + word.len()..].chars().next()];
                !beside.into_iter().flatten().any(char::is_alphanumeric)
            };
            let found = text.match_indices(&word).any(|(at, _)| alone(at));
            assert!(!found, "{}: `{word}`", file.display());
        }
    }
}

#[test]
fn no_test_is_ignored() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&["#[", "ignore"].concat()), "{}: run it or delete it", file.display());
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for file in files(&root().join("src"), &["rs"]) {
        let text = fs::read_to_string(&file).unwrap();
        let beside = file.strip_prefix(root()).unwrap().iter().any(|part| part == "tests" || part == "tests.rs");
        assert!(beside || text.trim().is_empty() || text.starts_with("//!"), "{}: begin with `//!`", file.display());
    }
}

/// Files in which a fault could let a row through. ARCHITECTURE.md lists them and says why.
const TRUSTED: [&str; 14] = [
    "src/policy/definitions.rs",
    "src/policy/scope",
    "src/policy/outsourcers.rs",
    "src/directory/bindings.rs",
    "src/policy/extent.rs",
    "src/policy/masks.rs",
    "src/policy/guard",
    "src/directory/compile",
    "src/verify",
    "src/query/json",
    "src/audit/recorder.rs",
    "src/store",
    "src/proxy/jobs.rs",
    "src/decision/schedules.rs",
];
const TRUSTED_LINES: usize = 10_800;

#[test]
fn the_trusted_base_is_stated_and_bounded() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut lines = 0;
    for place in TRUSTED {
        assert!(architecture.contains(&format!("`{place}")), "ARCHITECTURE.md does not list `{place}`");
        let path = root().join(place);
        let files = if path.is_dir() { files(&path, &["rs"]) } else { vec![path] };
        let production = files.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "tests"));
        lines += production
            .filter(|file| file.file_stem().is_some_and(|name| name != "tests"))
            .map(|file| code_lines(&fs::read_to_string(file).unwrap()))
            .sum::<usize>();
    }
    println!("trusted base: {lines} lines of code");
    assert!(lines > 1_000, "the files have moved");
    assert!(lines <= TRUSTED_LINES, "{lines} lines, at most {TRUSTED_LINES}");
}
