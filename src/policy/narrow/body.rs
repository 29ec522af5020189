//! Queries with a body: read strictly, judge every name, join every site with the scope, write anew.

use super::{Asking, Narrowed, Outcome, asked, fields, fit, params, split, write::Writer};
use crate::{
    model::{
        answer::Shape,
        outgoing::{Outgoing, Residual},
        refusal::{Code, Refusal},
    },
    policy::{
        extent::Extent,
        guard::GuardPlan,
        outsourcers,
        placeholders::{self, Filling},
        time,
    },
    query::body::{self, Body},
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
    let mut filled = BTreeSet::new();
    if model.dialect.has_placeholders() {
        let filling = Filling { org: asking.org, holder: asking.scope.holder, extent: &whole };
        filled = placeholders::fill(&mut raw, operation.division_slot.as_deref(), &filling)?;
    }
    let mut body = body::read(model, &raw, &|field, kind| asking.hides(field, kind))?;
    fields::refuse_when(asking, &body, model)?;
    let grouped = fields::group_by(asking, &body, bpo)?;
    let columns = fields::columns(asking, &body);
    fields::sort(asking, &body, bpo)?;
    let selected = fields::select(asking, &mut body)?;
    fields::metrics(asking, &body, bpo)?;
    let interval = match &operation.contract.time {
        Some(rule) => Some(time::read(rule, &mut body, asking.now)?),
        None => None,
    };
    let mut judge = asking.judge(&whole).with_filled(filled);
    let slot = asked::judged_slot(asking, &body, &mut judge)?;
    let mut impossible = false;
    for at in body.filters.iter().map(|slot| slot.at.clone()).collect::<Vec<_>>() {
        impossible |= !asked::judge_slot(&mut body, &at, &mut judge)?;
    }
    let query = params::listed(asking, &mut judge)?;
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Ok(asking.empty(Some(&body), judge.notices()));
    }
    let mut notices = judge.notices();
    let Some(query) = query.filter(|_| !impossible) else {
        return Ok(asking.empty(Some(&body), notices));
    };
    if asked::names_user(&body, &grouped) && !fit::leave_out_metrics(asking, &mut body, &mut notices) {
        return Ok(asking.empty(Some(&body), notices));
    }
    asked::forget_scope_entries(asking, model, interval, &mut body);
    let divisions = asked::conversation_divisions(asking, &body, model.dialect)?;
    let legs_shown = matches!(operation.answer.shape, Shape::Conversations | Shape::Conversation)
        && body.filters.iter().all(|slot| slot.filters.is_empty());
    let mut counted = asking.count(interval, legs_shown)?;
    notices.append(&mut counted.notices);
    fit::settle_bound_rights(asking, &counted, &mut notices)?;
    let mut extent = fit::settle_user_parts(asking, &body, &counted, &mut notices)?;
    if let Some(at) = &operation.division_slot {
        extent = fit::choose_division(asking, at, slot.as_deref(), &extent, &mut body, &mut notices)?;
    }
    let mut writer = Writer { asking, model, extent: &extent, divisions, counted: &counted, written: 0 };
    for site in &operation.sites {
        if !writer.write(site, &mut body)? {
            return Ok(asking.empty(Some(&body), notices));
        }
    }
    notices.extend(outsourcers::refuse_mixed_totals(asking.org, operation, &grouped, &body)?);
    let shows_legs = matches!(operation.answer.shape, Shape::Conversations | Shape::Conversation);
    let mut narrowed = |body: &Body, extent: Extent| Narrowed {
        outgoing: Outgoing {
            method: operation.contract.method,
            path: asking.path(),
            query: query.clone(),
            body: Some(body.write(model).into()),
        },
        residual: Residual { legs: shows_legs, keys: true, windows: counted.windows, links: Vec::new() },
        plan: GuardPlan::new(operation, &asking.world.org, asking.scope, extent, asking.now)
            .with_groups(grouped.clone(), columns.clone())
            .with_documents(body.aggregations.clone(), selected.clone())
            .with_window(counted.windows),
        // told once, with the first part
        notices: std::mem::take(&mut notices),
    };
    let wide = fit::refuse_too_wide(&body, operation.contract.max_values).err();
    let Some(refusal) = wide.or_else(|| split::overfull(asking, &body)) else {
        return Ok(Outcome::Send(Box::new(narrowed(&body, extent))));
    };
    let (parts, together) = split::parts(asking, &body, &extent, &grouped, refusal)?;
    Ok(Outcome::Parts(parts.into_iter().map(|(body, extent)| narrowed(&body, extent)).collect(), together))
}
