//! Faults put into answers, the last values between the pure stages: for each shape an honest answer is drawn, then
//! changed as a careless or hostile upstream would. Every change is shown to hold something forbidden before the
//! guard; after it nothing of that may be left, and every lawful row is there, byte for byte.

mod changes;

use super::{
    case::{Case, Organisation, data_of},
    lists::{self, Asker},
    program,
};
use crate::oracle::{
    data::{Directory, Leg},
    generate::Dice,
    lists::{Asked, List, read_by_id},
    questions::{Kind, Meaning, answer},
    semantics::Data,
};
use bailiwick::{
    decision::{self, Decided},
    model::operation::Operation,
    policy::guard::{GuardPlan, Unguarded},
    query::Question,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Stands in every change that brings data of its own.
const MARK: &str = "forbidden-7f3a";

/// Where rows are and how they say whose they are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Groups { rows: &'static str, key: &'static str },
    Conversations,
    Conversation,
    Entities(List),
}

/// An honest answer and what judges it.
struct Honest {
    form: Form,
    plan: GuardPlan,
    answer: Value,
    /// Ids that may show: of visible queues, people, divisions.
    visible: BTreeSet<String>,
    /// Ids of each kind that may not: people of whom no leg without a queue is visible, and those who never are.
    queues: Vec<String>,
    strangers: Vec<String>,
    users: Vec<String>,
    divisions: Vec<String>,
}

/// One change: what it is, the bytes, what is forbidden in them, and the honest answer that has to come out instead
/// (`None`: only what is forbidden is looked at).
struct Mutant {
    what: &'static str,
    bytes: String,
    forbidden: Vec<String>,
    instead: Option<Value>,
}

fn any_leg(queue: Option<&str>, agent: Option<&str>, at: (i64, i64)) -> Leg {
    let owned = |id: Option<&str>| id.map(str::to_owned);
    Leg {
        queue: owned(queue),
        agent: owned(agent),
        start: at.0,
        end: at.1,
        plain: BTreeMap::new(),
        handle: 1,
        tag: None,
        region: None,
    }
}

/// Queues and people of whom some leg may be visible, whatever its time, and the divisions that these make visible.
fn visible_ids(asker: &Asker<'_>, operation: &Operation, data: Data) -> (BTreeSet<String>, BTreeSet<String>) {
    let directory = &asker.organisation.directory;
    let mut scope = asker.scope(operation, data);
    scope.iter_mut().for_each(|one| one.window = None);
    let mine = directory.grants.iter().filter(|grant| grant.beneficiary == asker.person);
    let single = mine.flat_map(|grant| &grant.resources).filter(|one| one.kind == "conversation");
    let conversations: BTreeSet<&str> = single.map(|one| one.id.as_str()).chain(["c-any"]).collect();
    let (mut all, mut alone) = (BTreeSet::new(), BTreeSet::new());
    let queues = directory.queues.iter().map(|one| Some(one.id.as_str())).chain([None]);
    for queue in queues.filter(|queue| data != Data::User || queue.is_none()) {
        let users = directory.users.iter().map(|one| Some(one.id.as_str())).chain([None]);
        for user in users.filter(|user| data != Data::Queue || user.is_none()) {
            let leg = any_leg(queue, user, (asker.now, asker.now));
            if conversations.iter().any(|id| directory.visible(&asker.person, &scope, id, &leg)) {
                if queue.is_none() {
                    alone.extend(user.map(str::to_owned));
                }
                all.extend([queue, user, directory.division_of(&leg)].into_iter().flatten().map(str::to_owned));
            }
        }
    }
    all.extend(scope.iter().flat_map(|one| match &one.divisions {
        crate::oracle::semantics::Dim::Only(ids) => ids.clone(),
        crate::oracle::semantics::Dim::Any => vec![],
    }));
    (all, alone)
}

impl Honest {
    fn of(
        form: Form,
        plan: GuardPlan,
        answer: Value,
        (visible, alone): (BTreeSet<String>, BTreeSet<String>),
        directory: &Directory,
    ) -> Self {
        let people = || directory.users.iter().map(|one| &one.id);
        let hidden = |ids: Vec<&String>| ids.into_iter().filter(|id| !visible.contains(*id)).cloned().collect();
        Self {
            queues: hidden(directory.queues.iter().map(|one| &one.id).collect()),
            strangers: hidden(people().collect()),
            users: people().filter(|id| !alone.contains(*id)).cloned().collect(),
            divisions: hidden(directory.divisions.iter().map(|one| &one.id).collect()),
            form,
            plan,
            answer,
            visible,
        }
    }

