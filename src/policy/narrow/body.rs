//! Queries with a body: read strictly, judge every name, join every site with the scope, write anew.

use super::{Asking, Counted, Narrowed, Outcome, fields};
use crate::{
    model::{
        answer::Shape,
        body::{Access, BodyModel, Dialect},
        contract::Data,
        operation::{Entry, Site, Strength},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Notice, Refusal},
        set::{Dim, Set},
    },
    policy::{
        conjoin,
        extent::{Asked, Extent},
        guard::GuardPlan,
        placeholders::{self, Filling},
        time,
    },
    query::{
        body::{self, Body},
        filter::{Filter, Term},
        genesys,
        json::Value,
        platform,
    },
};
use std::collections::BTreeSet;

pub(super) fn narrow(asking: &Asking<'_>) -> Result<Outcome, Refusal> {
    let operation = asking.operation;
    let (Some(model), Some(raw)) = (operation.body(), &asking.question.body) else {
        return Err(Refusal::new(Code::QueryMalformed, "this operation needs a JSON body"));
    };
    let bpo = asking.org.is_bpo(asking.scope.holder);
    let whole = asking.whole_extent();
    let mut raw = raw.clone();
    if model.dialect == Dialect::Platform {
        let filling = Filling { org: asking.org, holder: asking.scope.holder, extent: &whole };
        placeholders::fill(&mut raw, operation.division_slot.as_deref(), &filling)?;
    }
    let mut body = body::read(model, &raw, &|field| fields::is_lifted(asking, field))?;
    fields::refuse_when(asking, &body)?;
    let grouped = fields::group_by(asking, &body, bpo)?;
    let columns = fields::columns(asking, &body);
    fields::sort(asking, &body, bpo)?;
    fields::metrics(asking, &body, bpo)?;
    let interval = match &operation.contract.time {
        Some(rule) => Some(time::read(rule, &mut body, asking.now)?),
        None => None,
    };
    let mut judge = asking.judge(&whole);
    let slot = judged_slot(asking, &body, &mut judge)?;
    let mut impossible = false;
    for at in body.filters.iter().map(|slot| slot.at.clone()).collect::<Vec<_>>() {
        impossible |= !judge_slot(&mut body, &at, &mut judge)?;
    }
    if asking.scope.entitlements.is_empty() {
        return asking.nothing_visible(&judge);
    }
    let mut notices = std::mem::take(&mut judge.notices);
    if impossible {
        return Ok(asking.empty(notices));
    }
    if names_user(&body, &grouped) && !leave_out_metrics(asking, &mut body, &mut notices) {
        return Ok(asking.empty(notices));
    }
    forget_scope_entries(asking, model, interval, &mut body)?;
    let divisions = conversation_divisions(asking, &body)?;
    let legs_shown = matches!(operation.answer.shape, Shape::Conversations | Shape::Conversation)
        && body.filters.iter().all(|slot| slot.filters.is_empty());
    let mut counted = asking.count(interval, legs_shown)?;
    notices.append(&mut counted.notices);
    let mut extent = settle_user_parts(asking, &body, &counted, &mut notices)?;
    if let Some(at) = &operation.division_slot {
        extent = choose_division(asking, at, slot.as_deref(), &extent, &mut body, &mut notices)?;
    }
    let mut writer = Writer { asking, model, extent: &extent, divisions, counted: &counted, written: 0 };
    for site in &operation.sites {
        if !writer.write(site, &mut body)? {
            return Ok(asking.empty(notices));
        }
    }
    refuse_too_wide(&body, operation.contract.max_values)?;
    let shows_legs = matches!(operation.answer.shape, Shape::Conversations | Shape::Conversation);
    let outgoing = Outgoing {
        method: operation.contract.method,
        path: asking.path(),
        query: Vec::new(),
        body: Some(body.write(model)),
    };
    let plan = GuardPlan::new(operation, &asking.world.org, asking.scope, extent.clone(), asking.now)
        .with_groups(grouped, columns);
    Ok(Outcome::Send(Box::new(Narrowed {
        outgoing,
        residual: Residual { legs: shows_legs, keys: true, windows: counted.windows },
        plan,
        notices,
    })))
}

