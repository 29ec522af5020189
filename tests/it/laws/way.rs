//! A case between the pure stages, before anything is changed there.

use super::{
    case::{Case, Organisation},
    program,
};
use crate::oracle::generate::Dice;
use bailiwick::{model::entitlement::Scope, query::Question};
use std::sync::Arc;

/// One case on its way: what is true, the scope that is due, and the question as it was read.
pub(super) struct Way<'a> {
    pub(super) organisation: &'a Organisation,
    pub(super) case: &'a Case,
    pub(super) scope: Arc<Scope>,
    pub(super) question: Question,
}

impl<'a> Way<'a> {
    /// `None`: whoever asks has no scope here.
    pub(super) fn of(organisation: &'a Organisation, case: &'a Case) -> Option<Self> {
        let scope = program::scope(&organisation.world, &case.person, case.kind, case.now).ok()?;
        let question = program::question(case.kind, case.body.as_bytes());
        Some(Self { organisation, case, scope: Arc::new(scope), question })
    }
}

/// An organisation for each seed, and the dice that drew it, for the cases in it.
pub(super) fn organisations(seeds: impl IntoIterator<Item = u64>) -> impl Iterator<Item = (Dice, Organisation)> {
    seeds.into_iter().map(|seed| {
        let mut dice = Dice::new(seed);
        let organisation = Organisation::draw(&mut dice);
        (dice, organisation)
    })
}
