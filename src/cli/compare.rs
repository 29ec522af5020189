//! Two bodies side by side: what stands in both, what was added, what is gone.

use serde::Serialize;
use serde_json::{Map, Value};
use similar::{Algorithm, DiffTag};
use std::ops::Range;

/// A line of a body, with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// ` ` in both, `+` only in what was sent, `-` only in what was asked.
    pub(super) mark: char,
    pub(super) text: String,
}

/// More added lines in a row than this are told in short.
const MOST: usize = 6;
const WIDEST: usize = 140;

/// The asked body and the sent one as one text, for the eye.
pub(super) fn marked(asked: Option<&Value>, sent: &Value) -> Vec<Line> {
    shorten(whole(asked, sent))
}

/// The same with every line, however long.
pub(super) fn whole(asked: Option<&Value>, sent: &Value) -> Vec<Line> {
    let old = asked.map(lay_out).unwrap_or_default();
    join(&old, &lay_out(sent))
}

/// A body whose objects stand on one line when nothing deeper is in them.
pub(super) fn lay_out(body: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    write(body, "", 0, &mut lines);
    lines
}

fn write(value: &Value, before: &str, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let deep = depth == 0 || has_object_below(value);
    match value {
        Value::Object(members) if deep && !members.is_empty() => {
            lines.push(format!("{indent}{before}{{"));
            for (name, member) in in_order(members) {
                write(member, &format!("\"{name}\": "), depth + 1, lines);
            }
            lines.push(format!("{indent}}}"));
        }
        Value::Array(items) if deep && !items.is_empty() => {
            lines.push(format!("{indent}{before}["));
            for item in items {
                write(item, "", depth + 1, lines);
            }
            lines.push(format!("{indent}]"));
        }
        flat => lines.push(format!("{indent}{before}{}", on_one_line(flat))),
    }
}

fn has_object_below(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(|member| member.is_object() || has_object_below(member)),
        Value::Array(items) => items.iter().any(|item| item.is_object() || has_object_below(item)),
        _ => false,
    }
}

fn on_one_line(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Object(members) if !members.is_empty() => {
            format!(
                "{{ {} }}",
                joined(
                    in_order(members).map(|(name, member)| format!("\"{name}\": {}", on_one_line(member))).collect()
                )
            )
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(on_one_line).collect())),
        other => other.to_string(),
    }
}

/// As the proxy writes them, so that nothing but a difference is marked: `type` first, the rest by name.
fn in_order(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let mut all: Vec<_> = members.iter().collect();
    all.sort_by_key(|(name, _)| (name.as_str() != "type", name.as_str()));
    all.into_iter()
}

/// What both have in common stays; depth does not count, so that what was only wrapped is not marked.
fn join(old: &[String], new: &[String]) -> Vec<Line> {
    let plain = |lines: &[String]| -> Vec<String> { lines.iter().map(|line| line.trim().to_owned()).collect() };
    let mut lines = Vec::with_capacity(old.len().max(new.len()));
    for change in similar::capture_diff_slices(Algorithm::Myers, &plain(old), &plain(new)) {
        let (tag, gone, here) = change.as_tag_tuple();
        let mut push = |mark, from: &[String], range: Range<usize>| {
            let texts = from.get(range).unwrap_or_default();
            lines.extend(texts.iter().map(|text| Line { mark, text: text.clone() }));
        };
        if tag == DiffTag::Equal {
            push(' ', new, here);
        } else {
            push('-', old, gone);
            push('+', new, here);
        }
    }
    lines
}

/// Cuts long runs of added values and long lines; the JSON form has everything.
pub(super) fn shorten(lines: Vec<Line>) -> Vec<Line> {
    let mut shown: Vec<Line> = Vec::new();
    let mut run: Vec<Line> = Vec::new();
    let flat = |line: &Line| line.mark == '+' && line.text.trim_start().starts_with("{ ");
    let end = |run: &mut Vec<Line>, shown: &mut Vec<Line>| {
        let left_out = run.len().saturating_sub(MOST);
        let indent: String =
            run.first().map(|line| line.text.chars().take_while(|letter| *letter == ' ').collect()).unwrap_or_default();
        if left_out > 1 {
            run.truncate(MOST);
            run.push(Line { mark: '+', text: format!("{indent}... and {left_out} more") });
        }
        shown.append(run);
    };
    for line in lines {
        if flat(&line) {
            run.push(line);
        } else {
            end(&mut run, &mut shown);
            shown.push(line);
        }
    }
    end(&mut run, &mut shown);
    for line in &mut shown {
        if line.text.chars().count() > WIDEST {
            line.text = line.text.chars().take(WIDEST).chain(" ...".chars()).collect();
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(lines: &[Line]) -> String {
        lines.iter().flat_map(|line| [line.mark.to_string(), line.text.clone(), "\n".to_owned()]).collect()
    }

    #[test]
    fn an_added_filter_is_marked_and_the_rest_is_not() {
        let asked = json!({ "interval": "a/b", "groupBy": ["queueId"] });
        let sent = json!({ "interval": "a/b", "groupBy": ["queueId"], "filter": { "type": "or", "predicates": [{ "dimension": "queueId", "value": "q" }] } });
        let due = concat!(
            " {\n+  \"filter\": {\n+    \"type\": \"or\"\n+    \"predicates\": [\n+      { \"dimension\": \"queueId\", \"value\": \"q\" }\n",
            "+    ]\n+  }\n   \"groupBy\": [\"queueId\"]\n   \"interval\": \"a/b\"\n }\n"
        );
        assert_eq!(text(&marked(Some(&asked), &sent)), due);
    }

    /// Time and memory follow the bodies, not the product of their lengths.
    #[test]
    fn long_bodies_are_compared() {
        let many = |from: usize, count: usize| -> Vec<Value> {
            (from..from + count).map(|number| json!({ "value": number })).collect()
        };
        let (old, new) = (json!({ "predicates": many(0, 30_000) }), json!({ "predicates": many(20_000, 15_000) }));
        let lines = whole(Some(&old), &new);
        let marked = |mark| lines.iter().filter(|line| line.mark == mark).count();
        assert_eq!((marked(' '), marked('-'), marked('+')), (10_000 + 4, 20_000, 5_000));
    }

    #[test]
    fn what_is_gone_is_marked_and_long_runs_are_told_in_short() {
        let old = json!({ "filter": { "predicates": [{ "value": "x" }] } });
        let many: Vec<Value> = (0..20).map(|number| json!({ "value": number })).collect();
        let shown = text(&marked(Some(&old), &json!({ "filter": { "predicates": many } })));
        assert!(shown.contains("-      { \"value\": \"x\" }"), "{shown}");
        assert!(shown.contains("+      ... and 14 more"), "{shown}");
        assert_eq!(shown.matches("\n+").count(), 7, "{shown}");
    }
}
