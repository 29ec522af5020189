//! A question about more people than one query may name becomes several, each about some of them. Every row is of one
//! person, so the parts share no row, and together they are the whole.

use super::{Asking, fields, fit};
use crate::{
    model::{
        body::Access,
        operation::{Entry, Split, Strength},
        org::UserIx,
        refusal::{Code, Refusal},
        set::Set,
    },
    policy::{conjoin, extent::Extent, together::Together},
    query::{
        body::Body,
        dialect,
        filter::{Atom, Filter, Join, Term},
        json::Value,
    },
};

/// The bodies that are sent, each with what is visible through it, and how their answers are put together. `refusal` is what
/// the question gets where this cannot be done.
pub(super) fn parts(
    asking: &Asking<'_>,
    body: &Body,
    extent: &Extent,
    grouped: &[Access],
    refusal: Refusal,
) -> Result<(Vec<(Body, Extent)>, Together), Refusal> {
    let Some(split) = &asking.operation.split else { return Err(refusal) };
    let Some(dialect) = asking.operation.body().map(|body| body.dialect) else { return Err(refusal) };
    let site =
        asking.operation.sites.iter().find(|site| site.strength == Strength::Exact && site.entry == Entry::Filter);
    let named = site.and_then(|site| {
        let (_, name) = site.carry.iter().find(|(access, _)| *access == Access::User)?;
        let [filter] = body.slot(&site.at)?.filters.as_slice() else { return None };
        Some((site, name, filter))
    });
    let Some((site, name, filter)) = named else { return Err(refusal) };
    let (users, rest) = people(asking, filter);
    let Some(users) = users else { return Err(refusal) };
    // whatever else is said of people takes a place in every part
    let others = rest.iter().map(of_people).sum();
    let Some(limit) = asking.operation.contract.max_values.checked_sub(others).filter(|limit| *limit > 0) else {
        return Err(refusal);
    };
    let together = together(asking, body, grouped, split).ok_or(refusal)?;
    if users.len().div_ceil(limit) > split.parts {
        let most = limit.saturating_mul(split.parts);
        let message = format!(
            "this is about {} people, and {most} are asked for at once, in parts of {limit}; name at most {most} yourself",
            users.len()
        );
        return Err(Refusal::new(Code::QueryTooWide, message)
            .with("needed", users.len().to_string())
            .with("limit", most.to_string()));
    }
    let mut parts = Vec::new();
    for some in users.as_slice().chunks(limit) {
        let some: Set<UserIx> = some.iter().copied().collect();
        let ids = some.iter().map(|user| asking.org.user(*user).id.clone()).collect();
        let one_of = dialect::one_of(dialect, Access::User, name, ids);
        let filter = Filter::and(rest.iter().cloned().chain([one_of]).collect()).canonical();
        let mut part = body.clone();
        part.put_filters(&site.at, false, vec![filter]);
        fit::refuse_too_wide(&part, limit)?;
        parts.push((part, Extent { lone: some, ..extent.clone() }));
    }
    Ok((parts, together))
}

/// More predicates on people than one query takes, though they name few: lists that overlap become one.
pub(super) fn overfull(asking: &Asking<'_>, body: &Body) -> Option<Refusal> {
    let limit = asking.operation.contract.max_values;
    let needed = body.filters.iter().flat_map(|slot| &slot.filters).map(of_people).max()?;
    let says = || format!("this needs {needed} predicates on people and the upstream takes {limit} in one query");
    (asking.operation.split.is_some() && needed > limit).then(|| Refusal::new(Code::QueryTooWide, says()))
}

/// How many predicates on people a filter has.
fn of_people(filter: &Filter) -> usize {
    let says = |atom: &Atom| match &atom.term {
        Term::In(Access::User, values) | Term::NotIn(Access::User, values) => values.len(),
        Term::Missing(Access::User) | Term::Present(Access::User) => 1,
        _ => 0,
    };
    filter.atoms().into_iter().map(says).sum()
}

/// The people to whom a conjunction is bound, and what else it says. `None`: to nobody by name.
fn people(asking: &Asking<'_>, filter: &Filter) -> (Option<Set<UserIx>>, Vec<Filter>) {
    let items = match filter {
        Filter::Group(Join::And, items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let (mut users, mut rest): (Option<Set<UserIx>>, Vec<Filter>) = (None, Vec::new());
    for item in items {
        if conjoin::pure_access(item) != Some(Access::User) {
            rest.push(item.clone());
            continue;
        }
        let atoms = item.atoms();
        let ids = atoms.iter().filter_map(|atom| atom.values()).flat_map(|(_, values)| values);
        let these = ids.filter_map(|id| asking.org.index.users.get(id).copied()).collect();
        users = Some(users.map_or_else(|| Set::clone(&these), |known| known.intersection(&these)));
    }
    (users, rest)
}

/// Rows of different people stand beside each other; counts of all of them are added where the rule says that they may be.
fn together(asking: &Asking<'_>, body: &Body, grouped: &[Access], split: &Split) -> Option<Together> {
    if grouped.contains(&Access::User) {
        return Some(Together::beside(asking.operation));
    }
    let rule = asking.operation.metrics.as_ref()?;
    let asked = fields::words(body, &rule.at);
    let additive = |name: &&str| split.additive.iter().any(|known| **known == **name);
    let all = matches!(body.get(&rule.at), Some(Value::Array(items)) if items.len() == asked.len());
    (all && !asked.is_empty() && asked.iter().all(additive)).then(|| Together::added(asking.operation))
}