    fn query(case: &Case, organisation: &Organisation) -> Option<Self> {
        let scope = Arc::new(program::scope(&organisation.world, &case.person, case.kind, case.now).ok()?);
        let question = program::question(case.kind, case.body.as_bytes());
        let decided = decision::decide(&organisation.world, &scope, &question, program::at(case.now)).ok()?;
        let Decided::Forward(forward) = decided else { return None };
        let sent: Value = serde_json::from_str(&program::sent(&forward.verified)).unwrap();
        let answer = answer(case.kind, &sent, organisation.stock.of(case.kind), Meaning::Tags, case.now);
        let asker = Asker { organisation, person: case.person.clone(), now: case.now };
        let visible = visible_ids(&asker, program::operation(case.kind), data_of(case.kind));
        let form = match case.kind {
            Kind::Details => Form::Conversations,
            Kind::Platform => Form::Groups { rows: "rows", key: "queueId" },
            Kind::UserAggregates | Kind::UserObservations => Form::Groups { rows: "results", key: "userId" },
            Kind::Aggregates | Kind::QueueObservations => Form::Groups { rows: "results", key: "queueId" },
        };
        Some(Self::of(form, forward.plan, answer, visible, &organisation.directory))
    }

    fn put(asker: &Asker<'_>, question: &Question) -> Option<decision::Forward> {
        let world = &asker.organisation.world;
        let holder = program::principal(&world.org, &asker.person);
        let scope = Arc::new(decision::scope(world, holder, &question.operation, program::at(asker.now)).ok()?);
        match decision::decide(world, &scope, question, program::at(asker.now)).ok()? {
            Decided::Forward(forward) => Some(*forward),
            Decided::Split(_) | Decided::Kept(_) | Decided::Local(_) => None,
        }
    }

    fn list(asker: &Asker<'_>, list: List) -> Option<Self> {
        let operation = program::list_of(list);
        let params = vec![("pageSize".into(), vec!["3".to_owned()])];
        let question =
            Question { operation: Arc::clone(operation), ids: vec![], params, body: None, kept: None, seen: None };
        let forward = Self::put(asker, &question)?;
        let directory = &asker.organisation.directory;
        let answer = lists::obedient(list, directory, forward.verified.query());
        let shown: BTreeSet<String> = {
            let data = crate::oracle::lists::data_of(list);
            let scope = asker.scope(operation, data);
            let due = crate::oracle::lists::due(list, directory, &asker.person, &scope, &Asked::default());
            due.into_iter().flat_map(|one| [one.id, one.division]).collect()
        };
        Some(Self::of(Form::Entities(list), forward.plan, answer, (shown.clone(), shown), directory))
    }

    fn read(asker: &Asker<'_>, at: usize) -> Option<Self> {
        let one = &asker.organisation.stock.interactions[at];
        let ids = vec![("conversationId".into(), one.id.clone())];
        let operation = program::read_by_id();
        let question =
            Question { operation: Arc::clone(operation), ids, params: vec![], body: None, kept: None, seen: None };
        let forward = Self::put(asker, &question)?;
        let visible = visible_ids(asker, operation, Data::Interaction);
        Some(Self::of(Form::Conversation, forward.plan, read_by_id(one), visible, &asker.organisation.directory))
    }

    fn guarded(&self, bytes: String) -> Result<String, bailiwick::model::refusal::Refusal> {
        let guarded = self.plan.guard(Unguarded::new(200, bytes.into_bytes()))?;
        Ok(String::from_utf8(guarded.into_body()).unwrap())
    }
}

#[derive(Debug, Default)]
struct Counts {
    tried: usize,
    trimmed: usize,
    refused: usize,
}

/// How many answers of each form are changed.
const ANSWERS: usize = 120;

fn code(error: &bailiwick::model::refusal::Refusal) -> &'static str {
    error.code.as_str()
}

fn judge(honest: &Honest, mutant: &Mutant, known: &BTreeSet<String>, counts: &mut Counts) -> Result<(), String> {
    let lacks = |text: &str, one: &String| {
        let quoted = serde_json::to_string(one).unwrap();
        !text.contains(quoted.trim_matches('"'))
    };
    // Without a guard the forbidden thing would be passed on: nothing here passes for want of something to find.
    if let Some(missing) = mutant.forbidden.iter().find(|one| lacks(&mutant.bytes, one)) {
        return Err(format!("the change does not even hold `{missing}`: {}", mutant.bytes));
    }
    counts.tried += 1;
    let got = honest.guarded(mutant.bytes.clone());
    match &got {
        Err(_) => counts.refused += 1,
        Ok(text) => {
            counts.trimmed += 1;
            let mut said = BTreeSet::new();
            lists::strings(&serde_json::from_str(text).unwrap(), &mut said);
            let quotes = |one: &&String| said.iter().any(|text| text == *one || (*one == MARK && text.contains(MARK)));
            let number = |one: &&String| *one == "987654321" && text.contains(one.as_str());
            if let Some(one) = mutant.forbidden.iter().find(|one| quotes(one) || number(one)) {
                return Err(format!("`{one}` passes: {text}"));
            }
            if let Some(id) = said.iter().find(|id| known.contains(*id) && !honest.visible.contains(*id)) {
                return Err(format!("`{id}` is not visible, and is shown: {text}"));
            }
        }
    }
    if mutant.what.starts_with("a key twice") {
        return match got {
            Err(error) if code(&error) == "answer.unreadable" => Ok(()),
            other => Err(format!("a key that stands twice is read: {other:?}")),
        };
    }
    let Some(instead) = &mutant.instead else { return Ok(()) };
    let due = honest.guarded(instead.to_string());
    match (&due, &got) {
        (Ok(due), Ok(got)) if due == got => Ok(()),
        (Err(due), Err(got)) if code(due) == code(got) => Ok(()),
        _ => Err(format!("lawful rows change\ndue {due:?}\ngot {got:?}")),
    }
}

