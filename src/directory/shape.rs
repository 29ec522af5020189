//! Holds JSON against the generated schema and names every deviation, not the first one only.
//!
//! The schema comes from the structs in `file`, so this cannot drift from what is read. It knows only
//! the few keywords that the generator writes.

use super::{
    problem::closest,
    tree::{Member, Node, Value},
};
use serde_json::{Map, Value as Json};
use std::{borrow::Cow, collections::HashMap, ops::Range};

/// A deviation: where, what, and the repair.
#[derive(Debug)]
pub(super) struct Deviation {
    pub(super) span: Range<usize>,
    pub(super) what: String,
    pub(super) repair: String,
}

#[derive(Debug)]
pub(super) struct Shape {
    root: Json,
}

impl Shape {
    pub(super) fn of(schema: schemars::Schema) -> Self {
        Self { root: schema.to_value() }
    }

    /// The schema of a named type, such as `Role`.
    pub(super) fn of_type(&self, name: &str) -> Option<&Json> {
        self.root.get("$defs")?.get(name)
    }

    /// The schema of one key of the file, or of an item of its list.
    pub(super) fn of_key(&self, key: &str) -> Option<&Json> {
        self.root.get("properties")?.get(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.root.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
    }

    /// Follows references to where the keywords stand.
    fn resolve<'s>(&'s self, mut schema: &'s Json) -> &'s Json {
        while let Some(name) = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
        {
            let Some(found) = self.root.get("$defs").and_then(|defs| defs.get(name)) else {
                break;
            };
            schema = found;
        }
        schema
    }

    /// The schema of the items of a list.
    pub(super) fn items<'s>(&'s self, schema: &'s Json) -> Option<&'s Json> {
        self.resolve(schema).get("items")
    }

    pub(super) fn check(&self, schema: &Json, node: &Node<'_>, out: &mut Vec<Deviation>) {
        let schema = self.resolve(schema);
        let schema = match alternatives(schema) {
            Some(all)
                if all
                    .iter()
                    .any(|one| self.resolve(one).get("const").is_some() || words(self.resolve(one)).is_some())
                    && node.text().is_some() =>
            {
                return self.check_words(all, node, out);
            }
            Some(all) => match all.iter().map(|one| self.resolve(one)).find(|one| accepts(one, node)) {
                Some(one) => one,
                None => return out.push(self.wrong_type(all, node)),
            },
            None => schema,
        };
        if !accepts(schema, node) {
            return out.push(self.wrong_type(std::slice::from_ref(schema), node));
        }
        match &node.value {
            Value::Object(members) => self.check_object(schema, node, members, out),
            Value::List(items) => {
                if let Some(of) = schema.get("items") {
                    for item in items {
                        self.check(of, item, out);
                    }
                }
            }
            Value::Text(text) => {
                if words(schema).is_some() || schema.get("const").is_some() {
                    self.check_words(std::slice::from_ref(schema), node, out);
                } else if schema.get("format").and_then(Json::as_str) == Some("date-time")
                    && text.parse::<jiff::Timestamp>().is_err()
                {
                    out.push(Deviation {
                        span: node.span.clone(),
                        what: format!("`{text}` is no instant"),
                        repair: "write it with an offset, such as `2026-11-20T10:00:00Z`".to_owned(),
                    });
                }
            }
            Value::Broken | Value::Null | Value::Bool | Value::Number => {}
        }
    }

    fn check_object(&self, schema: &Json, node: &Node<'_>, members: &[Member<'_>], out: &mut Vec<Deviation>) {
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            duplicates(members, |_| None, out);
            if let Some(of) = schema.get("additionalProperties") {
                for member in members {
                    self.check(of, &member.node, out);
                }
            }
            return;
        };
        let own = |key: &str| property(properties, key).map(|(own, _)| own);
        duplicates(members, own, out);
        for member in members {
            match property(properties, &member.key) {
                Some((_, of)) => self.check(of, &member.node, out),
                // A variant of a known key is already told as a duplicate.
                None if out.iter().any(|told| told.span == member.key_span) => {}
                None => out.push(unknown(member, properties.keys().map(String::as_str))),
            }
        }
        let missing = schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        for key in missing {
            if !members.iter().any(|member| own(&member.key) == Some(key)) {
                out.push(Deviation {
                    span: node.span.start..node.span.start + 1,
                    what: format!("`{key}` is missing"),
                    repair: missing_repair(key),
                });
            }
        }
    }

    fn check_words(&self, all: &[Json], node: &Node<'_>, out: &mut Vec<Deviation>) {
        let known: Vec<&str> = all
            .iter()
            .map(|one| self.resolve(one))
            .flat_map(|one| one.get("const").and_then(Json::as_str).into_iter().chain(words(one).into_iter().flatten()))
            .collect();
        let text = node.text().unwrap_or_default();
        if !known.contains(&text) {
            out.push(Deviation {
                span: node.span.clone(),
                what: format!("`{text}` is not allowed here"),
                repair: meant(text, known),
            });
        }
    }

    fn wrong_type(&self, all: &[Json], node: &Node<'_>) -> Deviation {
        let mut wanted: Vec<&str> = all.iter().flat_map(|one| types(self.resolve(one))).collect();
        wanted.retain(|name| *name != "null");
        wanted.dedup();
        let is_permission = all.iter().any(|one| self.resolve(one).pointer("/properties/permission").is_some());
        if let (Some(text), true) = (node.text(), is_permission) {
            return Deviation {
                span: node.span.clone(),
                what: format!("the permission `{text}` has no scope"),
                repair: format!(
                    "a right has no default width: write {{\"permission\": \"{text}\", \"scope\": \"assigned\"}} or another scope"
                ),
            };
        }
        Deviation {
            span: node.span.clone(),
            what: format!(
                "found {} where {} belongs",
                found(node),
                wanted.iter().map(|name| spoken(name)).collect::<Vec<_>>().join(" or ")
            ),
            repair: "correct the value".to_owned(),
        }
    }
}

