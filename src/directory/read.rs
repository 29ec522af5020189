//! Text to [`DirectoryFile`], strictly: all deviations at once, each with its line.

use super::{
    file::DirectoryFile,
    places::Places,
    problem::{Problem, Source},
    shape::{Deviation, Shape, duplicate, unknown},
    tree::{Member, Node, Walk},
};
use serde::de::IgnoredAny;
use serde_json::Value as Json;
use std::{borrow::Cow, collections::HashMap};

/// Reads a directory file and remembers where its objects stand.
pub fn read<'a>(text: &'a str, name: &'a str) -> Result<(DirectoryFile, Places<'a>), Vec<Problem>> {
    let source = Source::new(name, text);
    if let Err(fault) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(vec![syntax(&source, &fault)]);
    }
    let mut problems = Vec::new();
    let items = walk(&source, &mut problems);
    if !problems.is_empty() {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        return Err(problems);
    }
    match serde_json::from_str::<DirectoryFile>(text) {
        Ok(mut file) => {
            name_the_nameless(&mut file);
            Ok((file, Places::new(source, items)))
        }
        Err(fault) => Err(vec![syntax(&source, &fault)]),
    }
}

/// The guides' payloads carry no ids of roles and users: there the name, or the e-mail address, is the id.
pub(super) fn name_the_nameless(file: &mut DirectoryFile) {
    for role in file.roles.iter_mut().filter(|role| role.id.is_empty()) {
        role.id.clone_from(&role.name);
    }
    for user in file.users.iter_mut().filter(|user| user.id.is_empty()) {
        user.id = user.email.clone().unwrap_or_default();
    }
}

/// A fault that the JSON reader itself found.
pub(super) fn syntax(source: &Source<'_>, fault: &serde_json::Error) -> Problem {
    let text = fault.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let at = source.offset(fault.line(), fault.column());
    let repair = if fault.is_eof() {
        "the text ends too early: write the file whole, then move it into place"
    } else {
        "correct the JSON at this place"
    };
    Problem::at(source, at..at + 1, None, what.to_owned(), repair.to_owned())
}

/// Checks the shape of every key and every list item, and notes where each item begins.
fn walk(source: &Source<'_>, problems: &mut Vec<Problem>) -> HashMap<&'static str, Vec<usize>> {
    let shape = Shape::of(super::schema());
    let mut items: HashMap<&'static str, Vec<usize>> = HashMap::new();
    let mut walk = Walk::from(source.text, 0);
    if !walk.take(b'{') {
        let what = "a directory file is one JSON object".to_owned();
        problems.push(Problem::at(source, 0..1, None, what, "begin with `{` and put the lists inside".to_owned()));
        return items;
    }
    let mut seen: HashMap<String, Cow<'_, str>> = HashMap::new();
    while !walk.take(b'}') {
        let Some((key_span, key)) = walk.key() else {
            break;
        };
        let mut deviations = Vec::new();
        if let Some(first) = seen.insert(key.to_lowercase(), key.clone()) {
            deviations.push(duplicate(&key, &first, key_span.clone()));
        }
        match shape.of_key(&key) {
            None => {
                let Some(node) = walk.node() else {
                    return nested(source, key_span, items, problems);
                };
                // A variant of a known key is already told as a duplicate.
                if deviations.is_empty() {
                    deviations.push(unknown(&Member { key, key_span, node }, shape.keys()));
                }
            }
            Some(of) => {
                if let (Some(item), Some(b'[')) = (shape.items(of), walk.peek()) {
                    let Some(offsets) = list(source, (&shape, item), &key, &mut walk, problems) else {
                        return nested(source, key_span, items, problems);
                    };
                    if let Some(list) = super::places::LISTS.iter().find(|list| **list == key) {
                        items.insert(list, offsets);
                    }
                } else {
                    let Some(node) = walk.node() else {
                        return nested(source, key_span, items, problems);
                    };
                    shape.check(of, &node, &mut deviations);
                }
            }
        }
        push(source, None, deviations, problems);
        walk.take(b',');
    }
    items
}

/// Checks the items of a list one by one and tells where each begins.
fn list(
    source: &Source<'_>,
    (shape, of): (&Shape, &Json),
    key: &str,
    walk: &mut Walk<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<usize>> {
    let mut offsets = Vec::new();
    walk.take(b'[');
    while !walk.take(b']') {
        let node = walk.node()?;
        offsets.push(node.span.start);
        let mut found = Vec::new();
        shape.check(of, &node, &mut found);
        push(source, id_of(key, &node), found, problems);
        walk.take(b',');
    }
    Some(offsets)
}

fn nested(
    source: &Source<'_>,
    span: std::ops::Range<usize>,
    items: HashMap<&'static str, Vec<usize>>,
    problems: &mut Vec<Problem>,
) -> HashMap<&'static str, Vec<usize>> {
    problems.push(too_deep(source, span));
    items
}

pub(super) fn too_deep(source: &Source<'_>, span: std::ops::Range<usize>) -> Problem {
    let repair = "an organisation needs only a few levels: remove the inner values".to_owned();
    Problem::at(source, span, None, "values are nested too deeply here".to_owned(), repair)
}

fn push(source: &Source<'_>, id: Option<&str>, found: Vec<Deviation>, problems: &mut Vec<Problem>) {
    problems
        .extend(found.into_iter().map(|Deviation { span, what, repair }| Problem::at(source, span, id, what, repair)));
}

/// The id under which people know the item.
pub(super) fn id_of<'n>(list: &str, node: &'n Node<'_>) -> Option<&'n str> {
    let instead = match list {
        "divisions" => "divisionId",
        "users" => "email",
        _ => "name",
    };
    node.member(&["id"]).or_else(|| node.member(&[instead])).and_then(Node::text)
}
