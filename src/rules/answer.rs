//! Compiles `[rule.answer]`: shape, keys, legs, what may pass and what is masked.

use super::{
    foreign,
    format::{self, AccessWord},
    models::{self, Masks, Models},
    owners, paths,
    reading::{At, Reader},
    values::Name,
};
use crate::model::{
    answer::{Answer, Keep, Key, PageNumber, Piece, Shape, Total, TotalTreatment},
    body::{Access, BodyModel, Dimension, FieldKind, ObjectOrd, Path},
    contract::Data,
    entitlement::Action,
};
use std::collections::BTreeMap;

/// Largest answer that is held, unless the rule says otherwise.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Of which interactions an answer without rows is known to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose {
    /// Of the one that its path names.
    part: bool,
    /// Of those that were looked at before an export of them was asked for.
    fetched: bool,
    /// The guard holds the ids of interactions in it against what was named.
    named: bool,
}

impl Whose {
    pub(super) fn of(shared: &format::Shared, fetched: bool) -> Self {
        let part = shared.part.is_some();
        Self { part, fetched, named: part || fetched || matches!(shared.class, Some(format::ClassWord::Write)) }
    }
}

pub(super) fn compile(
    answer: &At<format::Answer>,
    models: &Models,
    masked: &Masks,
    body: Option<&BodyModel>,
    whose: Whose,
    reader: &mut Reader<'_>,
) -> Option<Answer> {
    let shape = Shape::from(answer.shape);
    let single = matches!(shape, Shape::Conversation | Shape::Entity | Shape::Plain);
    let rows = match &answer.rows {
        // a list without an object around it
        Some(at) if at.as_str() == "$" && matches!(shape, Shape::Owned | Shape::Entities) => Some(Vec::new()),
        Some(at) => paths::definite(at, reader),
        None if single => Some(Vec::new()),
        None => {
            reader.problem(answer.span.clone(), "this shape needs `rows`: the path of the array of rows");
            None
        }
    };
    let keys = keys(answer, body, reader);
    let legs = matches!(shape, Shape::Conversations | Shape::Conversation);
    if legs != answer.leg.is_some() {
        let says = if legs { "this shape needs `leg`" } else { "rows of this shape have no legs: leave `leg` out" };
        reader.problem(answer.span.clone(), says);
    }
    if !legs && !matches!(shape, Shape::Plain | Shape::Bound) && answer.keys.is_empty() {
        reader.problem(answer.span.clone(), "this shape needs `keys`: the fields that say whose a row is");
    }
    if shape == Shape::Conversations && !answer.keys.values().any(|word| **word == AccessWord::Conversation) {
        let help =
            "add `keys = { conversationId = \"conversation\" }`: rights to single conversations are judged by it";
        reader.problem_with(answer.span.clone(), "a list of interactions needs the key of each", Some(help.to_owned()));
    }
    let source = match (&answer.source, shape) {
        (Some(at), Shape::Documents) => Some(source(at, answer, body, reader)?),
        (None, Shape::Documents) => {
            let help = "add `source`: the field of the body that lists which fields of a document come back";
            let message = "documents are judged by their fields, and nobody says where they are";
            reader.problem_with(answer.span.clone(), message, Some(help.to_owned()));
            return None;
        }
        (Some(at), _) => {
            reader.problem(at.span.clone(), "only `documents` have `source`: leave it out");
            return None;
        }
        (None, _) => None,
    };
    let leg = answer.leg.as_ref().map(|leg| paths::leg(leg, leg.span.clone(), reader));
    let leg = match leg {
        Some(leg) => Some(leg?),
        None => None,
    };
    let totals = totals(answer, reader);
    let mut mask = masked.clone();
    mask.extend(answer.mask.iter().map(|(field, class)| (field.text.clone(), class.as_str().into())));
    let bare = rows.as_ref().is_some_and(Vec::is_empty) && !single;
    let foreign = foreign::compile(answer, leg.as_ref(), rows.as_deref().unwrap_or_default(), &mask, models, reader);
    let empty = empty(&answer.empty, body, bare, reader);
    let keep = models.keep(&answer.keep, reader)?.clone();
    if !keep.levels.contains_key("") {
        reader.problem(
            answer.keep.span.clone(),
            format!("`{}` lists no fields of the root (level `\"\"`)", *answer.keep),
        );
    }
    if let (Some(at), Some(rows)) = (&answer.rows, &rows)
        && !keep.passes(rows)
    {
        let message = format!("`{}` does not list the rows, `{}`, so none of them would pass", *answer.keep, **at);
        reader.problem(answer.keep.span.clone(), message);
    }
    let links = links(answer, &keep, whose.part || whose.fetched, reader);
    let pending = pending(answer, whose.part, reader);
    let named_by = answer.named_by.as_ref().map(|at| paths::definite(at, reader).ok_or(())).transpose();
    if shape == Shape::Plain {
        plain(answer, &keep, whose.named, reader);
    } else if let Some(at) = &answer.named_by {
        reader.problem(at.span.clone(), "only a `plain` answer has `named-by`: leave it out");
    }
    Some(Answer {
        shape,
        rows: rows?,
        keys: keys?,
        leg,
        foreign: foreign?,
        source,
        named_by: named_by.ok()?,
        totals: totals?,
        keep,
        mask,
        links: links?,
        pending,
        empty: empty?,
        max_bytes: answer.max_bytes.unwrap_or(MAX_BYTES),
    })
}

