//! Kept questions that are asked at set times: each run is an exchange of its own, decided, proved, recorded and guarded like
//! one that somebody sends, for one reader at a time.

use super::{Proxy, admission::Place, exchange::Exchange, jobs::holder_kind, respond::Answer, too_slow};
use crate::{
    base::crontab::Crontab,
    decision::{
        self, Decided,
        schedules::{kept_as, principal},
    },
    identity::{Method, Subject},
    model::{
        definition::Definition,
        kept::Kept,
        org::{Org, Principal},
        refusal::{Blame, Code, Refusal},
        schedule::{DEFINITION, KeptAnswer, Run, RunState, Schedule, SchedulePart, ScheduleStep, Scheduled},
    },
    policy::guard::Guarded,
    query::{Question, json::Value},
    server,
    store::Failed,
    world::{Pinned, Scoped},
};
use bytes::Bytes;
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Schedules that are taken from the store at once.
const AT_ONCE: u32 = 16;
/// Bytes of an answer that is kept.
const MOST: usize = 1024 * 1024;
/// Runs of one schedule that are under way at once.
const TOGETHER: usize = 4;
/// How often a run is tried once more that the upstream, or a crowd here, did not let be answered; and when.
const TRIES: u32 = 3;
const AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Between two looks for a place among the requests under way.
const PATIENCE: Duration = Duration::from_millis(100);

/// A run that was decided: its answer, and what it is an answer to.
struct Ran {
    answer: Guarded,
    kept: KeptAnswer,
}

impl Proxy {
    /// Puts to a question what is kept of the schedules that it is about.
    pub(super) async fn find_schedule(
        &self,
        question: &mut Question,
        part: &SchedulePart,
        holder: Principal,
        org: &Org,
    ) -> Result<(), Refusal> {
        let region = &org.region(org.region_of(holder)).id;
        if matches!(part.step, ScheduleStep::Save | ScheduleStep::Change) && self.upstreams.needs_asker(region) {
            let says = "your region is asked with the token of who asks, and when a schedule runs there is none; ask for it yourself";
            return Err(Refusal::new(Code::UpstreamAsker, says));
        }
        let whose = (holder_kind(holder), org.principal_id(holder));
        let id = |at: usize| question.ids.get(at).map(|(_, id)| id.as_str());
        let there = match id(0) {
            Some(id) => self.store.schedule(region, id).await?.map(Arc::new),
            None => None,
        };
        let found = match (part.step, there) {
            (ScheduleStep::List, _) => {
                let page = decision::saved::page(question, 0)?;
                let place = (page.skip(), page.take());
                let (found, total) = self.store.schedules((region, &part.of.asks.id), whose, place).await?;
                Scheduled::List(found.into(), total)
            }
            (ScheduleStep::Save | ScheduleStep::Change, there) => {
                let named = question.body.as_ref().and_then(|body| body.get(DEFINITION)).and_then(Value::as_str);
                let definition = match named {
                    Some(named) => self.store.definition(region, named).await?.map(Arc::new),
                    None => None,
                };
                Scheduled::Save { id: Uuid::now_v7().to_string().into(), there, definition }
            }
            (ScheduleStep::Runs | ScheduleStep::Answer, Some(there)) => {
                let runs = self.store.runs((region, &there.id), whose, id(1)).await?;
                Scheduled::Runs(there, runs.into())
            }
            (_, there) => Scheduled::Named(there),
        };
        question.kept = Some(Kept::Scheduled(found));
        Ok(())
    }

    /// Runs what is due in a region by now, and gives how many runs ended.
    ///
    /// # Errors
    /// When the store cannot be read or written; what was begun stands there as begun.
    pub async fn run_due(self: &Arc<Self>, region: &str) -> Result<usize, Failed> {
        let mut ended = 0;
        loop {
            let now = self.clock.now();
            // what cannot be decided now is not lost: it stays due
            if self.world.pin().fresh(now).is_err() {
                return Ok(ended);
            }
            let due = self.store.due(region, now, AT_ONCE).await?;
            if due.is_empty() {
                return Ok(ended);
            }
            for schedule in due {
                ended += self.run_one(Arc::new(schedule)).await?;
            }
        }
    }

