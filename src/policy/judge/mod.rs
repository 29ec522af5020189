//! Judging what the asker names: every id, wherever it stands, is inside his scope or the question is refused.

mod names;

use super::extent::Extent;
use crate::{
    model::{
        body::Access,
        entitlement::Scope,
        operation::{Operation, Outside},
        org::{DivisionIx, Org, QueueIx},
        refusal::{Code, Echo, Notice, Refusal},
        set::Set,
    },
    query::{
        dialect,
        filter::{Atom, Filter, Join, Term},
    },
};
use std::collections::BTreeSet;

/// Everything a judgement rests on.
#[derive(Debug)]
pub struct Judge<'a> {
    pub org: &'a Org,
    pub scope: &'a Scope,
    pub operation: &'a Operation,
    /// Over all live entitlements of the action, whatever their data windows.
    pub extent: &'a Extent,
    /// Every queue of the extent.
    queues: Set<QueueIx>,
    /// Every division of it.
    divisions: Set<DivisionIx>,
    /// Names that the proxy itself filled in for the asker.
    filled: BTreeSet<Box<str>>,
    /// Names that a rule lets be left out, and those of them that are.
    named: BTreeSet<Box<str>>,
    left_out: BTreeSet<Box<str>>,
    notices: Vec<Notice>,
}

/// What one named value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Inside,
    /// A queue of the asker's own scope that was archived or deleted.
    Dead,
    /// To be dropped with a notice, by rule.
    Dropped,
}

impl<'a> Judge<'a> {
    pub fn new(org: &'a Org, scope: &'a Scope, operation: &'a Operation, extent: &'a Extent) -> Self {
        Self {
            org,
            scope,
            operation,
            extent,
            queues: extent.queues(),
            divisions: extent.leg_divisions(org),
            filled: BTreeSet::new(),
            named: BTreeSet::new(),
            left_out: BTreeSet::new(),
            notices: Vec::new(),
        }
    }

    /// Does not count these as names of the asker's.
    #[must_use]
    pub fn with_filled(self, filled: BTreeSet<Box<str>>) -> Self {
        Self { filled, ..self }
    }

    /// What was narrowed or lost by these judgements.
    pub fn notices(self) -> Vec<Notice> {
        let mut notices = self.notices;
        let (left_out, named) = (self.left_out.len(), self.named.len());
        if left_out > 0 {
            let text = format!("{left_out} of {named} names are not in your scope and left out");
            notices.push(Notice::new("scope.outside", text));
        }
        notices
    }

    /// Judges a whole filter; gives it back without values that a rule says to drop. `None`: nothing can match.
    pub fn filter(&mut self, filter: Filter) -> Result<Option<Filter>, Refusal> {
        let filter = self.bound(filter)?;
        let named = named_queues(self.org, &filter);
        Ok(simplify(self.judged(filter, &named)?))
    }

    /// Values that stand for queues become the queues, before anything is judged. What stands for none is outside:
    /// it is never read as an id.
    fn bound(&mut self, filter: Filter) -> Result<Filter, Refusal> {
        match filter {
            Filter::Group(join, items) => {
                let items: Result<Vec<_>, _> = items.into_iter().map(|item| self.bound(item)).collect();
                Ok(Filter::Group(join, items?))
            }
            Filter::Atom(ref atom @ Atom { term: Term::In(Access::Attribute, ref values), ref text }) => {
                let name = self.dimension_of(atom);
                let mut bound = Vec::with_capacity(values.len());
                for value in values {
                    if let Some(queue) = self.bound_queue(&name, value) {
                        bound.push((self.org.queue(queue).id.clone(), value.clone()));
                    } else {
                        self.outside(value, "stands for no queue")?;
                    }
                }
                if bound.len() == values.len() {
                    let mut queues: Vec<_> = bound.into_iter().map(|(queue, _)| queue).collect();
                    queues.sort();
                    return Ok(Filter::Atom(Atom { term: Term::In(Access::Queue, queues), text: text.clone() }));
                }
                Ok(if bound.is_empty() { Filter::or(Vec::new()) } else { self.bound_to(&name, bound) })
            }
            Filter::Atom(ref atom @ Atom { term: Term::NotIn(Access::Attribute, ref values), ref text }) => {
                let name = self.dimension_of(atom);
                let queues = values.iter().map(|value| {
                    let queue = self.bound_queue(&name, value);
                    let queue =
                        queue.ok_or_else(|| Refusal::outside(format!("`{}`: stands for no queue", Echo(value))))?;
                    Ok(self.org.queue(queue).id.clone())
                });
                let mut queues = queues.collect::<Result<Vec<_>, Refusal>>()?;
                queues.sort();
                Ok(Filter::Atom(Atom { term: Term::NotIn(Access::Queue, queues), text: text.clone() }))
            }
            Filter::Atom(_) => Ok(filter),
        }
    }