/// The list of fields in the body; every key of a row stands in the object of that name, and can be asked for.
fn source(
    at: &At<String>,
    answer: &At<format::Answer>,
    body: Option<&BodyModel>,
    reader: &mut Reader<'_>,
) -> Option<Path> {
    let path = paths::definite(at, reader)?;
    let kind = body.and_then(|body| body.field(&path));
    let Some(FieldKind::List { of, .. }) = kind else {
        reader.problem(at.span.clone(), format!("`{}` is no list of words in the body", **at));
        return None;
    };
    let words = of.words().unwrap_or_default();
    for (key, word) in &answer.keys {
        let inside = key.text.strip_prefix(&format!("{}.", path.join(".")));
        let Some(field) = inside.filter(|field| words.iter().any(|word| **word == **field)) else {
            let message =
                format!("`{}` is no field that `{}` can ask for, so no document would show it", key.text, **at);
            reader.problem(key.span(), message);
            continue;
        };
        // the word of the model table: what a document is judged by is what it is filtered by
        let due = Dimension::Access(models::access(**word));
        if !body.is_some_and(|body| body.dimensions(field).any(|kind| kind == due)) {
            let message = format!("`{field}` says another kind of access in the model table, or a value that is no id");
            reader.problem(key.span(), message);
        }
    }
    for needed in [AccessWord::Queue, AccessWord::User] {
        if !answer.keys.values().any(|word| **word == needed) {
            let message = "a document is judged as a leg: it needs the keys of its queue and of its agent";
            reader.problem(answer.span.clone(), message);
        }
    }
    if body.is_some_and(|body| body.data != Data::Interaction) {
        reader.problem(answer.span.clone(), "documents are legs: the body has to be about `interaction` data");
    }
    Some(path)
}

/// Nobody judges a `plain` answer row by row: it has none, and names nobody.
fn plain(answer: &At<format::Answer>, keep: &Keep, names_own: bool, reader: &mut Reader<'_>) {
    let rows = [
        ("rows", answer.rows.is_some()),
        ("keys", !answer.keys.is_empty()),
        ("totals", !answer.totals.is_empty()),
        ("visible", !answer.visible.is_empty()),
        ("pages", !answer.pages.is_empty()),
        ("mask", !answer.mask.is_empty()),
    ];
    for (key, _) in rows.into_iter().filter(|(_, said)| *said) {
        reader.problem(answer.span.clone(), format!("a `plain` answer has no rows: leave `{key}` out"));
    }
    for (level, fields) in &keep.levels {
        // of a part, these are the interaction's own ids, and the guard holds the first against the asked one; a mail's
        // subject is a text
        let own = |field: &str| {
            let of_it = ["conversation", "conversationId", "participantId", "communicationId", "subject"];
            names_own && of_it.contains(&field)
        };
        let judged = fields.iter().filter(|field| !own(field));
        for (field, says) in judged.filter_map(|field| Some((field, owners::says(field)?))) {
            let at = if level.is_empty() { field.to_string() } else { format!("{level}.{field}") };
            let help = "take it out of the list, or use a shape that judges whose a row is";
            let message = format!("a `plain` answer passes `{at}`, which {says}, and nobody judges it");
            reader.problem_with(answer.keep.span.clone(), message, Some(help.to_owned()));
        }
    }
}

/// Which fields hold links, and what opens each. Only of a part is it known whose legs it speaks of.
fn links(
    answer: &At<format::Answer>,
    keep: &Keep,
    known: bool,
    reader: &mut Reader<'_>,
) -> Option<BTreeMap<Box<str>, Action>> {
    let mut links = BTreeMap::new();
    for (at, action) in &answer.links {
        let (level, field) = at.text.rsplit_once('.').unwrap_or(("", &at.text));
        let listed = keep.levels.get(level).is_some_and(|fields| fields.iter().any(|one| **one == *field));
        let says = if !known {
            "only a part of an interaction hands out links: nobody knows whose they are here".to_owned()
        } else if !listed || keep.levels.contains_key(&at.text) {
            format!("`{}` lists no value `{}`", *answer.keep, at.text)
        } else {
            links.insert(at.text.clone(), Action::from(action.value));
            continue;
        };
        reader.problem(at.span(), says);
        return None;
    }
    Some(links)
}

fn pending(answer: &At<format::Answer>, part: bool, reader: &mut Reader<'_>) -> Option<Box<str>> {
    let text = answer.pending.as_ref()?;
    let is_json = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json.is_object() || json.is_array());
    let says = match (part, is_json) {
        (false, _) => "only a part of an interaction is waited for: leave `pending` out",
        (true, false) => "`pending` is not the text of a JSON object or list",
        (true, true) => return Some(text.as_str().into()),
    };
    reader.problem(text.span.clone(), says);
    None
}

