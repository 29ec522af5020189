//! What is the same for everybody, and what belongs whole to one person or queue: settings, roles, programs of speech
//! analytics. One document for each, with everything that an upstream says beside: who made it, where it sends what.

use super::{conversation, problem::Problem, store::Store};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(Debug, Deserialize)]
struct Documents {
    /// Path, with `{name}` for ids, and the document it shows.
    routes: BTreeMap<String, String>,
    /// `$id` stands for the last id of the path, `$conversation` for that of the interaction, `$recording` for a recording of it.
    documents: BTreeMap<String, Value>,
}

/// The id of an interaction's recording begins so and ends with the interaction's own.
const OWN: &str = "recording-of-";

static ALL: LazyLock<Documents> = LazyLock::new(|| {
    let text = include_str!("documents.json");
    serde_json::from_str(text).unwrap_or_else(|error| Documents::broken(&error))
});

impl Documents {
    /// The embedded file is read by a test; were it wrong, nothing would be found.
    fn broken(error: &serde_json::Error) -> Self {
        tracing::error!(%error, "the documents of the sandbox cannot be read");
        Self { routes: BTreeMap::new(), documents: BTreeMap::new() }
    }
}

/// Whether a document stands at this path. A literal wins over an id.
pub(super) fn stands_at(path: &str) -> bool {
    route(path).is_some()
}

/// `tied`: the metadata of a recording is found below its own interaction alone. Ids that no list shows are anybody's.
pub(super) fn read(store: &Store, path: &str, tied: bool) -> Result<Value, Problem> {
    let (ids, name) = route(path).ok_or_else(Problem::not_found)?;
    let organisation = &store.organisation;
    let conversation = ids.iter().find(|(kind, _)| *kind == "{conversationId}").map(|(_, id)| *id);
    let whole = conversation.map(|id| conversation::whole(store, id)).transpose()?.flatten();
    let exists = ids.iter().all(|(kind, id)| match *kind {
        "{userId}" => organisation.users.iter().any(|user| user.id == *id),
        "{queueId}" => organisation.queues.iter().any(|queue| queue.id == *id),
        "{conversationId}" => whole.is_some(),
        "{participantId}" => whole.as_ref().is_some_and(|whole| holds(whole, "participantId", id)),
        "{recordingId}" => !tied || id.strip_prefix(OWN).is_none_or(|of| conversation == Some(of)),
        "{communicationId}" => whole.as_ref().is_some_and(|whole| holds(whole, "sessionId", id)),
        _ => true,
    });
    let mut document = ALL.documents.get(name).filter(|_| exists).cloned().ok_or_else(Problem::not_found)?;
    fill(&mut document, "$conversation", conversation.unwrap_or_default());
    fill(&mut document, "$recording", &format!("{OWN}{}", conversation.unwrap_or_default()));
    fill(&mut document, "$id", ids.last().map_or("the-only-one", |(_, id)| id));
    Ok(document)
}

/// Ids by the names that the template gives them, and the name of the document.
type Route<'p> = (Vec<(&'static str, &'p str)>, &'static str);

fn route(path: &str) -> Option<Route<'_>> {
    let found = ALL.routes.iter().filter_map(|(template, name)| {
        let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        let fits = |(wanted, given): (&&str, &&str)| wanted == given || wanted.starts_with('{') && !given.is_empty();
        let ids = || wanted.iter().copied().zip(given.iter().copied()).filter(|(wanted, _)| wanted.starts_with('{'));
        let all = wanted.len() == given.len() && wanted.iter().zip(&given).all(fits);
        all.then(|| (ids().collect::<Vec<_>>(), name.as_str()))
    });
    found.min_by_key(|(ids, _)| ids.len())
}

/// Whether some object says this of itself.
fn holds(value: &Value, name: &str, id: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| holds(item, name, id)),
        Value::Object(members) => {
            members.get(name).is_some_and(|own| own == id) || members.values().any(|member| holds(member, name, id))
        }
        _ => false,
    }
}

fn fill(value: &mut Value, hole: &str, id: &str) {
    match value {
        Value::String(text) if text == hole => id.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, hole, id)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, hole, id)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_its_document_and_literals_win() {
        assert!(ALL.routes.len() >= 80 && ALL.routes.values().all(|name| ALL.documents.contains_key(name)));
        let name = |path| route(path).map(|(_, name)| name);
        assert_eq!(name("/api/v2/authorization/roles/settings"), Some("role-settings"));
        assert_eq!(name("/api/v2/authorization/roles/r-1"), Some("role"));
        assert_eq!(name("/api/v2/authorization/roles/"), None);
        assert_eq!(name("/api/v2/authorization/roles/r-1/more"), None);
    }
}
