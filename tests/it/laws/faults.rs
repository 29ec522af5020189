//! Faults injected outside the trusted base: what narrowing makes, what is memoised, what comes back from a pool or a
//! cache is changed between the pure stages. The second reader, the proof step or the guard must refuse or trim it: no
//! leg that is not the asker's is ever shown or counted.

use super::{
    case::Case,
    program,
    way::{Way, organisations},
    wrong_bytes::{faulty, well_formed},
};
use crate::oracle::{
    data::Leg,
    generate::Dice,
    questions::{Facts, Kind, Meaning, answer, facts_of, within},
};
use bailiwick::{
    decision::{self, Forward},
    model::{contract::Method, entitlement::Scope, refusal::Code},
    policy::{
        guard::Unguarded,
        narrow::{self, Narrowed, Outcome},
    },
    query::Question,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// How a case ended.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum End {
    /// Nothing was sent.
    Unproved,
    /// Sent, and the answer was refused.
    Unguarded,
    /// Answered, with nothing but what is the asker's.
    Harmless,
    Leaks,
}

impl Way<'_> {
    fn narrowed(&self, scope: &Arc<Scope>) -> Option<Narrowed> {
        let world = &self.organisation.world;
        match narrow::narrow(world, scope, &self.question, program::at(self.case.now)).ok()? {
            Outcome::Send(narrowed) => Some(*narrowed),
            Outcome::Parts(..) | Outcome::Local(_) => None,
        }
    }

    fn prove(&self, scope: &Arc<Scope>, question: &Question, narrowed: Narrowed) -> Result<Forward, Code> {
        let world = &self.organisation.world;
        decision::prove(world, scope, question, narrowed, program::at(self.case.now)).map_err(|refusal| refusal.code)
    }

    fn through(&self, scope: &Arc<Scope>, narrowed: Narrowed) -> End {
        match self.prove(scope, &self.question, narrowed) {
            Err(code) => {
                assert_eq!(code, Code::VerifyFailed);
                End::Unproved
            }
            Ok(forward) => {
                let sent: Value = serde_json::from_str(&program::sent(&forward.verified)).unwrap();
                self.answered(&forward, &sent, &sent)
            }
        }
    }

    /// The upstream answers `asked`; the guard judges it as the answer to `sent`.
    fn answered(&self, forward: &Forward, sent: &Value, asked: &Value) -> End {
        let (kind, now) = (self.case.kind, self.case.now);
        if !well_formed(asked) {
            return End::Harmless;
        }
        let data = self.organisation.stock.of(kind);
        let bytes = answer(kind, asked, data, Meaning::Tags, now).to_string().into_bytes();
        let Ok(guarded) = forward.plan.guard(Unguarded::new(200, bytes)) else { return End::Unguarded };
        let shown = facts_of(kind, &program::text(guarded.body()));
        if [sent, asked].iter().any(|body| within(&shown, &self.over_the_visible(body))) {
            End::Harmless
        } else {
            End::Leaks
        }
    }

    /// What these very bytes would bring over the visible world, over all pages.
    fn over_the_visible(&self, body: &Value) -> Facts {
        let (directory, kind) = (&self.organisation.directory, self.case.kind);
        let mut scope = self.case.scope(directory);
        if kind == Kind::Details {
            // Tags and filters say nothing here: every leg that is shown is held against the visible ones.
            let mut bare = json!({ "interval": "2026-01-01T00:00:00Z/2027-01-01T00:00:00Z" });
            bare["paging"] = json!({ "pageSize": 1000, "pageNumber": 1 });
            let view = directory.view(&self.case.person, &scope, self.organisation.stock.of(kind));
            return facts_of(kind, &answer(kind, &bare, &view, Meaning::Tags, self.case.now));
        }
        // Grants to single conversations never count in bytes.
        scope.retain(|one| one.conversations == crate::oracle::semantics::Dim::Any);
        let data = self.organisation.stock.of(kind);
        let mut view = directory.view(&self.case.person, &scope, data);
        if matches!(kind, Kind::Aggregates | Kind::Platform) {
            // The upstream's tags are of the whole interaction, also where only some legs are seen: a part without
            // owner and long ago carries them, and is in no answer itself.
            for one in &mut view {
                let whole = data.iter().find(|whole| whole.id == one.id).unwrap();
                let bare = |leg: &Leg| Leg { queue: None, agent: None, start: 0, end: 0, handle: 0, ..leg.clone() };
                one.legs.extend(whole.legs.iter().map(bare));
            }
        }
        facts_of(kind, &answer(kind, body, &view, Meaning::Tags, self.case.now))
    }
}

fn body(narrowed: &Narrowed) -> Value {
    serde_json::from_str(std::str::from_utf8(narrowed.outgoing.body.as_deref().unwrap()).unwrap()).unwrap()
}

fn with_body(mut narrowed: Narrowed, body: &Value) -> Narrowed {
    narrowed.outgoing.body = Some(body.to_string().into_bytes().into());
    narrowed
}