/// The pieces of an empty answer: text, and holes `${pageSize}` or `${$.path.of.the.body}`.
fn empty(written: &At<String>, body: Option<&BodyModel>, bare: bool, reader: &mut Reader<'_>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = written.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let (hole, after) = after.split_once('}').unwrap_or((after, ""));
        let piece = match hole {
            "pageNumber" => Some(Piece::Page(PageNumber::Number)),
            "pageSize" => Some(Piece::Page(PageNumber::Size)),
            "total" => Some(Piece::Page(PageNumber::Total)),
            "pageCount" => Some(Piece::Page(PageNumber::Count)),
            path => paths::parse(path).filter(|path| is_value(body, path)).map(Piece::Asked),
        };
        let Some(piece) = piece else {
            let help = "write `${pageSize}`, `${pageNumber}`, `${total}`, `${pageCount}` or, where there is a body, the path \
                        of a value in it that is no filter, such as `${$.name}`";
            let message = format!("`${{{hole}}}` stands for nothing in an empty answer");
            reader.problem_with(written.span.clone(), message, Some(help.to_owned()));
            return None;
        };
        pieces.extend([Piece::Text(before.into()), piece]);
        rest = after;
    }
    pieces.push(Piece::Text(rest.into()));
    // What is asked may be any JSON: a text in its place shows a hole that stands inside quotes.
    let sample = |piece: &Piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Page(_) => "1".to_owned(),
        Piece::Asked(_) => r#""x""#.to_owned(),
    };
    let filled: String = pieces.iter().map(sample).collect();
    let fits = |empty: serde_json::Value| if bare { empty.is_array() } else { empty.is_object() };
    if !serde_json::from_str::<serde_json::Value>(&filled).is_ok_and(fits) {
        let help = "what the body holds is written as JSON, with its own quotes: `{\"name\":${$.name}}`";
        let help = pieces.iter().any(|piece| matches!(piece, Piece::Asked(_))).then(|| help.to_owned());
        let due = if bare { "list" } else { "object" };
        reader.problem_with(written.span.clone(), format!("`empty` is not the text of a JSON {due}"), help);
        return None;
    }
    Some(pieces)
}

/// Rows of shape `owned` say whose they are: a row without its owner would be nobody's, and all of them lost.
pub(super) fn check_owner(
    answer: &Answer,
    data: Data,
    looks: bool,
    written: &At<format::Answer>,
    reader: &mut Reader<'_>,
) {
    let (owner, field) = match data {
        // of one interaction, whose legs are looked at
        Data::Interaction if looks => (Access::Conversation, "\"conversation.id\" = \"conversation\""),
        Data::User => (Access::User, "userId = \"user\""),
        Data::Queue => (Access::Queue, "queueId = \"queue\""),
        Data::Division => (Access::Division, "id = \"division\""),
        Data::Team => (Access::Object(ObjectOrd::Team), "id = \"team\""),
        Data::Interaction | Data::Flow | Data::Case | Data::Metadata => {
            if answer.shape == Shape::Owned {
                reader.problem(
                    written.span.clone(),
                    "rows of this shape are about people, queues, divisions or teams: set `data` so",
                );
            }
            return;
        }
    };
    // a group is one of people
    let owns = |access: Access| access == owner || (owner, access) == (Access::User, Access::Group);
    if answer.shape == Shape::Owned && !answer.keys.iter().any(|key| owns(key.access)) {
        let help = format!("add the field that says so to `keys`, such as `keys = {{ {field} }}`");
        reader.problem_with(written.span.clone(), "rows of this shape need the key of their owner", Some(help));
    }
}

/// Whether a body may hold a value here: filters are rewritten, and nobody's to repeat.
fn is_value(body: Option<&BodyModel>, path: &[Box<str>]) -> bool {
    let kind = body.and_then(|body| body.field(path));
    kind.is_some_and(|kind| !matches!(kind, FieldKind::Filter(_) | FieldKind::Filters(_) | FieldKind::Object(_)))
}

fn keys(answer: &format::Answer, body: Option<&BodyModel>, reader: &mut Reader<'_>) -> Option<Vec<Key>> {
    let key = |(at, word): (&Name, &At<AccessWord>)| {
        let path = paths::parse(&format!("$.{}", at.text));
        if path.is_none() {
            reader.problem(at.span(), format!("`{}` is no field of a row", at.text));
        }
        // A value that stands for a queue is no queue's id.
        let access = match (models::access(**word), body.and_then(|body| body.attribute(&at.text))) {
            (Access::Queue, Some(_)) => Access::Attribute,
            (access, _) => access,
        };
        path.map(|at| Key { access, at })
    };
    answer.keys.iter().map(key).collect()
}

fn totals(answer: &format::Answer, reader: &mut Reader<'_>) -> Option<Vec<Total>> {
    let mut totals = Vec::new();
    for (list, treatment) in [
        (&answer.totals, TotalTreatment::Remove),
        (&answer.visible, TotalTreatment::Visible),
        (&answer.pages, TotalTreatment::Pages),
    ] {
        for at in list {
            totals.push(Total { at: paths::definite(at, reader)?, treatment });
        }
    }
    Some(totals)
}