#[test]
fn nothing_foreign_in_an_answer_passes_the_guard() {
    let mut counts: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = BTreeMap::new();
    for seed in 0..80 {
        let mut dice = Dice::new(31_000 + seed);
        let organisation = Organisation::draw(&mut dice);
        let known = lists::known_ids(&organisation.directory);
        let mut all = Vec::new();
        for _ in 0..24 {
            all.extend(Honest::query(&Case::draw(&mut dice, &organisation), &organisation));
        }
        for _ in 0..6 {
            let asker = Asker::draw(&mut dice, &organisation);
            all.extend(
                [List::Queues, List::Users, List::Divisions]
                    .map(|list| Honest::list(&asker, list))
                    .into_iter()
                    .flatten(),
            );
            let any = |dice: &mut Dice| Honest::read(&asker, dice.below(organisation.stock.interactions.len()));
            all.extend(any(&mut dice));
            let shown = |one: &Honest| one.guarded(one.answer.to_string()).is_ok();
            all.extend((0..8).find_map(|_| any(&mut dice).filter(shown)));
        }
        for honest in all {
            let form = match honest.form {
                Form::Groups { rows: "rows", .. } => "rows",
                Form::Groups { .. } => "groups",
                Form::Conversations => "conversations",
                Form::Conversation => "conversation",
                Form::Entities(_) => "entities",
            };
            if honest.answer["conversations"].as_array().is_some_and(Vec::is_empty) && dice.percent(90) {
                continue;
            }
            let nth = drawn.entry(form).or_default();
            *nth += 1;
            if *nth > ANSWERS * if form == "groups" { 3 } else { 1 } {
                continue;
            }
            for mutant in honest.mutants(&mut dice) {
                let counts = counts.entry((form, mutant.what)).or_default();
                if let Err(why) = judge(&honest, &mutant, &known, counts) {
                    wrong.entry((form, mutant.what)).or_insert_with(|| format!("{why}\nunguarded {}", mutant.bytes));
                }
            }
        }
    }
    for ((form, what), Counts { tried, trimmed, refused }) in &counts {
        println!("{form:<14} {what:<55} {tried:>5} tried {trimmed:>5} trimmed {refused:>5} refused");
    }
    let short: Vec<String> =
        wrong.iter().map(|(at, why)| format!("{at:?}: {}", why.chars().take(1500).collect::<String>())).collect();
    assert!(short.is_empty(), "{}", short.join("\n=====\n"));
    for (at, counts) in &counts {
        assert!(counts.tried >= 5, "{at:?}: {counts:?}");
        // Lawful rows stand beside what is forbidden, or the guard could simply refuse everything.
        assert!(counts.trimmed > 0 || at.1.starts_with("a key twice"), "{at:?}: {counts:?}");
    }
    let kinds = |form: &str| counts.keys().filter(|(known, _)| *known == form).count();
    let all: Vec<usize> = ["groups", "rows", "conversations", "conversation", "entities"].map(kinds).to_vec();
    assert!(all.iter().all(|count| *count >= 18), "{all:?}");
}

/// What is answered without the upstream names nobody at all.
#[test]
fn local_answers_name_nobody() {
    let mut local = 0;
    for seed in 0..10 {
        let mut dice = Dice::new(32_000 + seed);
        let organisation = Organisation::draw(&mut dice);
        let known = lists::known_ids(&organisation.directory);
        for _ in 0..60 {
            let case = Case::draw(&mut dice, &organisation);
            let Ok(scope) = program::scope(&organisation.world, &case.person, case.kind, case.now) else { continue };
            let question = program::question(case.kind, case.body.as_bytes());
            let decided = decision::decide(&organisation.world, &Arc::new(scope), &question, program::at(case.now));
            let Ok(Decided::Local(guarded)) = decided else { continue };
            local += 1;
            let mut said = BTreeSet::new();
            lists::strings(&program::text(guarded.body()), &mut said);
            assert!(said.is_disjoint(&known), "{case:?}: {said:?}");
            assert_eq!((guarded.rows_in(), guarded.rows_out()), (0, 0));
        }
    }
    println!("answered locally: {local}");
    assert!(local > 50);
}