    async fn run_one(self: &Arc<Self>, schedule: Arc<Schedule>) -> Result<usize, Failed> {
        let now = self.clock.now();
        let owned = is_there(&self.world.pin().world.org, &schedule);
        // what was missed while nobody was here is asked once; what nobody owns any more is told once, and never again
        let next = Crontab::read(&schedule.cron, &schedule.zone).ok().filter(|_| owned);
        let next = next.and_then(|crontab| crontab.next(now));
        let run = |reader: (Box<str>, Box<str>)| Run {
            id: Uuid::now_v7().to_string().into(),
            schedule: schedule.id.clone(),
            region: schedule.region.clone(),
            reader,
            began: now,
            state: RunState::Begun,
        };
        let recipients = schedule.recipients.iter().filter(|_| owned).map(|id| ("user".into(), id.clone()));
        let everybody = std::iter::once(schedule.owner.clone()).chain(recipients);
        let runs: Vec<Run> =
            everybody.filter(|one| schedule.waiting.is_empty() || schedule.waiting.contains(one)).map(run).collect();
        if !self.store.begin(Schedule::clone(&schedule), next, runs.clone()).await? {
            return Ok(0);
        }
        let definition = self.store.definition(&schedule.region, &schedule.definition).await?.map(Arc::new);
        let (mut ended, mut given_up) = (0, Vec::new());
        let mut left = runs.into_iter();
        while given_up.is_empty() {
            let mut together = JoinSet::new();
            for mut run in left.by_ref().take(TOGETHER) {
                let (proxy, schedule, definition) = (Arc::clone(self), Arc::clone(&schedule), definition.clone());
                together.spawn(async move {
                    run.state = proxy.run_for(&schedule, definition.as_deref(), &run.reader).await;
                    run
                });
            }
            if together.is_empty() {
                break;
            }
            while let Some(run) = together.join_next().await {
                let Ok(run) = run else { continue };
                if schedule.tries < TRIES && is_passing(&run.state) {
                    given_up.push(run);
                } else {
                    self.store.end(run).await?;
                    ended += 1;
                }
            }
        }
        if !given_up.is_empty() {
            given_up.extend(left);
            self.store.put_off(Schedule::clone(&schedule), now + AGAIN, given_up).await?;
        }
        Ok(ended)
    }

    /// One run for one reader. However it ends, it stands in the record.
    async fn run_for(
        &self,
        schedule: &Schedule,
        definition: Option<&Definition>,
        reader: &(Box<str>, Box<str>),
    ) -> RunState {
        let peer = format!("schedule {}", schedule.id);
        let mut exchange = Exchange::open(&self.recorder, &self.clock, &self.metrics, false, false, peer).await;
        let limit = self.settings.total_time;
        let phases = tokio::time::timeout(limit, self.ask_for(schedule, definition, reader, &mut exchange));
        let ended = server::catch(Box::pin(phases)).await;
        let late = |_| Err(too_slow(limit, exchange.phase()));
        let (ended, state) = match ended.map(|timed| timed.unwrap_or_else(late)) {
            Ok(Ok(Ran { answer, kept })) => (Ok(Ok(Answer::from(answer))), RunState::Kept(kept)),
            Ok(Err(refusal)) => {
                let state = RunState::Refused(refusal.code.as_str().into());
                (Ok(Err(refusal)), state)
            }
            Err(panicked) => (Err(panicked), RunState::Refused(Code::Internal.as_str().into())),
        };
        // nobody reads it now: it is delivered by being kept
        let mut body = exchange.finish(ended).into_body();
        body.kept();
        state
    }

