//! Changes: every id that one names is judged, wherever it stands, and whose the changed thing is stands in it.
//!
//! Nothing is filled in, left out or split: a change goes as it was asked for, or not at all. So does an export of
//! interactions that it names.

use super::{Asking, Narrowed, Outcome, fields, job, params, read::is_plain};
use crate::{
    model::{
        body::{Access, BodyModel, Field, FieldKind, ObjectOrd, Proof},
        contract::Segment,
        entitlement::Source,
        job::{Job, JobKind},
        operation::{Class, JobPart, Operation},
        outgoing::{Outgoing, Residual},
        part::Sighting,
        refusal::{Code, Echo, Notice, Refusal},
    },
    policy::{
        extent::{covered_divisions, covers_whole},
        guard::GuardPlan,
        judge::Judge,
    },
    query::{
        Question,
        body::{self, Body, malformed},
        json::{self, Limits, Value},
    },
};
use jiff::Timestamp;
use std::collections::BTreeSet;

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    let body = read(asking)?;
    let mut named = Named::default();
    named.in_path(asking.question);
    if let (Some(body), Some(model)) = (&body, asking.operation.body()) {
        named.in_object(&model.fields, &body.value);
        owned(model, body)?;
    }
    let extent = asking.whole_extent();
    let mut judge = asking.judge(&extent);
    for (access, id, place) in &named.ids {
        let inside = is_inside(asking, &mut judge, *access, id);
        inside.map_err(|refusal| if *place == Place::Path { refusal.in_path() } else { refusal })?;
    }
    let query = params::listed(asking, &mut judge)?.ok_or_else(|| Refusal::outside("a parameter is left out"))?;
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Err(Refusal::new(Code::ScopeEmpty, "nothing is in your scope for this change"));
    }
    if asking.operation.class == Class::Write {
        named.refuse_twice()?;
    }
    if let Some(seen) = &asking.question.seen {
        named.refuse_strange_parts(seen)?;
    }
    let outgoing = Outgoing {
        method: asking.operation.contract.method,
        path: asking.path(),
        query,
        body: body.as_ref().zip(asking.operation.body()).map(|(body, model)| body.write(model).into()),
    };
    let plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, extent.clone(), asking.now)
        .with_ids(named.interactions().map(str::to_owned));
    Ok(Outcome::Send(Box::new(Narrowed { outgoing, residual: Residual::default(), plan, notices: Vec::new() })))
}

/// What was exported of these interactions, by the rights of now: `asking` is about the operation that asked for it.
pub(super) fn fetched(asking: &Asking<'_>) -> Result<(GuardPlan, Residual, Vec<Notice>), Refusal> {
    if asking.scope.entitlements.is_empty() {
        return Err(job::scope_changed("nothing is in the asker's scope now"));
    }
    let extent = asking.whole_extent();
    let mut plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, extent, asking.now);
    let mut links = Vec::new();
    if let Some(seen) = &asking.question.seen {
        plan = plan.with_sightings(seen, asking.media());
        links = plan.links().to_vec();
    }
    Ok((plan, Residual { keys: true, links, ..Residual::default() }, Vec::new()))
}

/// The interactions of which an export was asked for.
fn exported(submit: &Operation, job: &Job) -> Vec<String> {
    let (Some(model), JobKind::Sent(bytes)) = (submit.body(), &job.kind) else { return Vec::new() };
    let Ok(body) = json::parse_object(bytes, &Limits::own(bytes)) else { return Vec::new() };
    let mut named = Named::default();
    named.in_object(&model.fields, &body);
    named.interactions().map(str::to_owned).collect()
}

/// The interactions that a change or an export names, each of which has to be looked at once.
pub fn interactions(question: &Question) -> Vec<String> {
    let mut all =
        if let (Some(JobPart::Step { submit, .. }), Some(job)) = (&question.operation.job, question.named_job()) {
            exported(submit, job)
        } else {
            let mut named = Named::default();
            named.in_path(question);
            if let (Some(model), Some(body)) = (question.operation.body(), &question.body) {
                named.in_object(&model.fields, body);
            }
            named.interactions().map(str::to_owned).collect()
        };
    let mut told = BTreeSet::new();
    all.retain(|id| told.insert(id.clone()));
    all
}

fn read(asking: &Asking<'_>) -> Result<Option<Body>, Refusal> {
    let (model, raw) = match (asking.operation.body(), &asking.question.body) {
        (None, None) => return Ok(None),
        (Some(model), Some(raw)) => (model, raw),
        _ => return Err(Refusal::new(Code::QueryMalformed, "this operation needs a JSON body")),
    };
    let mut body = body::read(model, raw, &|_, _| false)?;
    settle_instants(&model.fields, &mut body.value, &mut Vec::new())?;
    fields::refuse_when(asking, &body, model)?;
    Ok(Some(body))
}

/// A change is made at one instant, in its one spelling: nothing is worked out from the clock.
fn settle_instants(fields: &[Field], value: &mut Value, at: &mut Vec<Box<str>>) -> Result<(), Refusal> {
    let Value::Object(members) = value else { return Ok(()) };
    for (name, value) in members {
        let Some(field) = fields.iter().find(|field| field.name == *name) else { continue };
        at.push(name.clone());
        settle(&field.kind, value, at)?;
        at.pop();
    }
    Ok(())
}