    fn bound_queue(&self, dimension: &str, value: &str) -> Option<QueueIx> {
        let attribute = self.operation.body()?.attribute(dimension)?;
        self.org.bound_queue(attribute, value)
    }

    fn judged(&mut self, filter: Filter, named: &Set<QueueIx>) -> Result<Filter, Refusal> {
        match filter {
            Filter::Group(join, items) => {
                let items: Result<Vec<_>, _> = items.into_iter().map(|item| self.judged(item, named)).collect();
                Ok(Filter::Group(join, items?))
            }
            Filter::Atom(atom) => self.atom(atom, named),
        }
    }

    fn atom(&mut self, atom: Atom, named: &Set<QueueIx>) -> Result<Filter, Refusal> {
        match &atom.term {
            Term::Other => Ok(Filter::Atom(atom)),
            Term::In(access, values) => {
                let access = *access;
                let mut kept = Vec::with_capacity(values.len());
                for value in values {
                    match self.value(access, value, named)? {
                        Verdict::Inside => kept.push(value.clone()),
                        Verdict::Dead => self.dead(value)?,
                        Verdict::Dropped => {}
                    }
                }
                if kept.len() == values.len() {
                    return Ok(Filter::Atom(atom));
                }
                if kept.is_empty() {
                    return Ok(Filter::or(Vec::new()));
                }
                // Only some dialects have several values in one predicate.
                let name = self.dimension_of(&atom);
                Ok(match self.operation.body().and_then(|body| body.attribute(&name)) {
                    Some(attribute) => self.bound_to(&name, self.values_of(&kept, attribute)),
                    None => self.one_of(access, &name, kept),
                })
            }
            Term::NotIn(access, values) => {
                for value in values {
                    match self.value(*access, value, named)? {
                        Verdict::Inside => {}
                        Verdict::Dead if self.counts(value) => {}
                        Verdict::Dead => return Err(stale(value)),
                        // To leave it out would ask for more than was asked.
                        Verdict::Dropped => return Err(Refusal::outside(format!("`{}`: negated", Echo(value)))),
                    }
                }
                if matches!(access, Access::Division | Access::Region) {
                    return Err(negated(*access));
                }
                Ok(Filter::Atom(atom))
            }
            Term::Missing(access) | Term::Present(access) => {
                if matches!(access, Access::Division | Access::Region) {
                    return Err(negated(*access));
                }
                Ok(Filter::Atom(atom))
            }
        }
    }

    fn dimension_of(&self, atom: &Atom) -> String {
        let dialect = self.operation.body().map(|body| body.dialect);
        dialect.and_then(|dialect| dialect::dimension_of(dialect, atom)).unwrap_or_default()
    }

    /// Without a body there is no filter; nothing then is nobody.
    fn one_of(&self, access: Access, name: &str, values: Vec<Box<str>>) -> Filter {
        let none = || Filter::or(Vec::new());
        self.operation.body().map_or_else(none, |body| dialect::one_of(body.dialect, access, name, values))
    }

    fn bound_to(&self, name: &str, bound: Vec<(Box<str>, Box<str>)>) -> Filter {
        let none = || Filter::or(Vec::new());
        self.operation.body().map_or_else(none, |body| dialect::bound(body.dialect, name, bound))
    }

    fn values_of(&self, queues: &[Box<str>], attribute: &str) -> Vec<(Box<str>, Box<str>)> {
        let bound = queues.iter().filter_map(|id| {
            let queue = self.org.index.queues.get(id)?;
            Some((id.clone(), self.org.bound_value(*queue, attribute)?.into()))
        });
        bound.collect()
    }

    /// Judges one id outside a filter (a path, a parameter, a slot).
    pub fn id(&mut self, access: Access, value: &str) -> Result<bool, Refusal> {
        match self.value(access, value, &Set::new())? {
            Verdict::Inside => Ok(true),
            Verdict::Dead => self.dead(value).map(|()| false),
            Verdict::Dropped => Ok(false),
        }
    }

