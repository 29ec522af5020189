//! The pure chain: scope, narrow, verify. The same functions serve requests, `explain`, rule tests and lint.

pub mod saved;
pub mod schedules;

use crate::{
    model::{
        contract::{Effect, ParamKind},
        entitlement::Scope,
        job::Job,
        operation::Operation,
        org::{Principal, RegionIx},
        outgoing::Outgoing,
        refusal::{Code, Echo, Notice, Refusal},
        world::World,
    },
    policy::{
        self,
        guard::{Gathered, GuardPlan, Guarded, Read, Unguarded},
        narrow::{Narrowed, Outcome, interactions, lost, scope_changed},
        together::Together,
    },
    query::{Question, hide::hide},
    verify::{self, JobUnproved, Unproved, Verified, VerifiedLink},
};
use jiff::Timestamp;
use std::sync::Arc;

/// What happens to a question.
#[derive(Debug)]
pub enum Decided {
    Forward(Box<Forward>),
    /// In parts, each of which is proved and judged by itself.
    Split(Box<Split>),
    /// Answered from the directory, or known to be empty: nothing is sent.
    Local(Guarded),
    /// Answered with what was kept of asking the very same before.
    Kept(Box<Again>),
}

#[derive(Debug)]
pub struct Forward {
    pub verified: Verified,
    /// Judges the answer.
    pub plan: GuardPlan,
    /// What was narrowed or lost.
    pub notices: Vec<Notice>,
}

/// A question that would be sent as it was before, and what was kept of its answer then.
#[derive(Debug)]
pub struct Again {
    /// The rights by which it is shown.
    pub scope: Arc<Scope>,
    pub forward: Forward,
    /// Judged then, and about to be judged once more.
    pub answer: Unguarded,
    pub notices: Vec<Notice>,
}

/// One question that is asked in parts.
#[derive(Debug)]
pub struct Split {
    parts: Vec<Forward>,
    together: Together,
}

impl Split {
    pub fn parts(&self) -> &[Forward] {
        &self.parts
    }

    pub fn into_parts(self) -> (Vec<Forward>, Together) {
        (self.parts, self.together)
    }
}

/// What `holder` may see through `operation` at `now`.
pub fn scope(world: &World, holder: Principal, operation: &Operation, now: Timestamp) -> Result<Scope, Refusal> {
    refuse_unproved(operation)?;
    policy::scope::derive(world.held(holder), &world.rules, operation, now)
}

/// The same of another region than his own, for an operation that was made for that.
pub fn scope_abroad(
    world: &World,
    holder: Principal,
    operation: &Operation,
    region: RegionIx,
) -> Result<Scope, Refusal> {
    let scope = policy::scope::derive_abroad(world.held(holder), operation, region)?;
    refuse_unproved(operation)?;
    Ok(scope)
}

/// Turns to another region than the asker's own, where a request names one. `None`: it is his own.
pub fn cross(
    world: &World,
    holder: Principal,
    question: &mut Question,
    named: &str,
) -> Result<Option<RegionIx>, Refusal> {
    let region = world.org.index.regions.get(named).copied();
    if region == Some(world.org.region_of(holder)) {
        return Ok(None);
    }
    let (Some(region), Some(abroad)) = (region, &question.operation.abroad) else {
        // what is no region may be a token in the wrong field: it is not repeated
        let cause = match region {
            Some(_) => format!("`{}`: this is asked of no other region", Echo(named)),
            None => "what the request names is no region".to_owned(),
        };
        return Err(policy::judge::cross_region(cause));
    };
    question.operation = abroad.clone();
    Ok(Some(region))
}

fn refuse_unproved(operation: &Operation) -> Result<(), Refusal> {
    if !operation.unproved.is_empty() {
        let names: Vec<_> = operation.unproved.iter().map(|assumption| assumption.name()).collect();
        return Err(Refusal::new(
            Code::OperationUnproved,
            "this operation is closed until an administrator has vouched for what it rests on",
        )
        .because(format!("not accepted: {}", names.join(", "))));
    }
    Ok(())
}

