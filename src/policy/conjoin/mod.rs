//! Joining what was asked with the scope, so that the result says exactly: asked, over the visible legs.

mod write;

use super::{
    apart::ask_apart,
    extent::{Asked, Clause, Extent, MAX_BOXES},
};
use crate::{
    model::{
        body::{Access, Dialect, ObjectOrd},
        contract::Data,
        org::{DivisionIx, Org, QueueIx, UserIx},
        refusal::{Code, Refusal},
        set::Set,
    },
    query::{
        dialect::fits,
        filter::{Filter, Join, Term},
    },
};
use std::collections::{BTreeMap, btree_map::Entry};

/// The leg forms of the divisions that one filter names, each made once.
#[derive(Debug, Default)]
struct LegForms {
    known: BTreeMap<Vec<DivisionIx>, Option<(bool, Vec<Filter>)>>,
    /// Predicates in all that were put beside items.
    size: usize,
}

/// How one site writes the scope.
#[derive(Debug)]
pub struct Site<'a> {
    pub org: &'a Org,
    pub data: Data,
    pub dialect: Dialect,
    /// Dimension that carries the queue, if any.
    pub queue: Option<&'a str>,
    /// That dimension holds values of this attribute, and not ids.
    pub attribute: Option<&'a str>,
    pub user: Option<&'a str>,
    /// Dimension that carries the flow or the team.
    pub object: Option<(ObjectOrd, &'a str)>,
    /// Dimension that carries the owning division, where rows have one of their own.
    pub division: Option<&'a str>,
    pub max_clauses: usize,
    pub max_predicates: usize,
}

