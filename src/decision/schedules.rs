//! Kept questions that are run at set times: what is shown of a schedule, who may be named in it, and what a run may show.
//!
//! A run asks for one reader. It shows what three rights all give: its owner's when he set it up, its owner's now, and the
//! reader's own now. So nobody gains by being named, and nobody keeps by having been named.

use super::{Again, Decided, decide, read_above, saved, scope};
use crate::{
    base::crontab::Crontab,
    model::{
        contract::Segment,
        definition::{Definition, NAME},
        entitlement::Scope,
        org::{Org, Principal},
        refusal::{Code, Echo, Notice, Refusal},
        schedule::{
            CRON, DEFINITION, ENABLED, RECIPIENTS, Run, RunState, Schedule, ScheduleChange, SchedulePart, ScheduleStep,
            Scheduled, ZONE,
        },
        world::World,
    },
    policy::{
        guard::{Guarded, Unguarded},
        local,
        scope::{lesser, says_more, spelt},
        time,
    },
    query::{
        Question, body,
        json::{self, Limits, Value},
    },
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// The least time between two runs of one schedule.
const APART: SignedDuration = SignedDuration::from_mins(15);
/// A run whose end was not written by then has none: the program ended before it.
const LOST: SignedDuration = SignedDuration::from_hours(2);

/// What is answered here.
pub(super) fn answer(
    world: &World,
    holder: Principal,
    part: &SchedulePart,
    question: &Question,
    now: Timestamp,
) -> Result<Decided, Refusal> {
    let asker = Asker { world, holder, part, question, now };
    if part.step == ScheduleStep::Answer {
        return asker.kept();
    }
    let answered = match part.step {
        ScheduleStep::List => asker.list(),
        ScheduleStep::Save | ScheduleStep::Change => asker.save(),
        ScheduleStep::Read => asker.seen().map(|found| local::kept(Some(asker.row(found)), Vec::new())),
        // whoever receives it takes himself out
        ScheduleStep::Remove => asker.seen().map(|_| local::kept(None, Vec::new())),
        ScheduleStep::Runs | ScheduleStep::Answer => asker.runs(),
    };
    answered.map(Decided::Local)
}

/// What a question that was decided changes in what is kept.
pub fn change(world: &World, holder: Principal, question: &Question, now: Timestamp) -> Option<ScheduleChange> {
    let part = question.operation.schedule.as_ref()?;
    let asker = Asker { world, holder, part, question, now };
    match part.step {
        ScheduleStep::Save | ScheduleStep::Change => asker.written().map(ScheduleChange::Put),
        ScheduleStep::Remove => asker.named().cloned().map(|named| {
            if asker.owns(&named) {
                return ScheduleChange::Remove(named);
            }
            ScheduleChange::Leave(named, world.org.principal_id(holder).into())
        }),
        _ => None,
    }
}

/// One run, about to be asked.
#[derive(Debug)]
pub struct Due {
    pub scope: Arc<Scope>,
    pub question: Question,
    /// Where it is not all that the reader may see himself.
    pub notice: Option<Notice>,
}

/// What a schedule asks for one reader now.
pub fn due(
    world: &World,
    schedule: &Schedule,
    part: &SchedulePart,
    (definition, reader): (Option<&Definition>, Principal),
    now: Timestamp,
) -> Result<Due, Refusal> {
    let org = &world.org;
    let owner = principal(org, &schedule.owner).ok_or_else(lapsed)?;
    let found = definition.filter(|found| *found.id == *schedule.definition);
    let found = found.filter(|found| saved::sees(world, owner, &part.of, found, now)).ok_or_else(lapsed)?;
    if reader != owner {
        may_receive(world, owner, part, org.principal_id(reader), now)?;
    }
    let (scope, notice) = scope_of(world, schedule, part, reader, now)?;
    let mut question = asked(part, &found.body)?;
    if let (Some(rule), Some(body)) = (&part.of.asks.contract.time, &mut question.body) {
        time::fix(rule, body, now);
    }
    Ok(Due { scope: Arc::new(scope), question, notice })
}

/// A principal by what is kept of it.
pub fn principal(org: &Org, (kind, id): &(Box<str>, Box<str>)) -> Option<Principal> {
    match &**kind {
        "user" => org.index.users.get(id).copied().map(Principal::User),
        "service" => org.index.services.get(id).copied().map(Principal::Service),
        _ => None,
    }
}

/// As it is kept.
pub fn kept_as(org: &Org, holder: Principal) -> (Box<str>, Box<str>) {
    let kind = match holder {
        Principal::User(_) => "user",
        Principal::Service(_) => "service",
    };
    (kind.into(), org.principal_id(holder).into())
}

/// The lesser of the three rights, and what is said where it is not the reader's own.
fn scope_of(
    world: &World,
    schedule: &Schedule,
    part: &SchedulePart,
    reader: Principal,
    now: Timestamp,
) -> Result<(Scope, Option<Notice>), Refusal> {
    let org = &world.org;
    let owner = principal(org, &schedule.owner).ok_or_else(lapsed)?;
    let here = |who: Principal| *org.region(org.region_of(who)).id == *schedule.region;
    if !here(owner) || !here(reader) {
        return Err(lapsed());
    }
    let own = scope(world, reader, &part.runs, now)?;
    let mut both = lesser(&own, &schedule.then, &part.of.asks, org, now);
    if reader != owner {
        // why the owner may not is not the reader's to know
        let owners = scope(world, owner, &part.runs, now).map_err(|_| lapsed())?;
        both = lesser(&both, &spelt(&owners, org), &part.of.asks, org, now);
    }
    let notice = says_more(&own, &both).then(|| {
        let text =
            "it shows what you may see and whoever set it up might see then and may see now; your own rights give more";
        Notice::new("schedule.lesser", text)
    });
    Ok((both, notice))
}

fn lapsed() -> Refusal {
    let says = "whoever set this up may not run it any more, so nobody gets anything of it; run the question yourself";
    Refusal::new(Code::ScopeEmpty, says)
}

/// Whether the owner may name this person: he reads him by the rule for that, and he is nobody to whom no file may go.
fn may_receive(
    world: &World,
    owner: Principal,
    part: &SchedulePart,
    person: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let outside = || Refusal::outside(format!("`{}`: nobody whom the owner may name", Echo(person)));
    let recipient = part.recipient.as_ref().ok_or_else(outside)?;
    let name = recipient.contract.template.segments.iter().find_map(|segment| match segment {
        Segment::Param { name, .. } => Some(name.clone()),
        Segment::Literal(_) => None,
    });
    let asked = Question {
        operation: recipient.clone(),
        ids: name.into_iter().map(|name| (name, person.to_owned())).collect(),
        params: Vec::new(),
        body: None,
        kept: None,
        seen: None,
    };
    // whoever may not be read is the same as nobody, whatever the reason
    read_above(world, owner, recipient, &asked, now).map_err(|_| outside())?;
    let user = world.org.index.users.get(person).copied().map(Principal::User).ok_or_else(outside)?;
    match scope(world, user, &part.runs, now) {
        Err(refusal) if refusal.code == Code::BpoExport => {
            let says = "one of the recipients works for an outsourcer, to whom no report is sent; leave him out";
            Err(Refusal::new(Code::BpoExport, says).because(format!("`{}`", Echo(person))))
        }
        // his other rights are seen at each run
        _ => Ok(()),
    }
}

fn asked(part: &SchedulePart, body: &[u8]) -> Result<Question, Refusal> {
    let body = json::parse_object(body, &Limits::own(body))
        .map_err(|error| Refusal::new(Code::Internal, "a definition cannot be read").because(error.to_string()))?;
    let operation = part.of.asks.clone();
    Ok(Question { operation, ids: Vec::new(), params: Vec::new(), body: Some(body), kept: None, seen: None })
}

struct Asker<'a> {
    world: &'a World,
    holder: Principal,
    part: &'a SchedulePart,
    question: &'a Question,
    now: Timestamp,
}