/// Judges the one division slot of the body, when the asker filled it.
fn judged_slot(
    asking: &Asking<'_>,
    body: &Body,
    judge: &mut crate::policy::judge::Judge<'_>,
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
fn judge_slot(body: &mut Body, at: &[Box<str>], judge: &mut crate::policy::judge::Judge<'_>) -> Result<bool, Refusal> {
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
fn names_user(body: &Body, grouped: &[Access]) -> bool {
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

/// Asked by agent, the upstream gives no metric that has none, and says nothing. We take it out and say so; false
/// when nothing is left to ask for.
fn leave_out_metrics(asking: &Asking<'_>, body: &mut Body, notices: &mut Vec<Notice>) -> bool {
    let Some(rule) = &asking.operation.metrics else {
        return true;
    };
    let lacking = fields::metrics_without_user(asking, body);
    let Some(Value::Array(asked)) = body.get(&rule.at).cloned() else {
        return true;
    };
    if lacking.is_empty() {
        return true;
    }
    let kept: Vec<Value> = asked
        .into_iter()
        .filter(|metric| !metric.as_str().is_some_and(|name| lacking.iter().any(|l| **l == *name)))
        .collect();
    let names: Vec<String> = lacking.iter().map(|name| format!("`{name}`")).collect();
    notices.push(Notice::new(
        "metric.left-out",
        format!("{} has no agent and is left out of a question by agent", names.join(", ")),
    ));
    let any = !kept.is_empty();
    body.set(&rule.at, Value::Array(kept));
    any
}

/// Leaves out what only a user predicate could say, where that predicate would remove a metric or be too long.
fn settle_user_parts(
    asking: &Asking<'_>,
    body: &Body,
    counted: &Counted,
    notices: &mut Vec<Notice>,
) -> Result<Extent, Refusal> {
    let extent = counted.extent.clone();
    let lacking = fields::metrics_without_user(asking, body).into_iter().next();
    if asking.operation.contract.data != Data::Interaction || !extent.needs_users() {
        return Ok(extent);
    }
    let carries_user =
        asking.operation.sites.iter().any(|site| {
            site.strength == Strength::Exact && site.carry.iter().any(|(access, _)| *access == Access::User)
        });
    if let Some(metric) = lacking {
        let part = extent.without_users();
        if part.is_empty() {
            return Err(Refusal::new(
                Code::MetricUnscopable,
                format!("metric `{metric}` has no agent, and your rights are bound to agents; ask without it"),
            )
            .with("metric", &*metric));
        }
        notices.push(Notice::new(
            "scope.agent-parts",
            format!("metric `{metric}` has no agent: legs that only an agent makes yours, such as those without a queue, are left out"),
        ));
        return Ok(part);
    }
    if !carries_user {
        let part = extent.without_users();
        if part.is_empty() {
            return Err(Refusal::new(
                Code::OperationUnscopable,
                "your rights are bound to agents, and this operation cannot be narrowed by agent",
            ));
        }
        notices
            .push(Notice::new("scope.agent-parts", "rights that are bound to agents do not count for this operation"));
        return Ok(part);
    }
    if extent.lone.len() > asking.operation.contract.max_values {
        let part = Extent { lone: Set::new(), ..extent };
        if part.is_empty() {
            return Err(Refusal::new(
                Code::QueryTooWide,
                format!("your scope has more than {} agents and no queue", asking.operation.contract.max_values),
            ));
        }
        notices.push(Notice::new(
            "scope.agent-parts",
            "legs without a queue are left out: your divisions have too many agents to name",
        ));
        return Ok(part);
    }
    Ok(extent)
}

/// Fills the one compulsory division slot, or refuses when the scope has several and the asker named none.
fn choose_division(
    asking: &Asking<'_>,
    at: &[Box<str>],
    asked: Option<&str>,
    extent: &Extent,
    body: &mut Body,
    notices: &mut Vec<Notice>,
) -> Result<Extent, Refusal> {
    let org = asking.org;
    let held = extent.leg_divisions(org);
    let chosen = match asked.and_then(|id| org.index.divisions.get(id).copied()) {
        Some(division) => division,
        None => match held.as_slice() {
            [only] => *only,
            several => {
                let mut names: Vec<_> = several.iter().map(|division| org.division(*division).id.to_string()).collect();
                names.sort();
                return Err(Refusal::new(
                    Code::DivisionChoose,
                    format!("name one `divisionId`; you may ask for {}", names.join(", ")),
                )
                .with("divisions", names.join(",")));
            }
        },
    };
    body.set(at, Value::Text(org.division(chosen).id.clone()));
    let part = extent.restrict(org, &Asked { divisions: Some(Set::one(chosen)), ..Asked::default() });
    if asking.moved(&part) {
        notices.push(Notice::new(
            "division.moved",
            "a queue or agent of this division moved here: rows from before the move carry the old division and are missing",
        ));
    }
    Ok(part)
}

/// Divisions that the asker named where predicates speak of the whole interaction: each entry becomes a leg form.
fn conversation_divisions(
    asking: &Asking<'_>,
    body: &Body,
) -> Result<Vec<Set<crate::model::org::DivisionIx>>, Refusal> {
    let mut found = Vec::new();
    for site in asking.operation.sites.iter().filter(|site| site.strength == Strength::Cover) {
        let Some(slot) = body.slot(&site.at) else {
            continue;
        };
        for filter in &slot.filters {
            let items = match filter {
                Filter::Group(crate::query::filter::Join::And, items) => items.as_slice(),
                other => std::slice::from_ref(other),
            };
            for item in items {
                if !item.atoms().iter().any(|atom| matches!(atom.term, Term::In(Access::Division, _))) {
                    continue;
                }
                if conjoin::pure_access(item) != Some(Access::Division) {
                    return Err(Refusal::new(
                        Code::QueryTooComplex,
                        "a division stands beside other conditions in one `or`; ask for the division separately",
                    ));
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
    Ok(found)
}

/// Writes the scope into the sites of one body.
struct Writer<'a> {
    asking: &'a Asking<'a>,
    model: &'a BodyModel,
    extent: &'a Extent,
    /// Leg forms that further entries must say: one per division condition on the whole interaction.
    divisions: Vec<Set<crate::model::org::DivisionIx>>,
    counted: &'a Counted,
    /// Predicates in the entries written so far, over all sites.
    written: usize,
}

/// All entries of a body together may have this many times the predicates of one filter.
const BODY_BUDGET: usize = 4;

impl Writer<'_> {
    /// False when nothing can match.
    fn write(&mut self, site: &Site, body: &mut Body) -> Result<bool, Refusal> {
        if site.strength == Strength::Cover {
            self.cover(site, body);
            return Ok(true);
        }
        let writer = site_writer(self.asking, self.model, site);
        let most = self.asking.operation.max_predicates.saturating_mul(BODY_BUDGET);
        let asked = body.slot(&site.at).map(|slot| slot.filters.clone()).unwrap_or_default();
        let mut out = Vec::with_capacity(asked.len() + self.divisions.len());
        for filter in asked {
            let Some(joined) = writer.conjoin(Some(filter), self.extent)? else {
                return Ok(false);
            };
            // Each entry repeats the scope: few bytes asked must not become gigabytes sent and recorded.
            self.written = self.written.saturating_add(joined.predicates());
            if self.written > most {
                return Err(Refusal::new(
                    Code::QueryTooComplex,
                    format!("joined with your scope the entries need more than {most} predicates in all; ask with fewer entries"),
                )
                .with("needed", self.written.to_string())
                .with("limit", most.to_string()));
            }
            out.push(joined);
        }
        if site.entry == Entry::Append {
            for divisions in &self.divisions {
                let part = self
                    .extent
                    .restrict(self.asking.org, &Asked { divisions: Some(divisions.clone()), ..Asked::default() });
                if !part.is_empty() && out.iter().any(|entry| writer.entails(entry, &part)) {
                    continue;
                }
                let Some(entry) = writer.conjoin(None, &part)? else {
                    return Ok(false);
                };
                out.push(entry);
            }
        }
        if site.entry == Entry::Append
            && out.len() > 1
            && let Some(scope) = writer.conjoin(None, self.extent)?
        {
            // Every other entry stands inside the scope already.
            let others: Vec<_> = out.iter().filter(|entry| **entry != scope).cloned().collect();
            if !others.is_empty() {
                out = others;
            }
        }
        if out.is_empty() && site.entry != Entry::Never {
            let Some(scope) = writer.conjoin(None, self.extent)? else {
                return Ok(false);
            };
            out.push(scope);
        }
        if let Some((_, region)) = site.carry.iter().find(|(access, _)| *access == Access::Region) {
            self.add_region(region, &mut out);
        }
        if !out.is_empty() {
            body.put_filters(&site.at, site.entry != Entry::Filter, out);
        }
        Ok(true)
    }

    /// The region predicate, where the upstream has that dimension.
    fn add_region(&self, dimension: &str, out: &mut [Filter]) {
        let id = self.asking.org.region(self.asking.scope.region).id.clone();
        for filter in out {
            let region = match self.model.dialect {
                Dialect::Genesys => {
                    Filter::or(genesys::atoms_in(Access::Region, dimension, std::iter::once(id.clone())))
                }
                Dialect::Platform => platform::atom_in(Access::Region, dimension, vec![id.clone()]),
            };
            let asked = std::mem::replace(filter, Filter::and(Vec::new()));
            *filter = Filter::and(vec![asked, region.canonical()]).canonical();
        }
    }

    /// The division tags beside the leg form: a help for the upstream that proves nothing, left out when a queue or
    /// agent moved (tags keep the division of their time) and when the asker already speaks of the interaction.
    fn cover(&self, site: &Site, body: &mut Body) {
        let asked = body.slot(&site.at).is_some_and(|slot| !slot.filters.is_empty());
        let moved = self.asking.moved(self.extent);
        if asked && moved {
            Self::drop_tags(site, body);
        }
        if asked
            || moved
            || self.counted.windows
            || self.counted.entitlements.iter().any(|entitlement| !matches!(entitlement.divisions, Dim::Only(_)))
        {
            return;
        }
        let Some((_, name)) = site.carry.iter().find(|(access, _)| *access == Access::Division) else {
            return;
        };
        let ids = self
            .extent
            .leg_divisions(self.asking.org)
            .iter()
            .map(|ix| self.asking.org.division(*ix).id.clone())
            .collect::<Vec<_>>();
        if ids.is_empty() || self.model.dialect != Dialect::Genesys {
            return;
        }
        let filter = Filter::or(genesys::atoms_in(Access::Division, name, ids.into_iter())).canonical();
        body.put_filters(&site.at, site.entry != Entry::Filter, vec![filter]);
    }

    /// Takes asked division tags out where a move makes them lose rows; their leg form stands in the leg filters.
    fn drop_tags(site: &Site, body: &mut Body) {
        let Some(slot) = body.slot(&site.at).cloned() else {
            return;
        };
        let kept = slot
            .filters
            .into_iter()
            .filter_map(|filter| {
                let items = match filter {
                    Filter::Group(crate::query::filter::Join::And, items) => items,
                    other => vec![other],
                };
                let items: Vec<_> =
                    items.into_iter().filter(|item| conjoin::pure_access(item) != Some(Access::Division)).collect();
                if items.is_empty() { None } else { Some(Filter::and(items).canonical()) }
            })
            .collect();
        body.put_filters(&site.at, slot.many, kept);
    }
}

/// More values of one dimension in one filter than the upstream takes.
fn refuse_too_wide(body: &Body, limit: usize) -> Result<(), Refusal> {
    for filter in body.filters.iter().flat_map(|slot| &slot.filters) {
        for wanted in [Access::Queue, Access::User] {
            let named: BTreeSet<&str> = filter
                .atoms()
                .into_iter()
                .filter_map(|atom| atom.values())
                .filter(|(access, _)| *access == wanted)
                .flat_map(|(_, values)| values.iter().map(|value| &**value))
                .collect();
            let needed = named.len();
            if needed > limit {
                return Err(Refusal::new(
                    Code::QueryTooWide,
                    format!("this needs {needed} values and the upstream takes {limit} in one query; name at most {limit} yourself"),
                )
                .with("needed", needed.to_string())
                .with("limit", limit.to_string()));
            }
        }
    }
    Ok(())
}

/// The writer of one site.
fn site_writer<'a>(asking: &'a Asking<'_>, model: &BodyModel, site: &'a Site) -> conjoin::Site<'a> {
    let carried = |wanted: Access| site.carry.iter().find(|(access, _)| *access == wanted).map(|(_, name)| &**name);
    conjoin::Site {
        org: asking.org,
        data: asking.operation.contract.data,
        dialect: model.dialect,
        queue: carried(Access::Queue),
        user: carried(Access::User),
        max_clauses: asking.operation.max_clauses,
        max_predicates: asking.operation.max_predicates,
    }
}

/// An entry that says the asker's whole scope and nothing else is no filter of his: it is what was sent for none.
fn forget_scope_entries(
    asking: &Asking<'_>,
    model: &BodyModel,
    interval: Option<time::Interval>,
    body: &mut Body,
) -> Result<(), Refusal> {
    for site in
        asking.operation.sites.iter().filter(|site| site.entry == Entry::Append && site.strength == Strength::Exact)
    {
        let Some(slot) = body.slot(&site.at).cloned() else {
            continue;
        };
        let Ok(counted) = asking.count(interval, true) else {
            continue;
        };
        let Some(scope) = site_writer(asking, model, site).conjoin(None, &counted.extent)? else {
            continue;
        };
        let kept: Vec<_> = slot.filters.into_iter().filter(|filter| *filter != scope).collect();
        body.put_filters(&site.at, true, kept);
    }
    Ok(())
}
