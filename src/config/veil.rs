//! Secrets do not stand in what is said of a file: where a line of it is shown, what may be one is covered.

use std::borrow::Cow;

/// Keys whose values are secrets.
const SECRET: [&str; 3] = ["token", "client-secret", "literal"];
/// Keys that look like these and are none.
const OPEN: [&str; 1] = ["unsafe-static-tokens"];

/// The text, as long as before, with every value covered whose key is that of a secret, or could be meant for one: the file may be
/// no TOML, and the key be misspelt.
pub(super) fn veiled(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // what ends the value that began on a line before
    let mut until: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let covered = match until {
            Some(_) => 0,
            None => secret_value(line).map_or(line.len(), |(at, ends)| {
                let rest = line.get(at..).unwrap_or_default();
                until = ends.filter(|ends| !rest.get(ends.len()..).unwrap_or_default().contains(*ends));
                at
            }),
        };
        if covered == 0 && until.is_some_and(|ends| line.contains(ends)) {
            until = None;
        }
        shown.push_str(line.get(..covered).unwrap_or_default());
        for char in line.get(covered..).unwrap_or_default().chars() {
            match char {
                '\r' | '\n' => shown.push(char),
                _ => shown.extend(std::iter::repeat_n('*', char.len_utf8())),
            }
        }
    }
    shown
}

/// Where the value of a secret begins on this line, and what ends it if the line may not.
fn secret_value(line: &str) -> Option<(usize, Option<&'static str>)> {
    line.match_indices('=').find_map(|(at, _)| {
        let (before, after) = (line.get(..at)?, line.get(at + 1..)?);
        let value = after.trim_start();
        // `{ env = "..." }` says where the secret is
        if !is_secret(&key(before)) || value.starts_with('{') {
            return None;
        }
        let ends = ["\"\"\"", "'''", "["].into_iter().find(|begins| value.starts_with(begins));
        Some((line.len() - value.len(), ends.map(|begins| if begins == "[" { "]" } else { begins })))
    })
}

/// The last word before a `=`.
fn key(before: &str) -> Cow<'_, str> {
    let word = before.trim_end().trim_end_matches(['"', '\'']);
    let word = word.rsplit(|char: char| !(char.is_alphanumeric() || "-_".contains(char))).next().unwrap_or_default();
    if word.contains(char::is_uppercase) { word.to_lowercase().into() } else { word.into() }
}

fn is_secret(key: &str) -> bool {
    !OPEN.contains(&key)
        && (["secret", "token", "passw"].iter().any(|part| key.contains(part))
            || SECRET.iter().any(|known| strsim::normalized_damerau_levenshtein(key, known) >= 0.6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_and_nothing_moves() {
        for (text, due) in [
            ("token = \"abc\" # x\nuser = \"art\"\n", "token = *********\nuser = \"art\"\n"),
            ("client-secret='abc'\r\n", "client-secret=*****\r\n"),
            ("tokn = \"abc\"", "tokn = *****"),
            ("Client-Sceret = \"abc\"", "Client-Sceret = *****"),
            ("\"token\" = \"ä\"", "\"token\" = ****"),
            ("static.token = \"abc", "static.token = ****"),
            ("token = { env = \"NAME\" }", "token = { env = \"NAME\" }"),
            ("token = { literal = \"abc\" }", "token = { literal = *******"),
            ("a = { user = \"u\", token = \"abc\" }", "a = { user = \"u\", token = *******"),
            ("token = \"\"\"a\nb\nc\"\"\"\nx = 1\n", "token = ****\n*\n****\nx = 1\n"),
            ("token = '''a'''\nx = 1\n", "token = *******\nx = 1\n"),
            ("token = [\"a\",\n\"b\"]\nx = 1\n", "token = *****\n****\nx = 1\n"),
            ("token = [\"a\"]\nx = 1\n", "token = *****\nx = 1\n"),
            ("token = 7", "token = *"),
            ("token =\n", "token =\n"),
            ("unsafe-static-tokens = true", "unsafe-static-tokens = true"),
            ("listen = \"127.0.0.1:0\"\npoll = \"10 days\"", "listen = \"127.0.0.1:0\"\npoll = \"10 days\""),
        ] {
            assert_eq!(veiled(text), due);
            assert_eq!(veiled(text).len(), text.len());
        }
    }
}
