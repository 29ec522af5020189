//! A module uses only lower lines of the layer table, and modules on one line do not see each other.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Top to bottom; what stands on one line does not see each other.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["app", "fuzz"],
    &["config"],
    &["proxy", "admin"],
    &["world"],
    &["access", "reconcile"],
    &["identity", "directory", "rules", "probe", "bench"],
    &["upstream"],
    &["audit"],
    &["store", "server", "egress"],
    &["telemetry"],
    &["decision"],
    &["policy"],
    &["verify", "query"],
    &["model"],
    &["base"],
];

/// Beside the stack: sees `base` only, and is started by these.
const SANDBOX: &str = "sandbox";
const SANDBOX_SEEN_BY: &[&str] = &["cli", "app"];

fn line_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|line| line.contains(&module))
}

fn allowed(from: &str, to: &str) -> bool {
    match (from, to) {
        (from, to) if from == to => true,
        (from, SANDBOX) => SANDBOX_SEEN_BY.contains(&from),
        (SANDBOX, to) => to == "base",
        (from, to) => line_of(from).zip(line_of(to)).is_some_and(|(from, to)| from < to),
    }
}

/// Comments, strings and character literals become spaces: what is left is code.
fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let skipped = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['r', '#' | '"', ..] if raw_string(rest).is_some() && !after_word(&out) => raw_string(rest).unwrap(),
            ['"', ..] => string(rest),
            ['\'', '\\', ..] => rest.iter().skip(3).position(|c| *c == '\'').map_or(1, |end| end + 4),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if skipped == 0 {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(rest[..skipped].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at += skipped;
        }
    }
    out
}

fn after_word(out: &str) -> bool {
    out.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let mut at = 2 + hashes;
    while at < rest.len() {
        if rest[at] == '"' && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(rest.len())
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Paths in code as lists of names; trees of `use` are unfolded, so `crate::{a::b, c}` gives `crate a b` and `crate c`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            let mut word = c.to_string();
            while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            tokens.push(word);
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            tokens.push("::".to_owned());
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let starts = ["crate", "super", "self", "bailiwick"].contains(&tokens[at].as_str());
        let fresh = at == 0 || tokens[at - 1] != "::";
        if starts && fresh && tokens.get(at + 1).is_some_and(|next| next == "::") {
            unfold(&tokens, at, &[], &mut found);
        }
    }
    found
}

