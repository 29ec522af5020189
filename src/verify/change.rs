//! Changes: the owner is named, every id of the request is the holder's to change, and what only the upstream can tell was
//! looked at and is inside the scope to its last leg. The same of an export that names interactions.

use super::{
    Certificate, Step, Unproved, Verified, body, json, json::Json, request, scope::Scope, time, words::Vocabulary,
};
use crate::model::{
    answer::Shape,
    body::{Access, BodyModel, Field, FieldKind, ObjectOrd, Proof},
    contract::{Contract, Data, Effect, Method, ParamKind},
    entitlement::{self, Action},
    org::Org,
    outgoing::{Outgoing, Residual},
    part::Sighting,
};
use jiff::Timestamp;

/// As [`check`](super::check), for a change; `seen` is what was seen of each interaction that it names.
pub fn check_change(
    contract: &Contract,
    outgoing: Outgoing,
    residual: Residual,
    seen: &[Sighting],
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<Verified, Unproved> {
    let safe = matches!(contract.method, Method::Get | Method::Head);
    let fits = contract.effect == Effect::Changes
        && !contract.part
        && contract.job.is_none()
        && contract.ids.is_none()
        && contract.scan.is_none()
        && !safe;
    // files of what is named are exported; anything else is edited
    let exports = contract.action == Action::Export && contract.method == Method::Post;
    if !fits
        || !(exports || contract.action == Action::Edit)
        || (contract.data, contract.shape) != (Data::Interaction, Shape::Plain)
    {
        return Err(Unproved::at("contract", "is not one of a change"));
    }
    if contract.params.iter().any(|param| matches!(param.kind, ParamKind::Ids { .. } | ParamKind::Cursor)) {
        return Err(Unproved::at("contract", "ids or places in parameters of a change"));
    }
    if !residual.links.is_empty() {
        return Err(Unproved::at("residual", "only links of a part of an interaction may pass"));
    }
    // a change has no data time: a right with a window counts for none; what is exported has that of its legs
    let mut timeless = given.clone();
    timeless.entitlements.retain(|e| exports || e.data.is_none());
    let scope = Scope::of(contract, &timeless, org, now)?;
    request::hold_query(&scope, contract, &outgoing)?;
    let path = request::hold_path(&scope, contract, &outgoing)?;
    let alone = path.iter().find(|(access, _)| *access == Access::Conversation).map(|(_, id)| &**id);
    let mut ids = Ids { scope: &scope, timeless: &timeless, seen, alone, owners: 0, judged: 0 };
    for (access, id) in &path {
        ids.hold(*access, id, "path")?;
        ids.owners += usize::from(matches!(access, Access::Queue | Access::Conversation));
    }
    match (&contract.body, &outgoing.body) {
        (None, None) => {}
        (Some(model), Some(bytes)) => {
            let read = json::read(bytes).map_err(|(at, why)| Unproved::at(format!("body, byte {at}"), why))?;
            let words = Vocabulary::of(contract, model, &scope, &timeless.lifts);
            if !body::hold(&scope, &words, model, &read)?.is_empty() {
                return Err(Unproved::at("body", "a filter in a change"));
            }
            ids.object(&model.fields, &read, "$")?;
            ids.owners += owners(model, &read)?;
        }
        _ => return Err(Unproved::at("body", "present in one of contract and request only")),
    }
    let (owners, judged) = (ids.owners, ids.judged);
    drop(path);
    if owners == 0 {
        return Err(Unproved::at("body", "nothing says whose the changed thing is"));
    }
    let steps = vec![Step {
        clause: format!("{judged} ids of the scope, {owners} of them owners"),
        by: "path and body".into(),
    }];
    Ok(Verified { outgoing, residual, certificate: Certificate { steps } })
}

/// How many owners stand where the model says that they must.
fn owners(model: &BodyModel, body: &Json<'_>) -> Result<usize, Unproved> {
    let Proof::Owners { at } = &model.proof else {
        return Err(Unproved::at("body", "its model is none of a change"));
    };
    if model.data != Data::Interaction {
        return Err(Unproved::at("body", "its model is about other data"));
    }
    let mut owners = 0;
    for path in at {
        match count(body, path) {
            Some(found @ 1..) => owners += found,
            _ => return Err(Unproved::at(super::written(path), "the owner is missing")),
        }
    }
    Ok(owners)
}

/// Through lists, in each item; an empty list has no owner.
fn count(value: &Json<'_>, path: &[Box<str>]) -> Option<usize> {
    match (value, path.split_first()) {
        (Json::Array(items), _) => items.iter().try_fold(0_usize, |all, item| Some(all + count(item, path)?)),
        (value, Some((name, rest))) => count(value.get(name)?, rest),
        (Json::Text(_), None) => Some(1),
        (_, None) => None,
    }
}

/// Every id of a change, one by one.
struct Ids<'a, 's> {
    scope: &'s Scope<'a>,
    timeless: &'s entitlement::Scope,
    seen: &'s [Sighting],
    /// The interaction of the path, of which a body speaks that names none.
    alone: Option<&'s str>,
    owners: usize,
    judged: usize,
}

impl Ids<'_, '_> {
    fn hold(&mut self, access: Access, id: &str, at: &str) -> Result<(), Unproved> {
        let inside = match access {
            // the whole queue, alive
            Access::Queue => self.scope.owns_queue(id),
            Access::User => self.scope.named(Access::User, id, at).is_ok(),
            Access::Object(ObjectOrd::Label) => self.scope.owns_label(id),
            Access::Conversation => {
                let seen = self.seen.iter().find(|seen| *seen.interaction == *id);
                let shown = |seen: &Sighting| {
                    !seen.legs.is_empty()
                        && seen.legs.iter().all(|leg| self.scope.shows_leg(&self.timeless.entitlements, id, leg))
                };
                seen.is_some_and(shown)
            }
            Access::Division
            | Access::Region
            | Access::Object(_)
            | Access::Group
            | Access::Attribute
            | Access::Job
            | Access::Unowned => false,
        };
        self.judged += 1;
        if inside { Ok(()) } else { Err(Unproved::at(at, "names something that is not the holder's to change")) }
    }

    fn object(&mut self, fields: &[Field], value: &Json<'_>, at: &str) -> Result<(), Unproved> {
        let members = || fields.iter().filter_map(|field| Some((field, value.get(&field.name)?)));
        let interaction = members().find_map(|(field, value)| match field.kind {
            FieldKind::Id(Access::Conversation) => value.text(),
            _ => None,
        });
        let interaction = interaction.or(self.alone);
        for (field, value) in members() {
            self.field(&field.kind, value, interaction, &format!("{at}.{}", field.name))?;
        }
        Ok(())
    }

    fn field(&mut self, kind: &FieldKind, value: &Json<'_>, of: Option<&str>, at: &str) -> Result<(), Unproved> {
        match (kind, value) {
            (FieldKind::Id(access), Json::Text(id)) => self.hold(*access, id, at),
            (FieldKind::Part, Json::Text(id)) => {
                let seen = self.seen.iter().find(|seen| Some(&*seen.interaction) == of);
                if seen.is_some_and(|seen| seen.named.iter().any(|known| **known == **id)) {
                    return Ok(());
                }
                Err(Unproved::at(at, "names a part of another interaction"))
            }
            (FieldKind::Instant, Json::Text(text)) if time::instant(text).is_none() => {
                Err(Unproved::at(at, "no instant: a change is made at a stated one"))
            }
            (FieldKind::Object(fields), value) => self.object(fields, value, at),
            (FieldKind::List { of: item, .. }, Json::Array(items)) => {
                items.iter().try_for_each(|value| self.field(item, value, of, at))
            }
            _ => Ok(()),
        }
    }
}
