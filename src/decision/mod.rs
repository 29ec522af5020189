//! The pure chain: scope, narrow, verify. The same functions serve requests, `explain`, rule tests and lint.

use crate::{
    model::{
        entitlement::Scope,
        operation::Operation,
        org::Principal,
        refusal::{Notice, Refusal},
        world::World,
    },
    policy::guard::{GuardPlan, Guarded},
    query::Question,
    verify::Verified,
};
use jiff::Timestamp;
use std::sync::Arc;

/// What happens to a question.
#[derive(Debug)]
pub enum Decided {
    Forward(Box<Forward>),
    /// Answered from the directory, or known to be empty: nothing is sent.
    Local(Guarded),
}

#[derive(Debug)]
pub struct Forward {
    pub verified: Verified,
    /// Judges the answer.
    pub plan: GuardPlan,
    /// What was narrowed or lost.
    pub notices: Vec<Notice>,
}

/// What `holder` may see through `operation` at `now`.
pub fn scope(world: &World, holder: Principal, operation: &Operation, now: Timestamp) -> Result<Scope, Refusal> {
    let _ = (world, holder, operation, now);
    Err(Refusal::new(crate::model::refusal::Code::ScopeEmpty, "nothing"))
}

/// Narrows the question to the scope, proves the outgoing bytes, and says how the answer is judged.
pub fn decide(world: &World, scope: &Arc<Scope>, question: &Question, now: Timestamp) -> Result<Decided, Refusal> {
    let _ = (world, scope, question, now);
    Err(Refusal::new(crate::model::refusal::Code::ScopeEmpty, "nothing"))
}