/// Narrows the question to the scope, proves the outgoing bytes, and says how the answer is judged.
pub fn decide(world: &World, scope: &Arc<Scope>, question: &Question, now: Timestamp) -> Result<Decided, Refusal> {
    if let Some(above) = &question.operation.below {
        read_above(world, scope.holder, above, question, now)?;
    }
    if let Some(part) = &question.operation.definition
        && let Some(guarded) = saved::answer(world, scope.holder, part, question, now)?
    {
        return Ok(Decided::Local(guarded));
    }
    if let Some(part) = &question.operation.schedule {
        return schedules::answer(world, scope.holder, part, question, now);
    }
    let asked = question.as_sent();
    match policy::narrow::narrow(world, scope, &asked, now)? {
        Outcome::Local(guarded) => Ok(Decided::Local(guarded)),
        Outcome::Send(narrowed) => {
            let mut forward = prove(world, scope, &asked, *narrowed, now)?;
            if let Some(preview) = &question.operation.preview {
                forward.plan = forward.plan.with_preview(preview.seconds);
            }
            Ok(Decided::Forward(Box::new(forward)))
        }
        Outcome::Parts(parts, together) => {
            let proved = parts.into_iter().map(|part| prove(world, scope, &asked, part, now));
            let parts = proved.collect::<Result<Vec<_>, _>>()?;
            let earlier = |at: usize| parts.iter().take(at);
            if parts.iter().enumerate().any(|(at, part)| earlier(at).any(|other| !part.plan.shares_nobody(&other.plan)))
            {
                return Err(unproven("two parts of one question would count the same person"));
            }
            Ok(Decided::Split(Box::new(Split { parts, together })))
        }
    }
}

/// The file of which a preview is cut, by the link that the recording's own answer names.
pub fn link(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    link: &str,
    now: Timestamp,
) -> Result<VerifiedLink, Refusal> {
    let region = &world.org.region(scope.region).id;
    let media = world.rules.policy.media.get(region).map_or(&[][..], Vec::as_slice);
    let preview = question.operation.preview.as_ref();
    let proved = match (preview, question.seen.as_deref()) {
        (Some(preview), Some([seen])) => {
            Some(verify::check_link(&preview.of.contract, link, seen, media, scope, &world.org, now))
        }
        _ => None,
    };
    match proved {
        Some(proved) => proved.map_err(|unproved| unproven(&unproved.to_string())),
        None => Err(unproven("a file is fetched for a preview alone, of an interaction that was seen")),
    }
}

/// Opens the files of those exports of a page that are inside the asker's scope for asking for them now. `jobs`: what is
/// kept of them.
pub fn files(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    plan: GuardPlan,
    jobs: &[Job],
    now: Timestamp,
) -> GuardPlan {
    let asking = question.operation.own.as_ref().map(|own| self::scope(world, scope.holder, &own.submit, now));
    match asking {
        Some(Ok(asking)) => plan.opening(|own| own.open(&question.operation.contract, jobs, &asking, &world.org, now)),
        _ => plan,
    }
}

/// What has to be asked before a part of an interaction, or a change of several: the interactions themselves, in the asker's
/// scope for the part or the change.
/// `None` where nothing has to be looked at.
pub fn look(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    now: Timestamp,
) -> Result<Option<Box<Forward>>, Refusal> {
    let operation = &question.operation;
    let Some(first) = operation.first_look().filter(|_| question.seen.is_none()) else { return Ok(None) };
    // what is refused whatever is seen, or answered here, is so before anybody is asked
    let Outcome::Send(_) = policy::narrow::narrow(world, scope, question, now)? else { return Ok(None) };
    let (one, each) = match &operation.look {
        Some(look) => (None, Some(look)),
        None => (question.interaction(), None),
    };
    let asked = Question {
        operation: first.clone(),
        ids: one.map(|(name, id)| (name.into(), id.to_owned())).into_iter().collect(),
        params: each.map(|look| (look.param.clone(), interactions(question))).into_iter().collect(),
        body: None,
        kept: None,
        seen: None,
    };
    let looked = match decide(world, scope, &asked, now) {
        Ok(Decided::Forward(forward)) => return Ok(Some(forward)),
        Ok(Decided::Split(_) | Decided::Local(_) | Decided::Kept(_)) => {
            let nothing = Refusal::outside("nothing of the interaction can be visible");
            if each.is_some() { nothing } else { nothing.in_path() }
        }
        Err(refusal) => refusal,
    };
    Err(lost(operation, looked))
}

/// What stands above a list is there for who may read it, by the rule for that.
fn read_above(
    world: &World,
    holder: Principal,
    above: &Arc<Operation>,
    question: &Question,
    now: Timestamp,
) -> Result<(), Refusal> {
    let scope = Arc::new(scope(world, holder, above, now)?);
    let own = |name: &str| above.contract.template.segments.iter().any(|segment| segment.is_named(name));
    let asked = Question {
        operation: above.clone(),
        ids: question.ids.iter().filter(|(name, _)| own(name)).cloned().collect(),
        params: Vec::new(),
        body: None,
        kept: None,
        seen: None,
    };
    match decide(world, &scope, &asked, now)? {
        Decided::Forward(_) => Ok(()),
        Decided::Local(_) | Decided::Split(_) | Decided::Kept(_) => {
            Err(Refusal::outside("nothing of what stands above can be visible").in_path())
        }
    }
}

/// The next page of a list of which some was read.
pub fn read_on(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    read: &Gathered,
    now: Timestamp,
) -> Result<Forward, Refusal> {
    let narrowed = policy::narrow::read_on(world, scope, question, read, now)?;
    prove(world, scope, question, *narrowed, now)
}

