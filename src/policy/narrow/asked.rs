//! What the asker's own filters and slots name: judged value by value, and read for what they say of divisions and agents.

use super::{Asking, write};
use crate::{
    model::{
        body::{Access, BodyModel, Dialect},
        operation::{Entry, Strength},
        org::DivisionIx,
        refusal::Refusal,
        set::Set,
    },
    policy::{apart::ask_apart, conjoin, judge::Judge, time::Interval},
    query::{
        body::Body,
        filter::{Filter, Join, Term},
        json::Value,
    },
};

/// Judges the one division slot of the body, when the asker filled it.
pub(super) fn judged_slot(
    asking: &Asking<'_>,
    body: &Body,
    judge: &mut Judge<'_>,
) -> Result<Option<Box<str>>, Refusal> {
    let Some(at) = &asking.operation.division_slot else {
        return Ok(None);
    };
    match body.get(at) {
        Some(Value::Text(text)) => {
            judge.id(Access::Division, text)?;
            Ok(Some(text.clone()))
        }
        _ => Ok(None),
    }
}

/// Judges the filters of one slot. False when one of them can never match.
pub(super) fn judge_slot(body: &mut Body, at: &[Box<str>], judge: &mut Judge<'_>) -> Result<bool, Refusal> {
    let Some(slot) = body.slot(at).cloned() else {
        return Ok(true);
    };
    let mut kept = Vec::with_capacity(slot.filters.len());
    for filter in slot.filters {
        match judge.filter(filter)? {
            Some(filter) => kept.push(filter),
            None => return Ok(false),
        }
    }
    body.put_filters(at, slot.many, kept);
    Ok(true)
}

/// Whether the asker himself asks by agent.
pub(super) fn names_user(body: &Body, grouped: &[Access]) -> bool {
    grouped.contains(&Access::User)
        || body.filters.iter().flat_map(|slot| &slot.filters).flat_map(Filter::atoms).any(|atom| {
            matches!(
                atom.term,
                Term::In(Access::User, _)
                    | Term::NotIn(Access::User, _)
                    | Term::Missing(Access::User)
                    | Term::Present(Access::User)
            )
        })
}

/// Divisions that the asker named where predicates speak of the whole interaction: each entry becomes a leg form.
pub(super) fn conversation_divisions(
    asking: &Asking<'_>,
    body: &Body,
    dialect: Dialect,
) -> Result<Vec<Set<DivisionIx>>, Refusal> {
    let mut found = Vec::new();
    for site in asking.operation.sites.iter().filter(|site| site.strength == Strength::Cover) {
        let Some(slot) = body.slot(&site.at) else {
            continue;
        };
        for filter in &slot.filters {
            let items = match filter {
                Filter::Group(Join::And, items) => items.as_slice(),
                other => std::slice::from_ref(other),
            };
            for item in items {
                if !item.atoms().iter().any(|atom| matches!(atom.term, Term::In(Access::Division, _))) {
                    continue;
                }
                if conjoin::pure_access(item) != Some(Access::Division) {
                    return Err(ask_apart(item, dialect));
                }
                found.push(
                    item.atoms()
                        .into_iter()
                        .filter_map(|atom| atom.values())
                        .flat_map(|(_, values)| values)
                        .filter_map(|value| asking.org.index.divisions.get(value).copied())
                        .collect(),
                );
            }
        }
    }
    // What is named twice is one condition.
    found.sort();
    found.dedup();
    Ok(found)
}

/// An entry that says the asker's whole scope and nothing else is no filter of his: it is what was sent for none.
pub(super) fn forget_scope_entries(
    asking: &Asking<'_>,
    model: &BodyModel,
    interval: Option<Interval>,
    body: &mut Body,
) {
    for site in
        asking.operation.sites.iter().filter(|site| site.entry == Entry::Append && site.strength == Strength::Exact)
    {
        let Some(slot) = body.slot(&site.at).cloned() else {
            continue;
        };
        let Ok(counted) = asking.count(interval, true) else {
            continue;
        };
        let Ok(Some(scope)) = write::site(asking, model, site).conjoin(None, &counted.extent) else {
            continue;
        };
        let kept: Vec<_> = slot.filters.into_iter().filter(|filter| *filter != scope).collect();
        body.put_filters(&site.at, true, kept);
    }
}
