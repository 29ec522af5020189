//! Temporary rights that stand in the file.

use super::{At, Draft, Found, refer};
use crate::{
    directory::file::{self, ResourceKind},
    model::{
        entitlement::{Action, Window},
        org::{Grant, GrantResource, ObjectKind},
    },
};
use std::collections::HashMap;

pub(super) fn fill(draft: &mut Draft<'_>) {
    let held = Held::of(draft.file);
    for (nth, grant) in draft.file.grants.iter().enumerate() {
        let at = At::item("grants", nth);
        let beneficiary =
            refer(&mut draft.problems, &draft.org.index.users, "user", &grant.beneficiary, at.key("beneficiary"));
        let resources: Vec<GrantResource> = grant
            .resources
            .iter()
            .enumerate()
            .filter_map(|(line, wanted)| resource(draft, &held, wanted, at.key("resources").nth(line).key("id")))
            .collect();
        let actions = actions(draft, grant, at);
        if grant.resources.is_empty() {
            draft.problem(
                at.key("resources"),
                format!("the grant `{}` names no resource", grant.id),
                "name what it opens, or remove it",
            );
        }
        if grant.from >= grant.until {
            draft.problem(
                at.key("until"),
                format!("the grant `{}` ends before it begins", grant.id),
                "`until` lies after `from`",
            );
        }
        if grant.data.as_ref().is_some_and(|data| data.from >= data.until) {
            draft.problem(
                at.key("data").key("until"),
                format!("the data window of grant `{}` is empty", grant.id),
                "`until` lies after `from`",
            );
        }
        let Some(beneficiary) = beneficiary else {
            continue;
        };
        let position = u32::try_from(draft.org.grants.len()).unwrap_or(u32::MAX);
        draft.org.index.grants.entry(beneficiary).or_default().push(position);
        draft.org.grants.push(Grant {
            id: grant.id.as_str().into(),
            beneficiary,
            resources,
            actions,
            data: grant.data.as_ref().map(|data| Window { from: data.from, until: data.until }),
            from: grant.from,
            until: grant.until,
        });
    }
}

fn actions(draft: &mut Draft<'_>, grant: &file::Grant, at: At) -> Vec<Action> {
    let mut actions = Vec::with_capacity(grant.actions.len());
    for (line, word) in grant.actions.iter().enumerate() {
        let action = match word.as_str() {
            "view" => Action::View,
            "playback" => Action::Playback,
            "transcript" => Action::Transcript,
            "export" => Action::Export,
            "addRemove" | "add-remove" => Action::AddRemove,
            "preview" => Action::Preview,
            "edit" => Action::Edit,
            _ => {
                let known = "use `view`, `playback`, `transcript`, `export`, `addRemove`, `preview` or `edit`";
                draft.problem(at.key("actions").nth(line), format!("`{word}` is no action"), known);
                continue;
            }
        };
        actions.push(action);
    }
    if grant.actions.is_empty() {
        draft.problem(
            at.key("actions"),
            format!("the grant `{}` names no action", grant.id),
            "name what may be done, such as `view`",
        );
    }
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// Conversations of cases and labels.
struct Held {
    cases: HashMap<String, Vec<Box<str>>>,
    labels: HashMap<String, Vec<Box<str>>>,
}

impl Held {
    fn of(file: &file::DirectoryFile) -> Self {
        let boxed = |ids: &[String]| -> Vec<Box<str>> { ids.iter().map(|id| id.as_str().into()).collect() };
        let labels: HashMap<String, Vec<Box<str>>> =
            file.labels.iter().map(|label| (label.id.clone(), boxed(&label.conversations))).collect();
        let cases = file.cases.iter().map(|case| {
            let mut all = boxed(&case.conversations);
            all.extend(case.labels.iter().filter_map(|label| labels.get(label)).flatten().cloned());
            (case.id.clone(), all)
        });
        Self { cases: cases.collect(), labels }
    }
}

fn resource(draft: &mut Draft<'_>, held: &Held, wanted: &file::Resource, at: At) -> Option<GrantResource> {
    let problems: &mut Vec<Found> = &mut draft.problems;
    let index = &draft.org.index;
    let id = &wanted.id;
    match wanted.kind {
        ResourceKind::Queue => refer(problems, &index.queues, "queue", id, at).map(GrantResource::Queue),
        ResourceKind::Division => refer(problems, &index.divisions, "division", id, at).map(GrantResource::Division),
        ResourceKind::User => refer(problems, &index.users, "user", id, at).map(GrantResource::User),
        ResourceKind::Group => refer(problems, &index.groups, "group", id, at).map(GrantResource::Group),
        ResourceKind::Conversation => Some(GrantResource::Conversation(id.as_str().into())),
        ResourceKind::Case => conversations(draft, ObjectKind::Case, "case", held.cases.get(id), id, at),
        ResourceKind::Label => conversations(draft, ObjectKind::Label, "label", held.labels.get(id), id, at),
    }
}

fn conversations(
    draft: &mut Draft<'_>,
    kind: ObjectKind,
    word: &str,
    found: Option<&Vec<Box<str>>>,
    id: &str,
    at: At,
) -> Option<GrantResource> {
    let Some(found) = found else {
        draft.problem(at, format!("there is no {word} `{id}`"), format!("define the {word} or remove the reference"));
        return None;
    };
    let mut conversations = found.clone();
    conversations.sort_unstable();
    conversations.dedup();
    Some(GrantResource::Conversations { kind, id: id.into(), conversations })
}