fn settle(kind: &FieldKind, value: &mut Value, at: &mut Vec<Box<str>>) -> Result<(), Refusal> {
    match (kind, value) {
        (FieldKind::Object(fields), value) => settle_instants(fields, value, at),
        (FieldKind::List { of, .. }, Value::Array(items)) => items.iter_mut().try_for_each(|item| settle(of, item, at)),
        (FieldKind::Instant, Value::Text(text)) => {
            let why = "must be an instant with its offset, such as `2026-11-20T10:00:00Z`";
            let instant: Timestamp = text.parse().map_err(|_| malformed(at, why))?;
            *text = instant.to_string().into();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The owner that the model names stands in the body: nobody else is taken for it.
fn owned(model: &BodyModel, body: &Body) -> Result<(), Refusal> {
    let Proof::Owners { at } = &model.proof else {
        return Err(Refusal::new(Code::Internal, "this operation has no owner").because("a change by another proof"));
    };
    at.iter().try_for_each(|path| match count(&body.value, path) {
        Some(1..) => Ok(()),
        _ => Err(malformed(path, "is missing: it says whose this is")),
    })
}

/// How often a path that goes through lists stands in a value; `None` when it is missing in some item.
fn count(value: &Value, path: &[Box<str>]) -> Option<usize> {
    match (value, path.split_first()) {
        (Value::Array(items), _) => items.iter().try_fold(0_usize, |all, item| all.checked_add(count(item, path)?)),
        (value, Some((name, rest))) => count(value.get(name)?, rest),
        (Value::Text(_), None) => Some(1),
        (_, None) => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Body,
}

/// Every id of a change.
#[derive(Debug, Default)]
struct Named<'q> {
    ids: Vec<(Access, &'q str, Place)>,
    /// An interaction, and an element that is said to be of it.
    parts: Vec<(Option<&'q str>, &'q str)>,
}

impl<'q> Named<'q> {
    fn in_path(&mut self, question: &'q Question) {
        for segment in &question.operation.contract.template.segments {
            let Segment::Param { name, access } = segment else { continue };
            let id = question.ids.iter().find(|(known, _)| known == name);
            self.ids.extend(id.map(|(_, id)| (*access, id.as_str(), Place::Path)));
        }
    }

    fn in_object(&mut self, fields: &[Field], value: &'q Value) {
        let members = fields.iter().filter_map(|field| Some((&field.kind, value.get(&field.name)?)));
        let own = members.clone().find_map(|(kind, value)| match kind {
            FieldKind::Id(Access::Conversation) => value.as_str(),
            _ => None,
        });
        // a body that names none speaks of the one of the path
        let of_path =
            self.ids.iter().find(|(access, _, place)| (*access, *place) == (Access::Conversation, Place::Path));
        let interaction = own.or(of_path.map(|(_, id, _)| *id));
        for (kind, value) in members {
            self.in_field(kind, value, interaction);
        }
    }

    fn in_field(&mut self, kind: &FieldKind, value: &'q Value, interaction: Option<&'q str>) {
        match (kind, value) {
            (FieldKind::Id(access), Value::Text(id)) => self.ids.push((*access, id, Place::Body)),
            (FieldKind::Part, Value::Text(id)) => self.parts.push((interaction, id)),
            (FieldKind::Object(fields), value) => self.in_object(fields, value),
            (FieldKind::List { of, .. }, Value::Array(items)) => {
                for item in items {
                    self.in_field(of, item, interaction);
                }
            }
            _ => {}
        }
    }

    fn interactions(&self) -> impl Iterator<Item = &'q str> {
        self.ids.iter().filter(|(access, ..)| *access == Access::Conversation).map(|(_, id, _)| *id)
    }

    /// Which of two changes of one thing would win is the upstream's to say.
    fn refuse_twice(&self) -> Result<(), Refusal> {
        let all: Vec<_> = self.interactions().collect();
        let twice = all.iter().enumerate().any(|(place, id)| all.iter().take(place).any(|earlier| earlier == id));
        if twice {
            return Err(Refusal::new(Code::QueryMalformed, "an interaction is named twice; change each of them once"));
        }
        Ok(())
    }

    fn refuse_strange_parts(&self, seen: &[Sighting]) -> Result<(), Refusal> {
        let is_of = |interaction: &str, id: &str| {
            let of = seen.iter().find(|seen| *seen.interaction == *interaction);
            of.is_some_and(|seen| seen.named.iter().any(|known| **known == *id))
        };
        match self.parts.iter().find(|(interaction, id)| !interaction.is_some_and(|of| is_of(of, id))) {
            Some((_, id)) => Err(Refusal::outside(format!("`{}` is no part of the interaction", Echo(id)))),
            None => Ok(()),
        }
    }
}

/// A label is put on something by whoever was given the right in the division that owns it, or has all of that division.
fn owns_label(asking: &Asking<'_>, mark: &str) -> bool {
    let Some(owner) = asking.org.index.marks.get(mark) else { return false };
    asking.scope.entitlements.iter().any(|one| {
        let given = matches!(one.source, Source::Role { division, .. } if division == *owner);
        (given || covers_whole(one)) && covered_divisions(asking.org, one).contains(owner)
    })
}

/// Whoever changes something of a queue has the whole of it.
fn is_inside(asking: &Asking<'_>, judge: &mut Judge<'_>, access: Access, id: &str) -> Result<(), Refusal> {
    let inside = match access {
        Access::Queue => {
            let whole = asking.org.index.queues.get(id).is_some_and(|queue| judge.extent.all.contains(queue));
            judge.id(access, id)? && whole
        }
        Access::User => judge.id(access, id)?,
        // whose it is will be seen
        Access::Conversation => is_plain(id),
        Access::Object(ObjectOrd::Label) => owns_label(asking, id),
        Access::Division
        | Access::Region
        | Access::Object(_)
        | Access::Group
        | Access::Attribute
        | Access::Job
        | Access::Unowned => false,
    };
    if inside { Ok(()) } else { Err(Refusal::outside(format!("`{}`: not the asker's to change", Echo(id)))) }
}
