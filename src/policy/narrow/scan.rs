//! Lists of which no request can name the entries: read from the beginning, page by page of the upstream, until all of
//! the list or enough of it was judged. The asked page is cut from the visible rows, so each is reached once.

use super::{Asking, Counted, Narrowed, Outcome, PATH, list, params, search};
use crate::{
    model::{
        operation::{Scan, Walk},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Notice, Refusal},
    },
    policy::{
        guard::{Cut, Gathered, GuardPlan, PageInfo, Place},
        local,
    },
};

/// The first page of the upstream's.
pub(super) fn first(asking: &Asking<'_>, scan: &Scan) -> Result<Outcome, Refusal> {
    page(asking, scan, &Place::Page(1))
}

/// The page behind what was read.
pub(super) fn next(asking: &Asking<'_>, read: &Gathered) -> Result<Box<Narrowed>, Refusal> {
    let fault = || Refusal::new(Code::Internal, "this list cannot be read on").because("a scan without its next page");
    let scan = asking.operation.scan.as_ref().ok_or_else(fault)?;
    let Outcome::Send(mut narrowed) = page(asking, scan, read.next().ok_or_else(fault)?)? else {
        return Err(fault());
    };
    // they were told with the first page
    narrowed.notices.clear();
    Ok(narrowed)
}

fn page(asking: &Asking<'_>, scan: &Scan, place: &Place) -> Result<Outcome, Refusal> {
    if asking.operation.body().is_some() {
        return search::page(asking, scan, place);
    }
    let extent = asking.whole_extent();
    let mut judge = asking.judge(&extent);
    let sent = params::listed(asking, &mut judge)?;
    refuse_everybodys(asking, scan)?;
    let cut = cut(asking, scan.walk.as_ref())?;
    let nothing = PageInfo { number: cut.number, size: cut.size, total: 0 };
    if asking.scope.entitlements.is_empty() {
        asking.refuse_empty_scope(&judge)?;
        return Ok(Outcome::Local(local::empty_page(asking.operation, nothing, judge.notices())));
    }
    let looks = asking.operation.look.is_some();
    let counted = if looks { of_legs(asking)? } else { asking.count(None, false)? };
    let Some(mut query) = sent else {
        return Ok(Outcome::Local(local::empty_page(asking.operation, nothing, judge.notices())));
    };
    let mut next = None;
    if let Some(walk) = &scan.walk {
        query.retain(|(name, _)| *name != walk.at && *name != walk.size);
        next = Some(link(asking, &query, walk, &cut));
        query.push((walk.size.clone(), walk.step.to_string()));
        match place {
            // a list that goes by places has none before its first row
            Place::Page(1) if walk.by_place => {}
            Place::Page(number) => query.push((walk.at.clone(), number.to_string())),
            Place::Named(name) => query.push((walk.at.clone(), name.to_string())),
        }
    }
    let mut notices = judge.notices();
    notices.extend(counted.notices);
    notices.extend(looks.then(left_out));
    let outgoing = Outgoing { method: asking.operation.contract.method, path: asking.path(), query, body: None };
    let plan = GuardPlan::new(asking.operation, &asking.world.org, asking.scope, counted.extent, asking.now)
        .with_cut(Cut { next: Ok(next), ..cut });
    let residual = Residual { keys: true, legs: looks, ..Residual::default() };
    Ok(Outcome::Send(Box::new(Narrowed { outgoing, residual, plan, notices })))
}

/// Where legs are looked at, they say their time and their interaction: every right counts.
pub(super) fn of_legs(asking: &Asking<'_>) -> Result<Counted, Refusal> {
    asking.count_of(&asking.scope.entitlements, None, true)
}

/// Said whether there are some or not.
pub(super) fn left_out() -> Notice {
    Notice::new("interaction.mixed", "what is of interactions that are partly other people's is left out")
}

/// A list of everybody's, read whole for the few rows that are the asker's, helps nobody.
fn refuse_everybodys(asking: &Asking<'_>, scan: &Scan) -> Result<(), Refusal> {
    let named = |param: &str| asking.question.params.iter().any(|(name, _)| **name == *param);
    if scan.narrowed_by.is_empty() || scan.narrowed_by.iter().any(|param| named(param)) {
        return Ok(());
    }
    let params: Vec<_> = scan.narrowed_by.iter().map(|param| format!("`{param}`")).collect();
    let message = format!("say of whom: this list is asked for by one of {}", params.join(", "));
    Err(Refusal::new(Code::QueryMalformed, message))
}

/// Which of the visible rows are asked for.
fn cut(asking: &Asking<'_>, walk: Option<&Walk>) -> Result<Cut, Refusal> {
    let Some(walk) = walk else { return Ok(Cut { number: 1, size: usize::MAX, skip: 0, next: Ok(None) }) };
    let positive = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
    let refused = || Refusal::new(Code::QueryMalformed, "page number and size start at 1");
    let default = i64::try_from(walk.default_size).unwrap_or(1);
    let size = positive(list::int(asking, &walk.size, default)?).ok_or_else(refused)?;
    if !walk.by_place {
        let number = positive(list::int(asking, &walk.at, 1)?).ok_or_else(refused)?;
        return Ok(Cut { number, size, skip: number.saturating_sub(1).saturating_mul(size), next: Ok(None) });
    }
    // The upstream's own place would count rows that are not the asker's: the one that is handed out counts his.
    let skip = match list::value(asking, &walk.at) {
        None => 0,
        Some(text) => text.parse().ok().filter(|skip: &usize| skip.to_string() == text).ok_or_else(|| {
            let message =
                format!("`{}` is not a place that this proxy named; ask for the list from its beginning", walk.at);
            Refusal::new(Code::QueryMalformed, message)
        })?,
    };
    Ok(Cut { number: 1, size, skip, next: Ok(None) })
}

/// Where the next page of the asker's is found: by his own words.
fn link(asking: &Asking<'_>, query: &[(Box<str>, String)], walk: &Walk, cut: &Cut) -> String {
    let behind = cut.skip.saturating_add(cut.size);
    let at = if walk.by_place { behind } else { cut.number.saturating_add(1) };
    let mut link = asking.path();
    let own = [(walk.size.clone(), cut.size.to_string()), (walk.at.clone(), at.to_string())];
    for (place, (name, value)) in query.iter().chain(&own).enumerate() {
        link.push(if place == 0 { '?' } else { '&' });
        link.push_str(name);
        link.push('=');
        link.extend(percent_encoding::utf8_percent_encode(value, PATH));
    }
    link
}