impl Asker<'_> {
    fn org(&self) -> &Org {
        &self.world.org
    }

    fn named(&self) -> Option<&Schedule> {
        match self.question.scheduled()? {
            Scheduled::Named(found) => found.as_deref(),
            Scheduled::Save { there, .. } => there.as_deref(),
            Scheduled::Runs(found, _) => Some(found),
            Scheduled::List(..) => None,
        }
    }

    fn owns(&self, one: &Schedule) -> bool {
        self.here(one) && one.owner == kept_as(self.org(), self.holder)
    }

    fn here(&self, one: &Schedule) -> bool {
        let org = self.org();
        one.operation == self.part.of.asks.id && *one.region == *org.region(org.region_of(self.holder)).id
    }

    /// Its owner sees it, and those he names.
    fn sees(&self, one: &Schedule) -> bool {
        let named = |user: &str| one.recipients.iter().any(|id| **id == *user);
        let receives = match self.holder {
            Principal::User(user) => named(&self.org().user(user).id),
            Principal::Service(_) => false,
        };
        self.owns(one) || self.here(one) && receives
    }

    /// The one that the path names, when the asker may see it; else it is not there.
    fn seen(&self) -> Result<&Schedule, Refusal> {
        let found = self.named();
        found.filter(|found| self.sees(found)).ok_or_else(|| {
            let cause = if found.is_some() { "a schedule of somebody else" } else { "no such schedule" };
            Refusal::outside(cause).in_path()
        })
    }

    fn own(&self) -> Result<&Schedule, Refusal> {
        let seen = self.seen()?;
        if self.owns(seen) {
            return Ok(seen);
        }
        let says = "you receive this, and only whoever set it up may change it; a `DELETE` takes you out of it";
        Err(Refusal::new(Code::PermissionMissing, says).with("permission", &*self.part.runs.permission))
    }

    fn list(&self) -> Result<Guarded, Refusal> {
        let Some(Scheduled::List(found, total)) = self.question.scheduled() else { return Err(nothing_known()) };
        let page = saved::page(self.question, *total)?;
        let rows = found.iter().filter(|one| self.sees(one)).map(|one| self.row(one));
        Ok(local::kept(Some(saved::paged(page, rows)), Vec::new()))
    }

    fn save(&self) -> Result<Guarded, Refusal> {
        // outsourcers and whoever has no right at all are told that first
        let own = scope(self.world, self.holder, &self.part.runs, self.now)?;
        if self.part.step == ScheduleStep::Change {
            self.own()?;
        }
        let malformed = || Refusal::new(Code::QueryMalformed, "say `name`, `queryId`, `cron` and `timeZone`");
        let model = self.question.operation.body().ok_or_else(malformed)?;
        let said = self.question.body.as_ref().ok_or_else(malformed)?;
        body::read(model, said, &|_, _| false)?;
        let written = self.written().ok_or_else(malformed)?;
        if written.name.trim().is_empty() {
            return Err(Refusal::new(Code::QueryMalformed, "`$.name` is empty; name the schedule"));
        }
        self.may_come(&written)?;
        let before = self.named().map_or(&[][..], |there| &there.recipients);
        // what is switched off asks nothing and is sent to nobody
        let judged = written.recipients.iter().filter(|person| written.enabled || !before.contains(person));
        for person in judged {
            may_receive(self.world, self.holder, self.part, person, self.now)?;
        }
        let same = self.named().is_some_and(|there| there.definition == written.definition);
        if !written.enabled && same {
            return Ok(local::kept(Some(self.row(&written)), Vec::new()));
        }
        let definition = self.definition().filter(|found| {
            *found.id == *written.definition && saved::sees(self.world, self.holder, &self.part.of, found, self.now)
        });
        let definition = definition.ok_or_else(|| Refusal::outside("no definition that the asker sees"))?;
        // what would be refused at each run is refused now; masks are not lifted then either
        let then = Arc::new(lesser(&own, &written.then, &self.part.of.asks, self.org(), self.now));
        decide(self.world, &then, &asked(self.part, &definition.body)?, self.now)?;
        Ok(local::kept(Some(self.row(&written)), Vec::new()))
    }

    fn definition(&self) -> Option<&Definition> {
        match self.question.scheduled()? {
            Scheduled::Save { definition, .. } => definition.as_deref(),
            _ => None,
        }
    }

    fn may_come(&self, written: &Schedule) -> Result<(), Refusal> {
        let malformed = |why: String| Refusal::new(Code::QueryMalformed, format!("`$.cron`: {why}"));
        let crontab = Crontab::read(&written.cron, &written.zone).map_err(malformed)?;
        if crontab.next(self.now).is_none() {
            return Err(malformed("no such time ever comes".to_owned()));
        }
        if crontab.closest(self.now).is_some_and(|closest| closest < APART) {
            let says = format!("two runs are closer than {} minutes; ask less often", APART.as_mins());
            return Err(malformed(says));
        }
        Ok(())
    }

    /// The schedule as the asked body has it, with the rights of now.
    fn written(&self) -> Option<Schedule> {
        let Scheduled::Save { id, there, .. } = self.question.scheduled()? else { return None };
        let said = self.question.body.as_ref()?;
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let named = said.get(RECIPIENTS).and_then(Value::as_array).unwrap_or_default();
        let mut recipients: Vec<Box<str>> = named.iter().filter_map(|one| one.as_str().map(Box::from)).collect();
        recipients.sort_unstable();
        recipients.dedup();
        let org = self.org();
        let owner = kept_as(org, self.holder);
        // he gets it anyway
        recipients.retain(|person| *person != owner.1 || *owner.0 != *"user");
        let enabled = said.get(ENABLED).and_then(Value::as_bool).unwrap_or(true);
        let (cron, zone) = (text(CRON)?, text(ZONE)?);
        let own = scope(self.world, self.holder, &self.part.runs, self.now).ok()?;
        let crontab = Crontab::read(cron, zone).ok();
        Some(Schedule {
            id: there.as_ref().map_or_else(|| id.clone(), |there| there.id.clone()),
            region: org.region(org.region_of(self.holder)).id.clone(),
            operation: self.part.of.asks.id.clone(),
            owner,
            name: text(NAME)?.into(),
            definition: text(DEFINITION)?.into(),
            cron: cron.into(),
            zone: zone.into(),
            recipients,
            enabled,
            then: spelt(&own, org),
            version: there.as_ref().map_or(0, |there| there.version).saturating_add(1),
            changed: self.now,
            next: crontab.filter(|_| enabled).and_then(|crontab| crontab.next(self.now)),
            waiting: Vec::new(),
            tries: 0,
        })
    }

    fn runs(&self) -> Result<Guarded, Refusal> {
        self.seen()?;
        let Some(Scheduled::Runs(_, all)) = self.question.scheduled() else { return Err(nothing_known()) };
        let page = saved::page(self.question, all.len())?;
        let mine = all.iter().filter(|run| self.is_mine(run));
        let rows = mine.skip(page.skip()).take(page.take()).map(|run| {
            let (state, code) = match &run.state {
                RunState::Begun if self.now.duration_since(run.began) > LOST => ("lost", None),
                RunState::Begun => ("begun", None),
                RunState::Kept(_) => ("kept", None),
                RunState::Refused(code) => ("refused", Some(&**code)),
            };
            let mut row = Value::object([
                ("id", Value::text(&*run.id)),
                ("dateStarted", saved::instant(run.began)),
                ("state", Value::text(state)),
            ]);
            if let Some(code) = code {
                row.set("code", Value::text(code));
            }
            row
        });
        Ok(local::kept(Some(saved::paged(page, rows)), Vec::new()))
    }

    fn is_mine(&self, run: &Run) -> bool {
        run.reader == kept_as(self.org(), self.holder)
    }

    /// An answer is shown while the rights of now, asking the same, would send the same; and what it says is judged again.
    fn kept(&self) -> Result<Decided, Refusal> {
        let schedule = self.seen()?;
        let Some(Scheduled::Runs(_, found)) = self.question.scheduled() else { return Err(nothing_known()) };
        let run = found.first().filter(|run| self.is_mine(run) && *run.schedule == *schedule.id);
        let missing = || Refusal::outside("no such run for the asker, or none with an answer").in_path();
        let run = run.ok_or_else(missing)?;
        let RunState::Kept(kept) = &run.state else { return Err(missing()) };
        let (scope, lesser) = scope_of(self.world, schedule, self.part, self.holder, self.now)?;
        let scope = Arc::new(scope);
        let when = format!(
            "this was asked at {}, by the decision {}",
            run.began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            kept.decision
        );
        let said = kept.said.iter().map(|text| Notice::new("schedule.said", &**text));
        let notices = said.chain(lesser).chain([Notice::new("schedule.kept", when)]).collect();
        match (decide(self.world, &scope, &asked(self.part, &kept.asked)?, self.now), &kept.sent) {
            (Ok(Decided::Forward(forward)), Some(sent)) if forward.verified.body() == Some(&**sent) => {
                let answer = Unguarded::new(200, kept.answer.to_vec());
                Ok(Decided::Kept(Box::new(Again { scope, forward: *forward, answer, notices })))
            }
            (Ok(Decided::Local(mut guarded)), None) => {
                guarded.tell(notices);
                Ok(Decided::Local(guarded))
            }
            (Err(refusal), _) if refusal.code == Code::VerifyFailed => Err(refusal),
            _ => Err(changed()),
        }
    }

    /// Whoever receives it is told what it is and when it comes; who else does is its owner's.
    fn row(&self, one: &Schedule) -> Value {
        let mut row = Value::object([
            ("id", Value::text(&*one.id)),
            (NAME, Value::text(&*one.name)),
            (CRON, Value::text(&*one.cron)),
            (ZONE, Value::text(&*one.zone)),
            (ENABLED, Value::Bool(one.enabled)),
            ("dateModified", saved::instant(one.changed)),
            ("version", Value::int(one.version.into())),
        ]);
        if let Some(next) = one.next {
            row.set("dateNext", saved::instant(next));
        }
        if self.owns(one) {
            row.set(DEFINITION, Value::text(&*one.definition));
            row.set(RECIPIENTS, Value::array(one.recipients.iter().map(|id| Value::text(&**id))));
        }
        row
    }
}

fn changed() -> Refusal {
    let says = "what you or whoever set this up may see changed since, so this answer is not shown any more; wait for the \
                next run, or run the question yourself";
    Refusal::new(Code::JobScopeChanged, says)
}

fn nothing_known() -> Refusal {
    Refusal::new(Code::Internal, "a schedule was not looked up")
}
