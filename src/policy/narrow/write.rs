//! Writes the scope into the sites of a body, beside what was asked there.

use super::{Asking, Counted};
use crate::{
    model::{
        body::{Access, BodyModel},
        operation::{Entry, Site, Strength},
        org::DivisionIx,
        refusal::{Code, Refusal},
        set::{Dim, Set},
    },
    policy::{
        conjoin,
        extent::{Asked, Extent},
    },
    query::{
        body::Body,
        dialect,
        filter::{Filter, Join},
    },
};

/// The writer of one site.
pub(super) fn site<'a>(asking: &'a Asking<'_>, model: &'a BodyModel, site: &'a Site) -> conjoin::Site<'a> {
    let carried = |wanted: Access| site.carry.iter().find(|(access, _)| *access == wanted).map(|(_, name)| &**name);
    conjoin::Site {
        org: asking.org,
        data: asking.operation.contract.data,
        dialect: model.dialect,
        queue: carried(Access::Queue),
        attribute: site.attribute(model),
        user: carried(Access::User),
        object: site.carry.iter().find_map(|(access, name)| match access {
            Access::Object(kind) => Some((*kind, &**name)),
            _ => None,
        }),
        division: carried(Access::Division).filter(|_| site.strength == Strength::Exact),
        max_clauses: asking.operation.max_clauses,
        max_predicates: asking.operation.max_predicates,
    }
}

/// Writes the scope into the sites of one body.
pub(super) struct Writer<'a> {
    pub(super) asking: &'a Asking<'a>,
    pub(super) model: &'a BodyModel,
    pub(super) extent: &'a Extent,
    /// Leg forms that further entries must say: one per division condition on the whole interaction.
    pub(super) divisions: Vec<Set<DivisionIx>>,
    pub(super) counted: &'a Counted,
    /// Predicates in the entries written so far, over all sites.
    pub(super) written: usize,
}

/// All entries of a body together may have this many times the predicates of one filter.
const BODY_BUDGET: usize = 4;

impl Writer<'_> {
    /// False when nothing can match.
    pub(super) fn write(&mut self, site: &Site, body: &mut Body) -> Result<bool, Refusal> {
        if site.strength == Strength::Cover {
            self.cover(site, body);
            return Ok(true);
        }
        let writer = self::site(self.asking, self.model, site);
        let asked = body.slot(&site.at).map(|slot| slot.filters.clone()).unwrap_or_default();
        let mut out = Vec::with_capacity(asked.len() + self.divisions.len());
        for filter in asked {
            let Some(joined) = writer.conjoin(Some(filter), self.extent)? else {
                return Ok(false);
            };
            self.spend(&joined)?;
            out.push(joined);
        }
        if site.entry == Entry::Append {
            let asked = out.len();
            for divisions in self.divisions.clone() {
                let part =
                    self.extent.restrict(self.asking.org, &Asked { divisions: Some(divisions), ..Asked::default() });
                if !part.is_empty() && out.iter().take(asked).any(|entry| writer.entails(entry, &part)) {
                    continue;
                }
                let Some(entry) = writer.conjoin(None, &part)? else {
                    return Ok(false);
                };
                self.spend(&entry)?;
                out.push(entry);
            }
        }
        if site.entry == Entry::Append
            && out.len() > 1
            && let Ok(Some(scope)) = writer.conjoin(None, self.extent)
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

    /// Each entry repeats the scope: few bytes asked must not become gigabytes sent and recorded.
    fn spend(&mut self, entry: &Filter) -> Result<(), Refusal> {
        let most = self.asking.operation.max_predicates.saturating_mul(BODY_BUDGET);
        self.written = self.written.saturating_add(entry.predicates());
        if self.written <= most {
            return Ok(());
        }
        Err(Refusal::new(
            Code::QueryTooComplex,
            format!(
                "joined with your scope the entries need more than {most} predicates in all; ask with fewer entries"
            ),
        )
        .with("needed", self.written.to_string())
        .with("limit", most.to_string()))
    }

    /// The region predicate, where the upstream has that dimension.
    fn add_region(&self, dimension: &str, out: &mut [Filter]) {
        let id = self.asking.org.region(self.asking.scope.region).id.clone();
        for filter in out {
            let region = dialect::one_of(self.model.dialect, Access::Region, dimension, vec![id.clone()]);
            let asked = std::mem::replace(filter, Filter::and(Vec::new()));
            *filter = Filter::and(vec![asked, region]).canonical();
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
        if ids.is_empty() {
            return;
        }
        let filter = dialect::one_of(self.model.dialect, Access::Division, name, ids);
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
                    Filter::Group(Join::And, items) => items,
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