/// The look at interactions of which rows of a list are that wait to be judged.
pub fn look_at_rows(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    (plan, read): (&GuardPlan, &Gathered),
    now: Timestamp,
) -> Result<Box<Forward>, Refusal> {
    let look = question.operation.look.as_ref().ok_or_else(|| unproven("a list without a look at its interactions"))?;
    let limit = look.operation.contract.params.iter().find_map(|param| match param.kind {
        ParamKind::Ids { max, .. } if param.name == look.param => Some(max),
        _ => None,
    });
    let asked = Question {
        operation: look.operation.clone(),
        ids: Vec::new(),
        params: vec![(look.param.clone(), read.unseen(plan, limit.unwrap_or(1)))],
        body: None,
        kept: None,
        seen: None,
    };
    match decide(world, scope, &asked, now)? {
        Decided::Forward(forward) => Ok(forward),
        Decided::Split(_) | Decided::Local(_) | Decided::Kept(_) => {
            Err(unproven("a look at interactions that asks nothing"))
        }
    }
}

/// What becomes of a list after that `look`: the rows of interactions are shown of which every leg that the guard
/// saw is inside the scope by the second reader too.
pub fn judge_rows(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    (look, answer): (&GuardPlan, &Unguarded),
    (plan, read): (&GuardPlan, Gathered),
    now: Timestamp,
) -> Result<Read, Refusal> {
    let seen = look.see_whole_ones(answer)?;
    let whole = verify::check_rows(&question.operation.contract, seen, scope, &world.org, now)
        .map_err(|unproved| unproven(&unproved.to_string()))?;
    plan.looked(read, look, &whole)
}

/// Takes nothing from narrowing on trust: the bytes are proved by the second reader, and the guard is the asker's own.
pub fn prove(
    world: &World,
    scope: &Arc<Scope>,
    question: &Question,
    narrowed: Narrowed,
    now: Timestamp,
) -> Result<Forward, Refusal> {
    let outgoing = narrowed.outgoing.clone();
    let fault =
        |unproved: Unproved| unproven(&format!("{unproved}; outgoing: {}", describe(&question.operation, &outgoing)));
    let (contract, org) = (&question.operation.contract, &world.org);
    let (sent, residual) = (narrowed.outgoing, narrowed.residual);
    let mut plan = narrowed.plan;
    let seen = question.seen.as_deref().unwrap_or_default();
    let verified = match (&question.operation.own, question.named_job(), seen) {
        _ if contract.effect == Effect::Changes => {
            verify::check_change(contract, sent, residual, seen, scope, org, now).map_err(fault)
        }
        (Some(_), _, _) => {
            let exports = question.own_exports();
            let (verified, rows) = verify::check_own(contract, sent, exports, scope, org, now).map_err(fault)?;
            plan = plan.with_own(rows);
            Ok(verified)
        }
        (None, Some(job), _) => {
            if !seen.is_empty() {
                let shown = seen.iter().map(|one| one.interaction.to_string());
                plan = plan.with_ids(shown.chain([job.id.to_string()]));
            }
            verify::check_job(contract, sent, residual, (job, seen), scope, org, now).map_err(|unproved| match unproved
            {
                JobUnproved::ScopeChanged(why) => scope_changed(&why.to_string()),
                JobUnproved::Fault(why) => fault(why),
            })
        }
        (None, None, [seen]) => verify::check_part(contract, sent, residual, seen, scope, org, now).map_err(fault),
        (None, None, []) if contract.scan.is_some() => {
            let above = question.operation.below.as_ref();
            let above = above.map(|above| self::scope(world, scope.holder, above, now)).transpose()?;
            verify::check_scan(contract, sent, residual, above.as_ref(), scope, org, now).map_err(fault)
        }
        (None, None, _) => verify::check(contract, sent, residual, scope, org, now).map_err(fault),
    }?;
    if !plan.serves(&question.operation, &world.org, scope) {
        return Err(unproven("the answer would be judged by another scope, organisation or operation"));
    }
    if plan.links() != verified.residual().links {
        return Err(unproven("other links would pass than those that were proved"));
    }
    Ok(Forward { verified, plan, notices: narrowed.notices })
}

fn unproven(cause: &str) -> Refusal {
    Refusal::new(Code::VerifyFailed, "the narrowed query could not be proved to stay inside your scope; this is a fault of the proxy and has been recorded")
        .because(cause)
}

/// As it may stand in a record.
fn describe(operation: &Operation, outgoing: &Outgoing) -> String {
    let hidden = outgoing.body.as_deref().and_then(|body| hide(operation, body));
    let body = hidden.as_deref().or(outgoing.body.as_deref()).map(String::from_utf8_lossy).unwrap_or_default();
    let query: Vec<_> = outgoing.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {}?{} {body}", outgoing.method.as_str(), outgoing.path, query.join("&"))
}
