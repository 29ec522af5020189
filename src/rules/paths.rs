//! Definite paths, path templates and leg paths: turned into names once, at load.

use super::reading::{At, Reader};
use crate::model::{
    answer::{LegPath, Up},
    body::{Access, ObjectOrd, Path},
    contract::{Method, Segment, Template},
};
use std::ops::Range;

/// `$.a.b`: object keys from the root, nothing else.
pub(super) fn definite(text: &At<String>, reader: &mut Reader<'_>) -> Option<Path> {
    let path = parse(text);
    if path.is_none() {
        let help = "write object keys only, such as `$.query.filter`: no wildcards, indexes, slices or filters";
        reader.problem_with(text.span.clone(), format!("`{}` is not a definite path", **text), Some(help.into()));
    }
    path
}

/// `$.items[*].id`: the names on the way; `[*]` says to people that a list stands there.
pub(super) fn through_lists(text: &At<String>, reader: &mut Reader<'_>) -> Option<Path> {
    let path = parse(&text.replace("[*]", ""));
    if path.is_none() {
        let help = "write object keys, with `[*]` after a list, such as `$.items[*].queueId`";
        reader.problem_with(text.span.clone(), format!("`{}` is no path of ids", **text), Some(help.into()));
    }
    path
}

pub(super) fn parse(text: &str) -> Option<Path> {
    let keys = text.strip_prefix("$.")?;
    keys.split('.').map(|key| is_name(key).then(|| key.into())).collect()
}

fn is_name(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
}

/// `POST /api/v2/...`, with `{queueId}` for ids whose kind the name says.
pub(super) fn operation(text: &At<String>, reader: &mut Reader<'_>) -> Option<(Method, Template)> {
    let Some((method, path)) = text.split_once(' ') else {
        reader.problem(text.span.clone(), format!("`{}` is not a method and a path", **text));
        return None;
    };
    let Some(method) = Method::named(method).filter(|method| *method != Method::Head) else {
        let governed = "`GET`, `POST`, `PUT`, `PATCH` and `DELETE` are";
        reader.problem(text.span.clone(), format!("`{method}` is not governed: {governed}"));
        return None;
    };
    let Some(path) = path.strip_prefix('/') else {
        reader.problem(text.span.clone(), format!("the path `{path}` does not begin with `/`"));
        return None;
    };
    let segments: Option<Vec<_>> = path.split('/').map(|part| segment(part, text.span.clone(), reader)).collect();
    Some((method, Template { segments: segments? }))
}

fn segment(part: &str, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Segment> {
    if let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if !is_name(name) {
            reader.problem(span, format!("`{{{name}}}` has no name of letters and digits"));
            return None;
        }
        let access = id_kind(name);
        if let Some(kind) = says_whose(name).filter(|_| access == Access::Unowned) {
            let help = "name it `{queueId}`, `{userId}`, `{divisionId}`, `{conversationId}`, `{flowId}` or `{teamId}`";
            reader.problem_with(
                span,
                format!("`{{{name}}}` reads like the id of a {kind} and is none here"),
                Some(help.into()),
            );
            return None;
        }
        return Some(Segment::Param { name: name.into(), access });
    }
    // What the front door's canonical paths can contain, less than RFC 3986 allows.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if part.is_empty() || part == "." || part == ".." || !part.bytes().all(plain) {
        reader.problem(span, format!("`{part}` is not a segment of a canonical path"));
        return None;
    }
    Some(Segment::Literal(part.into()))
}

/// The names say the kinds. Whatever has another name is nobody's: only a `plain` answer may be read by it.
fn id_kind(name: &str) -> Access {
    match name {
        "queueId" => Access::Queue,
        "userId" => Access::User,
        "divisionId" => Access::Division,
        "conversationId" => Access::Conversation,
        "flowId" => Access::Object(ObjectOrd::Flow),
        "teamId" => Access::Object(ObjectOrd::Team),
        "groupId" => Access::Group,
        _ => Access::Unowned,
    }
}

/// What somebody who wrote this name had in mind, where it is somebody's. Such an id must never pass as nobody's.
fn says_whose(name: &str) -> Option<&'static str> {
    const PEOPLE: [&str; 21] = [
        "user",
        "agent",
        "member",
        "manager",
        "person",
        "people",
        "employee",
        "supervisor",
        "owner",
        "creator",
        "assignee",
        "evaluator",
        "reviewer",
        "subject",
        "admin",
        "worker",
        "contact",
        "colleague",
        "coach",
        "attendee",
        "principal",
    ];
    const OTHERS: [&str; 7] = ["queue", "division", "conversation", "interaction", "flow", "team", "call"];
    let lower = name.to_ascii_lowercase().replace('_', "");
    let bare = lower.strip_suffix("ids").or_else(|| lower.strip_suffix("id")).unwrap_or(&lower);
    let bare = bare.strip_suffix('s').unwrap_or(bare);
    let one_of = |words: &[&'static str]| words.iter().copied().find(|word| bare.ends_with(word));
    one_of(&PEOPLE).map(|_| "person").or_else(|| one_of(&OTHERS))
}

/// `$.participants[*].sessions[*].segments[*]`: the arrays from the row down.
pub(super) fn arrays(text: &At<String>, reader: &mut Reader<'_>) -> Option<Vec<Box<str>>> {
    let arrays = text.strip_prefix("$.").and_then(|rest| {
        rest.split('.')
            .map(|part| part.strip_suffix("[*]").filter(|name| is_name(name)).map(Into::into))
            .collect::<Option<Vec<_>>>()
    });
    if arrays.is_none() {
        let help = "write the arrays from the row down, such as `$.participants[*].sessions[*].segments[*]`";
        reader.problem_with(text.span.clone(), format!("`{}` is no path of legs", **text), Some(help.into()));
    }
    arrays
}

/// `queueId`, or `../../userId` for a field of an object that holds the array; `queue.id` for one of an object in it.
pub(super) fn up(text: &At<String>, depth: usize, reader: &mut Reader<'_>) -> Option<Up> {
    let mut rest = text.as_str();
    let mut up = 0;
    while let Some(shorter) = rest.strip_prefix("../") {
        rest = shorter;
        up += 1;
    }
    let at = parse(&format!("$.{rest}")).filter(|_| up <= depth);
    let Some(at) = at else {
        let help = format!(
            "write a field, or one of an object such as `queue.id`, with at most {depth} times `../` before it"
        );
        reader.problem_with(text.span.clone(), format!("`{}` is no field of a leg", **text), Some(help));
        return None;
    };
    Some(Up { up, at })
}

/// Puts the parts of a leg together.
pub(super) fn leg(leg: &super::format::Leg, span: Range<usize>, reader: &mut Reader<'_>) -> Option<LegPath> {
    let arrays = arrays(&leg.at, reader)?;
    let depth = arrays.len();
    let [start, end] = leg.time.as_slice() else {
        reader.problem(span, "`time` names the start and the end of a leg: two fields");
        return None;
    };
    let queue = leg.queue.as_ref().map(|at| up(at, depth, reader).ok_or(())).transpose();
    let user = leg.user.as_ref().map(|at| up(at, depth, reader).ok_or(())).transpose();
    let (start, end) = (up(start, depth, reader), up(end, depth, reader));
    if leg.queue.is_none() && leg.user.is_none() {
        reader.problem(span, "a leg without `queue` and `user` cannot be judged; name at least one");
        return None;
    }
    Some(LegPath { arrays, queue: queue.ok()?, user: user.ok()?, start: start?, end: end? })
}