impl Site<'_> {
    /// `asked` and the scope, or `None` when no leg can satisfy both.
    pub fn conjoin(&self, asked: Option<Filter>, extent: &Extent) -> Result<Option<Filter>, Refusal> {
        let Some(asked) = asked.map(Filter::canonical) else {
            return self.conjunction(Vec::new(), extent);
        };
        match asked {
            Filter::Atom(_) => self.conjunction(vec![asked], extent),
            Filter::Group(Join::And, items) => self.conjunction(items, extent),
            Filter::Group(Join::Or, items) => self.disjunction(items, extent),
        }
    }

    /// Whether a leg that satisfies `filter` is always inside this extent.
    pub fn entails(&self, filter: &Filter, extent: &Extent) -> bool {
        extent.clauses(self.data).is_some_and(|clauses| clauses.iter().all(|clause| self.implies(filter, clause)))
    }

    /// An *and* of items: restrict the scope to what they leave, then append the clauses they do not already imply.
    fn conjunction(&self, items: Vec<Filter>, extent: &Extent) -> Result<Option<Filter>, Refusal> {
        let mut settled = Vec::with_capacity(items.len());
        for item in items {
            match self.settle_divisions(item, extent)? {
                Some(item) => settled.push(item),
                None => return Ok(None),
            }
        }
        // What was settled may say more (or in another shape) than what was asked.
        let mut items = match Filter::and(settled).canonical() {
            Filter::Group(Join::And, items) => items,
            other => vec![other],
        };
        let part = extent.restrict(self.org, &self.asked(&items));
        if part.shows_nothing(self.data) {
            return Ok(None);
        }
        if self.moved(&part) {
            items.retain(|item| pure_access(item) != Some(Access::Division));
        }
        for clause in self.clauses(&part)? {
            if !items.iter().any(|item| self.implies(item, &clause)) {
                items.push(self.write(&clause)?);
            }
        }
        self.within_budget(Filter::and(items).canonical()).map(Some)
    }

    /// An *or*: branch by branch where that is cheaper, else as one clause beside the scope.
    fn disjunction(&self, items: Vec<Filter>, extent: &Extent) -> Result<Option<Filter>, Refusal> {
        let whole = Filter::or(items.clone());
        let flat = items.iter().all(|item| matches!(item, Filter::Atom(_)));
        let pure = flat && pure_access(&whole).is_some();
        let names_division = Self::names_division(&whole);
        if pure || (flat && !names_division) || self.dialect.nests() {
            return self.conjunction(vec![whole], extent);
        }
        let mut branches = Vec::with_capacity(items.len());
        let (mut product, mut ways) = (0usize, 1usize);
        for item in items {
            let mut conditions = match item {
                Filter::Group(Join::And, conditions) => conditions,
                other => vec![other],
            };
            let part = extent.restrict(self.org, &self.asked(&conditions));
            if part.shows_nothing(self.data) {
                continue;
            }
            if self.moved(&part) {
                conditions.retain(|item| pure_access(item) != Some(Access::Division));
            }
            let inside = part.clauses(self.data).is_some_and(|clauses| {
                clauses.iter().all(|clause| conditions.iter().any(|item| self.implies(item, clause)))
            });
            let copies = if inside { 1 } else { part.alternatives(self.data) };
            product = product.saturating_add(copies.saturating_mul(conditions.len() + 2));
            ways = ways.saturating_mul(conditions.len());
            // Neither form can fit any more: whatever the other branches are, they only add to it.
            if product > self.max_predicates && ways > self.max_clauses {
                return Err(self.too_complex(product));
            }
            branches.push((conditions, part, inside));
        }
        let only = match <[(Vec<Filter>, Extent, bool); 1]>::try_from(branches) {
            // Its own part: the division that it named may have been taken out of its conditions above.
            Ok([(conditions, part, _)]) => return self.conjunction(conditions, &part),
            Err(branches) if branches.is_empty() => return Ok(None),
            Err(branches) => branches,
        };
        let conjunctive = only
            .iter()
            .map(|(conditions, _, _)| conditions.len())
            .fold(1usize, usize::saturating_mul)
            .saturating_mul(only.len())
            .saturating_add(extent.clauses(self.data).map_or(usize::MAX, |all| all.iter().map(Clause::values).sum()));
        let all_inside = only.iter().all(|(_, _, inside)| *inside);
        if all_inside || names_division || product <= conjunctive {
            return self.branches(only, product);
        }
        self.clause_form(&only, conjunctive, extent)
    }

    /// One *and* for each branch and each way in which the scope allows it.
    fn branches(&self, branches: Vec<(Vec<Filter>, Extent, bool)>, size: usize) -> Result<Option<Filter>, Refusal> {
        if size > self.max_predicates {
            return Err(self.too_complex(size));
        }
        let mut out = Vec::new();
        for (conditions, part, inside) in branches {
            if inside {
                out.push(Filter::and(conditions));
                continue;
            }
            for alternative in self.alternatives(&part)? {
                out.push(Filter::and(conditions.iter().cloned().chain(alternative).collect()));
            }
        }
        self.within_budget(Filter::or(out).canonical()).map(Some)
    }

    /// The conjunctive form of the asked branches, beside the scope's clauses.
    fn clause_form(
        &self,
        branches: &[(Vec<Filter>, Extent, bool)],
        size: usize,
        extent: &Extent,
    ) -> Result<Option<Filter>, Refusal> {
        if size > self.max_predicates {
            return Err(self.too_complex(size));
        }
        let mut clauses: Vec<Vec<Filter>> = vec![Vec::new()];
        for (conditions, _, _) in branches {
            clauses = clauses
                .iter()
                .flat_map(|clause| {
                    conditions.iter().map(|condition| clause.iter().cloned().chain([condition.clone()]).collect())
                })
                .collect();
            if clauses.len() > self.max_clauses {
                return Err(self.too_complex(clauses.len()));
            }
        }
        let items = clauses.into_iter().map(|clause| Filter::or(clause).canonical()).collect();
        self.conjunction(items, extent)
    }

    /// The disjunctive form of an extent, as conditions to put beside a branch.
    fn alternatives(&self, part: &Extent) -> Result<Vec<Vec<Filter>>, Refusal> {
        let mut out = Vec::new();
        for id in part.objects.keys() {
            let object = self.object_is(&Set::one(id.clone()))?;
            if self.data != Data::Team {
                out.push(vec![object]);
                continue;
            }
            for user in &part.lone {
                out.push(vec![object.clone(), self.user_is(&Set::one(*user))?]);
            }
        }
        if self.data == Data::Case {
            for division in &part.divisions {
                out.push(vec![self.division_is(&Set::one(*division))?]);
            }
        }
        for queue in &part.all {
            out.push(vec![self.queue_is(&Set::one(*queue))?]);
        }
        for (queues, users) in &part.boxes {
            for queue in queues {
                for user in users {
                    out.push(vec![self.queue_is(&Set::one(*queue))?, self.user_is(&Set::one(*user))?]);
                }
            }
        }
        for user in part.lone.iter().filter(|_| self.data != Data::Team) {
            if self.data == Data::User {
                out.push(vec![self.user_is(&Set::one(*user))?]);
            } else {
                out.push(vec![self.no_queue()?, self.user_is(&Set::one(*user))?]);
            }
        }
        Ok(out)
    }

    /// What a conjunction of these items says about a leg's queue, agent and division.
    fn asked(&self, items: &[Filter]) -> Asked {
        let mut asked = Asked::default();
        for item in items {
            match item {
                Filter::Atom(atom) if atom.term == Term::Missing(Access::Queue) => asked.no_queue = true,
                Filter::Atom(atom) if atom.term == Term::Present(Access::Queue) => asked.some_queue = true,
                _ => {}
            }
            match pure_access(item) {
                Some(Access::Queue) => narrow(&mut asked.queues, self.queues_of(item)),
                Some(Access::User) => narrow(&mut asked.users, self.users_of(item)),
                Some(Access::Division) => narrow(&mut asked.divisions, self.divisions_of(item)),
                Some(Access::Object(kind)) if self.carries_object(kind) => {
                    narrow(&mut asked.objects, values_of(item).map(Into::into).collect());
                }
                _ => {}
            }
        }
        asked
    }

    /// A division inside an *or* with other things: the leg form of that division must stand beside the predicate.
    /// `None`: the item can never hold inside the scope.
    fn settle_divisions(&self, item: Filter, extent: &Extent) -> Result<Option<Filter>, Refusal> {
        if pure_access(&item) == Some(Access::Division) || !Self::names_division(&item) {
            return Ok(Some(item));
        }
        if !self.dialect.nests() {
            return Err(ask_apart(&item, self.dialect));
        }
        self.with_leg_forms(item, extent, &mut LegForms::default())
    }

    fn with_leg_forms(&self, item: Filter, extent: &Extent, forms: &mut LegForms) -> Result<Option<Filter>, Refusal> {
        match item {
            Filter::Atom(ref atom) if matches!(atom.term, Term::In(Access::Division, _)) => {
                let Some((moved, form)) = self.leg_form(&item, extent, forms)? else { return Ok(None) };
                let items = if moved { form } else { form.into_iter().chain([item]).collect() };
                Ok(Some(Filter::and(items).canonical()))
            }
            Filter::Atom(_) => Ok(Some(item)),
            Filter::Group(join, items) => {
                let mut kept = Vec::with_capacity(items.len());
                for item in items {
                    match (self.with_leg_forms(item, extent, forms)?, join) {
                        (Some(item), _) => kept.push(item),
                        (None, Join::And) => return Ok(None),
                        (None, Join::Or) => {}
                    }
                }
                Ok(if kept.is_empty() { None } else { Some(Filter::Group(join, kept).canonical()) })
            }
        }
    }

    /// What the scope is in the divisions that an item names, and whether it takes the item's place.
    fn leg_form(
        &self,
        item: &Filter,
        extent: &Extent,
        forms: &mut LegForms,
    ) -> Result<Option<(bool, Vec<Filter>)>, Refusal> {
        let divisions = self.divisions_of(item);
        let form = match forms.known.entry(divisions.as_slice().to_vec()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let part = extent.restrict(self.org, &Asked { divisions: Some(divisions), ..Asked::default() });
                let form = if part.is_empty() {
                    None
                } else {
                    let written: Result<Vec<_>, _> =
                        self.clauses(&part)?.iter().map(|clause| self.write(clause)).collect();
                    Some((self.moved(&part), written?))
                };
                free.insert(form)
            }
        };
        // Each item repeats its form: few bytes asked must not become gigabytes before anybody looks.
        if let Some((_, form)) = form {
            forms.size = forms.size.saturating_add(form.iter().map(Filter::predicates).sum());
        }
        if forms.size > self.max_predicates { Err(self.too_complex(forms.size)) } else { Ok(form.clone()) }
    }

    /// Whether a queue or agent of this extent changed division: tags keep the division of their time, so an asked
    /// tag would lose rows that its leg form gives. The tags of a flow's runs are always those of interactions: a flow's
    /// own division is said by naming the flows.
    fn moved(&self, part: &Extent) -> bool {
        self.data == Data::Flow
            || part.queues().iter().any(|queue| self.org.queue(*queue).moved)
            || part.lone.iter().any(|user| self.org.user(*user).moved)
    }

    /// Whether every leg that satisfies `item` satisfies `clause`.
    fn implies(&self, item: &Filter, clause: &Clause) -> bool {
        match item {
            Filter::Group(Join::Or, items) => !items.is_empty() && items.iter().all(|item| self.implies(item, clause)),
            Filter::Group(Join::And, items) => items.iter().any(|item| self.implies(item, clause)),
            Filter::Atom(atom) => match &atom.term {
                Term::In(Access::Queue, values) => values
                    .iter()
                    .all(|value| self.org.index.queues.get(value).is_some_and(|queue| clause.queues.contains(queue))),
                Term::In(Access::User, values) => values
                    .iter()
                    .all(|value| self.org.index.users.get(value).is_some_and(|user| clause.users.contains(user))),
                Term::In(Access::Object(kind), values) if self.carries_object(*kind) => {
                    values.iter().all(|value| clause.objects.contains(value))
                }
                Term::In(Access::Division, values) => values.iter().all(|value| {
                    self.org.index.divisions.get(value).is_some_and(|division| clause.divisions.contains(division))
                }),
                Term::Missing(Access::Queue) => clause.no_queue,
                _ => false,
            },
        }
    }

    fn carries_object(&self, kind: ObjectOrd) -> bool {
        self.object.is_some_and(|(carried, _)| carried == kind)
    }

    fn queues_of(&self, filter: &Filter) -> Set<QueueIx> {
        values_of(filter).filter_map(|value| self.org.index.queues.get(value).copied()).collect()
    }
    fn users_of(&self, filter: &Filter) -> Set<UserIx> {
        values_of(filter).filter_map(|value| self.org.index.users.get(value).copied()).collect()
    }
    fn divisions_of(&self, filter: &Filter) -> Set<DivisionIx> {
        values_of(filter).filter_map(|value| self.org.index.divisions.get(value).copied()).collect()
    }

    fn names_division(filter: &Filter) -> bool {
        filter.atoms().into_iter().any(|atom| matches!(atom.term, Term::In(Access::Division, _)))
    }

    /// The clauses of what the asker's own conjunction leaves of the scope, as many as one query takes.
    fn clauses(&self, part: &Extent) -> Result<Vec<Clause>, Refusal> {
        let Some(clauses) = part.clauses(self.data) else {
            let parts = part.boxes.len();
            return Err(Refusal::new(
                Code::ScopeTooComplex,
                format!(
                    "your rights fall into {parts} unrelated parts here, and {MAX_BOXES} fit into one query: name the queues or \
                     the agent that you want, or ask the administrator to merge them"
                ),
            )
            .with("parts", parts.to_string())
            .with("limit", MAX_BOXES.to_string()));
        };
        if clauses.len() > self.max_clauses {
            return Err(self.too_complex(clauses.len()));
        }
        Ok(clauses)
    }

    fn within_budget(&self, filter: Filter) -> Result<Filter, Refusal> {
        if filter.predicates() > self.max_predicates || !fits(self.dialect, &filter) {
            return Err(self.too_complex(filter.predicates()));
        }
        Ok(filter)
    }

    fn too_complex(&self, size: usize) -> Refusal {
        Refusal::new(
            Code::QueryTooComplex,
            format!(
                "joined with your scope this needs {size} predicates or clauses; {} predicates in {} clauses fit: ask for less at a time",
                self.max_predicates, self.max_clauses
            ),
        )
        .with("needed", size.to_string())
        .with("limit", self.max_predicates.to_string())
    }
}

/// The kind of access that every atom of an item positively names, when the item is one atom or a flat *or*.
pub fn pure_access(item: &Filter) -> Option<Access> {
    let of = |filter: &Filter| match filter {
        Filter::Atom(atom) => match atom.term {
            Term::In(access, _) => Some(access),
            _ => None,
        },
        Filter::Group(..) => None,
    };
    match item {
        Filter::Atom(_) => of(item),
        Filter::Group(Join::Or, items) => {
            let first = of(items.first()?)?;
            items.iter().all(|item| of(item) == Some(first)).then_some(first)
        }
        Filter::Group(Join::And, _) => None,
    }
}

fn values_of(filter: &Filter) -> impl Iterator<Item = &str> {
    filter
        .atoms()
        .into_iter()
        .filter_map(|atom| match &atom.term {
            Term::In(_, values) => Some(values),
            _ => None,
        })
        .flatten()
        .map(|value| &**value)
}

fn narrow<T: Ord + Clone>(known: &mut Option<Set<T>>, more: Set<T>) {
    *known = Some(match known.take() {
        Some(known) => known.intersection(&more),
        None => more,
    });
}