/// The property that a key names, itself or by an alias, under its own name.
fn property<'s>(properties: &'s Map<String, Json>, key: &str) -> Option<(&'s str, &'s Json)> {
    let own = properties.get_key_value(key);
    own.or_else(|| properties.iter().find(|(_, of)| alias_words(of).any(|alias| alias == key)))
        .map(|(own, of)| (own.as_str(), of))
}

/// Keys that stand twice: byte for byte, under both of their names, or differing by case only.
pub(super) fn duplicates<'s>(members: &[Member<'_>], own: impl Fn(&str) -> Option<&'s str>, out: &mut Vec<Deviation>) {
    let mut seen: HashMap<Cow<'_, str>, &str> = HashMap::with_capacity(members.len());
    for member in members {
        let key = own(&member.key).unwrap_or(&member.key);
        let fold = |c: char| c.is_uppercase() || !c.is_ascii();
        let folded = if key.chars().any(fold) { Cow::Owned(key.to_lowercase()) } else { Cow::Borrowed(key) };
        if let Some(first) = seen.insert(folded, &member.key) {
            out.push(duplicate(&member.key, first, member.key_span.clone()));
        }
    }
}

pub(super) fn duplicate(key: &str, first: &str, span: Range<usize>) -> Deviation {
    let what = if key == first {
        format!("the key `{key}` stands twice")
    } else {
        format!("the keys `{first}` and `{key}` mean the same")
    };
    Deviation { span, what, repair: "keep one of the two".to_owned() }
}

pub(super) fn unknown<'k>(member: &Member<'_>, known: impl Iterator<Item = &'k str>) -> Deviation {
    Deviation {
        span: member.key_span.clone(),
        what: format!("the key `{}` is unknown here", member.key),
        repair: meant(&member.key, known.collect()),
    }
}

fn meant(word: &str, mut known: Vec<&str>) -> String {
    known.sort_unstable();
    match closest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    }
}

fn missing_repair(key: &str) -> String {
    match key {
        "scope" => {
            "a right has no default width: add `scope`, one of `self`, `assigned`, `view`, `group`, `all`".to_owned()
        }
        _ => format!("add `{key}`"),
    }
}

fn alternatives(schema: &Json) -> Option<&[Json]> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array).map(Vec::as_slice)
}

fn words(schema: &Json) -> Option<impl Iterator<Item = &str>> {
    Some(schema.get("enum")?.as_array()?.iter().filter_map(Json::as_str))
}

fn alias_words(schema: &Json) -> impl Iterator<Item = &str> {
    schema.get("x-alias").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn accepts(schema: &Json, node: &Node<'_>) -> bool {
    let kind = match &node.value {
        Value::Null => "null",
        Value::Bool => "boolean",
        Value::Number => "number",
        Value::Text(_) => "string",
        Value::Broken => return false,
        Value::List(_) => "array",
        Value::Object(_) => "object",
    };
    match schema.get("type") {
        Some(Json::String(name)) => name == kind,
        Some(Json::Array(names)) => names.iter().any(|name| name == kind),
        _ => true,
    }
}

fn found(node: &Node<'_>) -> &'static str {
    match &node.value {
        Value::Broken => "a string that is no text",
        Value::Null => "null",
        Value::Bool => "true or false",
        Value::Number => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn spoken(name: &str) -> &'static str {
    match name {
        "boolean" => "true or false",
        "number" | "integer" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "an object",
        _ => "another value",
    }
}