/// Reads one path or tree from `at` and gives the position after it.
fn unfold(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    let next = unfold(tokens, at, &path, found);
                    at = if next == at { at + 1 } else { next };
                    if tokens.get(at).is_some_and(|token| token == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "::" => at += 1,
            word if word.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_') => {
                let separated = path.len() == before.len() || tokens[at - 1] == "::";
                if !separated {
                    break;
                }
                path.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    // `as name` belongs to the tree, not to the path.
    if tokens.get(at).is_some_and(|token| token == "as") {
        at += 2;
    }
    found.push(path);
    at
}

/// The top-level module that a path names, seen from a file of module path `here` (`policy::guard` is `[policy, guard]`).
fn target(path: &[String], here: &[String]) -> Option<String> {
    let mut at = 0;
    let mut base: Vec<String> = match path[0].as_str() {
        "crate" | "bailiwick" => vec![],
        "self" | "super" => here.to_vec(),
        _ => return None,
    };
    for word in path {
        match word.as_str() {
            "crate" | "bailiwick" | "self" => {}
            "super" => {
                base.pop();
            }
            _ => break,
        }
        at += 1;
    }
    base.extend(path[at..].iter().cloned());
    base.into_iter().next()
}

/// Unit tests beside the code may hold two rooms against each other.
fn is_test(file: &Path) -> bool {
    file.iter().any(|part| part == "tests" || part == "tests.rs")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn module_of(file: &Path) -> Vec<String> {
    let path = file.strip_prefix(source()).unwrap().with_extension("");
    let mut names: Vec<String> = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|last| last == "mod") {
        names.pop();
    }
    names
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn no_module_looks_up() {
    let mut wrong = BTreeSet::new();
    for file in files(&source()) {
        let here = module_of(&file);
        if here == ["lib"] || here == ["main"] || is_test(file.strip_prefix(source()).unwrap()) {
            continue;
        }
        let code = code_only(&fs::read_to_string(&file).unwrap());
        assert!(!code.contains("extern crate"), "{}: no aliases of the crate", file.display());
        for path in paths(&code) {
            let Some(to) = target(&path, &here) else { continue };
            let known = line_of(&to).is_some() || to == SANDBOX;
            if known && !allowed(&here[0], &to) {
                wrong.insert(format!("{}: `{}` sees `{to}`", file.display(), path.join("::")));
            }
            // The crate root holds modules only: nothing may be reached through a name that is not one of them.
            if !known && ["crate", "bailiwick"].contains(&path[0].as_str()) && path.len() > 1 {
                wrong.insert(format!("{}: `{}` is not in the layer table", file.display(), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A lower module could be handed on by a higher one; nobody re-exports another room, and the root re-exports nothing.
#[test]
fn no_room_is_reexported() {
    for file in files(&source()) {
        let here = module_of(&file);
        let code = code_only(&fs::read_to_string(&file).unwrap());
        for statement in code.split(';').filter(|statement| statement.contains("pub") && statement.contains("use ")) {
            let Some((visibility, tail)) = statement.rsplit_once("use ") else { continue };
            if !visibility.trim_end().ends_with(')') && !visibility.trim_end().ends_with("pub") {
                continue;
            }
            for path in paths(tail) {
                let to = target(&path, &here);
                assert!(
                    to.is_none() || to.as_deref() == here.first().map(String::as_str),
                    "{}: re-exports `{}`",
                    file.display(),
                    path.join("::")
                );
            }
        }
    }
}

#[test]
fn the_pure_rooms_hold_no_clock_no_io_no_globals() {
    let forbidden = [
        "async ",
        ".await",
        "std::fs",
        "std::net",
        "std::io",
        "std::env",
        "tokio",
        "hyper",
        "static mut",
        "OnceLock",
        "LazyLock",
        "thread_local",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
    ];
    for file in files(&source()) {
        let here = module_of(&file);
        if is_test(file.strip_prefix(source()).unwrap()) {
            continue;
        }
        if !["decision", "policy", "verify", "query", "model"].contains(&here[0].as_str()) {
            continue;
        }
        let code = code_only(&fs::read_to_string(&file).unwrap());
        let production = code.split("#[cfg(test)]").next().unwrap();
        for word in forbidden {
            assert!(!production.contains(word), "{}: `{word}`", file.display());
        }
    }
}

#[test]
fn every_form_of_a_path_is_seen() {
    let seen = |here: &[&str], code: &str| -> Vec<String> {
        let here: Vec<String> = here.iter().map(|part| (*part).to_owned()).collect();
        paths(&code_only(code)).iter().filter_map(|path| target(path, &here)).collect()
    };
    let deep = ["query", "dialect", "genesys"];
    assert_eq!(seen(&deep, "use crate::policy::guard;"), ["policy"]);
    assert_eq!(
        seen(&deep, "use crate::{model::{set::Set, org}, policy as p, verify::*};"),
        ["model", "model", "policy", "verify"]
    );
    assert_eq!(seen(&deep, "use super::super::super::policy::guard;"), ["policy"]);
    assert_eq!(seen(&deep, "use super::super::{body, json::{self, Value}};"), ["query", "query", "query"]);
    assert_eq!(seen(&deep, "let x = crate :: policy :: guard::f();"), ["policy"]);
    assert_eq!(seen(&deep, "let x = self::super::super::super::policy::f();"), ["policy"]);
    assert_eq!(seen(&deep, "pub(in crate::query) fn f() {}"), ["query"]);
    assert_eq!(
        seen(&deep, "// crate::policy\nlet s = \"crate::policy\"; /* crate::policy */ let c = '\"'; crate::base::x();"),
        ["base"]
    );
    assert_eq!(seen(&deep, "let s = r#\"crate::policy \" \"#; 'a: loop { crate::base::x() }"), ["base"]);
    assert!(!allowed("query", "verify") && !allowed("verify", "policy") && !allowed("sandbox", "model"));
    assert!(allowed("cli", "sandbox") && allowed("policy", "query") && !allowed("rules", "directory"));
}