    async fn ask_for(
        &self,
        schedule: &Schedule,
        definition: Option<&Definition>,
        reader: &(Box<str>, Box<str>),
        exchange: &mut Exchange,
    ) -> Result<Ran, Refusal> {
        exchange.recordable()?;
        let _place = self.place().await;
        let pinned = self.world.pin();
        exchange.tell(self.world.late(exchange.now()));
        let (world, org) = (&pinned.world, &*pinned.world.org);
        exchange.enter("identify");
        exchange.decided_in(world);
        let part = part_of(&pinned, schedule)
            .ok_or_else(|| Refusal::new(Code::OperationUnknown, "the rule of this schedule is gone; remove it"))?;
        let principal =
            principal(org, reader).ok_or_else(|| Refusal::outside("the reader is in the directory no more"))?;
        let subject = Subject {
            principal,
            client: None,
            method: Method::Schedule,
            session: None,
            expires_at: None,
            roles: None,
            passes: None,
        };
        exchange.identified(&subject, org);
        if kept_as(org, principal) != schedule.owner {
            exchange.acted_by(&schedule.owner.1);
        }
        exchange.operation(&part.runs);
        exchange.enter("scope");
        let now = exchange.now();
        pinned.fresh(now)?;
        let due = decision::schedules::due(world, schedule, part, (definition, principal), now)?;
        exchange.scoped(&Scoped::of(due.scope.clone(), org), org);
        let asked = due.question.body.as_ref().map(Value::to_bytes).unwrap_or_default();
        exchange.asked_with_body::<&str>(("POST", &format!("schedule {}", schedule.id)), &[], Some(&asked));
        exchange.understood();
        exchange.enter("decide");
        let decision: Box<str> = exchange.decision().to_string().into();
        let kept = |sent: Option<Bytes>, answer: &Guarded| KeptAnswer {
            decision: decision.clone(),
            asked: asked.clone().into(),
            sent,
            answer: Bytes::copy_from_slice(answer.body()),
            said: answer.notices().iter().map(|notice| notice.text.as_str().into()).collect(),
        };
        let mut forward = match decision::decide(world, &due.scope, &due.question, now)? {
            Decided::Forward(forward) => forward,
            Decided::Local(answer) => return Ok(Ran { kept: kept(None, &answer), answer }),
            Decided::Split(_) | Decided::Kept(_) => {
                return Err(Refusal::new(Code::Internal, "a run in parts is not kept"));
            }
        };
        forward.notices.extend(due.notice);
        exchange.enter("intend");
        let slot = self.upstreams.enter(&schedule.region, None).await?;
        let intent = exchange.intend(&self.recorder, &forward).await?;
        let sent = forward.verified.outgoing().body.clone();
        let answer = self.fetch_whole(&due.question.operation, forward.verified, intent, slot, exchange).await?;
        exchange.enter("guard");
        let answer = forward.plan.guard(answer)?;
        if answer.body().len() > MOST {
            let says = format!("an answer of more than {MOST} bytes is not kept; ask for less");
            return Err(Refusal::new(Code::QueryTooWide, says));
        }
        Ok(Ran { kept: kept(sent, &answer), answer })
    }

    /// A place among the requests under way; people come first, so this one waits.
    async fn place(&self) -> Place {
        loop {
            match self.admission.enter() {
                Ok(place) => return place,
                Err(_) => tokio::time::sleep(PATIENCE).await,
            }
        }
    }
}

fn part_of<'a>(pinned: &'a Pinned, schedule: &Schedule) -> Option<&'a SchedulePart> {
    let mut parts = pinned.world.rules.operations.iter().filter_map(|operation| operation.schedule.as_ref());
    parts.find(|part| part.of.asks.id == schedule.operation)
}

/// Whether its owner is still somebody who could run anything in its region.
fn is_there(org: &Org, schedule: &Schedule) -> bool {
    let here = |owner: &Principal| *org.region(org.region_of(*owner)).id == *schedule.region;
    principal(org, &schedule.owner).filter(here).is_some_and(|owner| match owner {
        Principal::User(user) => org.user(user).active,
        Principal::Service(_) => true,
    })
}

/// Whether it may end otherwise in a while: the upstream's trouble, or a crowd.
fn is_passing(state: &RunState) -> bool {
    let RunState::Refused(said) = state else { return false };
    let code = Code::ALL.iter().find(|code| code.as_str() == &**said);
    code.is_some_and(|code| match code.blame() {
        Blame::Upstream => *code != Code::AnswerTooLarge,
        Blame::Proxy => !matches!(code, Code::VerifyFailed | Code::Internal),
        Blame::Asker | Blame::Administrator => *code == Code::DirectoryStale,
    })
}
