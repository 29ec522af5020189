//! SCIM users. Names of attributes and schemas have no case there, and an attribute of an extension may stand in it or
//! under its whole name. Attributes that say nothing about access are left out; the outsourcer's flag is taken from every
//! extension schema, and refused where it could be overlooked.

use super::Import;
use crate::directory::{
    file::User,
    problem::{Problem, Source},
    shape::{self, Deviation},
    tree::{Member, Node, Value},
};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const FLAG: &str = "bpoUser";

pub(super) fn is_one(node: &Node<'_>) -> bool {
    attribute(node, "schemas").or_else(|| attribute(node, "userName")).is_some()
}

pub(super) fn read(import: &mut Import, source: &Source<'_>, node: &Node<'_>) {
    let mut found = Vec::new();
    duplicates(node, &mut found);
    twice(node, &mut found);
    misplaced(node, 0, &mut found);
    let text = |key: &str| attribute(node, key).and_then(Node::text).unwrap_or_default().to_owned();
    let id = if text("id").is_empty() { text("userName") } else { text("id") };
    if id.is_empty() {
        found.push(Deviation {
            span: node.span.start..node.span.start + 1,
            what: "the SCIM user has neither `id` nor `userName`".to_owned(),
            repair: "export the resource with its `id`".to_owned(),
        });
    }
    let mut told = |name: &str, flag: &Node<'_>| {
        truth(source, flag).unwrap_or_else(|| {
            found.push(Deviation {
                span: flag.span.clone(),
                what: format!("`{name}` is neither true nor false"),
                repair: "write `true` or `false`".to_owned(),
            });
            false
        })
    };
    let bpo = extended(node, FLAG).fold(false, |bpo, flag| told(FLAG, flag) | bpo);
    let active = attribute(node, "active").is_none_or(|active| told("active", active));
    let of_extension = |key: &str| extended(node, key).find_map(Node::text).unwrap_or_default().to_owned();
    let manager = attribute(node, "manager").into_iter().chain(extended(node, "manager"));
    let manager = manager.filter_map(|manager| manager.named("value")).find_map(Node::text);
    let groups = attribute(node, "groups").map_or(&[][..], Node::items);
    let user = User {
        id: id.clone(),
        person: None,
        name: name(node),
        email: email(node),
        division: of_extension("division"),
        region: of_extension("region"),
        active,
        moved: false,
        manager: manager.map(ToOwned::to_owned),
        groups: groups.iter().filter_map(|group| group.named("value")?.text()).map(ToOwned::to_owned).collect(),
        bpo,
        licence: None,
        roles: Vec::new(),
        legacy: std::collections::BTreeMap::new(),
    };
    if found.is_empty() {
        import.scim.push(user);
    }
    import.problems.extend(found.into_iter().map(|one| Problem::at(source, one.span, Some(&id), one.what, one.repair)));
}

/// An attribute of the core schema, under its short or its whole name.
fn attribute<'n, 's>(node: &'n Node<'s>, name: &str) -> Option<&'n Node<'s>> {
    let whole = |member: &&Member<'_>| {
        whole_name(&member.key)
            .is_some_and(|(schema, last)| schema.eq_ignore_ascii_case(CORE) && last.eq_ignore_ascii_case(name))
    };
    node.named(name).or_else(|| node.members().iter().find(whole).map(|member| &member.node))
}

/// An attribute of the extensions: in the object of one, or beside it under its whole name.
fn extended<'n, 's>(node: &'n Node<'s>, name: &str) -> impl Iterator<Item = &'n Node<'s>> {
    node.members().iter().filter_map(move |member| match whole_name(&member.key)? {
        (_, last) if last.eq_ignore_ascii_case(name) => Some(&member.node),
        _ => member.node.named(name),
    })
}

/// Schema and last part of a name that begins with `urn:`.
fn whole_name(key: &str) -> Option<(&str, &str)> {
    let is_urn = key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
    key.rsplit_once(':').filter(|_| is_urn)
}

fn duplicates(node: &Node<'_>, out: &mut Vec<Deviation>) {
    shape::duplicates(node.members(), |_| None, out);
    for inner in node.members().iter().map(|member| &member.node).chain(node.items()) {
        duplicates(inner, out);
    }
}

/// One attribute under its whole name and under its short one.
fn twice(node: &Node<'_>, out: &mut Vec<Deviation>) {
    for member in node.members() {
        let Some((schema, last)) = whole_name(&member.key) else { continue };
        let in_core = schema.eq_ignore_ascii_case(CORE) && node.named(last).is_some();
        if in_core || node.named(schema).is_some_and(|extension| extension.named(last).is_some()) {
            out.push(shape::duplicate(&member.key, last, member.key_span.clone()));
        }
    }
}

/// A flag that nobody would read, however deep it stands or however it is spelt.
fn misplaced(node: &Node<'_>, depth: usize, out: &mut Vec<Deviation>) {
    for member in node.members() {
        let last = member.key.rsplit([':', '.']).next().unwrap_or_default();
        let letters = last.chars().filter(|character| character.is_alphanumeric());
        let is_flag = letters.flat_map(char::to_lowercase).eq(FLAG.chars().flat_map(char::to_lowercase));
        let place = match depth {
            0 => whole_name(&member.key).is_some_and(|(_, last)| last.eq_ignore_ascii_case(FLAG)),
            1 => member.key.eq_ignore_ascii_case(FLAG),
            _ => false,
        };
        if is_flag && !place {
            out.push(Deviation {
                span: member.key_span.clone(),
                what: format!("`{}` is not read here", member.key),
                repair: format!("write `{FLAG}` into the object of an extension schema, `\"urn:...:User\": {{ ... }}`"),
            });
        }
        // Only the objects of extensions hold attributes of theirs.
        let deeper = if depth == 0 && whole_name(&member.key).is_some() { 1 } else { 2 };
        misplaced(&member.node, deeper, out);
    }
    for item in node.items() {
        misplaced(item, 2, out);
    }
}

/// Some systems write the flag as a word.
fn truth(source: &Source<'_>, node: &Node<'_>) -> Option<bool> {
    let written = match &node.value {
        Value::Bool => source.text.get(node.span.clone())?.to_owned(),
        Value::Text(text) => text.to_ascii_lowercase(),
        _ => return None,
    };
    written.parse().ok()
}

fn name(node: &Node<'_>) -> String {
    let shown = attribute(node, "displayName").and_then(Node::text);
    let parts = attribute(node, "name");
    let part = |key: &str| parts.and_then(|parts| parts.named(key)).and_then(Node::text).unwrap_or_default();
    match shown {
        Some(shown) => shown.to_owned(),
        None if !part("formatted").is_empty() => part("formatted").to_owned(),
        None => format!("{} {}", part("givenName"), part("familyName")).trim().to_owned(),
    }
}

/// The primary address, else the first, else a user name that is one.
fn email(node: &Node<'_>) -> Option<String> {
    let all = attribute(node, "emails").map_or(&[][..], Node::items);
    let primary = all.iter().find(|email| {
        email.named("primary").is_some_and(|flag| matches!(flag.value, Value::Bool) && flag.span.len() == 4)
    });
    let chosen = primary.or(all.first()).and_then(|email| email.named("value")).and_then(Node::text);
    let user_name = || attribute(node, "userName").and_then(Node::text).filter(|name| name.contains('@'));
    chosen.or_else(user_name).map(ToOwned::to_owned)
}