    /// Judges a list of ids outside a filter, and gives those that stay. As in a filter, a dead queue may stand in a list
    /// that names every visible queue of its division.
    pub fn ids(&mut self, access: Access, values: &[&str]) -> Result<Vec<Box<str>>, Refusal> {
        let known = values.iter().filter_map(|value| self.org.index.queues.get(*value).copied());
        let named: Set<QueueIx> = if access == Access::Queue { known.collect() } else { Set::new() };
        let mut kept = Vec::with_capacity(values.len());
        for value in values {
            match self.value(access, value, &named)? {
                Verdict::Inside => kept.push((*value).into()),
                Verdict::Dead => self.dead(value)?,
                Verdict::Dropped => {}
            }
        }
        Ok(kept)
    }

    fn value(&mut self, access: Access, value: &str, named: &Set<QueueIx>) -> Result<Verdict, Refusal> {
        if self.operation.outside == Outside::Narrow
            && matches!(access, Access::Queue | Access::User | Access::Object(_))
            && !self.filled.contains(value)
        {
            self.named.insert(value.into());
        }
        match access {
            Access::Queue => self.queue(value, named),
            Access::User => self.user(value),
            Access::Division => self.division(value).map(|()| Verdict::Inside),
            Access::Region => self.region(value).map(|()| Verdict::Inside),
            Access::Group => self.group(value),
            // An interaction is judged by its legs, on the answer.
            Access::Conversation => Ok(Verdict::Inside),
            Access::Object(kind) if self.operation.contract.data.object() == Some(kind) => self.object(value),
            Access::Object(_) | Access::Attribute | Access::Job | Access::Unowned => {
                Err(Refusal::outside(format!("`{}`: this kind of object carries no scope here", Echo(value))))
            }
        }
    }

    fn outside(&mut self, value: &str, why: &str) -> Result<Verdict, Refusal> {
        match self.operation.outside {
            Outside::Refuse => Err(Refusal::outside(format!("`{}`: {why}", Echo(value)))),
            Outside::Narrow => {
                self.named.insert(value.into());
                self.left_out.insert(value.into());
                Ok(Verdict::Dropped)
            }
        }
    }

    /// The refusal of a scan over a parent division, with the leaves that this asker may ask for.
    pub fn parent_scan(&self) -> Refusal {
        let mut leaves: Vec<_> =
            self.divisions.iter().map(|division| self.org.division(*division).id.to_string()).collect();
        leaves.sort();
        let allowed = if leaves.is_empty() {
            "none; ask the administrator for an assignment in a leaf division".to_owned()
        } else {
            leaves.join(", ")
        };
        Refusal::new(
            Code::DivisionParentScan,
            format!("a parent division cannot be scanned; leaf divisions you may ask for: {allowed}"),
        )
        .with("divisions", leaves.join(","))
    }
}

fn stale(value: &str) -> Refusal {
    Refusal::new(
        Code::QueryDeadQueue,
        format!("queue `{value}` was archived or deleted; take it out of the list or use `${{user.queueIds}}`"),
    )
    .with("queue", value)
}

pub fn cross_region(cause: String) -> Refusal {
    Refusal::new(
        Code::RegionCrossRegionScan,
        "you may only ask for data of your own region; only an audit of metadata crosses to another one",
    )
    .because(cause)
}

fn negated(access: Access) -> Refusal {
    let what = if access == Access::Region { "region" } else { "division" };
    Refusal::new(Code::QueryTooComplex, format!("a {what} can only be named positively; list those that you want"))
}

/// Every queue that the filter names in a positive predicate.
fn named_queues(org: &Org, filter: &Filter) -> Set<QueueIx> {
    filter
        .atoms()
        .into_iter()
        .filter_map(|atom| match &atom.term {
            Term::In(Access::Queue, values) => Some(values),
            _ => None,
        })
        .flatten()
        .filter_map(|value| org.index.queues.get(value).copied())
        .collect()
}

/// Takes out what can never match, and of an *and* what always does. An empty *or* is nothing; an *or* in which something
/// always matches does so itself.
fn simplify(filter: Filter) -> Option<Filter> {
    match filter {
        Filter::Atom(_) => Some(filter),
        Filter::Group(Join::Or, items) => {
            let items: Vec<_> = items.into_iter().filter_map(simplify).collect();
            match items.iter().find(|item| always(item)) {
                Some(item) => Some(item.clone()),
                None if items.is_empty() => None,
                None => Some(Filter::or(items).canonical()),
            }
        }
        Filter::Group(Join::And, items) => {
            let items: Option<Vec<_>> = items.into_iter().map(simplify).collect();
            items.map(|items| Filter::and(items.into_iter().filter(|item| !always(item)).collect()).canonical())
        }
    }
}

/// An *and* of nothing matches everything.
fn always(filter: &Filter) -> bool {
    matches!(filter, Filter::Group(Join::And, items) if items.is_empty())
}
