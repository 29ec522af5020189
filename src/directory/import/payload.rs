//! Roles, users and divisions as the guides write them; the wire structs know their names.

use super::Import;
use crate::directory::{
    file,
    problem::{Problem, Source},
    read::id_of,
    shape::Deviation,
    tree::Node,
};
use serde::de::DeserializeOwned;

pub(super) fn role(import: &mut Import, source: &Source<'_>, node: &Node<'_>) {
    if let Some(role) = typed::<file::Role>(import, source, node, "Role", "roles") {
        import.file.roles.push(role);
    }
}

pub(super) fn user(import: &mut Import, source: &Source<'_>, node: &Node<'_>) {
    if let Some(user) = typed::<file::User>(import, source, node, "User", "users") {
        import.file.users.push(user);
    }
}

pub(super) fn division(import: &mut Import, source: &Source<'_>, node: &Node<'_>) {
    if let Some(division) = typed::<file::Division>(import, source, node, "Division", "divisions") {
        import.file.divisions.push(division);
    }
}

fn typed<T: DeserializeOwned>(
    import: &mut Import,
    source: &Source<'_>,
    node: &Node<'_>,
    name: &str,
    list: &str,
) -> Option<T> {
    let mut found = Vec::new();
    import.shape.check(import.shape.of_type(name)?, node, &mut found);
    let id = id_of(list, node);
    if found.is_empty() {
        match serde_json::from_str(source.text.get(node.span.clone())?) {
            Ok(value) => return Some(value),
            Err(fault) => found.push(Deviation {
                span: node.span.start..node.span.start + 1,
                what: fault.to_string(),
                repair: "correct the payload".to_owned(),
            }),
        }
    }
    import
        .problems
        .extend(found.into_iter().map(|Deviation { span, what, repair }| Problem::at(source, span, id, what, repair)));
    None
}
