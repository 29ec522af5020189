//! Lists of which no request can name the entries: whoever may read what stands above is shown those rows that are his,
//! each judged by the guard.

use super::{
    Certificate, Step, Unproved, Verified, body, check, json, request, scope::Scope, time::Asked, words::Vocabulary,
};
use crate::model::{
    answer::Shape,
    body::{Dimension, Path, Proof},
    contract::{Contract, Data, Method, ParamKind, Segment},
    entitlement,
    org::Org,
    outgoing::{Outgoing, Residual},
    part::{SeenLeg, Sighting},
};
use jiff::Timestamp;
use std::sync::Arc;

/// As [`check`], for one page of such a list. `above`: what the holder may see by the rule that reads what stands above.
pub fn check_scan(
    contract: &Contract,
    outgoing: Outgoing,
    residual: Residual,
    above: Option<&entitlement::Scope>,
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<Verified, Unproved> {
    let Some(scan) = &contract.scan else {
        return Err(Unproved::at("contract", "is not one of a list that is read from its beginning"));
    };
    let bare = contract.ids.is_none() && contract.job.is_none();
    let owned = match contract.data {
        Data::Queue | Data::User | Data::Division | Data::Team => !scan.looks,
        Data::Interaction => scan.looks,
        Data::Flow | Data::Case | Data::Metadata => false,
    };
    let asks = if contract.body.is_some() { Method::Post } else { Method::Get };
    if !bare || contract.part || !owned || (contract.method, contract.shape) != (asks, Shape::Owned) {
        return Err(Unproved::at("contract", "the rows of such a list are not judged one by one"));
    }
    if !residual.keys || scan.looks && !residual.legs {
        return Err(Unproved::at("residual", "nobody judges the rows"));
    }
    if !residual.links.is_empty() {
        return Err(Unproved::at("residual", "only links of a part of an interaction may pass"));
    }
    let scope = Scope::of(contract, given, org, now)?;
    hold_criteria(&scope, contract, &outgoing, &given.lifts)?;
    request::hold_query(&scope, contract, &outgoing)?;
    for param in contract.params.iter().filter(|param| param.kind == ParamKind::Cursor) {
        if scan.place.as_ref() != Some(&param.name) {
            return Err(Unproved::at(format!("query {}", param.name), "a place in no list of this contract"));
        }
    }
    let ids = request::read_path(contract, &outgoing)?;
    let asked = Asked::of(contract, None, &residual)?;
    // legs that are looked at have a time, and may be those of a single interaction
    if !scan.looks && scope.only(|e| asked.counts(e)).live.is_empty() {
        return Err(Unproved::at("scope", "no entitlement counts where nothing has a time"));
    }
    let mut steps = Vec::new();
    match (&scan.below, above) {
        (None, None) if ids.is_empty() => {}
        (Some(below), Some(above)) if above.holder == given.holder => {
            let mut path = String::new();
            let mut named = 0;
            for segment in &below.template.segments {
                path.push('/');
                match segment {
                    Segment::Literal(text) => path.push_str(text),
                    Segment::Param { name, access } => {
                        let same = ids.iter().find(|(known, kind, _)| *known == name && kind == access);
                        let (_, _, id) = same.ok_or_else(|| Unproved::at("path", "does not name what stands above"))?;
                        path.extend(request::encoded(id));
                        named += 1;
                    }
                }
            }
            if named != ids.len() {
                return Err(Unproved::at("path", "names something that nothing above it vouches for"));
            }
            let read = Outgoing { method: below.method, path, query: Vec::new(), body: None };
            // nobody reads what stands above, so nothing of its answer can carry the proof
            let proved = check(below, read, Residual::default(), above, org, now)?;
            let proved = proved.certificate.steps.into_iter();
            steps.extend(proved.map(|step| Step { by: format!("above: {}", step.by), ..step }));
        }
        _ => return Err(Unproved::at("path", "nothing says that what stands above is the holder's")),
    }
    drop(ids);
    let by = if scan.looks { "answer: legs of each interaction" } else { "answer: keys" };
    steps.push(Step { clause: "every row of the scope".into(), by: by.into() });
    Ok(Verified { outgoing, residual, certificate: Certificate { steps } })
}

/// A search whose rows are judged asks by fields that are nobody's; a list asks nothing.
fn hold_criteria(
    scope: &Scope<'_>,
    contract: &Contract,
    outgoing: &Outgoing,
    lifts: &[entitlement::Lift],
) -> Result<(), Unproved> {
    let (model, bytes) = match (&contract.body, &outgoing.body) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(Unproved::at("body", "a list is asked for without one")),
        (Some(_), None) => return Err(Unproved::at("body", "is missing")),
        (Some(model), Some(bytes)) => (model, bytes),
    };
    let Proof::Rows { at } = &model.proof else {
        return Err(Unproved::at("body", "its filter is proved, and no row of it judged"));
    };
    // ids are judged wherever they stand; what they find is shown only where the legs of each row are looked at
    let looks = contract.scan.as_ref().is_some_and(|scan| scan.looks);
    let owners = |kind: &Dimension| !looks && matches!(kind, Dimension::Access(_));
    let tied =
        |path: &Path| path == at && model.filter(path).is_some_and(|filter| !filter.dimensions.values().any(owners));
    if model.data != contract.data || !model.filters().iter().all(tied) {
        return Err(Unproved::at("body", "a filter that knows owners, and is tied to nothing"));
    }
    let body = json::read(bytes).map_err(|(at, why)| Unproved::at(format!("body, byte {at}"), why))?;
    body::hold(scope, &Vocabulary::of(contract, model, scope, lifts), model, &body)?;
    Ok(())
}

/// Interactions of which every leg was proved to be inside the scope. Only [`check_rows`] makes one.
#[derive(Debug)]
pub struct Whole(Arc<[Sighting]>);

impl Whole {
    pub fn seen(&self) -> &[Sighting] {
        &self.0
    }
}

/// Proves that every leg that was `seen` of interactions, of which rows of a list are, is inside the scope.
pub fn check_rows(
    contract: &Contract,
    seen: Arc<[Sighting]>,
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<Whole, Unproved> {
    if !contract.scan.as_ref().is_some_and(|scan| scan.looks) || contract.data != Data::Interaction {
        return Err(Unproved::at("contract", "is not one of a list whose rows are of interactions"));
    }
    let scope = Scope::of(contract, given, org, now)?;
    for one in &*seen {
        let shown = |leg: &SeenLeg| scope.shows_leg(&given.entitlements, &one.interaction, leg);
        if one.legs.is_empty() || !one.legs.iter().all(shown) {
            return Err(Unproved::at("legs", "some of an interaction of the list are outside the scope"));
        }
    }
    Ok(Whole(seen))
}