#[derive(Debug, Default)]
struct Tally {
    ends: BTreeMap<End, usize>,
    /// The fault would have shown or counted something hidden, had nobody looked.
    dangerous: usize,
    example: Option<String>,
}

type Tallies = BTreeMap<String, Tally>;

/// Faults in the bytes and in what goes with them.
fn in_narrowing(way: &Way<'_>, dice: &mut Dice, tallies: &mut Tallies) {
    let Some(honest) = way.narrowed(&way.scope) else { return };
    let sent = body(&honest);
    let directory = &way.organisation.directory;
    let ids = [dice.pick(&directory.queues).id.clone(), dice.pick(&directory.users).id.clone()];
    let mut mutants = faulty(&sent, &ids);
    dice.shuffle(&mut mutants);
    for (what, changed) in mutants.into_iter().take(8) {
        let Some(narrowed) = way.narrowed(&way.scope) else { continue };
        let end = way.through(&way.scope, with_body(narrowed, &changed));
        note(way, tallies, what, end, Some((&sent, &changed)));
    }
    let mut interval = sent.clone();
    if interval.get("interval").is_some() {
        interval["interval"] = json!("2026-11-01T00:00:00Z/2026-12-01T00:00:00Z");
    } else if interval["query"].get("dateFrom").is_some() {
        interval["query"]["dateFrom"] = json!("2026-11-01T00:00:00Z");
        interval["query"]["dateTo"] = json!("2026-12-01T00:00:00Z");
    }
    let Some(narrowed) = way.narrowed(&way.scope) else { return };
    let end = way.through(&way.scope, with_body(narrowed, &interval));
    note(way, tallies, "another interval", end, Some((&sent, &interval)));

    let mut fault = |what: &str, change: &dyn Fn(&mut Narrowed)| {
        let Some(mut narrowed) = way.narrowed(&way.scope) else { return };
        change(&mut narrowed);
        let end = way.through(&way.scope, narrowed);
        note(way, tallies, what, end, None);
        assert_eq!(end, End::Unproved, "{what}");
    };
    fault("another path", &|one| one.outgoing.path = "/api/v2/analytics/conversations/details/jobs".to_owned());
    fault("a path that goes up", &|one| one.outgoing.path.push_str("/../query"));
    fault("another method", &|one| one.outgoing.method = Method::Get);
    fault("a parameter of its own", &|one| one.outgoing.query.push(("expand".into(), "all".to_owned())));
    fault("no body", &|one| one.outgoing.body = None);
    fault("two values of one key", &|one| {
        let text = String::from_utf8(one.outgoing.body.clone().unwrap().to_vec()).unwrap();
        one.outgoing.body = Some(text.replacen('{', "{\"filter\":{},\"filter\":{},", 1).into_bytes().into());
    });
    if way.case.kind == Kind::Details {
        fault("the guard is told to judge no legs", &|one| one.residual.legs = false);
    }
}

fn note(way: &Way<'_>, tallies: &mut Tallies, what: &str, end: End, bytes: Option<(&Value, &Value)>) {
    let tally = tallies.entry(what.to_owned()).or_default();
    *tally.ends.entry(end).or_default() += 1;
    if end == End::Leaks && tally.example.is_none() {
        tally.example = Some(format!("{:?}\nbytes {bytes:?}", way.case));
    }
    if let Some((_, changed)) = bytes.filter(|(_, changed)| well_formed(changed)) {
        let kind = way.case.kind;
        let all = answer(kind, changed, way.organisation.stock.of(kind), Meaning::Tags, way.case.now);
        tally.dangerous += usize::from(!within(&facts_of(kind, &all), &way.over_the_visible(changed)));
    }
}

/// The scope of somebody else, or of another instant, where the asker's is due.
fn in_the_memo(way: &Way<'_>, dice: &mut Dice, tallies: &mut Tallies) {
    let (organisation, case) = (way.organisation, way.case);
    let other = dice.pick(&organisation.directory.users).id.clone();
    if other == case.person {
        return;
    }
    let Ok(theirs) = program::scope(&organisation.world, &other, case.kind, case.now) else { return };
    let theirs = Arc::new(theirs);
    // Narrowed by another person's scope, proved against the asker's.
    if let Some(narrowed) = way.narrowed(&theirs) {
        let (bytes, honest) = (body(&narrowed), way.narrowed(&way.scope));
        let end = way.through(&way.scope, narrowed);
        note(way, tallies, "narrowed to another person's scope", end, Some((&bytes, &bytes)));
        assert_eq!(end, End::Unproved, "another person's guard goes along");
        // His guard alone: the bytes are right, and the answer would be judged by another's rights.
        if let (Some(mut narrowed), Some(foreign)) = (honest, way.narrowed(&theirs)) {
            narrowed.plan = foreign.plan;
            let end = way.through(&way.scope, narrowed);
            note(way, tallies, "another person's guard", end, None);
            assert_eq!(end, End::Unproved);
        }
    }
    // His own holder, another's entitlements: what a memo with a wrong key would give.
    let mixed = Arc::new(Scope { holder: way.scope.holder, ..Scope::clone(&theirs) });
    if !theirs.entitlements.is_empty()
        && let Some(narrowed) = way.narrowed(&mixed)
    {
        let bytes = body(&narrowed);
        let end = way.through(&mixed, narrowed);
        note(way, tallies, "another person's entitlements under the asker's name", end, Some((&bytes, &bytes)));
        assert_eq!(end, End::Unproved);
    }
}

