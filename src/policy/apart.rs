//! What one query cannot say, as the queries that can.

use super::conjoin::pure_access;
use crate::{
    model::{
        body::{Access, Dialect},
        refusal::{Code, Refusal},
    },
    query::{
        dialect::{fits, write},
        filter::{Filter, Join, Term},
    },
};

/// More than these are no advice.
const MAX_QUERIES: usize = 4;
const MAX_BYTES: usize = 1_000;

/// A division beside other conditions in one *or*: its leg form would have to stand beside one part of it only.
pub(super) fn ask_apart(item: &Filter, dialect: Dialect) -> Refusal {
    let why = "a division stands beside other conditions in one `or`";
    let advice = queries(item).and_then(|queries| spelt(&queries, dialect));
    let message = match advice {
        Some(spelt) => format!(
            "{why}; ask separately, in its place {} (a row may be in several of the answers)",
            spelt.join(" and then ")
        ),
        None => format!("{why}; ask for the division separately"),
    };
    Refusal::new(Code::QueryTooComplex, message)
}

fn queries(item: &Filter) -> Option<Vec<Filter>> {
    let Filter::Group(Join::Or, parts) = item else { return None };
    let names_division =
        |part: &Filter| part.atoms().iter().any(|atom| matches!(atom.term, Term::In(Access::Division, _)));
    let (divisions, others): (Vec<_>, Vec<_>) = parts.iter().cloned().partition(names_division);
    let (pure, mixed): (Vec<_>, Vec<_>) =
        divisions.into_iter().partition(|part| pure_access(part) == Some(Access::Division));
    let joined = [pure, others].into_iter().filter(|parts| !parts.is_empty()).map(Filter::or);
    let queries: Vec<_> = joined.chain(mixed).collect();
    (2..=MAX_QUERIES).contains(&queries.len()).then_some(queries)
}

fn spelt(queries: &[Filter], dialect: Dialect) -> Option<Vec<String>> {
    let spell = |filter: &Filter| {
        let mut out = Vec::new();
        if !fits(dialect, filter) {
            return None;
        }
        write(dialect, filter, &mut out);
        String::from_utf8(out).ok().filter(|text| text.len() <= MAX_BYTES).map(|text| format!("`{text}`"))
    };
    queries.iter().map(spell).collect()
}
