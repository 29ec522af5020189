//! SCIM users. Attributes that say nothing about access are left out; the outsourcer's flag is looked for in
//! every extension schema.

use super::Import;
use crate::directory::{
    file::User,
    problem::{Problem, Source},
    shape,
    tree::{Node, Value},
};

pub(super) fn read(import: &mut Import, source: &Source<'_>, node: &Node<'_>) {
    let mut found = Vec::new();
    duplicates(node, &mut found);
    let text = |key: &str| node.member(&[key]).and_then(Node::text).unwrap_or_default().to_owned();
    let id = if text("id").is_empty() { text("userName") } else { text("id") };
    if id.is_empty() {
        found.push(shape::Deviation {
            span: node.span.start..node.span.start + 1,
            what: "the SCIM user has neither `id` nor `userName`".to_owned(),
            repair: "export the resource with its `id`".to_owned(),
        });
    }
    let mut bpo = false;
    for extension in node.members().iter().filter(|member| member.key.starts_with("urn:")) {
        if let Some(flag) = extension.node.member(&["bpoUser"]) {
            match truth(source, flag) {
                Some(value) => bpo |= value,
                None => found.push(shape::Deviation {
                    span: flag.span.clone(),
                    what: "`bpoUser` is neither true nor false".to_owned(),
                    repair: "write `true` or `false`".to_owned(),
                }),
            }
        }
    }
    let of_extension = |key: &str| {
        let extensions = node.members().iter().filter(|member| member.key.starts_with("urn:"));
        extensions.filter_map(|member| member.node.member(&[key])).find_map(Node::text).unwrap_or_default().to_owned()
    };
    let manager = node.members().iter().find_map(|member| member.node.member(&["manager"])?.member(&["value"])?.text());
    let groups = node.member(&["groups"]).map_or(&[][..], Node::items);
    let inactive = node.member(&["active"]).is_some_and(|active| truth(source, active) == Some(false));
    let user = User {
        id: id.clone(),
        person: None,
        name: name(node),
        email: email(node),
        division: of_extension("division"),
        region: of_extension("region"),
        active: !inactive,
        moved: false,
        manager: manager.map(ToOwned::to_owned),
        groups: groups.iter().filter_map(|group| group.member(&["value"])?.text()).map(ToOwned::to_owned).collect(),
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

fn duplicates(node: &Node<'_>, out: &mut Vec<shape::Deviation>) {
    shape::duplicates(node.members(), |_| None, out);
    for inner in node.members().iter().map(|member| &member.node).chain(node.items()) {
        duplicates(inner, out);
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
    let shown = node.member(&["displayName"]).and_then(Node::text);
    let parts = node.member(&["name"]);
    let part = |key: &str| parts.and_then(|parts| parts.member(&[key])).and_then(Node::text).unwrap_or_default();
    match shown {
        Some(shown) => shown.to_owned(),
        None if !part("formatted").is_empty() => part("formatted").to_owned(),
        None => format!("{} {}", part("givenName"), part("familyName")).trim().to_owned(),
    }
}

/// The primary address, else the first, else a user name that is one.
fn email(node: &Node<'_>) -> Option<String> {
    let all = node.member(&["emails"]).map_or(&[][..], Node::items);
    let primary = all.iter().find(|email| {
        email.member(&["primary"]).is_some_and(|flag| matches!(flag.value, Value::Bool) && flag.span.len() == 4)
    });
    let chosen = primary.or(all.first()).and_then(|email| email.member(&["value"])).and_then(Node::text);
    let user_name = || node.member(&["userName"]).and_then(Node::text).filter(|name| name.contains('@'));
    chosen.or_else(user_name).map(ToOwned::to_owned)
}