/// A scope from the memo that was used past the end of a grant.
fn in_time(way: &Way<'_>, tallies: &mut Tallies) {
    let (organisation, case) = (way.organisation, way.case);
    for grant in organisation.directory.grants.iter().filter(|grant| grant.beneficiary == case.person) {
        let until = crate::oracle::data::seconds(&grant.until);
        let Ok(stale) = program::scope(&organisation.world, &case.person, case.kind, until - 1) else { continue };
        let later = Case { now: until, ..case.clone() };
        let Ok(fresh) = program::scope(&organisation.world, &case.person, case.kind, until) else { continue };
        if stale.entitlements.len() == fresh.entitlements.len() {
            continue;
        }
        let Some(way) = Way::of(organisation, &later) else { continue };
        let stale = Arc::new(stale);
        let Some(narrowed) = way.narrowed(&stale) else { continue };
        let bytes = body(&narrowed);
        let end = way.through(&stale, narrowed);
        note(&way, tallies, "a scope from the memo past the end of a grant", end, Some((&bytes, &bytes)));
    }
}

/// Another operation's contract, and another request's answer.
fn in_what_comes_back(way: &Way<'_>, other: &Way<'_>, dice: &mut Dice, tallies: &mut Tallies) {
    let kinds: Vec<Kind> = program::KINDS.iter().map(|(kind, _)| *kind).filter(|kind| *kind != way.case.kind).collect();
    let kind = *dice.pick(&kinds);
    if let Some(narrowed) = way.narrowed(&way.scope) {
        let question = program::question(kind, way.case.body.as_bytes());
        let proved = way.prove(&way.scope, &question, narrowed);
        let end = if proved.is_err() { End::Unproved } else { End::Leaks };
        note(way, tallies, "another operation's contract", end, None);
    }
    // What a cache with a wrong key, or a connection that answers out of turn, would give.
    let (Some(mine), Some(theirs)) = (way.narrowed(&way.scope), other.narrowed(&other.scope)) else { return };
    let (sent, asked) = (body(&mine), body(&theirs));
    let Ok(forward) = way.prove(&way.scope, &way.question, mine) else { return };
    let end = way.answered(&forward, &sent, &asked);
    let what = match way.case.kind {
        Kind::Details => "another request's answer: interactions",
        Kind::QueueObservations | Kind::UserObservations | Kind::UserAggregates => {
            "another request's answer: queues and people"
        }
        Kind::Aggregates | Kind::Platform => "another request's answer: numbers",
    };
    note(way, tallies, what, end, Some((&asked, &asked)));
}

#[test]
fn no_fault_outside_the_trusted_base_lets_a_row_through() {
    let mut tallies = Tallies::new();
    for (mut dice, organisation) in organisations(51_000..51_040) {
        let mut before: BTreeMap<Kind, Case> = BTreeMap::new();
        for _ in 0..40 {
            let case = Case::draw(&mut dice, &organisation);
            let Some(way) = Way::of(&organisation, &case) else { continue };
            in_narrowing(&way, &mut dice, &mut tallies);
            in_the_memo(&way, &mut dice, &mut tallies);
            in_time(&way, &mut tallies);
            if let Some(other) = before.get(&case.kind)
                && other.person != case.person
                && let Some(other) = Way::of(&organisation, other)
            {
                in_what_comes_back(&way, &other, &mut dice, &mut tallies);
            }
            before.insert(case.kind, case.clone());
        }
    }
    let mut leaks = Vec::new();
    for (what, tally) in &tallies {
        println!("{what:<58} {:?}, {} dangerous", tally.ends, tally.dangerous);
        assert!(tally.ends.values().sum::<usize>() >= 20, "{what}: too few");
        // The one thing that no guard can see: numbers that name nobody, swapped for other numbers.
        if tally.ends.contains_key(&End::Leaks) && what != "another request's answer: numbers" {
            leaks.push(format!("{what}: {}", tally.example.as_deref().unwrap_or_default()));
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n=====\n"));
    assert!(tallies.len() >= 20, "{} kinds of faults", tallies.len());
    let dangerous = tallies.values().map(|tally| tally.dangerous).sum::<usize>();
    assert!(dangerous > 500, "only {dangerous} faults were dangerous at all");
}
